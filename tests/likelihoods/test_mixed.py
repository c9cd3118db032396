"""The likelihood of tables: each kind of column against scipy, what is missing, scalings, samples, run folders, and words."""

import json

import numpy as np
import pytest
import torch
from scipy import special, stats

import diabolo
from diabolo.data import Images, as_images
from diabolo.data.column_types import ColumnType
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.likelihoods import Known, Mixed
from diabolo.randomness import Draws, generator
from diabolo.scaling import Affine

RANDOM = np.random.default_rng(0)
TYPES = ("number", "category:3", "binary", "count", "category:2", "number")
COLUMNS = tuple(
    ColumnType(name, word.partition(":")[0], int(word.partition(":")[2] or 1))
    for name, word in zip(("income", "city", "smokes", "visits", "sex", "height"), TYPES, strict=True)
)
NAMES = ("income", "city=a", "city=b", "city=c", "smokes", "visits", "sex=f", "sex=m", "height")
WIDTH, REAL = 9, (0, 8)


def people(n=300, seed=0):
    """Rows (n, 9), all of whose columns follow one hidden number."""
    random = np.random.default_rng(seed)
    z = random.normal(size=n)
    city = np.digitize(z + 0.2 * random.normal(size=n), (-0.5, 0.5))
    sex = (z + 0.2 * random.normal(size=n) > 0).astype(int)
    return np.column_stack([
        2000 + 500 * z + 20 * random.normal(size=n),
        np.eye(3)[city],
        z + 0.2 * random.normal(size=n) > 0,
        random.poisson(np.exp(1 + z)),
        np.eye(2)[sex],
        170 + 5 * z + random.normal(size=n),
    ])  # fmt: skip


ROWS = people()
TABLE = Images(ROWS, feature_names=NAMES, column_types=COLUMNS, name="people")


def nll(raw, x, sigma):
    """−log p (N,) of scipy, column by column."""
    terms = [
        -stats.norm.logpdf(x[:, REAL], raw[:, REAL], sigma).sum(1),
        -stats.bernoulli.logpmf(x[:, 4].astype(int), special.expit(raw[:, 4])),
        -stats.poisson.logpmf(x[:, 5], np.exp(raw[:, 5])),
        *(-(x[:, part] * special.log_softmax(raw[:, part], 1)).sum(1) for part in (slice(1, 4), slice(6, 8))),
    ]
    return np.sum(terms, 0)


def fitted(tmp_path, images=TABLE, recipe="vae", **options):
    settings = {"latent_dim": 2, "hidden": (32,), "epochs": 40, "lr": 1e-2, "threads": 1, "quiet": True} | options
    return diabolo.fit(recipe, images, out=tmp_path / "runs", likelihood="mixed", **settings)


def test_the_loss_is_a_sum_of_log_probabilities():
    mixed = Mixed(TYPES, sigma=0.7)
    raw = RANDOM.normal(size=ROWS.shape) * 2
    x = ROWS.copy()
    x[:, REAL] = RANDOM.normal(size=(len(x), 2))
    found = mixed.loss(torch.from_numpy(raw), torch.from_numpy(x))
    assert np.allclose(found.numpy(), nll(raw, x, 0.7), rtol=1e-5, atol=1e-5)


def test_large_counts_keep_their_digits():
    raw, x = torch.tensor([[15.0]]), torch.tensor([[3_270_000.0]])
    wanted = -stats.poisson.logpmf(3_270_000, np.exp(15.0))
    assert Mixed(("count",)).loss(raw, x).item() == pytest.approx(wanted, rel=1e-5)


def test_learned_scales_get_the_gradient_of_the_formula():
    mixed = Mixed(TYPES)
    mixed.prepare((WIDTH,))
    assert mixed.log_sigma.shape == (2,)
    raw, x = (torch.from_numpy(RANDOM.normal(size=(7, WIDTH))).float() for _ in range(2))
    x[:, 1:8] = torch.from_numpy(ROWS[:7, 1:8]).float()
    mixed.loss(raw, x).sum().backward()
    wanted = 7 - (raw - x)[:, REAL].square().sum(0)  # σ = 1
    assert torch.allclose(mixed.log_sigma.grad, wanted, rtol=1e-4)
    assert Mixed(TYPES, "learned").log_sigma.shape == ()


