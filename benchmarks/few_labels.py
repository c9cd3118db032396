"""A hundred labelled digits, sixty thousand without: what each way of using them is worth.

    DIABOLO_DATA=... python few_labels.py --out few-labels                 # all methods, ten draws of the hundred
    python few_labels.py --out few-labels --methods spread --draws 3

Two autoencoders are trained without labels, once: a narrow denoising one of convolutions, and a wide masking one. For each draw
of the labels (`keep_labels(100, seed)`), each method gives a classifier, whose accuracy on the test images is reported; for
`neighbours`, which classifies no new image, that on the training images. What is done already is taken from the folder's
results.json.

No test image chooses anything. `--choose 3` holds a tenth of the training images out for validation, trains everything on the
rest, and takes of each method's CANDIDATES those settings that give the best mean accuracy on it, over three draws of labels
that the report does not use. They are written with these accuracies into the folder's settings.json, and used from then on:

    python few_labels.py --out few-labels --choose 3       # first this
    python few_labels.py --out few-labels                  # then this, on all training images

Without that file the first of the CANDIDATES are used, and the table says that they were set by hand.
"""

import argparse
import json
import statistics
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy import sparse

import diabolo
from diabolo import latents, metrics, zoo
from diabolo.data.portable_random import permutation
from diabolo.statistics import mean_interval

LATENT_DIM = 32
NET = {"net": "conv", "latent_dim": LATENT_DIM}
CORRUPTION = {"corruption": "masking", "level": 0.3}
WIDE = {"net": "mlp", "hidden": (1000, 500), "latent_dim": 500}
UNLABELLED = {  # name → recipe, its options, and those of its training
    "narrow": (zoo.denoising, NET | CORRUPTION, {}),
    "wide": (zoo.denoising, WIDE | {"corruption": "masking", "level": 0.5}, {"epochs": 20, "batch_size": 256}),
}


class Bench:
    """What all methods share: the images, the autoencoder, its codes and their graph."""

    def __init__(self, options, choosing=False):
        self.options, self.out = options, Path(options.out)
        limits = {"n_train": options.n_train, "n_test": options.n_test}
        self.train, self.judged_on = diabolo.data.load(options.data, **limits)
        if choosing:  # the test images are not looked at
            order, held = permutation(len(self.train), HELD_OUT), len(self.train) // 10
            self.judged_on = self.train.take(np.sort(order[:held]))
            self.train, self.out = self.train.take(np.sort(order[held:])), self.out / "choosing"
        self.settings = {name: some[0] for name, some in CANDIDATES.items()}
        self.fixed = {"threads": options.threads, "quiet": True, "out": self.out / "runs"}
        self.codes, self.graph = cache(self.codes), cache(self.graph)

    def pretrained(self, name="narrow"):
        """The run folder of one of the UNLABELLED."""
        recipe, made, how = UNLABELLED[name]
        home = self.out / ("pretrained" if name == "narrow" else f"pretrained-{name}")
        if done := sorted(home.glob("*/model.safetensors")):
            return done[-1].parent
        torch.manual_seed(0)
        usual = {"epochs": self.options.epochs, "lr": 3e-3, "schedule": "one-cycle"}
        how = self.fixed | {"out": home, "quiet": False} | usual | how
        return diabolo.fit(recipe(self.train.shape, **made), self.train, **how).path

    def codes(self, name="narrow"):
        """(N, D) of the training images, and of those that methods are judged on."""
        model = diabolo.load(self.pretrained(name))
        return [model.encode(images.images).numpy() for images in (self.train, self.judged_on)]

    def graph(self, name="narrow", neighbours=10):
        path = self.out / f"graph-{name}-{neighbours}.npz"
        if not path.exists():
            sparse.save_npz(path, latents.neighbour_graph(self.codes(name)[0], neighbours))
        return sparse.load_npz(path)

    def spread(self, few, name="narrow", neighbours=10, alpha=0.99):
        """`few` with a label for every image."""
        scores = latents.spread(self.graph(name, neighbours), few.labels, alpha)
        return replace(few, labels=np.where(few.labels >= 0, few.labels, scores.argmax(1)), origin=None)

    def accuracy(self, model, images=None):
        images = images or self.judged_on
        return float((model.predict(images.images).argmax(1).cpu().numpy() == images.labels).mean())

    def classifier(self, images, seed, net=NET, **how):
        """The accuracy of a classifier with the autoencoder's encoder, trained on `images`."""
        torch.manual_seed(seed)
        made = {name: how.pop(name) for name in ("dropout", "corruption", "level") if name in how}
        model = zoo.classifier(self.train.shape, **net, **made)
        return self.accuracy(diabolo.fit(model, images, seed=seed, **(self.fixed | how)).model)


