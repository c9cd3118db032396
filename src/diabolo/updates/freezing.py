"""Weights that stay as they are while others are trained, by name."""

from fnmatch import fnmatchcase

from torch import nn

from diabolo.errors import UnknownNameError


def matching(model: nn.Module, patterns: tuple[str, ...] | None) -> set[str]:
    """The names in `model.state_dict()`, weights and statistics, that the `patterns` mean.

    Each is the name of a part ("encoder") or a pattern over names, as a shell has them ("encoder.*", "*.bias").

    Raises:
        UnknownNameError: for a pattern that means nothing in this model.
    """
    names, found = list(model.state_dict()), set[str]()
    for pattern in patterns or ():
        meant = {name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")}
        if not meant:
            near = {".".join(name.split(".")[:depth]) for name in names for depth in (1, 2, 3)}
            raise UnknownNameError("weights to freeze", pattern, near, see="state_dict() of the model")
        found |= meant
    return found


class Frozen:
    """What stays of `model`, from now until `release`.

    Weights get no gradient. Statistics stay too: a module that is frozen as a whole, or of whose own buffers one is, is in
    evaluation mode throughout, so that frozen batch norm normalises by what it has learnt, a frozen codebook moves by no
    average, and there is no dropout inside a frozen network.
    """

    def __init__(self, model: nn.Module, patterns: tuple[str, ...] | None) -> None:
        names = matching(model, patterns)
        self.model = model
        every = model.named_parameters(remove_duplicate=False)  # a weight shared by two layers stays under either name
        self.parameters = [p for name, p in every if name in names and p.requires_grad]
        self.modules = [module for prefix, module in model.named_modules() if _stays(prefix, module, names)]
        for p in self.parameters:
            p.requires_grad_(False)

    def train(self) -> None:
        """Training mode, but for what is frozen."""
        self.model.train()
        for module in self.modules:
            module.eval()

    def release(self) -> None:
        """Let everything move again."""
        for p in self.parameters:
            p.requires_grad_(True)


def _stays(prefix: str, module: nn.Module, names: set[str]) -> bool:
    dot = f"{prefix}." if prefix else ""
    state = {f"{dot}{name}" for name in module.state_dict()}
    own = {f"{dot}{name}" for name, _ in module.named_buffers(recurse=False)}
    return bool(state and state <= names) or bool(own & names)
