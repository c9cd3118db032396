"""What the study `guide` says of weights that are shared: by the places of an image (5.1), and by the classes (5.8)."""

from diabolo.studies.engine.findings import joined
from diabolo.studies.guide.models import DIGIT
from diabolo.studies.guide.plain import Answer, Numbers, against, points

WHEN, COST = "where the same pattern can lie anywhere", "more multiplications per weight, so more time"
GIVEN = {
    "embedding": "concatenated as a learned vector",
    "label": "concatenated as a one-hot vector",
    "added": "added to h and z as learned vectors",
}


def why(n: Numbers) -> str:
    """5.1: what a convolution saves, and what it assumes."""
    layer, full, outputs = (
        n[name].value
        for name in ("weights, first convolution", "weights, full layer of that size", "outputs, first convolution")
    )
    sizes = {
        name: n[f"parameters, {name}"].value for name in ("fully connected", "convolutional", "16-32-64 to a point")
    }
    whole = joined([f"{value:,.0f} ({name})" for name, value in sizes.items()])
    fewer = (
        "Both convolutional networks have fewer parameters than the fully connected one."
        if max(sizes["convolutional"], sizes["16-32-64 to a point"]) < sizes["fully connected"]
        else "A whole convolutional network need not be smaller: its layers to and from the code are full ones."
    )
    return (
        f"The first convolution has {layer:,.0f} parameters for {outputs:,.0f} outputs; a full layer with as many outputs "
        f"would have {full:,.0f}. The convolution uses one small kernel at every place, so it assumes that nearby pixels "
        f"belong together and that a stroke is a stroke wherever it lies. Whole networks have {whole} parameters. {fewer}"
    )


def added(n: Numbers) -> str:
    """5.8: class vectors that are added against those beside image and code."""
    bound = against(n, "−ELBO", "added", "embedding").say(
        more="Adding the class vectors to h and z raises −ELBO by {difference} nats compared with concatenating one to image "
        "and code ({a} and {b})",
        less="Adding the class vectors to h and z lowers −ELBO by {difference} nats compared with concatenating one to image "
        "and code ({a} and {b})",
        neither="The −ELBOs of added and of concatenated class vectors {differ} ({a} and {b} nats)",
    )
    read = points(against(n, "read", "added", "embedding")).say(
        more="Of the samples of the model with added vectors, more are read as the digit asked for, {a} % against {b} %",
        less="Of the samples of the model with added vectors, fewer are read as the digit asked for, {a} % against {b} %",
        neither="The shares of samples read as the digit asked for {differ} ({a} % and {b} %)",
    )
    carried, without = n["KL, added"].value, n["KL, none"].value
    still = (
        f" Its code carries {carried:.3g} nats, against {without:.3g} without a condition, so it still encodes the digit."
        if carried > without - DIGIT / 2
        else ""
    )
    return (
        f"{bound}. {read}.{still} A layer that sees a vector beside its input adds a matrix times this vector to its output. "
        f"An added vector shifts the code itself, so it must have as many entries as the code."
    )


def answer(n: Numbers) -> Answer:
    """5.15, convolutions at equal error."""
    if "error compared at" not in n:
        return "Shared kernels", WHEN, "not comparable: the two families of networks reach no error in common", COST
    full, shared = (n[f"parameters at equal error, {name}"].value for name in ("full layers", "convolutions"))
    gain = (
        f"full layers need {full / shared:.2g} times as many parameters at an error of {n['error compared at'].value:.3g} per "
        "pixel"
    )
    return "Shared kernels", WHEN, gain if full > shared else f"no help: {gain}", COST
