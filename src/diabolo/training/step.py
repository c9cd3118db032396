"""One step of training: loss, gradient, update. Written once, run eagerly or captured in a CUDA graph."""

from typing import TypeVar

import torch
from torch import Tensor

from diabolo.autoencoder import Autoencoder, Loss, already_checked
from diabolo.randomness import Draws
from diabolo.schedules import Constant, Cosine, OneCycle, Schedule
from diabolo.training.freezing import Frozen
from diabolo.training.hardware import Precision
from diabolo.training.options import TrainOptions
from diabolo.training.weights import Weights

LR_SCHEDULES: dict[str, type] = {"constant": Constant, "cosine": Cosine, "one-cycle": OneCycle}
SCALER = ("scale", "_growth_tracker")
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


Count = TypeVar("Count", float, Tensor)


def decay_at(taken: Count, ema: float) -> Count:
    """The decay of the moving average at step `taken`, counted from 1: min(`ema`, (1 + taken) / (10 + taken)).

    It grows to `ema`, so that the average forgets the random weights that it begins with, however short the training."""
    grown = (1 + taken) / (10 + taken)
    return grown.clamp(max=ema) if isinstance(grown, Tensor) else min(grown, ema)


class Step:
    """Loss, backward, (clip,) update, (moving average) for one batch.

    While it is in use the model's weights belong to it; `release` gives them back.

    Attributes:
        frozen: what of the model stays as it is.
        weights: all trainable weights as one flat tensor.
        optimizer: fused Adam or AdamW over it; on CUDA its learning rate lives on the device, so that a graph can change it.
        schedule: learning rate over training.
        average: the exponential moving average of the weights (see `decay_at`); None without `ema`.
        scaler: for float16 only; the others need none.
    """

    def __init__(self, model: Autoencoder, options: TrainOptions, precision: Precision) -> None:
        self.model, self.precision, self.options = model, precision, options
        self.device = model.device
        self.frozen = Frozen(model, options.freeze)
        self.weights = Weights(model, precision)
        on_gpu = self.device.type == "cuda"
        self.optimizer = OPTIMIZERS[options.optimizer](
            [self.weights.flat],
            lr=torch.tensor(options.lr, device=self.device) if on_gpu else options.lr,
            weight_decay=options.weight_decay,
            fused=True,
            capturable=on_gpu,
        )
        self.schedule: Schedule = LR_SCHEDULES[options.schedule](options.lr)
        self.average = self.weights.flat.detach().clone() if options.ema else None
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision.name == "float16")

    def __call__(self, x: Tensor, draws: Draws, progress: float | Tensor, y: Tensor | None = None) -> Loss:
        """Train on the images `x` (B, …), float in [0, 1], and what is known of them, `y`; the loss before the update."""
        self._set_lr(self.schedule(progress))
        self.weights.forget()
        with torch.autocast(self.device.type, self.precision.dtype, enabled=self.precision.autocast), already_checked():
            loss = self.model.loss(x, draws, progress, y)
        self.scaler.scale(loss.total).backward()
        self.weights.gather()
        if self.options.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.weights.flat, self.options.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.weights.refresh()
        if self.average is not None:
            taken = self.optimizer.state[self.weights.flat]["step"]
            self.average.lerp_(self.weights.flat.detach(), 1 - decay_at(taken, float(self.options.ema or 0)))
        return loss

    @property
    def decay(self) -> float | None:
        """The decay of the moving average at the last step; None without one. (Waits for the device.)"""
        if self.average is None:
            return None
        taken = self.optimizer.state[self.weights.flat].get("step", 0)
        return decay_at(float(taken), float(self.options.ema or 0))

    def _set_lr(self, value: float | Tensor) -> None:
        group = self.optimizer.param_groups[0]
        if isinstance(group["lr"], Tensor):
            group["lr"].copy_(value) if isinstance(value, Tensor) else group["lr"].fill_(value)
        else:
            group["lr"] = float(value)

    @property
    def kept(self) -> Tensor:
        """The weights worth keeping, flat: the moving average where there is one, else the weights as they are."""
        return self.weights.flat.detach() if self.average is None else self.average

    def kept_state(self) -> dict[str, Tensor]:
        """The model's state with the weights worth keeping."""
        return self.model.state_dict() | self.weights.named(self.kept)

    def release(self) -> None:
        """Give the model its own float32 weights back, and let the frozen ones move again."""
        self.weights.release()
        self.frozen.release()

    # --- everything needed to go on bit-exactly -----------------------------------------------------------------------

    def state(self) -> dict[str, Tensor]:
        """Weights, buffers, optimizer state, average and loss scale: tensors by name, the live ones."""
        tensors = {f"model/{name}": t for name, t in self.model.state_dict().items()}
        tensors |= {f"model/{name}": t for name, t in self.weights.named(self.weights.flat).items()}
        tensors |= {f"optimizer/{slot}": t for slot, t in self.optimizer.state[self.weights.flat].items()}
        if self.average is not None:
            tensors |= {f"average/{name}": t for name, t in self.weights.named(self.average).items()}
        if self.scaler.is_enabled():
            scale = self.scaler.state_dict()
            tensors |= {f"scaler/{name}": torch.tensor(float(scale[name])) for name in SCALER}
        return tensors

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `state` gave.

        Raises:
            KeyError, RuntimeError: when it was the state of another model.
        """
        for name, tensor in self.state().items():
            if name in tensors and tensors[name].shape != tensor.shape:
                raise KeyError(f"{name!r} has shape {tuple(tensors[name].shape)}, not {tuple(tensor.shape)}")
        slots = {name.removeprefix("optimizer/"): t for name, t in tensors.items() if name.startswith("optimizer/")}
        if any(t.ndim and t.shape != self.weights.flat.shape for t in slots.values()):
            raise KeyError("the optimizer state is of another model")
        group = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": {0: slots} if slots else {}, "param_groups": group})
        own = self.state()
        if extra := sorted(set(tensors) ^ set(own)):
            raise KeyError(f"the tensors differ, first in {extra[0]!r}")
        for name, tensor in own.items():
            if not name.startswith("scaler/"):
                tensor.copy_(tensors[name])
        self.weights.refresh()
        if self.scaler.is_enabled():
            scale = self.scaler.state_dict()
            self.scaler.load_state_dict(scale | {name: type(scale[name])(tensors[f"scaler/{name}"]) for name in SCALER})
