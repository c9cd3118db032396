"""Two processes that measure their own images, and join what they found, have what one process has that measures them all."""

import pytest

RECONSTRUCTION = """
from torchmetrics import MeanSquaredError

from diabolo import distributed
from diabolo.metrics.reconstruction import Totals, per_image

g = torch.Generator().manual_seed(0)
x, x_hat = (torch.rand(11, 1, 28, 28, generator=g) for _ in range(2))
theirs = MeanSquaredError().set_dtype(torch.float64)  # which joins the processes itself
for mine in (distributed.mine(11), slice(0, 9) if rank == 0 else slice(9, 11)):
    first, rest = x[mine].split([1, len(x[mine]) - 1]), x_hat[mine].split([1, len(x[mine]) - 1])
    batches = [Totals.of(*few) for few in zip(first, rest)]
    joint, whole = (batches[0] + batches[1]).over_processes(), Totals.of(x, x_hat)
    assert joint.images == 11
    for name, value in whole.sums.items():
        assert torch.allclose(joint.sums[name], value, rtol=1e-9), name
    for name in ("variance", "variance_per_pixel", "error_over_variance", "unexplained"):
        assert abs(getattr(joint, name) - getattr(whole, name)) < 1e-12, name
    theirs.reset()
    theirs.update(x_hat[mine].double(), x[mine].double())
    assert abs(float(joint.mean("mse")) - float(theirs.compute())) < 1e-12
each, whole = per_image(x[mine], x_hat[mine]), per_image(x, x_hat)
for name, values in whole.items():
    assert torch.allclose(distributed.rows(each[name]), values, rtol=1e-6), name
"""

GENERATION = """
from torchmetrics.image.fid import FrechetInceptionDistance

from diabolo import distributed
from diabolo.metrics.generation import Moments, fid, frechet_distance


class Flat(torch.nn.Module):
    num_features = 12

    def forward(self, x):
        return x.flatten(1)


g = torch.Generator().manual_seed(0)
real, made = (torch.rand(n, 3, 2, 2, dtype=torch.float64, generator=g) ** (1 + i) for i, n in enumerate((301, 250)))
theirs = FrechetInceptionDistance(Flat(), normalize=True, input_img_size=(3, 2, 2)).set_dtype(torch.float64)
joint = []
for images in (made, real):
    own = images[distributed.mine(len(images))]
    theirs.update(own, real=images is real)
    pieces = [Moments.of(few.flatten(1).numpy()) for few in own.split(40)]
    joint.append(sum(pieces[1:], pieces[0]).over_processes())
    whole = Moments.of(images.flatten(1).numpy())
    assert joint[-1].n == len(images)
    np.testing.assert_allclose(joint[-1].mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(joint[-1].scatter, whole.scatter, rtol=1e-10, atol=1e-12)
found = frechet_distance(*joint)
assert abs(found - fid(made.flatten(1), real.flatten(1)).value) < 1e-10 * found
assert abs(found - float(theirs.compute())) < 1e-6 * found
far = np.random.default_rng(0).standard_normal((90, 4)) + 1e6  # where a sum of squares in one go loses its digits
joint = Moments.of(far[:60] if rank == 0 else far[60:]).over_processes()
np.testing.assert_allclose(joint.covariance, np.cov(far.T), rtol=1e-6, atol=1e-8)
"""

LIKELIHOOD = """
from diabolo import distributed, zoo
from diabolo.data import Images
from diabolo.metrics import elbo_terms, negative_elbo, nll

g = torch.Generator().manual_seed(0)
pixels = torch.randint(0, 256, (13, 1, 8, 8), generator=g, dtype=torch.uint8)
images = Images(pixels.numpy(), labels=np.arange(13) % 10)


def all_of(found):
    return found if isinstance(found, dict) else {"": found}


for name, options in (
    ("vae", {"hidden": (16,), "likelihood": "gaussian"}), ("iwae", {"hidden": (16,), "observation": "binarised"}),
    ("cvae", {"net": "conv", "channels": (4, 4)}),
):
    torch.manual_seed(0)
    model = zoo.build(name, (1, 8, 8), latent_dim=3, **options)
    for measure, samples, rows in ((nll, 50, None), (nll, 50, 8), (negative_elbo, 5, 15), (elbo_terms, 3, 15)):
        with distributed.alone():
            wanted = all_of(measure(model, images, samples, rows=rows))
        for own in (distributed.mine(13), slice(0, 4) if rank == 0 else slice(4, 13)):
            found = all_of(measure(model, images, samples, rows=rows, only=own))
            for key, part in found.items():
                assert len(part.per_image) == own.stop - own.start
                joint = part.over_processes()
                assert torch.equal(joint.per_image, wanted[key].per_image), (name, measure, own)
                assert torch.equal(joint.effective, wanted[key].effective)
                assert joint.record() == wanted[key].record()
"""

USAGE = """
import math

from diabolo import distributed
from diabolo.bottlenecks.gaussian import kl_per_unit, kl_to_standard_normal
from diabolo.bottlenecks.quantizer import counts_of
from diabolo.metrics import active_units, codebook_use
from diabolo.metrics.generation import Moments
from diabolo.metrics.usage import effective_dimensions, live_units

g = torch.Generator().manual_seed(0)
mu = torch.randn(41, 5, dtype=torch.float64, generator=g) * torch.tensor([1.0, 0.5, 0.3, 0.02, 0.0])
mu[20:, 3] += 1.0  # its mean differs between the processes, and it varies within neither of them
logvar = torch.randn(41, 5, dtype=torch.float64, generator=g)
mine = distributed.mine(41)
joint = distributed.rows(mu[mine]), distributed.rows(logvar[mine])
assert torch.equal(joint[0], mu) and torch.equal(joint[1], logvar)
assert active_units(joint[0].numpy()).tolist() == active_units(mu.numpy()).tolist() == [True, True, True, True, False]
assert active_units(mu[mine].numpy()).tolist() != active_units(mu.numpy()).tolist()
assert live_units(joint[0].numpy()).tolist() == live_units(mu.numpy()).tolist()
assert effective_dimensions(joint[0].numpy()) == effective_dimensions(mu.numpy())
variance = Moments.of(mu[mine].numpy()).over_processes().scatter.diagonal() / 41  # of codes too many to be joined
np.testing.assert_allclose(variance, mu.numpy().var(0), rtol=1e-12, atol=1e-12)

assert torch.allclose(distributed.total(kl_per_unit(mu[mine], logvar[mine]).sum(0)) / 41, kl_per_unit(mu, logvar).mean(0),
                      rtol=1e-12)
bits = distributed.rows(kl_to_standard_normal(mu[mine], logvar[mine])) / math.log(2)  # the rate of a VAE
assert torch.equal(bits, kl_to_standard_normal(mu, logvar) / math.log(2))

indices = torch.randint(0, 12, (41, 3, 3), generator=g)
indices[:20] //= 2  # the processes use other codes
counts = distributed.total(counts_of(indices[mine], 16))
assert codebook_use(counts.numpy()) == codebook_use(counts_of(indices, 16).numpy())
assert codebook_use(counts_of(indices[mine], 16).numpy()) != codebook_use(counts.numpy())
"""


@pytest.mark.parametrize(
    "script",
    [RECONSTRUCTION, GENERATION, LIKELIHOOD, USAGE],
    ids=["reconstruction", "generation", "likelihood", "usage and rate"],
)
def test_two_processes_find_what_one_would(script, in_two):
    in_two(script)
