"""Verbs that take images take what `train` takes."""

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from diabolo import data, fit, zoo
from diabolo.cli import images
from diabolo.disk import write_pieces
from diabolo.runs.loading import load

ARRAYS = np.random.default_rng(0).integers(0, 256, (2500, 8, 8), np.uint8)


def test_an_array_in_its_order_some_at_a_time(runs, diabolo, monkeypatch):
    np.save("big.npy", ARRAYS)
    seen = []
    whole = images.finite
    monkeypatch.setattr(images, "finite", lambda found: seen.append(len(found)) or whole(found))
    answer = diabolo("encode", runs["vae"], "big.npy")
    assert (answer.code, answer.out) == (0, "2,500 codes of 3 numbers in codes.npy\n")
    np.testing.assert_array_equal(np.load("codes.npy"), load(runs["vae"]).encode(ARRAYS[:, None]).numpy())
    assert seen == [1024, 1024, 452]  # never all of them
    assert diabolo("reconstruct", runs["vae"], "big.npy", "--out", "back.npy").code == 0
    np.testing.assert_array_equal(np.load("back.npy"), load(runs["vae"]).reconstruct(ARRAYS[:, None]).numpy())


def test_a_data_set_by_name_and_an_npz_give_all_parts(runs, diabolo):
    assert diabolo("encode", runs["vae"], "digits", "--out", "all.csv").code == 0
    train, test = data.load("digits")
    with open("all.csv", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[0] for row in rows[:2]] == ["train/000000", "train/000001"]
    assert (rows[-1][0], len(rows)) == (f"test/{len(test) - 1:06d}", len(train) + len(test))
    assert [row[1] for row in rows] == [str(label) for label in np.concatenate([train.labels, test.labels])]
    codes = np.array([row[2:] for row in rows], np.float32)
    np.testing.assert_allclose(codes[len(train) :], load(runs["vae"]).encode(test.images).numpy(), atol=1e-6)
    np.savez("parts.npz", x_train=ARRAYS[:30], x_test=ARRAYS[30:40])
    assert diabolo("encode", runs["vae"], "parts.npz").out.startswith("40 codes")
    np.testing.assert_allclose(np.load("codes.npy"), load(runs["vae"]).encode(ARRAYS[:40, None]).numpy(), atol=1e-6)


def test_vectors_and_images_that_are_not_square(vectors, diabolo, refused, tmp_path):
    shape = load(vectors).input_shape
    np.save("v.npy", np.random.default_rng(0).random((7, *shape), np.float32))
    assert diabolo("encode", vectors, "v.npy").out.startswith("7 codes")
    oblong = np.random.default_rng(1).integers(0, 256, (20, 9, 14), np.uint8)
    run = fit(zoo.pca((1, 9, 14), latent_dim=2), data.as_images(oblong), out="runs", quiet=True).path
    for i in range(3):
        Image.fromarray(oblong[i]).save(tmp_path / f"{i}.png")
    assert diabolo("encode", run, "0.png", "1.png", "2.png").code == 0
    np.testing.assert_allclose(np.load("codes.npy"), load(run).encode(oblong[:3, None]).numpy(), atol=1e-5)
    Image.fromarray(oblong[0].T).save(tmp_path / "turned.png")
    assert "takes images of the shape 1×9×14, and turned.png gives 1×14×9" in refused(2, "encode", run, "turned.png")


def test_a_file_without_parts_comes_in_its_order(runs, diabolo):
    np.savez("plain.npz", x=ARRAYS[:30], y=np.arange(30) % 3)
    assert diabolo("encode", runs["vae"], "plain.npz", "--out", "codes.csv").code == 0
    with open("codes.csv", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[:2] for row in rows[:2]] == [["plain-000000", "0"], ["plain-000001", "1"]]
    codes = np.array([row[2:] for row in rows], np.float32)
    np.testing.assert_allclose(codes, load(runs["vae"]).encode(ARRAYS[:30, None]).numpy(), atol=1e-6)


def test_the_files_of_an_archive_keep_their_names(runs, pictures, diabolo):
    (pictures / "c.bmp").unlink()
    shutil.make_archive("p", "zip", pictures)
    shutil.make_archive("p", "tar", pictures)
    assert diabolo("encode", runs["vae"], pictures, "--out", "folder.npy").code == 0
    for name in ("p.zip", "p.tar"):
        assert diabolo("encode", runs["vae"], name, "--out", "codes.csv").code == 0
        with open("codes.csv", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        assert [row[:2] for row in rows] == [["a/1.png", "a"], ["a/2.jpg", "a"], ["b/1.png", "b"]]
        np.testing.assert_allclose(np.array([row[2:] for row in rows], np.float32), np.load("folder.npy"), atol=1e-6)


def test_labels_come_from_the_data_where_they_carry_them(diabolo, refused):
    train, test = data.load("digits", n_train=300)
    run = fit(zoo.cvae(train.shape, 2, hidden=(8,)), train, epochs=1, batch_size=64, out="runs", quiet=True).path
    np.savez("known.npz", x=test.images[:40], y=test.labels[:40])
    assert diabolo("encode", run, "known.npz").code == 0
    np.savez("unknown.npz", x=test.images[:40])
    assert "give --label" in refused(2, "encode", run, "unknown.npz")


def test_a_file_in_pieces_is_whole_or_not_there(tmp_path):
    def pieces():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pieces(tmp_path / "codes.npy", pieces())
    assert list(tmp_path.iterdir()) == []
    images.write_array(tmp_path / "a.npy", 3, iter([np.ones((2, 4), np.float32), np.zeros((1, 4), np.float32)]))
    assert np.load(io.BytesIO((tmp_path / "a.npy").read_bytes())).tolist() == [[1.0] * 4, [1.0] * 4, [0.0] * 4]


WITH_ROOT = (
    "train pca", "resume RUN --epochs 3", "compare RUN OTHER --measures usage", "report RUN --no-notebook", "quickstart",
    "sample RUN --density gaussian", "reconstruct RUN digits", "encode RUN digits", "encode RUN images", "spread-labels RUN",
    "evaluate RUN --data digits", "doctor RUN --data digits", "explore map RUN --data digits", "data inspect digits",
    "data inspect images", "data prepare digits", "study pca --quick --data digits",
)  # fmt: skip


@pytest.mark.parametrize("words", WITH_ROOT)
def test_a_root_in_which_the_images_do_not_lie_is_refused_by_every_verb(words, runs, refused, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(b"")
    places = {"RUN": shutil.copytree(runs["vae"], "run"), "OTHER": shutil.copytree(runs["pca"], "other")}
    told = refused(2, *(places.get(word, word) for word in words.split()), "--root", tmp_path)
    assert re.search(r"root \(--root\) is where mnist, .*, and (digits|images) does not: leave it out$", told)


def test_a_root_that_a_run_wrote_down_before_it_was_refused_is_passed_over(runs, diabolo, tmp_path):
    run = shutil.copytree(runs["vae"], tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    config["data"]["train"]["origin"]["load"]["root"] = str(tmp_path)
    (run / "config.json").write_text(json.dumps(config))
    assert diabolo("spread-labels", run).code == 0
