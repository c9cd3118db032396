"""What a linear layer reads off faces: the attributes of CelebA off pixels, principal components, and the codes of an
autoencoder and a VAE of the same size, from several seeds. No person is in both parts.

    DIABOLO_DATA=... python attribute_table.py --out table                          # AE-128 and VAE-128, three seeds

Trainings are kept under OUT/trained (or `--trained`, which the study `celeba` may share) and not made again. Results:
OUT/results.json and the table on stdout.
"""

import argparse
import json
import statistics
from pathlib import Path

import diabolo
from diabolo import zoo
from diabolo.likelihoods import SquaredError
from diabolo.studies import Trained

MODELS = {"AE": (zoo.undercomplete, {}), "VAE": (zoo.vae, {"likelihood": SquaredError("image"), "beta": 1.0})}
SHOWN = ("Smiling", "Eyeglasses")
SEED = 42  # of the images that are drawn, as in the studies


def rows_of(section):
    """What was read, by what it was read off: accuracy and balanced accuracy, in %."""
    found = {}
    for name, score in section.scores.items():
        what, _, off = name.partition(": ")
        found.setdefault(off, {})[what] = 100 * score.value
        if what in SHOWN:
            found[off][f"{what}, balanced"] = 100 * score.setting["balanced"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--trained", type=Path, help="OUT/trained when left out")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--n-train", type=int, default=10_000)
    parser.add_argument("--n-test", type=int, default=1_400)
    parser.add_argument("--latent-dim", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args()
    train, test = diabolo.data.load(
        "celeba", size=64, split="persons", n_train=options.n_train, n_test=options.n_test, data_seed=SEED
    )
    how = {"net": "conv", "channels": (32, 64, 128, 256), "latent_dim": options.latent_dim}
    how |= {"epochs": options.epochs, "batch_size": options.batch_size, "lr": 2e-3, "schedule": "one-cycle"}
    values = {}  # what is read off → which number → one value a seed
    for seed in options.seeds:
        for label, (recipe, own) in MODELS.items():
            one = Trained(
                recipe, train, test, options.trained or options.out / "trained", print, seed=seed, **how, **own
            )
            for off, numbers in rows_of(one.measure("attributes", shown_attributes=SHOWN)).items():
                if off != "codes" and label != "AE":
                    continue  # pixels and components are the same beside every model
                row = values.setdefault(f"{label}-{options.latent_dim}" if off == "codes" else off, {})
                for what, value in numbers.items():
                    row.setdefault(what, []).append(value)
    options.out.mkdir(parents=True, exist_ok=True)
    record = {"images": [len(train), len(test)], "seeds": options.seeds, "percent": values}
    (options.out / "results.json").write_text(json.dumps(record, indent=2))
    columns = [f"{name}{kind}" for name in SHOWN for kind in ("", ", balanced")]
    columns += ["mean accuracy", "mean balanced accuracy"]
    print(f"\n% of {len(test):,} test images, linear layer trained on {len(train):,}; mean ± standard deviation over "
          f"seeds {options.seeds}\n")  # fmt: skip
    print("| read off | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for off, row in values.items():
        print(f"| {off} | " + " | ".join(told(row[column]) for column in columns) + " |")


def told(values):
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 and len(set(values)) > 1 else ""
    return f"{statistics.fmean(values):.1f}{spread}"


if __name__ == "__main__":
    main()
