"""Rows SO of the checklist: the order of a collection, the same on every engine."""

import pytest

from tests.client import sources
from tests.conformance.world import GROUPS, USERS, error, ids, walk
from tests.engines import on_one_engine


def ordered(rows: dict, sort: str) -> list[str]:
    """The ids in an order as Python has it: by code point, nulls last.

    Ties are by id, in the direction of the last field.
    """
    terms = sort.split(",")
    found = sorted(rows, reverse=terms[-1].startswith("-"))
    for term in reversed(terms):
        name = term.removeprefix("-")

        def key(id: str, name=name):
            value = id if name == "id" else rows[id][name]
            return (value is None, "" if value is None else value)

        found.sort(key=key, reverse=term.startswith("-"))
    return found


@pytest.mark.parametrize(
    "sort",
    [
        pytest.param("name", marks=pytest.mark.conformance("SO-01", "SO-09", "SO-11")),
        pytest.param("email", marks=pytest.mark.conformance("SO-01", "SO-11")),
        pytest.param("id", marks=pytest.mark.conformance("SO-01")),
        pytest.param("-name", marks=pytest.mark.conformance("SO-02", "SO-09", "SO-11")),
        pytest.param("-id", marks=pytest.mark.conformance("SO-02")),
        pytest.param("-creation_time,name", marks=pytest.mark.conformance("SO-03")),
        pytest.param("is_active,-name,email", marks=pytest.mark.conformance("SO-03")),
        pytest.param("-is_active,name,-id", marks=pytest.mark.conformance("SO-03")),
    ],
)
@pytest.mark.parametrize(
    "page", ["page[size]=4", "page[number]=1&page[size]=7", "page[offset]=0&page[limit]=6"]
)
@pytest.mark.conformance("SO-07", "PG-04")
def test_a_list_has_the_order_that_is_asked_for_from_page_to_page(world, sort, page):
    documents = walk(world.client, f"{USERS}?sort={sort}&{page}", "next")
    assert len(documents) > 3
    assert ids(*documents) == ordered(world.users, sort)


@pytest.mark.conformance("SO-08", "SO-07")
def test_a_list_that_nobody_sorts_is_in_the_order_of_ids(world):
    assert ids(*walk(world.client, USERS, "next")) == sorted(world.users)


@pytest.mark.conformance("SO-09")
@pytest.mark.parametrize("page", ["page[size]=1", "page[size]=2", "page[number]=1&page[size]=2"])
def test_nulls_come_last_and_descending_first(world, page):
    for sort in ("description", "-description", "description,-name", "-description,name"):
        documents = walk(world.client, f"{GROUPS}?sort={sort}&{page}", "next")
        assert ids(*documents) == ordered(world.groups, sort)
    (last,) = world.client.get(f"{GROUPS}?sort=description&page[number]=5&page[size]=1").json[
        "data"
    ]
    assert last["attributes"]["description"] is None


@pytest.mark.conformance("SO-11")
def test_capitals_come_before_small_letters_and_those_before_accents(world):
    groups = world.client.get(f"{GROUPS}?sort=name").json["data"]
    names = [group["attributes"]["name"] for group in groups]
    assert names == ["Board", "alumni", "guests", "staff", "Öko"]


@on_one_engine
@pytest.mark.parametrize(
    "sort",
    [
        pytest.param("nope", marks=pytest.mark.conformance("SO-04")),
        pytest.param("-nope", marks=pytest.mark.conformance("SO-04")),
        pytest.param("name,nope", marks=pytest.mark.conformance("SO-04")),
        pytest.param("groups", marks=pytest.mark.conformance("SO-04")),
        pytest.param("email_key", marks=pytest.mark.conformance("SO-04")),
        pytest.param("role.name", marks=pytest.mark.conformance("SO-06")),
        pytest.param("", marks=pytest.mark.conformance("SO-10")),
        pytest.param("-", marks=pytest.mark.conformance("SO-10")),
        pytest.param("name,,id", marks=pytest.mark.conformance("SO-10")),
        pytest.param("name,", marks=pytest.mark.conformance("SO-10")),
        pytest.param("name,name", marks=pytest.mark.conformance("SO-10")),
        pytest.param("name,-name", marks=pytest.mark.conformance("SO-10")),
        pytest.param("%2Bname", marks=pytest.mark.conformance("SO-10")),
        pytest.param("--name", marks=pytest.mark.conformance("SO-10")),
        pytest.param("name, id", marks=pytest.mark.conformance("SO-10")),
    ],
)
def test_an_order_that_cannot_be_had_is_refused(client, sort):
    assert error(client.get(f"{USERS}?sort={sort}")) == (400, "sort")


@on_one_engine
@pytest.mark.conformance("SO-05", "QP-05")
def test_sorting_is_refused_where_there_is_no_collection(world):
    own = f"{USERS}/{world.joiner}"
    refused = [("sort", "unsupported_parameter")]
    for method, url, document in (
        ("GET", own, None),
        ("GET", f"{own}/role", None),
        ("GET", f"{own}/relationships/role", None),
        ("POST", USERS, {"data": {"type": "users"}}),
        ("PATCH", own, {"data": {"type": "users", "id": world.joiner}}),
        ("DELETE", own, None),
    ):
        response = world.client.request(method, f"{url}?sort=name", document)
        assert error(response) == (400, "sort")
        assert sources(response) == refused
