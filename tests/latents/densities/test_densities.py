"""Densities over codes: what they draw follows what they say, and both follow the codes; against scipy and scikit-learn."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp
from sklearn.covariance import LedoitWolf
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from diabolo import latents
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.latents.densities import DENSITIES, Scale
from diabolo.latents.densities.flow import Flow
from diabolo.randomness import derive

NAMES = ["normal", "gaussian", "mixture", "neighbours", "flow"]
QUICK = {"mixture": {"components": 3}, "flow": {"epochs": 8, "transforms": 2, "hidden": 16}}


def rings(n=600, seed=0):
    """Codes that no single Gaussian fits: three clusters of unequal width, far from the origin."""
    random = np.random.default_rng(seed)
    middle = np.array([[8.0, 0.0], [-8.0, 1.0], [0.0, 9.0]])[random.integers(3, size=n)]
    return 20 + middle + random.standard_normal((n, 2)) * [1.0, 0.3]


def fitted(name, codes, seed=0):
    return latents.fit_density(name, codes, seed, **QUICK.get(name, {}))


@pytest.mark.parametrize("name", NAMES)
def test_it_integrates_to_one(name):
    """By importance sampling from a wide Gaussian: E_q[p/q] = 1."""
    codes = rings()
    density = fitted(name, codes)
    centre, wide = (np.zeros(2), 4.0) if name == "normal" else (codes.mean(0), 12.0)
    points = centre + wide * np.random.default_rng(1).standard_normal((40_000, 2))
    log_q = stats.multivariate_normal(centre, wide**2).logpdf(points)
    assert np.exp(density.log_prob(points) - log_q).mean() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_draws_follows_what_it_says(name):
    """E_p[-log p] by its samples is that by samples of q weighed with p/q: the entropy, found in two ways."""
    codes = rings()
    density = fitted(name, codes)
    drawn = density.sample(20_000, 1)
    centre, wide = drawn.mean(0), 2 * drawn.std(0)
    points = centre + wide * np.random.default_rng(2).standard_normal((40_000, 2))
    log_p = density.log_prob(points)
    weight = np.exp(log_p - stats.multivariate_normal(centre, np.diag(wide**2)).logpdf(points))
    assert -density.log_prob(drawn).mean() == pytest.approx(-(weight * log_p).sum() / weight.sum(), abs=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_codes_and_disturbs_nobody(name):
    codes = rings(200)
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    one, other = fitted(name, codes, 3), fitted(name, codes, 3)
    np.testing.assert_array_equal(one.sample(50, 1), other.sample(50, 1))
    np.testing.assert_array_equal(one.sample(50, 1), one.sample(50, 1))
    np.testing.assert_array_equal(one.log_prob(codes), other.log_prob(codes))
    assert not np.array_equal(one.sample(50, 1), one.sample(50, 2))
    assert one.sample(7).shape == (7, 2)
    assert one.sample(7).dtype == one.log_prob(codes).dtype == np.float64
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_what_fits_better_says_so():
    train, test = rings(600, 0), rings(300, 1)
    found = {name: fitted(name, train).log_prob(test).mean() for name in NAMES}
    assert found["normal"] < found["gaussian"] < found["neighbours"] < found["mixture"]
    assert found["gaussian"] < found["flow"]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_gaussian_is_the_sample_mean_and_covariance(width, seed, size):
    random = np.random.default_rng(seed)
    codes = size * (random.standard_normal((60, width)) @ random.standard_normal((width, width)) + 3)
    density = latents.fit_density("gaussian", codes)
    expected = stats.multivariate_normal(codes.mean(0), np.cov(codes, rowvar=False)).logpdf(codes)
    np.testing.assert_allclose(density.log_prob(codes), expected, rtol=1e-6, atol=1e-6)
    assert "shrinkage" not in density.setting
    drawn = density.sample(20_000)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), atol=0.06 * np.cov(codes.T).max())


def test_gaussian_is_shrunk_when_codes_are_few():
    codes = rings(19)
    density, expected = latents.fit_density("gaussian", codes), LedoitWolf().fit(codes)
    reference = stats.multivariate_normal(expected.location_, expected.covariance_).logpdf(codes)
    np.testing.assert_allclose(density.log_prob(codes), reference)
    assert density.setting["shrinkage"] == pytest.approx(expected.shrinkage_)
    assert density.setting["shrinkage"] > 0


def test_normal_is_scipys():
    points = rings(50) / 10
    density = latents.fit_density("normal", rings())
    np.testing.assert_allclose(density.log_prob(points), stats.multivariate_normal(np.zeros(2)).logpdf(points))


def test_mixture_of_one_is_the_gaussian_and_bic_finds_three():
    codes = rings()
    one = latents.fit_density("gmm", codes, components=1)
    expected = stats.multivariate_normal(codes.mean(0), np.cov(codes.T, bias=True)).logpdf(codes)
    np.testing.assert_allclose(one.log_prob(codes), expected, atol=1e-4)
    far = np.concatenate([rings(300) + np.array([200.0 * i, 0]) for i in range(2)])  # 2 × 3 clusters
    assert (
        latents.fit_density("mixture", rings(2000), components="bic").setting["components"] == 5
    )  # the least tried ≥ 3
    assert latents.fit_density("mixture", far, components="bic").setting["components"] == 10


def test_the_first_of_a_mixtures_samples_are_of_all_components():
    drawn = latents.fit_density("mixture", rings(), components=3).sample(30)
    nearest = np.linalg.norm(drawn[:12, None] - [[28, 20], [12, 21], [20, 29]], axis=2).argmin(1)
    assert len(set(nearest)) == 3


def test_neighbours_is_a_kernel_density():
    """Where all codes have their neighbour at the same distance it is scikit-learn's, which knows one bandwidth."""
    codes = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), -1).reshape(-1, 2)
    points = rings(40) / 8
    density = latents.fit_density("neighbours", codes, k=1, scale=0.7)
    expected = KernelDensity(bandwidth=0.7 / math.sqrt(2)).fit(codes).score_samples(points)
    np.testing.assert_allclose(density.log_prob(points), expected, atol=1e-9)


