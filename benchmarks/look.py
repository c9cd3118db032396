"""How long the live explorer takes from a mouse event to new pixels, in a real browser.

    python benchmarks/look.py RUN [RUN …] [--events 200] [--chromium PATH]

For each run the mouse is moved over the map, one event after the other; the clock starts with the event in the page and ends
with the frame that shows the decoded image. It prints median and 95 %, how long the run took to be opened, and then the first
page to be drawn. Needs the extras `look` and `test`, and chromium. Run it on an idle machine.
"""

import argparse
import shutil
import time

import numpy as np
from playwright.sync_api import sync_playwright

import diabolo

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


def measure(run: str, events: int, chromium: str) -> dict[str, float]:
    """Milliseconds, and seconds to the first page."""
    begun = time.perf_counter()
    opened = diabolo.look(run)
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
        browser.close()
    opened.stop()
    return {
        "median ms": float(np.median(waits)),
        "95 % ms": float(np.quantile(waits, 0.95)),
        "opening the run s": opening,
        "first page s": first,
    }


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    given = parser.parse_args()
    for run in given.runs:
        print(run, {name: round(value, 1) for name, value in measure(run, given.events, given.chromium).items()})


if __name__ == "__main__":
    main()