def test_the_gradient_of_raw_is_mean_less_target():
    raw = torch.from_numpy(RANDOM.normal(size=ROWS.shape)).float().requires_grad_()
    x = torch.from_numpy(ROWS).float()
    mixed = Mixed(TYPES, sigma=1.0)
    mixed.loss(raw, x).sum().backward()
    assert torch.allclose(raw.grad, mixed.mean(raw.detach()) - x, atol=1e-3, rtol=1e-4)  # canonical links, all of them


def test_means_are_probabilities_within_a_group():
    raw = torch.from_numpy(RANDOM.normal(size=(5, WIDTH))).float()
    kept = raw.clone()
    mean = Mixed(TYPES, 1.0).mean(raw)
    assert torch.equal(raw, kept)
    assert torch.allclose(mean[:, 1:4], raw[:, 1:4].softmax(1))
    assert torch.allclose(mean[:, 6:8], raw[:, 6:8].softmax(1))
    assert torch.allclose(mean[:, 4], raw[:, 4].sigmoid())
    assert torch.allclose(mean[:, 5], raw[:, 5].exp())
    assert torch.equal(mean[:, REAL], raw[:, REAL])


def test_draws_follow_the_probabilities():
    raw = torch.tensor([[1.0, 0.0, 1.0, -1.0, 0.5, 1.5, 0.3, -0.3, -2.0]]).expand(20_000, -1)
    mixed = Mixed(TYPES, sigma=0.5)
    x, mean = mixed.drawn(raw, Draws(generator(0, "test"))).numpy(), mixed.mean(raw[:1]).numpy()[0]
    for group in (slice(1, 4), slice(6, 8)):
        assert set(np.unique(x[:, group])) == {0.0, 1.0}
        assert (x[:, group].sum(1) == 1).all()
    assert set(np.unique(x[:, 4])) == {0.0, 1.0}
    assert (x[:, 5] == np.rint(x[:, 5])).all()
    assert np.allclose(x[:, 1:8].mean(0), mean[1:8], atol=4 * np.sqrt(4.5 / 20_000))
    assert np.var(x[:, 5]) == pytest.approx(np.exp(1.5), rel=0.05)
    assert np.allclose(x[:, REAL].mean(0), [1, -2], atol=0.02)
    assert np.allclose(x[:, REAL].std(0), 0.5, rtol=0.03)
    assert np.array_equal(mixed.drawn(raw, Draws(generator(0, "test"))).numpy(), x)


def test_what_is_missing_is_left_out_a_category_as_a_whole():
    mixed, raw = Mixed(TYPES, sigma=1.0), torch.from_numpy(RANDOM.normal(size=(6, WIDTH))).float()
    x = torch.from_numpy(people(6)).float()
    whole = mixed.loss(raw, x)
    x[0, 0] = x[1, 2] = x[2, 4] = x[3, 5] = torch.nan
    x[4, 6:8] = torch.nan
    x[5] = torch.nan
    raw.requires_grad_()
    found = Known(mixed).loss(raw, x)
    each = nll(raw.detach().numpy()[:5], np.nan_to_num(people(6)[:5]), 1.0)
    assert np.allclose(whole[:5].numpy(), each, rtol=1e-5)
    r, y = raw.detach().double(), torch.from_numpy(people(6))
    left_out = [
        -stats.norm.logpdf(y[0, 0], r[0, 0]),
        -(y[1, 1:4] * r[1, 1:4].log_softmax(0)).sum(),
        -stats.bernoulli.logpmf(y[2, 4].item(), special.expit(r[2, 4].item())),
        -stats.poisson.logpmf(y[3, 5].item(), np.exp(r[3, 5].item())),
        -(y[4, 6:8] * r[4, 6:8].log_softmax(0)).sum(),
    ]
    assert np.allclose(found[:5].detach().numpy(), each - np.array(left_out, float), rtol=1e-4, atol=1e-4)
    assert found[5].item() == 0
    found.sum().backward()
    assert torch.isfinite(raw.grad).all()
    assert (raw.grad[5] == 0).all()
    assert (raw.grad[1, 1:4] == 0).all()


