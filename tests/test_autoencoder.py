"""The one model: how the parts are joined in the loss, and what inference promises."""

import numpy as np
import pytest
import torch
from torch import nn

from diabolo import bottlenecks, corruptions, likelihoods, nets, schedules, zoo
from diabolo.autoencoder import Autoencoder, evaluating
from diabolo.bottlenecks import Bottleneck, Latent
from diabolo.codec import as_input
from diabolo.corruptions import Corruption
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator

SHAPE = (1, 9, 11)
MODELS = {
    "undercomplete mlp": lambda: zoo.undercomplete(SHAPE, 4, hidden=(16,)),
    "sparse mlp": lambda: zoo.sparse(SHAPE, 6, hidden=(16,)),
    "topk mlp": lambda: zoo.topk(SHAPE, 6, active=2, hidden=(16,)),
    "kl_sparse mlp": lambda: zoo.kl_sparse(SHAPE, 6, hidden=(16,)),
    "contractive conv": lambda: zoo.contractive(SHAPE, 6, net="conv"),
    "contractive layer": lambda: zoo.contractive(SHAPE, 6, hidden=()),
    "rae mlp": lambda: zoo.rae(SHAPE, 4, hidden=(16,), gradient_penalty=1e-3),
    "denoising conv": lambda: zoo.denoising(SHAPE, 4, net="conv"),
    "vae mlp": lambda: zoo.vae(SHAPE, 4, hidden=(16,)),
    "vae conv": lambda: zoo.vae(SHAPE, 4, net="conv", likelihood="gaussian"),
}
every = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
INFERENCE = {
    "encode": lambda m, x: m.encode(x),
    "decode": lambda m, x: m.decode(torch.zeros(3, *m.latent_shape)),
    "reconstruct": lambda m, x: m.reconstruct(x),
    "sample": lambda m, x: m.sample(3),
    "sample_codes": lambda m, x: m.sample_codes(x),
    "corrupt": lambda m, x: m.corrupt(x),
    "summary": lambda m, x: m.summary(),
}
inference = pytest.mark.parametrize("call", INFERENCE.values(), ids=INFERENCE)


def images(n=6, shape=SHAPE, seed=0):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def draws(seed=0):
    return Draws(generator(seed, "test"))


class Spy(nn.Module):
    """An encoder, or a decoder, that remembers what it saw and gives it back as it is."""

    def __init__(self, shape):
        super().__init__()
        self.input_shape, self.scale = shape, nn.Parameter(torch.ones(()))

    def forward(self, x):
        self.seen = x
        return self.scale * x


class Penalised(Bottleneck):
    """z = x + 1 while the code is x; two penalties with weights of their own."""

    def __init__(self, width):
        super().__init__(width)
        self.weights = {"one": schedules.Constant(3.0), "two": schedules.Linear(0.0, 1.0)}
        self.units = {"one": "ones", "two": "twos"}

    def forward(self, features, draws):
        n = len(features)
        return Latent(features + 1, features, {"one": torch.arange(n).float(), "two": 10 * torch.ones(n)})


class Zeroed(Corruption):
    def forward(self, x, draws):
        return torch.zeros_like(x)