HELD_OUT = 2026  # seed of the validation images
OTHER_DRAWS = 1000  # seed of the first draw of labels that settings are chosen by
FEW = {"batch_size": 50, "schedule": "cosine"}  # on the hundred alone: two steps an epoch
CANDIDATES = {  # settings of each method, of which --choose takes the best on validation images
    "scratch": [{"epochs": 60}, {"epochs": 20}, {"epochs": 200}],
    "frozen": [{"epochs": 60, "lr": 1e-2}, {"epochs": 60, "lr": 1e-3}, {"epochs": 200, "lr": 1e-2}],
    "fine_tuned": [{"epochs": 60}, {"epochs": 20}, {"epochs": 200}],
    "neighbours": [{}],
    "spread": [{"epochs": 1}, {"epochs": 2}],
    "joint": [{"alpha": 0.2}, {"alpha": 0.05}, {"alpha": 1.0}],
    "m1_m2": [{"alpha": 5.0}, {"alpha": 1.0}, {"alpha": 20.0}],
    "wide_scratch": [{"epochs": 60, "dropout": 0.5}, {"epochs": 60}, {"epochs": 200, "dropout": 0.5}],
    "wide_fine_tuned": [
        {"epochs": 60, "dropout": 0.5},
        {"epochs": 60},
        {"epochs": 200, "dropout": 0.5, "lr": 3e-4},
        {"epochs": 200, "dropout": 0.5, "lr": 3e-4, "corruption": "masking", "level": 0.5},
    ],
    "wide_svm": [{"cost": 10.0}, {"cost": 1.0}, {"cost": 100.0}, {"cost": 10.0, "unit_length": False}],
}


def of_the_labelled(images):
    return images.take(images.labels >= 0)


def scratch(bench, few, seed):
    """from scratch: the classifier on the hundred alone"""
    return bench.classifier(of_the_labelled(few), seed, **FEW, **bench.settings["scratch"])


def frozen(bench, few, seed):
    """frozen: a linear classifier on the pre-trained code"""
    how = {"init": bench.pretrained(), "freeze": ("encoder", "bottleneck")}
    return bench.classifier(of_the_labelled(few), seed, **FEW, **how, **bench.settings["frozen"])


def fine_tuned(bench, few, seed):
    """fine-tuned: all of the pre-trained encoder, on the hundred"""
    return bench.classifier(of_the_labelled(few), seed, **FEW, init=bench.pretrained(), **bench.settings["fine_tuned"])


def joint(bench, few, seed):
    """joint: reconstruction + alpha · cross entropy on all images, from the pre-trained weights"""
    torch.manual_seed(seed)
    model = zoo.joint(bench.train.shape, **NET, **CORRUPTION, **bench.settings["joint"])
    how = {"init": bench.pretrained(), "epochs": 1, "schedule": "cosine", "labelled_per_batch": 16, "seed": seed}
    return bench.accuracy(diabolo.fit(model, few, **(bench.fixed | how)).model)


def m1_m2(bench, few, seed):
    """M1+M2: M2 on the pre-trained codes, scaled to [0, 1]"""
    low, high = bench.codes()[0].min(0), bench.codes()[0].max(0)
    train, judged_on = (((codes - low) / (high - low)).clip(0, 1) for codes in bench.codes())
    torch.manual_seed(seed)
    usual = {"hidden": (256,), "likelihood": "gaussian", "activation": "silu"}
    model = zoo.m2((LATENT_DIM,), 8, **usual, **bench.settings["m1_m2"])
    how = {"epochs": 3, "lr": 3e-3, "schedule": "one-cycle", "labelled_per_batch": 32, "seed": seed, "batch_size": 256}
    images = diabolo.data.Images(train, labels=few.labels, name="codes")
    run = diabolo.fit(model, images, **(bench.fixed | how))
    return bench.accuracy(run.model, diabolo.data.Images(judged_on, labels=bench.judged_on.labels))


def neighbours(bench, few, seed):
    """neighbours: labels spread over the pre-trained codes (accuracy on the training images)"""
    return float((bench.spread(few).labels == bench.train.labels).mean())


def spread(bench, few, seed):
    """neighbours, then the fine-tuned classifier on all images"""
    how = {"init": bench.pretrained(), "schedule": "cosine", **bench.settings["spread"]}
    return bench.classifier(bench.spread(few), seed, **how)


