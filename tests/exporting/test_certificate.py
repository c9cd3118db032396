"""The certificate measures what is there: runners whose distance from the model is known."""

import numpy as np
import pytest
import torch

import diabolo
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.exporting.certificate import BATCHES, certify
from diabolo.exporting.graphs import graphs


def exact(parts):
    """A runner that is the model itself."""
    by_name = {part.name: part for part in parts}

    def run(name, inputs):
        with torch.no_grad():
            found = by_name[name].program.function({key: torch.from_numpy(x) for key, x in inputs.items()})
        return {output: found[output].numpy() for output in by_name[name].outputs}

    return run


@pytest.fixture(scope="module")
def vae(digits):
    torch.manual_seed(0)
    model = diabolo.zoo.vae((1, 8, 8), 4, hidden=(8,)).eval()
    return model, graphs(model, digits[1])


@pytest.mark.parametrize(
    ("place", "by", "measured"),
    [
        ("encoder.code", 0.01, "deviation"),
        ("decoder.x_hat", 0.01, 0.01),
        ("reconstruct.x_hat", -0.02, 0.02),
        ("score.score", 0.003, 0.003),
        ("prior.code", 0.05, 0.05),
    ],
)
def test_a_known_distance_is_found(place, by, measured, vae, digits):
    model, parts = vae
    images, run, (graph, output) = digits[1].take(range(10)), exact(parts), place.split(".")

    def off(name, inputs):
        found = run(name, inputs)
        if name == graph and len(next(iter(inputs.values()))) == 7:
            found[output] = found[output] + np.float32(by)
        return found

    found = certify(model, parts, images, off, tolerance=1.0)
    if measured == "deviation":
        repeated = images.images[np.arange(64) % 10]  # as many as the largest batch
        measured = by / model.encode(repeated).numpy().std()
    noisy = graph == "prior"  # whose deviation is 1 but for the draws
    for size in BATCHES:
        largest, mean = found[place].by_batch[size]
        assert largest == pytest.approx(measured if size == 7 else 0, rel=0.1 if noisy else 1e-3, abs=1e-5)
        assert mean <= largest
    assert found[place].record()["largest"] == max(largest for largest, _ in found[place].by_batch.values())
    assert sum(told.largest > 1e-5 for told in found.values()) == 1
    with pytest.raises(DiaboloError, match=rf"{output}' of the {graph} differs .* in batches of 7, and the tolerance"):
        certify(model, parts, images, off, tolerance=1e-4)


def test_bytes_are_compared_with_the_number_they_round(vae, digits):
    model, parts = vae
    run = exact(parts)

    def off(name, inputs):
        found = run(name, inputs)
        if name == "decoder":
            found["pixels"] = np.where(found["pixels"] < 255, found["pixels"] + 1, 254).astype(np.uint8)
        return found

    found = certify(model, parts, digits[1].take(range(70)), off, tolerance=1.0)
    assert found["reconstruct.pixels"].largest == 0
    x = 255 * model.reconstruct(digits[1].images[:70]).numpy()
    assert found["decoder.pixels"].largest == pytest.approx(np.abs(x.round() + 1 - x).max() / 255 - 0.5 / 255, abs=1e-6)


def test_nan_passes_no_tolerance(vae, digits):
    model, parts = vae
    run = exact(parts)

    def broken(name, inputs):
        return {
            output: np.full_like(x, np.nan) if x.dtype == np.float32 else x for output, x in run(name, inputs).items()
        }

    with pytest.raises(DiaboloError, match="differs from the model's by nan"):
        certify(model, parts, digits[1].take(range(3)), broken, tolerance=1e9)


def flipping(model, parts, flipped, to):
    """A runner whose encoder gives the first index of the first `flipped` calls of each batch size as `to` makes it."""
    run, seen = exact(parts), dict.fromkeys(BATCHES, 0)

    def off(name, inputs):
        found, rows = run(name, inputs), len(inputs.get("images", ()))
        if name == "encoder" and rows in seen and seen[rows] < flipped:
            seen[rows] += 1
            found["indices"][0, 0, 0] = to(found["indices"][0, 0, 0])
            found["code"] = model.bottleneck.codes_of(torch.from_numpy(found["indices"])).numpy()
        return found

    return off


@pytest.mark.parametrize("flipped", [1, 40])
def test_one_in_a_thousand_indices_may_differ_at_ties(flipped, digits):
    torch.manual_seed(0)
    model = diabolo.zoo.vqvae((1, 8, 8), 4, codes=8, net="conv", channels=(4,)).eval()  # 16 indices an image
    with torch.no_grad():
        model.bottleneck.vectors[4:] = model.bottleneck.vectors[:4]  # each code is there twice: a tie everywhere
    images = digits[1].take(range(100))
    parts = graphs(model, images)
    off = flipping(model, parts, flipped, lambda index: (index + 4) % 8)
    if flipped == 1:
        found = certify(model, parts, images, off)["encoder.indices"]
        assert (found.largest, found.differing, found.n) == (0, dict.fromkeys(BATCHES, 1), 1600)
        assert found.record()["differing"] == {"1": 1, "2": 1, "7": 1, "64": 1}
    else:
        with pytest.raises(
            DiaboloError, match=r"40 of 1,600 indices of the encoder differ .* in batches of 1, and 1 in"
        ):
            certify(model, parts, images, off)


