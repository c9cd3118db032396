"""Whether two checkouts train to the same bits: short trainings of every recipe on digits, and of every option that changes a
step, eager and compiled, in two processes, and killed and resumed.

    PYTHONPATH=one/src python benchmarks/same_bits.py record one.json          # with the sources of one checkout
    PYTHONPATH=other/src python benchmarks/same_bits.py record other.json      # and of the other
    python benchmarks/same_bits.py compare one.json other.json

A case leaves two digests: of model.safetensors, tensor by tensor, and of metrics.jsonl without words and what the clock says.
`record` also fails when a training that was killed and resumed ends with other bits than the undisturbed one. Run both on one
machine with one torch; each case has one thread. `--only` takes patterns such as 'vae*'; `--no-compile` leaves out what needs a
C++ compiler, and minutes.
"""

import argparse
import dataclasses
import fnmatch
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from pathlib import Path

NOT_OF_THE_BITS = ("seconds", "images_per_second", "peak_memory_mib", "warnings")  # the clock's, and words
SMALL = {
    "epochs": 3,
    "batch_size": 64,
    "lr": 3e-3,
    "schedule": "constant",
    "precision": "float32",
    "threads": 1,
    "seed": 3,
    "quiet": True,
    "compile": False,
}
MLP = {"latent_dim": 4, "hidden": (32,), "activation": "relu"}
CONV = {"latent_dim": 4, "net": "conv", "channels": (8, 8), "norm": "batch"}
RESIDUAL = {"latent_dim": 4, "net": "resnet", "channels": (8,)}
VQ = {"latent_dim": 4, "codes": 16, "width": 8, "residual_width": 4, "residual_layers": 1}
CRITIC = {"critic_width": 16, "critic_layers": 2}
OWN = {  # what the recipes are made with; all others with MLP
    "vqvae": VQ,
    "fsq": {"levels": (5, 5, 3), "width": 8, "residual_width": 4, "residual_layers": 1},
    "unet": {"channels": (8, 8)},
    "denoising_conv": {"channels": (8, 8)},
    "completion_plain": {"hidden": (32,), "activation": "relu"},
    "linear": {"latent_dim": 4},
    "pca": {"latent_dim": 4},
    "iwae": MLP | {"importance_samples": 3},
    "m2": {"latent_dim": 4, "hidden": (16,), "activation": "relu"},
    "factorvae": MLP | CRITIC,
}
GAPS = ("joint", "m2", "classifier")  # recipes that do without some labels

# name: (recipe, its options, options of the training)
OPTIONS = {
    "clipped": ("vae", MLP, {"clip_norm": 0.05}),
    "adamw, decay, clipped": ("vae", MLP, {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.05}),
    "adam, decay": ("undercomplete", MLP, {"weight_decay": 0.01}),
    "average": ("vae", MLP, {"ema": 0.9}),
    "average, cosine, conv": ("undercomplete", CONV, {"ema": 0.9, "schedule": "cosine"}),
    "one-cycle": ("vae", MLP | {"beta": "linear(0, 1, 0.5)"}, {"schedule": "one-cycle"}),
    "frozen": ("vae", CONV, {"freeze": ("encoder",)}),
    "frozen bias, clipped": ("vae", MLP, {"freeze": ("*.bias",), "clip_norm": 0.05}),
    "taken over": ("classifier", MLP, {"init": "undercomplete", "freeze": ("encoder",)}),
    "bf16": ("vae", MLP, {"precision": "bf16"}),
    "bf16, conv, average, clipped": ("vae", CONV, {"precision": "bf16", "ema": 0.9, "clip_norm": 0.5}),
    "float16": ("undercomplete", MLP, {"precision": "float16"}),
    "float16, clipped, average": ("undercomplete", CONV, {"precision": "float16", "clip_norm": 0.1, "ema": 0.5}),
    "early stopping": ("vae", MLP, {"epochs": 30, "early_stopping": 2, "min_delta": 0.3, "lr": 0.03, "keep": "best"}),
    "labels in each batch": ("joint", MLP, {"labelled_per_batch": 16}),
    "dropout, on the host": ("vae", MLP | {"dropout": 0.2}, {"store": "host"}),
    "residual, checkpointing": ("undercomplete", RESIDUAL | {"checkpointing": True}, {}),
    "learned sigma": ("vae", MLP | {"likelihood": "gaussian", "sigma": "learned"}, {}),
    "restarted codebook": ("vqvae", VQ | {"codebook": "ema", "restart": 0.5}, {}),
    "codebook by the loss": ("vqvae", VQ | {"codebook": "loss"}, {}),
    "dreg": ("iwae", MLP | {"importance_samples": 3, "gradient": "dreg"}, {}),
}  # fmt: skip
COMPILED = {
    "factorvae": ("factorvae", MLP | CRITIC, {"ema": 0.9}),
    "vae": ("vae", MLP | {"beta": "linear(0, 1, 0.5)"}, {"ema": 0.9, "schedule": "cosine"}),
    "conv, bf16": ("undercomplete", CONV, {"precision": "bf16", "clip_norm": 0.5, "optimizer": "adamw", "weight_decay": 0.1}),
}  # fmt: skip
KILLED = (
    "vae",
    "factorvae",
    "compiled: factorvae",
    "bf16, conv, average, clipped",
    "float16",
    "restarted codebook",
    "early stopping",
    "compiled: vae",
)
TWO = ("vae", "factorvae", "bf16, conv, average, clipped", "labels in each batch", "restarted codebook")