def wide_scratch(bench, few, seed):
    """the wide encoder from scratch, on the hundred alone"""
    return bench.classifier(of_the_labelled(few), seed, WIDE, **FEW, **bench.settings["wide_scratch"])


def wide_fine_tuned(bench, few, seed):
    """all of the wide masking encoder, fine-tuned on the hundred"""
    how = {"init": bench.pretrained("wide"), **bench.settings["wide_fine_tuned"]}
    return bench.classifier(of_the_labelled(few), seed, WIDE, **FEW, **how)


def wide_svm(bench, few, seed):
    """a support vector machine on the wide masking autoencoder's codes"""
    of_train, of_judged = bench.codes("wide")
    found = metrics.support_vectors(of_train, few.labels, of_judged, **bench.settings["wide_svm"])
    return float((found == bench.judged_on.labels).mean())


NARROW_METHODS = (scratch, frozen, fine_tuned, neighbours, spread, joint, m1_m2)
WIDE_METHODS = (wide_scratch, wide_fine_tuned, wide_svm)
METHODS = {f.__name__: f for f in (*NARROW_METHODS, *WIDE_METHODS)}


def choose(options):
    """Write the settings of each method that are best on the validation images into settings.json."""
    bench, path = Bench(options, choosing=True), Path(options.out) / "settings.json"
    chosen = json.loads(path.read_text()) if path.exists() else {}
    seeds = range(OTHER_DRAWS, OTHER_DRAWS + options.choose)
    few = {seed: bench.train.keep_labels(options.labels, seed) for seed in seeds}
    for name in options.methods:
        tried = []
        for settings in CANDIDATES[name] if len(CANDIDATES[name]) > 1 else ():
            bench.settings[name] = settings
            found = [METHODS[name](bench, images, seed) for seed, images in few.items()]
            tried.append({"settings": settings, "validation accuracy": statistics.mean(found), "draws": len(few)})
            print(name, settings, f"{tried[-1]['validation accuracy']:.4f}", flush=True)
        if tried:
            best = max(tried, key=lambda one: one["validation accuracy"])
            chosen[name] = best | {"validation images": len(bench.judged_on), "tried": tried}
            path.write_text(json.dumps(chosen, indent=2))


def use_chosen(bench):
    """The settings that `choose` wrote; returns where the settings of each method come from."""
    path, told = bench.out / "settings.json", dict.fromkeys(METHODS, "set by hand")
    for name, one in (json.loads(path.read_text()) if path.exists() else {}).items():
        bench.settings[name] = one["settings"]
        told[name] = (
            f"best of {len(one['tried'])} on {one['validation images']:,} validation images, {one['draws']} draws"
        )
    return told | {name: "none to choose" for name, some in CANDIDATES.items() if some == [{}]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--draws", type=int, default=10, help="of the labelled images, seeds 0, 1, …")
    parser.add_argument(
        "--choose", type=int, metavar="DRAWS", help="choose settings on validation images, and report nothing"
    )
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--epochs", type=int, default=6, help="of the autoencoder")
    parser.add_argument("--n-train", type=int)
    parser.add_argument("--n-test", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", default="few-labels")
    options = parser.parse_args()
    if options.choose:
        choose(options)
        return
    bench = Bench(options)
    origin = use_chosen(bench)
    path = bench.out / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in options.methods:
        held = results.setdefault(name, {"what": METHODS[name].__doc__, "accuracy": {}, "seconds": {}})
        if held.setdefault("settings", bench.settings[name]) != bench.settings[name]:
            raise SystemExit(f"{path} holds {name} with the settings {held['settings']}: take another folder")
        for seed in range(options.draws):
            if str(seed) in held["accuracy"]:
                continue
            started = time.perf_counter()
            held["accuracy"][str(seed)] = METHODS[name](bench, bench.train.keep_labels(options.labels, seed), seed)
            held["seconds"][str(seed)] = round(time.perf_counter() - started, 1)
            path.write_text(json.dumps(results, indent=2))
            print(name, seed, held["accuracy"][str(seed)], held["seconds"][str(seed)], flush=True)
    print("| method | draws | accuracy, mean ± sd | 95 % interval of the mean | least | settings |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, held in results.items():
        found = [100 * value for value in held["accuracy"].values()]
        sd = f" ± {statistics.stdev(found):.2f}" if len(found) > 1 else ""
        interval = "{:.2f} … {:.2f} %".format(*mean_interval(found)) if len(found) > 1 else "–"
        mean, least = statistics.mean(found), min(found)
        print(f"| {held['what']} | {len(found)} | {mean:.2f}{sd} % | {interval} | {least:.2f} % | {origin[name]} |")


if __name__ == "__main__":
    main()
