"""compile="auto": counted and not timed, written down, kept to by a resume; and where nothing can be compiled, eager."""

import os
import warnings

import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.data.arrays import as_images
from diabolo.errors import DiaboloError
from diabolo.runs.config import Config
from diabolo.training import compiling
from diabolo.training.options import TrainOptions
from diabolo.updates.compiled import CompiledStep


@pytest.fixture
def traced(monkeypatch):
    """What is compiled is run as it was traced, without a C++ compiler and its time; the list of what was compiled."""
    import torch._inductor

    done = []

    def note(graph, inputs):
        done.append(graph)
        return graph

    monkeypatch.setattr(torch._inductor, "compile", note)
    return done


@pytest.fixture
def long(monkeypatch):
    """long(): from now on every training is long enough; long(False): none is."""
    monkeypatch.setattr(compiling, "compiler_found", lambda: True)

    def set_to(answer=True):
        monkeypatch.setattr(compiling, "pays", lambda *_: answer)

    return set_to


# --- the prediction ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vae", {}),
        ("undercomplete", {"net": "conv", "norm": "batch"}),
        ("factorvae", {"critic_width": 8}),
        ("joint", {}),
    ],
)
def test_a_long_training_is_compiled_and_a_short_one_is_not(name, options, tiny_model, tiny_pixels, monkeypatch):
    monkeypatch.setattr(compiling, "compiler_found", lambda: True)
    train = as_images(tiny_pixels(64))
    if name == "joint":
        train, options = diabolo.data.Images(train.images, torch.arange(64).numpy() % 2), {"classes": 2}
    model = tiny_model(name, **options)
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.get_rng_state()
    answers = [compiling.compiled(model, train, TrainOptions(epochs=n, batch_size=16)) for n in (1, 100, 10**6, 10**7)]
    assert answers == [False, False, True, True]
    assert compiling.counted(model, train) == compiling.counted(model, train)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)


def test_the_usual_work_falls_on_the_right_side(tiny_pixels, monkeypatch):
    """As measured by benchmarks/compiling.py: MNIST pays with the default options, digits does not."""
    monkeypatch.setattr(compiling, "compiler_found", lambda: True)
    model = zoo.vae((1, 28, 28), 20, hidden=(400, 400))
    few = as_images(tiny_pixels(4, (1, 28, 28)))
    monkeypatch.setattr(type(few), "__len__", lambda self: 60_000)
    assert compiling.compiled(model, few, TrainOptions())
    assert not compiling.compiled(model, few, TrainOptions(epochs=2))
    monkeypatch.setattr(type(few), "__len__", lambda self: 1_437)
    assert not compiling.compiled(model, few, TrainOptions(epochs=40))


def test_what_is_counted_is_neither_products_nor_views(tiny_pixels):
    x, w = torch.rand(3, 4), torch.rand(4, 5)
    with compiling._Tally() as tally:
        y = (x @ w).view(15).exp()
        y.add_(1)
    assert tally.operations == 2
    assert tally.moved == 4 * 15 * 2 * 2  # each reads and writes 15 float32 numbers


@pytest.mark.parametrize("options", [{"precision": "float16"}, {"device": "cuda"}, {"compile": False}], ids=str)
def test_what_cannot_be_compiled_is_not(options, tiny_model, tiny_pixels, long, monkeypatch):
    long()
    monkeypatch.setattr(compiling, "choose_device", lambda name: torch.device("cpu" if name == "auto" else name))
    train = as_images(tiny_pixels())
    assert compiling.compiled(tiny_model(), train, TrainOptions())
    assert not compiling.compiled(tiny_model(), train, TrainOptions(**options))
    assert not compiling.compiled(tiny_model("pca"), train, TrainOptions())
    assert not compiling.compiled(tiny_model(net="conv", checkpointing=True), train, TrainOptions())


def test_the_option_is_true_false_or_auto():
    for right in (True, False, "auto"):
        assert TrainOptions(compile=right).compile is right
    for wrong in ("always", 1, None, "true"):
        with pytest.raises(DiaboloError, match="compile"):
            TrainOptions.of(compile=wrong)


# --- what was resolved is kept ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [True, False])
def test_what_was_resolved_is_recorded_and_kept_to(
    answer, train, tiny_model, tiny_pixels, left, traced, long, tmp_path
):
    images = tiny_pixels(40)
    long(answer)
    whole = train(tiny_model("vae"), images, epochs=4, out=tmp_path / "whole")
    half = train(tiny_model("vae"), images, epochs=2, out=tmp_path / "half")
    assert Config.read(half.path).options["compile"] == "auto"
    assert Config.read(half.path).resolved["compile"] is answer
    assert len(traced) == 2 * answer
    long(not answer)  # as a resume for other epochs would come to
    diabolo.resume(half.path, images, epochs=4)
    assert len(traced) == 3 * answer
    assert Config.read(half.path).resolved["compile"] is answer
    assert left(half.path) == left(whole.path)


def test_a_short_training_is_eager_and_says_nothing_of_it(train, tiny_model, tiny_pixels, capsys):
    run = train(tiny_model(), tiny_pixels(), quiet=False)
    assert run.config.resolved["compile"] is False
    assert "compil" not in capsys.readouterr().out


