"""Rows OB of the checklist: what those who run the service, and trace its requests, rely on."""

import re

import pytest

from tests.client import sources
from tests.conformance.world import USERS
from tests.engines import on_one_engine

pytestmark = on_one_engine

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.mark.conformance("OB-08")
@pytest.mark.parametrize("url", [USERS, f"{USERS}/1", f"{USERS}?nope=1", "/nope", "/livez"])
@pytest.mark.parametrize(
    ("headers", "id"),
    [
        ({"X-Request-ID": "mine-1.2_3"}, "mine-1.2_3"),
        ({"traceparent": PARENT}, TRACE),
        ({"traceparent": PARENT, "X-Request-ID": "mine"}, "mine"),
    ],
)
def test_a_request_keeps_the_id_that_it_came_with(client, url, headers, id):
    response = client.get(url, headers=headers)
    assert response.headers["X-Request-ID"] == id
    if response.status_int >= 400:
        assert {error["id"] for error in response.json["errors"]} == {id}


@pytest.mark.conformance("OB-08")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Request-ID": ""},
        {"X-Request-ID": "two words"},
        {"X-Request-ID": "<b>"},
        {"X-Request-ID": "a" * 129},
        {"traceparent": "nonsense"},
        {"traceparent": PARENT.replace(TRACE, "0" * 32)},
        {"traceparent": f"ff{PARENT[2:]}"},
        {"traceparent": PARENT.upper()},
    ],
)
def test_a_request_without_a_usable_id_gets_one_of_its_own(client, headers):
    responses = [client.get(f"{USERS}?nope=1", headers=headers) for _ in range(2)]
    ids = [response.headers["X-Request-ID"] for response in responses]
    assert ids[0] != ids[1]
    for response, id in zip(responses, ids, strict=True):
        assert re.fullmatch("[0-9a-f]{32}", id)
        assert sources(response) == [("nope", "unsupported_parameter")]
        assert response.json["errors"][0]["id"] == id


@pytest.mark.conformance("OB-06")
def test_compression_is_left_to_a_proxy_and_tags_stay_strong(client):
    plain = client.get(USERS)
    asked = client.get(USERS, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in asked.headers
    assert "Accept" in asked.headers["Vary"]
    assert asked.headers["ETag"] == plain.headers["ETag"]
    assert asked.headers["ETag"].startswith('"')
    assert asked.body == plain.body
