"""A codec of two functions: what they are given, what is made of what they give, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

import diabolo
from diabolo.data import Images, load
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.foreign import Foreign
from diabolo.foreign.functions import alone, normal

MSE = ["reconstruction"]


def test_functions_are_measured_like_a_model(few, svd):
    encode, decode = svd
    codec = Foreign(encode, decode, few[0], beyond="keep")
    found = diabolo.evaluate(codec, few, ["reconstruction"])["reconstruction"].scores["MSE"]
    x = few[1].images.reshape(90, -1) / 255
    errors = np.square(np.asarray(decode(encode(x))).reshape(90, -1) - x).mean(1)
    assert found.value == pytest.approx(errors.mean(), rel=1e-5)
    assert found.n == 90


def test_modules_are_evaluated_counted_and_left_as_they_were(few):
    encoder = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(0.5), nn.Linear(64, 4))
    decoder = nn.Sequential(nn.Linear(4, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    encoder.train()
    found = diabolo.evaluate(encode=encoder, decode=decoder, data=few, measures=["reconstruction", "cost"])
    assert found["cost"].scores["parameters"].value == 2 * 64 + 64 * 4 + 4 + 4 * 64 + 64
    assert found["cost"].scores["encode: operations"].value == 2 * 64 * 4
    assert encoder.training
    assert encoder[1].num_batches_tracked == 0  # no batch was averaged over
    x = torch.from_numpy(few[1].images) / 255
    with torch.no_grad():
        expected = (decoder(encoder.eval()(x)) - x).double().square().mean()
    assert found["reconstruction"].scores["MSE"].value == pytest.approx(float(expected), rel=1e-5)


def test_functions_of_numpy_do_not_say_how_large_they_are(few, svd):
    codec = Foreign(*svd, few[0], beyond="keep")
    found = diabolo.evaluate(codec, few, ["cost"])
    assert "parameters" not in found["cost"].scores
    assert "encode: speed" in found["cost"].scores
    assert "where torch does them" in found.skipped["cost: encode: operations"]


def test_a_range_is_that_of_the_functions_both_ways(few, networks):
    seen = []

    def encode(x):
        seen.append((float(x.min()), float(x.max())))
        return x.flatten(1)

    codec = Foreign(encode, lambda z: z.view(-1, 1, 8, 8), few[0], range=(-1, 1))
    x = torch.from_numpy(few[1].images)
    assert torch.allclose(codec.reconstruct(x), x / 255, atol=1e-6)
    assert min(low for low, _ in seen) == -1
    assert max(high for _, high in seen) == 1
    assert codec.about["range"] == [-1, 1]
    found = diabolo.evaluate(encode=encode, decode=lambda z: z.view(-1, 1, 8, 8), range=(-1, 1), data=few, measures=MSE)
    assert found["reconstruction"].scores["MSE"].value == pytest.approx(0, abs=1e-12)
    assert found.about["from elsewhere"]["range"] == [-1, 1]


def test_other_units_reach_the_functions_as_they_are():
    x = np.random.default_rng(0).normal(4000, 10, (60, 5))
    seen = []

    def encode(x):
        seen.append(float(x.mean()))
        return x[:, :4]

    codec = Foreign(encode, lambda z: torch.cat([z, z[:, :1]], 1), Images(x))
    assert min(seen) > 3900
    x_hat = codec.reconstruct(torch.from_numpy(x))
    assert torch.allclose(x_hat[:, :4], torch.from_numpy(x[:, :4]).float())
    found = diabolo.evaluate(codec, (Images(x[:40]), Images(x[40:])), ["reconstruction"])
    assert found["reconstruction"].scores["MSE"].value == pytest.approx(
        np.square(x[40:, 4] - x[40:, 0]).mean() / 5, rel=1e-4
    )
    with pytest.raises(DiaboloError, match="has neither: leave it out"):
        Foreign(encode, encode, Images(x), range=(-1, 1))


def test_deep_pictures_are_given_in_their_units_unless_a_range_is_said():
    x = np.random.default_rng(0).integers(0, 4096, (30, 1, 4, 4)).astype(np.uint16)
    images, seen = Images(x, span=(0.0, 4095.0)), []

    def encode(x):
        seen.append(float(x.max()))
        return x.flatten(1)

    def decode(z):
        return z.view(-1, 1, 4, 4)

    for said, most in ((None, 4095), ((0, 1), 1), ((-1, 1), 1)):
        seen.clear()
        codec = Foreign(encode, decode, images, range=said)
        x_hat = codec.reconstruct(torch.from_numpy(x.astype(np.int32)))
        assert max(seen) == pytest.approx(most, rel=1e-2)
        assert torch.allclose(x_hat, torch.from_numpy(x.astype(np.float32)), atol=0.01)


def test_a_prior_draws_and_without_one_there_is_none(few, networks):
    codec = Foreign(*networks, few[0], prior=normal((6,)))
    assert torch.equal(codec.sample(3, seed=5), codec.sample(3, seed=5))
    assert not torch.equal(codec.sample(3, seed=5), codec.sample(3, seed=6))
    assert codec.sample(3).shape == (3, 1, 8, 8)
    with pytest.raises(NoPriorError, match="foreign came without a prior"):
        Foreign(*networks, few[0]).sample(3)
    for prior, said in (
        (lambda n, draws: 1 / 0, r"prior of foreign failed \(ZeroDivisionError: division by zero\)"),
        (lambda n, draws: None, "prior of foreign must give a tensor or an array, not NoneType"),
        (lambda n, draws: torch.zeros(n + 1, 6), r"prior of foreign gave \(4, 6\) for 3 codes"),
        (lambda n, draws: torch.zeros(n, 5), r"expected codes \(N, 6\)"),
    ):
        with pytest.raises(DiaboloError, match=said):
            Foreign(*networks, few[0], prior=prior).sample(3)


def test_what_functions_write_into_is_theirs():
    images = Images(np.random.default_rng(0).random((20, 1, 4, 4), np.float32))
    decode = torch.nn.Sequential(torch.nn.ReLU(inplace=True), torch.nn.Unflatten(1, (1, 4, 4)))
    codec, before = Foreign(lambda x: x.mul_(0.5).flatten(1), decode, images, pieces=7), images.images.copy()
    z = codec.encode(images.tensor) - 0.5
    kept = z.clone()
    codec.decode(z)
    assert torch.equal(z, kept)
    assert np.array_equal(images.images, before)


def test_discrete_codes_are_not_added_up(few, networks):
    found = diabolo.evaluate(Foreign(*networks, few[0], discrete=True), few, ["interpolation", "reconstruction"])
    assert "discrete" in found.skipped["interpolation"]


def test_pieces_are_as_large_as_they_may_be(few, networks):
    seen = []

    def encode(x):
        seen.append(len(x))
        return networks[0](x)

    codec = Foreign(encode, networks[1], few[0], pieces=20)
    seen.clear()
    whole = codec.encode(few[1].images)
    assert seen == [20, 20, 20, 20, 10]
    assert torch.allclose(whole, networks[0](torch.from_numpy(few[1].images) / 255), atol=1e-6)
    seen.clear()
    diabolo.evaluate(codec, few, ["reconstruction"], batch=7)
    assert max(seen) == 7
    assert set(seen) <= {7, 90 % 7, 8 % 7}  # all images, and the eight that are shown
    assert codec.encode(few[1].images[:0]).shape == (0, 6)


def test_how_far_an_image_depends_on_its_neighbours(few, networks):
    class Averaging(diabolo.codec.PlainCodec):
        def reconstruct(self, x, y=None):
            return x / 255 - (x / 255).mean(0)

    x = torch.from_numpy(few[1].images[:5])
    expected = max(abs((x / 255 - (x / 255).mean(0)).double() - 0 * x).max(), 0)  # alone each image becomes 0
    assert alone(Averaging((1, 8, 8), (4,)), x) == pytest.approx(float(expected))
    assert alone(Foreign(*networks, few[0]), x) < 1e-6


@pytest.mark.parametrize(
    ("encode", "decode", "said"),
    [
        (lambda x: x.flatten(1)[:-1], None, r"encode of foreign gave 7 rows for 8"),
        (lambda x: (x, x), None, r"encode of foreign must give a tensor or an array, not tuple: .*f\(x\)\[0\]"),
        (lambda x: x.flatten(1) / 0, None, "encode of foreign gave NaN or infinity for 8 of 8"),
        (lambda x: x.flatten(1) @ torch.ones(3), None, r"encode of foreign failed on \(8, 1, 8, 8\) \(RuntimeError: "),
        (lambda x: x.sum((1, 2, 3)), None, r"must give one code \(n, …\) a row, not \(8,\)"),
        (lambda x: torch.randn(len(x), 4), None, "other codes of the same images each time: give the mean"),
        (lambda x: (x - x.mean(0)).flatten(1), lambda z: torch.sigmoid(z).view(-1, 1, 8, 8), "evaluation mode"),
        (None, lambda z: z.view(-1, 1, 4, 16), r"decode of foreign gave images \(1, 4, 16\), and the data have \(1, 8, 8\)"),
        (None, lambda z: z.view(-1, 1, 8, 8).repeat(2, 1, 1, 1), "decode of foreign gave 16 rows for 8"),
        (None, lambda z: z.view(-1, 1, 8, 8).log(), "decode of foreign gave NaN or infinity for 8 of 8"),
        (None, lambda z: 2 * z.view(-1, 1, 8, 8) - 1, r"gave numbers from -1 to 1, and its range is 0 to 1: say which"),
        (None, lambda z: 255 * z.view(-1, 1, 8, 8), "gave numbers from 0 to 255, and its range is 0 to 1"),
        (None, 3, "decode must be a function or a module, not int"),
        (lambda x: x.flatten(1) + 0j, None, "gave a complex array: it must give a dense one of real numbers"),
        (lambda x: x.flatten(1).to_sparse(), None, "gave a sparse array"),
        (lambda x: x.flatten(1).to("meta"), None, "gave a meta array"),
        (lambda x: np.ma.masked_less(x.flatten(1).numpy(), 0.5), None, "gave a masked array"),
    ],
)  # fmt: skip
def test_what_functions_give_wrong_is_one_sentence(few, encode, decode, said):
    encode = encode or (lambda x: x.flatten(1))
    with pytest.raises(DiaboloError, match=said) as refused:
        Foreign(encode, decode or (lambda z: z.view(-1, 1, 8, 8)), few[0])
    assert "\n" not in str(refused.value)


def test_numbers_beyond_the_range_are_clipped_or_kept_as_is_said(few):
    def decode(z):
        return 1.5 * z.view(-1, 1, 8, 8)

    x = torch.from_numpy(few[1].images)
    kept, clipped = (
        Foreign(lambda x: x.flatten(1), decode, few[0], beyond=how).reconstruct(x) for how in ("keep", "clip")
    )
    assert torch.allclose(kept, 1.5 * x / 255)
    assert torch.allclose(clipped, (1.5 * x / 255).clamp(0, 1))
    with pytest.raises(DiaboloError, match="beyond"):
        Foreign(lambda x: x.flatten(1), decode, few[0], beyond="wrap")


def test_a_later_image_that_goes_wrong_is_said_too(few):
    def encode(x):
        z = x.flatten(1).clone()
        z[z[:, 20] > 0.9] = float("nan")
        return z

    first = few[0].take(np.flatnonzero(few[0].images.reshape(150, -1)[:, 20] < 100))
    codec = Foreign(encode, lambda z: z.view(-1, 1, 8, 8), first)
    with pytest.raises(DiaboloError, match="gave NaN or infinity for"):
        codec.encode(few[0].images)


def test_evaluate_takes_one_or_the_other(few, networks, tiny_model):
    encoder, decoder = networks
    for wrong, said in (
        ({}, "give one of the two"),
        ({"model": tiny_model(), "encode": encoder, "decode": decoder}, "give one of the two"),
        ({"encode": encoder}, "give decode= too"),
        ({"decode": decoder}, "give encode= too"),
        ({"model": tiny_model(), "range": (-1, 1)}, "leave it out"),
    ):
        with pytest.raises(DiaboloError, match=said):
            diabolo.evaluate(**wrong, data=few)
    with pytest.raises(DiaboloError, match="give"):
        diabolo.evaluate(encode=encoder, decode=decoder)  # on which images?
    with pytest.raises(DiaboloError, match=r"white less its black must be"):
        diabolo.evaluate(encode=encoder, decode=decoder, data=few, range=(1, -1))


def test_every_measure_that_applies_is_made(networks):
    found = diabolo.evaluate(
        encode=networks[0], decode=networks[1], data=load("digits", n_train=150, n_test=90), few_labels=(10,),
        label_draws=2, generated=70,
    )  # fmt: skip
    assert {"reconstruction", "learned", "probes", "clustering", "usage", "generation"} <= set(found.sections)
    assert {"FID, reconstruction", "FID, gaussian"} <= set(found["generation"].scores)
    assert "came without a prior" in found.skipped["generation: prior"]
    assert not [why for why in found.skipped.values() if why.startswith("unexpected")]
