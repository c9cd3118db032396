"""`diabolo look RUN`, and the page that it saves for others."""

import atexit
import os
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path
from socket import gethostname
from threading import Event
from typing import Annotated, Any

from cyclopts import App, Parameter

from diabolo.cli.options import DataFlags
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Port, Seed, checked
from diabolo.terminal import say

app = App(name="look", help=VERBS["look"])

INTERRUPTED = 130  # exit code
LOCAL = "127.0.0.1"


@app.default
@checked
def command(
    runs: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative=())],
    /,
    *,
    data: str | None = None,
    port: Port | None = None,
    host: str = LOCAL,
    browser: bool = True,
    seed: Seed = 0,
    save: Path | None = None,
    data_options: Annotated[DataFlags | None, Parameter(name="*")] = None,
) -> None:
    """Look into a trained model in the browser: decode under the mouse, slide along units, go from one image to another.

    Args:
        runs: the run folder; of several the first has the map, and the others show the same image beside it. One that is still
            being trained is followed.
        data: other images than those of the run.
        port: where it listens; the first that is free from 5006 on when left out, any free one for 0.
        host: the address it listens on; with another than 127.0.0.1 everybody who has the printed address can see the images.
        browser: open the page in the browser.
        seed: of what is drawn.
        save: write a page for others into this file instead, of one run: it needs no server and no network, and holds up to
            2,000 test images.
    """
    interrupted = Event()
    atexit.register(_leave, interrupted)  # before what is imported from here on, so that it is called last
    from diabolo.errors import DiaboloError
    from diabolo.explorer import look

    if data is None and data_options is not None:
        raise DiaboloError("options of the data set need --data NAME; without it the images are those of the run")
    images = None if data is None else (data_options or DataFlags()).load(data)
    if save is not None:
        _save(runs, save, images, seed, served=port is not None or host != LOCAL)
        return
    explorer = look(*runs, images=images, port=port, host=host, seed=seed)
    try:
        say(f"look at:  {explorer.address}")
        if host not in (LOCAL, "localhost", "::1"):
            say(
                f"diabolo: warning: it listens on {host}: whoever has its address, such as "
                f"{explorer.serving.address_at(gethostname())}, sees the images of the run, and what is sent is not encrypted",
                error=True,
            )
        if browser and _has_display():
            webbrowser.open(explorer.address)
        say("Ctrl-C ends it")
        explorer.serving.wait()
    except KeyboardInterrupt:
        interrupted.set()
        raise
    finally:
        explorer.stop()


def _save(runs: tuple[Path, ...], out: Path, images: Any, seed: int, served: bool) -> None:
    """Write a page of the one run."""
    from diabolo.cli.messages import tell_of_data
    from diabolo.errors import DiaboloError
    from diabolo.explorer import save_page
    from diabolo.trust import trusted

    if len(runs) != 1:
        raise DiaboloError(f"a page is of one run, not of {len(runs)}: save a page for each")
    if served:
        raise DiaboloError("a page that is saved needs no server: leave --port and --host out, or --save")
    tell_of_data()
    page = save_page(runs[0], out, images=images, seed=seed, trust=trusted())
    say(f"open in a browser:  {page} ({page.stat().st_size / 1e6:.1f} MB)")


def _leave(interrupted: Event) -> None:
    """End the process with the exit code of Ctrl-C if that came: Python itself would go through all objects of torch, which
    takes a second and more, and wait for a thread that works out a map."""
    if not interrupted.is_set():
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(INTERRUPTED)


def _has_display() -> bool:
    """Whether a browser could show something."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
