"""Does a conditional model draw the digit it is asked for? A classifier trained on real digits reads its samples.

    diabolo train cvae --data mnist --latent-dim 16 --hidden 512 512 --activation silu \
        --epochs 10 --lr 3e-3 --schedule one-cycle --seed 0
    python benchmarks/read_back.py runs/0001-cvae-mnist

The classifier is a small convolutional network of its own, trained here on the 60,000 real training digits alone; its
accuracy on the 10,000 real test digits is printed beside the figure, since it bounds what the figure can say.
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

import diabolo
from diabolo import data, figures


def classifier() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def train(network: nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    steps = epochs * (len(x) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x))[: len(x) // 128 * 128].split(128):
            optimizer.zero_grad()
            F.cross_entropy(network(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()


def read(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The class of each image (N,)."""
    with torch.no_grad():
        return torch.cat([network(part).argmax(1) for part in x.split(1000)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--per-class", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=3, help="of the classifier")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grid", type=Path, help="a .png for ten samples of each digit")
    args = parser.parse_args()

    model = diabolo.load(args.run)
    torch.manual_seed(args.seed)
    network = classifier()
    real, test = data.load("mnist")
    x = torch.from_numpy(real.images).float() / 255
    train(network, x, torch.from_numpy(real.labels), args.epochs)
    held = read(network, torch.from_numpy(test.images).float() / 255)
    accuracy = (held == torch.from_numpy(test.labels)).float().mean().item()

    asked = torch.arange(10).repeat_interleave(args.per_class)
    samples = model.sample(len(asked), seed=args.seed, y=asked)
    right = (read(network, samples) == asked).float().view(10, -1).mean(1)
    print(f"classifier on {len(test):,} real test digits: {accuracy:.2%}")
    print(f"asked-for digit read back in {len(asked):,} samples (seed {args.seed}): {right.mean():.2%}")
    print("by digit: " + ", ".join(f"{digit}: {share:.1%}" for digit, share in enumerate(right.tolist())))
    if args.grid:
        shown = samples.view(10, args.per_class, *samples.shape[1:])[:, :10].flatten(0, 1)
        figures.save(
            figures.sample_grid(shown.numpy(), f"{model.name}: each row is asked for one digit", 10), args.grid
        )


if __name__ == "__main__":
    main()
