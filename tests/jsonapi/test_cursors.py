"""Cursors that a client must not send: each is refused by the name of its parameter."""

import json
from datetime import UTC, datetime

import pytest

from tests.client import Client, sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.toy import ARTICLES, PEOPLE, Article, ArticleSchema, Person
from users_service.jsonapi.reading import cursors
from users_service.jsonapi.resource import Resource

SORT = "title,-rating"
ORDER = (("title", False), ("rating", True), ("id", True))
RESOURCE = Resource(Article, ArticleSchema(), {})
# The list of all articles, as the service names it.
SCOPE = repr((("jsonapi:resource:articles", None), []))


@pytest.fixture
def cursor(toy) -> str:
    """The cursor of a page in the order of SORT."""
    toy.insert(Article, [{"id": n, "title": "same", "rating": n} for n in range(1, 10)])
    toy.insert(Person, [{"nickname": f"n{n}", "shirt": n} for n in range(10)])
    return cursor_of(toy.client, f"{ARTICLES}?sort={SORT}&page[size]=2")


def cursor_of(client: Client, url: str) -> str:
    return client.get(url).json["links"]["next"].split("page%5Bafter%5D=")[1]


def assert_refused(client: Client, cursor: str, url: str = f"{ARTICLES}?sort={SORT}") -> None:
    for name in ("page[after]", "page[before]"):
        response = client.get(f"{url}&{name}={cursor}")
        assert response.status_int == 400, cursor
        assert sources(response) == [(name, "invalid_parameter")]


def test_a_cursor_of_this_order_is_taken(client, cursor):
    for name in ("page[after]", "page[before]"):
        assert client.get(f"{ARTICLES}?sort={SORT}&{name}={cursor}").status_int == 200


@toy_on_one_engine
@pytest.mark.parametrize("sort", ["title", "-title,-rating", "title,rating", "title,-rating,id"])
def test_a_cursor_of_another_order_is_refused(client, cursor, sort):
    assert_refused(client, cursor, f"{ARTICLES}?sort={sort}")
    assert_refused(client, cursor_of(client, f"{ARTICLES}?sort={sort}&page[size]=2"))


@toy_on_one_engine
def test_a_cursor_of_another_resource_is_refused(client, cursor):
    assert_refused(
        client, cursor_of(client, f"{PEOPLE}?sort=id&page[size]=2"), f"{ARTICLES}?sort=id"
    )


@toy_on_one_engine
def test_a_cursor_of_a_list_that_is_filtered_otherwise_is_refused(client, cursor):
    url = f"{ARTICLES}?sort={SORT}&filter[rating][gt]"
    assert_refused(client, cursor, f"{url}=2")
    filtered = cursor_of(client, f"{url}=2&page[size]=2")
    assert_refused(client, filtered)
    assert_refused(client, filtered, f"{url}=3")
    assert client.get(f"{url}=2&page[after]={filtered}").status_int == 200


@toy_on_one_engine
@pytest.mark.parametrize(
    "cursor", ["", "x", "%00", "AAAA", "null", "%F0%9F%98%80", "=", "A" * 4000]
)
def test_what_never_was_a_cursor_is_refused(client, cursor):
    assert_refused(client, cursor)


@toy_on_one_engine
def test_a_truncated_cursor_is_refused(client, cursor):
    for length in range(len(cursor)):
        assert_refused(client, cursor[:length])


@toy_on_one_engine
def test_a_lengthened_cursor_is_refused(client, cursor):
    for piece in ("A", "AA", "AAAA", "=", "%20"):
        assert_refused(client, piece + cursor)
        assert_refused(client, cursor + piece)


@toy_on_one_engine
def test_a_cursor_with_any_one_character_changed_is_refused(client, cursor):
    for place, character in enumerate(cursor):
        for other in "AB" if character not in "AB" else "YZ":
            assert_refused(client, cursor[:place] + other + cursor[place + 1 :])


@toy_on_one_engine
def test_only_one_spelling_of_a_cursor_is_taken(client, cursor):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [cursor[:-1] + character for character in alphabet if character != cursor[-1]]
    for other in [*others, cursor + "=", cursor + "=="]:
        assert_refused(client, other)


FORGED = [
    ("title", 5, 1, 1),
    ("title", "x", "5", 1),
    ("title", "x", True, 1),
    ("title", "x", 1.5, 1),
    ("title", "x", 2**70, 1),
    ("title", "x", 1, None),
    ("title", "x\0", 1, 1),
    ("title", "x\ud800", 1, 1),
    ("published", "yesterday", 1, 1),
    ("published", "0001-01-01T00:00:00+14:00", 1, 1),
    ("published", "2026-01-31T00:00:00", 1, 1),
    ("published", 5, 1, 1),
]


@pytest.mark.parametrize(("field", "value", "rating", "id"), FORGED, ids=map(ascii, FORGED))
def test_a_forged_cursor_is_refused_or_harmless(client, field, value, rating, id):
    """The digest has no secret, so that a client can make one."""
    order = ((field, False), *ORDER[1:])

    def status(*position) -> int:
        forged = cursors.seal(RESOURCE, order, SCOPE, json.dumps(position).encode())
        return client.get(f"{ARTICLES}?sort={field},-rating&page[after]={forged}").status_int

    assert status(None, 1, 1) == 200  # what is refused is the value
    assert status(value, rating, id) in (200, 400)


def test_values_survive_the_way_through_a_cursor():
    order = (("published", False), ("title", True), ("rating", False), ("is_public", True))
    for position in (
        (datetime(1, 1, 1, tzinfo=UTC), "", None, False),
        (None, "\u2028'\"\\😀", 0, True),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), json.dumps([1]), -1, True),
        cursors.AFTER_LAST,
    ):
        text = cursors.encode(RESOURCE, order, SCOPE, position)
        assert cursors.decode(RESOURCE, order, SCOPE, text) == position
