"""The study of faces, whole, on drawn ones."""

import re

import pytest

import small_runs
from diabolo.reports.document import Heading, Picture
from diabolo.studies.celeba.contents import REQUIRED, SECTIONS
from diabolo.studies.engine import running
from diabolo.studies.engine.plan import Plan
from diabolo.studies.engine.scripts import find
from diabolo.studies.engine.writing import document_of, own_report, verdicts

SMALL = {
    "data": "faces",
    "n_train": 256,
    "n_test": 64,
    "latent_dim": 16,
    "channels": (4, 4, 8, 8),
    "batch_size": 32,
    "epochs": 1,
    "sparsity": (1e-4, 1e-2),
    "seeds": 2,
    "steps": 10,
    "tries": 2,
    "extractor": "user_features:coarse",
}
CODES = ("undercomplete", "VAE", "VAE, sampled codes")
ROWS = [*(f"1.{i}" for i in (*range(1, 11), 12, 13, 14, 11, 15)), "answers"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("celeba")


@pytest.fixture(scope="module")
def runs(folder):
    yield from small_runs.run("celeba", SMALL, folder)


def test_every_row_is_there(runs, folder):
    results, _ = runs
    small_runs.check_rows(results, ROWS)
    small_runs.check_blocks(results, folder)


def test_numbers_are_finite_and_in_range(runs):
    results, _ = runs
    small_runs.check_numbers(
        results, least=40, signed=(" less ", "gain", "gap", "MMD", "hole", "code use", "shift", "form")
    )
    numbers = {name: n["value"] for row in results["rows"].values() for name, n in row["numbers"].items()}
    assert (numbers["training images"], numbers["test images"]) == (256, 64)
    assert 0 <= numbers["active units"] <= 16
    assert numbers["difference between two people"] > 0
    assert max(numbers[name] for name in (*CODES, "pixels", "PCA-16", "majority")) <= 100
    assert numbers["λ"] in SMALL["sparsity"]
    assert numbers["compression"] == 768


def test_losses_of_all_three_autoencoders_are_numbers(runs):
    results, _ = runs
    numbers = {name: n["value"] for name, n in results["rows"]["1.12"]["numbers"].items()}
    for name in ("undercomplete", "sparse", "denoising"):
        train, validation = (numbers[f"{part} error, {name}"] for part in ("training", "validation"))
        assert numbers[f"gap, {name}"] == pytest.approx(100 * (validation / train - 1))
        assert (numbers[f"training loss, {name}"] > train) == (name == "sparse")


def test_principal_components_stand_beside_the_network(runs):
    results, _ = runs
    one, other, last = (results["rows"][index]["numbers"] for index in ("1.5", "1.7", "1.12"))
    assert {"MSE, PCA-16", "MSE, undercomplete less MSE, PCA-16", "grid, PCA-16"} <= set(one)
    assert last["validation error, PCA-16"]["value"] == pytest.approx(one["MSE, PCA-16"]["value"])
    assert any(name.endswith(" less PCA-16") for name in other)


def test_two_weights_of_the_kl_term_are_measured_over_seeds(runs):
    results, _ = runs
    numbers = results["rows"]["1.13"]["numbers"]
    fits = ("fitted Gaussian", "Gaussian of the means", "mixture of ten", "mixture of the means")
    fids = [f"FID, {name}" for name in ("N(0, I)", *fits)]
    for what in ("probe gap", *fids, "hole", "hole at most", "I(x; z) at most", "gain", "form, N(0, I)"):
        for beta in ("1", "0.1"):
            assert "over 2 seeds" in numbers[f"{what}, β = {beta}"]["interval"], what
    for beta in ("1", "0.1"):
        kl, hole, most = (numbers[f"{what}, β = {beta}"]["value"] for what in ("KL", "hole", "I(x; z) at most"))
        assert kl == pytest.approx(hole + most)
        narrow, wide = (numbers[f"variance of a unit, {what}, β = {beta}"]["value"] for what in ("means", "draws"))
        assert narrow < wide
        assert f"FID, fitted Gaussian, β = {beta} less FID, N(0, I), β = {beta}" in numbers
    assert numbers["KL, β = 0.1"]["value"] > numbers["KL, β = 1"]["value"]


def test_a_variance_that_is_given_as_it_is_fails_and_its_logarithm_does_not(runs):
    results, _ = runs
    failures = {n: v["value"] for n, v in results["rows"]["1.14"]["numbers"].items() if n.startswith("failures")}
    assert failures["failures, σ² as it is"] == 2
    assert failures["failures, log σ²"] == 0


def test_report_in_five_sections(runs, folder):
    results, _ = runs
    report = own_report(folder / "out")
    assert [block.text for block in report.blocks if isinstance(block, Heading)] == list(SECTIONS)
    verdicts = {b["claim"]: b["state"] for b in results["rows"]["1.11"]["blocks"] if b["block"] == "Verdict"}
    assert verdicts == {"sections = 5": "met", "characters ≤ 7,500": "met", "pictures = 0": "met"}
    n = sum(map(len, REQUIRED.values()))
    texts = [b.get("text") for b in results["rows"]["1.15"]["blocks"]]
    assert f"Of {n} required contents report.md mentions {n}." in texts
    summary = report.blocks[1].text
    assert summary.startswith("On 256 training and 64 test images of faces, ")
    assert len(re.findall(r"[.!?](?=\s|$)", summary)) == 1
    assert any(isinstance(block, Picture) for block in document_of(find("celeba"), folder / "out").blocks)


def test_a_frozen_encoder_is_checked_even_here(runs):
    results, _ = runs
    states = {verdict.claim: verdict.state for verdict in verdicts(results)}
    assert states["trainable weights in the encoder, vae, = 0"] == "met"
    assert states["training images of faces = 256"] == "not checked"


def test_all_questions_are_answered(runs):
    results, _ = runs
    texts = [b["text"] for b in results["rows"]["answers"]["blocks"] if "text" in b]
    assert sum(text.endswith("?") for text in texts) == 7
    assert not any(text == "" for text in texts)


def test_a_second_run_trains_and_measures_nothing(runs):
    _, said = runs
    assert "1.1" in said
    assert "[celeba] training" not in said
    assert "[celeba] measuring" not in said


@pytest.mark.usefixtures("runs")
def test_its_reports_open_and_hold_together(folder):
    small_runs.check_reports("celeba", folder / "out")


def test_too_few_images_for_a_density_cost_that_part_alone_and_are_known_before(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    small_runs.as_if_learned(monkeypatch)
    few = {**SMALL, "n_train": 160, "channels": (4, 4, 4, 4)}  # a mixture of ten over 16 numbers needs 170 codes
    study = running.run(find("celeba"), Plan(few, True, ("1.9",), tmp_path / "out", tmp_path / "trained"))
    said = capsys.readouterr().out
    why = "a mixture over codes of 16 numbers needs 170 training images, and there are 160"
    assert said.index(f"1.9, the mixture of ten, will not be measured, because {why}") < said.index("training vae")
    row = study.rows["1.9"]
    assert f"The mixture of ten: not measured, because {why}." in [b.get("text") for b in row["blocks"]]
    assert "not measured" not in row
    assert {"FID, N(0, I)", "FID, fitted Gaussian"} <= set(row["numbers"])
    assert not {"FID, mixture of ten", "FID, mixture of the means"} & set(row["numbers"])


@pytest.mark.slow
def test_a_row_that_cannot_be_measured_still_gives_the_report_in_five_sections(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    few = {**SMALL, "n_train": 40, "n_test": 12, "channels": (4, 4, 4, 4), "sparsity": (1e-4,)}
    study = running.run(find("celeba"), Plan(few, True, ("1.11",), tmp_path / "out", tmp_path / "trained"))
    report = own_report(study.folder)
    assert [block.text for block in report.blocks if isinstance(block, Heading)] == list(SECTIONS)
    assert "nothing is concluded" in report.blocks[1].text
    assert report.blocks[1].text.startswith("On 40 training and 12 test images of faces, ")
