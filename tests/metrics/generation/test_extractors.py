"""What takes features: the trained classifier, Inception, and networks of one's own."""

import sys
import urllib.error

import numpy as np
import pytest
import torch
from torch import nn

from diabolo.data import Images, load
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.metrics import generation


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def attributed(n=200, seed=0):
    """Grey images whose brightness on the left and on the right is said by two attributes."""
    random = np.random.default_rng(seed)
    attributes = random.random((n, 2)) < 0.5
    pixels = random.integers(0, 100, (n, 1, 8, 8), dtype=np.uint8)
    pixels[..., :4] += 100 * attributes[:, 0, None, None, None].astype(np.uint8)
    pixels[..., 4:] += 100 * attributes[:, 1, None, None, None].astype(np.uint8)
    return Images(pixels, attributes=attributes, attribute_names=("left", "right"), name="two", split="train")


def test_the_classifier_learns_labels_once(digits, home, monkeypatch):
    train, test = digits
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = generation.extractor("classifier", train)
    assert torch.equal(state, torch.get_rng_state())
    found = generation.extract(first, test.images)
    assert found.values.shape == (len(test), 32)  # half as many as there are pixels
    assert found.values.dtype == found.logits.dtype == np.float64
    assert first.accuracy(found, test) == (found.logits.argmax(1) == test.labels).mean()
    assert first.accuracy(found, test) > 0.93
    monkeypatch.setattr("diabolo.metrics.generation.small_classifier.fit", None)  # nothing is trained again
    again = generation.extractor("classifier", train)
    assert first.path == again.path
    assert home in again.path.parents
    np.testing.assert_array_equal(found.values, generation.extract(again, test.images).values)
    assert "labels of 1,437 images of digits (train)" in again.setting["trained_on"]


def test_other_images_or_seeds_are_other_classifiers(digits):
    few = digits[0].subset(120)
    paths = {generation.classifier(few).path, generation.classifier(few, 1).path}
    paths.add(generation.classifier(digits[0].subset(120, 1)).path)
    assert len({path.parent for path in paths}) == 3


def test_an_unfinished_training_is_not_used(digits):
    few = digits[0].subset(120)
    first = generation.classifier(few)
    weights = (first.path / "model.safetensors").read_bytes()
    (first.path / "model.safetensors").unlink()
    second = generation.classifier(few)
    assert second.path.parent == first.path.parent
    assert second.path != first.path
    assert (second.path / "model.safetensors").read_bytes() == weights  # the seed decides


def test_it_learns_attributes_where_there_are_no_labels():
    train, test = attributed(), attributed(seed=1)
    taker = generation.classifier(train)
    found = generation.extract(taker, test.images)
    assert found.logits is None
    assert taker.accuracy(found, test) > 0.95
    assert "the 2 attributes" in taker.setting["trained_on"]
    again = generation.extract(generation.classifier(train), test.images)  # read from its run folder
    np.testing.assert_array_equal(found.values, again.values)


def test_vectors_and_small_images_have_a_classifier_too():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    vectors = Images(random.random((60, 5), dtype=np.float32), labels=labels)
    tiny = Images(random.integers(0, 255, (60, 1, 6, 6), dtype=np.uint8), labels=labels)
    for images in (vectors, tiny):
        assert generation.extract(generation.classifier(images), images.images).logits.shape == (60, 3)


def test_more_images_than_there_is_time_for_are_drawn_from():
    from diabolo.metrics.generation.small_classifier import WORK, _budget

    for n, side in ((60_000, 28), (30_000, 64), (2_000_000, 8), (100, 8)):
        images = Images(np.broadcast_to(np.zeros((), np.uint8), (n, 1, side, side)))
        epochs, chosen = _budget(images) if n < 1_000_000 else (1, images.take(np.arange(1_400_000)))
        assert epochs >= 1
        assert epochs * len(chosen) * side**2 <= 1.5 * WORK


def test_images_without_labels_or_attributes_are_refused():
    images = Images(np.zeros((9, 1, 8, 8), np.uint8), name="bare", split="train")
    with pytest.raises(DiaboloError, match=r"bare \(train\) has neither: use 'inception'"):
        generation.extractor("classifier", images)
    one = Images(np.zeros((9, 1, 8, 8), np.uint8), labels=np.zeros(9, np.int64))
    with pytest.raises(DiaboloError, match="needs two classes"):
        generation.extractor("classifier", one)


