"""CONTRIBUTING's walkthroughs, followed to the letter: their files are written, their commands typed and their tests run; then
a program that knows nothing of them opens what they trained."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="a source distribution holds no CONTRIBUTING.md")
TITLES = {
    "Add a bottleneck": ("saturating", "saturating:saturating --data digits"),
    "Add an objective with an opponent": ("adversarial", "adversarial:adversarial --data digits"),
    "Add a data set": ("rings", "undercomplete --data rings:load"),
}

TYPED = """
import pytest, shlex, sys
from pathlib import Path
import diabolo, numpy
from diabolo.cli import main
from diabolo.runs.folder import RunFolder
for line in sys.stdin.read().splitlines():
    assert line.startswith("python -m diabolo "), line
    main(shlex.split(line)[3:])
assert pytest.main(["-q", "-p", "no:cacheprovider"]) == 0
for run in Path("runs").iterdir():
    numpy.save(run.name, diabolo.load(run).encode(RunFolder(run).images("test").images).numpy())
"""
OPENED = """
import sys
from pathlib import Path
import diabolo, numpy
from diabolo.runs.folder import RunFolder
for run, own in zip(sorted(Path("runs").iterdir()), ("saturating", "adversarial", "rings"), strict=True):
    assert own not in sys.modules
    try:
        diabolo.load(run).encode(RunFolder(run).images("test").images)
    except diabolo.DiaboloError as error:
        assert f"--trust {own}" in str(error)
    else:
        raise AssertionError(f"{run} was opened without trust")
    assert own not in sys.modules
    images = RunFolder(run).images("test", trust=own).images
    codes = diabolo.load(run, trust=own).encode(images).numpy()
    assert codes.std() > 0
    assert codes.tobytes() == numpy.load(f"{run.name}.npy").tobytes()
"""


def section(title):
    """The walkthrough of that title."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert found, title
    return found[1]


def files(text):
    """name → content: each fenced block of Python, by the last `name.py` before it."""
    blocks = [(m.start(), m[1]) for m in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S)]
    return {re.findall(r"`(\w+\.py)`", text[:start])[-1]: code for start, code in blocks}


def commands(text):
    """What is typed into a shell, a line each."""
    return [line for block in re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S) for line in block.splitlines()]


def test_each_gives_files_a_training_of_two_epochs_and_tests():
    for title, (name, words) in TITLES.items():
        text = section(title)
        assert list(files(text)) == [f"{name}.py", f"test_{name}.py"]
        assert re.match(rf"python -m diabolo train {re.escape(words)} .*--epochs 2$", commands(text)[0])


def test_followed_to_the_letter_they_train_save_and_open_to_the_same_bits(tmp_path):
    for title in TITLES:
        for name, code in files(section(title)).items():
            (tmp_path / name).write_text(code, encoding="utf-8")
    typed = "\n".join(line for title in TITLES for line in commands(section(title)))
    for program in (TYPED, OPENED):
        done = subprocess.run(
            [sys.executable, "-c", program], input=typed, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(run.name for run in (tmp_path / "runs").iterdir()) == [
        "0001-saturating-digits",
        "0002-adversarial-digits",
        "0003-undercomplete-rings",
    ]
    assert len(list(tmp_path.glob("runs/*/figures/reconstructions.png"))) == 3
    assert (tmp_path / "runs/0003-undercomplete-rings/evaluation/scores.json").exists()