class Twice(Draws):
    """The noise of the first half of a batch, for the second half too."""

    def _rows(self, like, draw):
        half = super()._rows(like[: len(like) // 2], draw)
        return torch.cat([half, half])


@pytest.fixture
def spied():
    with pytest.warns(UserWarning, match="no bottleneck"):
        return Autoencoder(Spy((5,)), Penalised(5), Spy((5,)), likelihoods.SquaredError(output="linear"), Zeroed())


# --- the loss -----------------------------------------------------------------------------------------------------------


def test_the_encoder_sees_the_corrupted_image_and_the_target_is_the_clean_one(spied):
    x = images(4, (5,))
    kept = x.clone()
    loss = spied.loss(x)
    assert spied.encoder.seen.abs().max() == 0
    assert torch.equal(spied.decoder.seen, torch.ones(4, 5))  # z, not the code
    assert loss.terms["reconstruction"].item() == pytest.approx((1 - x).square().mean().item())
    assert torch.equal(x, kept)


def test_the_total_is_the_weighted_sum_of_the_means(spied):
    loss = spied.loss(images(4, (5,)), progress=0.25)
    assert set(loss.terms) == {"reconstruction", "one", "two"}
    assert (loss.terms["one"].item(), loss.terms["two"].item()) == (1.5, 10.0)  # unweighted
    assert loss.weights == {"reconstruction": 1.0, "one": 3.0, "two": 0.25}
    assert loss.total.item() == pytest.approx(loss.terms["reconstruction"].item() + 3 * 1.5 + 0.25 * 10)
    assert spied.loss(images(4, (5,))).weights["two"] == 1.0  # progress left out: as at the end of training


def test_progress_may_be_a_tensor(spied):
    one, other = (spied.loss(images(4, (5,)), progress=p) for p in (0.25, torch.tensor(0.25)))
    assert one.total.item() == pytest.approx(other.total.item())


def test_units_are_said_of_every_term(spied):
    assert spied.units == {"reconstruction": "squared error per pixel", "one": "ones", "two": "twos"}
    for make in MODELS.values():
        model = make()
        assert model.units.keys() == model.loss(images()).terms.keys()


@every
def test_the_loss_repeats_with_its_draws(make):
    model, x = make(), images()
    one, same, other = (torch.stack([*model.eval().loss(x, draws(seed)).terms.values()]) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    stochastic = isinstance(model.bottleneck, bottlenecks.Gaussian | bottlenecks.Contractive | bottlenecks.Regularised)
    stochastic |= not isinstance(model.corruption, corruptions.Clean)
    assert torch.equal(one, other) != stochastic  # of the terms: one of little weight may be lost in the total


@every
def test_the_loss_does_not_depend_on_how_many_images_there_are(make):
    model, x = make().eval(), images()
    once, twice = model.loss(x, draws()), model.loss(torch.cat([x, x]), Twice(generator(0, "test")))
    for name, term in once.terms.items():
        assert term.item() == pytest.approx(twice.terms[name].item(), rel=1e-5)


@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_loss_is_finite_under_autocast(make, dtype):
    model = make()
    with torch.autocast("cpu", dtype):
        loss = model.loss(images(), draws())
    loss.total.backward()
    assert loss.total.dtype == torch.float32
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("logvar", [1e4, -1e4])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "laplace", "squared-error"])
def test_a_posterior_gone_wild_gives_finite_loss_and_gradient(logvar, likelihood):
    model = zoo.vae(SHAPE, 4, hidden=(16,), likelihood=likelihood)
    with torch.no_grad():
        model.bottleneck.to_posterior.bias[4:] = logvar
    loss = model.loss(images(), draws())
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "laplace", "squared-error"])
@pytest.mark.parametrize("shape", [(6, 9, 11), (6, 1, 11, 9), (6, 99), (6, 3, 9, 11), (1, 9, 11)])
def test_the_loss_refuses_another_shape(shape, likelihood):
    # (N, 9, 11) − (N, 1, 9, 11) would broadcast to every pair of images, without a word
    model = zoo.undercomplete(SHAPE, 4, hidden=(16,), likelihood=likelihood)
    with pytest.raises(DiaboloError, match=r"expected images \(N, 1, 9, 11\)"):
        model.loss(torch.rand(shape))


def test_the_loss_of_bytes_is_that_of_floats_or_refused():
    model, x = zoo.undercomplete(SHAPE, 4, hidden=(16,)), (255 * images()).byte()
    try:
        loss = model.loss(x)
    except DiaboloError:
        return
    assert loss.total.item() == pytest.approx(model.loss(x / 255).total.item())


# --- inference ------------------------------------------------------------------------------------------------------------


@every
def test_encode_is_deterministic_even_in_training(make):
    model, x = make().train(), images()
    z = model.encode(x)
    model.sample(2)
    model.corrupt(x)
    model.sample_codes(x)
    torch.manual_seed(99)
    assert torch.equal(model.encode(x), z)
    assert torch.equal(model.eval().encode(x), z)
    assert z.shape == (6, *model.latent_shape)


def test_the_code_of_a_vae_is_the_mean_without_corruption():
    model, x = MODELS["vae mlp"](), images()
    mu, _ = model.bottleneck.posterior(model.encoder(x))
    assert torch.equal(model.encode(x), mu)
    noisy = MODELS["denoising conv"]().eval()
    assert torch.equal(noisy.encode(x), noisy.bottleneck.to_code(noisy.encoder(x)))


def test_posterior_samples_are_about_the_code():
    model, x = MODELS["vae mlp"](), images(1)
    with torch.no_grad():
        model.bottleneck.to_posterior.bias[4:] = -2.0
    mu, logvar = model.bottleneck.posterior(model.encoder(x))
    z = model.sample_codes(x.expand(5000, *SHAPE), seed=1)
    e = (z - mu) / (0.5 * logvar).exp()
    assert e.mean(0).abs().max() < 5 / 5000**0.5
    assert (e.var(0) - 1).abs().max() < 0.1
    assert torch.equal(z, model.sample_codes(x.expand(5000, *SHAPE), seed=1))
    assert not torch.equal(z, model.sample_codes(x.expand(5000, *SHAPE), seed=2))


