"""(a) The usual course script: torchvision's MNIST, ToTensor, a DataLoader, a module, a loop, `.item()` each step.

Written the way a careful student or teacher writes it: nothing done to make it slow, and nothing to make it fast.

    python course.py --work fc --epochs 10

fc      VAE 784-400-400-20, ReLU, Bernoulli (binary cross-entropy) + KL, Adam 1e-3, batch 128
conv    plain autoencoder with a code of 64 numbers, mean squared error per pixel, no KL, Adam 1e-3, batch 64
conv64  convolutional VAE on 64×64 colour images (made-up ones), for throughput on a GPU
celeba64  convolutional VAE on CelebA: each file is opened, resized and made a tensor in each epoch, by two workers; squared
        error + KL, Adam 1e-3, batch 128
"""

import time
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from common import (
    LATENT_DIM,
    LEARNING_RATE,
    blobs_uint8,
    data_root,
    images_uint8,
    negative_elbo,
    options,
    portraits,
    print_result,
)
from common import squared_error as mean_squared_error
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets, transforms

# ---------------------------------------------------------------------------------------------- the networks


class FcEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc2 = nn.Linear(400, 400)
        self.fc_mu = nn.Linear(400, LATENT_DIM["fc"])
        self.fc_logvar = nn.Linear(400, LATENT_DIM["fc"])

    def forward(self, x):
        h = F.relu(self.fc1(x.view(-1, 784)))
        h = F.relu(self.fc2(h))
        return self.fc_mu(h), self.fc_logvar(h)


class FcDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(LATENT_DIM["fc"], 400)
        self.fc2 = nn.Linear(400, 400)
        self.fc3 = nn.Linear(400, 784)

    def forward(self, z):
        h = F.relu(self.fc1(z))
        h = F.relu(self.fc2(h))
        return torch.sigmoid(self.fc3(h))


class ConvEncoder(nn.Module):
    """28×28×1 → 14×14×32 → 7×7×64 → 3×3×128 → 1×1×256 → 64; batch norm from the second layer on."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.Conv2d(64, 128, kernel_size=3, stride=2),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
            nn.Conv2d(128, 256, kernel_size=3, stride=2),
            nn.BatchNorm2d(256),
            nn.LeakyReLU(),
            nn.Flatten(),
            nn.Linear(256, LATENT_DIM["conv"]),
        )

    def forward(self, x):
        return self.layers(x)


class ConvDecoder(nn.Module):
    """The mirror: 64 → 1×1×256 → 3×3×128 → 7×7×64 → 14×14×32 → 28×28×1; batch norm after each layer but the last."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(LATENT_DIM["conv"], 256),
            nn.BatchNorm1d(256),
            nn.LeakyReLU(),
            nn.Unflatten(1, (256, 1, 1)),
            nn.ConvTranspose2d(256, 128, kernel_size=3, stride=2),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(128, 64, kernel_size=3, stride=2),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(32, 1, kernel_size=4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, z):
        return self.layers(z)


class Conv64Encoder(nn.Module):
    """64×64×3 → 32×32×32 → 16×16×64 → 8×8×128 → 4×4×256 → (mu, logvar) of 128."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(128, 256, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.fc_mu = nn.Linear(4 * 4 * 256, LATENT_DIM["conv64"])
        self.fc_logvar = nn.Linear(4 * 4 * 256, LATENT_DIM["conv64"])

    def forward(self, x):
        h = self.layers(x)
        return self.fc_mu(h), self.fc_logvar(h)


class Conv64Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(LATENT_DIM["conv64"], 4 * 4 * 256),
            nn.ReLU(),
            nn.Unflatten(1, (256, 4, 4)),
            nn.ConvTranspose2d(256, 128, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 3, kernel_size=4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, z):
        return self.layers(z)


class PortraitEncoder(nn.Module):
    """64×64×3 → 32×32×32 → 16×16×64 → 8×8×128 → 4×4×256 → (mu, logvar) of 128; batch norm from the second layer on."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
            nn.Conv2d(128, 256, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(256),
            nn.LeakyReLU(),
            nn.Flatten(),
        )
        self.fc_mu = nn.Linear(4 * 4 * 256, LATENT_DIM["celeba64"])
        self.fc_logvar = nn.Linear(4 * 4 * 256, LATENT_DIM["celeba64"])

    def forward(self, x):
        h = self.layers(x)
        return self.fc_mu(h), self.fc_logvar(h)


