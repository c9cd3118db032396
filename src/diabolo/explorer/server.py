"""The server of the live explorer: one process, on this machine, for whoever has its address."""

import asyncio
import errno
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import Server
from bokeh.server.views.auth_request_handler import AuthRequestHandler
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import HTTPError

from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.explorer.desk import Desk
from diabolo.explorer.door import ANYWHERE, Door, in_address, names_of
from diabolo.explorer.explored import Explored
from diabolo.explorer.lanes import Lane
from diabolo.explorer.opening import open_runs
from diabolo.explorer.page import fill, sentence
from diabolo.explorer.pixels import is_picture, png
from diabolo.explorer.state import State
from diabolo.explorer.taking import figure_of
from diabolo.explorer.uploads import LARGEST

PORT, TRIES = 5006, 50
SESSIONS = 24  # pages open at once
MESSAGE = 16 * LARGEST  # bytes of one message; a picture that is too large is refused in a sentence up to here
FORGOTTEN = 4_000  # milliseconds after which a closed page is let go of
WAIT = 30.0  # seconds for the server to start


class Serving:
    """A server, in a thread of its own.

    Args:
        runs: what is explored.
        host: the address it listens on.
        port: None for the first that is free from 5006 on, 0 for any.

    Raises:
        DiaboloError: for a port that is in use, or an address that is none of this machine's.
    """

    def __init__(self, runs: Sequence[Explored], host: str = "127.0.0.1", port: int | None = None) -> None:
        self.runs, self.host, self.port = list(runs), host, 0
        self.desks: set[Desk] = set()
        self.quick, self.slow = Lane("quick"), Lane("slow")
        self._started, self._ended = threading.Event(), threading.Event()
        self._problem: BaseException | None = None
        self._loop: IOLoop | None = None
        self._thread = threading.Thread(target=self._run, args=(port,), name="diabolo-look", daemon=True)
        self._thread.start()
        if not self._started.wait(WAIT):
            raise DiaboloError(f"the server did not start within {WAIT:g} s: try again when the machine is less busy")
        if self._problem is not None:
            raise self._problem

    @property
    def address(self) -> str:
        """With the token, for a browser."""
        return self.address_at("127.0.0.1" if self.host in ("localhost", *ANYWHERE) else self.host)

    def address_at(self, name: str) -> str:
        """With the token, for the browser of a machine that reaches this one by that name."""
        return f"http://{in_address(name)}:{self.port}/?token={self.door.token}"

    def wait(self) -> None:
        """Until it is stopped."""
        while not self._ended.wait(0.2):  # Ctrl-C while a thread is joined would let it pass for one that has ended
            pass

    def stop(self) -> None:
        """End it, with all its pages."""
        self.quick.stop()
        self.slow.stop()
        if self._loop is not None and self._thread.is_alive():
            self._loop.add_callback(self._end)
            self._thread.join(2)

    def _run(self, port: int | None) -> None:
        for name in ("bokeh", "tornado.access", "tornado.application"):
            logging.getLogger(name).setLevel(logging.CRITICAL if name == "tornado.access" else logging.ERROR)
        asyncio.set_event_loop(asyncio.new_event_loop())
        try:
            self._server = self._listen(port)
            self._loop = self._server.io_loop
            self._server.start()
        except BaseException as error:
            self._problem = error
            self._started.set()
            return
        self._started.set()
        self._loop.start()
        self._ended.set()

    def _listen(self, port: int | None) -> Server:
        """On that port, or the first that is free."""
        if port is None:
            ports: Iterable[int] = range(PORT, PORT + TRIES)
        else:
            ports = [port] if port else (self._any() for _ in range(TRIES))
        for tried in ports:
            self.port = tried
            self.door = Door(self.port, names_of(self.host))
            try:
                return self._server_on(self.port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise DiaboloError(f"nothing can listen on {self.host}:{tried}: {error.strerror}") from error
                if port:
                    raise DiaboloError(f"port {port} is in use: leave --port out, and a free one is taken") from error
        raise DiaboloError(f"no port from {PORT} to {PORT + TRIES - 1} is free: name another one by --port")

    def _any(self) -> int:
        """A port that the system finds free, for the port 0: the door must know it before anybody listens."""
        try:
            sockets = bind_sockets(0, self.host)
        except OSError as error:
            raise DiaboloError(f"nothing can listen on {self.host}: {error.strerror}") from error
        found = int(sockets[0].getsockname()[1])
        for one in sockets:
            one.close()
        return found

    def _server_on(self, port: int) -> Server:
        return Server(
            {"/": Application(FunctionHandler(self._page))},
            io_loop=IOLoop.current(),
            port=port,
            address=self.host,
            allow_websocket_origin=["*"],  # the door looks at the origin
            auth_provider=self.door,
            extra_patterns=[
                (r"/image/(\d{1,9})\.png", Picture, {"serving": self}),
                (r"/figure\.(png|pdf)", Drawn, {"serving": self}),
            ],
            websocket_max_message_size=MESSAGE,
            keep_alive_milliseconds=FORGOTTEN,  # Bokeh holds a page that was closed while it connected until it pings it
            check_unused_sessions_milliseconds=FORGOTTEN // 2,
            unused_session_lifetime_milliseconds=FORGOTTEN,
            include_headers=[],
            include_cookies=[],
            generate_session_ids=True,
        )

    def _end(self) -> None:
        assert self._loop is not None
        self._loop.call_later(0.1, self._loop.stop)  # once the pages have been told
        for client in list(self._server._tornado._clients):  # Bokeh leaves them open, and the pages would not know
            client._socket.close()
        self._server.stop(wait=False)

    def _page(self, doc: Document) -> None:
        if doc.session_context is not None:
            key = doc.session_context.id
            self.door.pages.add(key)
            doc.on_session_destroyed(lambda context: self.door.pages.discard(key))
        if len(self.desks) >= SESSIONS:
            sentence(doc, f"{SESSIONS} pages are open already: close one, and load this one again.")
            return
        request = doc.session_context.request if doc.session_context else None
        desk = fill(doc, self.runs, query_of(request.arguments if request else {}), self.quick, self.slow)
        if desk is not None:
            self.desks.add(desk)
            doc.on_session_destroyed(lambda context: self.desks.discard(desk))


def query_of(arguments: Mapping[str, Sequence[bytes]]) -> dict[str, str]:
    """The words of an address, the last of each."""
    return {name: values[-1].decode("utf-8", "replace") for name, values in arguments.items() if values}


class Picture(AuthRequestHandler):
    """A test image beside its reconstruction, for the hint of a point. Only a number is taken from the address."""

    def initialize(self, serving: Serving) -> None:
        """By tornado."""
        self.serving = serving

    async def get(self, number: str) -> None:
        """PNG."""
        run = self.serving.runs[0]
        content = await _beside(self.serving.quick, ("picture", number), lambda: _pair(run, int(number)))
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", "private, no-cache")  # another run may have the same address tomorrow
        self.write(content)


class Drawn(AuthRequestHandler):
    """The figure of what an address shows."""

    def initialize(self, serving: Serving) -> None:
        """By tornado."""
        self.serving = serving

    async def get(self, kind: str) -> None:
        """PNG or PDF."""
        serving = self.serving
        query = query_of(self.request.query_arguments)
        content = await _beside(serving.slow, ("figure", id(self)), lambda: _figure(serving, query, kind))
        self.set_header("Content-Type", {"png": "image/png", "pdf": "application/pdf"}[kind])
        self.set_header("Content-Disposition", f'attachment; filename="diabolo.{kind}"')
        self.write(content)


async def _beside(lane: Lane, key: Any, job: Callable[[], bytes]) -> bytes:
    """What `job` gives, worked out in a lane."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def done(found: Any) -> None:
        loop.call_soon_threadsafe(lambda: None if future.done() else future.set_result(found))

    lane.submit(("request", key, id(future)), job, done)
    found = await future
    if isinstance(found, DiaboloError):
        raise HTTPError(404, reason="There is no such picture")
    if isinstance(found, Exception):
        raise HTTPError(500)
    content: bytes = found
    return content


def _pair(run: Explored, index: int) -> bytes:
    picture = to_float(run.picture(index))
    if not is_picture(run.codec.input_shape):
        raise DiaboloError("examples of this run are no pictures")
    parts = [picture]
    if run.codec.reconstructs:
        parts.append(run.decoded(run.codes[index][None], -1, index)[0])
    return png(parts)


def _figure(serving: Serving, query: Mapping[str, str], kind: str) -> bytes:
    """Of an open page, or of what an address says."""
    from diabolo.figures.style import rendered  # slow to import

    desk = next((one for one in tuple(serving.desks) if one.key == query.get("page")), None)
    if desk is None:
        desk = Desk(serving.runs, State.of(query), serving.quick, serving.slow, lambda call: call())
    return rendered(figure_of(desk), f".{kind}")


class Explorer:
    """An open explorer, as `diabolo.look` gives it. In a notebook it shows the page.

    Attributes:
        address: for a browser; whoever has it can see the images.
    """

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.address = serving.address

    def stop(self) -> None:
        """Close it."""
        self.serving.stop()

    def __repr__(self) -> str:
        return f"Explorer({self.address!r})"

    def _repr_html_(self) -> str:
        return f'<iframe src="{self.address}" width="100%" height="900" style="border: 0" title="the live explorer"></iframe>'


def look(*runs: Any, images: Any = None, port: int | None = None, host: str = "127.0.0.1", seed: int = 0) -> Explorer:
    """See `diabolo.look`."""
    return Explorer(Serving(open_runs(runs, images, seed), host, port))
