"""Several players, each with its own loss, weights and optimizer: eagerly, compiled, in a graph, in two processes, resumed."""

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import diabolo
from diabolo import zoo
from diabolo.data.stores import ResidentStore
from diabolo.errors import DiaboloError
from diabolo.hardware import Precision
from diabolo.objectives import ELBO
from diabolo.parts import part
from diabolo.randomness import Draws, generator
from diabolo.runs import checkpoint, files
from diabolo.runs.folder import RunFolder
from diabolo.training.batches import shuffled
from diabolo.training.loop import Loop
from diabolo.training.options import TrainOptions
from diabolo.training.preflight import check
from diabolo.training.progress import Silence
from diabolo.training.stepping import step_of
from diabolo.updates import SGD, Adam, Optimizer, Player, Rule
from diabolo.updates.graph import DeviceLoop
from diabolo.updates.record import NotFiniteError

WRITTEN = Path(__file__).with_name("written-by-0.1")
CRITIC = {"critic_width": 8, "critic_layers": 2, "critic_lr": 1e-2}


@pytest.fixture
def traced(monkeypatch):
    """What --compile traces is run as it is, without a C++ compiler and its time."""
    import torch._inductor

    monkeypatch.setattr(torch._inductor, "compile", lambda graph, inputs: graph)


@pytest.fixture
def opposed(tiny_model):
    return lambda **options: tiny_model("factorvae", **(CRITIC | {"gamma": 3.0} | options))


# --- the step, against the same by hand -------------------------------------------------------------------------------


def test_each_player_follows_its_own_gradient(opposed, train, tiny_pixels):
    """Two optimizers of torch's, and gradients that are taken apart by hand."""
    pixels, model = tiny_pixels(48), opposed()
    twin = copy.deepcopy(model)
    run = train(model, pixels, epochs=3, lr=1e-2, seed=2)
    critic = list(twin.objective.critic.parameters())
    rest = [p for p in twin.parameters() if all(p is not q for q in critic)]
    own, others = torch.optim.Adam(rest, lr=1e-2), torch.optim.Adam(critic, lr=1e-2, betas=(0.5, 0.9))
    x = torch.from_numpy(pixels).float() / 255
    for epoch in range(3):
        noise = generator(2, "noise", epoch)
        for indices in shuffled(48, 2, epoch).split(16):
            loss = twin.loss(x[indices], Draws(noise))
            gradients = torch.autograd.grad(loss.total, rest, retain_graph=True)
            theirs = torch.autograd.grad(loss.minimised["critic"], critic)
            for p, g in zip([*rest, *critic], [*gradients, *theirs], strict=True):
                p.grad = g
            own.step(), others.step()
    for (name, ours), hand in zip(run.model.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, hand, rtol=1e-4, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")
    assert list(run.history[0]["train"]) == ["total", "reconstruction", "kl", "total_correlation", "critic"]


def test_the_critic_finds_units_that_depend_on_each_other():
    """It is trained as the objective says on codes of two equal units, then on codes of two independent ones: its estimate of
    the total correlation is large, then near 0."""
    found = []
    for dependent in (True, False):
        torch.manual_seed(0)
        objective = diabolo.objectives.FactorVAE(2, width=32, layers=2)
        adam, draws = torch.optim.Adam(objective.critic.parameters(), 3e-3), Draws(generator(0))
        for _ in range(300):
            z = draws.normal(torch.zeros(256, 2))
            z = torch.stack([z[:, 0], z[:, 0] + 0.1 * z[:, 1]], 1) if dependent else z
            fake = diabolo.objectives.factor.permuted(z, draws)
            loss = (nn.functional.softplus(-objective._d(z)) + nn.functional.softplus(objective._d(fake))).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        found.append(float(objective._d(z).detach().mean()))
    assert found[0] > 1.0
    assert abs(found[1]) < 0.3


def test_units_are_permuted_each_by_itself():
    z = torch.arange(40.0).view(10, 4)
    fake = diabolo.objectives.factor.permuted(z, Draws(generator(0)))
    assert torch.equal(fake.sort(0).values, z)
    orders = {tuple(fake[:, unit].argsort().tolist()) for unit in range(4)}
    assert len(orders) == 4


# --- the three runners, and going on ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{"precision": "bf16", "ema": 0.9}, {"clip_norm": 0.1, "freeze": "encoder"}], ids=str
)
def test_compiled_it_is_the_same_training(options, opposed, train, tiny_pixels, weights, traced, left, tmp_path):
    images = tiny_pixels(40)  # the last batch of eight is not compiled
    eager, compiled = (
        train(opposed(), images, images, lr=1e-2, compile=way, **options) for way in (False, True)
    )  # fmt: skip
    rough = "precision" in options
    torch.testing.assert_close(weights(compiled.model), weights(eager.model), rtol=1e-4, atol=5e-3 if rough else 1e-5)
    assert list(compiled.history[0]["train"]) == list(eager.history[0]["train"])
    assert compiled.history[-1]["train"] == pytest.approx(eager.history[-1]["train"], rel=2e-2 if rough else 1e-4)


