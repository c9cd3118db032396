"""Traversals, draws from the posterior, decoded grids and codebooks."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from diabolo import figures, latents, zoo
from diabolo.bottlenecks.gaussian import kl_per_unit
from diabolo.data import Images, load
from diabolo.errors import DiaboloError
from diabolo.latents import by_quantiles, over_range, scaled_samples, traverse, units
from diabolo.latents.codes import check_codes, decode, encode, known
from diabolo.latents.traversal import kl_of_units


@pytest.fixture
def images(tiny_pixels):
    return Images(tiny_pixels(60))


@pytest.fixture
def pca(images):
    model = zoo.pca((1, 8, 8), latent_dim=4)
    model.solve(images.images)
    return model


def sharpened(model, unit, factor):
    """The same VAE, whose `unit` tells `factor` times more of its mean."""
    with torch.no_grad():
        model.bottleneck.to_posterior.weight[unit] *= factor
    return model


def test_units_of_a_posterior_are_ordered_by_kl(tiny_model, images):
    model = sharpened(tiny_model("vae"), 2, 30)
    found = units(model, images)
    mu, logvar = model.bottleneck.posterior(model.encoder(torch.from_numpy(images.images) / 255))
    kl = kl_per_unit(mu, logvar).mean(0).detach().numpy()
    assert found.unit == "nats of KL"
    assert found.order[0] == 2
    np.testing.assert_array_equal(found.order, np.argsort(-kl))
    np.testing.assert_allclose(found.told, np.sort(kl)[::-1], rtol=1e-5)
    np.testing.assert_allclose(
        found.width[2] ** 2, mu[:, 2].detach().var() + logvar[:, 2].exp().mean().item(), rtol=0.5
    )


def test_units_of_a_plain_code_are_ordered_by_variance(tiny_model, images):
    model = tiny_model()
    found, z = units(model, images), encode(model, images)
    assert found.unit == "variance"
    np.testing.assert_array_equal(found.order, np.argsort(-z.var(0)))
    np.testing.assert_allclose(found.width, z.std(0), rtol=1e-5)


def test_pca_is_traversed_along_its_components(pca, images):
    found = units(pca, images)
    assert found.order.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(found.width, pca.variances.sqrt() * np.sqrt(59 / 60), rtol=1e-3)
    rows = traverse(pca, found.middle, found, reach=1, steps=3, most=2)
    assert rows.shape == (2, 3, 1, 8, 8)
    expected = pca.mu + found.width[1] * pca.components[1]
    np.testing.assert_allclose(rows[1, 2].ravel(), expected.clamp(0, 1), atol=1e-5)


def test_only_one_unit_is_moved_at_a_time(tiny_model, images):
    model = tiny_model()
    found, z = units(model, images), encode(model, images)[:1]
    rows = traverse(model, z[0], found, reach=2, steps=5)
    np.testing.assert_allclose(traverse(model, z[0], found, reach=2, steps=5, most=1), rows[:1], atol=1e-6)
    moved = z.copy()
    moved[0, found.order[0]] = found.middle[found.order[0]] - 2 * found.width[found.order[0]]
    np.testing.assert_allclose(rows[0, 0], decode(model, moved)[0], atol=1e-6)
    for reach, steps, most in ((0, 5, None), (1, 1, None), (1, 5, 0), (np.inf, 5, 1)):
        with pytest.raises(DiaboloError, match=r"(steps|most|reach) must be"):
            traverse(model, z[0], found, reach, steps, most)


def test_a_model_with_skips_has_the_units_of_its_waist(tiny_pixels):
    torch.manual_seed(0)
    model = zoo.build("unet", (1, 16, 16), latent_dim=3, channels=(4, 4))
    found = units(model, Images(tiny_pixels(20, (1, 16, 16))))
    assert len(found.middle) == np.prod(model.latent_shape)


def test_the_variance_of_draws_is_that_of_the_posterior_times_the_scale(tiny_model, images):
    model = tiny_model("vae")
    model.decoder, model.likelihood = torch.nn.Identity(), zoo.undercomplete((1, 8, 8), latent_dim=4).likelihood
    few = images.take(np.arange(3))
    draws = np.stack([latents.draws_of(model, few, seed) for seed in range(2000)], 1)
    mu, logvar = model.bottleneck.posterior(model.encoder(torch.from_numpy(few.images) / 255))
    np.testing.assert_allclose(draws.mean(1), mu.detach(), atol=0.15)
    np.testing.assert_allclose(draws.var(1), logvar.exp().detach(), rtol=0.2)


def test_the_same_noise_is_used_for_every_scale(tiny_model, images, monkeypatch):
    model, few = tiny_model("vae"), images.take(np.arange(2))
    seen = {}
    monkeypatch.setattr("diabolo.latents.traversal.decode", lambda _, z, y: z)
    seen = scaled_samples(model, few, (0, 1, 20), 5)
    mu = encode(model, few)[:, None]
    np.testing.assert_allclose(seen[0], np.repeat(mu, 5, 1), rtol=1e-6)
    np.testing.assert_allclose(seen[20] - mu, np.sqrt(20) * (seen[1] - mu), rtol=1e-5)
    for a in range(5):
        for b in range(a):
            assert np.abs(seen[1][:, a] - seen[1][:, b]).min() > 0


def test_a_scaled_posterior_gives_images_in_range_and_needs_a_posterior(tiny_model, images, pca):
    found = scaled_samples(tiny_model("vae"), images.take([0, 1]), n=3)
    assert {scale: x.shape for scale, x in found.items()} == {1.0: (2, 3, 1, 8, 8), 20.0: (2, 3, 1, 8, 8)}
    for model in (tiny_model(), pca):
        with pytest.raises(DiaboloError, match="has no posterior"):
            scaled_samples(model, images.take([0]))
    with pytest.raises(DiaboloError, match="one variance or more"):
        scaled_samples(tiny_model("vae"), images, ())


def test_a_grid_by_quantiles_gives_each_tile_an_equal_share_of_the_prior():
    grid = by_quantiles(5)
    np.testing.assert_allclose(norm.cdf(grid.codes), figures.latent_grid((0, 1, 0, 1), 5), atol=1e-6)
    assert grid.codes[0, 0] < grid.codes[1, 0]  # z₁ runs fastest
    assert grid.codes[0, 1] == grid.codes[1, 1] < grid.codes[5, 1]
    assert grid.extent == (0, 1, 0, 1)


def test_a_grid_by_quantiles_of_codes_gives_each_column_and_row_an_equal_share_of_them():
    z = np.random.default_rng(0).lognormal(0, 2, size=(2000, 2)).astype(np.float32)
    grid = by_quantiles(4, codes=z)
    assert grid.counts(z).reshape(4, 4).sum(0).tolist() == [500] * 4
    assert grid.counts(z).reshape(4, 4).sum(1).tolist() == [500] * 4
    np.testing.assert_allclose(grid.places(grid.codes), figures.latent_grid((0, 1, 0, 1), 4), atol=1e-6)
    assert grid.tiles(grid.codes).tolist() == list(range(16))
    assert grid.places([[-9, 1e9]]).tolist() == [[0, 1]]  # beyond the codes are its edges


def test_places_of_other_grids_are_those_of_their_axes():
    z = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(by_quantiles(5).places(z), norm.cdf(z))
    np.testing.assert_array_equal(over_range(z, 4).places(z), z)
    assert by_quantiles(5).counts([[0, 0], [0, 0], [-9, -9]]).tolist() == [1, *[0] * 11, 2, *[0] * 12]


def test_the_class_of_a_tile_is_the_most_frequent_of_its_codes():
    grid = over_range([[0, 0], [2, 2]], 2, 1)
    z, labels = [[0, 0], [0, 0], [0, 0], [2, 2], [2, 0], [2, 0], [9, 9]], [3, 3, 1, 0, 4, 2, 5]
    assert grid.majority(z, labels).tolist() == [3, 2, -1, 0]  # the smaller of two, and nothing from outside
    assert grid.tiles([[9, 9]]).tolist() == [-1]


def test_a_grid_over_the_range_covers_the_share_of_codes():
    z = np.random.default_rng(0).normal(size=(5000, 2)) * (1, 5)
    grid = over_range(z, 4, 0.9)
    x0, x1, y0, y1 = grid.extent
    assert grid.counts(grid.codes).tolist() == [1] * 16
    assert grid.counts(grid.codes[[0, 1, 1, 5]]).tolist() == [1, 2, 0, 0, 0, 1, *[0] * 10]
    for column, low, high in ((0, x0, x1), (1, y0, y1)):
        assert ((z[:, column] > low) & (z[:, column] < high)).mean() == pytest.approx(0.9, abs=0.01)
    assert np.isfinite(over_range(np.ones((3, 2)), 2).codes).all()
    with pytest.raises(DiaboloError, match="codes of 2 numbers, not 3"):
        over_range(np.ones((4, 3)))


@pytest.fixture
def vq():
    torch.manual_seed(0)
    return zoo.vqvae((1, 8, 8), latent_dim=4, codes=8, width=8, residual_width=4)


def test_the_codebook_and_its_uses_are_those_of_the_encodings(vq, images):
    book, counts = latents.codebook(vq), latents.uses(vq, images)
    vectors = latents.unquantised(vq, images)
    assert vectors.shape == (counts.sum(), book.shape[1])
    found = ((vectors[:, None] - book) ** 2).sum(2).argmin(1)
    assert (np.bincount(found, minlength=len(book)) == counts).all()
    assert book.shape == (8, 4)
    maps = vq.encode(images.images).permute(0, 2, 3, 1).reshape(-1, 4).numpy()
    used = [int((np.abs(maps - code).max(1) < 1e-5).sum()) for code in book]
    assert counts.tolist() == used
    assert counts.sum() == len(maps)


def test_what_has_no_codebook_is_refused(tiny_model, pca):
    for model in (tiny_model(), pca):
        with pytest.raises(DiaboloError, match="no codebook"):
            latents.codebook(model)


def test_discrete_codes_are_not_moved(vq, images):
    for what in (lambda: units(vq, images), lambda: scaled_samples(vq, images)):
        with pytest.raises(DiaboloError, match="discrete"):
            what()


def test_a_decoder_is_told_what_goes_with_each_image():
    train, _ = load("digits", n_train=30, n_test=10)
    torch.manual_seed(0)
    model = zoo.build("cvae", train.shape, latent_dim=3, hidden=(8,), condition="label")
    z, y = encode(model, train), known(model, train)
    again = decode(model, np.stack([z, z], 1), y)
    expected = model.reconstruct(train.images, torch.from_numpy(train.labels)).numpy()
    np.testing.assert_allclose(again[:, 0], expected, atol=1e-6)
    np.testing.assert_allclose(again[:, 1], expected, atol=1e-6)


def test_pieces_do_not_matter(tiny_model, images, monkeypatch):
    model = tiny_model()
    z = encode(model, images)
    x = decode(model, z)
    monkeypatch.setattr("diabolo.latents.codes.PIECE", 7)
    np.testing.assert_allclose(encode(model, images), z, atol=1e-6)
    np.testing.assert_allclose(decode(model, z), x, atol=1e-6)
    with pytest.raises(DiaboloError, match="have 4 numbers, not 3"):
        decode(model, z[:, :3])


def test_what_a_decoder_is_told_goes_with_its_piece(tiny_model, monkeypatch):
    train, _ = load("digits", n_train=9, n_test=1)
    model = tiny_model("cvae", condition="label")
    z, y = encode(model, train), known(model, train)
    both = np.stack([z, z + 1], 1)
    whole = decode(model, both, y)
    monkeypatch.setattr("diabolo.latents.codes.PIECE", 4)
    np.testing.assert_allclose(decode(model, both, y), whole, atol=1e-6)
    assert decode(model, both[:0], y[:0]).shape == (0, 2, 1, 8, 8)


def test_only_a_gaussian_has_a_kl_of_units(tiny_model, images, pca, monkeypatch):
    assert kl_of_units(pca, images) is None
    assert kl_of_units(tiny_model(), images) is None
    model = tiny_model("vae")
    mu, logvar = (
        p.detach().double() for p in model.bottleneck.posterior(model.encoder(torch.from_numpy(images.images) / 255))
    )
    wanted = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(0)
    np.testing.assert_allclose(kl_of_units(model, images), wanted, rtol=1e-4)
    monkeypatch.setattr("diabolo.latents.codes.PIECE", 7)
    np.testing.assert_allclose(kl_of_units(model, images), wanted, rtol=1e-4)


def test_each_piece_has_draws_of_its_own(tiny_model, images, monkeypatch):
    model, twice = tiny_model("vae"), images.take(np.zeros(4, np.int64))
    monkeypatch.setattr("diabolo.latents.codes.PIECE", 2)
    drawn = latents.draws_of(model, twice)
    assert len(np.unique(drawn, axis=0)) == 4
    np.testing.assert_array_equal(drawn, latents.draws_of(model, twice, 0))
    np.testing.assert_array_equal(latents.draws_of(tiny_model(), twice), encode(tiny_model(), twice))


@pytest.mark.parametrize("scales", [(), (-0.1,), (1.0, np.inf), (np.nan,)])
def test_variances_that_there_are_not(tiny_model, images, scales):
    with pytest.raises(DiaboloError, match=r"times 0 or more|scales"):
        scaled_samples(tiny_model("vae"), images.take([0]), scales)


def test_the_extent_of_a_grid_by_hand():
    z = np.array([[0.0, 0.0], [10.0, 20.0]])
    assert over_range(z, 2, 1).extent == pytest.approx((-0.001, 10.001, -0.001, 20.001), abs=1e-9)
    assert over_range(z, 2, 0.5).extent == pytest.approx((2.495, 7.505, 4.995, 15.005), abs=1e-9)  # of the size of 5
    assert over_range(z - [50, 0], 2, 1).extent == pytest.approx((-50.05, -39.95, -0.05, 20.05), abs=1e-9)
    for share in (0, 1.1):
        with pytest.raises(DiaboloError, match="share must be"):
            over_range(z, 2, share)


def test_a_traversal_is_of_one_code(pca, images):
    found = units(pca, images)
    with pytest.raises(DiaboloError, match="a traversal is of 1 code, not of 2"):
        traverse(pca, np.ones((2, 4)), found)
    with pytest.raises(DiaboloError, match="2 codes or more are needed, not 1"):
        units(pca, images.take([0]))


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (np.ones((3, 2, 2)), "flatten"),
        (np.ones((3, 0)), r"not \(3, 0\)"),
        (np.ones((1, 2)), "2 codes or more are needed, not 1"),
        ([[np.nan, np.inf], [0, 1], [1, 1]], "1 of 3 codes hold NaN or infinity"),
    ],
)
def test_what_are_no_codes(codes, said):
    with pytest.raises(DiaboloError, match=said):
        check_codes(codes, least=2)
