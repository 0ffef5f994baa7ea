"""The rules in the errors of the service's own fields, each with its limit."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.client import API, USERS, Client
from users_service.jsonapi.api import api_of

STRONG = "a sentence nobody else says"
REQUIRED = {
    "users": {"email": "ada@example.com", "name": "Ada"},
    "roles": {"name": "editor"},
    "groups": {"name": "Analysts"},
    "tokens": {"email": "ada@example.com", "password": STRONG},
}
LONG = "x" * 10_001

# A value that no field takes, for each rule; of each field of the service.
FAULTS: list[tuple[str, str, Any, tuple[str, Any]]] = [
    ("users", "email", None, ("null", None)),
    ("users", "email", 7, ("type", None)),
    ("users", "email", "ada", ("format", None)),
    ("users", "email", "ada\u200b@example.com", ("format", None)),
    ("users", "email", "x" * 250 + "@example.com", ("maxLength", 254)),
    ("users", "name", None, ("null", None)),
    ("users", "name", 7, ("type", None)),
    ("users", "name", " ", ("blank", None)),
    ("users", "name", "", ("blank", None)),
    ("users", "name", "a\nb", ("control", None)),
    ("users", "name", "x" * 251, ("maxLength", 250)),
    ("users", "is_active", None, ("null", None)),
    ("users", "is_active", "yes", ("type", None)),
    ("users", "password", 7, ("type", None)),
    ("users", "password", "x" * 7, ("minLength", 8)),
    ("users", "password", "x" * 1025, ("maxLength", 1024)),
    ("users", "password", "ä" * 600, ("maxBytes", 1024)),
    ("users", "password", "a\0cdefghi", ("control", None)),
    ("users", "password", "password1", ("weak", None)),
    ("users", "verification_time", None, ("readOnly", None)),
    ("users", "creation_time", "2026-01-01T00:00:00Z", ("readOnly", None)),
    ("users", "colour", "red", ("unknown", None)),
    ("roles", "name", "x" * 81, ("maxLength", 80)),
    ("roles", "description", "a\0b", ("control", None)),
    ("roles", "description", LONG, ("maxLength", 10_000)),
    ("roles", "permissions", "*", ("type", None)),
    ("roles", "permissions", [7], ("type", None)),
    ("roles", "permissions", ["Users:Read"], ("pattern", None)),
    ("roles", "permissions", ["users:paint"], ("enum", None)),
    ("roles", "permissions", [f"x:{'y' * 80}"], ("pattern", None)),
    ("roles", "permissions", ["*"] * 1001, ("maxItems", 1000)),
    ("groups", "name", "x" * 251, ("maxLength", 250)),
    ("groups", "description", 7, ("type", None)),
    ("tokens", "transport", "pigeon", ("enum", None)),
    ("tokens", "password", "", ("minLength", 1)),
    ("tokens", "secret", "ust_", ("readOnly", None)),
    ("tokens", "name", "Import", ("readOnly", None)),  # of a sign-in
    ("tokens", "expiration_time", "tomorrow", ("format", None)),
]


def rules(response: Any) -> list[tuple[str, str, Any]]:
    errors = [error["meta"] for error in response.json["errors"]]
    return [(meta["attribute"], meta["rule"], meta.get("limit")) for meta in errors]


def document(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"data": {"type": kind, "attributes": attributes}}


@pytest.mark.parametrize(("kind", "name", "value", "expected"), FAULTS)
def test_each_fault_of_each_field_has_a_rule(client: Client, kind, name, value, expected):
    sent = document(kind, **REQUIRED[kind] | {name: value})
    refused = client.post(f"{API}/{kind}", sent)
    assert refused.status_int == 422
    assert rules(refused) == [(name, *expected)]


def test_a_required_field_that_is_missing_breaks_its_rule(client):
    refused = client.post(USERS, document("users"))
    assert sorted(rules(refused)) == [("email", "required", None), ("name", "required", None)]
    sign_in = document("tokens", email="ada@example.com")
    assert rules(client.post(f"{API}/tokens", sign_in)) == [("password", "required", None)]


def test_taken_names_and_addresses_are_not_unique(client):
    for kind, name in (("users", "email"), ("roles", "name"), ("groups", "name")):
        sent = document(kind, **REQUIRED[kind])
        assert client.post(f"{API}/{kind}", sent).status_int == 201
        refused = client.post(f"{API}/{kind}", sent)
        assert refused.status_int == 409
        assert rules(refused) == [(name, "unique", None)]


def test_a_link_to_nothing_breaks_the_rule_that_it_exists(client):
    role = {"role": {"data": {"type": "roles", "id": str(uuid4())}}}
    sent = document("users", **REQUIRED["users"])
    sent["data"]["relationships"] = role
    assert rules(client.post(USERS, sent)) == [("role", "exists", None)]


@pytest.mark.parametrize(("days", "rule"), [(-1, "exclusiveMinimum"), (400, "maximum")])
def test_the_limit_of_an_instant_is_one(client, days, rule):
    expiration = datetime.now(UTC) + timedelta(days=days)
    sent = document("tokens", name="Import", expiration_time=expiration.isoformat())
    sent["data"]["relationships"] = {
        "user": {"data": {"type": "users", "id": client.create_user()["id"]}}
    }
    ((name, broken, limit),) = rules(client.post(f"{API}/tokens", sent))
    assert (name, broken) == ("expiration_time", rule)
    limit = datetime.fromisoformat(limit)
    assert limit > expiration if days < 0 else limit < expiration


def test_the_description_lists_the_rules(client):
    document = client.get(f"{API}/openapi.json").json
    meta = document["components"]["schemas"]["Error"]["properties"]["meta"]["properties"]
    assert meta["rule"]["enum"] == api_of(client.app.registry).rules
    assert {"maxBytes", "unique", "weak"} < set(meta["rule"]["enum"])
