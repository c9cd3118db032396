"""The loop against the same training written out by hand: same order, same noise, same weights."""

import copy

import pytest
import torch

from diabolo.autoencoder import evaluating
from diabolo.data.arrays import as_images
from diabolo.data.stores import open_store
from diabolo.hardware import choose_precision
from diabolo.randomness import Draws, generator
from diabolo.training.batches import plan, shuffled
from diabolo.training.loop import mean_loss
from diabolo.training.options import TrainOptions
from diabolo.training.stepping import step_of

CPU = torch.device("cpu")
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def by_hand(
    model, pixels, epochs, batch_size, lr, seed, optimizer="adam", weight_decay=0.0, clip=None, ema=None, lrs=None
):
    """A course script: one parameter at a time, no flat tensors, no fused anything."""
    x_all = torch.from_numpy(pixels).float() / 255
    adam = OPTIMIZERS[optimizer](model.parameters(), lr=lr, weight_decay=weight_decay, foreach=False, fused=False)
    averages = [p.detach().clone() for p in model.parameters()]
    losses, step = [], 0
    for epoch in range(epochs):
        model.train()
        noise = generator(seed, "noise").manual_seed(generator(seed, "noise", epoch).initial_seed())
        total = 0.0
        for indices in shuffled(len(x_all), seed, epoch).split(batch_size):
            if lrs is not None:
                adam.param_groups[0]["lr"] = lrs[step]
            loss = model.loss(x_all[indices], Draws(noise)).total
            adam.zero_grad()
            loss.backward()
            if clip is not None:
                norm = torch.sqrt(sum(p.grad.square().sum() for p in model.parameters()))
                for p in model.parameters():
                    p.grad.mul_(min(1.0, clip / (float(norm) + 1e-6)))
            adam.step()
            total += float(loss.detach()) * len(indices)
            step += 1
            gamma = min(ema or 0, (1 + step) / (10 + step))
            averages = [gamma * a + (1 - gamma) * p.detach() for a, p in zip(averages, model.parameters(), strict=True)]
        losses.append(total / len(x_all))
    return losses, averages


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"weight_decay": 0.01},
        {"clip": 0.05},
        {"clip": 0.05, "optimizer": "adamw", "weight_decay": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["vae", "undercomplete", "sparse", "denoising"])
def test_same_losses_and_weights_as_a_plain_loop(name, options, train, tiny_model, tiny_pixels, weights):
    pixels = tiny_pixels(50)
    model = tiny_model(name, likelihood="squared-error")
    twin = copy.deepcopy(model)
    said = {"clip_norm" if key == "clip" else key: value for key, value in options.items()}
    run = train(model, pixels, epochs=3, lr=1e-2, seed=7, **said)
    losses, _ = by_hand(twin, pixels, 3, 16, 1e-2, 7, **options)
    assert [line["train"]["total"] for line in run.history] == pytest.approx(losses, rel=1e-5)
    torch.testing.assert_close(weights(run.model), weights(twin), rtol=1e-4, atol=1e-6)


def test_the_moving_average_is_what_is_kept_and_validated(train, tiny_model, tiny_pixels):
    pixels, held = tiny_pixels(48), tiny_pixels(20, seed=1)
    model = tiny_model("undercomplete")
    twin = copy.deepcopy(model)
    run = train(model, pixels, held, epochs=2, lr=1e-2, seed=1, ema=0.8)
    _, averages = by_hand(twin, pixels, 2, 16, 1e-2, 1, ema=0.8)
    for kept, average in zip(run.model.parameters(), averages, strict=True):
        torch.testing.assert_close(kept, average, rtol=1e-4, atol=1e-6)
    error = (run.model.reconstruct(held) - torch.from_numpy(held) / 255).square().mean()
    assert run.history[-1]["validation"]["total"] == pytest.approx(float(error), rel=1e-4)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_learning_rates_are_those_of_torch(schedule, train, tiny_model, tiny_pixels):
    """Cosine: `CosineAnnealingLR`. One-cycle: `OneCycleLR` told to have its top at step 0.3 N (left alone it counts the steps
    so that the top comes one earlier)."""
    pixels, steps = tiny_pixels(64), 4 * 25
    run = train(tiny_model(), pixels, epochs=25, lr=1e-2, schedule=schedule)
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=1e-2)
    theirs = {
        "constant": lambda: torch.optim.lr_scheduler.ConstantLR(adam, 1.0),
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps),
        "one-cycle": lambda: torch.optim.lr_scheduler.OneCycleLR(
            adam,
            1e-2,
            total_steps=steps + 1,
            pct_start=(0.3 * steps + 1) / (steps + 1),
            final_div_factor=1e5 / 25,
            cycle_momentum=False,
        ),
    }[schedule]()
    rates = []
    for _ in range(steps):
        rates.append(adam.param_groups[0]["lr"])
        adam.step()
        theirs.step()
    ours = [line["lr"] for line in run.history]
    assert ours == pytest.approx(rates[3::4], abs=1e-9)


