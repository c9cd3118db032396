"""Graphs as ONNX files, one a graph, run by onnxruntime.

All graphs are traced and translated together, which takes as long as one, and then taken apart.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from diabolo import disk
from diabolo.errors import DiaboloError
from diabolo.exporting.graphs import Graph, Tensors

OPSET = 18  # what torch translates to by itself, and every runtime of the last years knows
MOST = 2**31 - 2**20  # bytes of weights that a file of protocol buffers holds, with room for the graph


class Together(nn.Module):
    """The programs of some graphs, all at once: their inputs and outputs are called program.name."""

    def __init__(self, graphs: Sequence[Graph]) -> None:
        super().__init__()
        self.model = graphs[0].program.model
        self.programs = {graph.program.name: graph.program for graph in graphs}
        self.inputs = {
            f"{name}.{one}": x for name, program in self.programs.items() for one, x in program.examples.items()
        }
        self.outputs = list(dict.fromkeys(f"{g.program.name}.{output}" for g in graphs for output in g.outputs))

    def forward(self, inputs: Tensors) -> Tensors:
        """What each gives of its own inputs."""
        found: Tensors = {}
        for name, program in self.programs.items():
            own = {one: inputs[f"{name}.{one}"] for one in program.examples}
            found |= {f"{name}.{one}": x for one, x in program.function(own).items()}
        return {name: found[name] for name in self.outputs}


def write(graphs: list[Graph], folder: Path, opset: int) -> dict[str, str]:
    """Write each of `graphs` into `folder`: its name → the name of its file.

    Raises:
        DiaboloError: for a model that cannot be traced, an operator that the opset lacks, and one that is too large.
    """
    import onnx
    import onnx.utils

    weights = graphs[0].program.model
    size = sum(t.nbytes for t in (*weights.parameters(), *weights.buffers()))
    if size > MOST:
        raise DiaboloError(
            f"the weights take {size / 2**30:.1f} GiB, and an ONNX file holds 2: export with --to torch-export"
        )
    whole = _translated(graphs, opset)
    parts = onnx.utils.Extractor(whole)
    files = {}
    for graph in graphs:
        inputs, outputs = (
            {f"{graph.program.name}.{name}": name for name in names} for names in (graph.examples, graph.outputs)
        )
        part = _tidied(parts.extract_model(list(inputs), list(outputs)), graph.name, inputs | outputs)
        onnx.checker.check_model(part)
        files[graph.name] = f"{graph.name}.onnx"
        disk.write(folder / files[graph.name], part.SerializeToString())
    return files


def _translated(graphs: list[Graph], opset: int) -> Any:
    """All of `graphs` as one ONNX model."""
    from torch.onnx.errors import OnnxExporterError

    together = Together(graphs)
    program = traced(together, together.inputs)
    try:
        with warnings.catch_warnings(action="ignore"):
            made = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=opset,
                input_names=list(together.inputs),
                output_names=together.outputs,
                verbose=False,
            )
    except OnnxExporterError as error:
        lacks = sorted(set(re.findall(r"op='([\w.]+)'", f"{error} {error.__cause__}")))
        named = f" ({', '.join(lacks)})" if lacks else ""
        raise DiaboloError(
            f"the model uses an operator{named} that opset {opset} of ONNX lacks: export with --to torch-export"
        ) from error
    assert made is not None
    model = made.model_proto
    found = {entry.domain: entry.version for entry in model.opset_import}
    if found.get("") != opset:
        raise DiaboloError(
            f"the model cannot be written in opset {opset} of ONNX, which lacks an operator that it needs in opset "
            f"{found.get('')}: give --opset {found.get('')}"
        )
    return model


def traced(module: nn.Module, inputs: Tensors) -> torch.export.ExportedProgram:
    """`module` as torch.export traces it, for any number of rows of each program's inputs.

    Raises:
        DiaboloError: for a part of one's own that decides by the numbers it is given.
    """
    rows = {x.shape[0]: torch.export.Dim(f"batch_{x.shape[0]}", min=1) for x in inputs.values()}
    shapes = {name: {0: rows[x.shape[0]]} for name, x in inputs.items()}
    try:
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            return torch.export.export(module.eval(), (inputs,), dynamic_shapes=(shapes,))
    except Exception as error:  # of many kinds, raised by parts of one's own too
        told = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise DiaboloError(
            f"the model cannot be traced by torch.export ({told.rstrip('.')}): its parts must not decide by the numbers that "
            "they are given, nor by how many images there are"
        ) from error


def _tidied(model: Any, name: str, names: dict[str, str]) -> Any:
    """`model`, whose inputs and outputs are called by `names`, and which says nothing of the machine it was made on."""
    graph = model.graph
    graph.name = name
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
        del value.metadata_props[:]
        for side in value.type.tensor_type.shape.dim:
            if side.dim_param:
                side.dim_param = "batch"
    _rename(graph, names)
    return model


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Call what the nodes of `graph`, and those of graphs within them, take and give by `names`."""
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
        for places in (node.input, node.output):
            for i, place in enumerate(places):
                places[i] = names.get(place, place)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename(inner, names)


class Runner:
    """The files in a folder, run by onnxruntime on the CPU."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.sessions = {
            name: onnxruntime.InferenceSession(
                (folder / file).read_bytes(), options, providers=["CPUExecutionProvider"]
            )
            for name, file in files.items()
        }
        self.what = f"onnxruntime {onnxruntime.__version__}"

    def __call__(self, graph: str, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The named outputs of `graph`."""
        session = self.sessions[graph]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, map(np.asarray, session.run(names, inputs)), strict=True))
