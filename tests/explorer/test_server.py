"""The door, the hostile list, and the server's life: who may come in, what is refused, what is outlived."""

import asyncio
import base64
import functools
import http.client
import io
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import numpy as np
import pytest
from bokeh.server.views.ws import WSHandler
from bokeh.util.token import generate_jwt_token, generate_session_id, get_session_id, get_token_payload
from PIL import Image

import diabolo
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.explorer import server
from diabolo.explorer.door import names_of
from diabolo.explorer.explored import Explored
from diabolo.explorer.handwriting import drawn_digit
from diabolo.explorer.opening import open_runs
from diabolo.explorer.server import Serving
from diabolo.explorer.state import Place
from diabolo.explorer.taking import figure_of
from diabolo.explorer.uploads import LARGEST, read_picture


@pytest.fixture(scope="module")
def serving(explored: Explored) -> Iterator[Serving]:
    made = Serving([explored])
    yield made
    made.stop()


def ask(serving: Serving, path: str, **headers: str) -> http.client.HTTPResponse:
    link = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)
    link.request("GET", path, headers=headers)
    return link.getresponse()


def inside(serving: Serving) -> dict[str, str]:
    return {"Cookie": f"{serving.door.cookie}={serving.door.token}"}


def websocket(serving: Serving, **headers: str) -> int:
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "bokeh, x",
    }
    with closing(http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)) as link:
        link.request("GET", "/ws", headers=upgrade | headers)
        with closing(link.getresponse()) as answer:
            return answer.status


def test_nobody_comes_in_without_the_token(serving):
    for path in (
        "/",
        "/?token=",
        "/?token=wrong",
        "/image/0.png",
        "/figure.png",
        "/figure.pdf?a=1",
        "/autoload.js",
        "/metadata",
    ):
        assert ask(serving, path).status == 403, path
    assert ask(serving, "/", Cookie=f"{serving.door.cookie}=wrong").status == 403
    assert websocket(serving) == 403


def test_what_an_open_page_asks_for_is_let_in_without_a_cookie(serving):
    page = ask(serving, f"/?token={serving.door.token}").read().decode()
    held = re.search(r'"token":"([^"]+)"', page)[1]
    key = get_session_id(held)
    own = {"Sec-WebSocket-Protocol": f"bokeh, {held}"}
    assert websocket(serving, Origin=f"http://127.0.0.1:{serving.port}", **own) == 101
    assert ask(serving, f"/image/0.png?page={key}").status == 200
    assert ask(serving, f"/image/0.png?page={key}", Origin="http://evil.example").status == 403
    assert websocket(serving, Origin="http://evil.example", **own) == 403
    assert websocket(serving, Host="evil.example", **own) == 403
    deep = base64.urlsafe_b64encode(b"[" * 30_000).decode()
    for made_up in (generate_jwt_token(generate_session_id()), "e30", "bokeh", "x.y", "\u00fc", deep):
        assert websocket(serving, **{"Sec-WebSocket-Protocol": f"bokeh, {made_up}"}) == 403, made_up
    for other in ("", "None", key[:-1], key + "x"):
        assert ask(serving, f"/image/0.png?page={other}").status == 403, other
    serving.door.pages.discard(key)  # as when its page is closed
    assert ask(serving, f"/image/0.png?page={key}").status == 403
    assert websocket(serving, **own) == 403


def test_the_token_becomes_a_cookie_that_no_script_reads(serving):
    answer = ask(serving, f"/?token={serving.door.token}")
    assert answer.status == 200
    cookie = answer.getheader("Set-Cookie")
    assert f"{serving.door.cookie}={serving.door.token}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert ask(serving, "/", **inside(serving)).status == 200


def test_the_page_does_not_hold_the_token(serving):
    page = ask(serving, f"/?token={serving.door.token}&a=1").read().decode()
    assert serving.door.token not in page
    held = get_token_payload(re.search(r'"token":"([^"]+)"', page)[1])  # what Bokeh sends along for the websocket
    assert held["arguments"].keys() == {"a"}


def test_a_name_that_is_not_ours_is_refused(serving):
    for host in (
        "evil.example",
        f"evil.example:{serving.port}",
        "127.0.0.1",
        f"127.0.0.1.evil.example:{serving.port}",
        "",
    ):
        assert ask(serving, "/", Host=host, **inside(serving)).status in (400, 403), host
    assert ask(serving, "/", Host=f"localhost:{serving.port}", **inside(serving)).status == 200