def test_same_seed_same_bits_and_another_seed_another_order(train, tiny_model, tiny_pixels, weights):
    pixels = tiny_pixels(60)
    runs = [train(tiny_model("vae"), pixels, seed=seed) for seed in (5, 5, 6)]
    first, second, other = (weights(run.model) for run in runs)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_training_disturbs_nobodys_random_numbers_and_leaves_evaluation_mode(train, tiny_model, tiny_pixels):
    model = tiny_model("vae", net="conv")
    state = torch.random.get_rng_state()
    run = train(model, tiny_pixels(60), tiny_pixels(20))
    assert torch.equal(state, torch.random.get_rng_state())
    assert run.model is model
    assert not any(module.training for module in model.modules())
    assert all(p.dtype == torch.float32 and p.grad is None for p in model.parameters())


def test_the_places_of_the_images_give_the_same_bits(train, tiny_model, tiny_pixels, weights):
    pixels = tiny_pixels(60)
    device, host, disk = (train(tiny_model("vae"), pixels, store=place) for place in ("device", "host", "disk"))
    assert torch.equal(weights(device.model), weights(host.model))
    assert torch.equal(weights(device.model), weights(disk.model))


def test_validation_is_the_mean_over_all_images_in_float32(tiny_model, tiny_pixels):
    model, pixels = tiny_model("undercomplete"), tiny_pixels(37)
    options = TrainOptions(batch_size=10)
    found = mean_loss(model, open_store(as_images(pixels), CPU), 37, options)
    with torch.no_grad(), evaluating(model):
        loss = model.loss(torch.from_numpy(pixels).float() / 255)
    assert found["total"] == pytest.approx(float(loss.total), rel=1e-6)


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("precision", ["bf16", "float16"])
def test_half_precision_weights_give_the_bits_of_autocast(net, precision, tiny_model, tiny_pixels):
    """Casting all weights once must change nothing against letting autocast cast them layer by layer."""
    model = tiny_model("undercomplete", net=net)
    plain = copy.deepcopy(model)
    x = torch.from_numpy(tiny_pixels(16)).float() / 255
    chosen = choose_precision(precision, CPU)
    step = step_of(model, TrainOptions(lr=1e-2, schedule="constant"), chosen)
    step.learners["model"].scale = None
    adam = torch.optim.Adam(plain.parameters(), lr=1e-2, fused=True)
    model.train(), plain.train()
    for _ in range(3):
        ours = step(x, Draws(), 0.0)
        with torch.autocast("cpu", chosen.dtype):
            theirs = plain.loss(x)
        adam.zero_grad()
        theirs.total.backward()
        adam.step()
        assert torch.equal(ours.total, theirs.total)
    step.release()
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)


def test_float16_is_autocast_with_torchs_gradient_scaler(tiny_model, tiny_pixels):
    """On the CPU, by the code that runs on a GPU: the same weights and scale, also where the gradients of a step overflow."""
    model = tiny_model("undercomplete")
    plain = copy.deepcopy(model)
    x = torch.from_numpy(tiny_pixels(16)).float() / 255
    chosen = choose_precision("float16", CPU)
    step = step_of(model, TrainOptions(lr=1e-2, schedule="constant"), chosen)
    ours, scaler = step.learners["model"].scale, torch.amp.GradScaler("cpu", init_scale=2.0**32)
    ours.scale.fill_(2.0**32)
    adam = torch.optim.Adam(plain.parameters(), lr=1e-2)
    model.train(), plain.train()
    scales = []
    for _ in range(12):
        step(x, Draws(), 0.0)
        with torch.autocast("cpu", chosen.dtype):
            loss = plain.loss(x).total
        adam.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(adam)
        scaler.update()
        assert float(ours.scale) == scaler.get_scale()
        scales.append(scaler.get_scale())
    step.release()
    assert scales[0] < 2.0**32  # the first gradients overflow,
    assert scales[-1] == scales[-2]  # the last do not
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_weights_keep_their_memory_layout_and_frozen_ones_stay(tiny_model, tiny_pixels):
    model = tiny_model("undercomplete", net="conv").to(memory_format=torch.channels_last)
    frozen = model.encoder.layers[0][0].weight.requires_grad_(False)
    before = frozen.clone()
    step = step_of(model, TrainOptions(lr=0.1, schedule="constant"), choose_precision("bf16", CPU))
    trained = model.encoder.layers[1][0].weight
    assert trained.dtype == torch.bfloat16
    assert trained.is_contiguous(memory_format=torch.channels_last)
    step(torch.from_numpy(tiny_pixels(16)).float() / 255, Draws(), 0.0)
    step.release()
    assert torch.equal(frozen, before)
    assert trained.dtype == torch.float32
    assert trained.is_contiguous(memory_format=torch.channels_last)
    assert trained.untyped_storage().nbytes() == trained.nbytes


def test_a_weight_without_gradient_is_not_moved_by_the_step_before(tiny_model, tiny_pixels):
    model = tiny_model("undercomplete")
    model.unused = torch.nn.Parameter(torch.ones(3))
    step = step_of(model, TrainOptions(schedule="constant"), choose_precision("float32", CPU))
    step.learners["model"].weights.gradient.fill_(9.0)
    step(torch.from_numpy(tiny_pixels(16)).float() / 255, Draws(), 0.0)
    step.release()
    assert torch.equal(model.unused, torch.ones(3))


def test_the_plan_covers_every_image_once():
    for n, size in [(10, 3), (10, 10), (9, 4), (129, 128), (1, 1), (2, 1)]:
        batches = plan(shuffled(n, 0, 0), size).batches
        assert sorted(torch.cat(batches).tolist()) == list(range(n))
        assert len(batches) == 1 or size == 1 or min(map(len, batches)) > 1
