"""A small Hugging Face Hub on this machine: the endpoints with which huggingface_hub makes a repository, commits to it, lists
it and reads from it. It keeps what was asked of it."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse

import yaml

TOKEN = "hf_writes"


class Hub:
    """Repositories by name, each a list of commits: {path: bytes}, the newest last."""

    def __init__(self) -> None:
        self.repositories: dict[str, list[dict[str, bytes]]] = {}
        self.large: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.refuse_commits = False

    @staticmethod
    def sha(name: str, number: int) -> str:
        return hashlib.sha1(f"{name}{number}".encode()).hexdigest()

    def at(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commits = self.repositories.get(name)
        if commits is None:
            return None
        shas = [self.sha(name, i) for i in range(len(commits))]
        number = len(commits) - 1 if revision == "main" else shas.index(revision) if revision in shas else None
        return None if number is None else (shas[number], commits[number])


def card_errors(content: str) -> list[str]:
    """What is wrong with the head of a card, as the Hub and huggingface_hub's own parser see it."""
    from huggingface_hub.repocard_data import model_index_to_eval_results

    found = re.match(r"---\n(.*?)\n---\n", content, re.S)
    if not found:
        return ["there is no metadata"]
    head = yaml.safe_load(found[1])
    if "license" in head and not re.fullmatch(r"[a-z0-9.+-]+", head["license"]):
        return ["license is unknown"]
    try:
        if "model-index" in head:
            model_index_to_eval_results(head["model-index"])
    except (KeyError, TypeError, ValueError) as error:
        return [f"model-index: {error!r}"]
    return []


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, value: Any = None, code: int = 200, **headers: str) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(code)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def refuse(self, code: int, kind: str) -> None:
        self.answer({"error": kind}, code, X_Error_Code=kind, X_Error_Message=kind)

    @property
    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def may_write(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def do_POST(self) -> None:
        path, body = unquote(urlparse(self.path).path), self.body
        self.hub.asked.append(f"POST {path}")
        if path == "/api/validate-yaml":
            errors = card_errors(json.loads(body)["content"])
            return self.answer({"errors": [{"message": e} for e in errors], "warnings": []}, 400 if errors else 200)
        if not self.may_write():
            return self.refuse(401, "Unauthorized")
        if path == "/api/repos/create":
            told = json.loads(body)
            name = f"{told['organization']}/{told['name']}"
            there = name in self.hub.repositories
            self.hub.repositories.setdefault(name, [{}])
            return self.answer({"url": f"http://{self.headers['Host']}/{name}"}, 409 if there else 200)
        if found := re.fullmatch(r"/(.+)\.git/info/lfs/objects/batch", path):
            objects = []
            for one in json.loads(body)["objects"]:
                upload = {"href": f"http://{self.headers['Host']}/lfs/{one['oid']}"}
                objects.append({**one, "actions": {"upload": upload}})
            return self.answer({"objects": objects, "transfer": "basic"})
        if found := re.fullmatch(r"/api/models/(.+)/preupload/main", path):
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            return self.answer({"files": files})
        if found := re.fullmatch(r"/api/models/(.+)/commit/main", path):
            if self.hub.refuse_commits:
                return self.refuse(500, "Broken")
            return self.commit(found[1], [json.loads(line) for line in body.splitlines()])
        return self.refuse(404, "NotFound")

    def commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        files = dict(self.hub.repositories[name][-1])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        self.hub.repositories[name].append(files)
        sha = self.hub.sha(name, len(self.hub.repositories[name]) - 1)
        self.answer({"commitUrl": f"http://{self.headers['Host']}/{name}/commit/{sha}", "commitOid": sha})

    def do_PUT(self) -> None:
        oid, body = self.path.rpartition("/")[2], self.body
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.asked.append("PUT lfs")
        self.hub.large[oid] = body
        self.answer()

    def do_GET(self) -> None:
        path = unquote(urlparse(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            there = self.hub.at(found[1], found[2] or "main")
            if there is None:
                known = found[1] in self.hub.repositories
                return self.refuse(404, "RevisionNotFound" if known else "RepoNotFound")
            siblings = [{"rfilename": name} for name in there[1]]
            return self.answer({"id": found[1], "sha": there[0], "siblings": siblings, "private": False, "tags": []})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)/?", path):
            there = self.hub.at(found[1], found[2])
            if there is None:
                return self.refuse(404, "RepoNotFound")
            return self.answer(
                [
                    {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for name, content in there[1].items()
                ]
            )
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            there = self.hub.at(found[1], found[2])
            if there is None or found[3] not in there[1]:
                return self.refuse(404, "EntryNotFound")
            content = there[1][found[3]]
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            return self.answer(content, X_Repo_Commit=there[0], ETag=etag)
        return self.refuse(404, "NotFound")

    do_HEAD = do_GET  # noqa: N815  # as http.server calls it


@contextmanager
def served() -> Iterator[tuple[Hub, str]]:
    """A hub, and its address, inside the block."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Answers,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
