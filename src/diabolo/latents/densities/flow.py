"""A masked autoregressive flow: zuko's, trained on the codes."""

import math
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from diabolo.errors import DiaboloError
from diabolo.latents.densities.density import Density, Floats, Scale, density
from diabolo.latents.densities.gaussian import standard_normal
from diabolo.randomness import derive, generator
from diabolo.ranges import AnySeed, At, Count, Plural, checked

HELD_OUT, PATIENCE = 0.1, 5  # share of the codes; epochs without a better likelihood of those
RATE, BATCH, STEPS = (
    1e-3,
    256,
    8,
)  # of Adam; codes in a step at most; steps in an epoch at least, where there are so many


@density("flow")
class Flow(Density):
    """log p(z) = log N(f(z); 0, I) + log |det ∂f/∂z| with f a chain of masked autoregressive maps (Papamakarios et al. 2017,
    arXiv 1705.07057), trained by Adam on codes scaled to a variance of 1 until a held-out tenth gets no likelier.

    It needs the library zuko: pip install 'diabolo[flow]'.

    Args:
        transforms: maps in the chain.
        hidden: units in each of the two hidden layers of each map.
        epochs: at most so many passes over the codes.
        most: of more codes than this, so many drawn by the seed are fitted to.
        seed: of weights, of the order of codes, of what is held out.
    """

    @checked
    def __init__(
        self,
        transforms: Annotated[int, At(1, 1000)] = 3,
        hidden: Count = 64,
        epochs: Count = 50,
        most: Plural = 20_000,
        seed: AnySeed = 0,
    ) -> None:
        super().__init__()
        self.transforms, self.hidden, self.epochs, self.most, self.seed = transforms, hidden, epochs, most, seed
        self._zuko()

    def least(self, width: int) -> int:
        """Enough to hold some out."""
        return max(width + 1, 20)

    def _fit(self, z: Floats) -> None:
        z = z[np.random.default_rng(derive(self.seed, "flow")).permutation(len(z))[: self.most]]
        self.scale = Scale.of(z)
        u = torch.from_numpy(self.scale.there(z)).float()
        held, kept = u.split([round(HELD_OUT * len(u)), len(u) - round(HELD_OUT * len(u))])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(self.seed, "flow", "weights"))
            shape = [self.hidden, self.hidden]
            self.model = self._zuko().flows.MAF(self.width, transforms=self.transforms, hidden_features=shape)
        best = self._train(kept, held)
        self.setting |= {"fitted_to": len(u), "transforms": self.transforms, "hidden": self.hidden, "epochs": best}

    def _train(self, kept: Tensor, held: Tensor) -> int:
        """Train, and leave the weights under which `held` was likeliest; returns after which epoch that was."""
        source = generator(self.seed, "flow", "order")
        optimizer = torch.optim.Adam(self.model.parameters(), RATE)
        batch = max(1, min(BATCH, len(kept) // STEPS))
        least, best, weights = math.inf, 0, dict[str, Tensor]()
        for epoch in range(1, self.epochs + 1):
            for rows in torch.randperm(len(kept), generator=source).split(batch):
                loss = -self.model().log_prob(kept[rows]).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                missed = float(-self.model().log_prob(held).mean())
            if not math.isfinite(missed):
                raise DiaboloError("the flow diverged: its likelihood of held-out codes is not finite any more")
            if missed < least:
                least, best = missed, epoch
                weights = {name: value.clone() for name, value in self.model.state_dict().items()}
            elif epoch >= best + PATIENCE:
                break
        self.model.load_state_dict(weights)
        self.model.double()  # one unit inverts the other to the last digits
        return best

    def _sample(self, n: int, seed: int) -> Floats:
        with torch.no_grad():
            u = self.model().transform.inv(torch.from_numpy(standard_normal(n, self.width, seed)))
        return self.scale.back(u.numpy())

    def _log_prob(self, z: Floats) -> Floats:
        with torch.no_grad():
            of_units = self.model().log_prob(torch.from_numpy(self.scale.there(z)))
        log_density: Floats = of_units.numpy() - self.scale.log_volume
        return log_density

    @staticmethod
    def _zuko() -> Any:
        try:
            import zuko
        except ImportError as error:
            raise DiaboloError("the density 'flow' needs the library zuko: pip install 'diabolo[flow]'") from error
        return zuko
