"""The host and the path of a request, and the length of its body, as clients send them."""

import http.client
import json
import re
import socket

import pytest

from tests.client import MEDIA_TYPE
from tests.serving.processes import PATIENCE

API = "/api/v1"
USERS = f"{API}/users"
HOST = "Host: x\r\n"
LIVEZ = f"GET /livez HTTP/1.1\r\n{HOST}\r\n"
LAST = f"GET /livez HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def service(database):
    with database.running(allowed_hosts="x api.example.com *.example.org 127.0.0.1") as started:
        yield started


def ask(service, head: str) -> tuple[http.client.HTTPResponse, dict]:
    """Send the lines of a request as they are; return the response and its document."""
    with service.connect() as connection:
        connection.sendall(f"{head}\r\n".encode("latin-1"))
        response = http.client.HTTPResponse(connection, method=head.split()[0])
        response.begin()
        body = response.read()
        return response, json.loads(body) if body else {}


def get(service, target: str, headers: str = HOST, method: str = "GET", version: str = "1.1"):
    return ask(service, f"{method} {target} HTTP/{version}\r\n{headers}")


def check_refusal(answer, status: int, code: str, header: str | None = None) -> None:
    response, document = answer
    (error,) = document["errors"]
    assert (response.status, error["status"], error["code"]) == (status, str(status), code)
    assert error.get("source") == (header and {"header": header})
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert response.headers["Cache-Control"] == "no-store"
    assert "links" not in document  # which would be made of a host that is refused


HOST_FAULTS = [
    "",
    "Host:\r\n",
    "Host: x\r\nHost: x\r\n",
    "Host: x\r\nhost: evil.example\r\n",
    "Host: a b\r\n",
    "Host: a/b\r\n",
    "Host: user@x\r\n",
    "Host: x,x\r\n",
    "Host: http://x\r\n",
    "Host: [::1\r\n",
    "Host: [::g]\r\n",
    "Host: [fe80::1%25eth0]\r\n",
    "Host: ::1\r\n",
    "Host: x:99999\r\n",
    "Host: x:0\r\n",
    "Host: x:abc\r\n",
    "Host: x:80:80\r\n",
    "Host: :80\r\n",
    "Host: a..b\r\n",
    "Host: .x\r\n",
    "Host: b\xfccher.example\r\n",
    f"Host: {'x' * 300}\r\n",
]


@pytest.mark.parametrize("path", [API, "/livez", "/readyz", "/nowhere"])
@pytest.mark.parametrize("headers", HOST_FAULTS)
def test_a_request_names_one_host(service, headers, path):
    check_refusal(get(service, path, headers), 400, "invalid_host", "Host")


@pytest.mark.parametrize("host", ["evil.example", "x.example", "example.org", "[::1]", "127.0.0.2"])
def test_only_allowed_hosts_are_answered_for(service, host):
    headers = f"Host: {host}\r\n"
    check_refusal(get(service, USERS, headers), 400, "invalid_host", "Host")
    check_refusal(get(service, "/nowhere", headers), 400, "invalid_host", "Host")
    assert get(service, "/livez", headers)[1] == {"status": "ok"}
    assert get(service, "/readyz", headers)[1] == {"status": "ok"}


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("x", "x"),
        ("X:8080", "x:8080"),
        ("x:", "x"),
        ("x:80", "x"),
        ("api.example.com.", "api.example.com"),
        ("a.b.example.org:08080", "a.b.example.org:8080"),
    ],
)
def test_links_are_made_of_the_host_in_one_spelling(service, host, shown):
    _, document = get(service, API, f"Host: {host}\r\n")
    assert document["links"]["self"] == f"http://{shown}{API}"


def test_a_request_of_http_1_0_needs_a_host_where_links_are_made(service):
    check_refusal(get(service, API, "", version="1.0"), 400, "invalid_host", "Host")
    assert get(service, "/livez", "", version="1.0")[1] == {"status": "ok"}
    assert get(service, API, version="1.0")[1]["links"]["self"] == f"http://x{API}"


@pytest.mark.parametrize("headers", [HOST, "Host: evil.example\r\n"])
def test_the_host_of_an_absolute_target_wins(service, headers):
    for target in (f"http://api.example.com{API}", f"HTTP://API.example.com:80{API}"):
        _, document = get(service, target, headers)
        assert document["links"]["self"] == f"http://api.example.com{API}"
    _, document = get(service, f"http://api.example.com:8080{USERS}?page[size]=1", headers)
    assert document["links"]["self"].startswith("http://api.example.com:8080/api/v1/users?page")
    assert document["data"]


