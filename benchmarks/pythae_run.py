"""(b) The same work through Pythae 0.1.2's own API: its model, its trainer, its data handling.

The layers are those of `course.py`, handed over as Pythae's documentation shows (custom encoder and decoder); the data
is one float array in [0, 1], as its tutorials pass it. Its progress bar and log lines are switched off, which can
only help it. What it does once per run or per epoch outside the training steps (sanity check, copy of the best
model, saving) is not in the times.
"""

import logging
import os
import tempfile
import time
from importlib.metadata import version

os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from common import LATENT_DIM, LEARNING_RATE, images_uint8, negative_elbo, options, print_result, squared_error
from course import NETWORKS
from pythae.models import AE, VAE, AEConfig, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback


class Encoder(BaseEncoder):
    """A network of `course.py` in the shape Pythae asks for."""

    def __init__(self, network):
        BaseEncoder.__init__(self)
        self.network = network

    def forward(self, x):
        out = self.network(x)
        if isinstance(out, tuple):
            mu, logvar = out
            return ModelOutput(embedding=mu, log_covariance=logvar)
        return ModelOutput(embedding=out)


class Decoder(BaseDecoder):
    def __init__(self, network):
        BaseDecoder.__init__(self)
        self.network = network

    def forward(self, z):
        return ModelOutput(reconstruction=self.network(z))


class Stopwatch(TrainingCallback):
    """Seconds from the start of an epoch to the end of its last step, and the mean training loss Pythae logs."""

    def __init__(self):
        self.seconds, self.losses = [], []

    def on_epoch_begin(self, training_config, **kwargs):
        self.begin = time.perf_counter()

    def on_train_step_end(self, training_config, **kwargs):
        self.last = time.perf_counter()  # Pythae calls `.item()` on the loss before this, so the GPU is done

    def on_epoch_end(self, training_config, **kwargs):
        self.seconds.append(self.last - self.begin)

    def on_log(self, training_config, logs, **kwargs):
        self.losses.append(float(logs["train_epoch_loss"]))


def build(work, input_dim):
    encoder, decoder = (network() for network in NETWORKS[work])
    parts = {"encoder": Encoder(encoder), "decoder": Decoder(decoder)}
    if work == "conv":
        return AE(AEConfig(input_dim=input_dim, latent_dim=LATENT_DIM[work]), **parts)
    config = VAEConfig(input_dim=input_dim, latent_dim=LATENT_DIM[work], reconstruction_loss="bce")
    return VAE(config, **parts)


def main():
    args = options(__doc__.splitlines()[0])
    logging.disable(logging.INFO)
    torch.manual_seed(args.seed)

    train = images_uint8(args.work, train=True) / 255.0
    model = build(args.work, tuple(train.shape[1:]))
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=args.epochs,
            learning_rate=LEARNING_RATE,
            per_device_train_batch_size=args.batch_size,
            optimizer_cls="Adam",
            seed=args.seed,
            no_cuda=args.device == "cpu",
        )
        TrainingPipeline(model=model, training_config=config)(train_data=train, callbacks=[stopwatch])

    model.eval()
    test = images_uint8(args.work, train=False)
    if args.work == "conv":
        # Pythae's squared error is summed over the pixels of an image.
        train_loss = [loss / train[0].numel() for loss in stopwatch.losses]
        test_loss = squared_error(test, lambda x: model.decoder(model.encoder(x).embedding).reconstruction, args.device)
    else:
        train_loss = stopwatch.losses

        def encode(x):
            out = model.encoder(x)
            return out.embedding, out.log_covariance

        test_loss = negative_elbo(test, encode, lambda z: model.decoder(z).reconstruction, args.device)

    print_result(
        "pythae",
        args,
        seconds_per_epoch=stopwatch.seconds,
        train_loss=train_loss,
        test_loss=test_loss,
        parameters=sum(p.numel() for p in model.parameters()),
        pythae=version("pythae"),
    )


if __name__ == "__main__":
    main()
