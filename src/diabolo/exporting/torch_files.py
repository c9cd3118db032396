"""Graphs as programs of torch.export, one file a graph: for PyTorch without Diabolo, in Python or, compiled ahead of time, in
C++."""

import io
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from diabolo import disk
from diabolo.exporting.graphs import Graph, Tensors
from diabolo.exporting.onnx_files import traced


def write(graphs: list[Graph], folder: Path, opset: int) -> dict[str, str]:
    """Write each of `graphs` into `folder`: its name → the name of its file. There is no opset.

    Raises:
        DiaboloError: for a model that cannot be traced.
    """
    files = {}
    for graph in graphs:
        program = traced(_One(graph), graph.examples)
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)  # which names files of this machine
        content = io.BytesIO()
        torch.export.save(program, content)
        files[graph.name] = f"{graph.name}.pt2"
        disk.write(folder / files[graph.name], content.getvalue())
    return files


class _One(nn.Module):
    """One graph, whose inputs and outputs are called by their own names."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.model, self.graph = graph.program.model, graph

    def forward(self, inputs: Tensors) -> Tensors:
        """Named tensors of named tensors."""
        found = self.graph.program.function(inputs)
        return {name: found[name] for name in self.graph.outputs}


class Runner:
    """The files in a folder, loaded again."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.programs = {
            name: torch.export.load(io.BytesIO((folder / file).read_bytes())).module() for name, file in files.items()
        }
        self.what = f"torch {torch.__version__}"

    def __call__(self, graph: str, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The named outputs of `graph`."""
        with torch.no_grad():
            found = self.programs[graph]({name: torch.from_numpy(x) for name, x in inputs.items()})
        return {name: x.numpy() for name, x in found.items()}