def test_samples_of_neighbours_lie_beside_codes():
    codes = rings()
    drawn = latents.fit_density("neighbours", codes, scale=0.01).sample(300)
    assert np.linalg.norm(drawn[:, None] - codes, axis=2).min(1).max() < 0.2


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_dead_unit_stays_dead(name):
    codes = np.column_stack([rings(400), np.full(400, 0.25)])
    density = fitted(name, codes)
    drawn = density.sample(200)
    assert np.isfinite(drawn).all()
    assert np.isfinite(density.log_prob(codes)).all()
    if name != "neighbours":  # which moves a code by the same in all directions
        np.testing.assert_allclose(drawn[:, 2], 0.25, atol=1e-3)


@pytest.mark.parametrize("name", ["gaussian", "mixture", "neighbours", "flow"])
def test_codes_that_are_all_one_are_refused(name):
    with pytest.raises(DiaboloError, match=r"all [\d,]+ codes are the same.*or the encoder"):
        fitted(name, np.ones((60, 2)))


@pytest.mark.parametrize("name", NAMES[1:])
def test_three_codes_in_128_dimensions(name):
    with pytest.raises(DiaboloError, match=r"128 dimensions needs [\d,]+ codes or more to be fitted to, not 3"):
        latents.fit_density(name, np.zeros((3, 128)))


@pytest.mark.parametrize("name", NAMES)
def test_codes_that_are_not_finite_are_refused(name):
    codes = rings(50)
    codes[3, 1] = math.nan
    with pytest.raises(DiaboloError, match="1 of 50 codes hold NaN"):
        fitted(name, codes)


def test_mistakes_are_told():
    codes = rings(50)
    with pytest.raises(UnknownNameError, match="did you mean 'mixture'"):
        latents.fit_density("mixtur", codes)
    with pytest.raises(UnknownNameError, match="did you mean 'components'"):
        latents.fit_density("mixture", codes, component=3)
    with pytest.raises(DiaboloError, match="components must be a whole number of at least 1"):
        latents.fit_density("mixture", codes, components=0)
    with pytest.raises(DiaboloError, match="k must be a whole number of at least 1"):
        latents.fit_density("neighbours", codes, k=0)
    with pytest.raises(DiaboloError, match="n must be a whole number of at least 1"):
        latents.fit_density("gaussian", codes).sample(0)
    with pytest.raises(DiaboloError, match="codes of 2 numbers, not 3"):
        latents.fit_density("gaussian", codes).log_prob(np.zeros((4, 3)))
    with pytest.raises(DiaboloError, match="not fitted yet"):
        DENSITIES["gaussian"]().sample(3)


