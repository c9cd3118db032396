"""(c) The same work with diabolo's public API, as its README shows it: load, build, fit."""

import tempfile
import time

import torch
from common import LATENT_DIM, LEARNING_RATE, images_uint8, options, portraits, print_result, squared_error

import diabolo
from diabolo.training.compiling import compiled
from diabolo.training.options import TrainOptions

# epochs of a usual training; of celeba64 as many steps as the 12 epochs of 30,000 images in the study
USUAL_EPOCHS = {"fc": 10, "conv": 10, "conv64": 10, "celeba64": 56}
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
    if work == "celeba64":
        error = diabolo.likelihoods.SquaredError("image")
        return diabolo.zoo.vae(input_shape=input_shape, latent_dim=latent_dim, net="conv", likelihood=error)
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
    decoding = None
    if args.work == "celeba64":
        with portraits() as folder:
            start = time.perf_counter()
            train, held = diabolo.data.load(str(folder), size=64)
            decoding = time.perf_counter() - start
        test = torch.from_numpy(held.images)
    else:
        train = images_uint8(args.work, train=True) if args.work == "conv64" else diabolo.data.load("mnist")[0]
        test = images_uint8(args.work, train=False)
    input_shape = tuple(test.shape[1:])

    torch.manual_seed(args.seed)
    model = build(args.work, input_shape)
    way = args.compile
    if way is None:  # what the default comes to in a training of the usual length, of which the first epochs are timed
        usual = {"epochs": USUAL_EPOCHS[args.work], "batch_size": args.batch_size, "device": args.device}
        way = compiled(model, diabolo.data.as_images(train), TrainOptions.of(**usual))
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
            compile=way,
            out=folder,
        )

    model = run.model.eval()
    train_loss = [float(epoch["train"]["total"]) for epoch in run.history]
    if args.work == "conv":
        test_loss = squared_error(test, model.reconstruct, args.device)
    else:
        test_loss = negative_elbo(model, test, args.device)

    print_result(
        "diabolo" if args.compile is None else f"diabolo --{'' if args.compile else 'no-'}compile",
        args,
        seconds_per_epoch=[float(epoch["seconds"]) for epoch in run.history],
        train_loss=train_loss,
        test_loss=test_loss,
        parameters=sum(p.numel() for p in model.parameters()),
        diabolo=diabolo.__version__,
        compiled=way,
        **({} if decoding is None else {"decoding_seconds": round(decoding, 2)}),
    )


if __name__ == "__main__":
    main()
