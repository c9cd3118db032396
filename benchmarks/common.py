"""What every contender shares: its options, where the data lies, how the test loss is defined, and the line it prints.

Nothing in here is timed.
"""

import argparse
import json
import math
import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F

WORKS = ("fc", "conv", "conv64", "celeba64")
LEARNING_RATE = 1e-3
LATENT_DIM = {"fc": 20, "conv": 64, "conv64": 128, "celeba64": 128}
BATCH_SIZE = {
    "cpu": {"fc": 128, "conv": 64, "conv64": 128, "celeba64": 128},
    "cuda": {"fc": 512, "conv": 64, "conv64": 512, "celeba64": 128},
}
IMAGES = {"fc": 60_000, "conv": 60_000, "conv64": 20_000, "celeba64": 6_400}  # for training
PORTRAITS = {"train": IMAGES["celeba64"], "test": 640}
EVALUATION_SEED = 20_000


def options(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--work", choices=WORKS, default="fc")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch-size", type=int, help="default: 128, for conv 64; on a GPU 512 for fc")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="for diabolo: its option of that name")
    args = parser.parse_args()
    args.batch_size = args.batch_size or BATCH_SIZE[args.device][args.work]
    if args.epochs < 1 or args.batch_size < 1 or args.threads < 1:
        parser.error("--epochs, --batch-size and --threads are at least 1")
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda, but this torch sees no GPU")
    torch.set_num_threads(args.threads)
    return args


def data_root() -> Path:
    """The folder that holds `MNIST/raw`: the same one diabolo reads."""
    return Path(os.environ.get("DIABOLO_DATA") or Path.home() / ".cache" / "diabolo").expanduser()


def mnist_uint8(train: bool) -> torch.Tensor:
    """The MNIST images as uint8 (N, 1, 28, 28)."""
    from torchvision import datasets

    return datasets.MNIST(data_root(), train=train, download=True).data.unsqueeze(1)


def blobs_uint8(train: bool) -> torch.Tensor:
    """Colour images uint8 (N, 3, 64, 64) for the throughput of the 64×64 work: smooth random fields, no meaning.

    The time of a training step does not depend on what the images show, so none have to be downloaded.
    """
    generator = torch.Generator().manual_seed(1 if train else 2)
    n = IMAGES["conv64"] if train else 2_000
    images = torch.empty(n, 3, 64, 64, dtype=torch.uint8)
    for part in images.split(1_000):
        coarse = torch.rand(len(part), 3, 5, 5, generator=generator)
        smooth = F.interpolate(coarse, size=(64, 64), mode="bicubic").clamp(0, 1)
        part.copy_(smooth.mul(255).round())
    return images


@contextmanager
def portraits() -> Iterator[Path]:
    """A folder with copies of the first files of CelebA, in train/ and test/: nothing of them is decoded before."""
    files = sorted((data_root() / "celeba" / "img_align_celeba").glob("*.jpg"))
    if len(files) < sum(PORTRAITS.values()):
        raise SystemExit(
            f"celeba64 needs {sum(PORTRAITS.values())} images of CelebA in {data_root()}, not {len(files)}"
        )
    with tempfile.TemporaryDirectory() as folder:
        for part, n in PORTRAITS.items():
            (Path(folder) / part).mkdir()
            for file in files[:n]:
                shutil.copy(file, Path(folder) / part)
            files = files[n:]
        yield Path(folder)


def images_uint8(work: str, train: bool) -> torch.Tensor:
    """The images (N, C, H, W) of a work whose files hold nothing but pixels."""
    return blobs_uint8(train) if work == "conv64" else mnist_uint8(train)


@torch.no_grad()
def negative_elbo(
    images: torch.Tensor,
    encode: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    decode: Callable[[torch.Tensor], torch.Tensor],
    device: str,
    error: Callable[..., torch.Tensor] = F.binary_cross_entropy,
) -> float:
    """Mean −ELBO in nats per image: grey pixels under a Bernoulli (so no likelihood of the data), one sample of z; for another
    `error` than the cross-entropy, its sum over an image instead.

    images: uint8 (N, C, H, W). encode: x in [0, 1] → (mu, logvar). decode: z → x_hat in [0, 1].
    The noise comes from a generator of its own, so every contender is tested with the same draws.
    """
    generator = torch.Generator().manual_seed(EVALUATION_SEED)
    total = 0.0
    for part in images.split(1_000):
        x = part.to(device).float() / 255
        mu, logvar = encode(x)
        noise = torch.randn(mu.shape, generator=generator).to(device)
        x_hat = decode(mu + torch.exp(0.5 * logvar) * noise)
        reconstruction = error(x_hat.reshape(x.shape), x, reduction="sum")
        kl = -0.5 * torch.sum(1 + logvar - mu.square() - logvar.exp())
        total += (reconstruction + kl).item()
    return total / len(images)


@torch.no_grad()
def squared_error(images: torch.Tensor, reconstruct: Callable[[torch.Tensor], torch.Tensor], device: str) -> float:
    """Mean squared error per pixel. images: uint8 (N, C, H, W); reconstruct: x in [0, 1] → x_hat."""
    total = 0.0
    for part in images.split(1_000):
        x = part.to(device).float() / 255
        total += F.mse_loss(reconstruct(x).reshape(x.shape), x, reduction="sum").item()
    return total / images.numel()


def print_result(
    what: str,
    args: argparse.Namespace,
    *,
    seconds_per_epoch: list[float],
    train_loss: list[float],
    test_loss: float,
    parameters: int,
    **more: object,
) -> None:
    """One JSON line: what `run.py` reads."""
    if not all(math.isfinite(loss) for loss in (*train_loss, test_loss)):
        raise SystemExit(f"{what}: the loss is not finite, so its time means nothing")
    result = {
        "what": what,
        "work": args.work,
        "seconds_per_epoch": [round(s, 4) for s in seconds_per_epoch],
        "train_loss": [round(loss, 6) for loss in train_loss],
        "test_loss": round(test_loss, 6),
        "parameters": parameters,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "batch_size": args.batch_size,
        "epochs": args.epochs,
        "seed": args.seed,
        "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        **more,
    }
    print(json.dumps(result), flush=True)
