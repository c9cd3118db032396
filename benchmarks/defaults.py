"""What the defaults were chosen from. Each kind of model and data is trained with base settings, and with one of them changed
at a time; the losses of held-out training images are compared. No test image is looked at.

    DIABOLO_DATA=... python benchmarks/defaults.py --out defaults                       # everything, then the table
    DIABOLO_DATA=... python benchmarks/defaults.py --out defaults --only "vae, mnist"   # one line of it
    python benchmarks/defaults.py --out defaults --table                                # what has been measured so far

Trainings are short, on few images: what is compared is settings, not models. All settings are named, so that the table does not
change with the defaults. Losses that are there already (OUT/losses.json) are not measured again.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

import diabolo
from diabolo.data.origin import hold_out

STEPS = {"schedule": "one-cycle", "lr": 3e-3, "batch_size": 128}
FULL = STEPS | {"net": "mlp", "hidden": (512, 512), "activation": "silu"}
CONV = STEPS | {"net": "conv", "activation": "leaky_relu"}
VQ = STEPS | {"net": "vq-conv", "activation": "silu", "batch_size": 32, "epochs": 4}
VECTORS = FULL | {"epochs": 177, "batch_size": 32, "latent_dim": 4}
CONSTANT = {"schedule": "constant", "lr": 1e-3}
RATES = {"constant 1e-3": CONSTANT, "peak 1e-3": {"lr": 1e-3}, "peak 5e-3": {"lr": 5e-3}, "peak 6e-3": {"lr": 6e-3}}
NETS = {"ReLU": {"activation": "relu"}, "512-256": {"hidden": (512, 256)}, "256-128": {"hidden": (256, 128)}}
DEEPER = {"512-512-512": {"hidden": (512, 512, 512)}, "512-256-128": {"hidden": (512, 256, 128)}}
BATCHES = {"batch 64": {"batch_size": 64}, "batch 256": {"batch_size": 256}}
LENGTHS = {"900 steps": {"epochs": 84}, "6,400 steps": {"epochs": 586}}
THIRTY_TWO = {"batch_size": 32, "epochs": 73}
SMALL = LENGTHS | {"3,000 steps of 32": THIRTY_TWO}
SMALL |= {f"3,000 steps of 32, peak {lr}": THIRTY_TWO | {"lr": lr} for lr in (2.5e-3, 5e-3)}
VQ_NETS = {
    "ReLU": {"activation": "relu"},
    "ReLU, peak 5e-3": {"activation": "relu", "lr": 5e-3},
    "norm 1": {"clip_norm": 1.0},
}
FLAT = {"mlp": {"net": "mlp", "activation": "silu"}}
HELD = 2_000  # images
OTHERS = ("sparse", "topk", "kl_sparse", "contractive", "rae", "denoising", "iwae", "factorvae", "cvae", "completion",
          "completion_plain", "joint", "classifier", "m2")  # fmt: skip
COLOUR = {"cifar10": (8_000, 6), "celeba": (3_000, 6)}  # images, epochs

# kind: recipe, data, images, the base, and what is changed of it, one at a time
KINDS = {
    "vae, mnist": ("vae", "mnist", 20_000, FULL | {"epochs": 10}, RATES | NETS | DEEPER | BATCHES),
    "undercomplete, two numbers, mnist": (
        "undercomplete", "mnist", 20_000, FULL | {"epochs": 10, "latent_dim": 2}, RATES | NETS | DEEPER | BATCHES
    ),
    **{
        f"{name}, code of {n}, mnist": (
            name, "mnist", 20_000, FULL | {"epochs": 10, "lr": 5e-3, "latent_dim": n}, NETS | DEEPER
        )
        for name in ("undercomplete", "vae")
        for n in (2, 4, 8, 16, 32)
    },
    "vae, digits": ("vae", "digits", None, FULL | {"epochs": 293}, RATES | NETS | SMALL),
    "undercomplete, digits": ("undercomplete", "digits", None, FULL | {"epochs": 293}, RATES | NETS | SMALL),
    **{f"{name}, mnist": (name, "mnist", 10_000, FULL | {"epochs": 4}, RATES) for name in OTHERS},
    "linear, mnist": ("linear", "mnist", 10_000, STEPS | {"epochs": 4}, RATES),
    "denoising_conv, mnist": ("denoising_conv", "mnist", 10_000, STEPS | {"epochs": 4}, RATES),
    "unet, mnist": ("unet", "mnist", 3_000, STEPS | {"epochs": 3}, RATES),
    **{
        f"{name}, {data}": (name, data, n, CONV | {"epochs": epochs}, RATES | {"SiLU": {"activation": "silu"}} | FLAT)
        for name in ("undercomplete", "vae")
        for data, (n, epochs) in COLOUR.items()
    },
    "vqvae, cifar10": ("vqvae", "cifar10", 8_000, VQ, RATES | VQ_NETS),
    "vae, vectors": ("vae", "vectors", None, VECTORS, RATES | NETS),
    "undercomplete, vectors": ("undercomplete", "vectors", None, VECTORS, RATES | NETS),
}  # fmt: skip


def images_of(data: str, n: int | None, seed: int):
    """Training images, `n` of them or all, and others held out of them."""
    if data == "vectors":
        x = load_breast_cancer().data
        whole = diabolo.data.as_images(((x - x.min(0)) / np.ptp(x, axis=0)).astype(np.float32))
    else:
        whole, _ = diabolo.data.load(data, n_train=None if n is None else n + HELD)
    return hold_out(whole, 0.1 if n is None else HELD / (n + HELD), seed)


def loss_of(recipe: str, images, settings: dict, seed: int, threads: int) -> float:
    """The loss of the held-out images after the last epoch."""
    with tempfile.TemporaryDirectory() as out:
        how = {"checkpoint_every": settings["epochs"], "threads": threads, "quiet": True, "out": out}
        run = diabolo.fit(recipe, *images, seed=seed, **settings, **how)
        return run.history[-1]["validation"]["total"]


def table(losses: dict[str, dict[str, list[float]]]) -> str:
    """Each kind a line: the loss at the base, and by how much each change raises it, in percent, the mean over seeds."""
    lines = [
        "| kind | loss at the base, by seed | raised by a change of one setting, in % |",
        "| --- | --- | --- |",
    ]
    for kind, found in losses.items():
        usual = found.pop("base")
        raised = {
            name: statistics.fmean(100 * (b / a - 1) for a, b in zip(usual, some, strict=False))
            for name, some in found.items()
        }
        changes = ", ".join(f"{name} {percent:+.1f}" for name, percent in raised.items())
        lines.append(f"| {kind} | {', '.join(f'{loss:.4g}' for loss in usual)} | {changes} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("defaults"))
    parser.add_argument("--only", nargs="+", default=list(KINDS), choices=KINDS, metavar="KIND")
    parser.add_argument("--changes", nargs="+", help="only these")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "losses.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    losses: dict[str, dict[str, list[float]]] = {}
    for kind in options.only:
        recipe, data, n, base, changes = KINDS[kind]
        for seed in options.seeds:
            images = None if options.table else images_of(data, n, seed)
            for name, change in {"base": {}, **changes}.items():
                if options.changes and name not in ("base", *options.changes):
                    continue
                settings = base | change
                key = json.dumps([recipe, data, n, settings, seed])
                if key not in known and options.table:
                    continue
                if key not in known:
                    known[key] = loss_of(recipe, images, settings, seed, options.threads)
                    file.write_text(json.dumps(known, indent=0))
                    print(f"{kind}, {name}, seed {seed}: {known[key]:.5g}", flush=True)
                losses.setdefault(kind, {}).setdefault(name, []).append(known[key])
    print(f"\n{table(losses)}")


if __name__ == "__main__":
    main()
