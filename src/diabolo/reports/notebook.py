"""A percent-format script as a notebook that was run, its outputs inside; it runs again in Jupyter, VS Code and Colab."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diabolo.errors import DiaboloError
from diabolo.reports.extra import needed
from diabolo.training import files

INSTALL = """\
# A machine that has no diabolo yet, such as a fresh one of Colab, gets it here.
import importlib.util

if importlib.util.find_spec("diabolo") is None:
    %pip install --quiet diabolo"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def make(source: str) -> Any:
    """The notebook of a script, not run: one cell for each of its own, and before them one that installs diabolo.

    Returns:
        A notebook as nbformat has it; the same script gives the same one.
    """
    nbformat = needed("nbformat")
    notebook = needed("jupytext").reads(source, fmt="py:percent")
    notebook.cells.insert(0, nbformat.v4.new_code_cell(INSTALL, metadata={"tags": ["install"]}))
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"
    notebook["metadata"] = nbformat.from_dict(METADATA)
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5  # the first with ids
    nbformat.validate(notebook)
    return notebook


def execute(
    source: str, folder: Path, environment: Mapping[str, str], name: str = "notebook", where: Path | None = None
) -> Path:
    """Run the notebook of a script in a process of its own and write it, outputs inside, to `folder`/NAME.ipynb.

    Args:
        source: the script's text.
        folder: what the notebook is written into.
        environment: variables that its process has beside those of this one.
        name: of the file.
        where: the folder it runs in; that of the caller when left out, so that relative paths keep their meaning.

    Raises:
        DiaboloError: when a cell fails, with what it said; or when what notebooks need is not installed.
    """
    nbclient, nbformat, _ = needed("nbclient"), needed("nbformat"), needed("ipykernel")
    notebook = make(source)
    with tempfile.TemporaryDirectory() as desk:
        client = nbclient.NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            km=_kernel(Path(desk)),
            record_timing=False,  # the same outputs give the same file
            resources={"metadata": {"path": str(where or Path.cwd())}},
        )
        try:
            # Warnings name files of this machine, and were shown when what the notebook reads was made.
            client.execute(env={**os.environ, "PYTHONWARNINGS": "ignore", **environment}, cleanup_kc=True)
        except nbclient.exceptions.CellExecutionError as error:
            raise DiaboloError(f"the notebook of {folder} failed: {error.ename}: {error.evalue}") from error
    nbformat.validate(notebook)
    path = folder / f"{name}.ipynb"
    files.write(path, (nbformat.writes(notebook) + "\n").encode())
    return path


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