@pytest.mark.parametrize(
    "way", [{}, {"compile": True}, {"precision": "float16"}, {"ema": 0.9, "clip_norm": 0.5}], ids=str
)
def test_resumed_it_ends_with_the_same_bits(way, opposed, train, tiny_pixels, left, tmp_path, traced):
    images = tiny_pixels(40)
    whole = train(opposed(), images, epochs=4, out=tmp_path / "whole", **way)
    half = train(opposed(), images, epochs=2, out=tmp_path / "half", **way)
    diabolo.resume(half.path, images, epochs=4)
    assert left(half.path) == left(whole.path)


def test_driven_from_the_device_it_is_the_same_training(opposed, train, tiny_pixels, weights, tmp_path):
    """What a CUDA graph captures, run as it is."""
    images, model = tiny_pixels(64), opposed()
    (tmp_path / "driven" / "checkpoint").mkdir(parents=True)
    options = TrainOptions(epochs=2, batch_size=16, lr=1e-2, precision="float32", schedule="cosine")
    step = step_of(model, options, Precision("float32", torch.float32))
    store = ResidentStore(images, torch.device("cpu"))
    loop = Loop(step, store, 64, None, 0, options, RunFolder(tmp_path / "driven"), Silence())
    loop.device_loop = DeviceLoop(step, store, loop.new_record(), generator(0, "noise"), (4, 16), 8)
    state = loop.run(checkpoint.State())
    step.release()
    eager = train(opposed(), images, lr=1e-2, schedule="cosine")
    torch.testing.assert_close(weights(model), weights(eager.model), rtol=1e-4, atol=1e-6)
    assert state.history[-1]["train"] == pytest.approx(eager.history[-1]["train"], rel=1e-5)


TWO = """
import os; RANK = int(os.environ['RANK'])
import sys
import numpy as np, torch
import diabolo

torch.manual_seed(0)
x = np.load("x.npy")
model = diabolo.zoo.factorvae((1, 8, 8), 4, hidden=(16,), gamma=3.0, critic_width=8, critic_layers=2, critic_lr=1e-2)
options = dict(epochs=2, batch_size=8, lr=1e-2, schedule="constant", precision="float32", threads=1, quiet=True, out="two")
run = diabolo.fit(model, x, **options)
"""


def test_two_processes_do_what_one_does(opposed, train, pair, tiny_pixels, tmp_path, weights):
    np.save(tmp_path / "x.npy", tiny_pixels(64))
    children = pair(TWO)
    assert [child.wait() for child in children] == [0, 0], children[0].errors + children[1].errors
    (path,) = (tmp_path / "two").iterdir()
    one = train(opposed(), tiny_pixels(64), lr=1e-2)
    torch.testing.assert_close(weights(diabolo.load(path)), weights(one.model), rtol=1e-3, atol=1e-4)


@part
class Slowly(ELBO):
    """The decoder moves at every third step, by SGD; the rest at every one."""

    def players(self, model):
        own = list(model.decoder.parameters())
        others = [p for p in model.parameters() if all(p is not q for q in own)]
        return {"model": Player(others), "decoder": Player(own, Rule(SGD(0.9), 0.05), every=3)}

    def forward(self, model, x, y, draws, progress):
        loss = super().forward(model, x, y, draws, progress)
        return replace(loss, minimised=dict.fromkeys(("model", "decoder"), loss.total))


def slowly():
    torch.manual_seed(0)
    return with_objective(zoo.undercomplete((1, 8, 8), 3, hidden=(8,)), Slowly())


