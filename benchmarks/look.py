"""How long the live explorer takes from a mouse event to new pixels, in a real browser.

    python benchmarks/look.py RUN [RUN …] [--rows 100000] [--events 200] [--chromium PATH]

For each run the mouse is moved over the map, one event after the other; the clock starts with the event in the page and ends
with the frame that shows the decoded image. It prints median and 95 %, how long the run took to be opened, and then the first
page to be drawn. Then the map is shifted ten times: how long until its points are drawn anew, and how much of it is
JavaScript, without what draws for a graphics card that is not there. `--rows N` looks at an autoencoder of a made-up table of
N test rows besides. Needs the extras `look` and `test`, and chromium. Run it on an idle machine.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

import diabolo
from diabolo.data import Images

WATCH = """() => {
  const source = Bokeh.documents[0].get_model_by_name('decoded').renderers[0].data_source
  window.waits = []
  let since = null
  document.addEventListener('pointermove', () => { since = performance.now() }, true)
  source.properties.data.change.connect(() => {
    const begun = since
    if (begun !== null) { since = null; requestAnimationFrame(() => setTimeout(() => waits.push(performance.now() - begun))) }
  })
}"""
BOX = """() => {
  const r = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name('map')).el.getBoundingClientRect()
  return [r.x, r.y, r.width, r.height]
}"""
READY = "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
DRAWN = "Bokeh.documents[0].get_model_by_name('map').renderers[0].data_source.length > 10"
SHIFT = """async () => {
  const {x_range} = Bokeh.documents[0].get_model_by_name('map'), waits = []
  for (let i = 0; i < 10; i++) {
    const begun = performance.now()
    x_range.start += (x_range.end - x_range.start) * 0.01
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)))
    waits.push(performance.now() - begun)
  }
  return waits
}"""
DRAWING = ("drawImage", "(program)", "(idle)")  # what draws, and what waits for it


def shifted(page: Any) -> tuple[float, float]:
    """Milliseconds until all points are drawn anew, the median of ten; and of it those in JavaScript, the mean."""
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.start")
    waits = page.evaluate(SHIFT)
    profile = session.send("Profiler.stop")["profile"]
    names = {node["id"]: node["callFrame"]["functionName"] for node in profile["nodes"]}
    samples = zip(profile["samples"], profile["timeDeltas"], strict=True)
    busy = sum(micro for at, micro in samples if names[at] not in DRAWING) / 1000
    return float(np.median(waits)), busy / len(waits)


def made(rows: int, folder: str) -> tuple[Path, tuple[Images, Images]]:
    """A run of a table of five groups on a curved surface, and its rows."""
    random = np.random.default_rng(0)
    weights = random.normal(size=(2, 16))

    def draw(n: int) -> Images:
        group = random.integers(0, 5, n)
        place = random.normal(size=(n, 2)) + 3 * np.stack([np.cos(group), np.sin(group)], 1)
        values = np.tanh(place @ weights) + 0.05 * random.normal(size=(n, 16))
        return Images(values.astype(np.float32), labels=group, name="rows")

    train, test = draw(20_000), draw(rows)
    run = diabolo.fit("undercomplete", train, latent_dim=2, hidden=(32,), epochs=3, out=folder, quiet=True)
    assert run.path is not None
    return run.path, (train, test)


def measure(run: str | Path, events: int, chromium: str, images: Any = None) -> dict[str, float]:
    """Milliseconds, and seconds to the first page."""
    begun = time.perf_counter()
    opened = diabolo.look(run, images=images)
    opening = time.perf_counter() - begun
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        launched = time.perf_counter()
        page.goto(opened.address)
        page.wait_for_function(READY)
        page.wait_for_function(DRAWN)
        first = time.perf_counter() - launched
        page.wait_for_timeout(3000)  # the rest of the page
        page.evaluate(WATCH)
        left, top, width, height = page.evaluate(BOX)
        random = np.random.default_rng(0)
        place = np.array([0.5, 0.5])
        for i in range(events):
            place = np.clip(place + random.normal(0, 0.03, 2), 0.2, 0.8)
            page.mouse.move(left + place[0] * width, top + place[1] * height)
            page.wait_for_function("n => waits.length > n", arg=i, timeout=10_000)
        waits = page.evaluate("waits")[:events]
        page.mouse.move(0, 0)
        page.wait_for_timeout(1000)
        anew, script = shifted(page)
        browser.close()
    opened.stop()
    return {
        "median ms": float(np.median(waits)),
        "95 % ms": float(np.quantile(waits, 0.95)),
        "opening the run s": opening,
        "first page s": first,
        "all points anew ms": anew,
        "of which script ms": script,
    }


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--rows", type=int, help="of a made-up table to look at besides")
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen: list[tuple[str | Path, Any]] = [(run, None) for run in given.runs]
        seen += [made(given.rows, folder)] if given.rows else []
        for run, images in seen:
            found = measure(run, given.events, given.chromium, images)
            print(run, {name: round(value, 1) for name, value in found.items()})


if __name__ == "__main__":
    main()
