"""The OpenAPI document as it is sent: plain, or compressed by gzip."""

import gzip
import json
from typing import Any

import pytest
from pyramid.config import Configurator
from webob import Request, Response

from tests.jsonapi.toy import make_toy
from users_service.jsonapi import Information
from users_service.jsonapi.openapi import copies

URL = "/toy/openapi.json"
INFORMATION = Information(title="Toy", version="1.2", summary="Toys.", description="", license={})

pytestmark = pytest.mark.parametrize("running_toy", ["sqlite"], indirect=True)


def describe(config: Configurator) -> None:
    config.add_jsonapi_description(INFORMATION)


@pytest.fixture
def app(toy) -> Any:
    return make_toy(toy.engine, include=describe)


def get(app: Any, coding: str | None, method: str = "GET", **headers: str) -> Response:
    """What is sent, which WebTest would decode."""
    if coding is not None:
        headers["Accept-Encoding"] = coding
    return Request.blank(URL, method=method, headers=headers).get_response(app)


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("deflate, gzip, br", "gzip"),
        ("gzip;q=0.2", None),  # what is not named is as good as can be
        ("gzip;q=0.2, identity;q=0.1", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("*;q=0", None),
        ("identity", None),
        ("identity, gzip;q=0.5", None),
        ("br", None),
        ("gzip;q=much", None),
    ],
)
def test_the_document_is_compressed_for_those_who_ask(app, coding, expected):
    plain, answer = get(app, None), get(app, coding)
    assert answer.status_int == 200
    assert answer.headers.get("Content-Encoding") == expected
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    body = gzip.decompress(answer.body) if expected else answer.body
    assert body == plain.body
    assert json.loads(body)["openapi"] == "3.1.0"
    assert (answer.headers["ETag"] == plain.headers["ETag"]) is (expected is None)


def test_each_representation_has_its_own_tag(app):
    tags = {coding: get(app, coding).headers["ETag"] for coding in (None, "gzip")}
    for coding, other in ((None, "gzip"), ("gzip", None)):
        again = get(app, coding, **{"If-None-Match": tags[coding]})
        assert (again.status_int, again.body, again.headers["ETag"]) == (304, b"", tags[coding])
        assert again.headers["Vary"] == "Accept, Accept-Encoding"
        assert get(app, coding, **{"If-None-Match": tags[other]}).status_int == 200
        both = ", ".join(tags.values())
        assert get(app, coding, **{"If-None-Match": both}).status_int == 304


def test_it_is_compressed_once_and_by_no_clock(app, toy, monkeypatch):
    calls, compressed = [], gzip.compress

    def compress(body: bytes, **options: int) -> bytes:
        calls.append(options)
        return compressed(body, **options)

    monkeypatch.setattr(gzip, "compress", compress)
    get(app, None)
    assert calls == []
    first = get(app, "gzip")
    assert get(app, "gzip").body == first.body
    assert len(calls) == 1
    other = make_toy(toy.engine, include=describe)
    assert get(other, "gzip").headers["ETag"] == first.headers["ETag"]


def test_head_has_the_fields_of_get(app):
    head, answer = get(app, "gzip", method="HEAD"), get(app, "gzip")
    assert head.body == b""
    for name in ("ETag", "Content-Encoding", "Content-Length", "Vary"):
        assert head.headers[name] == answer.headers[name]


def test_it_is_kept_for_few_servers(app):
    for number in range(copies.MOST_SERVERS + 2):
        document = get(app, "gzip", Host=f"h{number}.example")
        assert document.headers["Content-Encoding"] == "gzip"
        servers = json.loads(gzip.decompress(document.body))["servers"]
        assert servers == [{"url": f"http://h{number}.example"}]