def test_one_that_moves_every_few_steps(tiny_pixels, traced):
    x, states = torch.from_numpy(tiny_pixels(16)).float() / 255, []
    for compiled in (False, True):
        options = TrainOptions(batch_size=16)
        step, seen = step_of(slowly(), options, Precision("float32", torch.float32), compiled), []
        if compiled:
            step.compile(x)
        flats = [learner.weights.flat for learner in step.learners.values()]
        for _ in range(7):
            before = [flat.clone() for flat in flats]
            step(x, Draws(), 0.0)
            seen.append([not torch.equal(a, b) for a, b in zip(before, flats, strict=True)])
        assert [moved for _, moved in seen] == [True, False, False, True, False, False, True]
        assert all(moved for moved, _ in seen)
        states.append(step.state())
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=1e-4, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")


def test_one_that_moves_every_few_steps_goes_on(tiny_pixels, train, left, tmp_path):
    images = tiny_pixels(64)
    whole = train(slowly(), images, epochs=4, out=tmp_path / "whole")
    half = train(slowly(), images, epochs=1, out=tmp_path / "half")
    diabolo.resume(half.path, images, epochs=4)
    assert left(half.path) == left(whole.path)


def with_objective(model, objective):
    return diabolo.Autoencoder(**(model.arguments | {"objective": objective}))


@pytest.mark.parametrize("optimizer", ["sgd(momentum=0.9, nesterov=true)", "muon"])
def test_every_optimizer_is_the_same_compiled_and_goes_on(
    optimizer, train, tiny_model, tiny_pixels, weights, left, traced, tmp_path
):
    images, options = tiny_pixels(40), {"lr": 1e-2, "optimizer": optimizer, "weight_decay": 0.1, "ema": 0.8}
    eager, compiled = (train(tiny_model("vae"), images, compile=way, **options) for way in (False, True))
    torch.testing.assert_close(weights(compiled.model), weights(eager.model), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(weights(eager.model), weights(train(tiny_model("vae"), images, lr=1e-2).model), atol=1e-3)
    whole = train(tiny_model("vae"), images, epochs=4, out=tmp_path / "whole", **options)
    half = train(tiny_model("vae"), images, epochs=2, out=tmp_path / "half", **options)
    diabolo.resume(half.path, images, epochs=4)
    assert left(half.path) == left(whole.path)


def test_an_optimizer_may_be_given_as_an_object(train, tiny_model, tiny_pixels, weights, left, tmp_path):
    images = tiny_pixels(32)
    named = train(tiny_model(), images, epochs=2, optimizer="adam(beta1=0.5)")
    given = train(tiny_model(), images, epochs=1, optimizer=Adam(0.5), out=tmp_path / "given")
    assert given.config.options["optimizer"] == {
        "part": "updates.Adam", "beta1": 0.5, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0
    }  # fmt: skip
    diabolo.resume(given.path, images, epochs=2)
    assert left(given.path) == left(named.path)


@part
class Sign(Optimizer):
    """w ← w − lr · sign g: an optimizer of one's own is this much."""

    def update(self, w, g, slots, rates):
        return w - rates[0] * g.sign()


def test_an_optimizer_of_ones_own(train, tiny_model, tiny_pixels, weights, left, traced, tmp_path):
    images = tiny_pixels(40)
    eager, compiled = (train(tiny_model(), images, optimizer=Sign(), compile=way, epochs=4) for way in (False, True))
    torch.testing.assert_close(weights(compiled.model), weights(eager.model), rtol=1e-5, atol=1e-6)
    begun, step = weights(tiny_model()), 1e-3
    assert 0.5 * step < float((weights(eager.model) - begun).abs().max()) <= 12 * step * 1.01
    half = train(tiny_model(), images, optimizer=Sign(), epochs=2, out=tmp_path / "half")
    diabolo.resume(half.path, images, epochs=4)
    assert left(half.path) == left(eager.path)


# --- checkpoints ------------------------------------------------------------------------------------------------------


def test_a_run_of_diabolo_0_1_goes_on_as_it_would_have(tmp_path):
    """`written-by-0.1` was left after 2 of 4 epochs by the step of before, which also went on to the end."""
    path = tmp_path / "run"
    shutil.copytree(WRITTEN, path)
    x = np.random.default_rng(5).integers(0, 256, (48, 1, 8, 8), dtype=np.uint8)
    run = diabolo.resume(path, x, epochs=4)
    expected, _ = files.read_tensors(path / "expected.safetensors")
    for name, tensor in run.model.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("steps", [0, 3])
def test_the_state_of_before_is_read(steps, precision, tiny_model, tiny_pixels):
    """One player, without a name, and nothing of an optimizer before the first step."""
    x, chosen = torch.from_numpy(tiny_pixels(16)).float() / 255, TrainOptions(ema=0.9, precision=precision)
    kind = Precision(precision, getattr(torch, precision))
    step, again = (step_of(tiny_model(seed=seed), chosen, kind) for seed in (0, 1))
    for _ in range(steps):
        step(x, Draws(), 0.0)
    state = {name: t.clone() for name, t in step.state().items()}
    old = {}
    for name, tensor in state.items():
        name = name.replace("optimizer/model/", "optimizer/").replace("scaler/model/growth", "scaler/_growth")
        if steps or not name.startswith("optimizer/"):
            old[name.replace("scaler/model/", "scaler/")] = tensor.float()
    again.restore(old)
    assert state.keys() == again.state().keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in again.state().items())


