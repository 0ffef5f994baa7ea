"""Forwarded headers: of a chain the right value counts, and what cannot be read is refused."""

import http.client
import json
import socket

import pytest
from waitress import wasyncore
from waitress.server import create_server

from tests.client import MEDIA_TYPE
from users_service.serving.server import adapt
from users_service.serving.stop import Stop

SHOWN = ("wsgi.url_scheme", "HTTP_HOST", "REMOTE_ADDR")
X_FORWARDED = "x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port"
OURS = ["http", "x", "127.0.0.1"]


def show(environ, start_response):
    """Answer with what waitress has made of the headers."""
    body = json.dumps([environ[name] for name in SHOWN]).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def ask(headers: str, **arguments: str) -> tuple[http.client.HTTPResponse, list | dict]:
    """Send a request with further header lines to a server with these arguments of waitress."""
    sockets, tasks = {}, []
    dispatcher = type("Dispatcher", (), {"add_task": tasks.append})
    server = create_server(
        show, map=sockets, listen="127.0.0.1:0", ident="", _dispatcher=dispatcher, **arguments
    )
    adapt(server, Stop(0), 60)
    try:
        address = server.effective_host, int(server.effective_port)
        with socket.create_connection(address, timeout=5) as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode("latin-1"))
            while not tasks:
                wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)
            tasks.pop().service()
            wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=2)
            response = http.client.HTTPResponse(client)
            response.begin()
            return response, json.loads(response.read())
    finally:
        wasyncore.close_all(sockets)


def behind(headers: str, count: int = 1, trusted: str = X_FORWARDED):
    """Ask as a trusted proxy does."""
    options = {"trusted_proxy": "127.0.0.1", "trusted_proxy_headers": trusted}
    return ask(headers, trusted_proxy_count=str(count), **options)


def lines(**headers: str) -> str:
    """Header lines `X-Forwarded-…`."""
    return "".join(f"X-Forwarded-{name}: {value}\r\n" for name, value in headers.items())


@pytest.mark.parametrize(
    ("headers", "count", "expected"),
    [
        (lines(Proto="https"), 1, ["https", "x", "127.0.0.1"]),
        (lines(Proto="https,http"), 1, OURS),
        (lines(Proto="https,http"), 2, ["https", "x", "127.0.0.1"]),
        (lines(Proto="http") + lines(Proto="HTTPS"), 1, ["https", "x", "127.0.0.1"]),
        (lines(Proto="ftp, https ,"), 1, ["https", "x", "127.0.0.1"]),
        (lines(Proto="https"), 3, ["https", "x", "127.0.0.1"]),
        (lines(Proto='"https"'), 1, ["https", "x", "127.0.0.1"]),
        (lines(Proto=""), 1, OURS),
        (lines(Host="a.example, b.example"), 1, ["http", "b.example", "127.0.0.1"]),
        (lines(Host="a.example, b.example"), 2, ["http", "a.example", "127.0.0.1"]),
        (lines(Host="a b, B.example:8080"), 1, ["http", "b.example:8080", "127.0.0.1"]),
        (lines(Host="[2001:DB8::1]", Port="8443"), 1, ["http", "[2001:db8::1]:8443", "127.0.0.1"]),
        (lines(Host="a.example", Port="443,80"), 1, ["http", "a.example", "127.0.0.1"]),
        (
            lines(Host="a.example", Port="8443, 80", Proto="https, http"),
            2,
            ["https", "a.example:8443", "127.0.0.1"],
        ),
        (lines(Host="a.example", Port="0080"), 1, ["http", "a.example", "127.0.0.1"]),
        (lines(For="evil, 192.0.2.1"), 1, ["http", "x", "192.0.2.1"]),
        (lines(For="192.0.2.1, 198.51.100.1"), 2, ["http", "x", "192.0.2.1"]),
        (lines(For="192.0.2.1:4711"), 1, ["http", "x", "192.0.2.1"]),
        (lines(For="2001:DB8::1"), 1, ["http", "x", "2001:db8::1"]),
        (lines(For='"[2001:db8::1]:4711"'), 1, ["http", "x", "2001:db8::1"]),
        (lines(For="unknown"), 1, OURS),
        (lines(For="_hidden"), 1, OURS),
        (lines(By="anything, at all"), 1, OURS),
    ],
)
def test_the_value_of_the_right_proxy_counts(headers, count, expected):
    response, shown = behind(headers, count)
    assert (response.status, shown) == (200, expected)


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [
        (
            "for=192.0.2.1;host=a.example;proto=https, for=198.51.100.1;host=b.example;proto=http",
            1,
            ["http", "b.example", "198.51.100.1"],
        ),
        (
            "for=192.0.2.1;host=a.example;proto=https, for=198.51.100.1;host=b.example;proto=http",
            2,
            ["https", "a.example", "192.0.2.1"],
        ),
        ("proto=https, host=b.example", 2, ["https", "b.example", "127.0.0.1"]),
        (
            'For="[2001:DB8::1]:4711"; Host="A.example:8443"; Proto=HTTPS; by=_x; secret="a,b;c"',
            1,
            ["https", "a.example:8443", "2001:db8::1"],
        ),
        ("for=192.0.2.1:80;;,", 1, ["http", "x", "192.0.2.1"]),
        ("for=unknown;proto=https", 1, ["https", "x", "127.0.0.1"]),
        ('for="_a\\b:1"', 1, OURS),
    ],
)
def test_the_parameters_of_the_right_proxy_count(value, count, expected):
    response, shown = behind(f"Forwarded: {value}\r\n", count, "forwarded")
    assert (response.status, shown) == (200, expected)


