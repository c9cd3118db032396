"""The vector quantiser against vector-quantize-pytorch on the same inputs, and against what the paper says of each term."""

import math

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from vector_quantize_pytorch import VectorQuantize

from diabolo import likelihoods, nets, objectives
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import VectorQuantizer, quantizer_vq
from diabolo.bottlenecks.quantizer import perplexity, rows_of
from diabolo.bottlenecks.quantizer_vq import LENGTH, TINY, kmeans, nearest, rotation, straight_through
from diabolo.errors import DiaboloError, NoPriorError, UnknownNameError
from diabolo.randomness import Draws, generator

N, C, H, W, D, K = 6, 5, 3, 4, 7, 11


def bottleneck(seed=0, **options):
    torch.manual_seed(seed)
    vq = VectorQuantizer((C, H, W), D, K, **({"restart": 0.0, "kmeans": False} | options))
    with torch.no_grad():
        vq.vectors.data.normal_(generator=generator(seed, "codebook"))
        if vq.ema:
            vq.share.copy_(torch.rand(K, generator=generator(seed, "share")) + 0.1)
            vq.moment.copy_(vq.vectors * vq.share[:, None])
    return vq


def features(seed=0, n=N):
    return 2 * torch.randn(n, C * H * W, generator=generator(seed, "features"))


def draws(seed=0):
    return Draws(generator(seed, "draws"))


def reference(vq, **options):
    """The same quantiser by vector-quantize-pytorch: same codebook, same averages (its counts are per batch, ours shares)."""
    m = N * H * W
    other = VectorQuantize(D, K, decay=vq.decay, eps=TINY * m, accept_image_fmap=True, **options)
    book = other._codebook
    book.initted.fill_(True)
    book.embed.data.copy_(vq.vectors.detach()[None])
    if vq.ema:
        book.cluster_size.data.copy_(vq.share[None] * m)
        book.embed_avg.data.copy_(vq.moment[None] * m)
    return other.train()


@pytest.mark.parametrize("estimator", ["straight-through", "rotation"])
@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_values_and_gradients_are_those_of_vector_quantize_pytorch(codebook, estimator):
    vq = bottleneck(codebook=codebook, estimator=estimator, decay=0.8)
    rotates = {"rotation_trick": estimator == "rotation"}
    learns = {"learnable_codebook": True, "ema_update": False} if codebook == "loss" else {}
    other = reference(vq, commitment_weight=0.7, **rotates, **learns)
    x = features()
    one = vq.unquantised(x).detach().requires_grad_()
    two = one.detach().clone().requires_grad_()
    vq.unquantised = lambda _: one
    latent = vq(x, draws())
    q, indices, loss = other(two)
    assert torch.equal(vq.indices_of(one), indices) or codebook == "ema"  # an EMA codebook has moved by now
    torch.testing.assert_close(latent.z, q, rtol=1e-4, atol=1e-5)
    slope = torch.randn(latent.z.shape, generator=generator(1))
    penalties = 0.7 * sum(p.mean() for p in latent.penalties.values())  # each has the gradient of one side
    ((latent.z * slope).sum() + penalties).backward()
    ((q * slope).sum() + loss.sum()).backward()
    torch.testing.assert_close(one.grad, two.grad, rtol=1e-4, atol=1e-5)
    if codebook == "loss":
        torch.testing.assert_close(vq.vectors.grad, other._codebook.embed.grad[0], rtol=1e-4, atol=1e-6)


