"""Runs to be looked at, trained once, and a page in a real browser where there is one."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bokeh", reason="the live explorer needs the extra `look`")

import diabolo
from diabolo.explorer.desk import Desk
from diabolo.explorer.explored import Explored
from diabolo.explorer.lanes import Lane
from diabolo.explorer.state import State

TRAINED = {"epochs": 6, "quiet": True, "precision": "float32", "compile": False, "device": "cpu"}


class Now:
    """A lane that does everything at once, so that tests need not wait."""

    def submit(self, key: Any, job: Callable[[], Any], done: Callable[[Any], None]) -> None:
        done(job())

    def drop(self, owner: Any) -> None:
        pass


@pytest.fixture(scope="session")
def digits_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """digits_of(recipe, **options): a run on digits, trained once for all tests."""
    runs: dict[str, Any] = {}

    def run(recipe: str, **options: Any) -> Any:
        key = f"{recipe} {sorted(options.items())}"
        if key not in runs:
            train, _ = diabolo.data.load("digits")
            small = (
                {}
                if recipe == "pca"
                else {"hidden": (32,)}
                if "net" not in options and recipe not in ("vqvae", "fsq")
                else {}
            )
            out = tmp_path_factory.mktemp("runs")
            given = {name: value for name, value in ({"latent_dim": 6} | small | options).items() if value is not None}
            runs[key] = diabolo.fit(recipe, train, out=out, seed=0, **TRAINED, **given)
        return runs[key]

    return run


@pytest.fixture(scope="session")
def vae(digits_of: Callable[..., Any]) -> Any:
    return digits_of("vae")


@pytest.fixture(scope="session")
def explored(vae: Any) -> Explored:
    train, test = diabolo.data.load("digits")
    return Explored("vae", vae.model, train, test, vae.path)


@pytest.fixture(scope="session")
def now() -> Now:
    return Now()


@pytest.fixture(scope="session")
def desk_of() -> Callable[..., Desk]:
    """desk_of(explored or several, state): a page that does everything at once."""

    def make(runs: Any, state: State | None = None) -> Desk:
        every = runs if isinstance(runs, list) else [runs]
        return Desk(every, state or State(), Now(), Now(), lambda call: call())

    return make


@pytest.fixture
def desk(explored: Explored, desk_of: Callable[..., Desk]) -> Desk:
    return desk_of(explored)


@pytest.fixture
def lane() -> Iterator[Lane]:
    made = Lane("test")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def moved(tmp_path: Path, vae: Any) -> Path:
    """A copy of the run that may be broken."""
    return Path(shutil.copytree(vae.path, tmp_path / "run"))
