"""What a model costs: in size, operations, time and memory."""

import math
from collections.abc import Callable
from typing import Any

import torch

from diabolo.data.columns import column
from diabolo.evaluation.measure import NotApplicable, Section, measure, standing_alone
from diabolo.evaluation.subject import Subject
from diabolo.latents.codes import known
from diabolo.metrics.cost import flops, pace, peak_bytes
from diabolo.metrics.score import Score
from diabolo.ranges import Count

MIB = 2**20


@measure(
    {"parameters": 71},
    cost_images="Images encoded and decoded at once when time and memory are measured.",
    cost_repeats="How often that is timed; the median counts.",
)
def cost(subject: Subject, *, cost_images: Count = 1024, cost_repeats: Count = 5) -> Section:
    """Parameters, operations per image, images encoded and decoded per second (warm, pixels already in memory), the most memory
    that takes (on a CPU: that tensors take), and what training took."""
    codec: Any = subject.codec
    few = subject.test.take(range(min(cost_images, len(subject.test))))
    x, y, told = torch.from_numpy(few.pixels), column(few, codec.needs_column), known(codec, few)
    device = codec.device
    x = x.to(device)
    z = codec.encode(x, y)

    def first(column: Any) -> Any:
        return None if column is None else column[:1]

    steps: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "encode": (lambda: codec.encode(x, y), lambda: codec.encode(x[:1], first(y))),
        "decode": (lambda: codec.decode(z, told), lambda: codec.decode(z[:1], first(told))),
    }
    where = {"device": _named(device), "threads": torch.get_num_threads()} | {"batch": len(few), "precision": "float32"}
    scores, skipped = _size(subject), dict[str, str]()
    for name, (_, one) in steps.items():
        with standing_alone(f"{name}: operations", skipped):
            scores[f"{name}: operations"] = Score(
                _counted(one), "floating-point operations per image", 1, subject.test.split, better="lower",
                setting={"counted": "matrix products, convolutions and attention; an addition and a multiplication are two"},
            )  # fmt: skip
    for name, (all_of_them, _) in steps.items():
        with standing_alone(f"{name}: speed", skipped):
            found = pace(all_of_them, device, cost_repeats)
            rates = sorted(len(few) / seconds for seconds in found.seconds)
            scores[f"{name}: speed"] = Score(
                len(few) / found.median, "images per second", len(few), subject.test.split, better="higher",
                setting=where | {"repeats": cost_repeats, "kept": "median", "slowest": rates[0], "fastest": rates[-1]},
            )  # fmt: skip
    what, how = "MiB of tensors alive at once", "what operations return; what they need within themselves is not seen"
    if device.type == "cuda":
        what, how = "MiB allocated at once", "torch's allocator"
    for name, (all_of_them, _) in steps.items():
        with standing_alone(f"{name}: memory", skipped):
            scores[f"{name}: memory"] = Score(
                peak_bytes(all_of_them, device) / MIB, f"{what}, beside model and images", len(few), subject.test.split,
                better="lower", setting=where | {"how": how},
            )  # fmt: skip
    with standing_alone("training", skipped):
        scores |= _training(subject)
    return Section(scores, skipped=skipped)


def _size(subject: Subject) -> dict[str, Score]:
    """The numbers that the model consists of."""
    module = subject.codec
    if not isinstance(module, torch.nn.Module):
        return {}
    parameters = [p.numel() for p in module.parameters()]
    buffers = sum(b.numel() for b in module.buffers())
    setting = {
        "counted": "model",
        "trainable": sum(p.numel() for p in module.parameters() if p.requires_grad),
        "buffers beside": buffers,
    }
    if not parameters:  # PCA: what was fitted lies in buffers
        fitted = sum(b.numel() for name, b in module.named_buffers() if not name.startswith("scaling."))
        if not fitted:  # functions of somebody else's, which do not say of how many numbers they are made
            return {}
        parameters, setting = [buffers], {"counted": "model", "trainable": 0, "fitted in closed form": True}
    return {"parameters": Score(sum(parameters), "numbers", 1, "train", better="lower", setting=setting)}


def _training(subject: Subject) -> dict[str, Score]:
    """What the run wrote down."""
    history = [] if subject.run is None else subject.run.history
    seconds = [line["seconds"] for line in history if "seconds" in line]
    if not seconds or subject.run is None:
        return {}
    resolved, n = subject.run.config.resolved, len(subject.train)
    setting = {"epochs": len(seconds), "seconds per epoch": math.fsum(seconds) / len(seconds)} | resolved
    scores = {"training: time": Score(math.fsum(seconds), "seconds", n, "train", better="lower", setting=setting)}
    if peaks := [line["peak_memory_mib"] for line in history if "peak_memory_mib" in line]:
        unit = "MiB, the whole process"
        if resolved.get("device", "cpu") != "cpu":
            unit = "MiB on the device"
        scores["training: memory"] = Score(max(peaks), unit, n, "train", better="lower", setting=setting)
    return scores


def _counted(compute: Callable[[], object]) -> int:
    if not (found := flops(compute)):
        raise NotApplicable("operations are counted where torch does them, and it does none here")
    return found


def _named(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
