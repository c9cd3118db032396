"""What goes around the bottleneck: beside the code, and out of the bottleneck's sight."""

import pytest
import torch

from diabolo.bottlenecks import (
    FSQ,
    Contractive,
    ContractiveLayer,
    FeatureMap,
    Gaussian,
    Identity,
    KLSparse,
    Latent,
    Nothing,
    Regularised,
    Sparse,
    TopK,
    VectorQuantizer,
    WithSkips,
    around,
)  # fmt: skip
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator


def draws():
    return Draws(generator(0, "test"))


class Encoder:
    features, skip_features = 5, 2


def test_the_skips_stand_after_the_code():
    torch.manual_seed(0)
    inner, features = Sparse(5, 3), torch.randn(4, 7)
    bottleneck, own = around(Encoder, inner), inner(features[:, :5], draws())
    latent = bottleneck(features, draws())
    assert bottleneck.latent_shape == (5,)
    assert torch.equal(latent.z, torch.cat([own.z, features[:, 5:]], 1))
    assert latent.code is latent.z
    assert torch.equal(latent.penalties["l1"], own.penalties["l1"])
    drawn = bottleneck.prior(6, draws(), torch.device("cpu"))
    assert torch.equal(drawn[:, :3], inner.prior(6, draws(), torch.device("cpu")))
    assert drawn.shape == (6, 5)
    assert not drawn[:, 3:].any()
    seen = []
    inner.initialise = lambda features, draws: seen.append(features())
    bottleneck.initialise(lambda: features, draws())
    assert torch.equal(seen[0], features[:, :5])


def test_the_inner_bottleneck_has_its_own_part_of_the_latent():
    torch.manual_seed(0)
    bottleneck = WithSkips(Gaussian(5, 3, free_bits=0.5), 5, 2)
    features = torch.randn(4, 7)
    latent = bottleneck(features, draws())
    assert torch.equal(latent.code[:, :3], latent.posterior[0])
    assert not torch.equal(latent.z[:, :3], latent.code[:, :3])
    (bent,) = bottleneck.batch_penalties(features, latent, features, torch.nn.Identity(), draws(), 0.0).values()
    mu, logvar = latent.posterior
    per_unit = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(0)
    assert bent.tolist() == pytest.approx([per_unit.clamp(min=0.5).sum().item()] * 4)
    assert bottleneck.diagnose(features, latent).values["active_units"] == int((mu.var(0, correction=0) > 0.01).sum())
    assert bottleneck.schedules == bottleneck.inner.schedules


def test_without_skips_it_is_the_bottleneck_itself_and_discrete_codes_have_none():
    inner = Identity(5, 3)
    assert around(object(), inner) is inner
    with pytest.raises(DiaboloError, match=r"around its discrete codes.*--no-skips"):
        around(Encoder, VectorQuantizer((5, 1, 1), 2, codes=4))


def test_a_map_is_the_code_as_it_is():
    bottleneck, features = FeatureMap((3, 2, 2)), torch.randn(4, 12)
    assert torch.equal(bottleneck(features, draws()).code, features.view(4, 3, 2, 2))
    assert bottleneck.prior(5, draws(), torch.device("cpu")).shape == (5, 3, 2, 2)


def test_nothing_is_sure_of_itself():
    bottleneck, features = Nothing(), torch.randn(4, 7)
    latent, posterior = bottleneck(features, draws()), bottleneck.posterior(features)
    z = bottleneck.draw(posterior, draws(), 3)
    assert latent.code.shape == (4, 0) == (4, *bottleneck.latent_shape)
    assert z.shape == (4, 3, 0)
    assert bottleneck.log_prior(z).tolist() == bottleneck.log_posterior(z, posterior).tolist() == [[0] * 3] * 4


def test_a_latent_of_somebody_else_is_taken_apart_by_its_width():
    torch.manual_seed(0)
    inner, features = KLSparse(5, 3), torch.randn(4, 7)
    bottleneck = WithSkips(inner, 5, 2)
    latent = bottleneck(features, draws())
    plain = Latent(latent.z, latent.code)
    ours, theirs = (
        bottleneck.batch_penalties(features, one, features, torch.nn.Identity(), draws(), 0.0)["kl_rate"]
        for one in (plain, latent)
    )
    assert torch.equal(ours, theirs)
    assert bottleneck.diagnose(features, plain).values == {}  # nothing is known of what was inside
    assert (
        bottleneck.diagnose(features, latent).values
        == inner.diagnose(features[:, :5], inner(features[:, :5], draws())).values
    )


def test_a_map_beside_skips_is_laid_flat():
    bottleneck, features = WithSkips(FeatureMap((3, 1, 2)), 6, 2), torch.randn(4, 8)
    assert bottleneck.latent_shape == (8,)
    assert torch.equal(bottleneck(features, draws()).z, features)


def test_around_another_it_says_what_that_says():
    inner = Contractive(5, 3)
    bottleneck = WithSkips(inner, 5, 2)
    for name in ("weights", "units", "logged", "differentiates", "schedules"):
        assert getattr(bottleneck, name) == getattr(inner, name)
    assert bottleneck.prepare_input(torch.zeros(1, 5)).requires_grad


BOTTLENECKS = {
    "identity": lambda: Identity(4, 3), "map": lambda: FeatureMap((4, 1, 1)), "nothing": Nothing,
    "sparse": lambda: Sparse(4, 3), "top-k": lambda: TopK(4, 3, 2), "kl-sparse": lambda: KLSparse(4, 3),
    "contractive": lambda: Contractive(4, 3), "contractive-layer": lambda: ContractiveLayer(4, 3),
    "gaussian": lambda: Gaussian(4, 3), "regularised": lambda: Regularised(4, 3),
    "fsq": lambda: FSQ((4, 1, 1), (5, 4)), "vq": lambda: VectorQuantizer((4, 1, 1), 3, codes=4),
    "skips": lambda: WithSkips(Identity(3, 3), 3, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", BOTTLENECKS)
def test_codes_and_penalties_are_float32_of_features_in_half_precision(name):
    bottleneck, features = BOTTLENECKS[name](), torch.randn(6, 4).bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        latent = bottleneck(features, draws())
    assert {value.dtype for value in (latent.z, latent.code, *latent.penalties.values())} == {torch.float32}
    assert latent.z.shape == latent.code.shape == (6, *bottleneck.latent_shape)
    assert all(value.shape == (6,) for value in latent.penalties.values())
    assert latent.z.requires_grad
    assert latent.code.requires_grad is not bottleneck.discrete  # indices have no gradient
