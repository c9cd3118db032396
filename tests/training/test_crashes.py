"""Killed, or let down by the disk, at any file operation, a command leaves nothing that cannot be gone on with, nothing that
stays, and loses no work but the epoch under way. Every n-th operation is tried here; every one by `pytest -m slow`."""

import errno
import signal

import pytest

from crashes import Site, check_errors, check_kills

SMALL = "--n-train 40 --n-test 20 --batch-size 20 --threads 1"
TRAIN = f"train vae --hidden 6 --latent-dim 2 --epochs 2 {SMALL}"
VQVAE = f"train vqvae --codes 8 --latent-dim 2 --width 8 --residual-width 4 --residual-layers 1 --epochs 1 {SMALL} --no-figures"
PRIOR = "fit-prior runs/0001-vqvae-digits --width 8 --layers 1 --heads 2 --epochs 2 --batch-size 20 --threads 1"
RUN = "runs/0001-vae-digits"
COMPARE = f"compare {RUN} runs/0002-vae-digits --measures reconstruction"
STUDY = (
    "study pca --only 3.3 --quick --data digits --n-train 100 --n-test 60 --batch-size 50 --epochs 1 --sizes 2 3 4 "
    "--seeds 2 --no-report"
)
DISK = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT)

EVERY = pytest.param(1, marks=pytest.mark.slow)


@pytest.fixture
def site(farm, tmp_path):
    return Site(farm, tmp_path / "site")


def train_or_resume(words):
    """The run goes on where it can be seen; else the same command again."""
    figures = " --no-figures" if "--no-figures" in words else ""
    return lambda work: f"resume {RUN}{figures}" if (work / RUN).exists() else words


def again(words):
    return lambda work: words


@pytest.mark.parametrize("stride", [6, EVERY])
def test_train_is_killed(stride, site):
    words = f"{TRAIN} --no-figures"
    assert check_kills(site, words, train_or_resume(words), stride) >= 7


@pytest.mark.slow
def test_train_is_killed_while_it_writes_as_it_goes(site):
    words = f"{TRAIN} --no-figures --log-every 1 --sample-every 1"
    assert check_kills(site, words, train_or_resume(words)) >= 40


@pytest.mark.parametrize("stride", [9, EVERY])
def test_train_is_let_down_by_the_disk(stride, site):
    words = f"{TRAIN} --no-figures"
    assert check_errors(site, words, train_or_resume(words), DISK, stride) >= 6


@pytest.mark.parametrize("stride", [9, EVERY])
def test_the_drawing_of_figures_is_killed(stride, site):
    site.well(f"{TRAIN} --no-figures")
    config = site.work / RUN / "config.json"
    config.write_text(config.read_text().replace("{\n", '{\n  "then": ["figures"],\n', 1))
    assert check_kills(site, f"resume {RUN}", again(f"resume {RUN}"), stride) >= 3


@pytest.mark.parametrize("stride", [7, EVERY])
def test_resume_is_killed(stride, site):
    site.well(f"{TRAIN} --no-figures")
    words = f"resume {RUN} --epochs 4 --no-figures"
    assert check_kills(site, words, again(words), stride) >= 4


@pytest.mark.slow
def test_the_sweeping_of_what_a_kill_has_left_is_killed(site):
    site.well(f"{TRAIN} --no-figures")
    words = f"resume {RUN} --epochs 4 --no-figures"
    half_written: list[object] = []
    point = 0
    while not half_written:  # a file of the run, and its lock, are left
        point += 1
        killed = site.copy()
        assert site.run(words, killed, "kill", point).code == -signal.SIGKILL
        half_written = list((killed / RUN).rglob(".*.tmp"))
    site.work = killed
    assert (killed / RUN / ".lock").exists()
    assert check_kills(site, words, again(words), 2) >= 10


@pytest.mark.parametrize("stride", [7, EVERY])
def test_fit_prior_is_killed(stride, site):
    site.well(VQVAE)
    prior = "runs/0001-vqvae-digits/prior/0001-prior-codes"
    ended = f"resume {prior.split('/prior')[0]}"

    def then(work):
        return ended if (work / prior / "model.safetensors").exists() else PRIOR

    assert check_kills(site, PRIOR, then, stride) >= 5


@pytest.mark.parametrize("stride", [12, EVERY])
def test_evaluate_is_killed(stride, site):
    site.well(f"{TRAIN} --no-figures")
    words = f"evaluate {RUN} --measures reconstruction usage"
    assert check_kills(site, words, again(words), stride) >= 2


@pytest.mark.slow
def test_evaluate_is_let_down_by_the_disk(site):
    site.well(f"{TRAIN} --no-figures")
    words = f"evaluate {RUN} --measures reconstruction"
    assert check_errors(site, words, again(words), DISK) >= 10


@pytest.mark.slow
def test_fit_prior_is_let_down_by_the_disk(site):
    site.well(VQVAE)
    assert check_errors(site, PRIOR, again(PRIOR), DISK) >= 20


@pytest.mark.slow
def test_report_is_let_down_by_the_disk(site):
    site.well(f"{TRAIN} --no-figures")
    words = f"report {RUN} --no-notebook"
    assert check_errors(site, words, again(words), DISK) >= 10


@pytest.mark.slow
def test_compare_is_killed(site):
    site.well(f"{TRAIN} --no-figures")
    site.well(f"{TRAIN} --no-figures --seed 1")
    assert check_kills(site, COMPARE, again(COMPARE), 2) >= 5


@pytest.mark.slow
def test_compare_is_let_down_by_the_disk(site):
    site.well(f"{TRAIN} --no-figures")
    site.well(f"{TRAIN} --no-figures --seed 1")
    assert check_errors(site, COMPARE, again(COMPARE), DISK) >= 10


@pytest.mark.slow
def test_report_is_killed(site):
    site.well(f"{TRAIN} --no-figures")
    words = f"report {RUN} --no-notebook"
    assert check_kills(site, words, again(words)) >= 10


@pytest.mark.slow
def test_quickstart_is_killed(site):
    site.clocked = ("results.json", "report.md", "report.html")
    words = "quickstart --n-train 70 --n-test 30 --epochs 1 --out started"
    assert check_kills(site, words, again(words), 3) >= 20


@pytest.mark.slow
def test_a_study_is_killed(site):
    site.codes = (0, 1)
    assert check_kills(site, STUDY, again(STUDY), 3) >= 10


@pytest.mark.slow
def test_a_study_is_let_down_by_the_disk(site):
    site.codes = (0, 1)
    assert check_errors(site, STUDY, again(STUDY), DISK, 5) >= 10


@pytest.mark.parametrize("point", [3, 12, 20, 33])
def test_a_real_kill_leaves_what_a_copy_shows(point, site):
    """The copies stand for kills; these are some."""
    words = f"{TRAIN} --no-figures"
    killed = site.copy()
    assert site.run(words, killed, "kill", point).code == -signal.SIGKILL
    site.well(words)
    site.run(train_or_resume(words)(killed), killed)
    assert site.contents(killed) == site.contents()