@every
def test_reconstruct_is_decode_of_encode(make):
    model, x = make(), images()
    assert torch.equal(model.reconstruct(x), model.decode(model.encode(x)))
    assert model.reconstruct(x).shape == x.shape
    assert ((model.reconstruct(x) >= 0) & (model.reconstruct(x) <= 1)).all()


@every
def test_samples_repeat_with_the_seed_alone(make):
    model = make()
    samples = model.sample(5, seed=1)
    assert samples.shape == (5, *SHAPE)
    assert torch.equal(model.train().sample(5, seed=1), samples)
    assert not torch.equal(model.sample(5, seed=2), samples)
    assert torch.equal(model.sample(5), model.sample(5, seed=0))
    assert len({float(s.sum()) for s in samples}) == 5  # five images, not five times one


def test_samples_are_decoded_from_the_prior():
    model = MODELS["vae mlp"]()
    z = model.bottleneck.prior(5, Draws(generator(3, "sample")), torch.device("cpu"))
    assert torch.equal(model.sample(5, seed=3), model.decode(z))


@every
@inference
def test_inference_leaves_the_global_generator_alone(make, call):
    model, x = make(), images()
    before = torch.get_rng_state()
    call(model, x)
    assert torch.equal(torch.get_rng_state(), before)


@every
@inference
@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_every_submodule_is_put_back(make, call, training):
    model = make().train(training)
    next(iter(model.decoder.children())).train(not training)  # as when one part is frozen
    before = {name: m.training for name, m in model.named_modules()}
    state = {name: t.clone() for name, t in model.state_dict().items()}
    call(model, images())
    assert {name: m.training for name, m in model.named_modules()} == before
    assert all(torch.equal(t, state[name]) for name, t in model.state_dict().items())


@pytest.mark.parametrize("name", ["encode", "decode", "reconstruct", "sample", "summary"])
def test_the_mode_is_put_back_after_a_failure(name):
    model = MODELS["vae conv"]().train()
    model.encoder.eval()
    before = {n: m.training for n, m in model.named_modules()}

    def fail(*_):
        assert not model.training
        assert not any(m.training for m in model.modules())
        raise ZeroDivisionError

    hook = (model.decoder if name in ("decode", "sample") else model.encoder).register_forward_hook(fail)
    with pytest.raises(ZeroDivisionError):
        INFERENCE[name](model, images())
    hook.remove()
    assert {n: m.training for n, m in model.named_modules()} == before
    assert torch.is_grad_enabled()


@every
@inference
def test_inference_has_no_gradient(make, call):
    model = make()
    x = images().requires_grad_()
    out = call(model, x)
    if isinstance(out, torch.Tensor):
        assert not out.requires_grad
    assert x.grad is None
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


@every
def test_in_chunks_as_at_once(make, monkeypatch):
    model, x = make(), images(10)
    at_once = model.encode(x), model.reconstruct(x), model.sample(10)
    monkeypatch.setattr("diabolo.codec.CHUNK", 3)
    seen = []
    hook = model.decoder.register_forward_hook(lambda m, args, out: seen.append(len(out)))
    in_chunks = model.encode(x), model.reconstruct(x), model.sample(10)
    hook.remove()
    assert seen == [3, 3, 3, 1] * 2
    for one, other in zip(at_once, in_chunks, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@every
def test_no_images_give_no_codes(make):
    model = make()
    assert model.encode(images(0)).shape == (0, *model.latent_shape)
    assert model.reconstruct(images(0)).shape == (0, *SHAPE)


def test_bytes_are_floats_divided_by_255():
    model, x = MODELS["vae conv"](), torch.randint(0, 256, (6, *SHAPE), dtype=torch.uint8)
    assert torch.equal(model.encode(x), model.encode(x.float() / 255))
    assert torch.equal(model.encode(x.numpy()), model.encode(x))
    assert torch.equal(model.encode(x.double() / 255), model.encode(x.float() / 255))
    assert torch.equal(model.corrupt(x), x.float() / 255)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16, torch.int8])
