"""Header fields of every answer of the real server, also where no application answers."""

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.serving.processes import Service

PAGE = "https://app.example.com"

# What is sent, and the status of the answer: some are of the application, some of the server.
REQUESTS = {
    "a list": (b"GET /api/v1/users HTTP/1.1\r\nHost: x\r\n%s\r\n", 200),
    "an unknown URL": (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n%s\r\n", 404),
    "a foreign host": (b"GET /api/v1 HTTP/1.1\r\nHost: y\r\n%s\r\n", 400),
    "two hosts": (b"GET /api/v1 HTTP/1.1\r\nHost: x\r\nHost: y\r\n%s\r\n", 400),
    "a bad header": (b"GET /api/v1 HTTP/1.1\r\nHost: x\r\n%sBad Name: 1\r\n\r\n", 400),
    "a large body": (
        b"POST /api/v1/users HTTP/1.1\r\nHost: x\r\n%sContent-Length: 99999999\r\n\r\n",
        413,
    ),
    "large headers": (
        b"GET /api/v1 HTTP/1.1\r\nHost: x\r\n%sX: " + 300_000 * b"x" + b"\r\n\r\n",
        431,
    ),
    "a large body for a page": (
        b"POST /ui/ HTTP/1.1\r\nHost: x\r\n%sContent-Length: 99999999\r\n\r\n",
        413,
    ),
    "two hosts for a page": (b"GET /ui/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n%s\r\n", 400),
    "an unknown coding": (
        b"POST /api/v1/users HTTP/1.1\r\nHost: x\r\n%sTransfer-Encoding: gzip\r\n\r\n",
        501,
    ),
}
# Answers below /ui/ have the policy of its pages.
OF_PAGES = {"a large body for a page", "two hosts for a page"}
# Of these, the server does not read the head.
UNREAD = {"large headers"}


@pytest.fixture(scope="module")
def shared(database) -> Iterator[Service]:
    """A process with an origin whose pages may read. It believes the proxy on this machine."""
    with database.running(cors_origins=PAGE) as started:
        yield started


def answer(service: Service, request: bytes) -> http.client.HTTPResponse:
    with closing(service.connect()) as client:
        client.sendall(request)
        response = http.client.HTTPResponse(client)
        response.begin()
        response.read()
        return response


@pytest.mark.parametrize("name", REQUESTS)
def test_no_answer_names_the_server_and_pages_of_the_origin_may_read_it(shared, name):
    request, status = REQUESTS[name]
    response = answer(shared, request % b"Origin: https://app.example.com\r\n")
    assert response.status == status
    assert response.headers["Server"] is None
    assert response.headers["Via"] is None
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Origin" in response.headers["Vary"]
    policy = response.headers.get("Content-Security-Policy", "")
    assert ("trusted-types 'none'" in policy) is (name in OF_PAGES)
    if name not in UNREAD:
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("name", REQUESTS)
def test_pages_of_other_origins_may_read_none(shared, name):
    request, status = REQUESTS[name]
    response = answer(shared, request % b"Origin: https://evil.example.com\r\n")
    assert response.status == status
    assert response.headers["Access-Control-Allow-Origin"] is None


def test_https_is_to_stay_where_the_proxy_says_that_it_was(shared):
    request = b"GET /livez HTTP/1.1\r\nHost: x\r\n%s\r\n"
    by_https = answer(shared, request % b"X-Forwarded-Proto: https\r\n")
    assert by_https.headers["Strict-Transport-Security"]
    assert answer(shared, request % b"").headers["Strict-Transport-Security"] is None
