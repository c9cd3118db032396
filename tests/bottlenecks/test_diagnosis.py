"""What is said of a bottleneck, on codes made so that it is known."""

import pytest
import torch

from diabolo.bottlenecks.diagnosis import DUPLICATE, FEW, MOST, of_posterior, of_units


def codes(n=200, units=8, seed=0):
    return torch.randn(n, units, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_dead_units_are_those_that_hardly_vary_beside_the_liveliest():
    z = codes() * torch.tensor([1, 1, 1, 1, 1, 0.02, 0.005, 0.0]) + 3
    found = of_units(z)
    assert found.values == {"dead_units": 2, "duplicate_units": 0}
    assert "2 of 8 units of the code are dead" in found.findings[0].evidence
    assert list(found.findings[0].remedies) == ["sparsity", "active", "rate_weight", "lr", "latent_dim"]
    assert of_units(1e-5 * z).values == found.values
    assert of_units(1e-25 * z.float()).values == found.values  # whose squares float32 does not hold
    assert not of_units(codes()).findings


def test_duplicates_repeat_another_unit_with_either_sign():
    z = codes()
    z[:, 3], z[:, 5] = 2 * z[:, 1] + 4, -z[:, 1]
    assert of_units(z).values == {"dead_units": 0, "duplicate_units": 2}
    near = codes()
    near[:, 3] = near[:, 1] + 0.1 * near[:, 3]
    assert float(torch.corrcoef(near.T)[1, 3]) < DUPLICATE
    assert of_units(near).values["duplicate_units"] == 0
    assert of_units(z[: FEW - 1]).values["duplicate_units"] == 0  # of so few, correlations mean nothing
    assert of_units(z[:FEW]).values["duplicate_units"] == 2


def test_one_bad_unit_of_four_is_worth_a_word_and_one_of_eight_is_not():
    z = codes() * torch.tensor([1.0] * 7 + [0.0])
    assert not of_units(z).findings
    assert of_units(z[:, 4:]).findings
    assert of_units(z[:, 6:]).values["dead_units"] == 1


def test_units_of_maps_are_their_channels():
    z = codes(50 * 4, 6).reshape(50, 2, 2, 6).movedim(3, 1)
    z[:, 2] = 0
    assert of_units(z).values["dead_units"] == 1


def test_collapsed_units_are_counted_by_the_variance_of_their_means():
    mu = codes(1000, 4) * torch.tensor([1.0, 0.5, 0.05, 0.0])
    kl = torch.tensor([2.0, 1.0, 0.3, 0.00123456]).expand(1000, 4)
    found = of_posterior(mu, kl)
    assert found.values == {"active_units": 2, "kl_per_unit": pytest.approx([2.0, 1.0, 0.3, 0.001235])}
    (finding,) = found.findings
    assert finding.key == "inactive-units"
    assert "2 of 4 units of the code are inactive" in finding.evidence
    assert "their KL is at most 0.3 nats" in finding.evidence
    assert finding.remedies["free_bits"] == "--free-bits 0.1"
    assert not of_posterior(mu[:, :2], kl[:, :2]).findings


def test_equal_codes_are_dead_whatever_their_value():
    assert of_units(torch.full((50, 3), 0.1)).values["dead_units"] == 3  # whose mean float32 would round


def test_a_correlation_counts_from_so_many_codes_on_and_up_to_so_many_units():
    same = torch.randn(FEW, 1, generator=torch.Generator().manual_seed(0)).repeat(1, 4)
    assert of_units(same).values == {"dead_units": 0, "duplicate_units": 3}
    assert of_units(same[:-1]).values == {"dead_units": 0, "duplicate_units": 0}
    assert of_units(same[:, :1].repeat(1, MOST)).values["duplicate_units"] == MOST - 1
    assert of_units(same[:, :1].repeat(1, MOST + 1)).values["duplicate_units"] == 0


def test_dead_and_repeated_units_count_together_from_a_quarter_on():
    code = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
    code[:, 0] = 3
    assert of_units(code).findings == ()
    code[:, 1] = -2 * code[:, 2]
    (found,) = of_units(code).findings
    assert found.evidence == ("1 of 8 units of the code are dead (the same for every image) and 1 repeat another")
    assert (found.key, found.early) == ("dead-units", False)


def test_a_unit_at_a_hundredth_of_the_liveliest_is_dead():
    sign = torch.tensor([1.0, -1.0]).repeat(8)[:, None].double()
    assert of_units(sign * torch.tensor([1.0, 0.01, 0.0101])).values["dead_units"] == 1


@pytest.mark.parametrize(
    ("units", "idle", "told"), [(4, 1, True), (8, 1, False), (8, 2, True), (3, 0, False), (1, 1, True)]
)
def test_a_quarter_of_inactive_units_is_worth_a_word(units, idle, told):
    mu = torch.randn(50, units, generator=torch.Generator().manual_seed(0))
    mu[:, :idle] *= 1e-3
    kl = torch.full((50, units), 2.0)
    kl[:, :idle] = 0.0123
    found = of_posterior(mu, kl)
    assert found.values["active_units"] == units - idle
    assert found.values["kl_per_unit"] == pytest.approx([0.0123] * idle + [2.0] * (units - idle))
    assert bool(found.findings) == told
    if told:
        assert found.findings[0].evidence.startswith(f"{idle} of {units} units of the code are inactive")
        assert "their KL is at most 0.012 nats" in found.findings[0].evidence


def test_the_variance_of_a_mean_is_over_these_images():
    """±0.08 has the variance 0.0064, and by one image fewer 0.0128."""
    assert of_posterior(torch.tensor([[0.08], [-0.08]]), torch.ones(2, 1)).values["active_units"] == 0
    assert of_posterior(torch.tensor([[0.11], [-0.11]]), torch.ones(2, 1)).values["active_units"] == 1