def test_the_checkpoint_of_other_players_is_refused(opposed, train, tiny_model, tiny_pixels):
    images = tiny_pixels(32)
    ours, theirs = train(opposed(), images, epochs=1), train(tiny_model("vae"), images, epochs=1)
    for name in (checkpoint.FILE, "metrics.jsonl"):
        shutil.copy(theirs.path / name, ours.path / name)
    with pytest.raises(DiaboloError, match="of the players model, and this model has critic and model"):
        diabolo.resume(ours.path, images, epochs=2)


# --- what is refused --------------------------------------------------------------------------------------------------


def said(model, images, **options):
    with pytest.raises(DiaboloError) as refused:
        check(model, diabolo.data.arrays.as_images(images), None, TrainOptions(batch_size=8, **options))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def players_of(model, choose):
    objective = with_players(choose)
    return with_objective(model, objective)


def with_players(choose):
    @part
    class Chosen(ELBO):
        def players(self, model):
            return choose(model)

    return Chosen()


def test_players_must_share_out_the_weights(tiny_model, tiny_pixels):
    x = tiny_pixels(16)
    both = players_of(
        tiny_model(), lambda m: {"a": Player(list(m.parameters())), "b": Player(list(m.decoder.parameters()))}
    )
    assert "the players 'a' and 'b' both move 'decoder." in said(both, x)
    left = players_of(tiny_model(), lambda m: {"a": Player(list(m.encoder.parameters()))})
    assert "no player moves 'bottleneck." in said(left, x)
    left.bottleneck.requires_grad_(False)
    left.decoder.requires_grad_(False)
    check(left, diabolo.data.arrays.as_images(x), None, TrainOptions(batch_size=8))  # it is said that they stay
    foreign = players_of(
        tiny_model(), lambda m: {"a": Player(m.parameters()), "b": Player(nn.Linear(2, 2).parameters())}
    )
    assert "the player 'b' moves weights that are not the model's" in said(foreign, x)
    nothing = players_of(tiny_model(), lambda m: {"a": Player(m.parameters()), "b": Player([])})
    assert "the player 'b' has no weights" in said(nothing, x)
    for none in ([Player([])], None, {"a": []}):
        assert "players must be a dict of Player by name" in said(players_of(tiny_model(), lambda m, n=none: n), x)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Player([], every=0), "every must be a whole number of at least 1"), (lambda: Rule("adam", 0.0), "lr must be"),
        (lambda: Rule("adam", float("nan")), "lr must be"), (lambda: Rule("adm", 0.1), "unknown optimizer"),
        (lambda: Rule("adam", 0.1, -1.0), "clip_norm must be"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(make, words):
    with pytest.raises(DiaboloError, match=words):
        make()
    assert Rule("sgd(momentum=0.5)", 0.1).optimizer.momentum == 0.5


def test_an_optimizer_that_cannot_move_the_weights_of_a_player(tiny_model, tiny_pixels):
    def halves(model):
        biases = [p for p in model.parameters() if p.ndim < 2]
        return {"matrices": Player([p for p in model.parameters() if p.ndim > 1]), "biases": Player(biases)}

    found = said(players_of(tiny_model(), halves), tiny_pixels(16), optimizer="muon")
    assert found == "muon moves matrices, and these weights have none: use adamw (the player 'biases')"
    plain = tiny_model()
    assert "muon moves matrices" in said(plain, tiny_pixels(16), optimizer="muon", freeze="*.weight")


def test_a_loss_that_forgets_a_player(tiny_model, tiny_pixels, train):
    model = players_of(
        tiny_model(),
        lambda m: {
            "model": Player([*m.encoder.parameters(), *m.bottleneck.parameters()]),
            "other": Player(list(m.decoder.parameters())),
        },
    )
    with pytest.raises(DiaboloError, match="the loss says nothing of the player 'other'"):
        train(model, tiny_pixels(16))
    with pytest.raises(DiaboloError, match="'model' minimises is no scalar with a gradient"):
        train(with_objective(tiny_model(), Still()), tiny_pixels(16))


@part
class Rivals(ELBO):
    """A scalar for a player who is not there: always, or at training steps alone."""

    def __init__(self, always: bool) -> None:
        super().__init__()
        self.always = always

    def forward(self, model, x, y, draws, progress):
        loss = super().forward(model, x, y, draws, progress)
        more = {"critic": loss.total} if self.always or model.training else {}
        return replace(loss, minimised={"model": loss.total} | more)


@pytest.mark.parametrize("always", [True, False])
def test_a_scalar_for_a_name_that_no_player_has_is_refused(always, tiny_model, tiny_pixels, train, tmp_path):
    found = r"the loss has a scalar for 'critic', which is no player \(there is model\): return a player of that name"
    with pytest.raises(DiaboloError, match=found):
        train(with_objective(tiny_model(), Rivals(always)), tiny_pixels(16))
    assert (tmp_path / "runs").exists() is not always, "before anything is made, where that can be known"


@part
class Still(ELBO):
    """It forgets the gradient."""

    def forward(self, model, x, y, draws, progress):
        loss = super().forward(model, x, y, draws, progress)
        return replace(loss, total=loss.total.detach(), minimised={})


@part
class Wild(diabolo.objectives.FactorVAE):
    """The critic's learning rate is beyond all bounds."""

    def players(self, model):
        players = super().players(model)
        return players | {"critic": Player(players["critic"].weights, Rule("adam", lambda progress: 1e30))}


@pytest.mark.parametrize("compiled", [False, True])
def test_a_critic_that_makes_nan_is_named(compiled, opposed, train, tiny_pixels, traced):
    with pytest.raises(NotFiniteError, match="the loss of the player 'critic' became") as refused:
        train(with_objective(opposed(), Wild(4, width=8, layers=2)), tiny_pixels(64), compile=compiled)
    assert refused.value.term == "critic"
    assert "(lr 1e+30)" in str(refused.value)
    assert "train a new run with a lower learning rate of the player 'critic'" in str(refused.value)


@part
class UnitNorm(ELBO):
    """The decoder's last matrix has columns of norm 1."""

    def after_update(self, model):
        weight = model.decoder.to_raw.weight
        weight.div_(weight.norm(dim=0, keepdim=True))


@pytest.mark.parametrize(("compiled", "precision"), [(False, "float32"), (False, "bf16"), (True, "bf16")])
def test_what_follows_an_update_holds_after_training(compiled, precision, tiny_model, tiny_pixels, train, traced):
    run = train(
        with_objective(tiny_model("sparse"), UnitNorm()),
        tiny_pixels(40),
        lr=1e-2,
        compile=compiled,
        precision=precision,
    )
    norms = run.model.decoder.to_raw.weight.norm(dim=0)
    torch.testing.assert_close(norms, torch.ones_like(norms), rtol=1e-5, atol=1e-6)
    assert not torch.equal(run.model.decoder.to_raw.bias, tiny_model("sparse").decoder.to_raw.bias)


def test_what_follows_an_update_may_change_values_alone(tiny_model, tiny_pixels):
    @part
    class Cut(ELBO):
        def after_update(self, model):
            model.decoder.to_raw.bias.data = model.decoder.to_raw.bias.data[:5]

    @part
    class Another(ELBO):
        def after_update(self, model):
            model.decoder.to_raw.bias = nn.Parameter(torch.zeros(64))

    @part
    class More(ELBO):
        def after_update(self, model):
            model.decoder.more = nn.Linear(2, 2)

    @part
    class Held(ELBO):
        def after_update(self, model):
            model.decoder.to_raw.bias.requires_grad_(False)

    x = tiny_pixels(16)
    assert "after_update adds 'decoder.more.bias'" in said(with_objective(tiny_model(), More()), x)
    assert "changes requires_grad of 'decoder.to_raw.bias'" in said(with_objective(tiny_model(), Held()), x)
    frozen = said(with_objective(tiny_model(), UnitNorm()), x, freeze="decoder")
    assert frozen.startswith("after_update changes 'decoder.to_raw.weight', which is frozen")
    assert "changes the shape of 'decoder.to_raw" in said(with_objective(tiny_model(), Cut()), x)
    assert "in place" in said(with_objective(tiny_model(), Another()), x)
