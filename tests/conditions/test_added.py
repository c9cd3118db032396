"""A condition that is added: a vector of each class, to the features and to the code."""

import pytest
import torch
from torch.nn import functional

import diabolo
from diabolo import nets, zoo
from diabolo.errors import DiaboloError

SHAPE, Y = (1, 8, 8), torch.tensor([0, 3, 9])


@pytest.fixture
def model():
    torch.manual_seed(0)
    return zoo.cvae(SHAPE, 4, hidden=(16,), joined="added").eval()


def test_the_vector_of_the_class_is_added_to_features_and_code(model):
    x = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(0))
    features = model.encoder.inner(x) + model.encoder.embed.weight.T[Y]
    mu = functional.linear(features, *(p.chunk(2)[0] for p in model.bottleneck.to_posterior.parameters()))
    torch.testing.assert_close(model.encode(x, Y), mu)
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    raw = model.decoder.inner(z + model.decoder.embed.weight.T[Y])
    torch.testing.assert_close(model.decode(z, Y), torch.sigmoid(raw))


def test_it_has_a_vector_a_class_and_no_wider_layers(model):
    without = zoo.cvae(SHAPE, 4, hidden=(16,), condition="none")
    more = sum(p.numel() for p in model.parameters()) - sum(p.numel() for p in without.parameters())
    assert more == 10 * (16 + 4)


def test_a_part_of_an_image_is_added_to_the_code_alone():
    given = zoo.cvae(SHAPE, 4, hidden=(16,), joined="added", condition="quarter")
    assert type(given.encoder).__name__ == "MLPEncoder"
    assert given.sample(2, seed=0, y=torch.rand(2, *SHAPE)).shape == (2, *SHAPE)


def test_its_samples_are_of_the_class_asked_for_and_it_is_opened_again(digits, tmp_path):
    train, _ = digits
    torch.manual_seed(0)
    model = zoo.cvae(SHAPE, 16, hidden=(64,), joined="added")
    run = diabolo.fit(
        model, train, epochs=20, lr=5e-3, schedule="one-cycle", batch_size=32, out=tmp_path, compile=False, quiet=True
    )
    y = torch.arange(10).repeat_interleave(20)
    drawn = run.model.sample(len(y), seed=0, y=y)
    centres = torch.stack([torch.from_numpy(train.pixels[train.labels == k]).mean(0) for k in range(10)])
    nearest = torch.cdist(drawn.flatten(1), centres.flatten(1)).argmin(1)
    assert (nearest == y).float().mean() > 0.75  # of real digits 0.9
    assert torch.equal(diabolo.load(run.path).sample(5, seed=0, y=y[:5]), run.model.sample(5, seed=0, y=y[:5]))


def test_what_cannot_be_added_is_refused():
    with pytest.raises(DiaboloError, match="unknown way to join a condition 'beside'"):
        zoo.cvae(SHAPE, 4, joined="beside")
    encoder, _ = nets.build("unet", (1, 16, 16), 4, channels=(4, 8))
    with pytest.raises(DiaboloError, match="without skip connections"):
        nets.AddingEncoder(encoder, 10)