class Mean(nn.Module):
    """Mean brightness and contrast; notes whether it is in training mode."""

    def forward(self, x):
        assert not self.training
        return torch.stack([x.mean((1, 2, 3)), x.std((1, 2, 3))], 1)


def flat(x):
    return x


def broken(x):
    return torch.full((len(x), 2), torch.nan)


def test_a_network_of_ones_own(digits):
    train, test = digits
    module = Mean()
    found = generation.extract(generation.extractor(module, train), test.images)
    assert module.training  # put back
    assert found.logits is None
    np.testing.assert_allclose(found.values[:, 0], test.images.mean((1, 2, 3)) / 255, rtol=1e-5)
    by_path = generation.extract(generation.extractor(f"{__name__}:Mean", train), test.images)
    np.testing.assert_array_equal(found.values, by_path.values)
    assert generation.extract(generation.extractor(f"{__name__}:flat", train), test.images).values.shape == (360, 64)


def test_its_mistakes_are_told(digits):
    train, test = digits
    with pytest.raises(UnknownNameError, match="did you mean 'classifier'"):
        generation.extractor("clasifier", train)
    with pytest.raises(DiaboloError, match="no_such_module"):
        generation.extractor("no_such_module:Net", train)
    with pytest.raises(DiaboloError, match="cannot be called"):
        generation.extractor("math:pi", train)
    with pytest.raises(DiaboloError, match="not 3"):
        generation.extractor(3, train)
    with pytest.raises(DiaboloError, match="'broken' gives features that are NaN"):
        generation.extract(generation.extractor(broken, train), test.images)
    with pytest.raises(DiaboloError, match="one row of features for each image"):
        generation.extract(generation.extractor(torch.sum, train), test.images)
    with pytest.raises(DiaboloError, match="no images"):
        generation.extract(generation.extractor(flat, train), test.images[:0])


def test_floats_are_seen_as_files_would_hold_them(digits):
    """An extractor must not tell real images from made ones by their 256 steps."""
    train, test = digits
    taker = generation.extractor(flat, train)
    exact = generation.extract(taker, test.images).values
    for noise in (0.3, -0.3):
        floats = (test.images.astype(np.float32) + noise) / 255
        np.testing.assert_array_equal(generation.extract(taker, floats).values, exact)


def test_the_size_of_pieces_does_not_matter(digits):
    train, test = digits[0].subset(120), digits[1]
    taker = generation.extractor("classifier", train)
    whole = generation.extract(taker, test.images)
    taker.piece = 7
    parts = generation.extract(taker, test.images)
    np.testing.assert_allclose(whole.values, parts.values, atol=1e-5)


def test_inception_without_its_library_or_weights(digits, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url", offline)
    with pytest.raises(DiaboloError, match=r"cannot be had .*no network.*put weights-inception"):
        generation.extractor("inception", digits[0])
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(DiaboloError, match=r"pip install 'diabolo\[fid\]'"):
        generation.extractor("inception", digits[0])


def test_inception_with_weights(digits, monkeypatch):
    """With weights that are drawn: the features are those of torch-fidelity's network for the same bytes in three channels."""
    from torch_fidelity import feature_extractor_inceptionv3 as theirs

    network = theirs.FeatureExtractorInceptionV3
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *args, **kwargs: {})
    monkeypatch.setattr(network, "load_state_dict", lambda self, state: None)
    train, test = digits
    taker = generation.extractor("inception", train)
    found = generation.extract(taker, test.images[:3])
    assert (found.values.shape, found.logits.shape) == ((3, 2048), (3, 1008))
    with torch.no_grad():
        expected, _ = taker.model(torch.from_numpy(test.images[:3]).repeat(1, 3, 1, 1))
    np.testing.assert_allclose(found.values, expected.numpy(), rtol=1e-4, atol=1e-6)
    with pytest.raises(DiaboloError, match="grey or colour images"):
        taker(torch.zeros(2, 5))