@pytest.mark.parametrize("scaling", ["standard", "robust", "unit", "real"])
def test_only_real_numbers_are_scaled_and_nats_are_those_of_their_units(scaling):
    model = diabolo.zoo.build_for(
        "vae", TABLE, likelihood="mixed", scaling=scaling, latent_dim=1, hidden=(8,), sigma=0.5
    )
    model.scaling.fit(TABLE)
    z = model.scaling(torch.from_numpy(ROWS))
    assert torch.equal(z[:, 1:8], torch.from_numpy(ROWS[:, 1:8]).float())
    scale, shift = (t.numpy()[list(REAL)] for t in (model.scaling.scale, model.scaling.shift))
    raw = RANDOM.normal(size=ROWS.shape)
    in_units = raw.copy()
    in_units[:, REAL] = raw[:, REAL] * scale + shift
    found = model.score(torch.from_numpy(raw), z).numpy()
    assert np.allclose(found, nll(in_units, ROWS, 0.5 * scale), rtol=1e-4)


def test_a_model_of_a_table_comes_back_from_its_folder(tmp_path):
    run = fitted(tmp_path)
    assert run.model.scaling.kind == "standard"
    assert run.model.likelihood.types == TYPES
    x_hat = run.model.reconstruct(ROWS).numpy()
    assert np.allclose(x_hat[:, 1:4].sum(1), 1, atol=1e-5)
    assert (x_hat[:, 1:4].argmax(1) == ROWS[:, 1:4].argmax(1)).mean() > 0.8
    assert np.square(x_hat[:, 0] - ROWS[:, 0]).mean() < 0.1 * ROWS[:, 0].var()
    again = diabolo.load(run.path)
    assert torch.equal(again.reconstruct(ROWS), run.model.reconstruct(ROWS))
    assert torch.equal(again.sample(50, seed=3), run.model.sample(50, seed=3))
    x = run.model.sample(500).numpy()
    assert (x[:, 1:4].sum(1) == 1).all()
    assert set(np.unique(x[:, 1:5])) == {0.0, 1.0}
    assert np.abs(x[:, 0].mean() - 2000) < 200
    kept = json.loads((run.path / "config.json").read_text())["model"]["likelihood"]
    assert kept["types"] == list(TYPES)


@pytest.mark.parametrize("recipe", ["vae", "iwae"])
def test_missing_columns_are_filled_in(recipe, tmp_path):
    holes = ROWS.copy()
    holes[::5, 0] = np.nan
    holes[1::5, 1:4] = np.nan
    holes[2::5, 5] = np.nan
    images = Images(holes, feature_names=NAMES, column_types=COLUMNS, missing=True)
    run = fitted(tmp_path, images, recipe)
    x_hat = run.model.reconstruct(holes).numpy()
    assert np.isfinite(x_hat).all()
    assert (x_hat[1::5, 1:4].argmax(1) == ROWS[1::5, 1:4].argmax(1)).mean() > 0.7
    assert np.square(x_hat[::5, 0] - ROWS[::5, 0]).mean() < 0.3 * ROWS[:, 0].var()
    found = diabolo.evaluate(run, (images, images), measures=["likelihood"], nll_images=20, importance_samples=5)
    assert np.isfinite(found["likelihood"].scores["NLL"].value)


def test_the_encoder_sees_counts_by_their_logarithm():
    model = diabolo.zoo.vae((2,), 1, hidden=(4,), likelihood="mixed", types=("number", "count"), scaling="standard")
    x = torch.tensor([[-3.0, 99.0]])
    assert torch.equal(model.encoder(x), model.encoder.inner(torch.tensor([[-3.0, 99.0]]).log1p().nan_to_num(-3.0)))