@pytest.mark.parametrize(
    ("header", "value", "code", "wanted"),
    [
        ("X-Forwarded-Proto", "ftp", "bad_request", "http or https"),
        ("X-Forwarded-Proto", "https, wss", "bad_request", "http or https"),
        ("X-Forwarded-Proto", '"https', "bad_request", "http or https"),
        ("X-Forwarded-Port", "many", "bad_request", "a port from 1 to 65535"),
        ("X-Forwarded-Port", "0", "bad_request", "a port from 1 to 65535"),
        ("X-Forwarded-Port", "99999", "bad_request", "a port from 1 to 65535"),
        ("X-Forwarded-For", "192.0.2.1, evil", "bad_request", "an address"),
        ("X-Forwarded-For", ":1.2", "bad_request", "an address"),
        ("X-Forwarded-For", "999.0.2.1", "bad_request", "an address"),
        ("X-Forwarded-Host", "a b", "invalid_host", "a host"),
        ("X-Forwarded-Host", "user@a.example", "invalid_host", "a host"),
        ("X-Forwarded-Host", "a.example:1:2", "invalid_host", "a host"),
        ("Forwarded", "for", "bad_request", "such as for="),
        ("Forwarded", 'for="192.0.2.1', "bad_request", "such as for="),
        ("Forwarded", "proto=http;proto=https", "bad_request", "such as for="),
        ("Forwarded", "proto = https", "bad_request", "such as for="),
        ("Forwarded", "proto=ftp", "bad_request", "one whose proto is http or https"),
        ("Forwarded", 'host="a b"', "invalid_host", "one whose host is a host"),
        ("Forwarded", "for=evil", "bad_request", "one whose for is an address"),
    ],
)
def test_what_cannot_be_read_is_refused(header, value, code, wanted):
    trusted = "forwarded" if header == "Forwarded" else X_FORWARDED
    response, document = behind(f"{header}: {value}\r\n", trusted=trusted)
    (error,) = document["errors"]
    assert (response.status, error["code"], error["source"]) == (400, code, {"header": header})
    assert error["detail"].startswith(f"The header {header} must be {wanted}")
    assert response.headers["Content-Type"] == MEDIA_TYPE


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"trusted_proxy": "192.0.2.1", "trusted_proxy_headers": X_FORWARDED},
        {"trusted_proxy": "127.0.0.1", "trusted_proxy_headers": "x-forwarded-by"},
    ],
)
def test_what_is_not_trusted_is_not_read(arguments):
    headers = lines(Proto="ftp", Host="a b", Port="x", For="evil") + "Forwarded: x\r\n"
    response, shown = ask(headers, **arguments)
    assert (response.status, shown) == (200, OURS)


def test_allowed_hosts_hold_for_forwarded_ones(service):
    for host, status in (("x", 200), ("evil.example", 400), ("a b", 400)):
        connection = http.client.HTTPConnection(*service.place, timeout=5)
        connection.request("GET", "/api/v1", headers={"X-Forwarded-Host": host})
        response = connection.getresponse()
        document = json.loads(response.read())
        connection.close()
        assert response.status == status
        if status == 400:
            assert document["errors"][0]["code"] == "invalid_host"
            assert "evil" not in json.dumps(document.get("links"))