def cases(compiled: bool = True) -> dict[str, tuple[str, dict, dict]]:
    """Every case by its name."""
    from diabolo import zoo

    found = {name: (name, OWN.get(name, MLP), {}) for name in zoo.RECIPES}
    found |= OPTIONS
    if compiled:
        plain = {name: (name, OWN.get(name, MLP), {}) for name in zoo.RECIPES if name != "pca"}
        found |= {f"compiled: {name}": (r, m, t | {"compile": True}) for name, (r, m, t) in (plain | COMPILED).items()}
    return {name: case for name, case in found.items() if case[0] in zoo.RECIPES}  # of this checkout


def images(recipe: str):
    """440 training images of digits and 100 others; a third of the labels is not known where a recipe does without."""
    import diabolo

    train, test = diabolo.data.load("digits")
    train, test = train.take(range(440)), test.take(range(100))
    if recipe in GAPS:
        labels = train.labels.copy()
        labels[::3] = -1
        train = dataclasses.replace(train, labels=labels)
    return train, test


def train(recipe: str, model: dict, training: dict, out: Path) -> Path:
    """The run folder of one training."""
    import torch

    import diabolo

    warnings.simplefilter("ignore")
    some, others = images(recipe)
    torch.manual_seed(0)
    training = SMALL | training
    if "init" in training:
        training["init"] = str(train(training["init"], MLP, {}, out / "before"))
    built = diabolo.zoo.build(recipe, some.shape, **model)
    if recipe == "pca":
        return diabolo.fit(built, some, others, out=out, quiet=True).path
    return diabolo.fit(built, some, others, out=out, **training).path


def greedily(out: Path) -> list[Path]:
    """The run folders of a training layer by layer."""
    import torch

    import diabolo
    from diabolo.training.greedy import greedy

    some, others = images("undercomplete")
    torch.manual_seed(0)
    model = diabolo.zoo.build("undercomplete", some.shape, latent_dim=4, hidden=(32, 16))
    return [run.path for run in greedy(model, some, others, 2, out=out, **SMALL | {"epochs": 2})]


def over_codes(out: Path) -> list[Path]:
    """The run folder of a prior over the codes of a model, and the model's."""
    from diabolo.training.code_priors import fit_prior

    path = train("vqvae", VQ, {}, out)
    return [path, fit_prior(path, *images("vqvae"), width=8, layers=1, heads=2, **SMALL).path]


def digests(path: Path) -> dict[str, str]:
    """What the run folder `path` holds, in short."""
    from safetensors import safe_open

    weights = hashlib.sha256()
    with safe_open(path / "model.safetensors", "np") as file:
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name)
            weights.update(f"{name} {tensor.dtype} {tensor.shape}".encode() + tensor.tobytes())
    lines = []
    if (path / "metrics.jsonl").exists():
        lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    history = [{key: value for key, value in line.items() if key not in NOT_OF_THE_BITS} for line in lines]
    short = hashlib.sha256(json.dumps(history, sort_keys=True).encode()).hexdigest()[:16]
    last = lines[-1]["train"]["total"] if lines and lines[-1].get("train") else None
    return {"weights": weights.hexdigest()[:16], "history": short, "epochs": len(lines), "loss": last}