def test_other_whole_numbers_are_refused_but_for_bits(dtype):
    # 0 … 255 without the type that says so: taken as they are they would be 255 times too large
    model, bits = MODELS["vae mlp"](), torch.randint(0, 2, (2, *SHAPE), dtype=dtype)
    assert torch.equal(model.encode(bits), model.encode(bits.float()))
    bits[1, 0, 0, 0] = 2
    with pytest.raises(DiaboloError, match="images are uint8 in 0 … 255"):
        model.encode(bits)


def test_arrays_of_any_kind_are_read():
    model, x = MODELS["vae mlp"](), images()
    backwards = x.numpy()[::-1]
    assert torch.equal(model.encode(backwards), model.encode(x.flip(0)))
    mirrored = x.numpy()[..., ::-1]
    assert torch.equal(model.encode(mirrored), model.encode(x.flip(-1)))


@pytest.mark.filterwarnings("error")
def test_an_array_that_must_not_be_written_to_is_read_without_a_warning():
    model, x = MODELS["vae mlp"](), images()
    fixed = x.numpy().copy()
    fixed.flags.writeable = False  # such as a memory map
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        assert torch.equal(model.encode(fixed), model.encode(x))
    finally:
        torch.set_warn_always(always)


@pytest.mark.parametrize("shape", [SHAPE, (6, 9, 11), (6, 1, 11, 9), (6, 99), (6, 3, 9, 11), (), (6,)])
def test_images_of_another_shape_are_refused(shape):
    model = MODELS["vae conv"]()
    for call in (model.encode, model.reconstruct, model.sample_codes, model.corrupt):
        with pytest.raises(DiaboloError, match=r"expected images \(N, 1, 9, 11\), not \("):
            call(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(4,), (3, 5), (3, 4, 1), (), (4, 3)])
def test_codes_of_another_shape_are_refused(shape):
    with pytest.raises(DiaboloError, match=r"expected codes \(N, 4\), not \("):
        MODELS["vae mlp"]().decode(torch.zeros(shape))


@pytest.mark.parametrize("n", [0, -1])
def test_no_sample_is_refused(n):
    with pytest.raises(DiaboloError, match=f"at least 1, not {n}"):
        MODELS["vae mlp"]().sample(n)


def test_codes_may_be_an_array_or_of_another_precision():
    model, z = MODELS["vae mlp"](), torch.randn(3, 4)
    assert torch.equal(model.decode(z.numpy()), model.decode(z))
    assert torch.equal(model.decode(z.double()), model.decode(z))


def test_as_input():
    x = torch.arange(4, dtype=torch.uint8).view(1, 4)
    assert torch.equal(as_input(x, (4,), torch.device("cpu")), torch.arange(4) / 255 * torch.ones(1, 1))
    assert as_input(np.ones((2, 4)), (4,), torch.device("cpu")).dtype == torch.float32


def test_evaluating_puts_back_what_was_mixed():
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Dropout(), nn.ReLU()))
    net[1].eval()
    with evaluating(net):
        assert not any(m.training for m in net.modules())
    assert [m.training for m in net.modules()] == [True, True, False, False, False]


# --- making one -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent_dim", [99, 100])
def test_a_code_as_large_as_the_image_is_warned_of(latent_dim):
    with pytest.warns(UserWarning, match=f"no bottleneck: the code has {latent_dim} numbers and the input has only 99"):
        zoo.undercomplete(SHAPE, latent_dim)


@pytest.mark.filterwarnings("error")
def test_a_smaller_code_is_not():
    zoo.undercomplete(SHAPE, 98)


def test_parts_made_by_hand_fit_together():
    encoder, decoder = nets.build("conv", SHAPE, 3, norm="group")
    bottleneck = bottlenecks.Gaussian(encoder.features, 3)
    model = Autoencoder(encoder, bottleneck, decoder, likelihoods.Bernoulli(), corruptions.Masking(0.2))
    assert (model.input_shape, model.latent_shape, model.name) == (SHAPE, (3,), "autoencoder")
    assert set(model.loss(images()).terms) == {"reconstruction", "kl"}
    assert not torch.equal(model.corrupt(images()), images())
    assert torch.equal(model.corrupt(images(), seed=1), model.corrupt(images(), seed=1))


@pytest.mark.parametrize(
    "wrong", [{"seed": None}, {"seed": -1}, {"seed": 2**80}, {"n": 0}, {"n": True}, {"n": 2.0}], ids=str
)
def test_samples_need_a_number_and_a_seed(wrong):
    with pytest.raises(DiaboloError, match=f"{next(iter(wrong))} must be a whole number"):
        zoo.vae((1, 8, 8), latent_dim=2, hidden=(4,)).sample(**({"n": 2} | wrong))
