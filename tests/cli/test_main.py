"""Help, misspelt words, and every failure a user can cause: one sentence, and the exit code that says whose fault it is."""

import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from diabolo import zoo
from diabolo.cli.messages import say_account, short_notices
from diabolo.cli.verbs import VERBS

HEAVY = ("torch", "torchvision", "sklearn", "matplotlib", "numpy")
LIGHT = [
    verb for verb in VERBS if verb not in ("train", "sweep", "models", "evaluate")
]  # those tell of what is torch's


@pytest.mark.parametrize("words", [["--help"], [], ["--version"], *([verb, "--help"] for verb in LIGHT)])
def test_help_needs_none_of_the_heavy_libraries(words):
    program = (
        f"import sys; from diabolo.cli import main; main({words!r}); "
        f"sys.stderr.write(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout


def test_help_lists_every_verb_in_the_order_of_use(diabolo):
    answer = diabolo("--help")
    assert answer.code == 0
    places = [re.search(rf"^\W*{verb} ", answer.out, re.MULTILINE).start() for verb in VERBS]
    assert places == sorted(places)
    assert "--config FILE" in answer.out
    assert "--debug" in answer.out


def test_no_words_are_answered_by_help(diabolo):
    assert diabolo() == diabolo("--help")
    assert "vae" in diabolo("train").out


def test_the_version_is_that_of_the_package(diabolo):
    import diabolo as package

    assert diabolo("--version").out.strip() == package.__version__


@pytest.mark.parametrize("verb", [*VERBS, "train vae", "data prepare"])
def test_the_help_of_every_verb_is_free_of_noise(verb, diabolo):
    answer = diabolo(*verb.split(), "--help")
    assert answer.code == 0
    for noise in (
        "--no-quiet",
        "--no-dry-run",
        "--no-skip-bad",
        "--empty-",
        "default: False",
        "[choices",
    ):
        assert noise not in answer.out
    assert "Traceback" not in answer.err


def test_the_help_of_a_model_without_a_loop_shows_none_of_its_options(diabolo):
    answer = diabolo("train", "pca", "--help-all")
    assert answer.code == 0
    assert all(flag in answer.out for flag in ("--seed", "--out", "--validation", "--no-figures"))
    assert not any(f"{flag} " in answer.out for flag in ("--epochs", "--lr", "--batch-size", "--greedy", "--ema"))


def test_a_misspelt_verb_is_answered_at_once(refused):
    message = refused(2, "trian")
    assert "'trian'" in message
    assert "did you mean 'train'" in message


@pytest.mark.parametrize(
    ("words", "near"),
    [
        ("train vea", "'vae'"),
        ("train vae --latentdim 3", "--latent-dim"),
        ("train vae --data mnits", "'mnist'"),
        ("train vae --net covn", "'conv'"),
        ("train vae --activation rleu", "'relu'"),
        ("train vae --likelihood bernouli", "'bernoulli'"),
        ("train vae --beta linaer(0,1)", "'linear'"),
        ("train vae --schedule cosin", '"cosine"'),
        ("train vae --optimizer adamm", "'adam'"),
        ("train vae --keep bets", '"best"'),
        ("train vae --precision bf61", '"bf16"'),
        ("train vae --store dsik", '"disk"'),
        ("train vae --net conv --data patches --n-train 20 --n-test 2 --norm bacth", "'batch'"),
        ("train vae --net mlp --norm batch", "net 'mlp'"),
        ("train denoising --corruption gausian", "'gaussian'"),
        ("train pca --latent-dmi 3", "--latent-dim"),
        ("train vae --sizes 8", "--size"),
        ("train vae --size 8", "digits"),
        ("data prepare mnits", "'mnist'"),
        ("sample x --sede 3", "--seed"),
        ("resume x --epoch 3", "--epochs"),
    ],
)
def test_the_nearest_name_is_suggested(words, near, refused):
    assert near in refused(2, *words.split())


@pytest.mark.parametrize(
    "words",
    [
        "train vae --epochs three",
        "train vae --epochs 2.5",
        "train vae --epochs",
        "train vae --latent-dim 1.5",
        "train vae --hidden 16 2.5",
        "train vae --hidden a",
        "train vae --channels",
        "train vae --lr fast",
        "train vae --quiet=perhaps",
        "train vae two words",
        "sample",
        "encode run",
        "reconstruct run",
        "info",
        "data nothing",
        "sample run --n 1.5",
        "train vae --config",
    ],
)
def test_words_of_the_wrong_kind_are_refused(words, refused):
    assert len(refused(2, *words.split())) > 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train vae --epochs 0", "epochs must be a whole number from 1 to 10,000,000, not 0"),
        ("train vae --epochs -3", "not -3"),
        ("train vae --batch-size 0", "batch_size"),
        ("train vae --lr -1", "lr must be a number above 0 and at most 1,000, not -1"),
        ("train vae --lr inf", "lr must be a number above 0 and at most 1,000, not inf"),
        ("train vae --lr nan", "lr"),
        ("train vae --ema 1", "ema must be a number above 0 and below 1, not 1"),
        ("train vae --latent-dim 0", "latent_dim must be a whole number of at least 1, not 0"),
        ("train vae --hidden 0", "hidden"),
        ("train vae --seed -1", "seed"),
        ("train vae --threads 0", "threads"),
        ("train vae --early-stopping 0", "early_stopping"),
        ("train vae --early-stopping 2 --validation none", "validation"),
        ("train vae --keep best --validation none", "validation"),
        ("train vae --validation some", "test, none, or a share such as 0.1, not 'some'"),
        ("train vae --validation 2", "share"),
        ("train vae --validation 0", "share"),
        ("train vae --validation nan", "share"),
        ("train vae --n-train 0", "n_train"),
        ("train vae --n-train 9999", "9,999"),
        ("train vae --device tpu", "cpu"),
        ("train vae --device cuda:99", "device"),
        ("train vae --beta fast", "'linear(0, 1, 0.3)'"),
        ("train vae --beta linear(0)", "linear"),
        ("train vae --beta linear(0,1,7)", "over must be a number above 0 and at most 1, not 7"),
        ("train denoising --level -1", "sigma"),
        ("train denoising --corruption masking --level 2", "[0, 1]"),
        ("train pca --latent-dim 65", "1 to 64 components"),
        ("train vae --net conv-to-point", "pixels"),
        ("train vae --net conv --channels 8 8 8 8 8", "too many"),
        ("train vae --data nowhere/at/all", "nowhere/at/all"),
        ("train vae --data nowhere.npz", "nowhere.npz"),
        ("train vae --data empty", "no images in empty"),
        ("train vae --data number.npy", "number has shape ()"),
        ("train vae --data row.npy", "row has shape (5,)"),
        ("train vae --data parts.npz", "parts differ"),
        (
            "train cvae --data negative.npz --batch-size 9",
            "labels run from -5 to -5; classes are numbered from 0, and -1 means not known",
        ),
        ("train cvae --data unknown.npz --batch-size 9", "27 of 27 labels are not known"),
        ("train cvae --data fewer.npz", "30 images but 29 labels"),
        ("train vqvae --codes 100000", "codes is larger than the"),
        ("train vae --data notes.txt", "notes.txt"),
        ("train vae --data objects.npy", "never opened"),
        ("train vae --out notes.txt", "notes.txt"),
        ("unfold nowhere --out=", "--out must be a path, not ''"),
        ("sample nowhere --root=", "--root must be a path, not ''"),
        ("quickstart --epochs 0", "epochs"),
        ("quickstart --data vectors.npy", "vectors"),
        ("quickstart --out notes.txt", "notes.txt"),
        ("info nowhere", "there is no folder nowhere"),
        ("info empty", "empty is not a run folder"),
        ("sample nowhere", "there is no folder nowhere"),
        ("resume nowhere", "there is no folder nowhere"),
        ("resume empty", "not a run folder"),
        ("encode nowhere x.png", "there is no folder nowhere"),
        ("reconstruct nowhere x.png", "there is no folder nowhere"),
        ("data prepare nowhere/at/all", "nowhere/at/all"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words, said, refused):
    import numpy as np

    Path("empty").mkdir()
    Path("notes.txt").write_text("no image")
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save("vectors.npy", np.zeros((30, 5), np.float32))
    np.save("number.npy", np.float32(0.5))
    np.save("row.npy", np.zeros(5, np.float32))
    x = np.zeros((30, 1, 8, 8), np.uint8)
    np.savez("negative.npz", x=x, y=np.full(30, -5))
    np.savez("unknown.npz", x=x, y=np.full(30, -1))
    np.savez("fewer.npz", x=x, y=np.zeros(29, int))
    np.savez("parts.npz", x_train=np.zeros((9, 1, 8, 8), np.uint8), x_test=np.zeros((9, 1, 7, 7), np.uint8))
    assert said in refused(2, *words.split())
    assert not Path("runs").exists()


def test_a_quickstart_of_no_epochs_is_refused_before_its_first_model_is_made(refused):
    assert "from 1 to 10,000,000, not -1" in refused(2, "quickstart", "--epochs", "-1")
    assert not Path("quickstart").exists()


def test_a_data_set_that_is_not_there_says_what_to_do(refused, monkeypatch):
    import torchvision

    def offline(*args: object, **kwargs: object) -> None:
        raise RuntimeError("Name or service not known")

    monkeypatch.setattr(torchvision.datasets, "MNIST", offline)
    message = refused(2, "train", "vae", "--data", "mnist", "--root", "nowhere")
    assert "--data digits" in message
    assert "nowhere" in message


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions mean nothing to this user")
def test_a_folder_without_permission_is_told(refused):
    Path("locked").mkdir(mode=0o500)
    assert "locked" in refused(2, "train", "vae", "--out", "locked/runs")


def test_a_failure_of_the_system_names_the_file(refused, runs):
    Path("notes.txt").write_text("")
    assert "notes.txt" in refused(2, "sample", runs["vae"], "--out", "notes.txt/samples.npy")


def test_debug_shows_the_traceback():
    from diabolo.cli.main import main
    from diabolo.errors import DiaboloError

    with pytest.raises(DiaboloError, match="epochs"):
        main(["train", "--debug", "vae", "--epochs", "0"])


def test_a_failure_of_ours_is_not_hidden(monkeypatch):
    from diabolo.cli.main import main
    from diabolo.data import catalogue

    def broken() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("diabolo.cli.data.names", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["data"])
    assert catalogue.SOURCES


def test_a_warning_is_one_line_without_code(diabolo):
    answer = diabolo("train", "sparse", "--dry-run")
    assert answer.code == 0
    assert answer.err == "diabolo: warning: no bottleneck: the code has 128 numbers and the input has only 64\n"


def test_warnings_are_shown_as_before_afterwards(diabolo):
    import logging
    import warnings

    before = warnings.showwarning, list(logging.getLogger("diabolo.data").handlers)
    diabolo("train", "sparse", "--dry-run")
    assert (warnings.showwarning, logging.getLogger("diabolo.data").handlers) == before


def test_ctrl_c_is_told_and_counted(refused, monkeypatch):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diabolo.cli.data.names", interrupted)
    assert refused(130, "data") == "stopped"  # no run was begun, so none is named


def test_ctrl_c_in_a_training_saves_it_and_says_how_to_go_on(diabolo):
    command = [
        sys.executable,
        "-m",
        "diabolo",
        "train",
        "vae",
        "--epochs",
        "100000",
        "--hidden",
        "8",
        "--n-train",
        "500",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not process.stdout.readline().startswith("epoch"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "diabolo resume runs/0001-vae-digits" in out
    assert "Traceback" not in err
    assert list(Path("runs/0001-vae-digits/figures").iterdir()) == []
    assert "interrupted after" in diabolo("info", "runs/0001-vae-digits").out


@pytest.mark.parametrize("words", [["data"], ["models"], ["--help"], ["train", "vae", "--dry-run"]])
def test_a_reader_who_has_gone_gets_no_traceback(words):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "diabolo", *words]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""


def test_a_terminal_without_utf8_gets_the_rest(process):
    done = process("data", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "1?8?8" in done.stdout


def test_the_exit_codes_hold_for_a_process_too(process):
    done = process("train", "vae", "--epochs", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "diabolo: epochs must be a whole number from 1 to 10,000,000, not 0\n"
    assert process("trian").returncode == 2


def test_a_layer_that_no_memory_holds_is_refused_with_what_would_fit(refused):
    assert "would fit" in refused(2, "train", "vae", "--hidden", "1000000000000")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train autoencoder", "unknown name 'autoencoder' after 'train'; valid: undercomplete, unet, "),
        ("train vea", "did you mean 'vae'? valid: "),
        ("train --data digits", "train takes a name before the options; one of: linear, "),
        ("train vae --learning-rate 1", "Unknown option: --learning-rate; see --help"),
        ("train vae --epoch 1", "Did you mean --epochs?"),
        ("train vae --data nowhere", "unknown data set 'nowhere', and there is no file or folder of that name; "),
    ],
)
def test_a_wrong_word_is_answered_with_what_would_be_right(words, said, refused):
    assert said in refused(2, *words.split())


def test_where_all_models_are_is_said_where_one_asks_for_another(refused, diabolo):
    message = refused(2, "train", "nosuch")
    assert message.endswith(f", … of {len(zoo.RECIPES)}; see diabolo train --help")
    assert len(message) < 160
    answer = diabolo("train", "--help")
    assert all(name in answer.out for name in zoo.RECIPES)


def test_the_account_of_a_set_that_is_loaded_for_each_of_several_runs_is_told_once(capsys):
    log = logging.getLogger("diabolo.data")
    with short_notices():
        for text in ("300 of 303 files", "12 of 12 files", "300 of 303 files"):
            log.warning(text, extra={"account": True})
        say_account()
        log.warning("300 of 303 files", extra={"account": True})
    assert capsys.readouterr().err.splitlines() == ["diabolo: 300 of 303 files", "diabolo: 12 of 12 files"]
