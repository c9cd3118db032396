"""Who may come in: those who know the token of this server, by a name that is its own."""

import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from bokeh.server.auth_provider import AuthProvider
from bokeh.util.token import get_session_id
from tornado.web import HTTPError

OWN = ("localhost", "127.0.0.1")
ANYWHERE = ("0.0.0.0", "::", "")  # hosts that stand for every address of this machine; compared, not listened on


class Door(AuthProvider):
    """A random token in the address becomes a cookie; whoever has neither is refused with 403, page and websocket alike. So is
    a request under a name that is not this server's, of another site that lets its own name point here (DNS rebinding); and
    one that a page of another site or port sends (Origin). Bokeh's own list of origins can be widened by the environment, and
    takes no IPv6 address.

    What an open page asks for is let in by the random key of the page, for a browser keeps no cookie of a page that stands
    within one of another site: in a notebook, say.

    Args:
        port: of the server, part of the cookie's name, since cookies are shared by all ports.
        names: hosts that the server is reached by.

    Attributes:
        pages: the keys of pages that are open.
    """

    def __init__(self, port: int, names: tuple[str, ...]) -> None:
        self.token, self.cookie = secrets.token_urlsafe(32), f"diabolo-{port}"
        self.hosts = frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())
        self.pages: set[str] = set()
        super().__init__()

    @property
    def get_user_async(self) -> Callable[[Any], Awaitable[str]]:
        """What Bokeh asks before each page and websocket."""
        return self._user

    @property
    def get_user(self) -> None:
        """Nothing: see `get_user_async`."""

    @property
    def get_login_url(self) -> Callable[[Any], str]:
        """Nobody is sent there: who has no token is refused before."""
        return lambda handler: "/"

    @property
    def login_url(self) -> None:
        """None."""

    @property
    def login_handler(self) -> None:
        """None."""

    @property
    def logout_url(self) -> None:
        """None."""

    @property
    def logout_handler(self) -> None:
        """None."""

    async def _user(self, handler: Any) -> str:
        if handler.request.host.lower() not in self.hosts:
            raise HTTPError(403, reason="This is not the name of this server")
        origin = handler.request.headers.get("Origin")
        if origin is not None and origin.lower().removeprefix("http://") not in self.hosts:
            raise HTTPError(403, reason="Pages of other sites are not let in")
        given = handler.get_query_argument("token", None)
        handler.request.arguments.pop("token", None)  # which Bokeh would write into the page
        if given is not None and self._is_token(given):
            handler.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict", path="/")
            return "guest"
        if self._is_token(handler.get_cookie(self.cookie, "")) or _page_of(handler) in self.pages:
            return "guest"
        raise HTTPError(403, reason="Open the address that diabolo look has printed")

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())


def _page_of(handler: Any) -> str | None:
    """The key of the page that asks: of a websocket the session that it belongs to."""
    _, _, held = handler.request.headers.get("Sec-WebSocket-Protocol", "").partition(", ")
    if not held:
        key: str | None = handler.get_query_argument("page", None)
        return key
    try:
        return str(get_session_id(held))
    except (ValueError, KeyError, TypeError, RecursionError):  # no token of Bokeh's
        return None


def names_of(host: str) -> tuple[str, ...]:
    """The names by which a server that listens on `host` is reached."""
    if host in ("127.0.0.1", "localhost"):
        return OWN
    if host == "::1":
        return (*OWN, "[::1]")
    here = [host] if host not in ANYWHERE else []
    name = socket.gethostname()
    try:
        addresses = [str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(name, None)]
    except OSError:
        addresses = []
    every = [*OWN, "::1", *here, name, socket.getfqdn(), *addresses]
    return tuple(dict.fromkeys(in_address(one) for one in every))


def in_address(host: str) -> str:
    """A host as an address names it: one of IPv6 in brackets.

    Example:
        >>> diabolo.explorer.door.in_address("::1")
        '[::1]'
    """
    return f"[{host}]" if ":" in host and not host.startswith("[") else host.lower()
