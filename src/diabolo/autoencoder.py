"""The one model: an encoder and a decoder joined by a bottleneck.

    x ── scaling ── corruption ── encoder ── bottleneck ── decoder ── likelihood ── loss
                                     │           z            │ x_hat
                                     └────── condition ───────┘

Every named model is a choice of these parts (see `diabolo.zoo`). Unless another objective is chosen, the loss is the negative
ELBO, or a penalised reconstruction, which is the same formula (`objectives/objective.py`):  −log p(x | z) + Σ weight · penalty.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from diabolo.bottlenecks import Bottleneck, Latent
from diabolo.codec import (
    as_codes,
    as_pixels,
    as_tensor,
    check_pixels,
    evaluating,
    in_chunks,
    reach_of,
    scaled,
)
from diabolo.conditions import UNKNOWN, Condition, Unconditional
from diabolo.corruptions import Clean, Corruption
from diabolo.errors import DiaboloError
from diabolo.heads import Head, Headless
from diabolo.likelihoods import Known, Likelihood
from diabolo.memory import check_room
from diabolo.objectives import ELBO, Loss, Objective
from diabolo.observations import AsIs, Observation
from diabolo.parts import part
from diabolo.randomness import Draws, drawing, generator
from diabolo.ranges import AnySeed, Count, checked
from diabolo.scaling import UNIT, Scaling, as_scaling
from diabolo.schedules import Schedule
from diabolo.summary import Summary, summarise
from diabolo.surroundings import undisturbed
from diabolo.updates.loss import unchecked
from diabolo.updates.player import Player

WITHOUT_PRIOR = "decoded from N(0, I), though it was not trained to have a prior"


@part
class Autoencoder(nn.Module):
    """An autoencoder from its parts.

    Args:
        encoder: x (N, *input_shape) → features (N, features); has `input_shape`. Under a condition it is called with (x, c).
        bottleneck: features → `Latent`.
        decoder: z (N, *latent_shape) → raw (N, *input_shape), one real number per pixel; or (z, c).
        likelihood: raw → x_hat and the loss against x.
        corruption: what the encoder sees in training instead of x; the target stays x.
        condition: what encoder and decoder are given besides.
        head: what else is read off the code.
        objective: what is minimised; the ELBO when left out.
        observation: what is taken to be the image in the loss, input and target alike: a 0/1 draw of it, say.
        scaling: from the units of the data to those of the networks, or its name: fitted when the training begins.

    Example:
        >>> from diabolo import bottlenecks, likelihoods, nets
        >>> encoder, decoder = nets.build("mlp", (1, 8, 8), 4, hidden=(32,))
        >>> model = diabolo.Autoencoder(encoder, bottlenecks.Sparse(encoder.features, 4), decoder, likelihoods.SquaredError())
        >>> tuple(model.encode(test.images).shape), tuple(model.reconstruct(test.images).shape)
        ((100, 4), (100, 1, 8, 8))
    """

    name = "autoencoder"  # a recipe puts its own name here; run folders are called by it
    recipe: dict[str, Any] | None = (
        None  # and here the options it was called with, where they are plain words and numbers
    )
    weights_of_seed: int | None = None  # from which `zoo.build_for` drew its weights, until they are trained

    def __init__(
        self,
        encoder: nn.Module,
        bottleneck: Bottleneck,
        decoder: nn.Module,
        likelihood: Likelihood,
        corruption: Corruption | None = None,
        condition: Condition | None = None,
        head: Head | None = None,
        objective: Objective | None = None,
        observation: Observation | None = None,
        scaling: str | Scaling = "none",
    ) -> None:
        super().__init__()
        self.encoder, self.bottleneck, self.decoder = encoder, bottleneck, decoder
        self.likelihood, self.corruption = likelihood, corruption or Clean()
        self.condition, self.head, self.objective = (
            condition or Unconditional(),
            head or Headless(),
            objective or ELBO(),
        )
        self.observation = observation or AsIs()
        self.input_shape: tuple[int, ...] = tuple(encoder.input_shape)  # type: ignore[arg-type]  # encoders carry it
        self.latent_shape = bottleneck.latent_shape
        self.scaling = as_scaling(scaling, self.input_shape, likelihood.scaled)
        self.likelihood.check(self.input_shape)
        self._check_scaling()
        self.likelihood.prepare(self.input_shape)
        if (
            self.condition.needs_column
            and self.head.needs_column
            and self.condition.needs_column != self.head.needs_column
        ):
            raise DiaboloError(
                f"a model can read one column of the images: the condition wants {self.condition.needs_column}, the head "
                f"{self.head.needs_column}"
            )
        self.objective.check(self)
        if not bottleneck.discrete and math.prod(self.latent_shape) >= math.prod(self.input_shape):
            warnings.warn(
                f"no bottleneck: the code has {math.prod(self.latent_shape)} numbers and the input has only "
                f"{math.prod(self.input_shape)}",
                stacklevel=2,
            )

    def _check_scaling(self) -> None:
        """Refuse parts that need numbers in [0, 1] where the scaling gives others."""
        low, high = self.scaling.support
        scores = self.likelihood.support
        if self.likelihood.counts:
            if self.scaling.kind not in ("none", "real"):
                raise DiaboloError(
                    f"the likelihood {type(self.likelihood).__name__} scores counts as they are, not scaled by "
                    f"{self.scaling.kind!r}: use scaling 'real'"
                )
        elif self.likelihood.scaled is not None and self.scaling.kind not in ("none", "real"):
            if getattr(self.scaling, "features", None) != self.likelihood.scaled:
                raise DiaboloError(
                    f"the likelihood {type(self.likelihood).__name__} lets features {list(self.likelihood.scaled)} be scaled, "
                    f"and no other: give the scaling by its name, {self.scaling.kind!r}"
                )
        elif low < scores[0] or high > scores[1]:
            raise DiaboloError(
                f"the likelihood {type(self.likelihood).__name__} gives numbers from {scores[0]:g} to {scores[1]:g}, and those "
                f"scaled by {self.scaling.kind!r} go beyond: use scaling 'unit', or a likelihood with a linear output, such as "
                "gaussian"
            )
        # The encoder alone sees what is corrupted: there it is enough that the training data lie in [0, 1] once scaled.
        for bounded, numbers in (
            (self.corruption, self.scaling.support),
            (self.observation, self.scaling.reach),
            (self.condition, self.scaling.reach),
        ):
            if bounded.needs_unit_range and numbers != UNIT:
                remedy = ": use scaling 'unit'" if bounded is self.corruption else ""
                raise DiaboloError(
                    f"{type(bounded).__name__} needs pictures with numbers in [0, 1], not those scaled by "
                    f"{self.scaling.kind!r}{remedy}"
                )

    # --- training ---------------------------------------------------------------------------------------------------

    def forward(self, x: Tensor, draws: Draws | None = None, given: Tensor | None = None) -> tuple[Latent, Tensor]:
        """`x` (N, *input_shape) as the encoder is to see it, and what the condition is `given` → its latent, and the decoder's
        raw output."""
        to_encoder, to_decoder = self.condition(given)
        latent: Latent = self.bottleneck(self.encoder(x, *to_encoder), draws or Draws())
        return latent, self.decoder(latent.z, *to_decoder)

    def loss(
        self, x: Tensor, draws: Draws | None = None, progress: float | Tensor = 1.0, y: Tensor | None = None
    ) -> Loss:
        """The loss of the images `x` (N, *input_shape).

        Args:
            x: the images as floats in the units of the data, or uint8.
            draws: where noise comes from; torch's global generator when left out.
            progress: the share of training done, for weights that change over training.
            y: what is known of each image, where the model needs a column: labels (N,) int64, −1 unknown; or vectors (N, F).

        Raises:
            DiaboloError: for images or `y` that training would not take, and for no images.
        """
        if y is None and self.needs_column is not None:
            raise DiaboloError(f"this model needs {self.needs_column}: give them as `y`")
        if unchecked():
            x, y = self._batch(x, y)
        draws = draws or Draws()
        with drawing(draws):
            loss: Loss = self.objective(self, self.observation(self.scaling(x), draws), y, draws, progress)
        return loss

    def score(self, raw: Tensor, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """The loss of each image (N,), in `unit`, of the decoder's output `raw` (N, …) against the scaled target `x` (N, …); of
        a density in the units of the data. With `weight` (N,) that of images that count so much."""
        loss = self.likelihood.loss(raw, x) if weight is None else self.likelihood.weighed(raw, x, weight)
        if not self.likelihood.density or self.scaling.reach == UNIT:
            return loss
        return loss + self.scaling.volume(~x.isnan() if self.takes_missing else None)

    @property
    def takes_missing(self) -> bool:
        """Whether NaN is a number that is not known to it, and no error."""
        return isinstance(self.likelihood, Known)

    @property
    def unit(self) -> str:
        """What `score` is measured in."""
        scaled = self.scaling.kind in ("none", "real") or self.likelihood.unit.startswith("nats")
        return self.likelihood.unit if scaled else f"{self.likelihood.unit}, of scaled numbers"

    @undisturbed()
    def initialise(self, x: Tensor | np.ndarray, y: Tensor | None = None, seed: int = 0) -> None:
        """Once before training: let the bottleneck see the features of some training images `x` (n, *input_shape)."""
        draws = Draws(generator(seed, "observation", device=self.device))
        x = self._infer(lambda part: self.observation(part, draws), self._images(x))

        def features() -> Tensor:
            """As in training (batch norm by the batch), but nothing of the model changes."""
            to_encoder, _ = self.condition(self.condition.pick(x, y))
            buffers = {name: buffer.clone() for name, buffer in self.encoder.named_buffers()}
            with torch.no_grad(), drawing(Draws(generator(seed, "begin", "features", device=self.device))):
                found: Tensor = self.encoder.train()(x, *to_encoder)
                for name, buffer in self.encoder.named_buffers():
                    buffer.copy_(buffers[name])
            return found

        self.bottleneck.initialise(features, Draws(generator(seed, "begin", device=self.device)))

    @property
    def units(self) -> dict[str, str]:
        """What each term of the loss is measured in."""
        return self.objective.units(self)

    @property
    def schedules(self) -> dict[str, Schedule]:
        """What of the loss may change over training, by name."""
        return self.objective.schedules(self)

    @property
    def logged(self) -> tuple[str, ...]:
        """What is written down each step beside the terms of the loss."""
        return self.objective.logged(self)

    @property
    def players(self) -> dict[str, Player]:
        """Who moves which of the weights in training, by name."""
        return self.objective.players(self)

    @property
    def after_update(self) -> Callable[[], None] | None:
        """What follows each update of the weights, in place; None for nothing."""
        if type(self.objective).after_update is Objective.after_update:
            return None
        return lambda: self.objective.after_update(self)

    @property
    def reconstructs(self) -> bool:
        """Whether it is trained to reconstruct."""
        return self.objective.judges_reconstructions

    @property
    def decodes(self) -> bool:
        """Whether anything is asked of its decoder in training."""
        return self.objective.trains_decoder

    @property
    def drawn_from(self) -> str:
        """Where `sample` draws its codes, in words."""
        if not math.prod(self.latent_shape):
            return "what it makes of its condition alone"
        if self.bottleneck.discrete:
            return "samples from the prior fitted to its codes"
        if "kl" in self.units:
            return "samples from the prior"
        return WITHOUT_PRIOR

    @property
    def needs_column(self) -> str | None:
        """What must be known of each image besides its pixels: "labels", "attributes" or "factors"; None for nothing."""
        return self.condition.needs_column or self.head.needs_column

    # --- inference: evaluation mode, no gradients, and the mode put back ------------------------------------------------

    @undisturbed()
    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The deterministic codes (N, *latent_shape) of the images `x` (N, *input_shape): means, never samples.

        `y` is what is known of each image, for a model with a condition (`needs_column`); so in the methods below.
        """
        unused = Draws(generator(0, "encode", device=self.device))  # a bottleneck may draw, and it must disturb nobody
        return self._latent(x, y, unused, "code")

    @undisturbed()
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The images x_hat (N, *input_shape), in the units of the data, of the codes `z` (N, *latent_shape); a plain classifier
        has none."""
        return self._decoded(z, y, self.likelihood.mean)

    def _decoded(self, z: Tensor, y: Tensor | None, read: Callable[[Tensor], Tensor]) -> Tensor:
        """What `read` makes of the decoder's raw output of `z`, in the units of the data."""
        if not self.objective.trains_decoder:
            raise DiaboloError("this model learns from labels alone and its decoder nothing: use encode or predict")
        z = as_codes(z, self.latent_shape)

        def some(part: Tensor, *given: Tensor) -> Tensor:
            _, to_decoder = self.condition(*given or (None,))
            return self.scaling.undo(read(self.decoder(part.to(self.device, torch.float32), *to_decoder)))

        return self._infer(some, z, self._known(y, len(z)))

    @undisturbed()
    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The reconstructions x_hat (N, *input_shape) of `x` as it is, without corruption: decode(encode(x))."""
        return self.decode(self.encode(x, y), self.condition.pick(self._at_rest(x), y))

    @checked
    @undisturbed()
    def sample(self, n: Count, seed: AnySeed = 0, y: Tensor | None = None) -> Tensor:
        """`n` images (n, *input_shape) decoded from the prior; the same for the same seed on the same kind of device.

        `y` is what they are conditioned on, one entry for each or one for all.
        """
        check_room("n", n, 8 * (math.prod(self.input_shape) + math.prod(self.latent_shape)))
        draws = Draws(generator(seed, "sample", device=self.device))
        if y is None:
            y = self.condition.default(n, self.device)
        z = self.bottleneck.prior(n, draws, self.device)
        return self._decoded(z, y, lambda raw: self.likelihood.drawn(raw, draws))

    @undisturbed()
    def sample_codes(self, x: Tensor, seed: int = 0, y: Tensor | None = None) -> Tensor:
        """One draw z ~ q(z | x) for each image of `x` (N, *input_shape): (N, *latent_shape)."""
        return self._latent(x, y, Draws(generator(seed, "posterior", device=self.device)), "z")

    @undisturbed()
    def features(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """What the encoder gives to the bottleneck of the images `x` (N, *input_shape): (N, features)."""
        return self._infer_images(lambda part, to_encoder: self.encoder(part, *to_encoder), x, y)

    @undisturbed()
    def observe(self, x: Tensor | np.ndarray, seed: int = 0) -> Tensor:
        """What is taken to be the images `x` (N, *input_shape) in the loss: 0/1 draws of them, say."""
        draws = Draws(generator(seed, "observation", device=self.device))
        return self._infer(
            lambda part: self.scaling.undo(self.observation(self._scaled(part), draws)), self._at_rest(x)
        )

    @undisturbed()
    def corrupt(self, x: Tensor, seed: int = 0) -> Tensor:
        """`x` (N, *input_shape) as the encoder sees it in training."""
        draws = Draws(generator(seed, "corruption", device=self.device))
        return self._infer(lambda part: self.scaling.undo(self.corruption(self._scaled(part), draws)), self._at_rest(x))

    @undisturbed()
    def predict(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """What the head says of the images `x` (N, *input_shape): for a classifier the logits (N, classes)."""
        draws = Draws(generator(0, "predict", device=self.device))
        if not self.head.of_code:
            return self._infer(lambda part: self.head(self._scaled(part), None), self._at_rest(x))
        return self._infer_images(
            lambda part, to_encoder: self.head(part, self.bottleneck(self.encoder(part, *to_encoder), draws)), x, y
        )

    @undisturbed()
    def summary(self) -> Summary:
        """The table of layers, output shapes and parameter counts; print it."""
        x, draws = (
            torch.zeros(1, *self.input_shape, device=self.device),
            Draws(generator(0, "summary", device=self.device)),
        )
        given = self.condition.pick(x, self.condition.blank(self.device))
        with torch.no_grad(), evaluating(self):
            return summarise(self, lambda: self(x, draws, given))

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        return next(self.parameters()).device

    def _images(self, x: Tensor | np.ndarray) -> Tensor:
        """`x` (N, *input_shape), scaled."""
        return self._scaled(self._at_rest(x))

    def _at_rest(self, x: Tensor | np.ndarray) -> Tensor:
        """`x` (N, *input_shape) as it is, checked: no floats are made of bytes before they are needed."""
        reach = reach_of(self.corruption.reach, self.scaling)
        return check_pixels(x, self.input_shape, reach, self.takes_missing)

    def _scaled(self, x: Tensor) -> Tensor:
        """Some of what `_at_rest` gives, scaled."""
        return scaled(x, self.device, self.scaling)

    def _batch(self, x: Tensor | np.ndarray, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """`x` and `y` as the loss wants them, in the precision in which they were given; refused where training would."""
        reach = self.corruption.reach if self.scaling.reach == UNIT else self.scaling.reach
        x = as_pixels(x, self.input_shape, reach, self.takes_missing).to(self.device)
        if not len(x):
            raise DiaboloError("the loss is a mean over images, and there are none")
        if y is None or self.needs_column is None:
            return x, y
        y = as_tensor(y, "`y`").to(self.device)
        if not y.ndim or len(y) != len(x):
            raise DiaboloError(f"there are {len(x)} images but `y` has the shape {tuple(y.shape)}")
        some = self.needs_column == "labels" and (
            self.condition.needs_column is None or self.objective.marginalises_labels
        )
        told = y[y != UNKNOWN] if some else y  # such a model does without some labels, or all of one batch
        if len(told):
            (self.head if self.condition.needs_column is None else self.condition).check(told)
        return x, y

    def _known(self, y: Tensor | None, n: int) -> Tensor | None:
        """`y` on the device, one entry for each of `n`; refused when the condition needs it and it is not there."""
        if y is None:
            if self.condition.needs_column is not None:
                raise DiaboloError(f"this model is conditioned on {self.condition.needs_column}: give them as `y`")
            return None
        y = as_tensor(y, "`y`").to(self.device)
        y = y.expand(n, *y.shape[1:]) if y.ndim and len(y) == 1 else y.expand(n) if not y.ndim else y
        if len(y) != n:
            raise DiaboloError(f"there are {n} images or codes but {len(y)} entries in `y`")
        self.condition.check(y)
        return y

    def _latent(self, x: Tensor, y: Tensor | None, draws: Draws, field: str) -> Tensor:
        """`field` of the latents of `x`."""
        return self._infer_images(
            lambda part, to_encoder: getattr(self.bottleneck(self.encoder(part, *to_encoder), draws), field), x, y
        )

    def _infer_images(
        self, function: Callable[[Tensor, tuple[Tensor, ...]], Tensor], x: Tensor | np.ndarray, y: Tensor | None
    ) -> Tensor:
        """`function` of the images `x`, scaled, and of what the encoder is given beside them, a chunk at a time."""
        x = self._at_rest(x)

        def some(part: Tensor, *given: Tensor) -> Tensor:
            to_encoder, _ = self.condition(*given or (None,))
            return function(self._scaled(part), to_encoder)

        return self._infer(some, x, self._known(self.condition.pick(x, y), len(x)))

    def _infer(self, function: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
        """`function` over those `inputs` (N, …) that there are, a chunk at a time."""
        with torch.no_grad(), evaluating(self):
            return in_chunks(function, *(x.detach() for x in inputs if x is not None))