def test_bic_and_not_aic_chooses_the_mixture():
    """Of one Gaussian in five dimensions, where a second component lowers AIC but not BIC."""
    codes = np.random.default_rng(3).standard_normal((150, 5)) @ np.diag([1, 2, 3, 4, 5.0])
    density = latents.fit_density("mixture", codes, components="bic")
    u = (codes - codes.mean(0)) / codes.std(0)
    seed = density.model.random_state
    tried = {k: GaussianMixture(k, random_state=seed).fit(u) for k in (1, 2, 5, 10, 20)}
    bic, aic = (min(tried, key=lambda k: getattr(tried[k], name)(u)) for name in ("bic", "aic"))
    assert bic != aic  # or this would show nothing
    assert density.setting["components"] == bic


def test_a_flow_keeps_the_weights_that_held_out_codes_were_likeliest_under(monkeypatch):
    """Scores of the held-out tenth are made to rise again after the third epoch: the flow must be that of three epochs."""
    codes, short = rings(300), {"transforms": 1, "hidden": 8}
    three = latents.fit_density("flow", codes, epochs=3, **short)
    isfinite, epochs = math.isfinite, []

    def spy(value):
        epochs.append(value)
        return isfinite(value)

    monkeypatch.setattr("diabolo.latents.densities.flow.math.isfinite", spy)
    low = iter([3.0, 2.0, 1.0, 5.0, 6.0, 7.0])
    monkeypatch.setattr("diabolo.latents.densities.flow.float", lambda _: next(low), raising=False)
    longer = latents.fit_density("flow", codes, epochs=6, **short)
    assert len(epochs) == 6
    assert longer.setting["epochs"] == 3
    np.testing.assert_array_equal(longer.log_prob(codes), three.log_prob(codes))
    low = iter([1.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
    assert latents.fit_density("flow", codes, epochs=50, **short).setting["epochs"] == 1
    assert next(low) == 10  # five epochs without a better one are enough


def test_a_flow_without_its_library_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zuko", None)
    with pytest.raises(DiaboloError, match=r"pip install 'diabolo\[flow\]'"):
        latents.fit_density("flow", rings(50))


def test_a_flow_that_diverges_says_so(monkeypatch):
    monkeypatch.setattr("diabolo.latents.densities.flow.float", lambda _: math.nan, raising=False)
    with pytest.raises(DiaboloError, match="the flow diverged"):
        latents.fit_density("flow", rings(50), epochs=1, transforms=1, hidden=4)


@pytest.mark.parametrize(
    ("name", "options", "width", "least"),
    [
        ("normal", {}, 4, 1),
        ("gaussian", {}, 4, 5),
        ("mixture", {"components": 3}, 4, 15),
        ("mixture", {"components": "bic"}, 4, 5),
        ("neighbours", {"k": 3}, 4, 4),
        ("flow", {"epochs": 1}, 4, 20),
        ("flow", {"epochs": 1}, 25, 26),
    ],
)
def test_the_fewest_codes(name, options, width, least):
    codes = np.random.default_rng(0).standard_normal((least, width))
    if least > 1:
        with pytest.raises(
            DiaboloError, match=f"over {width} dimensions needs {least} codes or more .* not {least - 1}"
        ):
            latents.fit_density(name, codes[:-1], **options)
    density = latents.fit_density(name, codes, **options)
    assert (density.setting["fitted_to"], density.setting["density"]) == (least, name)
    assert np.isfinite(density.log_prob(codes)).all()


def test_a_gaussian_is_shrunk_below_ten_codes_for_each_dimension():
    assert "shrinkage" in latents.fit_density("gaussian", rings(19)).setting
    assert "shrinkage" not in latents.fit_density("gaussian", rings(20)).setting


def test_only_some_of_many_codes_are_fitted_to():
    codes = rings(60)
    for name, options in (("mixture", {"components": 2}), ("flow", {"epochs": 1, "transforms": 1, "hidden": 4})):
        density = latents.fit_density(name, codes, 3, most=40, **options)
        taken = codes[np.random.default_rng(derive(3, name)).permutation(60)[:40]]
        assert density.setting["fitted_to"] == 40
        np.testing.assert_allclose(density.scale.mu, taken.mean(0))
        np.testing.assert_allclose(density.scale.sigma, taken.std(0))
    every, plain = (latents.fit_density("mixture", codes, 3, components=2, **most) for most in ({"most": 60}, {}))
    np.testing.assert_array_equal(every.log_prob(codes), plain.log_prob(codes))  # in the order in which they came
    few = latents.fit_density("mixture", codes, components=10, most=25)  # less than such a mixture needs
    assert few.setting == {"density": "mixture", "fitted_to": 60, "components": 10}
    assert latents.fit_density("mixture", codes, components="bic").setting["chosen_by"] == "BIC"


def test_a_scale_by_hand():
    scale = Scale.of(np.array([[1.0, 5.0, 0.0], [3.0, 5.0, 4e-7]]))
    assert scale.mu.tolist() == pytest.approx([2, 5, 2e-7])
    assert scale.sigma.tolist() == pytest.approx([1, 1e-6, 1e-6])
    assert scale.log_volume == pytest.approx(2 * math.log(1e-6))
    assert scale.back(scale.there(np.ones((1, 3)))).tolist() == [pytest.approx([1, 1, 1])]


def test_a_kernel_has_some_width_and_distances_may_come_in_pieces(monkeypatch):
    codes = np.array([[0.0], [1e-12], [1.0], [3.0]])
    density = latents.fit_density("neighbours", codes, k=1)
    assert density.sigma.tolist() == pytest.approx([2e-6, 2e-6, 1, 2])
    assert density.setting == {"density": "neighbours", "fitted_to": 4, "k": 1, "scale": 1.0}
    points = np.linspace(-1, 4, 9)[:, None]
    kernels = [stats.norm(c, s).logpdf(points[:, 0]) for c, s in zip(codes[:, 0], density.sigma, strict=True)]
    wanted = logsumexp(kernels, 0) - math.log(4)
    np.testing.assert_allclose(density.log_prob(points), wanted)
    monkeypatch.setattr("diabolo.latents.densities.gaussian.PAIRS", 9)
    np.testing.assert_allclose(density.log_prob(points), wanted)


def test_a_dead_direction_of_a_gaussian_has_a_millionth_of_the_widest():
    line = np.linspace(-1, 1, 40)[:, None] * [3.0, 4.0]
    density = latents.fit_density("gaussian", line)
    assert density.variances.min() == pytest.approx(1e-12 * density.variances.max())


def test_samples_of_a_mixture_are_scikit_learns_in_another_order():
    density = latents.fit_density("mixture", rings(), components=3)
    drawn = density.sample(20, seed=5)
    other = copy.deepcopy(density.model).set_params(random_state=derive(5, "density") % 2**32)
    wanted = density.scale.back(other.sample(20)[0])
    np.testing.assert_allclose(np.sort(drawn, 0), np.sort(wanted, 0))
    order = np.random.default_rng(derive(5, "order")).permutation(20)
    np.testing.assert_allclose(drawn, wanted[order])


class Point(torch.nn.Module):
    """A flow of one weight, which notes how many codes it sees at a time."""

    def __init__(self):
        super().__init__()
        self.weight, self.seen = torch.nn.Parameter(torch.zeros(1)), []

    def forward(self):
        return self

    def log_prob(self, z):
        self.seen.append(len(z))
        return -(z - self.weight).square().sum(1)


@pytest.mark.parametrize(
    ("n", "batch"), [(5, 1), (15, 1), (16, 2), (71, 8), (72, 9), (2047, 255), (2048, 256), (2072, 256), (4096, 256)]
)
def test_a_flow_learns_from_an_eighth_of_the_codes_at_a_time_and_from_256_at_most(n, batch):
    flow = Flow(epochs=1)
    flow.model = Point()
    assert flow._train(torch.ones(n, 1), torch.ones(3, 1)) == 1
    whole, rest = divmod(n, batch)
    assert flow.model.seen == [*[batch] * whole, *[rest] * bool(rest), 3]
    assert flow.model.weight.dtype == torch.float64


def test_nearly_the_same_codes_have_nearly_the_same_samples():
    """Also where all directions have one variance, whose axes are arbitrary."""
    z = np.random.default_rng(0).standard_normal((400, 6))
    z -= z.mean(0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T  # covariance I
    near = z + 1e-7 * np.random.default_rng(1).standard_normal(z.shape)
    one, other = (DENSITIES["gaussian"]().fit(codes).sample(50, seed=3) for codes in (z, near))
    assert np.asarray(one) == pytest.approx(np.asarray(other), abs=1e-5)
