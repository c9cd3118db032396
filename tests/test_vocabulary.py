"""Texts are said in the words of their data, and names in them stay what they are."""

import re

import numpy as np
import pytest

import diabolo
from diabolo import vocabulary
from diabolo.data import Images
from diabolo.evaluation import Comparison, Evaluation, Section
from diabolo.figures.layout import in_words as drawn_in_words
from diabolo.metrics.score import Score
from diabolo.reports import notebook
from diabolo.reports.document import (
    Bullets,
    Code,
    Heading,
    Paragraph,
    Picture,
    Prose,
    Table,
    Verdict,
    in_words,
)
from diabolo.training.progress import Cell, Silence, as_text

ROW, SIGNAL, VOLUME = (13,), (2, 32), (1, 6, 6, 6)


@pytest.mark.parametrize(
    ("shape", "text", "said"),
    [
        (ROW, "squared error per pixel", "squared error per number"),
        (ROW, "1,234 images/s", "1,234 rows/s"),
        (ROW, "half of each image; 1 image, 360 test images", "half of each row; 1 row, 360 test rows"),
        (ROW, "Images and Pixels. Mean training image", "Rows and Numbers. Mean training row"),
        (ROW, "An image's code, an image, and\nan\nimage", "A row's code, a row, and\na\nrow"),
        (ROW, "a mean image of an unknown image", "a mean row of an unknown row"),
        (ROW, "of the images' variance (images, pixels)", "of the rows' variance (rows, numbers)"),
        (SIGNAL, "an image of pixels", "a signal of numbers"),
        (VOLUME, "an image of pixels: 9 images/s", "a volume of voxels: 9 volumes/s"),
    ],
)
def test_each_kind_has_its_words(shape, text, said):
    assert vocabulary.of(shape)(text) == said


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 8, 8), (5, 8, 8), ()])
def test_pictures_and_shapes_that_are_not_known_leave_every_text_as_it_is(shape):
    text = "An image of 784 pixels: 1,234 images/s, squared error per pixel"
    assert vocabulary.of(shape, "an image")(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "n_images image_size Images.pixels test.images",
        "--image-size 3 (--no-images); --data images and --key=pixels",
        "image.png, my-image.npy, /data/images/7, images/x.csv, C:\\images\\pixels",
        "images=3 x:images:y images[0] Images(…) image(1)",
        "Images('images', 'train', 3 of 13)",
        "the column 'mean pixel' and \"the image\" and `one image`",
        "imagewise pixelated IMAGES PIXEL preimage image-wise per-pixel",
        "pictures of 32 pixels a side or more",
    ],
)
def test_names_paths_options_code_and_quoted_words_stay(text):
    assert vocabulary.of(ROW)(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("images", "images"),
        ("images: loss of images", "images: loss of images"),
        ("vae on images", "vae on images"),
        ("18 test images of images", "18 test rows of images"),
        ("160 images of 13, images (train); 18 images", "160 rows of 13, images (train); 18 rows"),
        ("codes of one image, per image, and images that vary", "codes of one row, per row, and rows that vary"),
        ("one pixel (RGB)", "one pixel (RGB)"),  # a class
        ("error of one pixel (RGB), per pixel", "error of one pixel (RGB), per number"),
    ],
)
def test_given_names_stay_where_a_name_stands(text, said):
    assert vocabulary.of(ROW, "images", "one pixel (RGB)")(text) == said


def test_an_apostrophe_opens_no_quotation():
    assert (
        vocabulary.of(ROW)("the images' mean and another image's 'image'") == "the rows' mean and another row's 'image'"
    )


def test_every_kind_of_block_is_said_but_code_and_paths(tmp_path):
    words = vocabulary.of(ROW)
    blocks = [
        Heading("Worst images", 3, "images"),
        Paragraph("An image", ("images",)),
        Prose("see `image` of **images**"),
        Bullets(["one pixel"]),
        Code("diabolo train vae --data images"),
        Table(("images", "n"), [("per pixel", 3), ("x", None)], "Of images", "images"),
        Picture(tmp_path / "image.png", "Test images", "pixels"),
        Verdict("an image", "2 images", "met", "3 pixels"),
    ]
    assert list(in_words(blocks, words)) == [
        Heading("Worst rows", 3, "images"),
        Paragraph("A row", ("images",)),
        Prose("see `image` of **rows**"),
        Bullets(["one number"]),
        Code("diabolo train vae --data images"),
        Table(["rows", "n"], [["per number", 3], ["x", None]], "Of rows", "images"),
        Picture(tmp_path / "image.png", "Test rows", "pixels"),
        Verdict("a row", "2 rows", "met", "3 numbers"),
    ]