def test_a_websocket_of_another_site_is_refused(serving):
    for origin in (
        "http://evil.example",
        f"http://evil.example:{serving.port}",
        f"http://127.0.0.1:{serving.port + 1}",
        "null",
    ):
        assert websocket(serving, Origin=origin, **inside(serving)) == 403, origin
    assert websocket(serving, Origin=f"http://127.0.0.1:{serving.port}", **inside(serving)) == 101


def test_the_environment_lets_no_other_site_in(serving, monkeypatch):
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "*")
    assert websocket(serving, Origin="http://evil.example", **inside(serving)) == 403
    assert ask(serving, "/image/0.png", Origin=f"http://127.0.0.1:{serving.port + 1}", **inside(serving)).status == 403


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as one, suppress(OSError):
        one.bind(("::1", 0))
        return True
    return False


@pytest.mark.parametrize(
    ("host", "begins"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")]
)
def test_each_host_is_reached_at_its_address_also_at_a_port_that_the_system_chooses(
    explored, monkeypatch, host, begins
):
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6 on this machine")
    found = [(socket.AF_INET6, 0, 0, "", ("fe80::1%eth0", 0, 0, 0))]
    whole = socket.getaddrinfo
    name = socket.gethostname()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *of, **how: found if of[0] == name else whole(*of, **how))
    made = Serving([explored], host, port=0)
    try:
        assert made.address.startswith(begins)
        assert made.port > 0
        assert ("[fe80::1]:" + str(made.port) in made.door.hosts) is (host == "0.0.0.0")
        with urllib.request.urlopen(made.address.replace("/?", "/image/0.png?")) as answer:  # our own address
            assert answer.status == 200
    finally:
        made.stop()


def test_two_servers_have_two_tokens(explored):
    one, other = Serving([explored]), Serving([explored])
    try:
        assert one.port != other.port
        assert one.door.token != other.door.token
        assert ask(other, "/", Cookie=f"{other.door.cookie}={one.door.token}").status == 403
    finally:
        one.stop()
        other.stop()


def test_a_picture_is_a_test_image_beside_its_reconstruction(serving, explored):
    answer = ask(serving, "/image/3.png", **inside(serving))
    picture = np.asarray(Image.open(io.BytesIO(answer.read())))
    assert picture.shape == (8, 17, 3)
    assert np.array_equal(picture[:, :8, 0], explored.test.images[3, 0])
    assert "no-cache" in answer.getheader("Cache-Control")  # the next server may have this address, and another run


def test_no_path_from_the_browser_is_opened(serving):
    for path in (
        "/image/99999.png",
        "/image/..%2f..%2fetc%2fpasswd.png",
        "/image/-1.png",
        "/static/../../etc/passwd",
        "/image/1.svg",
    ):
        assert ask(serving, path, **inside(serving)).status in (403, 404), path


def test_a_figure_is_sent_as_a_file(serving):
    for kind, start in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        answer = ask(serving, f"/figure.{kind}?a=1&b=2", **inside(serving))
        assert answer.status == 200
        assert answer.read().startswith(start)
        assert f"diabolo.{kind}" in answer.getheader("Content-Disposition")
    assert ask(serving, "/figure.png?plane=nonsense", **inside(serving)).status == 404


def test_a_figure_is_that_of_the_open_page(serving, explored, desk, monkeypatch):
    desk.bring("a", to_float(explored.test.images[7]))
    desk.put("b", Place(image=2))
    serving.desks.add(desk)
    of = []
    monkeypatch.setattr(server, "figure_of", lambda asked: of.append(asked) or figure_of(asked))
    try:
        assert ask(serving, f"/figure.png?page={desk.key}", **inside(serving)).status == 200
        assert ask(serving, "/figure.png?page=unknown&a=1&b=2", **inside(serving)).status == 200
    finally:
        serving.desks.discard(desk)
    assert of[0] is desk
    assert of[1] is not desk


def test_an_address_that_does_not_fit_is_a_sentence(serving):
    page = ask(serving, "/?shown=%3Cscript%3Ealert(1)%3C/script%3E", **inside(serving)).read().decode()
    assert "This address does not fit" in page
    assert "<script>alert(1)" not in page


