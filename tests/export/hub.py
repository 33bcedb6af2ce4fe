"""A hub on this machine: it takes repositories and commits as the Hugging Face hub does, and keeps what it was sent."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hub:
    """What was asked of the hub.

    `public` says whether repositories are so, whatever was asked for.
    `status` is what it answers to whoever wants to make a repository; `earlier` are files that are there already.
    """

    status: int = 200
    public: bool = False
    address: str = ""
    repositories: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    earlier: dict[str, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Address of the repository that was made last."""
        asked = self.repositories[-1]
        return f"{self.address}/datasets/{asked['organization']}/{asked['name']}"

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Status and document for one request."""
        if path == "/api/repos/create":
            self.repositories.append(json.loads(body))
            return self.status, {"url": self.url}
        if path.startswith("/api/datasets/") and path.count("/") == 4:
            asked = self.repositories[-1]
            private = asked.get("private", asked.get("visibility") == "private") and not self.public
            return self.status, {"id": path.removeprefix("/api/datasets/"), "private": private, "sha": "0", "tags": []}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path.endswith("/preupload/main"):
            files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
            return 200, {"files": [{**file, "shouldIgnore": False} for file in files]}
        if path.endswith("/commit/main"):
            for line in map(json.loads, body.splitlines()):
                self.deleted += [line["value"]["path"]] if line["key"] == "deletedFile" else []
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            return 200, {"commitUrl": f"{self.url}/commit/1", "commitOid": "1", "success": True}
        if path.endswith("/tree/main"):
            files = sorted({**self.files, **self.earlier})
            return 200, [{"type": "file", "path": name, "size": 1, "oid": "0"} for name in files]
        return 404, {}


@contextmanager
def hub_here(hub: Hub) -> Iterator[Hub]:
    """The hub, served at its `address` while the context lasts."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            hub.tokens.add(self.headers.get("Authorization", ""))
            status, document = hub.answer(self.path.partition("?")[0], body)
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
