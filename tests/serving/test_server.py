"""The real server: pserve with each ini file, over a socket."""

import http.client
import json
import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from waitress import wasyncore
from waitress.server import create_server

from tests import engines
from tests.client import MEDIA_TYPE, user
from tests.server import ROOT, process, pserve, refused
from users_service.database.migrations import upgrade
from users_service.serving.dispatcher import Dispatcher
from users_service.serving.server import adapt
from users_service.serving.stop import Stop


class Http:
    """Plain HTTP to one server, a connection for each request."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.netloc = urlsplit(address).netloc

    def request(self, method: str, path: str, document=None, headers=None):
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        body = None if document is None else json.dumps(document).encode()
        content_type = {} if document is None else {"Content-Type": MEDIA_TYPE}
        connection.request(method, path, body, content_type | (headers or {}))
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        response.document = json.loads(response.body) if response.body else None
        return response

    def raw(self, data: bytes) -> tuple[int, dict, dict]:
        """Send bytes as they are; return the status, the headers and the document."""
        host, port = self.netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(data)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status, dict(response.headers), json.loads(response.read())


@pytest.fixture(scope="module", params=["development.ini", "production.ini"])
def server(request, tmp_path_factory):
    """A service as each ini file describes it: SQLite in var/, or PostgreSQL by environment."""
    folder = tmp_path_factory.mktemp("server")
    ini = Path(shutil.copy(ROOT / request.param, folder))
    environ = {}
    with ExitStack() as stack:
        if request.param == "production.ini":
            name = f"test_{uuid4().hex}"
            environ = {
                "USERS_SERVICE_DATABASE_URL": stack.enter_context(
                    engines.database("postgresql", name, folder)
                ),
                "USERS_SERVICE_ALLOWED_HOSTS": "127.0.0.1 localhost api.example.com",
                "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "users:*",
            }
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in environ.items():
                patch.setenv(variable, value)
            upgrade(str(ini))
        yield Http(stack.enter_context(pserve(ini, environ)))


@pytest.fixture
def trusts_proxy(server, request) -> bool:
    return request.node.callspec.params["server"] == "production.ini"


def test_the_five_requests_of_the_tutorial(server):
    created = server.request(
        "POST",
        "/api/v1/users.json",
        user(email=f"{uuid4().hex}@example.com", name="Ada"),
    )
    assert created.status == 201
    id = created.document["data"]["id"]
    assert created.headers["Location"] == f"{server.address}/api/v1/users/{id}"

    listed = server.request("GET", "/api/v1/users.json?page[size]=1000")
    assert listed.status == 200
    assert id in {user["id"] for user in listed.document["data"]}

    path = f"/api/v1/users/{id}.json"
    read = server.request("GET", path)
    assert read.document == created.document
    assert read.document["links"]["self"] == f"{server.address}/api/v1/users/{id}"

    changed = server.request("PATCH", path, user(id, name="Lovelace"))
    assert changed.document["data"]["attributes"]["name"] == "Lovelace"

    assert server.request("DELETE", path).status == 204
    assert server.request("GET", path).status == 404


def check_refusal(answer: tuple[int, dict, dict], status: int, code: str) -> None:
    found, headers, document = answer
    (error,) = document["errors"]
    assert (found, error["status"], error["code"]) == (status, str(status), code)
    assert headers["Content-Type"] == MEDIA_TYPE
    assert headers["Cache-Control"] == "no-store"
    assert headers["Vary"] in ("Accept", "Accept, Authorization, Cookie")
    assert error["id"] == headers.get("X-Request-Id", headers.get("X-Request-ID"))


HOST = "Host: localhost\r\n"


def post(headers: str, body: bytes = b"") -> bytes:
    head = f"POST /api/v1/users HTTP/1.1\r\n{HOST}Content-Type: {MEDIA_TYPE}\r\n{headers}\r\n"
    return head.encode() + body


MEGABYTE = 1 << 20


def test_a_body_over_the_limit_is_refused_by_the_application(server):
    body = b" " * (MEGABYTE + 1)
    check_refusal(server.raw(post(f"Content-Length: {len(body)}\r\n", body)), 413, "body_too_large")
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    check_refusal(
        server.raw(post("Transfer-Encoding: chunked\r\n", chunked)), 413, "body_too_large"
    )


def test_a_body_far_over_the_limit_is_refused_while_it_is_still_sent(server):
    body = b" " * (20 * MEGABYTE)
    check_refusal(server.raw(post(f"Content-Length: {len(body)}\r\n", body)), 413, "body_too_large")
    chunked = (b"10000\r\n%s\r\n" % (b" " * 65536)) * 320 + b"0\r\n\r\n"
    check_refusal(
        server.raw(post("Transfer-Encoding: chunked\r\n", chunked)), 413, "body_too_large"
    )


def test_a_length_that_promises_too_much_is_refused_at_once(server):
    check_refusal(server.raw(post("Content-Length: 9999999999\r\n", b"{}")), 413, "body_too_large")


def test_a_length_that_promises_too_little_stores_nothing(server):
    body = json.dumps(user(email=f"{uuid4().hex}@example.com", name="Ada")).encode()
    check_refusal(server.raw(post("Content-Length: 20\r\n", body)), 400, "invalid_json")


@pytest.mark.conformance("CN-02")
@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"no HTTP at all\r\n\r\n", 400, "bad_request"),
        (post("Content-Length: many\r\n"), 400, "bad_request"),
        (post("Transfer-Encoding: gzip\r\n"), 501, "not_implemented"),
        (post("Transfer-Encoding: chunked\r\n", b"no chunk\r\n"), 400, "bad_request"),
        (post("X-Long: " + "x" * 70_000 + "\r\n"), 431, "headers_too_large"),
        (f"GET /%ff HTTP/1.1\r\n{HOST}\r\n".encode(), 400, "bad_request"),
        (f"GET /api/v1/users/%00 HTTP/1.1\r\n{HOST}\r\n".encode(), 404, "not_found"),
    ],
)
def test_what_is_refused_below_the_application_is_an_errors_document(
    server, request_bytes, status, code
):
    check_refusal(server.raw(request_bytes), status, code)


def test_one_connection_serves_many_requests(server):
    connection = http.client.HTTPConnection(server.netloc, timeout=30)
    for _ in range(3):
        connection.request("GET", "/api/v1/users")
        response = connection.getresponse()
        assert response.status == 200
        assert json.loads(response.read())
    connection.close()


def test_forwarded_headers_are_believed_from_a_trusted_proxy_alone(server, trusts_proxy):
    forwarded = {"X-Forwarded-Host": "api.example.com", "X-Forwarded-Proto": "https"}
    document = server.request("GET", "/api/v1/users", headers=forwarded).document
    expected = "https://api.example.com" if trusts_proxy else server.address
    assert document["links"]["self"] == f"{expected}/api/v1/users"


def test_production_does_not_start_without_a_database():
    said = refused(ROOT / "production.ini", {"USERS_SERVICE_PAGE_SIZE": "many"})
    assert "USERS_SERVICE_DATABASE_URL) is required" in said
    assert "USERS_SERVICE_PAGE_SIZE) must be a whole number" in said
    assert "Traceback" not in said


def test_production_does_not_start_before_the_migrations(tmp_path):
    with engines.database("postgresql", f"test_{uuid4().hex}", tmp_path) as url:
        said = refused(ROOT / "production.ini", {"USERS_SERVICE_DATABASE_URL": url})
    assert "Run: alembic -c <your ini file> upgrade head" in said
    assert "Traceback" not in said


def test_production_grants_nothing_to_requests_without_a_token(tmp_path):
    ini = Path(shutil.copy(ROOT / "production.ini", tmp_path))
    with (
        engines.database("postgresql", f"test_{uuid4().hex}", tmp_path) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("USERS_SERVICE_DATABASE_URL", url)
        upgrade(str(ini))
        with pserve(ini, {}) as address:
            http_client = Http(address)
            assert http_client.request("GET", "/api/v1/users").status == 401
            assert http_client.request("GET", "/readyz").status == 200


def test_two_processes_serve_on_one_port(tmp_path):
    ini = Path(shutil.copy(ROOT / "development.ini", tmp_path))
    upgrade(str(ini))
    with ExitStack() as first, ExitStack() as second:
        shared = "http_port=0", "reuse_port=true"
        address = first.enter_context(pserve(ini, {}, options=shared))
        port = urlsplit(address).port
        options = f"http_port={port}", "reuse_port=true"
        assert second.enter_context(pserve(ini, {}, options=options)) == address
        assert Http(address).request("GET", "/livez").status == 200
        first.close()  # whoever is left serves alone
        for _ in range(10):
            assert Http(address).request("GET", "/livez").status == 200


@pytest.mark.parametrize(("limit", "accepted"), [(100, 5), (4, 2)])
def test_connections_that_wait_are_accepted_together(limit, accepted):
    sockets = {}
    server = create_server(
        lambda _environ, _start_response: [],
        map=sockets,
        listen="127.0.0.1:0",
        connection_limit=limit,
        _dispatcher=Dispatcher(1),
    )
    adapt(server, Stop(0), 60)
    address = server.effective_host, server.effective_port
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection(address))
        server.handle_accept()
        assert len(server.active_channels) == accepted  # the server and its trigger count as well
        wasyncore.close_all(sockets)


def test_a_process_is_kept_on_a_core(tmp_path):
    cores = sorted(os.sched_getaffinity(0))
    text = (ROOT / "development.ini").read_text(encoding="utf-8")
    ini = tmp_path / "development.ini"
    ini.write_text(text.replace("[server:main]\n", f"[server:main]\ncpu = {cores[0]}\n"))
    upgrade(str(ini))
    with process(ini, {}) as (_, found):
        assert os.sched_getaffinity(found.pid) == {cores[0]}
    # The command line wins; without both it is one core.
    for option, expected in ((f"cpu={cores[-1]}", {cores[-1]}), ("cpu=any", set(cores))):
        with process(ini, {}, options=("http_port=0", option)) as (_, found):
            assert os.sched_getaffinity(found.pid) == expected
    ini.write_text(text)
    with process(ini, {}) as (_, found):
        assert len(os.sched_getaffinity(found.pid)) == 1


@pytest.mark.parametrize("cpu", ["4096", "-1", "first"])
def test_a_core_that_is_not_there_is_refused_in_one_sentence(cpu):
    said = refused(ROOT / "development.ini", {}, f"cpu={cpu}")
    assert said.startswith(f"cpu = {cpu}: must be any, or one of the cores 0")
    assert said.count("\n") == 1
