"""What makes two e-mail addresses the same: on every engine alike, and proven by a constraint."""

from uuid import uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from tests.client import USERS, sources, user
from users_service.models import User
from users_service.models.base import now

# Spellings of one address.
SAME = [
    ("a@x.com", "A@X.com"),
    ("jos\u00e9@x.com", "jose\u0301@x.com"),
    ("jos\u00e9@x.com", "JOSE\u0301@X.COM"),
    ("a@bücher.example", "a@xn--bcher-kva.example"),
    ("a@bücher.example", "a@XN--BCHER-KVA.example"),
    ("a@bücher.example", "A@BU\u0308CHER.example"),
    ("a@b.com", "a@b\u3002com"),  # the ideographic full stop parts labels as well (UTS #46)
    ("a@b.com", "a@\uff42.com"),
    ("stra\u00dfe@x.com", "STRASSE@x.com"),
    ("\u03c3@x.com", "\u03c2@x.com"),
    ("\u03a3@x.com", "\u03c2@x.com"),
    ("\u0130@x.com", "i\u0307@x.com"),
]

# Addresses that look alike and that some collation takes for equal.
DIFFERENT = [
    ("jose@x.com", "jos\u00e9@x.com"),
    ("mike@x.com", "m\u0131ke@x.com"),
    ("mike@x.com", "m\u0130ke@x.com"),
    ("a@x.com", "\uff41@x.com"),
    ("o@x.com", "\u00f8@x.com"),
    ("a@x.com", "\u0430@x.com"),
    ("\U0001f600@x.com", "\U0001f601@x.com"),
    ("a.b@x.com", "ab@x.com"),
    ("a+b@x.com", "a@x.com"),
    ("a@x.com", "a@y.com"),
    ("a@fa\u00df.example", "a@fass.example"),  # two domains, for IDNA2008
]

CLASH = [("/data/attributes/email", "already_taken")]


def test_spellings_of_one_address_clash(client):
    other = client.create_user("other@example.com")
    url = other["links"]["self"]
    for stored, sent in SAME:
        created = client.create_user(stored)
        for response in (
            client.post(USERS, user(email=sent, name="Other")),
            client.patch(url, user(other["id"], email=sent, name="Other")),
        ):
            assert (sent, response.status_int, sources(response)) == (sent, 409, CLASH)
        assert client.get(url).json["data"] == other
        assert set(client.emails()) == {stored, "other@example.com"}
        client.delete(created["links"]["self"])


def test_addresses_that_look_alike_are_different(client):
    for first, second in DIFFERENT:
        created = client.create_user(first)
        other = client.create_user(second)
        assert set(client.emails()) == {first, second}
        for resource in (created, other):
            client.delete(resource["links"]["self"])


def test_an_address_is_kept_as_it_was_sent(client):
    sent = "JOS\u00c9@B\u00fccher.Example"
    created = client.create_user(sent)
    assert created["attributes"]["email"] == sent
    assert client.get(created["links"]["self"]).json["data"]["attributes"]["email"] == sent


def test_an_own_address_can_be_spelled_anew(client):
    created = client.create_user("jos\u00e9@x.com")
    url = created["links"]["self"]
    for email in ("JOS\u00c9@X.com", "jos\u00e9@X.com"):
        changed = client.patch(url, user(created["id"], email=email))
        assert changed.status_int == 200
        assert changed.json["data"]["attributes"]["email"] == email
    assert client.get(url).json == changed.json


def test_an_address_is_free_again_when_its_user_leaves_it(client):
    created = client.create_user("a@x.com")
    client.patch(created["links"]["self"], user(created["id"], email="b@x.com"))
    assert client.create_user("A@x.com")["attributes"]["email"] == "A@x.com"
    client.delete(created["links"]["self"])
    assert client.create_user("B@x.com")["attributes"]["email"] == "B@x.com"


def row(email: str, email_key: str) -> dict:
    times = {"creation_time": now(), "modification_time": now()}
    return {"id": uuid4(), "email": email, "email_key": email_key, "name": "Row", **times}


def test_the_database_itself_refuses_a_key_twice(service):
    statement = insert(User.__table__)
    with service.engine.begin() as connection:
        connection.execute(statement, row("a@x.com", "jos\u00e9@x.com"))
    with pytest.raises(IntegrityError), service.engine.begin() as connection:
        connection.execute(statement, row("b@x.com", "jos\u00e9@x.com"))
    assert service.client.emails() == ["a@x.com"]


def test_the_database_compares_keys_exactly(service):
    keys = ["a@x.com", "a@x.com ", "A@x.com", "\u00e1@x.com", "a\u0301@x.com", "m\u0131ke", "mike"]
    with service.engine.begin() as connection:
        connection.execute(insert(User.__table__), [row(f"{key}@b", key) for key in keys])
    with pytest.raises(IntegrityError), service.engine.begin() as connection:
        connection.execute(insert(User.__table__), row("other", "a@x.com "))


def test_a_key_is_not_hidden_by_a_padded_one(service):
    with service.engine.begin() as connection:
        connection.execute(insert(User.__table__), row("padded", "a@x.com "))
    assert service.client.create_user("a@x.com")
    clash = service.client.post(USERS, user(email="A@X.com", name="Other"))
    assert (clash.status_int, sources(clash)) == (409, CLASH)
