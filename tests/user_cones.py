"""Cones of a user's own, found by import path: plain modules that know nothing of diabolo, and parts."""

import torch
from torch import nn

from diabolo.parts import part


class Encoder(nn.Module):
    """Images to a map of `width` channels."""

    def __init__(self, channels=1, width=4):
        super().__init__()
        self.convolution = nn.Conv2d(channels, width, 3, 2)

    def forward(self, x, c=None):
        h = self.convolution(x).relu()
        return h if c is None else h * (1 + c.sum(1)[:, None, None, None])


class Decoder(nn.Module):
    """Codes to images of `shape`."""

    def __init__(self, code, shape=(3, 28, 30)):
        super().__init__()
        self.layer, self.shape = nn.Linear(code, torch.Size(shape).numel()), shape

    def forward(self, z, c=None):
        return self.layer(z.flatten(1) if c is None else torch.cat([z.flatten(1), c], 1)).unflatten(1, self.shape)


class Wrong(nn.Module):
    """What is refused: `kind` says why."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        answers = {
            "tuple": lambda: (x, x),
            "scalar": lambda: x.sum(),
            "one row": lambda: x.flatten(),
            "larger": lambda: torch.zeros(len(x), 1, 9, 9),
            "fails": lambda: x @ x.new_zeros(7, 7, 7),
        }
        return answers[self.kind]()


@part
class PartEncoder(Encoder):
    """An encoder that a run folder can keep when it is given as an object."""

    def __init__(self, channels=1, width=4):
        super().__init__(channels, width)


@part
class PartDecoder(Decoder):
    """A decoder that a run folder can keep when it is given as an object."""

    def __init__(self, code, shape=(3, 28, 30)):
        super().__init__(code, shape)


NOT_A_MODULE = 3
