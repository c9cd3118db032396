"""(c) The same work with diabolo's public API, as its README shows it: load, build, fit."""

import tempfile

import torch
from common import LATENT_DIM, LEARNING_RATE, images_uint8, options, print_result, squared_error

import diabolo

CONV_NET = "conv-to-point"  # the pair of `course.py`, 28×28×1 → … → 1×1×256 → 64 and its mirror
CONV64_NET = "conv"  # must have the layers of `course.Conv64Encoder` (run.py compares the parameter counts)


def build(work, input_shape):
    latent_dim = LATENT_DIM[work]
    if work == "fc":
        return diabolo.zoo.vae(
            input_shape=input_shape, latent_dim=latent_dim, net="mlp", hidden=(400, 400), activation="relu", beta=1.0
        )
    if work == "conv":
        return diabolo.zoo.undercomplete(input_shape=input_shape, latent_dim=latent_dim, net=CONV_NET)
    return diabolo.zoo.vae(input_shape=input_shape, latent_dim=latent_dim, net=CONV64_NET, beta=1.0)


@torch.no_grad()
def negative_elbo(model, images, device):
    """Test −ELBO in nats per image with one sample of z, from diabolo's own loss in evaluation mode.

    The same definition as `common.negative_elbo`; the noise is another draw (over 10,000 images that moves the mean by
    a few hundredths of a nat).
    """
    total = 0.0
    for part in images.split(1_000):
        terms = model.loss(part.to(device).float() / 255).terms
        total += float(terms["reconstruction"] + terms["kl"]) * len(part)
    return total / len(images)


def main():
    args = options(__doc__)
    if args.work == "conv64":
        train = images_uint8(args.work, train=True)
    else:
        train, _ = diabolo.data.load("mnist")
    test = images_uint8(args.work, train=False)
    input_shape = tuple(test.shape[1:])

    torch.manual_seed(args.seed)
    model = build(args.work, input_shape)
    with tempfile.TemporaryDirectory() as folder:
        run = diabolo.fit(
            model,
            train,
            validation=None,
            epochs=args.epochs,
            batch_size=args.batch_size,
            lr=LEARNING_RATE,
            schedule="constant",
            device=args.device,
            seed=args.seed,
            compile=args.compile,
            out=folder,
        )

    model = run.model.eval()
    train_loss = [float(epoch["train"]["total"]) for epoch in run.history]
    if args.work == "conv":
        test_loss = squared_error(test, model.reconstruct, args.device)
    else:
        test_loss = negative_elbo(model, test, args.device)

    print_result(
        "diabolo --compile" if args.compile else "diabolo",
        args,
        seconds_per_epoch=[float(epoch["seconds"]) for epoch in run.history],
        train_loss=train_loss,
        test_loss=test_loss,
        parameters=sum(p.numel() for p in model.parameters()),
        diabolo=getattr(diabolo, "__version__", "?"),
    )


if __name__ == "__main__":
    main()
