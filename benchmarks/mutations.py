"""What can be changed in a module so that it means something else: one small change of its syntax tree at a time."""

import ast
import copy
from dataclasses import dataclass

COMPARISONS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
UNARY = (
    "abs",
    "sqrt",
    "exp",
    "log",
    "square",
    "clip",
    "clamp",
    "double",
    "mean",
    "sum",
    "detach",
    "copy",
    "sort",
    "flip",
)
AXES = (
    "dim",
    "axis",
    "sum",
    "mean",
    "std",
    "var",
    "max",
    "min",
    "argmax",
    "argmin",
    "any",
    "all",
    "softmax",
    "cat",
    "stack",
)


@dataclass(frozen=True)
class Mutation:
    """A change.

    Attributes:
        path: of the module, from the root of the project.
        line: of the change in it.
        kind: "comparison", "arithmetic", "constant", "boolean", "axis", "default" or "call".
        where: the function that it is in, "" for the module itself.
        before, after: the statement, or its head, without and with it.
        source: of the whole module with it.
    """

    path: str
    line: int
    kind: str
    where: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """What tells it from all others, wherever its lines move to."""
        return f"{self.path} {self.where}: {self.before} → {self.after}"


def sites(source: str) -> list[tuple[int, int]]:
    """All changes that `mutation` can make in a module: the node, and which change of it. Messages, annotations and
    documentation are left as they are, and so is what asserts something: `assert`, and `strict` of a zip."""
    nodes = _nodes(ast.parse(source))
    return [
        (place, number)
        for place, (node, _, _) in enumerate(nodes)
        for number in range(len(_changed(copy.deepcopy(node))))
    ]


def mutation(path: str, source: str, place: int, number: int) -> Mutation | None:
    """One of them; None where nothing would be changed."""
    node, where, statement = _nodes(ast.parse(source))[place]
    tree = ast.parse(source)
    twin, _, within = _nodes(tree)[place]
    kind, new = _changed(twin)[number]
    if new is not twin:
        _replace(tree, twin, new)
        within = new if within is twin else within
    before, after = _head(statement), _head(within)
    if before == after:
        return None
    return Mutation(
        path, getattr(node, "lineno", 0), kind, where, before, after, ast.unparse(ast.fix_missing_locations(tree))
    )


def _nodes(tree: ast.AST) -> list[tuple[ast.AST, str, ast.stmt]]:
    """Every node that may be changed, the function it is in and the statement it is part of."""
    found: list[tuple[ast.AST, str, ast.stmt]] = []

    def visit(node: ast.AST, where: str, statement: ast.stmt | None) -> None:
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
            return
        if isinstance(node, ast.keyword) and node.arg == "strict":
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.stmt):
            statement = node
        if hasattr(node, "lineno") and statement is not None:
            found.append((node, where, statement))
        inner = where
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = f"{where}.{node.name}" if where else node.name
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    visit(child, inner, statement)

    visit(tree, "", None)
    return found


def _changed(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """The nodes that may stand for `node` (a node of its own, which is changed in place or given back anew), by kind."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        node.ops[0] = COMPARISONS[type(node.ops[0])]()
        return [("comparison", node)]
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC and not _text(node):
        node.op = ARITHMETIC[type(node.op)]()
        return [("arithmetic", node)]
    if isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return [("boolean", node)]
    if isinstance(node, ast.UnaryOp):
        kind = "boolean" if isinstance(node.op, ast.Not | ast.Invert) else "arithmetic"
        return [(kind, node.operand)]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        node.value = not node.value
        return [("boolean", node)]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        node.value = node.value + 1 if isinstance(node.value, int) else 2 * node.value or 1.0
        return [("constant", node)]
    if isinstance(node, ast.FunctionDef):
        return _defaults(node)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [("call", ast.Pass())]
    if isinstance(node, ast.Call):
        return _call(node)
    return []


def _defaults(node: ast.FunctionDef) -> list[tuple[str, ast.AST]]:
    """One of the function's defaults less: the last one that is a number or a truth value."""
    for default in reversed([*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]):
        if isinstance(default, ast.Constant) and isinstance(default.value, bool | int | float):
            value = default.value
            default.value = (not value) if isinstance(value, bool) else value * 3 + 1
            return [("default", node)]
    return []


def _call(node: ast.Call) -> list[tuple[str, ast.AST]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    axes = [k.value for k in node.keywords if k.arg in AXES] + node.args[-1:]
    if name in AXES and axes and isinstance(axes[0], ast.Constant) and isinstance(axes[0].value, int):
        axes[0].value = 1 if axes[0].value == 0 else 0
        return [("axis", node)]
    if name in UNARY and isinstance(node.func, ast.Attribute):
        module = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "torch", "math")
        inner = (node.args[0] if node.args else None) if module else node.func.value
        return [("call", inner)] if inner is not None else []
    return []


def _text(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether it joins words rather than numbers, or types."""
    parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
    return any(
        isinstance(p, ast.JoinedStr) or (isinstance(p, ast.Constant) and isinstance(p.value, str)) for p in parts
    )


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if child is old else child for child in value]


def _head(statement: ast.AST) -> str:
    """The statement without the body that may hang on it."""
    if isinstance(statement, ast.stmt) and hasattr(statement, "body"):
        statement = copy.deepcopy(statement)
        statement.body = [ast.Pass()]
        for name in ("orelse", "finalbody", "handlers", "decorator_list"):
            if getattr(statement, name, None):
                setattr(statement, name, [])
    return " ".join(ast.unparse(ast.fix_missing_locations(statement)).removesuffix("pass").split())
