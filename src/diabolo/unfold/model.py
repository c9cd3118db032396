"""A model in plain PyTorch: its encoder, its decoder, what joins them, and its loss as the formula."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diabolo import heads, objectives
from diabolo.autoencoder import Autoencoder
from diabolo.errors import DiaboloError
from diabolo.plain import count
from diabolo.schedules import Constant
from diabolo.unfold import marginal
from diabolo.unfold.bounds import helpers
from diabolo.unfold.codes import Code, code
from diabolo.unfold.kinds import ByKind
from diabolo.unfold.layers import INDENT, blocks, flat, sequential
from diabolo.unfold.networks import Network, assigned, network
from diabolo.unfold.numbers import number, schedule
from diabolo.unfold.scalings import Scaled, scaled, volume
from diabolo.unfold.scores import SCALE, Score, corrupted, given, observed, score


@dataclass(frozen=True)
class Unfolded:
    """A model as text.

    Attributes:
        networks: classes, as lines: blocks, encoder, decoder, and the model `Autoencoder`.
        loss: the function `loss_function(model, x, y, progress)`.
        x_hat: an expression for the reconstruction of the decoder's `raw`.
        column: what `y` is: "labels", say; None where nothing is needed.
        sample: an expression for `n` codes to decode; "" where there is none.
        condition: an expression for `c`; "" where there is none.
        decodes: whether the decoder is trained.
        draws_codebook: whether the codebook begins as centres of the encoder's outputs.
        scaling: how x is scaled.
    """

    networks: str
    loss: str
    x_hat: str
    column: str | None
    sample: str
    condition: str
    decodes: bool
    draws_codebook: bool
    scaling: Scaled


def unfolded(model: Any) -> Unfolded:
    """`model` as text.

    Raises:
        DiaboloError: for a model with a part that is not known here.

    Example:
        >>> from diabolo import unfold
        >>> text = unfold.unfolded(diabolo.zoo.vae((1, 28, 28), latent_dim=2)).loss
        >>> "kl_of_units = 0.5 * (mu.square() + logvar.exp() - 1 - logvar)" in text
        True
    """
    if type(model) is not Autoencoder:  # a subclass may do other things with its parts
        raise DiaboloError(f"unfold writes autoencoders in plain PyTorch, not a {type(model).__name__}")
    return _Writer(model).written()


supervised = ByKind[bool]("objective")
"""Whether it is of labels alone."""
supervised.of(objectives.ELBO, objectives.Hybrid, objectives.M2)(lambda objective: False)
supervised.of(objectives.Supervised)(lambda objective: True)

classifies = ByKind[bool]("head")
"""Whether it reads a class off something."""
classifies.of(heads.Headless)(lambda head: False)
classifies.of(heads.Classifier, heads.ImageClassifier)(lambda head: True)


class _Writer:
    """The parts of `model`, as text."""

    def __init__(self, model: Autoencoder) -> None:
        self.model = model
        core = model.bottleneck.core
        self.code: Code = code(core)
        self.score: Score = score(model.likelihood)
        self.scaling: Scaled = scaled(model.scaling)
        self.given = given(model.condition)
        self.coded = bool(self.code.returns)  # not for a model without a code
        told = model.condition.core
        to_encoder, to_decoder = bool(told.to_encoder), bool(told.to_decoder)
        self.to_encoder, self.to_decoder = to_encoder and self.coded, to_decoder
        self.encoder: Network = network(model.encoder, self.to_encoder)
        self.decoder: Network = network(model.decoder, to_decoder and self.coded)
        if self.code.is_map:
            self.encoder.init = [line for line in self.encoder.init if line != f"{INDENT}nn.Flatten(),"]
        self.supervised, self.classifies = supervised(model.objective), classifies(model.head)
        self.of_images = self.classifies and not model.head.of_code

    def written(self) -> Unfolded:
        scale = SCALE if self.score.init else ""
        own = [self._encoder(), self.code.classes, self._decoder(), scale, self.scaling.classes]
        own += [self._classifier(), self._model()]
        loss, classes = self._loss(), [*self._blocks(), *own]
        return Unfolded(
            "\n\n\n".join(text for text in [*helpers(loss, *classes), *classes] if text),
            loss,
            self.score.x_hat,
            self.model.needs_column,
            "" if self.encoder.maps else self.code.sample,
            self.given.c,
            self.model.decodes,
            self.code.begins,
            self.scaling,
        )

    def _blocks(self) -> list[str]:
        lines = blocks([self.model.encoder, self.model.decoder])
        return ["\n".join(lines)] if lines else []

    def _encoder(self) -> str:
        if not self.coded:
            return ""
        shape = "".join(f", {n}" for n in self.model.input_shape)
        gives = f"{self.code.returns}: codes of {count(self.model.bottleneck.core.latent_shape[0], 'number')}"
        if self.code.is_map:
            gives = "a map of features"
        returns = self.code.returns + (", maps" if self.encoder.maps else "")
        return _class(
            "Encoder",
            f"x (N{shape}) → {gives}.",
            [*self.encoder.init, *self.code.init],
            "self, x, c" if self.to_encoder else "self, x",
            [*self.encoder.forward, *self.code.encode, f"return {returns}"],
        )

    def _decoder(self) -> str:
        shape = "".join(f", {n}" for n in self.model.input_shape)
        z = ["z"] + (["maps"] if self.decoder.maps else []) + (["c"] if self.to_decoder and self.coded else [])
        what = "a code" if self.coded else "what it is given"
        return _class(
            "Decoder",
            f"{what[0].upper()}{what[1:]} → raw (N{shape}), a real number for each pixel.",
            self.decoder.init,
            ", ".join(["self", *z]),
            [*self.decoder.forward, "return raw"],
        )

    def _classifier(self) -> str:
        if not self.of_images:
            return ""
        init, forward = marginal.classifier(self.model.head)
        return _class("Classifier", "x → logits of q(y | x).", init, "self, x", forward)

    def _model(self) -> str:
        head = []
        if self.of_images:
            head = ["self.classifier = Classifier()"]
        elif self.classifies:
            head_of: Any = self.model.head
            layers = list(flat([head_of.layers]))
            head = assigned("classifier", sequential(layers))
        init = [
            *(["self.encoder = Encoder()"] if self.coded else []),
            *([self.code.module] if self.code.module else []),
            "self.decoder = Decoder()",
            *self.score.init,
            *self.scaling.init,
            *self.given.init,
            *head,
        ]
        if not self.coded:
            return _class(
                "Autoencoder", "No code: the decoder goes by c alone.", init, "self, c", ["return (self.decoder(c),)"]
            )
        maps = ", maps" if self.encoder.maps else ""
        c = ", c" if self.given.c else ""
        calls = [f"{self.code.returns}{maps} = self.encoder(x{', c' if self.to_encoder else ''})", *self.code.draw]
        kept = self.code.kept
        if self.supervised:
            return _class(
                "Autoencoder", "Its decoder is not trained.", init, f"self, x{c}", [*calls, f"return None, {kept}"]
            )
        decoded = f"self.decoder(z{maps}{', c' if self.to_decoder else ''})"
        says = "Encoder, bottleneck, decoder."
        returned = [*calls, f"return {decoded}, {kept}"]
        return _class("Autoencoder", says, init, f"self, x{c}", returned, self.code.methods)

    def _loss(self) -> str:
        drawn = observed(self.model.observation)
        lines = [*self.scaling.before, *drawn]
        if self.supervised and drawn:
            raise DiaboloError("unfold cannot write a classifier of drawn images in plain PyTorch")
        if self.of_images:
            more, weights = self._marginal()
        else:
            more, weights = self._called()
        lines += more
        if self.classifies:
            lines += self._classified()
            weights["classification"] = self._weight("classification")
        total = [_product(weight, name) for name, weight in weights.items() if weight]
        lines = _only_used(lines)
        lines.append(f"loss = {' + '.join(total)}")
        lines += ["return loss, {", *[f'{INDENT}"{name}": {name},' for name in weights], "}"]
        return "\n".join(
            [
                "def loss_function(model, x, y, progress):",
                f'{INDENT}"""The loss of the images x (N, …), and its terms, each a mean over images."""',
                *[INDENT + line for line in lines],
            ]
        )

    def _weight(self, name: str) -> str:
        """That of a term of the loss, as text; "" for one that is only written down."""
        weight = self.model.objective.schedules(self.model)[name]
        return "" if isinstance(weight, Constant) and weight.value == 0 else schedule(weight)

    def _marginal(self) -> tuple[list[str], dict[str, str]]:
        """Lines of M2, and its terms with their weights."""
        corruption = corrupted(self.model.corruption)
        lines = marginal.loss(self.model, self.code, self.given.c, "seen" if corruption else "x")
        return [*corruption, *lines], {"reconstruction": "1", "kl": self._weight("kl"), "label": "1"}

    def _called(self) -> tuple[list[str], dict[str, str]]:
        """Lines that call the model on each image and score what it gives, and the terms with their weights."""
        c, kept = self.given.c, self.code.kept
        corruption = corrupted(self.model.corruption)
        seen = "seen" if corruption or self.code.seen else "x"
        own = [line if corruption else line.replace("seen.detach()", "x.detach()") for line in self.code.seen]
        lines = [*([f"c = {c}"] if c else []), *corruption, *own]
        handed = ", ".join(["c"] if not self.coded else [seen, *(["c"] if c else [])])
        lines.append(f"raw, {kept} = model({handed})" if kept else f"(raw,) = model({handed})")
        if self.supervised:
            return lines, {}
        objective: Any = self.model.objective
        lines += [*self.score.loss, *volume(self.model.likelihood, self.model.scaling)]
        weights = {"reconstruction": number(objective.reconstruction)}
        for name, how in self.code.terms.items():
            lines += how
            weights[name] = self._weight(name)
        if drawn := drawn_weight(objective):
            lines += self._drawn()
            weights["from_prior"] = number(drawn)
        return lines, weights

    def _classified(self) -> list[str]:
        """Lines of the cross entropy of the labels that are known."""
        z = "mu" if self.code.returns.startswith("mu") else "z"
        read = [
            f"logits = model.classifier({f'{z}.flatten(1)' if self.code.is_map else z})",
            "known = y >= 0  # -1: the label is not known",
        ]
        return [
            *([] if self.of_images else read),
            'classification = F.cross_entropy(logits[known], y[known], reduction="sum")',
            "classification = classification / known.sum().clamp(min=1)",
        ]

    def _drawn(self) -> list[str]:
        """How well codes of the prior do."""
        if not self.code.returns.startswith("mu"):
            raise DiaboloError("unfold cannot write the hybrid objective of codes without a posterior in plain PyTorch")
        z = "model.draw(c)" if self.code.methods else "torch.randn_like(mu)"
        nats = volume(self.model.likelihood, self.model.scaling)
        again = [
            re.sub(r"\braw\b", "drawn", re.sub(r"\breconstruction\b", "from_prior", line))
            for line in [*self.score.loss, *nats]
        ]
        return ["# what is drawn from the prior is trained, too (Sohn 2015)", f"drawn = model.decoder({z}, c)", *again]


drawn_weight = ByKind[float]("objective")
"""The weight of what is drawn from the prior in training; 0 for none."""
drawn_weight.of(objectives.ELBO)(lambda objective: 0.0)
drawn_weight.of(objectives.Hybrid)(lambda objective: objective.from_prior)


def _only_used(lines: list[str]) -> list[str]:
    """The lines, in which what the model returns and nothing reads is called `_`."""
    at = next(i for i, line in enumerate(lines) if " = model(" in line)
    names, call = lines[at].split(" = ", 1)
    later = "\n".join(lines[at + 1 :])
    told = [name if re.search(rf"\b{name.strip('(,)')}\b", later) else "_" for name in names.split(", ")]
    return [*lines[:at], f"{', '.join(told)} = {call}", *lines[at + 1 :]]


def _product(weight: str, term: str) -> str:
    if weight == "1":
        return term
    return f"({weight}) * {term}" if " " in weight else f"{weight} * {term}"


def _class(
    name: str, says: str, init: list[str], arguments: str, forward: list[str], methods: Sequence[str] = ()
) -> str:
    lines = [
        f"class {name}(nn.Module):",
        f'{INDENT}"""{says}"""',
        "",
        f"{INDENT}def __init__(self):",
        f"{INDENT * 2}super().__init__()",
        *[INDENT * 2 + line for line in init],
        "",
        f"{INDENT}def forward({arguments}):",
        *[INDENT * 2 + line for line in forward],
        *[INDENT + line if line else line for line in (["", *methods] if methods else [])],
    ]
    return "\n".join(lines)
