"""Texts that filters compare with: any text, whatever texts may be stored."""

import unicodedata
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.client import API, USERS, sources
from tests.engines import on_one_engine
from users_service.models import email_key

GROUPS = f"{API}/groups"
STORED = ["Ada", "ada", "Zoë", "a\u200bb", "😀", "x,y", "z" * 250]
TEXTS = ["", " ", "a", "Ada", " Ada ", "Zoe\u0308", "\u0301", "\n\x1b", "\u3164", "@", "\uffff"]
TEXTS += ["z" * 250, "z" * 251, "z" * 8000, "é" * 600, "ada@", "@example.com", "ADA@EXAMPLE.COM"]
TEXTS += ["é@\u200d.\u3002", "é@" + "ü." * 300, "xn--\u00e9@xn--", "\U0010ffff", "it's\\%_"]
OPERATORS = {
    "eq": lambda mine, other: mine == other,
    "ne": lambda mine, other: mine != other,
    "lt": lambda mine, other: mine is not None and mine < other,
    "le": lambda mine, other: mine is not None and mine <= other,
    "gt": lambda mine, other: mine is not None and mine > other,
    "ge": lambda mine, other: mine is not None and mine >= other,
}
FUNCTIONS = {
    "eq": "equals({},'{}')",
    "ne": "not(equals({},'{}'))",
    "lt": "lessThan({},'{}')",
    "ge": "greaterOrEqual({},'{}')",
}


@pytest.fixture
def stored(client):
    """Users and groups with these names, by URL and id."""
    rows = {USERS: {}, GROUPS: {}}
    for number, name in enumerate(STORED):
        resource = client.create_user(f"Ada{number}@example.com", name=name)
        rows[USERS][resource["id"]] = resource["attributes"]
        attributes = {"name": f"{number}", "description": name if number else None}
        new = {"data": {"type": "groups", "attributes": attributes}}
        resource = client.post(GROUPS, new).json["data"]
        rows[GROUPS][resource["id"]] = resource["attributes"]
    return rows


@pytest.mark.parametrize(
    ("url", "name"), [(USERS, "name"), (USERS, "email"), (GROUPS, "description")]
)
def test_any_text_is_compared_with(client, stored, url, name):
    for text in TEXTS:
        for operator, holds in OPERATORS.items():
            other = unicodedata.normalize("NFC", text)
            by_key = name == "email" and operator in ("eq", "ne")
            key = email_key if by_key else lambda value: value
            expected = {id for id, row in stored[url].items() if holds(key(row[name]), key(other))}
            filters = {f"filter[{name}][{operator}]": text}
            if operator in FUNCTIONS:
                quoted = text.replace("'", "''")
                filters["filter"] = FUNCTIONS[operator].format(name, quoted)
            if operator == "eq":
                filters[f"filter[{name}][in][]"] = text
            for parameter, value in filters.items():
                response = client.get(f"{url}?page[size]=1000&{parameter}={quote(value)}")
                assert response.status_int == 200, (parameter, value, response.text)
                found = {resource["id"] for resource in response.json["data"]}
                assert (parameter, value[:99], found) == (parameter, value[:99], expected)


def test_addresses_are_found_by_their_key_in_any_spelling(client):
    id = client.create_user("José@Bücher.example")["id"]
    for text in (
        "JOSE\u0301@xn--bcher-kva.example",
        "josé@BÜCHER.example",
        "José@Bu\u0308cher.Example",
    ):
        for name in ("filter[email]", "filter[email][in]", "filter[groups.members.email][ne]"):
            found = client.get(f"{USERS}?{name}={quote(text)}").json["data"]
            assert [user["id"] for user in found] == [id]
    assert client.get(f"{USERS}?filter[email][ge]={quote('josé')}").json["data"] == []


@on_one_engine
@pytest.mark.parametrize("operator", ["eq", "ne", "lt", "ge", "in", "nin", "contains", "endswith"])
def test_what_no_engine_stores_is_named(client, operator):
    for name in ("name", "email", "role.description", "groups.members.email"):
        parameter = f"filter[{name}][{operator}]"
        for value, reason in {"a%00b": "U+0000", "%ED%A0%80": "UTF-8"}.items():
            response = client.get(f"{USERS}?{parameter}={value}")
            assert sources(response) == [(parameter, "invalid_parameter")]
            assert reason in response.json["errors"][0]["detail"]


def test_a_walk_by_cursors_passes_texts_that_may_not_be_stored(client, stored):
    url = f"{USERS}?sort=name&page[size]=1&filter[name][ge]={quote(' ')}&filter[email][ge]=A"
    names = []
    while url:
        document = client.get(url).json
        names += [user["attributes"]["name"] for user in document["data"]]
        url = document["links"]["next"]
    assert names == sorted(STORED)


@on_one_engine
def test_as_many_ids_as_allowed_fit_into_a_url_in_every_spelling(client):
    ids = [str(UUID(int=number)) for number in range(200)]
    first = (
        client.create_user(email="a@example.com")["id"],
        client.create_user("b@example.com")["id"],
    )
    ids[:2] = first
    for name in ("filter[id]", "filter[groups]", "filter[id][in]", "filter[id][nin]"):
        for query in (
            f"{name}=" + ",".join(ids),
            f"{quote(name)}=" + "%2C".join(ids),
            "&".join(f"{name}[]={id}" for id in ids),
            "&".join(f"{quote(name + '[]')}={id}" for id in ids),
        ):
            response = client.get(f"{USERS}?{query}&page[size]=1")
            assert response.status_int == 200, response.text
            if name == "filter[id]":
                found = [response.json["data"][0]["id"]]
                following = client.get(response.json["links"]["next"]).json["data"]
                assert {*found, following[0]["id"]} == {*first}
    expression = f"any(id,{','.join(map(repr, ids))})"
    assert len(client.get(f"{USERS}?filter={expression}").json["data"]) == 2
    for query in (
        f"filter[id]={','.join([*ids, ids[0]])}",
        "&".join(["filter[id][]=" + ids[0]] * 201),
    ):
        (error,) = client.get(f"{USERS}?{query}").json["errors"]
        assert error["detail"] == "May have at most 200 values."


@on_one_engine
def test_conditions_on_related_resources_are_bounded_in_all_filters_together(client):
    def filters(number: int) -> str:
        return f"filter=and({','.join(['has(groups)'] * number)})&filter[role.name]=a"

    assert client.get(f"{USERS}?{filters(19)}").status_int == 200
    for number in (20, 400):
        response = client.get(f"{USERS}?{filters(number)}")
        assert response.status_int == 400
        assert "at most 20 conditions on related" in response.json["errors"][0]["detail"]
