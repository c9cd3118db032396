"""A run under your hand, in the browser: the map of its codes, the decoder where the mouse is, units, pins, attributes.

explored.py, planes.py, likeness.py, pixels.py   what is shown: models, codes, images, planes; arrays in, arrays out
state.py, desk.py, lanes.py, taking.py           what was chosen, and who works it out; they know no browser
views/, page.py                                  a file for each part of the page, and the page
door.py, server.py, uploads.py                   who may come in, the server, what may be sent to it
shared/                                          a page for others, one file without a server
"""

from typing import TYPE_CHECKING, Any

from diabolo.errors import DiaboloError
from diabolo.lazy import lazy
from diabolo.ranges import Port, Seed, checked

if TYPE_CHECKING:
    from diabolo.explorer.server import Explorer
    from diabolo.explorer.shared import save_page
else:
    Explorer = Any  # whoever reads the hints when it runs needs no Bokeh for it

__all__ = ["look", "save_page"]

__getattr__, __dir__ = lazy(__name__, {"save_page": "shared"})


@checked
def look(
    *runs: Any, images: Any = None, port: Port | None = None, host: str = "127.0.0.1", seed: Seed = 0
) -> "Explorer":
    """Look into runs in a browser: the map of codes, the decoder under the mouse, units, pins, attributes.

    Args:
        runs: a `Run` or its folder; of several the first has the map, and the others show the same image beside it.
        images: (train, test) to look at instead of those the run was trained on.
        port: where it listens; the first that is free from 5006 on when left out.
        host: 127.0.0.1, so that only this machine reaches it. With another, everybody who has the address does.
        seed: of what is drawn.

    Returns:
        An open explorer: `explorer.address`, and `explorer.stop()`. In a notebook it shows the page.

    Raises:
        DiaboloError: for a folder that is no run, a port in use, and without the extra `look`.

    Example:
        >>> explorer = diabolo.look(run, images=(train, test))
        >>> explorer.address.startswith("http://127.0.0.1:")
        True
        >>> explorer.stop()
    """
    opened: Explorer = served()(*runs, images=images, port=port, host=host, seed=seed)
    return opened


def served() -> Any:
    """The function that opens a server.

    Raises:
        DiaboloError: without Bokeh.
    """
    try:
        from diabolo.explorer import server
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("bokeh", "tornado", "jinja2"):
            raise
        raise DiaboloError(
            "the live explorer needs Bokeh, which is not installed: pip install 'diabolo[look]'"
        ) from error
    return server.look