@pytest.mark.parametrize("recipe", ["vqvae", "fsq"])
def test_an_index_that_is_no_tie_is_refused(recipe, digits):
    torch.manual_seed(0)
    kind = {"latent_dim": 4, "codes": 8} if recipe == "vqvae" else {"levels": (3, 3)}
    model = diabolo.zoo.build(recipe, (1, 8, 8), **kind, net="conv", channels=(4,)).eval()
    with torch.no_grad():
        model.bottleneck.to_code.weight *= 8  # so that vectors lie about more than one code
    images, codes = digits[1].take(range(100)), model.bottleneck.codes
    parts = graphs(model, images)

    def off():
        return flipping(model, parts, 1, lambda index: (index + 1) % codes)

    found = certify(model, parts, images, off(), tolerance=100.0)["encoder.indices"]

    x = images.tensor[:1]
    with torch.no_grad():
        v = model.bottleneck.unquantised(model.features(x))[0, :, 0, 0].double()
    ours = model.bottleneck.indices(model.features(x))
    both = [model.bottleneck.codes_of((ours + more) % codes)[0, :, 0, 0].detach().double() for more in (0, 1)]
    if recipe == "fsq":
        v = 1.001 * v.tanh()  # as the paper bounds three levels
    away = (both[0] - both[1]) / (both[0] - both[1]).norm()
    tie = (both[0] + both[1]) / 2  # a plane through it
    measured = float(away @ (v - tie)) / model.encode(images.images).numpy().std()
    assert found.by_batch[1][0] == pytest.approx(measured, rel=1e-3)
    with pytest.raises(
        DiaboloError, match=r"'indices' of the encoder differs .* of the codes from a tie in batches of 1"
    ):
        certify(model, parts, images, off())


@pytest.mark.parametrize("shift", [1e-3, 1e-6])
def test_near_a_tie_the_tolerance_decides(shift, digits):
    torch.manual_seed(0)
    model = diabolo.zoo.vqvae((1, 8, 8), 1, codes=2, net="conv", channels=(4,)).eval()
    images = digits[1].take(range(100))
    with torch.no_grad():
        v = model.bottleneck.unquantised(model.features(images.tensor))[0, 0, 0, 0]
        model.bottleneck.vectors[:] = torch.stack([v - 1 + shift, v + 1 + shift])[
            :, None
        ]  # v is `shift` on the side of 0
    parts = graphs(model, images)
    off = flipping(model, parts, 1, lambda index: 1 - index)
    if shift < 1e-4:
        assert certify(model, parts, images, off)["encoder.indices"].largest < 1e-5
    else:
        with pytest.raises(DiaboloError, match="from a tie"):
            certify(model, parts, images, off)


def test_numbers_in_their_own_units_are_measured_by_the_range_of_their_feature():
    random = np.random.default_rng(0)
    table = Images(random.normal([0, 4e3], [1, 100], (300, 2)).astype(np.float32))
    model = diabolo.fit("pca", table, latent_dim=1, out=None, quiet=True).model
    parts = graphs(model, table)
    run = exact(parts)

    def off(name, inputs):
        found = run(name, inputs)
        if name == "decoder":
            found["x_hat"] = found["x_hat"] + np.array([0.1, 0.1], np.float32)
        return found

    found = certify(model, parts, table, off, tolerance=1.0)
    assert found["decoder.x_hat"].largest == pytest.approx(0.1 / np.ptp(table.images[:, 0]), rel=1e-3)
    assert found["decoder.x_hat"].unit == "of the range of the feature"


def vectors(n=80, missing=False):
    random = np.random.default_rng(1)
    x = random.normal([0, 50, -3], [1, 9, 0.01], (n, 3))
    x[random.random(x.shape) < 0.2 * missing] = np.nan
    factors = random.random((n, 2)).astype(np.float32)
    known = {"attributes": factors > 0.5, "attribute_names": ("a", "b"), "factors": factors, "factor_names": ("c", "d")}
    return Images(x.astype(np.float32), missing=missing, **known)


@pytest.mark.parametrize(
    ("recipe", "images", "options", "takes"),
    [
        ("cvae", vectors(), {"condition": "attributes"}, {"images": torch.float32, "attributes": torch.float32}),
        ("cvae", vectors(), {"condition": "factors"}, {"images": torch.float32, "factors": torch.float32}),
        ("undercomplete", vectors(missing=True), {}, {"images": torch.float32}),
        ("undercomplete", Images(vectors().images.astype(np.float64)), {}, {"images": torch.float64}),
        (
            "undercomplete",
            Images(np.random.default_rng(0).poisson(30, (80, 3))),
            {"likelihood": "poisson"},
            {"images": torch.float32},
        ),
        (
            "vae",
            Images(np.random.default_rng(0).integers(0, 4096, (80, 1, 8, 8), np.uint16), span=(0.0, 4095.0)),
            {},
            {"images": torch.float32},
        ),
    ],
    ids=["attributes", "factors", "missing", "doubles", "counts", "deep"],
)
def test_what_is_traced_computes_what_any_model_does(recipe, images, options, takes):
    """Without a translation: the functions themselves, of every kind of numbers and of what is known of images."""
    torch.manual_seed(0)
    model = diabolo.zoo.build_for(recipe, images, latent_dim=2, hidden=(8,), **options)
    model = diabolo.fit(model, images, epochs=1, out=None, quiet=True, device="cpu", precision="float32").model
    parts = graphs(model, images)
    assert {name: x.dtype for name, x in parts[0].examples.items()} == takes
    found = certify(model, parts, images, exact(parts), tolerance=2e-5)
    assert found.keys() == {"encoder.code", "decoder.x_hat", "reconstruct.x_hat", "score.score", "prior.code"}
