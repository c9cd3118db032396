"""Views of images that no page can show are refused before anything is computed; a map of their codes is drawn."""

import numpy as np
import pytest
import torch

from diabolo import zoo
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.pictures.latent_views import PICTURES, VIEWS, Look


@pytest.mark.parametrize("shape", [(12,), (2, 8, 8)])
def test_what_needs_pictures_is_refused_at_once(shape, monkeypatch):
    torch.manual_seed(0)
    model = zoo.undercomplete(shape, latent_dim=2, net="mlp", hidden=(8,))
    rng = np.random.default_rng(0)
    x = rng.random((20, *shape), np.float32) if len(shape) == 1 else rng.integers(0, 256, (20, *shape), dtype=np.uint8)
    look = Look(model, Images(x, name="odd"), Images(x, name="odd"))
    assert VIEWS["map"](look).axes
    monkeypatch.setattr(type(model), "encode", lambda *_: pytest.fail("it has begun to compute"))
    for what in PICTURES:
        options = {"attribute": "x"} if what == "arithmetic" else {}
        with pytest.raises(DiaboloError, match="draws images of 1 or 3 channels"):
            VIEWS[what](look, **options)