@pytest.mark.parametrize(
    ("method", "target", "headers", "code", "header"),
    [
        ("GET", f"http://evil.example{API}", HOST, "invalid_host", "Host"),
        ("GET", f"http://user@x{API}", HOST, "invalid_host", None),
        ("GET", f"http://{API}", HOST, "invalid_host", None),
        ("GET", f"http://x:99999{API}", HOST, "invalid_host", None),
        ("GET", f"http://x{API}", "", "invalid_host", "Host"),
        ("GET", f"http://x{API}", "Host: a b\r\n", "invalid_host", "Host"),
        ("GET", f"https://x{API}", HOST, "bad_request", None),
        ("GET", f"ftp://x{API}", HOST, "bad_request", None),
        ("GET", f"http:{API}", HOST, "bad_request", None),
        ("GET", "livez", HOST, "bad_request", None),
        ("GET", "?page[size]=1", HOST, "bad_request", None),
        ("GET", "/live\tz", HOST, "bad_request", None),
        ("GET", "*", HOST, "bad_request", None),
        ("OPTIONS", "*?x", HOST, "bad_request", None),
        ("CONNECT", "x:80", HOST, "bad_request", None),
    ],
)
def test_a_target_is_a_path_or_a_url_of_this_server(service, method, target, headers, code, header):
    check_refusal(get(service, target, headers, method), 400, code, header)


def test_a_refusal_of_head_has_no_body(service):
    with service.connect() as connection:
        connection.sendall(b"HEAD /livez HTTP/1.1\r\n\r\n")
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert body == b""


def test_options_of_the_server_as_a_whole(service):
    response, document = get(service, "*", method="OPTIONS")
    assert (response.status, document) == (204, {})
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST"
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/users", 200),
        ("/api/v1/users/{id}", 200),
        ("/api/v1/users%2Ejson", 200),
        ("/api/v1/%75sers", 200),
        ("/api/v1/users?sort=name&fields[users]=name%2Femail", 400),
        ("/api/v1%2Fusers", 404),
        ("/api%2fv1/users", 404),
        ("/%2Fapi/v1/users", 404),
        ("http://x/api/v1%2Fusers", 404),
        ("/api/v1/users%2F{id}", 404),
        ("/api/v1/users/%2F{id}", 404),
        ("/api/v1/users/{id}%2Fgroups", 404),
        ("/api/v1/users%252F{id}", 404),
        ("//api/v1/users", 404),
        ("/api//v1/users", 404),
        ("/api/v1/groups/%2e%2e/users", 404),
        ("/api/v1/groups/../users", 404),
        ("/api/v1/users;x=1", 404),
        ("/api/v1/users%3Bx=1", 404),
        ("/api/v1/users%5C{id}", 404),
        ("/api/v1/users%3Fsort=name", 404),
        ("/livez%00", 404),
        ("/livez%2F", 404),
    ],
)
def test_an_encoded_character_of_a_path_does_not_divide_it(service, path, status):
    response, _ = get(service, path.replace("{id}", service.first_id()))
    assert response.status == status


def exchange(service, sent: str, piece: int = 1000) -> bytes:
    """Everything that is sent in answer to these bytes until the connection is closed."""
    with service.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(sent), piece):
            connection.sendall(sent[start : start + piece].encode())
        connection.settimeout(PATIENCE)
        return connection.makefile("rb").read()


