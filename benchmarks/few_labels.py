"""A hundred labelled digits, sixty thousand without: what each way of using them is worth.

    DIABOLO_DATA=... python few_labels.py --out few-labels                 # all methods, ten draws of the hundred
    python few_labels.py --out few-labels --methods spread --draws 3

One denoising autoencoder is trained without labels, once. For each draw of the labels (`keep_labels(100, seed)`), each method
gives a classifier, whose accuracy on the test images is reported; for `neighbours`, which classifies no new image, that on the
training images. What is done already is taken from the folder's results.json.
"""

import argparse
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy import sparse

import diabolo
from diabolo import latents, zoo

LATENT_DIM = 32
NET = {"net": "conv", "latent_dim": LATENT_DIM}
CORRUPTION = {"corruption": "masking", "level": 0.3}


class Bench:
    """What all methods share: the images, the autoencoder, its codes and their graph."""

    def __init__(self, options):
        self.options, self.out = options, Path(options.out)
        limits = {"n_train": options.n_train, "n_test": options.n_test}
        self.train, self.test = diabolo.data.load(options.data, **limits)
        self.fixed = {"threads": options.threads, "quiet": True, "out": self.out / "runs"}
        done = sorted((self.out / "pretrained").glob("*/model.safetensors"))
        self.pretrained = done[-1].parent if done else self._pretrain()
        self._codes = self._graph = None

    def _pretrain(self):
        torch.manual_seed(0)
        model = zoo.denoising(self.train.shape, **NET, **CORRUPTION)
        how = self.fixed | {"out": self.out / "pretrained", "quiet": False}
        return diabolo.fit(model, self.train, epochs=self.options.epochs, lr=3e-3, schedule="one-cycle", **how).path

    @property
    def codes(self):
        """(N, D) of the training images, and of the test images."""
        if self._codes is None:
            model = diabolo.load(self.pretrained)
            self._codes = [model.encode(images.images).numpy() for images in (self.train, self.test)]
        return self._codes

    @property
    def graph(self):
        path = self.out / "graph.npz"
        if self._graph is None and not path.exists():
            sparse.save_npz(path, latents.neighbour_graph(self.codes[0]))
        if self._graph is None:
            self._graph = sparse.load_npz(path)
        return self._graph

    def spread(self, few):
        """`few` with a label for every image."""
        scores = latents.spread(self.graph, few.labels)
        return replace(few, labels=np.where(few.labels >= 0, few.labels, scores.argmax(1)), origin=None)

    def accuracy(self, model, test=None):
        test = test or self.test
        return float((model.predict(test.images).argmax(1).cpu().numpy() == test.labels).mean())

    def classifier(self, images, seed, **how):
        """The accuracy of a classifier with the autoencoder's encoder, trained on `images`."""
        torch.manual_seed(seed)
        model = zoo.classifier(self.train.shape, **NET)
        return self.accuracy(diabolo.fit(model, images, seed=seed, **(self.fixed | how)).model)


FEW = {"epochs": 60, "batch_size": 50, "schedule": "cosine"}  # on the hundred alone: 120 steps


def of_the_labelled(images):
    return images.take(images.labels >= 0)


def scratch(bench, few, seed):
    """from scratch: the classifier on the hundred alone"""
    return bench.classifier(of_the_labelled(few), seed, **FEW)


def frozen(bench, few, seed):
    """frozen: a linear classifier on the pre-trained code"""
    how = {"init": bench.pretrained, "freeze": ("encoder", "bottleneck"), "lr": 1e-2}
    return bench.classifier(of_the_labelled(few), seed, **FEW, **how)


def fine_tuned(bench, few, seed):
    """fine-tuned: all of the pre-trained encoder, on the hundred"""
    return bench.classifier(of_the_labelled(few), seed, **FEW, init=bench.pretrained)


def joint(bench, few, seed):
    """joint: reconstruction + alpha · cross entropy on all images, from the pre-trained weights"""
    torch.manual_seed(seed)
    model = zoo.joint(bench.train.shape, **NET, **CORRUPTION, alpha=0.2)
    how = {"init": bench.pretrained, "epochs": 1, "schedule": "cosine", "labelled_per_batch": 16, "seed": seed}
    return bench.accuracy(diabolo.fit(model, few, **(bench.fixed | how)).model)


def m1_m2(bench, few, seed):
    """M1+M2: M2 on the pre-trained codes, scaled to [0, 1]"""
    low, high = bench.codes[0].min(0), bench.codes[0].max(0)
    train, test = (((codes - low) / (high - low)).clip(0, 1) for codes in bench.codes)
    torch.manual_seed(seed)
    model = zoo.m2((LATENT_DIM,), 8, hidden=(256,), likelihood="gaussian", activation="silu", alpha=5.0)
    how = {"epochs": 3, "lr": 3e-3, "schedule": "one-cycle", "labelled_per_batch": 32, "seed": seed, "batch_size": 256}
    images = diabolo.data.Images(train, labels=few.labels, name="codes")
    run = diabolo.fit(model, images, **(bench.fixed | how))
    return bench.accuracy(run.model, diabolo.data.Images(test, labels=bench.test.labels))


def neighbours(bench, few, seed):
    """neighbours: labels spread over the pre-trained codes (accuracy on the training images)"""
    return float((bench.spread(few).labels == bench.train.labels).mean())


def spread(bench, few, seed):
    """neighbours, then the fine-tuned classifier on all images"""
    how = {"init": bench.pretrained, "epochs": 1, "schedule": "cosine"}
    return bench.classifier(bench.spread(few), seed, **how)


METHODS = {f.__name__: f for f in (scratch, frozen, fine_tuned, neighbours, spread, joint, m1_m2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--draws", type=int, default=10, help="of the labelled images, seeds 0, 1, …")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--epochs", type=int, default=6, help="of the autoencoder")
    parser.add_argument("--n-train", type=int)
    parser.add_argument("--n-test", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", default="few-labels")
    options = parser.parse_args()
    bench = Bench(options)
    path = bench.out / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in options.methods:
        held = results.setdefault(name, {"what": METHODS[name].__doc__, "accuracy": {}, "seconds": {}})
        for seed in range(options.draws):
            if str(seed) in held["accuracy"]:
                continue
            started = time.perf_counter()
            held["accuracy"][str(seed)] = METHODS[name](bench, bench.train.keep_labels(options.labels, seed), seed)
            held["seconds"][str(seed)] = round(time.perf_counter() - started, 1)
            path.write_text(json.dumps(results, indent=2))
            print(name, seed, held["accuracy"][str(seed)], held["seconds"][str(seed)], flush=True)
    print("| method | draws | accuracy, mean ± sd | least |\n| --- | --- | --- | --- |")
    for held in results.values():
        found = [100 * value for value in held["accuracy"].values()]
        sd = statistics.stdev(found) if len(found) > 1 else 0.0
        print(f"| {held['what']} | {len(found)} | {statistics.mean(found):.2f} ± {sd:.2f} % | {min(found):.2f} % |")


if __name__ == "__main__":
    main()
