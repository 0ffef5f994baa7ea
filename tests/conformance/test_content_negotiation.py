"""Rows CN of the checklist: which media types are taken and given, and what is said of others."""

import pytest

from tests.client import MEDIA_TYPE, Client, user
from tests.conformance.world import (
    ATOMIC,
    CURSORS,
    ENTRY,
    EXTENSION,
    NOBODY,
    PROFILE,
    USERS,
    error,
)
from tests.engines import on_one_engine

pytestmark = on_one_engine

ADA = user(email="ada@example.com", name="Ada")
BATCH = {"atomic:operations": [{"op": "add", "data": ADA["data"]}]}
OPERATIONS = f"{ENTRY}/operations"
UNKNOWN = "https://example.com/unknown"


def label(response) -> str:
    return response.headers["Content-Type"]


def rows(*ids: str):
    return pytest.mark.conformance(*ids)


@pytest.mark.conformance("CN-01", "CN-03")
def test_documents_are_labelled_as_json_api_without_a_charset(client):
    created = client.post(USERS, ADA)
    own = f"{USERS}/{created.json['data']['id']}"
    responses = [created, client.get(USERS), client.get(own), client.post(USERS, ADA)]
    assert [response.status_int for response in responses] == [201, 200, 200, 409]
    assert {label(response) for response in responses} == {MEDIA_TYPE}


@pytest.mark.conformance("CN-02", "CN-01")
@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("GET", f"{ENTRY}/nope", None, 404),
        ("GET", "/nope", None, 404),
        ("PUT", USERS, None, 405),
        ("POST", USERS, b" " * (2 << 20), 413),
        ("GET", f"{ENTRY}/%FF", None, 400),
        ("GET", f"{USERS}?{'x' * 20_000}", None, 414),
    ],
)
def test_errors_from_below_the_resources_are_errors_documents(client, method, url, body, status):
    response = client.request(method, url, body=body)
    assert error(response)[0] == status
    assert label(response) == MEDIA_TYPE


def broken(config) -> None:
    """A view that fails in a way that nobody has foreseen."""

    def fail(request):
        raise RuntimeError("a secret")

    config.add_route("broken", "/broken")
    config.add_view(fail, route_name="broken")


@pytest.mark.conformance("CN-02")
def test_a_failure_of_the_service_is_an_errors_document(app_with):
    response = Client(app_with(broken)).get("/broken")
    assert error(response) == (500, None)
    assert label(response) == MEDIA_TYPE
    assert "secret" not in response.text


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param(f"{MEDIA_TYPE}; charset=utf-8", marks=rows("CN-04")),
        pytest.param(f'{MEDIA_TYPE}; profile="https://x/p"; v=1', marks=rows("CN-05")),
        pytest.param(f'{MEDIA_TYPE}; ext="{UNKNOWN}"', marks=rows("CN-06")),
        pytest.param(ATOMIC, marks=rows("CN-33")),
        pytest.param("application/json", marks=rows("CN-22")),
        pytest.param("text/plain", marks=rows("CN-22")),
        pytest.param("", marks=rows("CN-23")),
        pytest.param(f"{MEDIA_TYPE}; ext=", marks=rows("CN-36")),
        pytest.param(f'{MEDIA_TYPE}; ext="{UNKNOWN}', marks=rows("CN-36")),
        pytest.param(f"{MEDIA_TYPE}; =;;", marks=rows("CN-36")),
    ],
)
@pytest.mark.conformance("CN-25")
def test_a_body_of_another_media_type_is_refused_with_the_one_that_works(client, content_type):
    response = client.post(USERS, ADA, headers={"Content-Type": content_type})
    assert error(response) == (415, "Content-Type")
    assert response.headers["Accept"] == MEDIA_TYPE
    assert client.emails() == []


@pytest.mark.conformance("CN-23")
def test_a_body_without_a_content_type_is_refused(client):
    response = client.post(USERS, ADA, headers={"Content-Type": None})
    assert error(response) == (415, "Content-Type")


@pytest.mark.conformance("CN-07")
def test_one_unsupported_extension_of_a_list_makes_all_of_it_unsupported(client):
    content_type = f'{MEDIA_TYPE}; ext="{EXTENSION} {UNKNOWN}"'
    headers = {"Accept": ATOMIC, "Content-Type": content_type}
    response = client.post(OPERATIONS, BATCH, headers=headers)
    assert error(response) == (415, "Content-Type")
    assert client.emails() == []


