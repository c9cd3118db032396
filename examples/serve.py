"""Serve a folder that `diabolo export RUN --to onnx` wrote, over HTTP, with onnxruntime, numpy and Pillow alone.

    python examples/serve.py exported --port 8000
    curl localhost:8000/                                              # export.json: what the model is, and its certificate
    curl localhost:8000/sample.png?i=3 > sample.png                   # what `diabolo sample` gives as its fourth image
    curl localhost:8000/sample.png?seed=7 > new.png                   # a new one, where the folder has a prior
    curl --data-binary @digit.png localhost:8000/encode               # {"code": [[…]]}, and the indices of a quantiser
    curl --data-binary @digit.png localhost:8000/reconstruct.png > reconstruction.png
    curl --data-binary @digit.png localhost:8000/score                # {"score": [0.012]}, the mean squared error
    curl --data '{"code": [[0.1, -0.4, …]]}' localhost:8000/decode.png > decoded.png

A model that is conditioned on a class takes it in the address: encode?label=3. Pictures are resized to the size of the model.
"""

import argparse
import io
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import onnxruntime
from PIL import Image

MOST = 2**24  # bytes of a request


class Exported:
    """The graphs of a folder, by name."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.about = json.loads((self.folder / "export.json").read_text(encoding="utf-8"))
        self.sessions = {
            name: onnxruntime.InferenceSession(str(self.folder / graph["file"]), providers=["CPUExecutionProvider"])
            for name, graph in self.about["graphs"].items()
        }

    def run(self, graph, **inputs):
        """The named outputs of `graph`; its inputs become arrays of the types that export.json says."""
        if graph not in self.sessions:
            raise ValueError(f"this model has no {graph}; it has {', '.join(self.sessions)}")
        wanted = self.about["graphs"][graph]["inputs"]
        if missing := [name for name in wanted if name not in inputs]:
            raise ValueError(f"{graph} needs {', '.join(missing)}")
        given = {name: np.asarray(inputs[name], told["dtype"]) for name, told in wanted.items()}
        session = self.sessions[graph]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, given), strict=True))

    def samples(self):
        """The images that `diabolo sample` gives with the same seed: of the codes that were written with the graphs."""
        if self.about["samples"] is None:
            raise ValueError(f"this model has no samples: {self.about['no_samples']}")
        with np.load(self.folder / self.about["samples"]["file"]) as codes:
            return self.run("decoder", **codes)

    def draw(self, n, seed, **given):
        """`n` new images: codes that the prior makes of noise, decoded."""
        if "prior" not in self.sessions:
            raise ValueError("this model has no prior that makes codes of noise; without ?seed= it gives its samples")
        ((name, told),) = self.about["graphs"]["prior"]["inputs"].items()
        random = np.random.default_rng(seed)
        shape = (n, *told["shape"][1:])
        noise = random.standard_normal(shape) if name == "normal" else random.random(shape)
        return self.run("decoder", code=self.run("prior", **{name: noise})["code"], **given)

    def read(self, content):
        """An image file as the model takes it, (1, C, H, W)."""
        shape = self.about["input_shape"]
        if len(shape) != 3 or shape[0] not in (1, 3):
            raise ValueError(f"this model takes arrays of shape {shape}, which are no pictures")
        picture = Image.open(io.BytesIO(content)).convert("L" if shape[0] == 1 else "RGB")
        pixels = np.asarray(picture.resize((shape[2], shape[1]))).reshape(*shape[1:], shape[0]).transpose(2, 0, 1)[None]
        if self.about["graphs"]["reconstruct"]["inputs"]["images"]["dtype"] == "uint8":
            return pixels
        black, white = self.about["black_and_white"] or (0, 1)
        return black + pixels / 255 * (white - black)

    def png(self, found, i=0):
        """Image `i` of what a decoder gave, as a PNG file."""
        if "pixels" in found:
            pixels = found["pixels"][i]
        else:
            black, white = self.about["black_and_white"] or (0, 1)
            shares = (found["x_hat"][i] - black) / (white - black)
            pixels = (shares.clip(0, 1) * 255).round().astype(np.uint8)
        content = io.BytesIO()
        Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(content, "png")
        return content.getvalue()


def answer(model, path, options, body):
    """The type and the content of what is given for a request.

    Raises:
        ValueError, KeyError: for one that makes no sense.
    """
    options = {name: int(value) for name, value in options.items()}
    label = {"label": [options["label"]]} if "label" in options else {}
    if path == "/":
        return "application/json", json.dumps(model.about).encode()
    if path == "/sample.png":
        if "seed" in options:
            return "image/png", model.png(model.draw(1, options["seed"], **label))
        found = model.samples()
        i = options.get("i", 0)
        if not 0 <= i < len(found["x_hat"]):
            raise ValueError(f"there are samples 0 to {len(found['x_hat']) - 1}")
        return "image/png", model.png(found, i)
    if path in ("/decode.png", "/decode_indices.png"):
        graph = "decoder" if path == "/decode.png" else "decode_indices"
        return "image/png", model.png(model.run(graph, **json.loads(body) | label))
    if path == "/reconstruct.png":
        return "image/png", model.png(model.run("reconstruct", images=model.read(body), **label))
    if path in ("/encode", "/score"):
        found = model.run("encoder" if path == "/encode" else "score", images=model.read(body), **label)
        return "application/json", json.dumps({name: x.tolist() for name, x in found.items()}).encode()
    raise KeyError(path)


def server(folder, port=8000, host="127.0.0.1"):
    """A server of the folder, not started yet."""
    model = Exported(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # as http.server calls it
            """Answer a request, with 400 and one sentence where it makes no sense."""
            try:
                address, length = urlsplit(self.path), int(self.headers.get("Content-Length", 0))
                if not 0 <= length <= MOST:
                    raise ValueError(f"a request has at most {MOST} bytes")
                kind, content = answer(model, address.path, dict(parse_qsl(address.query)), self.rfile.read(length))
                code = 200
            except KeyError:
                code, kind, content = 404, "text/plain", b"there is no such page"
            except Exception as error:  # whatever was sent, the server goes on
                code, kind, content = 400, "text/plain", str(error).encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  # as http.server calls it

        def log_message(self, *words):
            """Nothing."""

    return ThreadingHTTPServer((host, port), Handler)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--host", default="127.0.0.1")
    given = parser.parse_args()
    running = server(given.folder, given.port, given.host)
    print(f"http://{given.host}:{running.server_port}/")
    running.serve_forever()