def test_the_moving_averages_are_those_of_vector_quantize_pytorch():
    vq = bottleneck(decay=0.9)
    other = reference(vq)
    for seed in range(5):
        z = vq.unquantised(features(seed)).detach()
        latent = vq(features(seed), draws())
        q, _, _ = other(z)
        torch.testing.assert_close(latent.code, q.detach(), rtol=1e-4, atol=1e-5)
    m = N * H * W
    torch.testing.assert_close(vq.vectors, other._codebook.embed[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(vq.share * m, other._codebook.cluster_size[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(vq.moment * m, other._codebook.embed_avg[0], rtol=1e-4, atol=1e-5)


def test_each_term_moves_its_own_side():
    vq = bottleneck(codebook="loss")
    latent = vq(features(), draws())
    side = {"codebook": vq.vectors, "commitment": vq.to_code.weight}
    for term, values in latent.penalties.items():
        for name, parameter in side.items():
            (grad,) = torch.autograd.grad(values.sum(), parameter, retain_graph=True, allow_unused=True)
            assert (grad is not None and bool(grad.any())) == (name == term)
    assert torch.autograd.grad(latent.z.sum(), vq.vectors, allow_unused=True) == (None,)


def test_penalties_and_nearest_codes_in_float64():
    vq = bottleneck()
    z = rows_of(vq.unquantised(features())).detach().double()
    distances = (z[:, None] - vq.vectors.double()).square().sum(2)
    best = distances.min(1)
    latent = vq.eval()(features(), draws())
    torch.testing.assert_close(
        latent.penalties["commitment"].double(), best.values.view(N, -1).sum(1) / (D * H * W), rtol=1e-5, atol=0
    )
    assert torch.equal(vq.indices(features()).flatten(), best.indices)
    counts = best.indices.bincount(minlength=K).double()
    p = counts[counts > 0] / counts.sum()
    assert latent.logged["perplexity"].item() == pytest.approx(math.exp(-(p * p.log()).sum()), rel=1e-5)
    assert latent.logged["used_codes"].item() == len(p)
    assert tuple(latent.logged) == vq.logged


def test_the_value_passed_on_is_the_code_itself():
    z, q = torch.randn(2, 50, 4, generator=generator(0)).unbind(0)
    assert torch.equal(straight_through(z, q), q)
    torch.testing.assert_close(rotation(z, q), q, rtol=1e-4, atol=1e-5)


def test_rotation_keeps_angles():
    # the gradient at q turned back by the rotation that takes z to q: its angle to z is that to q
    z, q, slope = torch.randn(3, 200, 5, generator=generator(0), dtype=torch.float64).unbind(0)
    z.requires_grad_()
    (grad,) = torch.autograd.grad((rotation(z, q) * slope).sum(), z)
    cosine = torch.nn.functional.cosine_similarity
    torch.testing.assert_close(cosine(grad, z), cosine(slope, q), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(grad.norm(dim=1) / slope.norm(dim=1), q.norm(dim=1) / z.norm(dim=1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("where", ["z", "q", "both", "opposite"])
def test_rotation_of_nothing_stays_finite(where):
    z, q = torch.ones(2, 3, 4).unbind(0)
    z, q = z * (where not in ("z", "both")), q * (where not in ("q", "both")) * (-1 if where == "opposite" else 1)
    z = z.clone().requires_grad_()
    passed = rotation(z, q)
    torch.testing.assert_close(passed, q)
    (passed * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert z.grad.norm(dim=1).tolist() == pytest.approx([30**0.5] * 3)  # as long as it was, be it rotated or not


def test_the_shortest_vectors_that_are_rotated():
    for length, rotated in ((LENGTH, True), (0.999 * LENGTH, False)):
        z = torch.tensor([[length, 0.0]], dtype=torch.float64).requires_grad_()
        (grad,) = torch.autograd.grad(rotation(z, torch.tensor([[0.0, 1.0]], dtype=torch.float64))[0, 1], z)
        torch.testing.assert_close(
            grad, torch.tensor([[1 / length, 0.0] if rotated else [0.0, 1.0]], dtype=torch.float64)
        )


def test_rotation_of_nothing_beside_others_leaves_them_as_they_are():
    z, q = torch.randn(2, 5, 4, generator=generator(0), dtype=torch.float64).unbind(0)
    z[2], q[3] = 0, 0
    z.requires_grad_()
    passed = rotation(z, q)
    torch.testing.assert_close(passed, q)
    (grad,) = torch.autograd.grad(passed.square().sum(), z)
    assert torch.equal(grad[2:4], 2 * q[2:4])  # straight through
    torch.testing.assert_close(grad[0].norm(), 2 * q[0].norm() ** 2 / z[0].norm())


def test_codes_and_indices_go_back_and_forth():
    vq = bottleneck().eval()
    indices = torch.randint(K, (N, H, W), generator=generator(0))
    codes = vq.codes_of(indices)
    assert codes.shape == (N, *vq.latent_shape)
    assert torch.equal(codes[1, :, 2, 3], vq.vectors[indices[1, 2, 3]])
    assert torch.equal(vq.indices_of(codes), indices)
    latent = vq(features(), draws())
    assert torch.equal(vq.codes_of(vq.indices(features())), latent.code)
    assert vq.discrete


def test_nothing_moves_in_evaluation():
    vq = bottleneck(restart=0.9).eval()
    before = {name: t.clone() for name, t in vq.state_dict().items()}
    vq(features(), draws())
    assert all(torch.equal(t, before[name]) for name, t in vq.state_dict().items())


# --- k-means, restarts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_k_means_finds_the_clusters(codebook):
    vq = bottleneck(codebook=codebook, kmeans=True)
    centres = 20 * torch.randn(3, D, generator=generator(1))
    vq.codes = 3
    vq.vectors.data, vq.share = vq.vectors.data[:3], vq.share[:3]
    if vq.ema:
        vq.moment = vq.moment[:3]
    z = centres[torch.arange(N * H * W) % 3].view(N, H, W, D).permute(0, 3, 1, 2)
    z = z + 0.01 * torch.randn(z.shape, generator=generator(2))
    vq.unquantised = lambda _: z
    for seed in range(20):  # Lloyd finds the best from most starts, not from all
        vq.initialise(lambda: z, draws(seed))
        found = torch.cdist(centres, vq.vectors.detach()).min(1).values
        if found.max() < 0.1:
            break
    assert found.max() < 0.1
    assert torch.allclose(vq.share, torch.tensor(1 / K))
    if vq.ema:
        torch.testing.assert_close(vq.moment / vq.share[:, None], vq.vectors)


def test_a_codebook_larger_than_the_vectors_is_refused():
    vq = bottleneck(kmeans=True)
    with pytest.raises(DiaboloError, match=r"a codebook of 11 codes is larger than the 0 vectors"):
        vq.initialise(lambda: features(n=0), draws())
    vq = VectorQuantizer((C, 1, 1), D, 300)
    with pytest.raises(DiaboloError, match=r"300 codes is larger than the 6 vectors"):
        vq.initialise(lambda: torch.randn(6, C), draws())


@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_a_dead_code_begins_anew_and_forgets_what_it_was(codebook):
    vq = bottleneck(codebook=codebook, restart=0.5, decay=0.99)
    with torch.no_grad():
        vq.share.fill_(1 / K)
        vq.share[3], vq.share[7] = 0.4 / K, 0.0
        vq.vectors[[3, 7]] = 1e4  # so far away that nothing goes there
        if vq.ema:
            vq.moment[[3, 7]] = 1e4
    before, z = vq.vectors.detach().clone(), rows_of(vq.unquantised(features())).detach()
    vq._restart(z, draws())
    revived = torch.tensor([k in (3, 7) for k in range(K)])
    assert torch.equal(vq.vectors[~revived], before[~revived])
    for k in (3, 7):
        assert (z == vq.vectors[k]).all(1).any()  # one of the batch's own vectors
        assert vq.share[k].item() == pytest.approx(0.5 / K)
        if vq.ema:
            torch.testing.assert_close(vq.moment[k], vq.vectors[k] * 0.5 / K)
    assert not torch.equal(vq.vectors[3], vq.vectors[7])
    latent = vq(features(), draws())  # and a step later nothing of the old remains
    assert vq.vectors[revived].abs().max() < 100
    assert latent.logged["used_codes"] > 2


def test_restarts_bring_a_dead_codebook_to_life():
    def used(restart):
        vq = bottleneck(restart=restart, decay=0.9)
        with torch.no_grad():
            vq.vectors[1:] = 1e3
            vq.moment.copy_(vq.vectors * vq.share[:, None])
        for seed in range(80):
            latent = vq(features(seed), draws(seed))
        return latent.logged["used_codes"].item()

    assert used(0.0) == 1
    assert used(0.1) == K


def test_what_is_done_already_is_no_remedy():
    assert list(bottleneck(restart=0.0, kmeans=False).remedies) == ["restart", "kmeans", "codes"]
    assert list(bottleneck(restart=0.1, kmeans=True).remedies) == ["codes"]


def test_codes_begin_anew_as_each_of_the_vectors_of_the_batch_once():
    vq = VectorQuantizer((C, 1, 1), D, 8, kmeans=False, restart=0.5)
    rows = torch.randn(8, D, generator=generator(1)) + 5
    vq.share.zero_()
    vq._restart(rows, draws())
    where = torch.cdist(vq.vectors, rows).argmin(1)
    assert sorted(where.tolist()) == list(range(8))
    assert torch.equal(vq.vectors, rows[where])


def test_a_quarter_of_dead_codes_is_worth_a_word():
    vq = bottleneck().eval()
    for dead in (0, 1, 2, 3, 6):
        vq.usage.copy_(torch.arange(K) >= dead)
        found = vq.diagnose(features(), vq(features(), draws()))
        assert found.values == {"dead_codes": dead, "codebook_perplexity": K - dead}
        assert [finding.key for finding in found.findings] == ["dead-codes"] * (dead >= 0.25 * K)
        assert not vq.usage.any()
    vq = VectorQuantizer((C, H, W), D, 8, kmeans=False).eval()  # of which a quarter is a whole number
    for dead, told in ((1, 0), (2, 1)):
        vq.usage.copy_(torch.arange(8) >= dead)
        assert len(vq.diagnose(features(), vq(features(), draws())).findings) == told


def test_more_codes_than_vectors_are_restarted_too():
    vq = VectorQuantizer((C, 1, 1), D, 50, kmeans=False, restart=0.5)
    vq.share.zero_()
    vq(torch.randn(8, C), draws())
    assert vq.vectors.isfinite().all()


# --- in a model -------------------------------------------------------------------------------------------------------------


def model(reconstruction=1.0, **options):
    torch.manual_seed(0)
    encoder, decoder = nets.build("conv", (1, 8, 8), nets.Maps(4), channels=(8, 8), norm="group")
    vq = VectorQuantizer(encoder.map_shape, 4, 8, **options)
    return Autoencoder(encoder, vq, decoder, likelihoods.SquaredError(), objective=objectives.ELBO(reconstruction))


@pytest.mark.parametrize(
    ("weights", "options"),
    [((0, 0.25), {"codebook": "ema"}), ((1, 0.0), {"codebook": "ema"}), ((2, 0.25), {"codebook": "loss"}),
     ((1, 0.0), {"codebook": "loss"}), ((1, 0.3), {"codebook": "loss", "codebook_weight": 0.0})],
)  # fmt: skip
def test_each_weight_may_be_zero(weights, options):
    reconstruction, commitment = weights
    loss = model(reconstruction, commitment=commitment, **options).loss(torch.rand(5, 1, 8, 8), draws())
    terms = loss.terms
    wanted = reconstruction * terms["reconstruction"] + commitment * terms["commitment"]
    if options["codebook"] == "loss":
        wanted = wanted + options.get("codebook_weight", 1.0) * terms["codebook"]
    assert set(terms) == {"reconstruction", "commitment"} | ({"codebook"} if options["codebook"] == "loss" else set())
    torch.testing.assert_close(loss.total, wanted)
    loss.total.backward()


def test_half_precision_quantises_in_float32():
    net = model(restart=0.5)
    x = torch.rand(6, 1, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        loss = net.loss(x, draws())
        latent, _ = net(x, draws())
    assert loss.terms["commitment"].dtype == latent.z.dtype == net.bottleneck.vectors.dtype == torch.float32
    z = net.bottleneck.eval().unquantised(net.encoder(x))
    assert torch.equal(
        net.bottleneck.indices_of(z).flatten(),
        (rows_of(z)[:, None] - net.bottleneck.vectors).double().square().sum(2).argmin(1),
    )


def test_without_a_prior_nothing_is_sampled():
    with pytest.raises(NoPriorError, match="diabolo fit-prior RUN"):
        model().sample(2)


def test_dead_codes_are_told():
    net = model(restart=0.0, kmeans=False)
    for seed in range(3):
        net.loss(torch.rand(4, 1, 8, 8, generator=generator(seed)), draws(seed))
    vq = net.bottleneck
    assert vq.usage.sum() == 3 * 4 * vq.latent_shape[1] * vq.latent_shape[2]
    counts = vq.usage.clone()
    net.eval()
    x = net.encoder(torch.rand(4, 1, 8, 8))
    found = vq.diagnose(x, vq(x, draws()))
    assert found.values["dead_codes"] == (counts == 0).sum()
    assert found.values["codebook_perplexity"] == round(perplexity(counts).item(), 1)
    assert not vq.usage.any()


@pytest.mark.parametrize(
    ("options", "says"),
    [({"codebook": "emma"}, "did you mean 'ema'"), ({"estimator": "rotate"}, "did you mean 'rotation'"),
     ({"decay": 1.0}, "decay"), ({"restart": -0.1}, "restart must be"), ({"commitment": -1}, "commitment"),
     ({"codes": 1}, "codes must be a whole number"), ({"map_shape": (5,)}, "ends in a map"), ({"latent_dim": 0}, "latent_dim")],
)  # fmt: skip
def test_what_cannot_be_is_refused(options, says):
    with pytest.raises(DiaboloError, match=says) as error:
        VectorQuantizer(**({"map_shape": (C, H, W), "latent_dim": D} | options))
    assert isinstance(error.value, UnknownNameError) == ("did you mean" in says)


def test_a_codebook_begins_within_one_over_its_size():
    torch.manual_seed(0)
    vectors = VectorQuantizer((4, 2, 2), 16, codes=64, kmeans=False).vectors
    assert 0.95 / 64 < vectors.abs().max() <= 1 / 64
    assert vectors.mean().abs() < 0.1 / 64


def test_perplexity_by_hand():
    assert perplexity(torch.zeros(3)).item() == 1
    assert perplexity(torch.tensor([1.0, 0.0])).item() == 1
    assert perplexity(torch.tensor([2.0, 2.0, 0.0])).item() == pytest.approx(2)
    assert perplexity(torch.tensor([3.0, 1.0])).item() == pytest.approx(
        np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))
    )


def test_a_centre_to_which_none_is_nearest_stays():
    vectors = torch.tensor([[5.0], [5.0], [9.0]])
    assert kmeans(vectors, 3, torch.Generator().manual_seed(0)).flatten().sort().values.tolist() == [5, 5, 9]


def test_k_means_is_scikit_learns_from_the_same_start(monkeypatch):
    """In pieces, and from no more than 64 vectors for each centre."""
    vectors = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    seen = vectors[order[:128]].numpy()
    theirs = KMeans(2, init=seen[:2], n_init=1, max_iter=10, tol=0, algorithm="lloyd").fit(seen)
    monkeypatch.setattr(quantizer_vq, "CHUNK", 50)
    ours = kmeans(vectors, 2, torch.Generator().manual_seed(1))
    np.testing.assert_allclose(ours.numpy(), theirs.cluster_centers_, atol=1e-5)


def test_a_map_has_channels_and_one_to_three_sides_of_1_or_more_and_a_start_needs_vectors():
    for shape in ((4,), (4, 0, 2), (4, 2, 2, 2, 2)):
        with pytest.raises(DiaboloError, match="ends in a map"):
            VectorQuantizer(shape, 4, codes=8)
    quantiser = VectorQuantizer((4, 2, 2), 4, codes=8)
    quantiser.check(2)
    with pytest.raises(DiaboloError, match="8 codes is larger than the 4 vectors"):
        quantiser.check(1)
    VectorQuantizer((4, 2, 2), 4, codes=8, kmeans=False).check(1)


@pytest.mark.parametrize(("restart", "named"), [(0.0, True), (0.05, True), (0.1, False), (0.5, False)])
def test_a_restart_is_proposed_below_the_usual_one(restart, named):
    quantiser = VectorQuantizer((4, 2, 2), 4, codes=8, restart=restart)
    assert ("restart" in quantiser.remedies) == named
    assert "kmeans" not in quantiser.remedies
    assert quantiser.least == pytest.approx((restart or 1) / 8)


def test_a_new_code_has_the_least_share_and_a_moment_to_match():
    quantiser = VectorQuantizer((2, 1, 1), 2, codes=3, restart=0.3)
    new = torch.arange(6.0).view(3, 2)
    before = quantiser.vectors.clone()
    quantiser.share.fill_(0.5)
    quantiser._set(new, torch.tensor([0, 1, 0]))
    assert quantiser.vectors.tolist() == [before[0].tolist(), new[1].tolist(), before[2].tolist()]
    assert quantiser.share.tolist() == pytest.approx([0.5, 0.1, 0.5])
    assert quantiser.moment[1].tolist() == pytest.approx([0.2, 0.3])


def test_a_moving_average_by_hand():
    """Shares ½ and ½; three of four vectors fall to the first code."""
    quantiser = VectorQuantizer((1, 1, 1), 1, codes=2, decay=0.9, kmeans=False)
    quantiser.share.copy_(torch.tensor([0.5, 0.5]))
    quantiser.moment.copy_(torch.tensor([[1.0], [2.0]]))
    rows, indices = torch.tensor([[1.0], [2.0], [3.0], [8.0]]), torch.tensor([0, 0, 0, 1])
    quantiser._learn(rows, indices, torch.tensor([3.0, 1.0]))
    assert quantiser.share.tolist() == pytest.approx([0.525, 0.475])
    assert quantiser.moment.flatten().tolist() == pytest.approx([0.9 + 0.1 * 6 / 4, 1.8 + 0.1 * 8 / 4])
    assert quantiser.vectors.flatten().tolist() == pytest.approx([1.05 / 0.525, 2.0 / 0.475])
    quantiser.share.fill_(0.2)  # whatever they sum to
    quantiser.moment.copy_(torch.tensor([[1.0], [2.0]]))
    quantiser._learn(rows, indices, torch.tensor([3.0, 1.0]))
    assert quantiser.vectors.flatten().tolist() == pytest.approx([1.05 / 0.255, 2.0 / 0.205])
    quantiser.share.copy_(torch.tensor([1.0, 0.0]))
    quantiser.moment.zero_()
    quantiser._learn(rows[:1], indices[:1], torch.tensor([1.0, 0.0]))
    assert quantiser.vectors.isfinite().all()  # of a code that is never used


def test_a_code_begins_anew_below_the_least_share_and_not_at_it():
    quantiser = VectorQuantizer((2, 1, 1), 2, codes=3, restart=0.3)
    before, rows = quantiser.vectors.clone(), torch.arange(10.0, 18.0).view(4, 2)
    quantiser._restart(rows, Draws(generator(0, "test")))
    assert torch.equal(quantiser.vectors, before)
    quantiser.share[1] *= 0.99
    quantiser._restart(rows, Draws(generator(0, "test")))
    assert torch.equal(quantiser.vectors[[0, 2]], before[[0, 2]])
    assert quantiser.vectors[1].tolist() in rows.tolist()


def test_the_first_vector_of_a_batch_may_be_a_new_code_too():
    quantiser = VectorQuantizer((2, 1, 1), 2, codes=4, restart=0.3)
    quantiser.share.zero_()
    rows = torch.arange(10.0, 18.0).view(4, 2)
    quantiser._restart(rows, Draws(generator(0, "test")))
    assert sorted(quantiser.vectors.tolist()) == rows.tolist()


@pytest.mark.parametrize(("start", "end"), [(0, 3), (3, 5), (5, 6), (0, 6)])
def test_a_process_gives_its_own_vectors_of_the_batch_to_the_new_codes(start, end):
    """Of the vectors that all processes hold each brings its own, and nothing where another's is meant: the sum is complete."""
    rows = torch.arange(1.0, 13.0).view(6, 2)
    whole, mine = (VectorQuantizer((2, 1, 1), 2, codes=6, restart=0.3) for _ in range(2))
    whole.share.zero_(), mine.share.zero_()
    whole._restart(rows, draws())
    mine._restart(rows[start:end], Draws(draws().generator, (start, 6)))
    own = (whole.vectors[:, None] == rows[start:end]).all(2).any(1)
    assert int(own.sum()) == end - start
    assert torch.equal(mine.vectors, torch.where(own[:, None], whole.vectors, 0.0))


@pytest.mark.parametrize("estimator", ["straight-through", "rotation"])
@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_gradients_go_where_the_terms_lead_them_and_nowhere_else(codebook, estimator):
    vq = bottleneck(codebook=codebook, estimator=estimator, restart=0.5, decay=0.9)
    latent = vq(features(), draws())
    assert latent.z.requires_grad
    assert not latent.code.requires_grad
    assert not any(value.requires_grad for value in latent.logged.values())
    assert not any(buffer.requires_grad for buffer in vq.buffers())  # what codebook and averages have learnt from
    assert not vq.codes_of(vq.indices(features())).requires_grad


class Drawn:
    """A prior that draws what it was told to."""

    def __init__(self, *indices):
        self.indices = torch.tensor(indices)

    def draw(self, n, draws, device):
        return self.indices[:n, None, None].expand(n, H, W)


def test_samples_are_of_the_prior_that_was_attached_last():
    vq = bottleneck()
    for prior in (Drawn(1, 2, 3), Drawn(7, 5, 0)):
        vq.attach(prior)
        codes = vq.prior(3, draws(), torch.device("cpu"))
        assert torch.equal(codes, vq.vectors[prior.indices][:, :, None, None].expand(3, D, H, W))
    assert "_prior" not in "".join(vq.state_dict())
    vq.attach(None, "it was fitted to another run")
    with pytest.raises(NoPriorError, match="discrete codes; it was fitted to another run"):
        vq.prior(1, draws(), torch.device("cpu"))
    vq.attach(None)
    with pytest.raises(NoPriorError, match="it was fitted to another run"):
        vq.prior(1, draws(), torch.device("cpu"))


@pytest.mark.parametrize(("restart", "least"), [(0.0, 1 / 8), (0.5, 0.5 / 8)])
def test_without_restarts_a_code_begins_with_an_even_share(restart, least):
    vq = VectorQuantizer((4, 2, 2), 4, codes=8, restart=restart)
    assert vq.share.tolist() == [least] * 8
    torch.testing.assert_close(vq.moment, least * vq.vectors)


def test_the_nearest_code_is_found_in_float32_whatever_autocast_says():
    centres = torch.tensor([[1.0], [1.001]])
    with torch.autocast("cpu", torch.bfloat16):
        assert nearest(torch.tensor([[1.0002], [1.0008]]), centres).tolist() == [0, 1]
