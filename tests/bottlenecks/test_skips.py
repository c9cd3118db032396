"""What goes around the bottleneck: beside the code, and out of the bottleneck's sight."""

import pytest
import torch

from diabolo.bottlenecks import FeatureMap, Gaussian, Identity, Nothing, Sparse, VectorQuantizer, WithSkips, around
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator


def draws():
    return Draws(generator(0, "test"))


class Encoder:
    features, skip_features = 5, 2


def test_the_skips_stand_after_the_code():
    torch.manual_seed(0)
    inner, features = Sparse(5, 3), torch.randn(4, 7)
    waist, own = around(Encoder, inner), inner(features[:, :5], draws())
    latent = waist(features, draws())
    assert waist.latent_shape == (5,)
    assert torch.equal(latent.z, torch.cat([own.z, features[:, 5:]], 1))
    assert latent.code is latent.z
    assert torch.equal(latent.penalties["l1"], own.penalties["l1"])
    drawn = waist.prior(6, draws(), torch.device("cpu"))
    assert torch.equal(drawn[:, :3], inner.prior(6, draws(), torch.device("cpu")))
    assert drawn.shape == (6, 5)
    assert not drawn[:, 3:].any()
    seen = []
    inner.begin = lambda features, draws: seen.append(features())
    waist.begin(lambda: features, draws())
    assert torch.equal(seen[0], features[:, :5])


def test_the_inner_bottleneck_has_its_own_part_of_the_latent():
    torch.manual_seed(0)
    waist = WithSkips(Gaussian(5, 3, free_bits=0.5), 5, 2)
    features = torch.randn(4, 7)
    latent = waist(features, draws())
    assert torch.equal(latent.code[:, :3], latent.posterior[0])
    assert not torch.equal(latent.z[:, :3], latent.code[:, :3])
    (bent,) = waist.across(features, latent, features, torch.nn.Identity(), draws(), 0.0).values()
    mu, logvar = latent.posterior
    per_unit = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(0)
    assert bent.tolist() == pytest.approx([per_unit.clamp(min=0.5).sum().item()] * 4)
    assert waist.diagnose(features, latent).values["active_units"] == int((mu.var(0, correction=0) > 0.01).sum())
    assert waist.schedules == waist.inner.schedules


def test_without_skips_it_is_the_bottleneck_itself_and_discrete_codes_have_none():
    inner = Identity(5, 3)
    assert around(object(), inner) is inner
    with pytest.raises(DiaboloError, match=r"around its discrete codes.*--no-skips"):
        around(Encoder, VectorQuantizer((5, 1, 1), 2, codes=4))


def test_a_map_is_the_code_as_it_is():
    waist, features = FeatureMap((3, 2, 2)), torch.randn(4, 12)
    assert torch.equal(waist(features, draws()).code, features.view(4, 3, 2, 2))
    assert waist.prior(5, draws(), torch.device("cpu")).shape == (5, 3, 2, 2)


def test_nothing_is_sure_of_itself():
    waist, features = Nothing(), torch.randn(4, 7)
    latent, posterior = waist(features, draws()), waist.posterior(features)
    z = waist.draw(posterior, draws(), 3)
    assert latent.code.shape == (4, 0) == (4, *waist.latent_shape)
    assert z.shape == (4, 3, 0)
    assert waist.log_prior(z).tolist() == waist.log_posterior(z, posterior).tolist() == [[0] * 3] * 4
