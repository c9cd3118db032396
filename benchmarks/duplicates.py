"""Which copies `diabolo duplicates` finds, and how many pairs of different images it takes for copies.

    python benchmarks/duplicates.py [mnist cifar10]

Of 2,000 training images the first 200 are copied in several ways, and looked for by the codes of a PCA of 32 components,
with the defaults of the verb. Needs the data sets.
"""

import io
import sys

import numpy as np
from PIL import Image

import diabolo
from diabolo.data import as_images
from diabolo.latents import near_duplicates

COPIED, AMONG = 200, 2000


def jpeg(images: np.ndarray, quality: int) -> np.ndarray:
    """The images (n, C, H, W) after they were saved as JPEG files."""
    found = []
    for image in images:
        file, grey = io.BytesIO(), len(image) == 1
        Image.fromarray(image[0] if grey else image.transpose(1, 2, 0)).save(file, "jpeg", quality=quality)
        pixels = np.asarray(Image.open(file))
        found.append(pixels[None] if grey else pixels.transpose(2, 0, 1))
    return np.stack(found)


def changed(images: np.ndarray) -> dict[str, np.ndarray]:
    """The copies, by what was done to them."""
    random = np.random.default_rng(0)

    def held(values: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)

    return {
        **{f"JPEG, quality {quality}": jpeg(images, quality) for quality in (90, 75, 50)},
        **{f"{share} % brighter": held(images * (1 + share / 100)) for share in (5, 20)},
        **{f"noise, sd {sd} of 255": held(images + random.normal(0, sd, images.shape)) for sd in (5, 15)},
        "shifted by a pixel": np.roll(images, 1, 3),
    }


def main() -> None:
    """The table, in Markdown."""
    for name in sys.argv[1:] or ["mnist", "cifar10"]:
        train, _ = diabolo.data.load(name, n_train=3000)
        model = diabolo.fit("pca", train, latent_dim=32, quiet=True, out=None).model
        images = train.images[:AMONG]
        for within in (0.1, 0.2):
            pairs = near_duplicates(model, as_images(images), within=within).pairs
            print(f"| {name} | pairs among {AMONG:,} originals, --within {within} | {len(pairs)} |", flush=True)
        for how, copies in changed(images[:COPIED]).items():
            found = near_duplicates(model, as_images(np.concatenate([images, copies]))).pairs.tolist()
            right = sum([i, AMONG + i] in found for i in range(COPIED))
            print(f"| {name} | {how} | {100 * right / COPIED:.1f} % found |", flush=True)


if __name__ == "__main__":
    main()
