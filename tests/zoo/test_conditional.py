"""The conditional recipes: what they learn, that they are what they say, and that they go through the loop and come back."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import diabolo
from diabolo import bottlenecks, zoo
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator

SHAPE = (1, 8, 8)
DIGITS = load_digits()
NAMES = tuple(map(str, range(10)))
RECIPES = {
    "cvae": {"latent_dim": 8},
    "cvae, embedding": {"latent_dim": 8, "condition": "embedding"},
    "cvae, attributes": {"latent_dim": 8, "condition": "attributes", "columns": 3},
    "completion": {"latent_dim": 8},
    "completion, upper right": {"latent_dim": 8, "condition": "quarter-upper-right"},
    "completion_plain": {},
}
recipes = pytest.mark.parametrize("case", RECIPES)
both_nets = pytest.mark.parametrize("net", ["mlp", "conv"])


def digits(n=64, start=0):
    rows = slice(start, start + n)
    pixels = (DIGITS.images[rows, None] * 255 / 16).round().astype(np.uint8)
    labels = DIGITS.target[rows].astype(np.int64)
    attributes = np.stack([labels % 2 == 0, labels > 4, labels == 0], 1)
    return Images(pixels, labels, NAMES, attributes, ("even", "large", "zero"))


def made(case, seed=0, **options):
    torch.manual_seed(seed)
    return zoo.build(case.partition(",")[0], SHAPE, **(RECIPES[case] | options))


def known(model, images):
    return None if model.needs_column is None else torch.from_numpy(np.asarray(getattr(images, model.needs_column)))


@pytest.mark.parametrize(
    ("case", "net"), [*((case, "mlp") for case in RECIPES), ("cvae", "conv"), ("completion_plain", "conv")]
)
def test_sixty_four_digits_are_learnt_by_heart(case, net):
    images = digits()
    small = {"channels": (32, 32)} if net == "conv" else {"hidden": (128,), "activation": "relu"}
    model = made(case, net=net, likelihood="squared-error", **small, **({"beta": 1e-5} if "plain" not in case else {}))
    x, y = torch.from_numpy(images.images).float() / 255, known(model, images)
    y = y.float() if model.needs_column == "attributes" else y
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    draws, totals = Draws(generator(0, "test")), []
    for i in range(200):
        loss = model.loss(x, draws, i / 200, y)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        totals.append(loss.total.item())
    assert totals[-1] < 0.3 * totals[0]
    error = (model.reconstruct(x, y) - x).square().mean()
    assert error < 0.3 * (x.mean(0) - x).square().mean()


@both_nets
@recipes
def test_a_run_comes_back_resumes_and_repeats(case, net, tmp_path):
    images = digits(80)
    train, held = images.take(np.arange(60)), images.take(np.arange(60, 80))
    options = {"batch_size": 20, "quiet": True, "precision": "float32", "threads": 1, "schedule": "constant"}
    small = {"channels": (8, 8)} if net == "conv" else {"hidden": (16,)}
    whole = diabolo.fit(made(case, net=net, **small), train, held, epochs=3, out=tmp_path / "whole", **options)
    short = diabolo.fit(made(case, net=net, **small), train, held, epochs=3, out=tmp_path / "short", **options)
    for one, other in zip(whole.history, short.history, strict=True):
        assert one["train"] == other["train"]
        assert one["validation"] == other["validation"]
    first = diabolo.fit(made(case, net=net, **small), train, held, epochs=1, out=tmp_path / "first", **options)
    gone_on = diabolo.resume(first.path, train, held, epochs=3)
    assert all(
        torch.equal(a, b)
        for a, b in zip(gone_on.model.state_dict().values(), whole.model.state_dict().values(), strict=True)
    )
    again = diabolo.load(whole.path)
    y = known(again, held)
    for one, other in (
        (again.reconstruct(held.images, y), whole.model.reconstruct(held.images, y)),
        (again.encode(held.images, y), whole.model.encode(held.images, y)),
    ):
        assert torch.allclose(one, other, atol=1e-6)  # convolutions round by how their maps lie in memory


# --- a conditional VAE without condition is the VAE ---------------------------------------------------------------------------


@both_nets
@pytest.mark.parametrize("none", ["none", diabolo.conditions.Unconditional()], ids=["by name", "as an object"])
def test_without_condition_the_cvae_is_the_vae_step_by_step(net, none):
    torch.manual_seed(3)
    vae = zoo.vae(SHAPE, 8, net=net)
    torch.manual_seed(3)
    cvae = zoo.cvae(SHAPE, 8, net=net, condition=none)
    images = digits()
    x = torch.from_numpy(images.images).float() / 255
    assert list(vae.state_dict()) == list(cvae.state_dict())
    losses = {}
    for name, model in (("vae", vae), ("cvae", cvae)):
        optimizer, draws = torch.optim.Adam(model.parameters(), lr=1e-3), Draws(generator(0, "test"))
        losses[name] = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = model.loss(x, draws)
            loss.total.backward()
            optimizer.step()
            losses[name].append([loss.total.item(), *(term.item() for term in loss.terms.values())])
    assert losses["vae"] == losses["cvae"]
    assert all(torch.equal(a, b) for a, b in zip(vae.state_dict().values(), cvae.state_dict().values(), strict=True))


def test_without_condition_the_cvae_is_the_vae_through_fit(tmp_path):
    runs = []
    for name, options in (("vae", {}), ("cvae", {"condition": "none"})):
        torch.manual_seed(3)
        model = zoo.build(name, SHAPE, latent_dim=8, hidden=(32,), **options)
        runs.append(diabolo.fit(model, digits(), digits(40, 64), epochs=3, batch_size=20, out=tmp_path, quiet=True))
    vae, cvae = runs
    for one, other in zip(vae.history, cvae.history, strict=True):
        assert one["train"] == other["train"]
        assert one["validation"] == other["validation"]
    for name, tensor in vae.model.state_dict().items():
        assert torch.equal(tensor, cvae.model.state_dict()[name])
    assert torch.equal(vae.model.sample(5), cvae.model.sample(5))


# --- what they are ----------------------------------------------------------------------------------------------------------


def test_the_cones_of_a_cvae_are_those_of_the_vae_with_the_label_beside():
    vae, cvae = zoo.vae(SHAPE, 8, hidden=(16,)), zoo.cvae(SHAPE, 8, hidden=(16,), classes=10)
    widths = [
        [tuple(m.weight.shape) for m in model.modules() if isinstance(m, torch.nn.Linear)] for model in (vae, cvae)
    ]
    assert widths == [
        [(16, 64), (16, 16), (16, 8), (64, 16)],
        [(16, 74), (16, 16), (16, 18), (64, 16)],
    ]


@both_nets
def test_the_plain_network_has_the_decoder_of_completion(net):
    model, plain = zoo.completion((1, 12, 12), 5, net=net), zoo.completion_plain((1, 12, 12), net=net)
    shapes = [[tuple(p.shape) for p in m.decoder.parameters()] for m in (model, plain)]
    different = [(a, b) for a, b in zip(*shapes, strict=True) if a != b]
    assert different == [((shapes[0][0][0], 5 + 36), (shapes[0][0][0], 36))]  # where the code comes in
    assert sum(p.numel() for p in plain.encoder.parameters()) == 0
    assert isinstance(plain.bottleneck, bottlenecks.Nothing)
    assert type(plain.likelihood) is type(model.likelihood)


def test_the_plain_network_sees_its_quarter_alone():
    plain = made("completion_plain")
    x = torch.rand(5, *SHAPE)
    other = torch.rand(5, *SHAPE)
    other[:, :, 4:, :4] = x[:, :, 4:, :4]
    assert torch.equal(plain.reconstruct(x), plain.reconstruct(other))
    assert not torch.equal(plain.reconstruct(x), plain.reconstruct(x.flip(2)))
    assert plain.encode(x).shape == (5, 0)
    assert plain.latent_shape == (0,)
    assert torch.equal(plain.decode(torch.zeros(5, 0), x), plain.reconstruct(x))
    one, two = plain.sample(5, 1, x), plain.sample(5, 2, x)
    assert torch.equal(one, two)  # it has one answer
    assert set(plain.units) == {"reconstruction"}
    assert plain.summary().parameters == sum(p.numel() for p in plain.parameters())


def test_completion_has_several_answers_to_one_quarter():
    model = made("completion")
    x = torch.rand(1, *SHAPE)
    answers = model.sample(4, 0, x)
    assert answers.shape == (4, *SHAPE)
    assert not torch.equal(answers[0], answers[1])
    assert torch.equal(answers, model.sample(4, 0, (x * 1.0)))


def test_asked_for_classes_are_drawn():
    """After a short training a nearest-mean reader knows the class that was asked for."""
    images = digits(600)
    model = made("cvae", hidden=(128,))
    x, y = torch.from_numpy(images.images).float() / 255, torch.from_numpy(images.labels)
    optimizer, draws = torch.optim.Adam(model.parameters(), lr=3e-3), Draws(generator(0, "test"))
    for i in range(150):
        rows = torch.randperm(600, generator=torch.Generator().manual_seed(i))[:100]
        optimizer.zero_grad()
        model.loss(x[rows], draws, y=y[rows]).total.backward()
        optimizer.step()
    means = torch.stack([x[y == digit].mean(0) for digit in range(10)]).flatten(1)
    asked = torch.arange(10).repeat_interleave(10)
    read = torch.cdist(model.sample(100, 0, asked).flatten(1), means).argmin(1)
    assert (read == asked).float().mean() > 0.85


# --- refused before training ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": None, "label_names": None}, "needs labels, and array"),
        ({"labels": np.array([0, -1] * 20)}, r"array \(all\): 20 of 40 labels are not known \(-1\)"),
        ({"labels": np.array([0, 12] * 20), "label_names": None}, "the label 12 is none of the 10 classes"),
        ({"labels": np.array([0, -3] * 20), "label_names": None}, "the label -3 is none of the 10 classes"),
    ],
)
@pytest.mark.parametrize("which", ["train", "validation"])
@pytest.mark.parametrize("condition", ["label", "embedding"])
def test_labels_that_cannot_be_are_refused_before_training(change, says, which, condition, tmp_path):
    from dataclasses import replace

    good = digits(40)
    bad = replace(good, **change)
    images = (bad, good) if which == "train" else (good, bad)
    with pytest.raises(DiaboloError, match=says):
        diabolo.fit(made("cvae", condition=condition), *images, batch_size=20, out=tmp_path, quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_attributes_of_another_number_are_refused(tmp_path):
    model = made("cvae, attributes", columns=2)
    with pytest.raises(DiaboloError, match=r"attributes \(N, 2\) are wanted, not \(40, 3\)"):
        diabolo.fit(model, digits(40), out=tmp_path, quiet=True)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: zoo.completion((12,), 2), "a quarter is one of images"),
        (lambda: zoo.completion_plain(SHAPE, condition="none"), "goes by its condition alone"),
        (lambda: zoo.completion_plain(SHAPE, corruption="masking"), "leave the corruption out"),
        (lambda: zoo.completion_plain(SHAPE, latent_dim=3), "latent_dim"),
        (lambda: zoo.completion_plain((1, 16, 16), net="unet"), "use --no-skips"),
        (lambda: zoo.cvae(SHAPE, 0), "latent_dim must be a whole number of at least 1, not 0"),
        (lambda: zoo.cvae(SHAPE, 2, classes=1), "classes must be a whole number of at least 2"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(DiaboloError, match=says):
        make()