def test_a_run_with_script_in_its_names_is_harmless(vae):
    evil = "<img src=x onerror=alert(1)>"
    train, test = diabolo.data.load("digits")
    named = [
        diabolo.data.Images(i.images, labels=i.labels, name=evil, label_names=(evil, *map(str, range(1, 10))))
        for i in (train, test)
    ]
    made = Serving([Explored(evil, vae.model, *named)])
    try:
        page = ask(made, "/", **inside(made)).read().decode()
        assert evil not in page
        assert "&lt;img src=x onerror" in page
    finally:
        made.stop()


def test_more_pages_than_a_server_has_room_for(serving, monkeypatch):
    monkeypatch.setattr(server, "SESSIONS", len(serving.desks))
    page = ask(serving, "/", **inside(serving)).read().decode()
    assert "pages are open already" in page


def test_pages_that_are_closed_are_let_go_of(serving):
    ask(serving, "/", **inside(serving))  # its desk is there before the first byte is sent
    assert serving.desks
    end = time.monotonic() + 30
    while serving.desks and time.monotonic() < end:
        time.sleep(0.2)
    assert not serving.desks


def test_a_page_that_is_closed_while_it_connects_is_let_go_of(explored, monkeypatch):
    opening = WSHandler._async_open

    async def late(self: Any, token: str) -> None:
        while self.ws_connection is not None:
            await asyncio.sleep(0.01)
        await opening(self, token)

    monkeypatch.setattr(WSHandler, "_async_open", late)
    made = Serving([explored])
    try:
        page = ask(made, "/", **inside(made)).read().decode()
        held = re.search(r'"token":"([^"]+)"', page)[1]
        assert websocket(made, **{"Sec-WebSocket-Protocol": f"bokeh, {held}"}) == 101
        end = time.monotonic() + 25  # Bokeh's own pings come every 37 s
        while made.desks and time.monotonic() < end:
            time.sleep(0.2)
        assert not made.desks
        assert not made.door.pages
    finally:
        made.stop()


def test_a_port_in_use(explored):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DiaboloError, match=f"port {port} is in use"):
            Serving([explored], port=port)
    with pytest.raises(DiaboloError, match=r"nothing can listen on 192\.0\.2\.1"):
        Serving([explored], host="192.0.2.1")


def test_names_of_a_server_that_all_can_reach():
    assert names_of("127.0.0.1") == ("localhost", "127.0.0.1")
    assert socket.gethostname().lower() in names_of("0.0.0.0")
    assert "0.0.0.0" not in names_of("0.0.0.0")


def test_it_ends_at_once(explored):
    made = Serving([explored])
    ask(made, "/", **inside(made)).read()
    begun = time.monotonic()
    made.stop()
    assert time.monotonic() - begun < 2
    with pytest.raises(ConnectionRefusedError):
        ask(made, "/")


def test_it_stops_after_ctrl_c(tmp_path):
    """Python takes a thread for ended where Ctrl-C came while it was joined."""
    script = tmp_path / "interrupted.py"
    script.write_text(
        "import os, signal, socket, threading\n"
        "from diabolo.explorer.server import Serving\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "made = Serving([], port=0)\n"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    made.wait()\nexcept KeyboardInterrupt:\n    made.stop()\n"
        "with socket.socket() as one:\n    print(one.connect_ex(('127.0.0.1', made.port)) == 0)\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert (ran.stdout, ran.stderr) == ("False\n", "")


def test_look_from_python(vae):
    train, test = diabolo.data.load("digits")
    opened = diabolo.look(vae, images=(train, test))
    try:
        with urllib.request.urlopen(opened.address) as page:  # our own address
            assert page.status == 200
        assert f'<iframe src="{opened.address}"' in opened._repr_html_()
    finally:
        opened.stop()


def test_images_that_are_no_pair_are_refused(vae):
    train, test = diabolo.data.load("digits")
    for images in (test, (train,), (train.images, test.images), "digits", 5):
        with pytest.raises(DiaboloError, match=r"a pair \(train, test\)"):
            diabolo.look(vae, images=images)


def test_runs_of_different_images_are_not_looked_at_together(vae, tmp_path, tiny_pixels):
    images = diabolo.data.Images(tiny_pixels(20, (1, 4, 4)))
    other = diabolo.fit("undercomplete", images, latent_dim=2, hidden=(4,), epochs=1, out=tmp_path, quiet=True)
    with pytest.raises(DiaboloError, match="images of one shape"):
        open_runs([vae, other])
    with pytest.raises(DiaboloError, match="name a run"):
        open_runs([])


def test_a_run_whose_codes_make_no_map_is_opened_all_the_same(vae, desk_of):
    train, test = diabolo.data.load("digits")
    (found,) = open_runs([vae.path], (train, test.take(range(3))))  # a plane takes four
    with pytest.raises(DiaboloError, match="4 codes or more"):
        found.plane("pca")
    assert desk_of(found).shown().images[0].shape == (1, 8, 8)


def test_without_bokeh_the_extra_is_named():
    lines = ["import sys; sys.modules['bokeh'] = None", "import diabolo", "try: diabolo.look('x')"]
    hide = "\n".join([*lines, "except diabolo.DiaboloError as error: print(error)"])
    told = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, check=True).stdout
    assert "pip install 'diabolo[look]'" in told


