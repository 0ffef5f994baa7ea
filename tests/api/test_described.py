"""What tests of described resources hold, held of the resources that are there."""

import pytest

from tests.client import API, user
from tests.described import assert_breaks, assert_linked, assert_on_delete, assert_unique, stored


def group(**attributes):
    return {"data": {"type": "groups", "attributes": attributes}}


def test_what_a_document_lacks_is_made_up(client):
    first, second = stored(client, group()), stored(client, group())
    assert first["attributes"]["name"] != second["attributes"]["name"]
    assert stored(client, group(name="Ours"))["attributes"]["name"] == "Ours"


def test_rules(client):
    assert_breaks(client, group(name="x" * 251), "name", "maxLength")
    assert_breaks(client, user(is_active="yes"), "is_active", "type")


def test_other_rules_are_not_taken_for_the_one(client):
    with pytest.raises(AssertionError):
        assert_breaks(client, group(name="x" * 251), "name", "type")
    with pytest.raises(AssertionError):
        assert_breaks(client, group(name="x" * 250), "name", "maxLength")
    with pytest.raises(AssertionError):
        assert_breaks(client, group(name=1, description=1), "name", "type")


def test_uniqueness(client):
    assert_unique(client, group(name="Ours"), "name", "OURS")
    assert_unique(client, user(email="ada@example.com"), "email", "ADA@example.com")
    with pytest.raises(AssertionError):
        assert_unique(client, group(name="Theirs"), "name", "Others")


def test_deletion(client):
    assert_on_delete(client, user(email="ada@example.com"), "role", "restrict")
    for outcome in ("set_null", "cascade"):
        with pytest.raises(AssertionError):
            assert_on_delete(client, user(email=f"{outcome}@example.com"), "role", outcome)


def test_links(client):
    assert_linked(client, user(email="ada@example.com"), "role", "users")
    assert_linked(client, user(email="ada@example.com"), "groups", "members")
    assert_linked(client, group(name="Ours"), "members", "groups")
    assert_linked(client, group(name="Ours"), "managers", "")
    assert client.get(f"{API}/users?filter[email]=ada@example.com").json["data"] == []


def test_links_that_only_one_end_shows(client):
    with pytest.raises(AssertionError):
        assert_linked(client, group(name="Ours"), "managers", "groups")