@pytest.mark.conformance("CN-08")
@pytest.mark.parametrize("profiles", [UNKNOWN, f"{UNKNOWN} {PROFILE}"])
def test_a_profile_of_a_body_is_no_reason_to_refuse_it_and_is_not_echoed(client, profiles):
    headers = {"Content-Type": f'{MEDIA_TYPE}; profile="{profiles}"'}
    response = client.post(USERS, ADA, headers=headers)
    assert response.status_int == 201
    assert label(response) == MEDIA_TYPE


@pytest.mark.conformance("CN-37")
@pytest.mark.parametrize(
    "accept",
    [
        pytest.param(f"{MEDIA_TYPE}; charset=utf-8", marks=rows("CN-09")),
        pytest.param(f"{MEDIA_TYPE}; v=1, {MEDIA_TYPE}; charset=x", marks=rows("CN-10")),
        pytest.param(
            f'{MEDIA_TYPE}; ext="https://x/u1", {MEDIA_TYPE}; ext="https://x/u2"',
            marks=rows("CN-12"),
        ),
        pytest.param(f'{MEDIA_TYPE}; v=1, {MEDIA_TYPE}; ext="https://x/u"', marks=rows("CN-14")),
        pytest.param(f"{MEDIA_TYPE}; v=1, */*", marks=rows("CN-09")),
        pytest.param(f"{MEDIA_TYPE};q=0", marks=rows("CN-17")),
        pytest.param("text/html", marks=rows("CN-20")),
        pytest.param("application/xml, text/*", marks=rows("CN-20")),
    ],
)
def test_what_no_variant_fits_is_refused_with_an_errors_document(client, accept):
    response = client.get(USERS, headers={"Accept": accept})
    assert error(response) == (406, "Accept")
    assert label(response) == MEDIA_TYPE


@pytest.mark.parametrize(
    "accept",
    [
        pytest.param(f"{MEDIA_TYPE}; v=1, {MEDIA_TYPE}", marks=rows("CN-11")),
        pytest.param(f'{MEDIA_TYPE}; ext="https://x/u1", {MEDIA_TYPE}', marks=rows("CN-13")),
        pytest.param(f"{MEDIA_TYPE};q=0.8", marks=rows("CN-15")),
        pytest.param(f"{MEDIA_TYPE};q=0.5, {MEDIA_TYPE};v=1;q=0.9", marks=rows("CN-15", "CN-11")),
        pytest.param("Application/VND.API+JSON", marks=rows("CN-18")),
        pytest.param("*/*", marks=rows("CN-19")),
        pytest.param("application/*", marks=rows("CN-19")),
        pytest.param("text/html, */*;q=0.1", marks=rows("CN-19", "CN-20")),
        pytest.param(None, marks=rows("CN-19")),
        pytest.param("application/json", marks=rows("CN-21")),
        pytest.param(f'{MEDIA_TYPE}; profile="{UNKNOWN}"', marks=rows("CN-28")),
    ],
)
def test_what_the_plain_variant_fits_is_answered_with_it(client, accept):
    response = client.get(USERS, headers={"Accept": accept})
    assert response.status_int == 200
    assert label(response) == MEDIA_TYPE
    assert response.json["jsonapi"] == {"version": "1.1"}


@pytest.mark.parametrize(
    ("accept", "applied"),
    [
        pytest.param(CURSORS, True, marks=rows("CN-26", "CN-27")),
        pytest.param(
            f'Application/VND.API+JSON ; PROFILE="{PROFILE}"', True, marks=rows("CN-18", "CN-27")
        ),
        pytest.param(f"{MEDIA_TYPE};q=0.5, {CURSORS};q=0.9", True, marks=rows("CN-16")),
        pytest.param(f"{MEDIA_TYPE};q=0.9, {CURSORS};q=0.5", False, marks=rows("CN-16")),
        pytest.param(f"{MEDIA_TYPE}, {CURSORS};q=0.9", False, marks=rows("CN-16")),
        pytest.param(
            f'{MEDIA_TYPE};profile="{UNKNOWN} {PROFILE}"', True, marks=rows("CN-28", "CN-30")
        ),
        pytest.param(f'{MEDIA_TYPE};profile="{PROFILE} {PROFILE}"', True, marks=rows("CN-30")),
    ],
)
def test_a_profile_is_declared_where_it_is_applied(client, accept, applied):
    response = client.get(f"{USERS}?page[size]=2", headers={"Accept": accept})
    assert response.status_int == 200
    assert label(response) == (CURSORS if applied else MEDIA_TYPE)
    assert response.json["jsonapi"].get("profile", []) == [PROFILE] * applied


