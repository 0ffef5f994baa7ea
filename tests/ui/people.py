"""A service with many made-up people, in a process of its own, and a line to it that can fail."""

import http.client
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from tests.client import API, MEDIA_TYPE
from tests.server import ROOT, pserve
from users_service.database.migrations import upgrade

Json = Any
# What becomes of a batch: it is passed on; passed on, and its answer is lost; lost itself; refused,
# since the service is busy; or given up by the sender, and passed on with the next batch.
Fate = Literal["pass", "lose the answer", "lose", "refuse", "delay"]

ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'


@contextmanager
def serving(folder: Path, users: int = 0, environ: dict[str, str] | None = None) -> Iterator[str]:
    """Serve from an empty folder, where everybody may do everything; yields the address.

    :param users: how many there are at the start.
    :param environ: settings.
    """
    ini = Path(shutil.copy(ROOT / "development.ini", folder))
    upgrade(str(ini))
    if users:
        command = Path(sys.executable).with_name("users-service")
        numbers = ("--users", str(users), "--groups", "5")
        subprocess.run([command, "seed", ini, *numbers], check=True, capture_output=True)
    with pserve(ini, environ or {}) as address:
        yield address


def call(address: str, method: str, path: str, document: Json = None, **query: str) -> Json:
    """Send a request to the API, which has to succeed; returns the document of the answer."""
    headers = {"Accept": MEDIA_TYPE}
    if document is not None:
        headers["Content-Type"] = ATOMIC if path == "/operations" else MEDIA_TYPE
        headers["Accept"] = headers["Content-Type"]
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    body = None if document is None else json.dumps(document)
    connection.request(method, f"{API}{path}?{urlencode(query)}", body, headers)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    assert response.status < 300, answer
    return json.loads(answer) if answer else None


def rows_of(address: str, type: str, **query: str) -> list[Json]:
    """The resource objects of the first page, with their tags."""
    return call(address, "GET", f"/{type}", **{"page[size]": "1000", **query})["data"]


def add(address: str, type: str, many: list[Json]) -> list[Json]:
    """Create resources with these attributes; returns them with their tags."""
    made = []
    for start in range(0, len(many), 100):
        operations = [
            {"op": "add", "data": {"type": type, "attributes": each}}
            for each in many[start : start + 100]
        ]
        results = call(address, "POST", "/operations", {"atomic:operations": operations})
        made += [result["data"]["id"] for result in results["atomic:results"]]
    found = [
        row
        for start in range(0, len(made), 100)
        for row in rows_of(address, type, **{"filter[id]": ",".join(made[start : start + 100])})
    ]
    return sorted(found, key=lambda row: made.index(row["id"]))


def total_of(address: str, type: str, **query: str) -> int:
    query |= {"page[size]": "1", "page[total]": "true"}
    return call(address, "GET", f"/{type}", **query)["meta"]["page"]["total"]


def rename(address: str, row: Json, name: str) -> None:
    data = {"type": row["type"], "id": row["id"], "attributes": {"name": name}}
    call(address, "PATCH", f"/{row['type']}/{row['id']}", {"data": data})


def delete(address: str, row: Json) -> None:
    call(address, "DELETE", f"/{row['type']}/{row['id']}")


@dataclass
class Line:
    """A line to a service.

    :param address: its end on our side.
    :param fates: of the next batches; those after them are passed on.
    :param sizes: how many operations each batch had that was sent.
    :param times: when it was sent, in seconds of a monotonic clock.
    """

    address: str = ""
    fates: list[Fate] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def clear(self) -> None:
        self.fates, self.sizes, self.times = [], [], []


@contextmanager
def line_to(address: str) -> Iterator[Line]:
    """Run a proxy to a service until the block ends."""
    line = Line()

    late: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.close_connection = True
            fate: Fate = "pass"
            if self.command == "POST" and self.path == f"{API}/operations":
                line.times.append(time.monotonic())
                line.sizes.append(len(json.loads(self.body)["atomic:operations"]))
                fate = line.fates.pop(0) if line.fates else "pass"
                while late:
                    late.pop().answer_of_service()
            if fate == "refuse":
                self.answer(503, [("Retry-After", "7"), ("Content-Length", "0")], b"")
            elif fate == "delay":
                late.append(self)
            elif fate != "lose":
                answer = self.answer_of_service()
                if fate == "pass":
                    self.answer(*answer)

        def answer_of_service(self) -> tuple[int, list[tuple[str, str]], bytes]:
            service = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
            service.request(self.command, self.path, self.body or None, dict(self.headers))
            response = service.getresponse()
            content = response.read()
            service.close()
            return response.status, response.getheaders(), content

        def answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("connection", "keep-alive"):
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = pass_on  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        line.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield line
        finally:
            server.shutdown()
            thread.join()
