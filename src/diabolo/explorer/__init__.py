"""A run under your hand, in the browser: the map of its codes, the decoder where the mouse is, units, pins, attributes.

explored.py, planes.py, pixels.py    what is shown: models, codes, images, planes; arrays in, arrays out
state.py, desk.py, lanes.py          what was chosen, and who works it out; they know no browser
views/, page.py                      a file for each part of the page, and the page
door.py, server.py                   who may come in; the server
"""

from typing import TYPE_CHECKING, Any

from diabolo.errors import DiaboloError

if TYPE_CHECKING:
    from diabolo.explorer.server import Look

__all__ = ["look"]


def look(*runs: Any, **options: Any) -> "Look":
    """See `diabolo.explorer.server.look`, which needs the extra `look`.

    Raises:
        DiaboloError: without it.
    """
    opened: Look = served()(*runs, **options)
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
