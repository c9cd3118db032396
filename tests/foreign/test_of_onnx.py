"""Pairs of ONNX files made here by hand, run by onnxruntime."""

import numpy as np
import pytest
import torch

import diabolo
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.foreign import opened

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

BATCH, FLOAT, BYTE = "batch", TensorProto.FLOAT, TensorProto.UINT8
W = np.random.default_rng(0).normal(0, 0.1, (64, 5)).astype(np.float32)


def saved(path, nodes, given, made, **constants):
    """A graph with these nodes; `given` and `made` are lists of (name, type, shape)."""
    values = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes, "g", *([helper.make_tensor_value_info(*one) for one in some] for some in (given, made)), values
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model.SerializeToString())


def encoder(folder, kind=FLOAT, rows=BATCH, output="code", besides=()):
    """code = W' x of images, which are bytes or numbers in [0, 1]."""
    node = helper.make_node
    cast = [node("Cast", ["images"], ["f"], to=FLOAT), node("Div", ["f", "most"], ["x"])]
    saved(
        folder / "encoder.onnx", [*cast, node("Flatten", ["x"], ["r"]), node("MatMul", ["r", "w"], [output])],
        [("images", kind, [rows, 1, 8, 8]), *besides], [(output, FLOAT, [rows, 5])],
        w=W, most=np.float32(255 if kind == BYTE else 1),
    )  # fmt: skip


def decoder(folder, rows=BATCH):
    """x_hat = sigmoid(W z), beside what nobody asked for."""
    node = helper.make_node
    nodes = [
        node("MatMul", ["code", "w"], ["r"]),
        node("Reshape", ["r", "shape"], ["m"]),
        node("Sigmoid", ["m"], ["x_hat"]),
    ]
    saved(
        folder / "decoder.onnx", nodes, [("code", FLOAT, [rows, 5])],
        [("r", FLOAT, [rows, 64]), ("x_hat", FLOAT, [rows, 1, 8, 8])], w=W.T.copy(), shape=np.array([-1, 1, 8, 8]),
    )  # fmt: skip


@pytest.mark.parametrize("kind", [FLOAT, BYTE])
@pytest.mark.parametrize("rows", [BATCH, 4])
def test_types_and_rows_are_read_from_the_files(few, tmp_path, kind, rows):
    encoder(tmp_path / "pair", kind, rows)
    decoder(tmp_path / "pair", rows)
    codec = opened(f"onnx:{tmp_path / 'pair'}", few[0])
    x = few[1].images.reshape(90, -1).astype(np.float64) / 255
    z = x @ W
    assert codec.encode(few[1].images).numpy() == pytest.approx(z, abs=1e-5)
    expected = 1 / (1 + np.exp(-z @ W.T))
    assert codec.reconstruct(few[1].images).reshape(90, -1).numpy() == pytest.approx(expected, abs=1e-5)
    assert codec.name == f"onnx:{tmp_path.name}/pair"
    found = diabolo.evaluate(f"onnx:{tmp_path / 'pair'}", few, ["reconstruction"])
    mse = found["reconstruction"].scores["MSE"].value
    assert mse == pytest.approx(np.square(expected - x).mean(), rel=1e-5)
    with pytest.raises(NoPriorError):
        codec.sample(2)


def test_codes_with_indices_are_discrete(few, tmp_path):
    node = helper.make_node
    saved(
        tmp_path / "encoder.onnx",
        [
            node("Flatten", ["x"], ["f"]),
            node("MatMul", ["f", "w"], ["code"]),
            node("Cast", ["code"], ["indices"], to=7),
        ],
        [("x", FLOAT, [BATCH, 1, 8, 8])],
        [("code", FLOAT, [BATCH, 5]), ("indices", TensorProto.INT64, [BATCH, 5])],
        w=W,
    )
    decoder(tmp_path)
    codec = opened(f"onnx:{tmp_path}", few[0])
    assert codec.bottleneck.discrete
    assert codec.latent_shape == (5,)


def test_codes_are_drawn_where_a_file_makes_them_of_noise(few, tmp_path):
    encoder(tmp_path)
    decoder(tmp_path)
    saved(
        tmp_path / "prior.onnx", [helper.make_node("Mul", ["normal", "two"], ["code"])], [("normal", FLOAT, [BATCH, 5])],
        [("code", FLOAT, [BATCH, 5])], two=np.float32(2),
    )  # fmt: skip
    codec = opened(f"onnx:{tmp_path}", few[0])
    x = codec.sample(2000, seed=1)
    assert torch.equal(x, codec.sample(2000, seed=1))
    logits = torch.logit(x).reshape(2000, 64).double().numpy()
    z = logits @ np.linalg.pinv(W.T.astype(np.float64))
    assert z.std(0) == pytest.approx(np.full(5, 2.0), abs=0.2)
    assert z.mean(0) == pytest.approx(np.zeros(5), abs=0.2)


def test_what_cannot_be_opened_is_one_sentence(few, tmp_path):
    decoder(tmp_path / "half")
    encoder(tmp_path / "label", besides=[("label", TensorProto.INT64, [BATCH])])
    decoder(tmp_path / "label")
    encoder(tmp_path / "damaged")
    (tmp_path / "damaged" / "decoder.onnx").write_bytes(b"nothing")
    larger = diabolo.data.Images(np.zeros((9, 1, 9, 9), np.uint8))
    encoder(tmp_path / "good")
    decoder(tmp_path / "good")
    node = helper.make_node
    saved(
        tmp_path / "two" / "encoder.onnx", [node("Flatten", ["x"], ["a"]), node("Neg", ["a"], ["b"])],
        [("x", FLOAT, [BATCH, 1, 8, 8])], [("a", FLOAT, [BATCH, 64]), ("b", FLOAT, [BATCH, 64])],
    )  # fmt: skip
    decoder(tmp_path / "two")
    for where, images, said in (
        ("half", few[0], r"there is no file .*encoder\.onnx"),
        ("label", few[0], "takes images, label: a model that is given more than one thing"),
        ("damaged", few[0], "onnxruntime cannot open"),
        ("good", larger, r"takes images \(1, 8, 8\), and .* has \(1, 9, 9\)"),
        ("two", few[0], "gives a, b, and it is not known which of them is wanted: call that one 'code'"),
        ("nowhere", few[0], "there is no folder"),
    ):
        with pytest.raises(DiaboloError, match=said) as refused:
            opened(f"onnx:{tmp_path / where}", images)
        assert "\n" not in str(refused.value)
