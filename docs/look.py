"""Makes docs/look.gif: the decoder follows the mouse over the map of codes.

python docs/look.py RUN [--chromium PATH]
"""

import argparse
import io
import shutil

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

import diabolo

READY = "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
DRAWN = "Bokeh.documents[0].get_model_by_name('map').renderers[0].data_source.length > 10"
BOX = """() => {
  const r = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name('map')).el.getBoundingClientRect()
  return [r.x, r.y, r.width, r.height]
}"""
FRAMES, COLOURS = 40, 96
POINTER = """([x, y]) => {
  let dot = document.getElementById('pointer')
  if (!dot) {
    dot = document.createElement('div')
    dot.id = 'pointer'
    dot.style = 'position: fixed; width: 14px; height: 14px; border-radius: 50%; border: 3px solid #d55e00'
    dot.style.pointerEvents = 'none'
    document.body.append(dot)
  }
  dot.style.left = `${x - 10}px`
  dot.style.top = `${y - 10}px`
}"""


def main() -> None:
    """The picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    given = parser.parse_args()
    opened, frames = diabolo.look(given.run), []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1160, "height": 640}, device_scale_factor=1)
        page.goto(opened.address)
        page.wait_for_function(READY)
        page.wait_for_function(DRAWN)
        page.evaluate("document.querySelectorAll('.bk-tool-icon-hover').forEach(e => e.click())")
        page.evaluate("Bokeh.documents[0].get_model_by_name('map').toolbar.tools[0].active = false")
        page.wait_for_timeout(2000)
        left, top, width, height = page.evaluate(BOX)
        for turn in np.linspace(0, 2 * np.pi, FRAMES, endpoint=False):
            x = left + width * (0.5 + 0.3 * np.cos(turn))
            y = top + height * (0.48 + 0.3 * np.sin(2 * turn))
            page.mouse.move(x, y)
            page.evaluate(POINTER, [x, y])
            page.wait_for_timeout(400)
            frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        browser.close()
    opened.stop()
    small = [frame.resize((870, 480), Image.Resampling.LANCZOS) for frame in frames]
    palette = small[0].quantize(COLOURS, dither=Image.Dither.NONE)
    shown = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in small]
    shown[0].save("docs/look.gif", save_all=True, append_images=shown[1:], duration=140, loop=0, optimize=True)


if __name__ == "__main__":
    main()
