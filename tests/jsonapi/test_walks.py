"""Walks through a collection by cursor: every row once, in one order, while others write."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random
from uuid import UUID

import pytest

from tests.client import Client, sources
from tests.jsonapi.toy import ARTICLES, PEOPLE, Article, Person

SIZE = 7

# By code point. Collations of languages, of UTF-16 and of padded columns order these otherwise.
TEXTS = ["", " ", "A", "Z", "a", "a ", "aa", "z", "é", "ﬀ", "\ue000", "😀", "z\u0301"]

# The names in documents, each with its attribute of the model.
FIELDS = {
    "id": "id",
    "title": "title",
    "subtitle": "subtitle",
    "rating": "rating",
    "is_public": "is_public",
    "published": "published",
    "by-line": "author_name",
    "revision": "revision",
}

SORTS = [
    *FIELDS,
    *(f"-{name}" for name in FIELDS),
    "-is_public,rating",
    "is_public,-rating,subtitle",
    "-subtitle,published,-id",
    "rating,-published,-by-line,title",
    "revision,-id",
]


def some_articles(number: int = 64) -> list[dict]:
    """Rows with ties and nulls in every field that can have them."""
    random = Random(20260131)
    start = datetime(2026, 1, 31, tzinfo=UTC)
    moments = [start + timedelta(microseconds=n) for n in range(3)] + [
        datetime(1, 1, 2, tzinfo=UTC)
    ]
    return [
        {
            "id": id,
            "title": random.choice(TEXTS),
            "subtitle": random.choice([None, None, *TEXTS]),
            "rating": random.choice([None, None, -5, 0, 5, 2**31 - 1]),
            "is_public": random.random() < 0.5,
            "published": random.choice([None, None, *moments]),
            "author_name": random.choice([None, *TEXTS]),
            "revision": random.choice([1, 2, 3]),
        }
        for id in random.sample(range(1, 10_000), number)
    ]


def in_order(rows: list[dict], sort: str) -> list[str]:
    """The ids of rows as Python sorts them, null counting as the greatest value.

    Ties are by id, in the direction of the last field.
    """
    terms = sort.split(",")
    rows = sorted(rows, key=lambda row: row["id"], reverse=terms[-1].startswith("-"))
    for term in reversed(terms):
        attribute = FIELDS[term.removeprefix("-")]

        def key(row: dict, attribute: str = attribute) -> tuple:
            value = row[attribute]
            return (True,) if value is None else (False, value)

        rows.sort(key=key, reverse=term.startswith("-"))
    return [str(row["id"]) for row in rows]


def ids(document: dict) -> list[str]:
    return [item["id"] for item in document["data"]]


def flat(pages: Iterable[list[str]]) -> list[str]:
    return list(chain.from_iterable(pages))


def pages(client: Client, url: str, link: str) -> Iterator[dict]:
    """The documents from a URL on, along a link."""
    while url:
        document = client.get(url).json
        yield document
        url = document["links"][link]


def forwards(client: Client, sort: str) -> list[list[str]]:
    url = f"{ARTICLES}?sort={sort}&page[size]={SIZE}"
    return [ids(document) for document in pages(client, url, "next")]


def backwards(client: Client, sort: str) -> list[list[str]]:
    last = client.get(f"{ARTICLES}?sort={sort}&page[size]={SIZE}").json["links"]["last"]
    return [ids(document) for document in pages(client, last, "prev")][::-1]


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_in_either_direction_meets_every_row_in_order(toy, sort):
    rows = some_articles()
    toy.insert(Article, rows)
    expected = in_order(rows, sort)

    there = forwards(toy.client, sort)
    assert flat(there) == expected
    assert {len(page) for page in there[:-1]} == {SIZE}

    back = backwards(toy.client, sort)
    assert flat(back) == expected
    assert {len(page) for page in back[1:]} == {SIZE}


def test_postgresql_orders_nulls_without_a_key_for_them(toy):
    # An index of the field has its order only so; the walks show that it is the same everywhere.
    with toy.statements() as statements:
        forwards(toy.client, "rating")
    keys = {statement.partition(" ORDER BY ")[2] for statement in statements}
    has_key = any("IS NULL" in key for key in keys)
    assert has_key == (toy.engine.dialect.name != "postgresql")


def test_people_are_walked_by_id_and_by_name(toy):
    random = Random(7)
    uuids = [UUID(int=random.getrandbits(128), version=4) for _ in range(30)]
    toy.insert(Person, [{"id": id, "nickname": f"n{id.int % 97}-{id}", "shirt": 1} for id in uuids])
    by_id = pages(toy.client, f"{PEOPLE}?sort=-id&page[size]={SIZE}", "next")
    assert flat(map(ids, by_id)) == sorted(map(str, uuids), reverse=True)
    by_name = pages(toy.client, f"{PEOPLE}?sort=nickname&page[size]={SIZE}", "next")
    names = [item["attributes"]["nickname"] for page in by_name for item in page["data"]]
    assert names == sorted(f"n{id.int % 97}-{id}" for id in uuids)


@pytest.mark.parametrize("name", ["price", "keywords"])
def test_a_field_of_any_type_can_be_walked_by_or_is_refused(toy, name):
    rows = [{"id": n, "title": "t", "price": n % 5, "keywords": [str(n % 3)]} for n in range(1, 30)]
    toy.insert(Article, rows)
    response = toy.client.get(f"{ARTICLES}?sort={name}&page[size]={SIZE}")
    if response.status_int == 400:
        assert sources(response) == [("sort", "invalid_parameter")]
    else:
        assert response.status_int == 200
        assert sorted(flat(forwards(toy.client, name))) == sorted(str(n) for n in range(1, 30))


@pytest.mark.parametrize("sort", ["rating", "-rating", "subtitle,-published", "-id"])
@pytest.mark.parametrize(("start", "link"), [("first", "next"), ("last", "prev")])
def test_rows_that_stay_are_met_once_while_others_come_and_go(toy, sort, start, link):
    random = Random(42)
    rows = some_articles(140)
    stay, go, come = rows[:70], rows[70:104], rows[104:138]
    toy.insert(Article, stay + go)
    url = toy.client.get(f"{ARTICLES}?sort={sort}&page[size]={SIZE}").json["links"][start]
    met = []
    for document in pages(toy.client, url, link):
        met += ids(document)[:: 1 if link == "next" else -1]
        if come and go:
            toy.insert(Article, [come.pop(), come.pop()])
            toy.delete(Article, [go.pop(random.randrange(len(go)))["id"] for _ in range(2)])
    staying = {str(row["id"]) for row in stay}
    expected = in_order(stay, sort)[:: 1 if link == "next" else -1]
    assert [id for id in met if id in staying] == expected
    assert len(met) == len(set(met))


@pytest.mark.parametrize("sort", ["rating", "-rating", "title", "-published,id"])
def test_a_walk_goes_on_where_the_row_of_its_cursor_is_gone(toy, sort):
    rows = some_articles(40)
    toy.insert(Article, rows)
    order = in_order(rows, sort)
    first = toy.client.get(f"{ARTICLES}?sort={sort}&page[size]={SIZE}").json
    toy.delete(Article, [int(order[SIZE - 1])])
    second = toy.client.get(first["links"]["next"]).json
    assert ids(second) == order[SIZE : 2 * SIZE]
    toy.delete(Article, [int(order[SIZE])])
    back = toy.client.get(second["links"]["prev"]).json
    assert ids(back) == order[: SIZE - 1]


def test_the_ends_of_a_collection_have_no_further_link(toy):
    toy.insert(Article, some_articles(14))
    first = toy.client.get(f"{ARTICLES}?page[size]={SIZE}").json["links"]
    last = toy.client.get(first["last"]).json["links"]
    assert first["prev"] is None
    assert last["next"] is None
    assert toy.client.get(first["next"]).json["links"]["next"] is None
    assert toy.client.get(last["prev"]).json["links"]["prev"] is None


def test_an_empty_collection_has_one_page(client):
    document = client.get(ARTICLES).json
    assert document["data"] == []
    assert document["links"]["prev"] is document["links"]["next"] is None
    assert client.get(document["links"]["first"]).json["data"] == []
    assert client.get(document["links"]["last"]).json["data"] == []


def test_what_was_deleted_behind_a_page_leaves_a_way_back(toy):
    rows = some_articles(14)
    toy.insert(Article, rows)
    order = in_order(rows, "id")
    first = toy.client.get(f"{ARTICLES}?page[size]={SIZE}").json
    toy.delete(Article, [int(id) for id in order[SIZE:]])
    beyond = toy.client.get(first["links"]["next"]).json
    assert beyond["data"] == []
    assert beyond["links"]["next"] is None
    assert ids(toy.client.get(beyond["links"]["prev"]).json) == order[:SIZE]


def test_links_keep_the_parameters_that_are_no_position(toy):
    toy.insert(Article, some_articles(30))
    url = f"{ARTICLES}?sort=-rating,id&page[size]=3&page[total]=true"
    document = toy.client.get(toy.client.get(url).json["links"]["next"]).json
    assert document["meta"]["page"]["total"] == 30
    for name, link in document["links"].items():
        assert "sort=-rating,id&" in link, name
        assert len(toy.client.get(link).json["data"]) == 3
    assert "page%5Bafter%5D" in document["links"]["self"]
    assert ids(toy.client.get(document["links"]["self"]).json) == ids(document)
