"""`fit` and `resume`: check what was given, lay everything out, let the loop run, keep the result."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn

from diabolo import distributed, vocabulary
from diabolo.autoencoder import Autoencoder
from diabolo.data.arrays import as_images
from diabolo.data.columns import column, rows
from diabolo.data.images import Images
from diabolo.data.stores import ResidentStore, open_store
from diabolo.errors import DiaboloError, Stopped
from diabolo.hardware import choose_device, choose_precision, use_threads
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.priors.code_prior import CodePrior
from diabolo.randomness import generator
from diabolo.runs import checkpoint, files, history
from diabolo.runs.checkpoint import State
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.runs.lines import resume_line
from diabolo.runs.loading import Run, build_model
from diabolo.runs.unwritten import Unwritten
from diabolo.surroundings import undisturbed
from diabolo.tracking import TensorBoard
from diabolo.training import snapshots
from diabolo.training.batches import plan
from diabolo.training.callbacks import Callbacks, checked
from diabolo.training.closed_form import solve, solved_at_once
from diabolo.training.codes import codes_of
from diabolo.training.compiling import resolved
from diabolo.training.loop import Loop
from diabolo.training.naming import built
from diabolo.training.options import TrainOptions
from diabolo.training.preflight import (
    START,
    check,
    check_folder,
    check_loss,
    only_to_keep,
    same_images,
)
from diabolo.training.progress import Reporter, reporter
from diabolo.training.stepping import step_of
from diabolo.training.transfer import fitting, take_over
from diabolo.training.usual import lengthened
from diabolo.trust import Trust, trusting
from diabolo.updates.compiled import CompiledStep, NotCompiledError
from diabolo.updates.freezing import matching
from diabolo.updates.graph import DeviceLoop
from diabolo.updates.step import Step


@undisturbed()
def fit(
    model: Any,
    train: Any,
    validation: Any = None,
    *,
    then: Sequence[str] = (),
    stage: Mapping[str, Any] | None = None,
    callbacks: Sequence[Any] = (),
    **options: Any,
) -> Run:
    """Train `model` and leave a run folder.

    Args:
        model: the name of a recipe, such as "vae", or package.module:recipe: the weights of the model are drawn from `seed`,
            and the run is that of `diabolo train` with the same options. Or an `Autoencoder`, or a `PCA`, which is solved in
            closed form: its weights are trained in place, and it keeps those that it has, which were drawn when it was made.
        train: `Images`; an array or tensor (N, C, H, W) or (N, D); or a torch `Dataset`, `Subset` or `DataLoader`, whose images
            are read once (see `diabolo.data.as_images`): order and batch size are the options'.
        validation: the same, to watch while training; or None.
        then: what the caller will add to the run afterwards ("figures"), so that its folder says when that is missing.
        stage: of which longer training this is which part (`greedy`), noted in the folder.
        callbacks: who else hears of it, at its start, after each epoch and at its end (`diabolo.tracking.Callback`).
        **options: the fields of `TrainOptions`: epochs=20, batch_size=64, lr=1e-3, schedule="cosine", seed=1, out="runs", …;
            and for a model by name those of its recipe. What is left out is chosen to suit the images (`training.usual`).

    Returns:
        The `Run`: `model` (trained, in evaluation mode), `path`, `history` (one dict an epoch), `config`, `status`.

    Raises:
        DiaboloError: for anything wrong with data or options, before training starts.
        NotFiniteError: when the loss becomes NaN or infinite.
        Stopped: after a second Ctrl-C; names the run folder.

    Example:
        >>> run = diabolo.fit("vae", train, validation=test, latent_dim=4, hidden=(32,), epochs=2, seed=0, quiet=True)
        >>> run.status, len(run.history), list(run.history[-1]["validation"])
        ('finished', 2, ['total', 'reconstruction', 'kl'])
    """
    images, held = as_images(train), None if validation is None else as_images(validation)
    callbacks = checked(callbacks)
    model, chosen = built(model, images, options)
    with distributed.joined(choose_device(chosen.device)):
        more = lengthened(len(images), options, chosen)
        return _fit(model, images, held, chosen, tuple(then), stage, callbacks, more)


@undisturbed()
def resume(
    path: str | os.PathLike[str],
    train: Any = None,
    validation: Any = None,
    epochs: int | None = None,
    data: str | None = None,
    root: str | Path | None = None,
    trust: Trust = (),
    callbacks: Sequence[Any] = (),
    labels: str | os.PathLike[str] | None = None,
) -> Run:
    """Go on with an unfinished run from its last finished epoch, or with a finished one for further epochs.

    The end is bit for bit that of the uninterrupted run, on the same device with the same number of threads. Schedules run
    over the whole number of epochs, so further `epochs` stretch them.

    Args:
        path: the run folder, or the `Run`.
        train, validation: the same images as before; needed only when they were given as arrays, otherwise loaded again.
        epochs: the new total of epochs; as before when left out.
        data, root: where the images lie now, if they were moved: as for `diabolo.data.load`.
        trust: packages whose code the folder may name, as in `diabolo.load`.
        callbacks: as for `fit`; a run folder keeps none.
        labels: where the table of the labels of image files lies now, if it was moved.

    Raises:
        NothingLeftError: when there is nothing to do.
        InUseError: when another process is training it.
        DiaboloError: when the folder is damaged, or the images are not those of the run.

    Example:
        >>> model = diabolo.zoo.vae(train.shape, latent_dim=4, hidden=(32,))
        >>> run = diabolo.fit(model, train, epochs=2, out="runs", quiet=True)
        >>> longer = diabolo.resume(run.path, train, epochs=3)
        >>> len(longer.history)
        3
    """
    path, callbacks = as_path(path), checked(callbacks)
    config = Config.read(path)
    try:
        with trusting(trust):  # for an optimizer of one's own
            options = TrainOptions.of(**config.options)
    except (TypeError, DiaboloError) as error:
        raise config.damaged(path, str(error)) from error
    if epochs is not None:
        options = options.but(epochs=epochs)
    places = {"name": data, "root": root, "labels": labels}
    moved = {name: str(as_path(place)) for name, place in places.items() if place is not None}
    with trusting(trust), distributed.joined(choose_device(options.device)), RunFolder(path).held("resume"):
        return _resume(path, config, options, train, validation, moved, callbacks)


def _fit(
    model: Any,
    train: Images,
    validation: Images | None,
    options: TrainOptions,
    then: tuple[str, ...],
    stage: Mapping[str, Any] | None,
    callbacks: Sequence[Any],
    more: str = "",
) -> Run:
    check_folder(options, *[f"then={word!r}" for word in then])
    asked, options = options.batch_size, check(model, train, validation, options)
    say = reporter(options.quiet, vocabulary.of(train.shape, model.name, train.name))
    if not solved_at_once(model):
        if hasattr(model, "scaling"):  # a prior over codes has none
            model.scaling.begin(train)
        check_loss(model, train)
    if more and not solved_at_once(model):
        say.say(more)
    if options.batch_size < asked:
        say.say(
            f"--batch-size is {options.batch_size}, not {asked}: there are {count(len(train), 'training image')}, so that each "
            "epoch is one step"
        )
    if name := distributed.left_over():
        say.say(
            f"{name} is set, but not by torchrun, which sets all of {', '.join(distributed.NEEDED)}: this process trains alone"
        )
    drawn = stage is None and getattr(model, "weights_of_seed", None) == options.seed
    not_again = None if drawn or solved_at_once(model) else "weights"
    found = resolved(model, train, options)
    config = Config.of(model, options.as_dict(), found, train, validation, then, stage, not_again)
    model.weights_of_seed = None
    if solved_at_once(model):
        told = Callbacks(callbacks, say.say)
        return solve(model, train, validation, config, say, told, lambda fill: _new_folder(model, train, options, fill))
    return _run(model, train, validation, options, None, config, say, callbacks)


def _resume(
    path: Path,
    config: Config,
    options: TrainOptions,
    train: Any,
    validation: Any,
    moved: dict[str, str],
    callbacks: Sequence[Any],
) -> Run:
    model = build_model(path, config)
    if solved_at_once(model):
        raise DiaboloError(
            f"{path} holds a {type(model).__name__}, which is solved at once: there is nothing to go on with; train a new "
            "run"
        )
    if isinstance(model, CodePrior) and train is None:
        if moved:
            raise DiaboloError(f"the codes of the prior {path} lie beside it: leave --data and --root out")
        train, validation = codes_of(path, model, config)
    images = [
        same_images(path, config.images(part), given, part, moved)
        for part, given in (("train", train), ("validation", validation))
    ]
    assert images[0] is not None  # a config without training images is none
    check(model, images[0], images[1], options.but(init=None))  # its weights are in the checkpoint
    before = config.resolved.get("processes", 1)
    if before != distributed.world():
        were = f"{before} process{'es' if before != 1 else ''}"
        raise DiaboloError(
            f"{path} was trained by {were}, not {distributed.world()}; go on with: {resume_line(path, before)}"
        )
    say = reporter(options.quiet, config.words)
    return _run(model, images[0], images[1], options, RunFolder(path), config, say, callbacks)


def _run(
    model: Autoencoder,
    train: Images,
    validation: Images | None,
    options: TrainOptions,
    before: RunFolder | None,
    config: Config,
    say: Reporter,
    callbacks: Sequence[Any],
) -> Run:
    """Train, and keep the weights; `before` is the folder of a run that goes on, None for a new one."""
    told = Callbacks([*callbacks, *([TensorBoard()] if options.tensorboard else [])], say.say)
    device = choose_device(options.device)
    use_threads(options.threads)
    precision = choose_precision(options.precision, device)
    model.to(device)
    modules = list(model.modules())
    if any(isinstance(m, nn.Conv2d) for m in modules) and not any(p.ndim == 5 for p in model.parameters()):
        model.to(memory_format=torch.channels_last)  # which torch has for weights of four dimensions, and not of five
    if before is None:
        _begin(model, train, options, say)
    step, new = step_of(model, options, precision, config.compiled), before is None
    folder: Any = before  # a RunFolder, or Unwritten; None until a new one is made
    with ExitStack() as until_kept:
        try:
            try:
                if before is None:
                    config = _compiled(step, train, options, config, say, new)
                    state = _start(step)
                    folder = _new_folder(model, train, options, lambda path: _first_files(path, config, step, state))
                    until_kept.enter_context(folder.held("train"))
                else:
                    state = _restored(before, step, config, say)
                now = _with_options(config, options, state)
                if before is None or not only_to_keep(before.path, state, options):
                    if not new:
                        _compiled(step, train, options, config, say, new)
                    state = _train(step, state, train, validation, options, folder, config, now, say, told)
            finally:
                step.release()
            _keep(step, folder, options, state.epoch)
            model.to(memory_format=torch.contiguous_format)  # as it is when loaded: another layout gives other bits
            run = Run(model.eval(), folder.path, state.history, now, state.status)
            told.end(run)
        except KeyboardInterrupt as stopped:
            told.break_off(stopped)
            if folder is None:
                raise
            raise Stopped(f"stopped; {folder.way_on}") from stopped
        except BaseException as error:
            told.break_off(error)
            raise
    say.say(_farewell(state, folder))
    return run


def _compiled(step: Step, train: Images, options: TrainOptions, config: Config, say: Reporter, new: bool) -> Config:
    """Compile the step, where that was resolved; the config, which says so where that fails in a `new` run."""
    if not isinstance(step, CompiledStep):
        return config
    say.say("compiling the step, once: 10 to 30 seconds, or a few where an earlier training has left the same step")
    known = rows(column(train, step.model.needs_column, step.device), torch.arange(options.batch_size))
    try:
        with torch.random.fork_rng(devices=[]):
            step.compile(torch.zeros(options.batch_size, *train.shape, device=step.device), known)
    except NotCompiledError as error:
        if new and options.compile is True:
            raise
        more = "" if new else "; it was compiled until now, so that the last bits of the weights may become others"
        say.say(f"the step runs eagerly, since it cannot be compiled here: {error.reason}{more}")
        return config.but(resolved=config.resolved | {"compile": False})
    return config


def _start(step: Step) -> State:
    """A training before its first step; all processes begin with the weights of the first."""
    model = step.model
    still = (p.data for p in model.parameters() if not p.requires_grad)
    moved = (tensor for learner in step.learners.values() for tensor in {learner.weights.flat, learner.kept})
    for tensor in (*moved, *still, *model.buffers()):
        distributed.from_first(tensor)
    step.refresh()
    return State()


def _with_options(config: Config, options: TrainOptions, state: State) -> Config:
    """The config of a training that goes on with `options`: with another number of epochs its schedules are stretched."""
    longer = state.epoch and options.epochs != config.options.get("epochs")
    return config.but(options=options.as_dict(), not_again="epochs" if longer else config.not_again)


def _first_files(path: Path, config: Config, step: Step, state: State) -> None:
    """What makes a folder a run that can be gone on with."""
    config.write(path)
    history.rewrite(path, [])
    checkpoint.save(path, step.state(), state)


def _restored(folder: RunFolder, step: Step, config: Config, say: Reporter) -> State:
    """Where the run stands, its weights put into `step`."""
    state = checkpoint.restore(folder.path, step.restore)
    folder.write(lambda path: checkpoint.settle_best(path, state.epoch))
    folder.write(lambda path: history.cut_steps(path, state.epoch))
    folder.write(lambda path: snapshots.cut(path, state.epoch))
    if state.epochs is None:  # written by Diabolo 0.1
        state.epochs = config.options.get("epochs")
    if state.epoch and not state.history:
        say.say(f"warning: {folder.path / history.FILE} is gone; the record of the epochs begins anew")
    return state


def _begin(model: Autoencoder, train: Images, options: TrainOptions, say: Reporter) -> None:
    """Weights of another run, where asked for; then the bottleneck looks at some training images, which must not move what was
    taken over or is frozen."""
    held = matching(model, options.freeze)
    if options.init:
        say.say(take_over(model, options.init))
        held |= set(fitting(model, options.init))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items() if name in held}
    start = train.spread(START)
    model.initialise(start.images, column(start, model.needs_column, model.device), options.seed)
    for name, tensor in model.state_dict().items():
        if name in held:
            tensor.copy_(before[name])


def _train(
    step: Step,
    state: State,
    train: Images,
    validation: Images | None,
    options: TrainOptions,
    folder: RunFolder | Unwritten,
    config: Config,
    now: Config,
    say: Reporter,
    told: Callbacks,
) -> State:
    """Lay out the loop and run it; `config` is that of the folder, and `now` what it is to become."""
    model, device = step.model, step.device
    if state.history and not state.digest:  # which Diabolo 0.1 kept in the checkpoint
        folder.write(lambda path: _rewrite_history(path, state))
    if state.status.startswith("stopped early"):
        state.waited = 0  # further epochs are asked for, with the same patience as before
    store = open_store(train, device, options.store)
    held = None if validation is None else open_store(validation, device, options.store)
    loop = Loop(step, store, len(train), held, 0 if validation is None else len(validation), options, folder, say)
    loop.known = column(train, model.needs_column, device)
    loop.validation_known = None if validation is None else column(validation, model.needs_column, device)
    say.say(f"{folder}: {model.name} with {sum(p.numel() for p in model.parameters()):,} parameters on {train!r}")
    together = f", {distributed.world()} processes" if distributed.world() > 1 else ""
    threads = torch.get_num_threads()
    say.say(f"{device}, {count(threads, 'CPU thread')}, {step.precision.name}{together}; images {store.place}")
    if left := plan(loop.order(0), options.batch_size).left_out:
        say.say(
            f"{left} of {len(train):,} images are left out of each epoch, others each time: all processes get equally many"
        )
    if device.type == "cuda" and options.graph:
        loop.device_loop = _captured(loop, store, say)
    if now != config:
        loop.config = now  # written when the first epoch is done
    if options.sample_every:
        if snapshots.pictured(model):
            loop.few = (train if validation is None else validation).spread(snapshots.SHOWN)
        else:
            say.say("no pictures as training goes (sample_every): what this model reconstructs are no pictures")
    state.status = "running"
    told.shown, loop.told = step.shown, told
    told.start(Run(model, folder.path, state.history, now, state.status))
    return loop.run(state)


def _rewrite_history(path: Path, state: State) -> None:
    state.length, state.digest = history.rewrite(path, state.history)


def _captured(loop: Loop, store: Any, say: Reporter) -> DeviceLoop | None:
    """The step as a CUDA graph, or None (said why) when that cannot be."""
    size = loop.options.batch_size
    batches = plan(loop.order(0), size)
    full = sum(len(batch) == size for batch in batches.batches)
    if not full:
        say.say("no CUDA graph: no batch is full; steps run eagerly")
        return None
    if not isinstance(store, ResidentStore):
        say.say("no CUDA graph: the images do not lie on the device; steps run eagerly")
        return None
    noise = generator(loop.options.seed, "noise", device=loop.step.device)
    steps = loop.steps
    total = steps * loop.options.epochs
    record, window = loop.new_record(), batches.windows[0]
    loop.step.frozen.train()  # what is captured is what happens in training mode
    device_loop = DeviceLoop(loop.step, store, record, noise, (full, size), total, window, loop.known)
    try:
        device_loop.capture()
    except Exception as error:  # whatever a capture dies of, the same steps can be run eagerly
        reason = (str(error) or type(error).__name__).splitlines()[0]
        say.say(f"no CUDA graph, steps run eagerly: {reason}")
        return None
    say.say(f"the step of {size} images is captured in a CUDA graph")
    return device_loop


def _keep(step: Step, folder: RunFolder | Unwritten, options: TrainOptions, epoch: int) -> None:
    """Leave the kept weights in the model and in model.safetensors."""
    best = folder.best() if options.keep == "best" else None
    step.model.load_state_dict(best or step.kept_state())
    kept = dict(step.model.state_dict())
    folder.write(lambda path: files.write_tensors(path / "model.safetensors", kept, {"epoch": epoch}))


def _farewell(state: State, folder: RunFolder | Unwritten) -> str:
    if state.status == "interrupted":
        return f"interrupted after epoch {state.epoch}; {folder.way_on}"
    return f"{state.status}: {folder}"


def _new_folder(
    model: Any, train: Images, options: TrainOptions, fill: Callable[[Path], None]
) -> RunFolder | Unwritten:
    """The first process makes it and writes into it what `fill` does; all know it."""
    if options.out is None:
        return Unwritten()
    return RunFolder.new(Path(options.out), options.name or f"{model.name}-{train.name}", fill)