@pytest.mark.conformance("CN-26", "DS-10", "JO-04", "CP-30")
def test_the_rules_of_a_requested_profile_hold(world):
    response = world.client.get(f"{USERS}?page[size]=2", headers={"Accept": CURSORS})
    links = response.json["links"]
    assert len(response.json["data"]) == 2
    assert links["prev"] is None
    assert "page%5Bafter%5D=" in links["next"]
    assert links["self"] == {
        "href": "http://localhost/api/v1/users?page%5Bsize%5D=2",
        "type": CURSORS,
    }
    again = world.client.get(links["self"]["href"], headers={"Accept": links["self"]["type"]})
    assert again.json == response.json


@pytest.mark.conformance("CN-26", "CN-27")
def test_a_profile_is_not_declared_where_its_rules_do_not_hold(world):
    for url in (f"{USERS}/{world.loner}", f"{USERS}?page[number]=1"):
        response = world.client.get(url, headers={"Accept": CURSORS})
        assert (response.status_int, label(response)) == (200, MEDIA_TYPE)


@pytest.mark.conformance("CN-24")
def test_no_content_type_is_needed_where_there_is_no_body(world):
    own = f"{USERS}/{world.loner}"
    assert world.client.get(own, headers={"Content-Type": None}).status_int == 200
    assert world.client.delete(own, headers={"Content-Type": None}).status_int == 204


@pytest.mark.conformance("CN-29", "JO-03", "CN-30", "MN-09")
def test_an_extension_is_declared_where_it_is_applied(client):
    headers = {"Accept": ATOMIC, "Content-Type": ATOMIC}
    response = client.post(OPERATIONS, BATCH, headers=headers)
    assert response.status_int == 200
    assert label(response) == ATOMIC
    assert response.json["jsonapi"] == {"version": "1.1", "ext": [EXTENSION]}
    assert response.json.keys() == {"jsonapi", "links", "atomic:results"}


@pytest.mark.conformance("CN-34")
@pytest.mark.parametrize(
    ("content_type", "accept", "expected"),
    [
        (MEDIA_TYPE, ATOMIC, (415, "Content-Type")),
        (MEDIA_TYPE, MEDIA_TYPE, (415, "Content-Type")),
        (ATOMIC, MEDIA_TYPE, (406, "Accept")),
    ],
)
def test_operations_need_their_extension_on_both_sides(client, content_type, accept, expected):
    headers = {"Content-Type": content_type, "Accept": accept}
    assert error(client.post(OPERATIONS, BATCH, headers=headers)) == expected
    assert client.emails() == []


@pytest.mark.conformance("CN-31")
@pytest.mark.parametrize("accept", [MEDIA_TYPE, CURSORS])
def test_every_response_varies_by_accept(client, accept):
    headers = {"Accept": accept}
    listed = client.get(USERS, headers=headers)
    unchanged = headers | {"If-None-Match": listed.headers["ETag"]}
    responses = [
        listed,
        client.get(USERS, headers=unchanged),
        client.get(f"{USERS}/{NOBODY}", headers=headers),
        client.get(USERS, headers={"Accept": "text/html"}),
        client.post(USERS, ADA, headers=headers),
    ]
    assert [response.status_int for response in responses] == [200, 304, 404, 406, 201]
    assert {"Accept" in response.headers["Vary"].split(", ") for response in responses} == {True}


@pytest.mark.conformance("CN-32")
def test_what_a_body_says_of_extensions_and_profiles_is_no_negotiation(client):
    said = {"jsonapi": {"version": "1.1", "ext": [UNKNOWN], "profile": [PROFILE]}}
    response = client.post(USERS, ADA | said)
    assert response.status_int == 201
    assert label(response) == MEDIA_TYPE
    assert response.json["jsonapi"] == {"version": "1.1"}


@pytest.mark.conformance("CN-36")
@pytest.mark.parametrize("accept", [f'{MEDIA_TYPE}; ext="x', f"{MEDIA_TYPE}; ext=", ";", "/"])
def test_an_accept_header_that_cannot_be_read_is_a_fault_of_the_client(client, accept):
    assert error(client.get(USERS, headers={"Accept": accept})) == (406, "Accept")
