"""One step of training: loss, gradient, update. Written once, run eagerly or captured in a CUDA graph."""

from typing import Any

import torch
from torch import Tensor

from diabolo import processes
from diabolo.autoencoder import Autoencoder, Loss
from diabolo.randomness import Draws
from diabolo.schedules import Constant, Cosine, OneCycle, Schedule
from diabolo.training.hardware import Precision
from diabolo.training.options import TrainOptions

LR_SCHEDULES: dict[str, type] = {"constant": Constant, "cosine": Cosine, "one-cycle": OneCycle}
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class Step:
    """Loss, backward, (clip,) update, (moving average) for one batch.

    Attributes:
        optimizer: fused Adam or AdamW; on CUDA with a learning rate that lives on the device, so that a graph can change it.
        schedule: learning rate over training.
        averages: the exponential moving average of each parameter; empty without `ema`.
        scaler: for float16 only; the others need none.
    """

    def __init__(self, model: Autoencoder, options: TrainOptions, precision: Precision) -> None:
        self.model, self.precision, self.options = model, precision, options
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.device = model.device
        on_gpu = self.device.type == "cuda"
        self.optimizer = OPTIMIZERS[options.optimizer](
            self.parameters,
            lr=torch.tensor(options.lr, device=self.device) if on_gpu else options.lr,
            weight_decay=options.weight_decay,
            fused=True,
            capturable=on_gpu,
        )
        self.schedule: Schedule = LR_SCHEDULES[options.schedule](options.lr)
        self.averages = [p.detach().clone() for p in self.parameters] if options.ema else []
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision.name == "float16")
        self.loss: Any = torch.compile(model.loss) if options.compile else model.loss

    def __call__(self, x: Tensor, draws: Draws, progress: float | Tensor) -> Loss:
        """Train on the images `x` (B, …), float in [0, 1]; the loss before the update."""
        self._set_lr(self.schedule(progress))
        with torch.autocast(self.device.type, self.precision.dtype, enabled=self.precision.autocast):
            loss: Loss = self.loss(x, draws, progress)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss.total).backward()
        processes.average_gradients(self.parameters)
        if self.options.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.parameters, self.options.clip_norm, foreach=True)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.averages:
            decay = float(self.options.ema or 0)
            torch._foreach_lerp_(self.averages, [p.detach() for p in self.parameters], 1 - decay)
        return loss

    def _set_lr(self, value: float | Tensor) -> None:
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].copy_(value) if isinstance(value, Tensor) else group["lr"].fill_(value)
            else:
                group["lr"] = float(value)

    def kept_state(self) -> dict[str, Tensor]:
        """The weights worth keeping: the moving average where there is one, else the weights as they are."""
        state = dict(self.model.state_dict())
        if self.averages:
            names = [name for name, p in self.model.named_parameters() if p.requires_grad]
            state |= dict(zip(names, self.averages, strict=True))
        return state

    # --- everything needed to go on bit-exactly ---------------------------------------------------------------------------

    def state(self) -> dict[str, Tensor]:
        """Weights, optimizer state, averages and loss scale as named tensors."""
        tensors = {f"model/{name}": t for name, t in self.model.state_dict().items()}
        for i, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{i}/{slot}": t for slot, t in slots.items()}
        tensors |= {f"average/{i}": t for i, t in enumerate(self.averages)}
        if self.scaler.is_enabled():
            scale = self.scaler.state_dict()
            tensors |= {f"scaler/{name}": torch.tensor(float(scale[name])) for name in ("scale", "_growth_tracker")}
        return tensors

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `state` gave, keeping the memory layout of the parameters."""
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "average": {}, "scaler": {}}
        for name, tensor in tensors.items():
            group, _, rest = name.partition("/")
            groups[group][rest] = tensor
        self.model.load_state_dict(groups["model"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in groups["optimizer"].items():
            index, _, slot = name.partition("/")
            like = self.parameters[int(index)]
            state.setdefault(int(index), {})[slot] = torch.empty_like(like).copy_(tensor) if tensor.ndim else tensor
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})
        for i, average in enumerate(self.averages):
            average.copy_(groups["average"][str(i)])
        if self.scaler.is_enabled():
            scale = self.scaler.state_dict()
            scale["scale"] = float(groups["scaler"]["scale"])
            scale["_growth_tracker"] = int(groups["scaler"]["_growth_tracker"])
            self.scaler.load_state_dict(scale)