# --- pictures that are brought along ------------------------------------------------------------------------------------


def as_file(image: Image.Image, kind: str = "png") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 60,000 × 60,000."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_a_picture_is_cut_and_resized_as_the_model_wants_it():
    picture = read_picture(as_file(Image.new("RGB", (40, 20), (255, 0, 0))), (1, 8, 8))
    assert picture.shape == (1, 8, 8)
    assert picture.dtype == np.uint8
    assert (picture == 76).all()  # luma of red
    assert read_picture(as_file(Image.new("L", (9, 9), 7), "bmp"), (3, 4, 4)).shape == (3, 4, 4)


@pytest.mark.parametrize(
    ("content", "shape", "words"),
    [
        (b"\0" * (LARGEST + 1), (1, 8, 8), "at most 4 MiB"),
        (bomb(), (1, 8, 8), "pixels"),
        (b"no picture", (1, 8, 8), "the picture"),
        (as_file(Image.effect_noise((64, 64), 90))[:900], (1, 8, 8), "damaged"),
        (as_file(Image.new("L", (8, 8))), (64,), "takes no pictures"),
        (as_file(Image.new("L", (8, 8))), (1, 8, 4), "8×4 pixels, not 8×8"),
    ],
)
def test_what_is_no_fit_picture_is_refused(content, shape, words):
    with pytest.raises(DiaboloError, match=words):
        read_picture(content, shape)


def test_a_drawn_digit_fills_its_box_and_is_centred():
    digit = drawn_digit([[(10.0, 90.0), (10.0, 10.0)]], (1, 28, 28))[0]
    rows, _ = np.nonzero(digit > 0.5)
    assert 18 <= np.ptp(rows) + 1 <= 22
    mass = digit.sum()
    assert abs((np.arange(28)[:, None] * digit).sum() / mass - 13.5) <= 0.5
    assert abs((np.arange(28)[None] * digit).sum() / mass - 13.5) <= 0.5
    slanted = drawn_digit([[(0.0, 1.0), (1.0, 0.0)]], (1, 28, 28))[0]
    assert slanted[6:9, 6:9].sum() > slanted[6:9, 19:22].sum()  # down to the right: y goes upwards


@pytest.mark.parametrize(
    "strokes",
    [
        [],
        [[]],
        [[(float("nan"), 0.0)]],
        [[(0.0, 0.0)] * 6000],
        [[(0, 0)]] * 300,
        [["a", "b"]],
        5,
        [5],
        [[(1e308, 0), (0, 0)]],
    ],
)
def test_nothing_drawn_or_far_too_much_is_refused(strokes):
    with pytest.raises(DiaboloError):
        drawn_digit(strokes, (1, 28, 28))


def test_the_command_line(vae, tmp_path):
    line = [sys.executable, "-m", "diabolo", "look", str(vae.path), "--no-browser"]
    listening = functools.partial(
        signal.signal, signal.SIGINT, signal.default_int_handler
    )  # not ignored, as in the background
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, preexec_fn=listening, **pipes) as process:
        try:
            said: Any = process.stdout.readline()
            assert said.startswith("look at:  http://127.0.0.1:")
            with urllib.request.urlopen(said.split()[-1] + "&plane=t-sne") as page:  # our own address
                assert page.status == 200
            time.sleep(1)  # the map is being worked out, which takes longer
            begun = time.monotonic()
            process.send_signal(2)
            process.wait(10)
            assert time.monotonic() - begun < 2
            assert process.returncode == 130
        finally:
            process.kill()


def test_the_command_line_refuses_in_a_sentence(tmp_path):
    line = [sys.executable, "-m", "diabolo", "look", str(tmp_path), "--no-browser"]
    found = subprocess.run(line, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert json.dumps(str(tmp_path))[1:-1] in found.stderr