def test_a_frame_says_its_types(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": ROWS[:, 0], "city": np.array(list("xyz"))[ROWS[:, 1:4].argmax(1)], "n": ROWS[:, 5]})
    images = as_images(frame, columns_types=("auto", "n=count"))
    assert [column.word for column in images.column_types] == ["number", "category:3", "count"]
    run = fitted(tmp_path, images, epochs=1)
    assert run.model.likelihood.types == ("number", "category:3", "count")
    frame.loc[0, "city"] = None
    images = as_images(frame, missing="mask", columns_types="auto")
    assert np.isnan(images.images[0, 1:4]).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Mixed(), "needs the type of each column: load a table with columns_types='auto'"),
        (lambda: Mixed("number"), "types must be names, not 'number'"),
        (lambda: Mixed(("number", "kategory:3")), "unknown type of a column 'kategory'; did you mean 'category'"),
        (lambda: Mixed(("category",)), "category:3 with the number of its values, not 'category'"),
        (lambda: Mixed(("count:2",)), "not 'count:2'"),
        (lambda: Mixed(("category:0",)), "not 'category:0'"),
        (lambda: Mixed(("number",), sigma=1e-9), "sigma 1e-09 is below"),
        (lambda: Mixed(("number",), sigma="optimal"), "optimal"),
        (
            lambda: diabolo.zoo.vae((3,), 1, likelihood="mixed", types=("number", "category:3"), hidden=(4,)),
            r"types of 2 columns, which are rows of 4 numbers, not examples of shape \(3,\)",
        ),
        (lambda: diabolo.zoo.vae((1, 8, 8), 1, likelihood="mixed", types=("number",)), r"of shape \(1, 8, 8\)"),
        (lambda: diabolo.zoo.vae((3,), 1, types=("number",)), "the option types is for the likelihood mixed, not"),
        (
            lambda: diabolo.fit("vae", RANDOM.normal(size=(50, 3)), likelihood="mixed", quiet=True),
            "needs the type of each column",
        ),
        (
            lambda: diabolo.zoo.vae(
                (2,), 1, hidden=(4,), likelihood="mixed", types=("number", "count"), scaling=Affine("standard", (2,))
            ),
            r"lets features \[0\] be scaled, and no other: give the scaling by its name, 'standard'",
        ),
    ],
)  # fmt: skip
def test_what_is_no_type_is_refused(make, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiaboloError, match=says):
        make()


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ((3, 5), -1.0, "the column 'visits' is of the type count and must hold counts, whole numbers of 0 or more, not -1"),
        ((3, 5), 0.5, "the column 'visits' is of the type count .* not 0.5"),
        ((3, 4), 2.0, "the column 'smokes' is of the type binary and must hold 0 or 1, not 2"),
        ((3, slice(1, 4)), 1.0, r"the column 'city' is of the type category .* one 1 among its 3 .* not 1\+1\+1"),
        ((3, slice(1, 4)), 0.0, r"the column 'city' .* not 0\+0\+0"),
    ],
)  # fmt: skip
def test_rows_that_are_not_of_their_types_are_refused(place, value, says, tmp_path):
    rows = ROWS.copy()
    rows[place] = value
    with pytest.raises(DiaboloError, match=says):
        fitted(tmp_path, Images(rows, feature_names=NAMES, column_types=COLUMNS))


def test_a_scaling_of_features_that_are_not_there():
    with pytest.raises(DiaboloError, match="feature 5 cannot be scaled"):
        Affine("standard", (3,), (0, 5))


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        ("maybe", DiaboloError, "numbers, auto, or NAME=KIND of a column, such as visits=count, not 'maybe'"),
        (("auto", "n=counts"), UnknownNameError, "unknown type of a column 'counts'; did you mean 'count'"),
        (("auto", "numbers"), DiaboloError, "numbers or auto, once"),
        (("m=count",), UnknownNameError, "unknown column 'm'"),
        (("n=binary",), DiaboloError, "column 'n' of array is said to be binary, of 0 and 1, and holds"),
        (
            ("a=count",),
            DiaboloError,
            "column 'a' of array is said to be count, of whole numbers of 0 or more, and holds",
        ),
        (("city=count",), DiaboloError, "column 'city' of array holds text"),
        (3, DiaboloError, "not 3"),
    ],
)
def test_types_that_a_column_cannot_have(words, error, says):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [0.5, 1.5, 2.5, 3.5], "n": [3, 4, 7, 5], "city": ["x", "y", "x", "y"]})
    with pytest.raises(error, match=says):
        as_images(frame, columns_types=words)


