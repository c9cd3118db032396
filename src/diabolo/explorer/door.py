"""Who may come in: those who know the token of this server, by a name that is its own."""

import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from bokeh.server.auth_provider import AuthProvider
from tornado.web import HTTPError

OWN = ("localhost", "127.0.0.1")


class Door(AuthProvider):
    """A random token in the address becomes a cookie; whoever has neither is refused with 403, page and websocket alike. So is
    a request under a name that is not this server's: of another site that lets its own name point here (DNS rebinding).

    Args:
        port: of the server, part of the cookie's name, since cookies are shared by all ports.
        names: hosts that the server is reached by.
    """

    def __init__(self, port: int, names: tuple[str, ...]) -> None:
        self.token, self.cookie = secrets.token_urlsafe(32), f"diabolo-{port}"
        self.hosts = frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())
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
        given = handler.get_query_argument("token", None)
        if given is not None and self._is_token(given):
            handler.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict", path="/")
            return "guest"
        if self._is_token(handler.get_cookie(self.cookie, "")):
            return "guest"
        raise HTTPError(403, reason="Open the address that diabolo look has printed")

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())


def names_of(host: str) -> tuple[str, ...]:
    """The names by which a server that listens on `host` is reached."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return OWN
    here = [host] if host not in ("0.0.0.0", "::", "") else []  # compared, not listened on
    name = socket.gethostname()
    try:
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(name, None)]
    except OSError:
        addresses = []
    every = [*OWN, *here, name, socket.getfqdn(), *addresses]
    return tuple(dict.fromkeys(f"[{one}]" if ":" in one and not one.startswith("[") else one.lower() for one in every))
