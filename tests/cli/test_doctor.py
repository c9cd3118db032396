"""`diabolo doctor RUN`."""

import shlex


def test_a_run_that_is_well(diabolo, runs):
    train = [
        "train",
        "vae",
        "--latent-dim",
        "4",
        "--hidden",
        "64",
        "--epochs",
        "20",
        "--lr",
        "3e-3",
        "--no-figures",
        "--quiet",
    ]
    assert diabolo(*train).code == 0
    answer = diabolo("doctor", "runs/0001-vae-digits")
    assert answer.code == 0
    assert answer.out == "runs/0001-vae-digits: nothing wrong was found\n"


def test_illness_evidence_and_a_line_to_type(diabolo, runs):
    answer = diabolo("doctor", runs["undercomplete"])
    assert answer.code == 0
    name, remedy, line = answer.out.splitlines()
    assert name.startswith("underfitting: ")
    assert name.endswith(".")
    assert remedy.startswith("  try ")
    words = shlex.split(line)
    assert words[:3] == ["diabolo", "train", "undercomplete"]  # a cycle of the learning rate has ended


def test_a_training_that_broke_off(diabolo):
    assert (
        diabolo(
            "train", "undercomplete", "--hidden", *6 * ["64"], "--lr", "1000", "--schedule", "constant", "--quiet"
        ).code
        == 1
    )
    answer = diabolo("doctor", "runs/0001-undercomplete-digits")
    assert answer.code == 0
    assert answer.out.startswith("numerical trouble: training broke off in epoch 1")
    assert "not looked at (" in answer.out


def test_what_cannot_be_looked_at_is_refused(refused, runs, tmp_path):
    assert "there is no folder" in refused(2, "doctor", tmp_path / "nowhere")
    assert "--data" in refused(2, "doctor", runs["vae"], "--size", "8")
    assert "faces" in refused(2, "doctor", runs["vae"], "--data", "faces", "--n-train", "10", "--n-test", "10")
