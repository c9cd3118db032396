"""How the KL term of a VAE of scikit-learn's digits is best weighed. Models are trained with the usual settings on nine tenths
of the training images; the other tenth is reconstructed, and 1,000 images are drawn from the prior. No test image is looked at.

    python benchmarks/digits_vae.py --lengths 8 16 --seeds 0

A line for each model: its squared error per pixel on the held-out images, its KL term in nats per image, its active units, the
share of its samples that a classifier reads with a probability of 0.9 or more, and the Fréchet distance of its samples to the
images it was trained on, between features of that classifier.
"""

import argparse
import tempfile
import warnings

import numpy as np
import torch

import diabolo
from diabolo.data.origin import hold_out
from diabolo.metrics import generation

SETTINGS = {f"beta {beta:g}": {"beta": beta} for beta in (1.0, 0.5, 0.25, 0.125)}
SETTINGS["gaussian, optimal sigma"] = {"likelihood": "gaussian"}
SAMPLES = 1_000
ACTIVE = 0.01  # variance of a unit's posterior means from which on it is active


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[8, 16], help="of the code")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--only", nargs="+", default=list(SETTINGS), choices=SETTINGS, metavar="SETTING")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # a Fréchet distance of few images is biased: here they are equally many for all
    whole, _ = diabolo.data.load("digits")
    for seed in options.seeds:
        train, held = hold_out(whole, 0.1, seed)
        x = torch.from_numpy(held.pixels).float()
        classifier = generation.extractor("classifier", train)
        real = generation.extract(classifier, train.pixels).values
        read = generation.clearly_read(classifier, held.pixels.astype(np.float32)).value
        print(f"seed {seed}: {100 * read:.0f} % of the held-out images are read", flush=True)
        for length in options.lengths:
            how = {"latent_dim": length, "seed": seed, "quiet": True}
            with tempfile.TemporaryDirectory() as out:
                pca = diabolo.fit("pca", train, **how, out=out).model
                print(f"{length} numbers, PCA: error {float((pca.reconstruct(x) - x).square().mean()):.5f}", flush=True)
                for name in options.only:
                    run = diabolo.fit("vae", train, held, **how, threads=1, out=out, **SETTINGS[name])
                    model, kl = run.model, run.history[-1]["validation"]["kl"]
                    samples = model.sample(SAMPLES, seed=seed).cpu().clamp(0, 1).numpy()
                    distance = generation.fid(generation.extract(classifier, samples).values, real).value
                    print(
                        f"{length} numbers, {name}: error {float((model.reconstruct(x).cpu() - x).square().mean()):.5f}, "
                        f"KL {kl:.2f}, active {int((model.encode(x).var(0) > ACTIVE).sum())}, "
                        f"read {100 * generation.clearly_read(classifier, samples).value:.0f} %, distance {distance:.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
