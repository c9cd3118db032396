"""`diabolo info RUN` of runs that are finished, interrupted, only begun, or damaged."""

import json
import shutil
from pathlib import Path

import pytest

from diabolo.data import load
from diabolo.training.fit import fit
from diabolo.zoo import undercomplete


@pytest.fixture
def run(runs) -> Path:
    shutil.copytree(runs["vae"], "run")
    return Path("run")


def test_a_finished_run(run, diabolo):
    answer = diabolo("info", run)
    assert (answer.code, answer.err) == (0, "")
    for told in ("run: vae, finished after 2 epochs", "200 of 1×8×8, digits (train)", "50 of 1×8×8, digits (test)",
                 "options: --epochs 2 ", "kl in nats per image", "encoder.layers.0", "parameters: 2,294"):  # fmt: skip
        assert told in answer.out
    assert "resume" not in answer.out
    assert len([line for line in answer.out.splitlines() if line.startswith("│")]) == 2


def test_pca_and_vectors(runs, vectors, diabolo):
    assert "pca, finished" in diabolo("info", runs["pca"]).out
    answer = diabolo("info", vectors)
    assert answer.code == 0
    assert "60 of 6, array (all)" in answer.out
    assert "validation" not in answer.out


def test_a_run_that_did_not_end_says_how_to_go_on(diabolo, monkeypatch):
    from diabolo.training.loop import Loop

    train, _ = load("digits", n_train=100)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(undercomplete(train.shape, hidden=(8,)), train, epochs=3, batch_size=50, quiet=True)
    answer = diabolo("info", "runs/0001-undercomplete-digits")
    assert answer.code == 0
    assert "running after 0 epochs" in answer.out
    assert "diabolo resume runs/0001-undercomplete-digits" in answer.out


def test_a_long_history_is_thinned_and_keeps_its_end(run, diabolo):
    line = json.loads((run / "metrics.jsonl").read_text().splitlines()[0])
    history = [json.dumps(line | {"epoch": i}) for i in range(1, 102)]
    (run / "metrics.jsonl").write_text("\n".join(history) + "\n" + '{"epoch": 102, "tr')  # and a line being written
    rows = [row for row in diabolo("info", run).out.splitlines() if row.startswith("│")]
    assert len(rows) == 12
    assert rows[-1].startswith("│ 101 ")


def test_a_run_without_figures_or_metrics_is_still_told(run, diabolo):
    shutil.rmtree(run / "figures")
    (run / "metrics.jsonl").unlink()
    assert diabolo("info", run).code == 0


def edit(change):
    def apply(path):
        config = json.loads((path / "config.json").read_text())
        change(config)
        (path / "config.json").write_text(json.dumps(config))

    return apply


DAMAGE = {
    "no config": lambda path: (path / "config.json").unlink(),
    "config cut short": lambda path: (path / "config.json").write_text('{"name": "va'),
    "config a list": lambda path: (path / "config.json").write_text("[]"),
    "config not text": lambda path: (path / "config.json").write_bytes(b"\xff\xfe\x00"),
    "no model": edit(lambda config: config.pop("model")),
    "no units": edit(lambda config: config.pop("units")),
    "units a list": edit(lambda config: config.update(units=["nats"])),
    "data without shape": edit(lambda config: config["data"]["train"].pop("shape")),
    "data a word": edit(lambda config: config["data"].update(train="digits")),
    "images a word": edit(lambda config: config["data"]["train"].update(images="many")),
    "unknown part": edit(lambda config: config["model"].update(part="nets.Nothing")),
    "another part": edit(lambda config: config["model"].update(part="likelihoods.Laplace")),
    "wrong argument": edit(lambda config: config["model"]["encoder"].update(input_shape="wide")),
    "metrics without terms": lambda path: (path / "metrics.jsonl").write_text('{"epoch": 1}\n'),
    "metrics a list": lambda path: (path / "metrics.jsonl").write_text("[]\n"),
    "metrics words": lambda path: (path / "metrics.jsonl").write_text(
        '{"epoch": 1, "train": {"total": "low"}, "validation": null}\n'
    ),
    "checkpoint cut short": lambda path: (path / "checkpoint/last.safetensors").write_bytes(b"1234"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_in_one_sentence(damage, run, diabolo):
    DAMAGE[damage](run)
    answer = diabolo("info", run)
    assert answer.code in (1, 2)
    assert answer.err.startswith("diabolo: ")
    assert answer.err.count("\n") == 1
    assert "run" in answer.err


def test_a_run_is_told_in_a_process_that_has_trained_nothing(run, process):
    done = process("info", run)
    assert (done.returncode, done.stderr) == (0, "")
    assert "finished after 2 epochs" in done.stdout


def test_a_loss_that_was_not_measured_in_each_epoch_is_a_dash(run, diabolo):
    file = run / "metrics.jsonl"
    first, last = map(json.loads, file.read_text().splitlines())
    first["validation"], last["train"]["kl"] = None, None
    file.write_text(json.dumps(first) + "\n" + json.dumps(last) + "\n")
    answer = diabolo("info", run)
    assert (answer.code, answer.out.count("–")) == (0, 4)
