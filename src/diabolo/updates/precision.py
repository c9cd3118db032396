"""The scale that keeps float16 gradients from vanishing."""

import torch
from torch import Tensor


class LossScale:
    """What the loss is multiplied by, and its gradient divided by: doubled after 2,000 good steps, halved when a gradient
    overflows (Micikevicius et al. 2018, arXiv 1710.03740).

    Attributes:
        scale: a power of two, so that dividing by it is exact.
        growth_tracker: good steps since the scale was changed.
    """

    START, GROWTH, BACKOFF, EVERY = 65536.0, 2.0, 0.5, 2000  # those of torch's GradScaler

    def __init__(self, device: torch.device) -> None:
        self.scale = torch.full((), self.START, device=device)
        self.growth_tracker = torch.zeros((), dtype=torch.int32, device=device)

    def divide(self, gradient: Tensor) -> Tensor:
        """Divide `gradient` by the scale, in place, and adapt the scale; whether all of it is finite, a truth value (1,)."""
        overflow = torch.zeros(1, device=gradient.device)
        torch._amp_foreach_non_finite_check_and_unscale_([gradient], overflow, self.scale.double().reciprocal().float())
        torch._amp_update_scale_(self.scale, self.growth_tracker, overflow, self.GROWTH, self.BACKOFF, self.EVERY)
        return overflow == 0

    def state(self) -> dict[str, Tensor]:
        """Both, by name, the live ones."""
        return {"scale": self.scale, "growth_tracker": self.growth_tracker}