def test_kinds_of_columns_are_measured_apart(tmp_path):
    holes = people(200, seed=1)
    holes[:40, 1:4] = np.nan
    holes[40:60, 0] = np.nan
    holes[60] = np.nan
    train = Images(ROWS, feature_names=NAMES, column_types=COLUMNS, missing=True)
    test = Images(holes, feature_names=NAMES, column_types=COLUMNS, missing=True, split="test")
    run = fitted(tmp_path, train, epochs=10)
    found = diabolo.evaluate(run, (train, test), measures=["reconstruction"])["reconstruction"].scores
    known = np.delete(holes, 60, 0)
    x_hat = run.model.reconstruct(known).numpy()
    city = np.where(np.isnan(known[:, 1]), np.nan, known[:, 1:4].argmax(1) == x_hat[:, 1:4].argmax(1))
    sex = (known[:, 6:8].argmax(1) == x_hat[:, 6:8].argmax(1)).astype(float)
    wanted = np.nanmean(np.stack([city, sex], 1), 1).mean()
    right = found["accuracy of categories"]
    assert (right.value, right.n, right.unit, right.better) == (pytest.approx(wanted), 199, "share of values", "higher")
    assert right.detail["per column"]["city"] == pytest.approx(np.nanmean(city))
    assert right.high <= 1
    most = [ROWS[:, part].mean(0).argmax() for part in (slice(1, 4), slice(6, 8))]
    shares = [np.nanmean(known[:, 1 + most[0]]), known[:, 6 + most[1]].mean()]
    assert right.setting["always the most frequent value"] == pytest.approx(np.mean(shares))
    assert found["accuracy of 0/1 columns"].value == pytest.approx(((x_hat[:, 4] >= 0.5) == known[:, 4]).mean())
    assert found["MSE of counts"].value == pytest.approx(np.square(x_hat[:, 5] - known[:, 5]).mean(), rel=1e-4)
    squares = np.square(x_hat[:, REAL] - known[:, REAL])
    assert found["MSE of real numbers"].value == pytest.approx(np.nanmean(squares, 1).mean(), rel=1e-4)
    assert found["MSE of real numbers"].detail["per column"]["income"] == pytest.approx(
        np.nanmean(squares[:, 0]), rel=1e-4
    )
    assert not {name for name in diabolo.evaluate(run.model, (Images(ROWS), Images(ROWS)), ["reconstruction"])[
        "reconstruction"].scores if "columns" in name or "categories" in name}  # fmt: skip


def test_the_command_line_reads_the_types_by_itself(tmp_path, monkeypatch, capsys):
    from diabolo.cli.main import main

    monkeypatch.chdir(tmp_path)
    lines = [f"{row[0]:.3f},{'abc'[int(row[1:4].argmax())]},{int(row[5])}" for row in ROWS]
    (tmp_path / "t.csv").write_text("\n".join(["income,city,visits", *lines]))
    small = ["--latent-dim", "1", "--hidden", "8", "--epochs", "1", "--quiet", "--no-figures"]
    command = ["train", "vae", "--data", "t.csv", "--likelihood", "mixed", *small]
    main(command)
    main([*command, "--columns-types", "auto", "visits=count"])
    kept = [diabolo.load(path).likelihood.types for path in sorted((tmp_path / "runs").iterdir())]
    assert kept == [("number", "category:3", "number"), ("number", "category:3", "count")]
    run = sorted((tmp_path / "runs").iterdir())[1]
    main(["evaluate", str(run), "--measures", "reconstruction"])
    assert "accuracy of categories" in capsys.readouterr().out
    train, _ = diabolo.runs.folder.RunFolder(run).pair()  # loaded again as it was
    assert [column.word for column in train.column_types] == ["number", "category:3", "count"]
    main(["encode", str(run), "t.csv", "--out", "codes.npy"])
    assert np.load("codes.npy").shape == (300, 1)


def test_the_health_watch_takes_no_count_for_a_stuck_pixel(tmp_path):
    run = fitted(tmp_path, epochs=40)
    warned = [key for line in run.history for key in line.get("warnings") or {}]
    assert "saturated-outputs" not in warned
