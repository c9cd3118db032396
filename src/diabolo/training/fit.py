"""`fit` and `resume`: check what was given, lay everything out, let the loop run, keep the result."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from diabolo import processes
from diabolo.autoencoder import Autoencoder
from diabolo.data.arrays import as_images
from diabolo.data.images import Images
from diabolo.data.side import side
from diabolo.data.stores import ResidentStore, open_store
from diabolo.errors import DiaboloError
from diabolo.pca import PCA
from diabolo.randomness import generator
from diabolo.training import checkpoint, files, runs
from diabolo.training.checkpoint import State
from diabolo.training.checks import START, check, event_writer_class, only_to_keep, same_images
from diabolo.training.closed_form import solve
from diabolo.training.compiled import CompiledStep
from diabolo.training.freezing import matching
from diabolo.training.graph import DeviceLoop
from diabolo.training.hardware import choose_device, choose_precision, use_threads
from diabolo.training.loop import Loop
from diabolo.training.options import TrainOptions
from diabolo.training.plan import plan
from diabolo.training.progress import Reporter, reporter
from diabolo.training.runs import Run
from diabolo.training.step import Step
from diabolo.training.takeover import fitting, take_over
from diabolo.trust import Trust, trusting


def fit(model: Any, train: Any, validation: Any = None, **options: Any) -> Run:
    """Train `model` and leave a run folder.

    Args:
        model: an `Autoencoder`, or a `PCA`, which is solved in closed form. Its weights are trained in place; they were
            drawn when it was made, so call `torch.manual_seed` before making it to repeat a run from scratch.
        train: `Images`, or an array or tensor (N, C, H, W) or (N, D): uint8, or float in [0, 1].
        validation: the same, to watch while training; or None.
        **options: the fields of `TrainOptions`: epochs=10, batch_size=128, lr=1e-3, schedule="constant", seed=0, out="runs", …

    Returns:
        The `Run`: `model` (trained, in evaluation mode), `path`, `history` (one dict an epoch), `config`, `status`.

    Raises:
        DiaboloError: for anything wrong with data or options, before training starts.
        NotFiniteError: when the loss becomes NaN or infinite.
    """
    chosen = TrainOptions.of(**options)
    with _together(chosen):
        return _fit(model, as_images(train), None if validation is None else as_images(validation), chosen)


def resume(
    path: str | Path, train: Any = None, validation: Any = None, epochs: int | None = None, trust: Trust = ()
) -> Run:
    """Go on with an unfinished run from its last finished epoch, or with a finished one for further epochs.

    The end is bit for bit that of the uninterrupted run, on the same device with the same number of threads. Schedules run
    over the whole number of epochs, so further `epochs` stretch them.

    Args:
        path: the run folder.
        train, validation: the same images as before; needed only when they were given as arrays, otherwise loaded again.
        epochs: the new total of epochs; as before when left out.
        trust: packages whose code the folder may name, as in `diabolo.load`.

    Raises:
        DiaboloError: when there is nothing to do, the folder is damaged, or the images are not those of the run.
    """
    path = Path(path)
    config = runs.read_config(path)
    try:
        options = TrainOptions.of(**config["options"])
    except (TypeError, DiaboloError) as error:
        raise DiaboloError(f"{path / 'config.json'} was edited or damaged: {error}") from error
    if epochs is not None:
        options = options.but(epochs=epochs)
    with trusting(trust), _together(options):
        return _resume(path, config, options, train, validation)


def _fit(model: Any, train: Images, validation: Images | None, options: TrainOptions) -> Run:
    check(model, train, validation, options)
    say = reporter(options.quiet)
    device, threads = choose_device(options.device), use_threads(options.threads)
    precision = choose_precision(options.precision, device)
    resolved = {"device": str(device), "threads": threads, "precision": precision.name, "processes": processes.world()}
    config = runs.describe(model, options.as_dict(), resolved, train, validation)
    path = _new_folder(Path(options.out), options.name or f"{model.name}-{train.name}")
    _on_first(lambda: files.write_json(path / "config.json", config))
    if isinstance(model, PCA):
        return solve(model, train, validation, path, config, say)
    return _run(model, train, validation, options, path, config, say, None)


def _resume(path: Path, config: dict[str, Any], options: TrainOptions, train: Any, validation: Any) -> Run:
    model = runs.build_model(path, config)
    if isinstance(model, PCA):
        raise DiaboloError(f"{path} holds a PCA, which is solved at once: there is nothing to go on with")
    images = [
        same_images(path, config["data"].get(part), given, part)
        for part, given in (("train", train), ("validation", validation))
    ]
    assert images[0] is not None  # a config without training images is none
    check(model, images[0], images[1], options.but(init=None))  # its weights are in the checkpoint
    resolved = config.get("resolved")
    before = resolved.get("processes", 1) if isinstance(resolved, dict) else 1
    if before != processes.world():
        were = f"{before} process{'es' if before != 1 else ''}"
        raise DiaboloError(
            f"{path} was trained by {were}, not {processes.world()}; go on with: {_resume_line(path, before)}"
        )
    epochs_before = config["options"].get("epochs", options.epochs)
    config |= {"options": options.as_dict()}
    return _run(model, images[0], images[1], options, path, config, reporter(options.quiet), epochs_before)


def _run(
    model: Autoencoder,
    train: Images,
    validation: Images | None,
    options: TrainOptions,
    path: Path,
    config: dict[str, Any],
    say: Reporter,
    epochs_before: int | None,
) -> Run:
    device = choose_device(options.device)
    use_threads(options.threads)
    precision = choose_precision(options.precision, device)
    model.to(device)
    if any(isinstance(module, nn.Conv2d) for module in model.modules()):
        model.to(memory_format=torch.channels_last)
    if epochs_before is None:
        _begin(model, train, options, say)
    step = (CompiledStep if options.compile else Step)(model, options, precision)
    try:
        state = _train(step, train, validation, options, path, config, say, epochs_before)
    finally:
        step.release()
    _keep(step, path, options, state.epoch)
    say.say(_farewell(state, path))
    return Run(model.eval(), path, state.history, config, state.status)


def _begin(model: Autoencoder, train: Images, options: TrainOptions, say: Reporter) -> None:
    """Weights of another run, where asked for; then the waist looks at some training images, which must not move what was
    taken over or is frozen."""
    held = matching(model, options.freeze)
    if options.init:
        say.say(take_over(model, options.init))
        held |= set(fitting(model, options.init))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items() if name in held}
    start = train.take(np.linspace(0, len(train) - 1, min(len(train), START)).round().astype(int))
    model.begin(start.images, side(start, model.reads, model.device), options.seed)
    for name, tensor in model.state_dict().items():
        if name in held:
            tensor.copy_(before[name])


def _train(
    step: Step,
    train: Images,
    validation: Images | None,
    options: TrainOptions,
    path: Path,
    config: dict[str, Any],
    say: Reporter,
    epochs_before: int | None,
) -> State:
    """Lay out the loop and run it; `epochs_before` is the old total of a run that is resumed, None for a new one."""
    model, device = step.model, step.device
    state = State() if epochs_before is None else checkpoint.restore(path, step)
    if epochs_before is not None:
        _on_first(lambda: files.sweep(path))
        if only_to_keep(path, state, options, epochs_before):
            return state
        _on_first(lambda: files.write_json(path / "config.json", config))
        if state.status.startswith("stopped early"):
            state.waited = 0  # further epochs are asked for, with the same patience as before
    still = (p.data for p in model.parameters() if not p.requires_grad)
    average = () if step.average is None else (step.average,)
    for tensor in (step.weights.flat.data, *average, *still, *model.buffers()):
        processes.from_first(tensor)
    step.weights.refresh()
    store = open_store(train, device, options.store)
    held = None if validation is None else open_store(validation, device, options.store)
    loop = Loop(step, store, len(train), held, 0 if validation is None else len(validation), options, path, say)
    loop.known = side(train, model.reads, device)
    loop.validation_known = None if validation is None else side(validation, model.reads, device)
    say.say(f"{path}: {model.name} with {sum(p.numel() for p in model.parameters()):,} parameters on {train!r}")
    together = f", {processes.world()} processes" if processes.world() > 1 else ""
    threads = torch.get_num_threads()
    say.say(f"{device}, {threads} CPU threads, {step.precision.name}{together}; images {store.place}")
    if options.compile:
        say.say("the step is compiled when the first batch comes, which takes some seconds")
    if device.type == "cuda" and options.graph:
        loop.device_loop = _captured(loop, store, say)
    if epochs_before is None:
        _on_first(lambda: checkpoint.save(path, step, state))
    if options.tensorboard and processes.rank() == 0:
        loop.events = event_writer_class()(str(path / "tensorboard"), purge_step=state.epoch + 1)
    state.status = "running"
    return loop.run(state)


def _captured(loop: Loop, store: Any, say: Reporter) -> DeviceLoop | None:
    """The step as a CUDA graph, or None (said why) when that cannot be."""
    size = loop.options.batch_size
    batches = plan(loop.order(0), size)
    full = sum(len(batch) == size for batch in batches.batches)
    if not full:
        say.say("no CUDA graph: no batch is full; steps run eagerly")
        return None
    if loop.options.precision == "float16":
        say.say("no CUDA graph: float16 adapts its loss scale on the host; steps run eagerly")
        return None
    if not isinstance(store, ResidentStore):
        say.say("no CUDA graph: the images do not lie on the device; steps run eagerly")
        return None
    noise = generator(loop.options.seed, "noise", device=loop.step.device)
    steps = loop.steps
    total = steps * loop.options.epochs
    watch, window = loop.new_watch(), batches.windows[0]
    loop.step.frozen.train()  # what is captured is what happens in training mode
    device_loop = DeviceLoop(loop.step, store, watch, noise, (full, size), total, window, loop.known)
    try:
        device_loop.capture()
    except Exception as error:  # whatever a capture dies of, the same steps can be run eagerly
        reason = (str(error) or type(error).__name__).splitlines()[0]
        say.say(f"no CUDA graph, steps run eagerly: {reason}")
        return None
    say.say(f"the step of {size} images is captured in a CUDA graph")
    return device_loop


def _keep(step: Step, path: Path, options: TrainOptions, epoch: int) -> None:
    """Leave the kept weights in the model and in model.safetensors."""
    processes.wait()  # for rank 0 to have written the best weights
    state = step.kept_state()
    if options.keep == "best" and (path / "best.safetensors").exists():
        state, _ = files.read_tensors(path / "best.safetensors")
    step.model.load_state_dict(state)
    kept = dict(step.model.state_dict())
    _on_first(lambda: files.write_tensors(path / "model.safetensors", kept, {"epoch": epoch}))


def _farewell(state: State, path: Path) -> str:
    if state.status == "interrupted":
        return f"interrupted after epoch {state.epoch}; go on with: {_resume_line(path, processes.world())}"
    return f"{state.status}: {path}"


def _resume_line(path: Path, world: int) -> str:
    return f"{'diabolo' if world == 1 else f'torchrun --nproc-per-node {world} -m diabolo'} resume {path}"


def _new_folder(out: Path, name: str) -> Path:
    """Rank 0 makes it; all know it."""
    return Path(processes.text_from_first(str(runs.create(out, name)) if processes.rank() == 0 else ""))


def _on_first(action: Callable[[], None]) -> None:
    if processes.rank() == 0:
        action()


@contextmanager
def _together(options: TrainOptions) -> Iterator[None]:
    """Under torchrun, join the other processes for the length of the block (gloo on CPUs, NCCL on GPUs)."""
    world = os.environ.get("WORLD_SIZE", "1")
    if world == "1" or dist.is_initialized():
        yield
        return
    if not (world.isdecimal() and os.environ.get("RANK", "").isdecimal()):
        raise DiaboloError("WORLD_SIZE and RANK must both be numbers; start several processes with torchrun")
    device = choose_device(options.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
