"""Published JSON:API clients, unmodified, against a running service: kitsu and jsonapi-client."""

import http.client
import json
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.clients.programs import installed, must, node_packages, run, serving

HERE = Path(__file__).parent
# Connection headers are about one hop (RFC 9110 §7.6.1), and the body's length is told anew.
OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}

SEEN = {
    "created": {"email": "ada@example.com", "is_active": False},
    "listed": ["Ada", "Grace", "Mary"],
    "pages": [["Ada", "Grace"], ["Mary"]],
    "filtered": ["Grace"],
    "updated": "Ada Lovelace",
    "related": {"role": "Editors", "groups": ["Press", "Staff"]},
    "unrelated": {"role": None, "groups": ["Press"]},
    "left": ["Grace", "Mary"],
}


class Exchange(NamedTuple):
    """What a client sent, and the status and body of the answer."""

    method: str
    path: str
    sent: str
    status: int
    answer: str


class Ran(NamedTuple):
    """A client's work: how it ended, what it printed and complained about, all its exchanges."""

    status: int
    printed: str
    complaint: str
    exchanges: list[Exchange]


@contextmanager
def recording(address: str) -> Iterator[tuple[str, list[Exchange]]]:
    """Stand before a service and note what passes; yields the address to use and the notes."""
    exchanges: list[Exchange] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            service = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in OF_ONE_HOP}
            service.request(self.command, self.path, body or None, headers)
            response = service.getresponse()
            answer = response.read()
            service.close()
            exchanges.append(
                Exchange(self.command, self.path, body.decode(), response.status, answer.decode())
            )
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in OF_ONE_HOP:
                    self.send_header(name, value)
            if response.status != 204:
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = do_DELETE = pass_on  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass  # the notes are the log

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", exchanges
        finally:
            server.shutdown()
            thread.join()


def install_python(folder: Path) -> None:
    must([sys.executable, "-m", "venv", folder], folder)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install"]
    must([*pip, "--no-deps", "--requirement", HERE / "python" / "requirements.txt"], folder)


def javascript(config: pytest.Config) -> list[str | Path]:
    """The command of kitsu's program."""
    folder = node_packages(HERE / "javascript", config)
    # Node looks for packages beside a program and above it.
    return ["node", shutil.copy(HERE / "javascript" / "drive.mjs", folder)]


def python(config: pytest.Config) -> list[str | Path]:
    """The command of jsonapi-client's program."""
    folder = installed(HERE / "python" / "requirements.txt", install_python, config)
    return [folder / "bin" / "python", HERE / "python" / "drive.py"]


@pytest.fixture(
    scope="module",
    params=[pytest.param(javascript, marks=pytest.mark.clients), python],
    ids=["javascript", "python"],
)
def ran(request, tmp_path_factory) -> Ran:
    """What a client did with a service of development.ini, through its program beside this file."""
    command = request.param(request.config)
    folder = tmp_path_factory.mktemp("clients")
    with serving(folder) as address, recording(address) as (recorded, exchanges):
        ended = run([*command, f"{recorded}/api/v1"], folder)
    return Ran(*ended, exchanges)


def test_the_service_refuses_nothing_that_a_client_sends(ran):
    assert [exchange for exchange in ran.exchanges if exchange.status >= 400] == []


@pytest.mark.conformance("OB-04")
def test_a_client_gets_its_work_done(ran):
    assert ran.status == 0, ran.complaint
    assert json.loads(ran.printed) == SEEN


def test_a_client_uses_every_method(ran):
    assert {exchange.method for exchange in ran.exchanges} == {"GET", "POST", "PATCH", "DELETE"}
