import pytest
import torch

from diabolo.bottlenecks import Identity
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws


def test_the_code_is_a_linear_map_without_penalty():
    features = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    bottleneck = Identity(10, 3)
    latent = bottleneck(features, Draws())
    wanted = features @ bottleneck.to_code.weight.T + bottleneck.to_code.bias
    assert torch.allclose(latent.z, wanted, atol=1e-6)
    assert torch.equal(latent.code, latent.z)
    assert latent.penalties == bottleneck.weights == bottleneck.units == {}
    assert bottleneck.latent_shape == (3,)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_codes_are_float32(dtype):
    assert Identity(10, 3).to(dtype)(torch.zeros(2, 10, dtype=dtype), Draws()).z.dtype == torch.float32


def test_no_code_is_refused():
    with pytest.raises(DiaboloError, match="latent_dim must be a whole number of at least 1, not 0"):
        Identity(10, 0)