def test_headings_and_axes_of_figures_are_said_and_names_at_ticks_are_not():
    figure = diabolo.figures.bars({"pixels": 0.5, "codes": 0.7}, "share of images", title="Worst images")
    drawn_in_words(figure, vocabulary.of(ROW))
    axes = figure.axes[0]
    assert axes.get_xlabel() + axes.get_ylabel() == "share of rows"
    told = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert "Worst rows" in told
    assert "Worst images" not in told
    assert "pixels" in told


def test_a_part_of_a_page_is_said_as_well():
    panels = [lambda on=None: diabolo.figures.kl_bars([0.3], [True], on=on)] * 2
    page = diabolo.figures.page(panels, "vae on images")
    drawn_in_words(page, vocabulary.of(ROW, "images"))
    assert [axes.get_ylabel() for axes in page.axes if axes.get_ylabel()] == ["KL (nats per row)"] * 2


def line():
    return {"epoch": 1, "train": {"total": 0.5}, "validation": None, "images_per_second": 1234.0, "step": 1}


def test_the_line_of_an_epoch_has_its_speed_in_words():
    assert as_text(line(), words=vocabulary.of(VOLUME)).endswith("1,234 volumes/s")
    assert as_text(line(), 80, vocabulary.of(ROW)).endswith("1,234 rows/s")
    assert as_text(line()).endswith("1,234 images/s")


def test_a_cell_of_a_notebook_and_the_log_speak_alike(capsys, caplog):
    caplog.set_level("INFO", "diabolo.training")
    cell = Cell(vocabulary.of(SIGNAL))
    cell.say("3 images are left out")
    cell.epoch(line())
    Silence(vocabulary.of(ROW)).say("an image")
    out = capsys.readouterr().out
    assert "3 signals are left out" in out
    assert "1,234 signals/s" in out
    assert "1,234 signals/s" in cell.latest
    assert [record.getMessage() for record in caplog.records][::2] == ["3 signals are left out", "a row"]


def evaluation(shape):
    score = Score(
        0.5, "squared error per pixel", 9, low=0.4, high=0.6, interval="Student's t over images", better="lower"
    )
    about = {
        "model": "vae",
        "run": None,
        "test": {"name": "images", "split": "test", "images": 9, "shape": list(shape)},
    }
    section = {"probes": Section({"linear probe: pixels": score})}
    return Evaluation(about, section, {"attributes": "the images have no attributes"})


def test_notebooks_show_evaluations_and_comparisons_in_words_and_records_keep_their_names():
    found = evaluation(ROW)
    shown = found._repr_html_()
    assert "on 9 rows of images (test)" in shown
    assert "linear probe: numbers" in shown
    assert "squared error per number" in shown
    assert "the rows have no attributes" in shown
    assert found.tested == "9 test rows of images"
    assert found.record()["scores"]["probes"]["linear probe: pixels"]["unit"] == "squared error per pixel"
    assert found.record()["about"]["test"]["images"] == 9
    both = Comparison({"pixel vae": [found], "b": [evaluation(ROW)]})
    assert "squared error per number" in both._repr_html_()
    assert "pixel vae, 1 seed" in both._repr_html_()
    assert both.record()["scores"][0]["name"] == "linear probe: pixels"
    assert evaluation((1, 8, 8)).tested == "9 test images of images"


def test_an_evaluation_that_does_not_say_the_shape_keeps_the_words_of_pictures():
    found = evaluation(())
    del found.about["test"]["shape"]
    assert found.tested == "9 test images of images"


def test_a_run_speaks_of_its_rows_and_keeps_the_names_of_classes(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 3))
    train = Images(x, np.arange(40) % 2, ("image", "pixel"), name="images")
    run = diabolo.fit("vae", train, latent_dim=2, hidden=(4,), epochs=1, out=tmp_path, quiet=True)
    assert "nats per row" in run._repr_html_()
    assert run.config.units["reconstruction"] == "nats per image"
    assert [run.config.words(name) for name in ("image", "pixel", "images", "vae")] == [
        "image",
        "pixel",
        "images",
        "vae",
    ]
    assert run.config.words("nats per image of images") == "nats per row of images"


def test_the_notebook_of_a_run_is_said_in_words_and_its_code_stays():
    plain, said = notebook.script(), notebook.script(words=vocabulary.of(ROW))
    changed = [(a, b) for a, b in zip(plain.splitlines(), said.splitlines(), strict=True) if a != b]
    assert ("# Its layers, what each gives for one image, and the parameters.") in [a for a, _ in changed]
    assert all(a.startswith("# ") for a, _ in changed)
    assert not any(re.search(r"\b[Ii]mages?\b|pixel", b) for _, b in changed)
    assert "from IPython.display import Image, display" in said
