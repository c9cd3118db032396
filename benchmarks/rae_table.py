"""The table of "From Variational to Deterministic Autoencoders" (Ghosh et al. 2020, arXiv 1903.12436) in its shape: on MNIST
with 16 dimensions, FID of reconstructions, of samples from N(0, I), a Gaussian and a mixture of ten, and of interpolations.

    DIABOLO_DATA=... python rae_table.py --out rae-table                           # AE, RAE-L2 and VAE, three seeds
    python rae_table.py --out quick --seeds 0 --epochs 2 --n-train 10000           # a look

The extractor is the small classifier, so that absolute values are not those of the paper; what can be compared is their order.
Runs and evaluations that are there already are not made again. Results: OUT/results.json and the table on stdout.
"""

import argparse
import json
import statistics
import time
import warnings
from pathlib import Path

import torch

import diabolo
from diabolo import zoo
from diabolo.evaluation import Evaluation, evaluate

NET = {"net": "mlp", "latent_dim": 16, "hidden": (512, 512), "activation": "silu"}
MODELS = {"AE": "undercomplete", "RAE-L2": "rae", "VAE": "vae"}  # recipes of the zoo, with their own likelihoods
ROWS = ("reconstruction", "prior", "gaussian", "mixture", "interpolation")
TITLES = {"prior": "N(0, I)", "gaussian": "Gaussian", "mixture": "mixture of 10"}


def measured(label, seed, data, options):
    """The evaluation of one model from one seed; trained and measured where that was not done before."""
    out = options.out / f"{label}-{seed}"
    done = sorted(out.glob("[0-9]*/evaluation/scores.json"))
    if done:
        return Evaluation.read(done[-1].parent), json.loads((done[-1].parent.parent / "config.json").read_text())
    train, _ = data
    torch.manual_seed(seed)
    model = zoo.build(MODELS[label], train.shape, **NET)
    how = {"epochs": options.epochs, "lr": 3e-3, "schedule": "one-cycle", "threads": options.threads, "quiet": True}
    run = diabolo.fit(model, train, seed=seed, out=out, **how)
    found = evaluate(run, data, ("generation",), seed=seed)
    found.write(run.path / "evaluation")
    return found, run.config


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--n-train", type=int)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    data = diabolo.data.load("mnist", n_train=options.n_train)
    table, setting = {}, {}
    for label in options.models:
        for seed in options.seeds:
            started = time.perf_counter()
            found, config = measured(label, seed, data, options)
            scores = found["generation"].scores
            for row in ROWS:
                for what in ("FID", "KID", "precision", "recall", "density", "coverage", "score"):
                    values = table.setdefault(label, {}).setdefault(row, {}).setdefault(what, [])
                    values.append(scores[f"{what}, {row}"].value)
            setting = {"epochs": config["options"]["epochs"], **scores["FID, mixture"].setting}
            print(f"{label}, seed {seed}: {time.perf_counter() - started:.0f} s", flush=True)
    record = {"setting": setting, "seeds": options.seeds, "values": table}
    (options.out / "results.json").write_text(json.dumps(record, indent=2))
    print(f"\nFID against {setting['n_real']:,} test images; mean ± standard deviation over seeds {options.seeds}")
    print(f"{setting}\n")
    print("| | " + " | ".join(TITLES.get(row, row) for row in ROWS) + " |")
    print("| --- |" + " ---: |" * len(ROWS))
    for label, rows in table.items():
        print(f"| {label} | " + " | ".join(told(rows[row]["FID"]) for row in ROWS) + " |")


def told(values):
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.2f}{spread}"


if __name__ == "__main__":
    warnings.filterwarnings("default")
    main()
