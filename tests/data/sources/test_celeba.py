"""CelebA's layout in small, and the real set where it is at hand."""

import numpy as np
import pytest
import torchvision

from diabolo.data import load
from diabolo.errors import DiaboloError

COLUMNS = ("Bald", "Eyeglasses", "Smiling")
FILES = [f"{i:06}.jpg" for i in range(1, 31)]


def attribute(i, column):
    return 1 if (i * (column + 2)) % 5 < 2 else -1


@pytest.fixture
def root(tmp_path, make):
    """Every second of 30 images; tables of all 30. Image i is grey of level 8 i."""
    home = tmp_path / "root" / "celeba"
    for i in range(1, 31, 2):
        make.save(home / "img_align_celeba" / f"{i:06}.jpg", np.full((22, 18, 3), 8 * i, np.uint8), quality=95)
    rows = [f"{name} " + " ".join(f"{attribute(i, c):2d}" for c in range(3)) for i, name in enumerate(FILES, 1)]
    (home / "list_attr_celeba.txt").write_text("\n".join(["30", " ".join(COLUMNS) + " ", *rows]) + "\n")
    parts = [f"{name} {0 if i <= 20 else 1 if i <= 25 else 2}" for i, name in enumerate(FILES, 1)]
    (home / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    (home / "identity_CelebA.txt").write_text("\n".join(f"{name} {1000 + i}" for i, name in enumerate(FILES, 1)))
    return home.parent


def numbers(images):
    return np.rint(images.images[:, 0].mean(axis=(1, 2)) / 8).astype(int).tolist()


def check_attributes(images):
    assert images.attribute_names == COLUMNS
    for i, row in zip(numbers(images), images.attributes, strict=True):
        assert row.tolist() == [attribute(i, c) == 1 for c in range(3)]


def test_the_official_split_of_a_partial_folder(root):
    train, test = load("celeba", root)
    assert train.shape == (3, 64, 64)
    assert numbers(train) == list(range(1, 21, 2))
    assert numbers(test) == [27, 29]  # 21, 23, 25 are the validation part
    for images in (train, test):
        check_attributes(images)
        assert isinstance(images.images, np.memmap)
        assert images.labels is None


def test_a_random_split_of_all_that_is_there(root):
    train, test = load("celeba", root, split="random", size=8, n_test=4, data_seed=3)
    assert sorted(numbers(train) + numbers(test)) == list(range(1, 31, 2))
    assert len(test) == 4
    check_attributes(train)
    check_attributes(test)
    assert numbers(load("celeba", root, split="random", size=8, n_test=4, data_seed=4)[1]) != numbers(test)
    assert len(load("celeba", root, split="random", size=8)[1]) == 2  # a tenth


def test_exact_subsets(root):
    train, test = load("celeba", root, n_train=5, n_test=1)
    assert (len(train), len(test)) == (5, 1)
    check_attributes(train)
    with pytest.raises(DiaboloError, match=r"100 images were asked of celeba \(train\), which holds 10"):
        load("celeba", root, n_train=100)


def test_only_the_attribute_table_is_needed(root):
    for name in ("list_eval_partition.txt", "identity_CelebA.txt"):
        (root / "celeba" / name).unlink()
    train, test = load("celeba", root, n_test=3)
    assert (len(train), len(test)) == (12, 3)
    with pytest.raises(DiaboloError, match=r"there is no .*list_eval_partition\.txt"):
        load("celeba", root, split="official")
    with pytest.raises(DiaboloError, match=r"there is no .*identity_CelebA\.txt"):
        load("celeba", root, identity=True)


def test_no_person_is_in_both_parts_of_a_split_by_persons(root):
    names = (root / "celeba" / "identity_CelebA.txt").read_text().split()[::2]
    table = "\n".join(f"{name} {7 + i // 3}" for i, name in enumerate(names))
    (root / "celeba" / "identity_CelebA.txt").write_text(table)
    train, test = load("celeba", root, split="persons", identity=True, size=8, n_test=4, data_seed=3)
    assert len(test) == 4
    assert not set(train.labels.tolist()) & set(test.labels.tolist())
    assert load("celeba", root, split="persons", size=8, n_test=4, data_seed=3)[0].labels is None


def test_identity(root):
    train, _ = load("celeba", root, identity=True)
    assert train.labels.tolist() == [1000 + i for i in numbers(train)]


def test_crop(root, make):
    x = np.zeros((22, 18, 3), np.uint8)
    x[6:16, 4:14] = 255
    make.save(root / "celeba/img_align_celeba/000001.jpg", x, quality=100, subsampling=0)
    train, _ = load("celeba", root, crop=8, size=8)
    assert train.images[0].min() > 240


def test_a_broken_image(root, caplog):
    bad = root / "celeba/img_align_celeba/000003.jpg"
    bad.write_bytes(bad.read_bytes()[:300])
    with pytest.raises(DiaboloError, match=r"000003\.jpg is damaged"):
        load("celeba", root)
    train, _ = load("celeba", root, skip_bad=True)
    assert numbers(train) == [1, *range(5, 21, 2)]
    check_attributes(train)
    assert "000003.jpg" in caplog.text


def test_an_image_without_a_row(root, make):
    make.save(root / "celeba/img_align_celeba/thumb.jpg", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DiaboloError, match=r"thumb\.jpg is among the images but not in .*list_attr_celeba\.txt"):
        load("celeba", root)


@pytest.mark.parametrize("row", ["000005.jpg 1 -1", "000005.jpg 1 -1 x", "000005.jpg 1 -1 7", "000005.jpg 1 1 1 1"])
def test_a_damaged_table_names_the_row(root, row):
    path = root / "celeba/list_attr_celeba.txt"
    lines = path.read_text().splitlines()
    lines[6] = row
    path.write_text("\n".join(lines))
    with pytest.raises(DiaboloError, match=r"list_attr_celeba\.txt is damaged: the row of 000005\.jpg"):
        load("celeba", root)


def test_tables_cut_short_or_scribbled(root):
    (root / "celeba/list_eval_partition.txt").write_text("000001.jpg zero\n" * 30)
    with pytest.raises(DiaboloError, match=r"not in .*list_eval_partition|list_eval_partition\.txt is damaged"):
        load("celeba", root)
    (root / "celeba/list_attr_celeba.txt").write_text("30\n")
    with pytest.raises(DiaboloError, match="cut short"):
        load("celeba", root)


def test_an_official_part_that_is_not_there(root):
    for i in (27, 29):
        (root / f"celeba/img_align_celeba/{i:06}.jpg").unlink()
    with pytest.raises(DiaboloError, match="official test part; use split='random'"):
        load("celeba", root)


def test_an_unknown_split(root):
    with pytest.raises(DiaboloError, match="unknown split 'offical'; did you mean 'official'"):
        load("celeba", root, split="offical")


@pytest.mark.parametrize("gone", ["list_attr_celeba.txt", "img_align_celeba"])
def test_half_a_set_says_what_is_missing(root, gone):
    (root / "celeba" / gone).rename(root / "elsewhere")
    with pytest.raises(DiaboloError, match=f"celeba in .* lacks {gone}"):
        load("celeba", root)


def test_nothing_there_and_no_network(tmp_path, monkeypatch):
    def offline(root, split, download):
        raise RuntimeError("Name or service not known")

    monkeypatch.setattr(torchvision.datasets, "CelebA", offline)
    with pytest.raises(DiaboloError, match=r"celeba is not complete in .*/celeba .*not known.*--data digits"):
        load("celeba", tmp_path)


def test_nothing_there_is_downloaded(root, tmp_path, monkeypatch):
    def download(where, split, download):
        assert download
        root.joinpath("celeba").rename(tmp_path / "new" / "celeba")

    (tmp_path / "new").mkdir()
    monkeypatch.setattr(torchvision.datasets, "CelebA", download)
    assert len(load("celeba", tmp_path / "new", size=8)[0]) == 10


def test_the_real_tables_and_some_real_faces(real_root, tmp_path):
    home = real_root / "celeba"
    if not (home / "list_attr_celeba.txt").is_file():
        pytest.skip("no celeba under DIABOLO_DATA")
    # a small folder of links: decoding all of them is not for a test
    mine = tmp_path / "celeba"
    (mine / "img_align_celeba").mkdir(parents=True)
    for path in sorted((home / "img_align_celeba").iterdir())[:200]:
        (mine / "img_align_celeba" / path.name).symlink_to(path)
    for table in home.glob("*.txt"):
        (mine / table.name).symlink_to(table)
    train, test = load("celeba", tmp_path, split="random", n_test=50)
    assert (len(train), len(test)) == (150, 50)
    assert len(train.attribute_names) == 40
    share = dict(zip(train.attribute_names, train.attributes.mean(axis=0), strict=True))
    assert 0.3 < share["Smiling"] < 0.7
    assert share["Bald"] < 0.1
    # faces are lighter in the middle than at the lower corners, and not noise
    assert train.images[:, :, 24:40, 24:40].mean() > train.images[:, :, 56:, :8].mean()