class PortraitDecoder(nn.Module):
    """The mirror."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(LATENT_DIM["celeba64"], 4 * 4 * 256),
            nn.LeakyReLU(),
            nn.Unflatten(1, (256, 4, 4)),
            nn.ConvTranspose2d(256, 128, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(32, 3, kernel_size=4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, z):
        return self.layers(z)


NETWORKS = {
    "fc": (FcEncoder, FcDecoder),
    "conv": (ConvEncoder, ConvDecoder),
    "conv64": (Conv64Encoder, Conv64Decoder),
    "celeba64": (PortraitEncoder, PortraitDecoder),
}


class Autoencoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x):
        return self.decoder(self.encoder(x))


class VAE(Autoencoder):
    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + std * torch.randn_like(std)

    def forward(self, x):
        mu, logvar = self.encoder(x)
        return self.decoder(self.reparameterize(mu, logvar)), mu, logvar


def vae_loss(x_hat, x, mu, logvar, error):
    """`error` (binary cross-entropy, or squared) + KL in nats, summed over the batch."""
    reconstruction = error(x_hat, x.view(x_hat.shape), reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return reconstruction + kl


# -------------------------------------------------------------------------------------------------- the data


class Blobs(Dataset):
    """The made-up 64×64 images behind the usual image-by-image interface."""

    def __init__(self, transform):
        self.images = blobs_uint8(train=True).permute(0, 2, 3, 1).contiguous().numpy()
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(self.images[index]), 0


class Portraits(Dataset):
    """The files of a folder, behind the usual image-by-image interface."""

    def __init__(self, folder, transform):
        self.files = sorted(folder.glob("*.jpg"))
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.transform(Image.open(self.files[index]).convert("RGB")), 0


def portraits_of(folder):
    return Portraits(
        folder, transforms.Compose([transforms.Resize(64), transforms.CenterCrop(64), transforms.ToTensor()])
    )


def load_train_set(work, folder):
    if work == "celeba64":
        return portraits_of(folder / "train")
    if work == "conv64":
        return Blobs(transform=transforms.ToTensor())
    return datasets.MNIST(data_root(), train=True, download=True, transform=transforms.ToTensor())


# ---------------------------------------------------------------------------------------------- the training


def main():
    args = options(__doc__.splitlines()[0])
    with portraits() if args.work == "celeba64" else nullcontext() as folder:
        train(args, folder)


def train(args, folder):
    device = torch.device(args.device)
    torch.manual_seed(args.seed)

    train_set = load_train_set(args.work, folder)
    workers = 2 if args.work == "celeba64" else 0
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True, num_workers=workers)

    encoder, decoder = (network() for network in NETWORKS[args.work])
    is_vae = args.work != "conv"
    error = F.mse_loss if args.work == "celeba64" else F.binary_cross_entropy
    model = (VAE if is_vae else Autoencoder)(encoder, decoder).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

    seconds_per_epoch, train_loss = [], []
    for _epoch in range(args.epochs):
        start = time.perf_counter()
        model.train()
        running_loss = 0.0
        for x, _ in train_loader:
            x = x.to(device)
            optimizer.zero_grad()
            if is_vae:
                x_hat, mu, logvar = model(x)
                loss = vae_loss(x_hat, x, mu, logvar, error)
            else:
                loss = F.mse_loss(model(x), x)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * (1 if is_vae else len(x))
        seconds_per_epoch.append(time.perf_counter() - start)  # `.item()` has waited for the GPU
        train_loss.append(running_loss / len(train_set))

    model.eval()
    if args.work == "celeba64":
        test = torch.stack([x for x, _ in portraits_of(folder / "test")]).mul(255).round().byte()
    else:
        test = images_uint8(args.work, train=False)
    if is_vae:
        test_loss = negative_elbo(test, model.encoder, model.decoder, args.device, error)
    else:
        test_loss = mean_squared_error(test, model, args.device)

    print_result(
        "course",
        args,
        seconds_per_epoch=seconds_per_epoch,
        train_loss=train_loss,
        test_loss=test_loss,
        parameters=sum(p.numel() for p in model.parameters()),
    )


if __name__ == "__main__":
    main()
