"""The figures of a run: which are drawn, of what, and that no run is too odd to be drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diabolo import figures, zoo
from diabolo.data import Images, load
from diabolo.pictures import run_figures
from diabolo.training.fit import fit


def trained(train, name="undercomplete", epochs=1, latent_dim=2, condition=None, **options):
    small = {} if name == "pca" else {"hidden": (8,), "condition": condition}
    torch.manual_seed(0)
    model = zoo.build(name, train.shape, latent_dim=latent_dim, **small)
    return fit(model, train, epochs=epochs, batch_size=10, quiet=True, **options)


def stems(paths):
    return {path.stem for path in paths}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def digits():
    return load("digits", n_train=60, n_test=40)


@pytest.fixture
def drawn(monkeypatch):
    """What each function of `figures` is called with."""
    calls = {}

    def note(name):
        function = getattr(figures, name)

        def noting(*args, **kwargs):
            calls[name] = args
            return function(*args, **kwargs)

        monkeypatch.setattr(figures, name, noting)

    for name in figures.__all__:
        note(name)
    return calls


@pytest.mark.parametrize(
    ("name", "latent_dim", "epochs", "expected"),
    [
        ("vae", 3, 2, {"curves", "health", "samples", "reconstructions", "latent"}),
        ("undercomplete", 2, 2, {"curves", "health", "samples", "reconstructions", "latent", "decoded-grid"}),
        ("undercomplete", 1, 1, {"samples", "reconstructions", "latent"}),
        ("pca", 2, 1, {"samples", "reconstructions", "latent", "decoded-grid"}),
        ("pca", 1, 1, {"samples", "reconstructions", "latent"}),
    ],
)
def test_what_suits_the_model_is_drawn(name, latent_dim, epochs, expected, digits):
    run = trained(digits[0], name, epochs, latent_dim)
    paths = run_figures.draw(run, digits[1])
    assert stems(paths) == expected
    assert stems((run.path / "figures").iterdir()) == expected
    for path in paths:
        with Image.open(path) as image:
            assert min(image.size) > 200


def test_the_test_images_are_loaded_again_when_none_are_given(digits, drawn):
    run = trained(digits[0])
    assert "reconstructions" in stems(run_figures.draw(run))
    np.testing.assert_array_equal(drawn["reconstructions"][0], run_figures.shown(digits[1]).pixels)
    assert drawn["reconstructions"][2] == "undercomplete: digits (test)"


def test_without_test_images_what_needs_none_is_drawn(tiny_pixels):
    assert stems(run_figures.draw(trained(run_figures.Images(tiny_pixels(30))))) == {"samples"}


def test_reconstructions_are_those_of_the_model(digits, drawn):
    run = trained(digits[0])
    run_figures.draw(run, digits[1])
    originals, reconstructions, _ = drawn["reconstructions"]
    np.testing.assert_allclose(reconstructions, run.model.reconstruct(originals).numpy())


def test_the_images_shown_are_spread_over_all(digits):
    pixels = np.arange(95, dtype=np.uint8).reshape(95, 1, 1, 1)
    shown = run_figures.shown(Images(pixels)).images.ravel().tolist()
    assert len(shown) == run_figures.SHOWN
    assert (shown[0], shown[-1]) == (0, 94)
    assert set(np.diff(shown)) <= {10, 11}
    for few in (1, 2, 10):
        np.testing.assert_array_equal(run_figures.shown(Images(pixels[:few])).images, pixels[:few])


def test_vectors_have_no_pictures():
    x = np.random.default_rng(0).random((40, 5), dtype=np.float32)
    run = trained(Images(x), epochs=2)
    assert stems(run_figures.draw(run, Images(x))) == {"curves", "health", "latent", "reconstructions"}


def test_many_codes_are_encoded_in_pieces(digits, drawn, monkeypatch):
    run = trained(digits[0], latent_dim=2)
    monkeypatch.setattr(run_figures, "PIECE", 7)
    run_figures.draw(run, digits[1])
    codes, labels, names, *_ = drawn["latent_scatter"]
    np.testing.assert_allclose(codes, run.model.encode(digits[1].images).numpy(), atol=1e-6)
    np.testing.assert_array_equal(labels, digits[1].labels)
    assert names == digits[1].label_names


def test_a_scatter_has_an_end(digits, drawn, monkeypatch):
    monkeypatch.setattr(run_figures, "POINTS", 15)
    run_figures.draw(trained(digits[0]), digits[1])
    assert len(drawn["latent_scatter"][0]) == len(drawn["latent_scatter"][1]) == 15


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_a_few_test_images_are_enough(count, latent_dim, digits):
    paths = run_figures.draw(trained(digits[0], latent_dim=latent_dim), digits[1].take(np.arange(count)))
    assert ("latent" in stems(paths)) == (count > 1)
    assert "reconstructions" in stems(paths)


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_codes_that_are_all_one_are_drawn(latent_dim, digits):
    run = trained(digits[0], latent_dim=latent_dim)
    with torch.no_grad():
        run.model.bottleneck.to_code.weight.zero_()
    assert "latent" in stems(run_figures.draw(run, digits[1]))


def test_more_classes_than_a_legend_holds_are_left_out(digits, drawn):
    many = Images(digits[0].images[:20].repeat(10, 0), labels=np.arange(200), name="people", split="test")
    assert "latent" in stems(run_figures.draw(trained(digits[0]), many))
    assert drawn["latent_scatter"][1] is None


def test_a_total_that_is_only_the_reconstruction_is_not_drawn_twice(digits, drawn):
    run_figures.draw(trained(digits[0], epochs=2), digits[1])
    assert set(drawn["loss_curves"][0][0]["train"]) == {"reconstruction"}
    run_figures.draw(trained(digits[0], "vae", epochs=2), digits[1])
    assert set(drawn["loss_curves"][0][0]["train"]) == {"total", "reconstruction", "kl"}
    assert drawn["loss_curves"][0][0]["units"]["kl"] == "nats per image"


def test_watched_test_images_are_called_so_and_others_validation_images(digits):
    train, test = digits
    options = {"epochs": 1, "out": "runs", "quiet": True}
    for watched, called in (
        (test, {"validation": "test"}),
        (Images(test.images), {}),
        (test.called(split="validation"), {}),
    ):
        run = fit(zoo.undercomplete(train.shape, 2, hidden=(8,)), train, watched, **options)
        assert [line["called"] for line in run_figures.losses(run)] == [called]


def test_samples_say_where_their_codes_come_from(digits, drawn):
    titles = {}
    for name in ("vae", "undercomplete", "pca"):
        run_figures.draw(trained(digits[0], name), digits[1])
        titles[name] = drawn["sample_grid"][1]
    assert titles["vae"] == "vae: samples from the prior"
    assert "not trained to have a prior" in titles["undercomplete"]
    assert "components" in titles["pca"]


def test_the_decoded_plane_covers_the_codes(digits, drawn):
    run = trained(digits[0], latent_dim=2)
    run_figures.draw(run, digits[1])
    x0, x1, y0, y1 = drawn["decoded_grid"][1]
    codes = run.model.encode(digits[1].images).numpy()
    inside = (codes > (x0, y0)) & (codes < (x1, y1))
    assert inside.mean() > 0.9


def test_colour_images_are_drawn_and_of_other_channels_the_first(tiny_pixels):
    for channels, expected in ((3, {"samples", "reconstructions", "latent"}), (2, {"latent", "reconstructions"})):
        images = Images(tiny_pixels(30, (channels, 8, 8)))
        assert stems(run_figures.draw(trained(images, latent_dim=3), images)) == expected


def test_figures_are_drawn_anew(digits):
    run = trained(digits[0])
    first = [path.read_bytes() for path in run_figures.draw(run, digits[1])]
    assert [path.read_bytes() for path in run_figures.draw(run, digits[1])] == first
    assert not [path for path in Path(run.path / "figures").iterdir() if path.suffix != ".png"]


def test_a_row_of_samples_for_each_class(digits, drawn):
    run = trained(digits[0], "cvae", condition="label")
    run_figures.draw(run, digits[1])
    grid, title, columns = drawn["sample_grid"]
    asked = torch.arange(10).repeat_interleave(columns)
    np.testing.assert_array_equal(grid, run.model.sample(len(asked), y=asked).numpy())
    assert title == "cvae: samples from the prior; each row is asked for one class"


def test_images_of_unknown_class_are_drawn_as_such(digits, drawn):
    labels = digits[1].labels.copy()
    labels[::2] = -1
    some = replace(digits[1], labels=labels)
    assert "latent" in stems(run_figures.draw(trained(digits[0]), some))
    assert drawn["latent_scatter"][2][-1] == "not known"


def test_without_test_images_a_model_that_completes_shows_nothing(tiny_pixels):
    assert stems(run_figures.draw(trained(run_figures.Images(tiny_pixels(30)), "completion"))) == set()