def in_process(words: list[str], processes: int = 1) -> int:
    """The exit code of this script with other words, in a process of its own or several."""
    launcher = (
        ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes > 1 else []
    )
    done = subprocess.run([sys.executable, *launcher, __file__, *words], capture_output=True, text=True, check=False)
    if done.returncode not in (0, -signal.SIGKILL):
        print(done.stdout, done.stderr, file=sys.stderr)
    return done.returncode


def killed_and_resumed(name: str, out: Path) -> tuple[dict[str, str], bool]:
    """The digests of a training that was killed after an epoch and resumed; and whether it was killed before its end."""
    import diabolo

    code = in_process(["one", name, str(out), "--kill"])
    (path,) = (folder for folder in out.iterdir() if (folder / "config.json").exists())
    hit = code == -signal.SIGKILL and not (path / "model.safetensors").exists()
    if hit:
        recipe = cases()[name][0]
        some, others = images(recipe)
        warnings.simplefilter("ignore")
        diabolo.resume(path, some, others)
    return digests(path), hit


def end_after_an_epoch(out: Path) -> None:
    """Watch for the first line of a metrics.jsonl in `out`, then kill this process."""

    def watch() -> None:
        while True:
            for file in out.glob("[0-9]*/metrics.jsonl"):
                if file.stat().st_size:
                    os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.0005)

    threading.Thread(target=watch, daemon=True).start()


def record(options: argparse.Namespace) -> int:
    """Do every case and write its digests."""
    import torch

    import diabolo

    torch.set_num_threads(1)
    found: dict[str, dict] = {}
    wrong = 0
    print(f"diabolo at {Path(diabolo.__file__).parent}, torch {torch.__version__}", flush=True)

    def note(name: str, digest: dict) -> None:
        found[name] = digest
        print(f"{name:48} {digest}", flush=True)

    chosen = cases(not options.no_compile)
    asked = [name for name in chosen if fnmatch.fnmatch(name, options.only)]
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(asked):
            out = Path(folder) / str(number)
            try:
                note(name, digests(train(*chosen[name], out / "whole")))
                if name in TWO:
                    (out / "two").mkdir(parents=True)
                    code = in_process(["one", name, str(out / "two")], 2)
                    (path,) = (out / "two").iterdir()
                    note(f"two processes: {name}", digests(path) if code == 0 else {"failed": code})
                if name in KILLED:
                    digest, hit = killed_and_resumed(name, out / "killed")
                    same = {**digest} == found[name]
                    wrong += not same
                    print(
                        f"{'killed and resumed: ' + name:48} {'the same bits' if same else digest}{'' if hit else ' (not hit)'}"
                    )
            except Exception:
                traceback.print_exc()
                note(name, {"failed": traceback.format_exc().splitlines()[-1]})
        for name, several in (("greedy", greedily), ("prior", over_codes)):
            if fnmatch.fnmatch(name, options.only):
                for i, path in enumerate(several(Path(folder) / name)):
                    note(f"{name}, stage {i + 1}", digests(path))
    Path(options.file).write_text(json.dumps({"torch": torch.__version__, "cases": found}, indent=1) + "\n")
    return min(wrong, 1)


def compare(options: argparse.Namespace) -> int:
    """Print the cases that two records do not have alike."""
    one, other = (json.loads(Path(file).read_text()) for file in (options.file, options.other))
    if one["torch"] != other["torch"]:
        print(f"another torch: {one['torch']} and {other['torch']}")
    names = [name for name in one["cases"] if name in other["cases"]]
    differ = [name for name in names if one["cases"][name] != other["cases"][name]]
    for name in differ:
        print(f"{name}\n    {one['cases'][name]}\n    {other['cases'][name]}")
    only = sorted(set(one["cases"]) ^ set(other["cases"]))
    print(
        f"{len(names) - len(differ)} of {len(names)} cases have the same bits"
        + (f"; {len(only)} are in one only" if only else "")
    )
    return 1 if differ else 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("record", "compare", "one"))
    parser.add_argument("file", help="the record; for 'one', the name of a case")
    parser.add_argument("other", nargs="?", help="the record to compare with; for 'one', a folder")
    parser.add_argument("--only", default="*")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--kill", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.action == "compare":
        return compare(options)
    if options.action == "record":
        return record(options)
    if options.kill:
        end_after_an_epoch(Path(options.other))
    train(*cases()[options.file], Path(options.other))
    return 0


if __name__ == "__main__":
    sys.exit(main())