CHUNKED = "5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize("length", ["5", "1000", "5, 6", "many"])
def test_two_lengths_of_one_body_end_the_connection(service, length):
    """The chunks count (RFC 9112 §6.3)."""
    headers = f"{HOST}Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n"
    sent = exchange(service, f"GET /livez HTTP/1.1\r\n{headers}{CHUNKED}{LIVEZ}")
    assert sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in sent
    assert sent.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        ("1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", 400),
        ("1.2", "Transfer-Encoding: chunked\r\n", 400),
        ("1.1", "Transfer-Encoding: chunked, chunked\r\n", 400),
        ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        ("1.1", "Transfer-Encoding: chunked\r\n , chunked\r\n", 400),
        ("1.1", "Transfer-Encoding:\r\nContent-Length: 15\r\n", 400),
        ("1.1", "Transfer-Encoding: gzip, chunked\r\n", 501),
        ("1.1", "Transfer-Encoding: identity\r\n", 501),
        ("1.1", "Content-Length: 15\r\nContent-Length: 15\r\n", 400),
        ("1.1", "Content-Length: 15\r\nContent-Length: 16\r\n", 400),
        ("1.1", "Content-Length: 15,15\r\n", 400),
        ("1.1", "Content-Length: +15\r\n", 400),
        ("1.1", "Content-Length: -15\r\n", 400),
        ("1.1", "Content-Length: 0xf\r\n", 400),
        ("1.1", "Content-Length:\r\n", 400),
    ],
)
def test_a_length_that_servers_do_not_agree_on_is_refused(service, version, headers, status):
    sent = exchange(service, f"GET /livez HTTP/{version}\r\n{HOST}{headers}\r\n{CHUNKED}{LIVEZ}")
    assert re.findall(rb"HTTP/1\.\d (\d+) ", sent) == [str(status).encode()]
    assert re.findall(rb"Connection: ([\w-]+)", sent) == [b"close"]
    code = {400: b"bad_request", 501: b"not_implemented"}[status]
    assert b'"code":"%s"' % code in sent


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        (f"POST {USERS}", "Content-Length: 5\r\n", 400),  # without a Host
        (f"POST {USERS}", f"{HOST}Content-Length: many\r\n", 400),
        (f"POST {USERS}", f"{HOST}Content-Length: 99999999\r\n", 413),
        (f"POST {USERS}", f"{HOST}Content-Length: 0\r\n", 400),
        (f"POST {USERS}", HOST, 400),
        ("GET /livez", HOST, 200),
    ],
)
def test_a_request_whose_body_does_not_matter_is_not_asked_for_it(service, line, headers, status):
    response, _ = ask(service, f"{line} HTTP/1.1\r\n{headers}Expect: 100-continue\r\n")
    assert response.status == status


@pytest.mark.parametrize(
    ("version", "option", "answers"),
    [
        ("1.1", "TE, close", 1),  # as libwww-perl sends
        ("1.1", "x,CLOSE ,", 1),
        ("1.1", "keep-alive, close", 1),
        ("1.1", "closed", 2),
        ("1.0", "x, Keep-Alive", 2),
        ("1.0", "x", 1),
    ],
)
def test_each_option_of_the_connection_counts(service, version, option, answers):
    first = f"GET /livez HTTP/{version}\r\n{HOST}Connection: {option}\r\n\r\n"
    assert len(re.findall(rb"HTTP/1.\d 200", exchange(service, f"{first}{LAST}"))) == answers


def test_a_request_that_expects_to_be_asked_for_no_body_does_not_take_the_next_one(service):
    first = f"GET /livez HTTP/1.1\r\n{HOST}Expect: 100-continue\r\n\r\n"
    sent = exchange(service, f"{first}{LAST}")
    assert re.findall(rb"HTTP/1.1 (\d+)", sent) == [b"200", b"200"]


@pytest.mark.parametrize("piece", [1, 1000])
@pytest.mark.parametrize(
    ("chunks", "statuses"),
    [
        ("2\r\n{}\r\n0\r\n\r\n", [b"200", b"200"]),
        ("1;a\r\n{\r\n01;b=c\r\n}\r\n0\r\nX-Name: a\r\n\r\n", [b"200", b"200"]),
        ("2\n\r\n{}\r\n0\r\n\r\n", [b"400"]),
        ("2;a\n\r\n{}\r\n0\r\n\r\n", [b"400"]),
        ("2\r\n{}\r\n0\n\r\n\r\n", [b"400"]),
        ("\r\n2\r\n{}\r\n0\r\n\r\n", [b"400"]),
        ("2\r\n{}\r\n\r\n0\r\n\r\n", [b"400"]),
        ("2\n{}\n0\n\n", [b"400"]),
    ],
)
def test_the_size_of_a_chunk_is_a_line_that_servers_agree_on(service, chunks, statuses, piece):
    head = f"GET /livez HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n"
    sent = exchange(service, f"{head}{chunks}{LAST}", piece)
    assert re.findall(rb"HTTP/1.1 (\d+)", sent) == statuses


def test_the_connection_is_closed_before_the_body_of_a_refused_request_is_read(service):
    with service.connect() as connection:
        connection.sendall(f"POST {USERS} HTTP/1.1\r\nContent-Length: 10\r\n\r\n".encode())
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400 ")
        connection.shutdown(socket.SHUT_WR)
