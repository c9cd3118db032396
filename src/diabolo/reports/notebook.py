"""A percent-format script as a notebook that was run, its outputs inside; it runs again in Jupyter, VS Code and Colab. That
of one training reads the run from its folder. A value goes into code in one way: as a literal, which is data whatever it
says.
"""

import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diabolo import disk, trust
from diabolo.errors import DiaboloError
from diabolo.reports import markdown
from diabolo.reports.extra import needed
from diabolo.reports.requirement import requirement
from diabolo.vocabulary import Words


def literal(value: Any) -> str:
    """`value` on one line of Python: text, numbers, truth values, None, and lists, tuples and mappings of these.

    Raises:
        DiaboloError: for anything else.
    """
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{literal(item)}, ' for item in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if value is None or type(value) in (str, bool, int, float):
        return ascii(value)
    raise DiaboloError(f"a {type(value).__name__} cannot be written into a notebook")


SCRIPT = """# %% [markdown]
# The run is read from its folder: the trained model, the course of its training, and the images it was trained on.

# %% tags=["parameters"]
path = "."  # this notebook lies in the folder of its run
trust = {trust}  # packages whose code the run may name
moved = {moved}  # where its images lie now, if they were moved: {{"name": …}} or {{"root": …}}

# %%
from IPython.display import Image, display

from diabolo.pictures import run_figures
from diabolo.evaluation.measuring import images_of
from diabolo.latents.codes import encode
from diabolo.plain import visible
from diabolo.runs.loading import load_run

run = load_run(path, trust=trust)
pair = run.folder.pair(moved, trust) if run.config.train.origin else None
model = run.model
print(visible(f"{{run.config.name}}: {{run.status}}"))

# %% [markdown]
# ## The model
# Its layers, what each gives for one image, and the parameters.

# %%
print(model.summary())

# %% [markdown]
# ## The loss
# Of the last epoch; `run.history` has every epoch.

# %%
for part in ("train", "validation"):
    if run.history and run.history[-1][part]:
        print(part, {{term: round(value, 5) for term, value in run.history[-1][part].items()}})

# %% [markdown]
# ## Figures
# The loss by epoch, reconstructions, samples and the map of the codes, as far as this model has them.

# %%
for figure in run_figures.draw(run, pair and pair[1]):
    display(Image(filename=str(figure)))

# %% [markdown]
# ## Codes
# `encode` gives the code of each image, `reconstruct` what the decoder makes of it. From here on the notebook is yours.

# %%
train, test = images_of(run, pair)
codes = encode(model, test.take(range(min(1000, len(test)))))
print(codes.shape, "mean", codes.mean().round(4), "standard deviation", codes.std().round(4))
"""


def script(trust: tuple[str, ...] = (), moved: Mapping[str, str] | None = None, words: Words = str) -> str:
    """The percent-format script that is run in the run's folder; `trust` as in `diabolo.load`, `moved` as in
    `diabolo.data.origin.of_run`. Nothing of the run is in it, but its text is said in the `words` of the data."""
    told = (words(line) if line.startswith("# ") else line for line in SCRIPT.splitlines(keepends=True))
    return "".join(told).format(trust=literal(trust), moved=literal(dict(moved or {})))


INSTALL = """\
# A machine that has no diabolo yet, such as a fresh one of Colab, gets it here; with diabolo there, nothing is fetched.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("diabolo") is None:
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", {requirement}])"""
WHERE = "DIABOLO_NOTEBOOK_FOLDER"  # of the kernel's environment
# The kernel is started in an empty folder and goes to the notebook's own once Python has been told to import nothing from
# there: whoever made that folder may have put a torch.py into it.
KERNEL = (
    "--InteractiveShellApp.ignore_cwd=True",
    f"--InteractiveShellApp.exec_lines=import os; os.chdir(os.environ.pop({WHERE!r}))",
)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def make(source: str, title: str = "", install: bool = True) -> Any:
    """The notebook of a script, not run: one cell for each of its own, and before them one that installs diabolo.

    Args:
        source: the script's text.
        title: a heading above its first cell of words; it is never read as code.
        install: whether there is that first cell; not for a script that needs no diabolo.

    Returns:
        A notebook as nbformat has it; the same script gives the same one.
    """
    nbformat = needed("nbformat")
    notebook = needed("jupytext").reads(source, fmt="py:percent")
    if install:
        notebook.cells.insert(
            0,
            nbformat.v4.new_code_cell(
                INSTALL.format(requirement=literal(requirement())), metadata={"tags": ["install"]}
            ),
        )
    if title:
        first = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
        first["source"] = f"# {markdown.escape(title)}\n{first['source']}"
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"
    notebook["metadata"] = nbformat.from_dict(METADATA)
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5  # the first with ids
    nbformat.validate(notebook)
    return notebook


def execute(
    source: str,
    folder: Path,
    environment: Mapping[str, str],
    name: str = "notebook",
    where: Path | None = None,
    title: str = "",
) -> Path:
    """Run the notebook of a script in a process of its own and write it, outputs inside, to `folder`/NAME.ipynb.

    Args:
        source: the script's text.
        folder: what the notebook is written into.
        environment: variables that its process has beside those of this one.
        name: of the file.
        where: the folder it runs in; that of the caller when left out, so that relative paths keep their meaning. Nothing is
            imported from there.
        title: see `make`.

    Raises:
        DiaboloError: when a cell fails, with what it said; or when what notebooks need is not installed.
    """
    nbclient, nbformat, _ = needed("nbclient"), needed("nbformat"), needed("ipykernel")
    notebook = make(source, title)
    with disk.desk() as desk:
        client = nbclient.NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            km=_kernel(desk),
            record_timing=False,  # the same outputs give the same file
            extra_arguments=list(KERNEL),
            resources={"metadata": {"path": str(desk)}},
        )
        try:
            # Warnings name files of this machine, and were shown when what the notebook reads was made.
            client.execute(env={**_environment(where or Path.cwd(), folder), **environment}, cleanup_kc=True)
        except nbclient.exceptions.CellExecutionError as error:
            raise DiaboloError(f"the notebook of {folder} failed: {error.ename}: {error.evalue}") from error
    nbformat.validate(notebook)
    path = folder / f"{name}.ipynb"
    disk.write(path, (nbformat.writes(notebook) + "\n").encode())
    return path


def _environment(where: Path, folder: Path) -> dict[str, str]:
    """The variables of this process, with a path for Python in which neither the folder of the kernel is nor the one that the
    notebook is written into."""
    named = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    named += [place for place in trust.STARTED_IN if place in sys.path]
    places = [os.path.abspath(place) for place in named if not trust.is_within(place, folder)]
    return {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(places),
        WHERE: str(where.absolute()),
    }


def _kernel(desk: Path) -> Any:
    """A manager of a kernel of this very Python, whatever kernels the user has installed under the name python3. The two talk
    through sockets in the folder `desk`, which nobody else can read, where the system has such."""
    specs = needed("jupyter_client.kernelspec").KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
    transport = "ipc" if os.name == "posix" else "tcp"
    return needed("jupyter_client").AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=specs,
        transport=transport,
        connection_file=str(desk / "kernel.json"),
    )