def test_a_run_of_before_keeps_to_its_option(tiny_model, tiny_pixels, train):
    config = train(tiny_model(), tiny_pixels()).config
    for option in (True, False):
        old = config.but(options=config.options | {"compile": option}, resolved={"device": "cpu"})
        assert old.compiled is option


# --- where nothing can be compiled ------------------------------------------------------------------------------------


def test_with_no_tool_for_it_auto_is_eager_without_a_warning(train, tiny_model, tiny_pixels, long, capfd, monkeypatch):
    long()
    monkeypatch.setattr(compiling, "compiler_found", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = train(tiny_model(), tiny_pixels(), quiet=False)
    assert run.config.resolved["compile"] is False
    assert "compil" not in "".join(capfd.readouterr())


def test_a_compiler_is_looked_for_where_torch_would(monkeypatch):
    from torch._inductor import config, cpp_builder

    for path, cxx in (("", "g++"), (os.environ["PATH"], "no-such-compiler")):
        monkeypatch.setenv("PATH", path)
        with config.patch({"cpp.cxx": (None, cxx)}):
            cpp_builder.cpp_compiler_search.cache_clear()
            assert not compiling.compiler_found()
    cpp_builder.cpp_compiler_search.cache_clear()


def broken(*_, **__):
    raise RuntimeError("no C++ compiler was found\nand more")


def test_where_compiling_fails_auto_is_eager_and_says_so(
    train, tiny_model, tiny_pixels, long, weights, capsys, monkeypatch
):
    plain = train(tiny_model(), tiny_pixels())
    long()
    monkeypatch.setattr("torch._inductor.compile", broken)
    run = train(tiny_model(), tiny_pixels(), quiet=False)
    said = "the step runs eagerly, since it cannot be compiled here: no C++ compiler was found\n"
    assert said in capsys.readouterr().out
    assert run.config.resolved["compile"] is False
    assert Config.read(run.path).resolved["compile"] is False
    assert torch.equal(weights(run.model), weights(plain.model))


@pytest.mark.parametrize("option", [True, "auto"])
def test_a_resume_whose_compiler_has_gone_says_so_in_a_sentence(
    option, train, tiny_model, tiny_pixels, traced, long, capsys, monkeypatch
):
    images = tiny_pixels(48)
    long()
    half = train(tiny_model(), images, epochs=2, compile=option, quiet=False)
    assert "compiling the step, once" in capsys.readouterr().out
    monkeypatch.setattr("torch._inductor.compile", broken)
    run = diabolo.resume(half.path, images, epochs=3)
    assert "the step runs eagerly, since it cannot be compiled here" in (said := capsys.readouterr().out)
    assert "it was compiled until now" in said
    assert run.status == "finished"
    assert Config.read(half.path).resolved["compile"] is True


def test_what_is_asked_for_and_cannot_be_is_refused_before_a_folder_is_made(
    train, tiny_model, tiny_pixels, monkeypatch, tmp_path
):
    monkeypatch.setattr("torch._inductor.compile", broken)
    with pytest.raises(
        DiaboloError, match="--compile does not work here: no C\\+\\+ compiler was found; train without it"
    ):
        train(tiny_model(), tiny_pixels(), compile=True)
    assert not (tmp_path / "runs").exists()


def test_nothing_is_trained_by_compiling(tiny_model, tiny_pixels, traced):
    from diabolo.hardware import Precision
    from diabolo.training.stepping import step_of

    step = step_of(tiny_model("vae"), TrainOptions(batch_size=16), Precision("float32", torch.float32), True)
    assert isinstance(step, CompiledStep)
    before = {name: tensor.clone() for name, tensor in step.state().items()}
    step.compile(torch.zeros(16, 1, 8, 8))
    assert all(torch.equal(tensor, before[name]) for name, tensor in step.state().items())


# --- what torch says and keeps ----------------------------------------------------------------------------------------

COMPILES = """
import importlib, os, stat, sys
os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)
import torch._inductor
def stand_in(graph, inputs):
    importlib.import_module("torch.utils.cpp_extension")  # as torch does when it looks for what the compiler needs
    return graph
torch._inductor.compile = stand_in
import numpy, diabolo
pixels = numpy.random.default_rng(0).integers(0, 256, (32, 1, 8, 8), dtype=numpy.uint8)
diabolo.fit("undercomplete", pixels, latent_dim=2, hidden=(8,), epochs=1, batch_size=16, compile=True, out="runs")
kept = os.environ["TORCHINDUCTOR_CACHE_DIR"]
print(sys.modules["torch.utils.cpp_extension"].CUDA_HOME, os.path.basename(kept), oct(stat.S_IMODE(os.stat(kept).st_mode)))
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_warning_of_cuda_without_a_gpu_and_a_folder_of_ones_own(start, tmp_path):
    child = start(COMPILES, CUDA_HOME=tmp_path)
    assert child.wait() == 0, child.errors
    assert "compiling the step, once" in child.said
    assert child.errors == ""
    home, kept, mode = child.said.splitlines()[-1].split()
    assert home in (str(tmp_path), "None")  # where torch was built for CUDA
    assert kept.startswith("diabolo-inductor")
    assert mode == "0o700"
