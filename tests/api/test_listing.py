"""Lists of users: their order, their pages, and the links that lead from one to the next."""

from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import insert

from tests.client import USERS, sources
from tests.engines import on_one_engine
from users_service.models import User

# Names in their order by code point; a linguistic collation has another one. Some are ties.
NAMES = ["", "Z", "Z ", "Zz", "_", "a", "a b", "ab", "b", "z", "é", "ı", "ﬁ", "\uffee", "😀", "😁"]
FIRST = datetime(2024, 2, 29, 23, 59, 59, 999_990, tzinfo=UTC)
COUNT = 2 * len(NAMES) + 3


def make_rows() -> list[dict]:
    """Rows whose columns are each in another order, with ids all over the range of a UUID."""
    random = Random(20)
    versions = [random.choice([1, 4, 5]) for _ in range(COUNT)]
    ids = sorted(UUID(int=random.getrandbits(128), version=version) for version in versions)
    moments = [FIRST + timedelta(microseconds=number // 2) for number in range(COUNT)]
    addresses = [f"{letter}{number}@x.com" for number, letter in enumerate("Zaé😀" * COUNT)][:COUNT]
    columns = {
        "id": ids,
        "email": addresses,
        "email_key": addresses,
        "name": [NAMES[number % len(NAMES)] for number in range(COUNT)],
        "is_active": [number % 3 == 0 for number in range(COUNT)],
        "creation_time": random.sample(moments, COUNT),
        "modification_time": random.sample(moments, COUNT),
    }
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return random.sample(rows, COUNT)


ROWS = make_rows()
FIELDS = ["id", "email", "name", "is_active", "creation_time", "modification_time"]
SORTS = [*FIELDS, *(f"-{name}" for name in FIELDS), "is_active,-name", "-name,creation_time,-id"]


@pytest.fixture
def users(service):
    """A client of a service with many users."""
    with service.engine.begin() as connection:
        connection.execute(insert(User.__table__), ROWS)
    return service.client


def ordered(sort: str) -> list[str]:
    """The ids in an order, as Python has it: by code point.

    Where all else is equal they are by id, in the direction of the last field.
    """
    terms = sort.split(",") if sort else []
    descending = bool(terms) and terms[-1].startswith("-")
    rows = sorted(ROWS, key=lambda row: row["id"].bytes, reverse=descending)
    for term in reversed(terms):
        name = term.removeprefix("-")
        rows.sort(key=lambda row: row[name], reverse=term.startswith("-"))
    return [str(row["id"]) for row in rows]


def ids(*documents: dict) -> list[str]:
    return [resource["id"] for document in documents for resource in document["data"]]


def walk(client, url: str | None, relation: str) -> list[dict]:
    """The documents from a URL along the links of a relation."""
    documents = []
    while url is not None:
        documents.append(client.get(url).json)
        url = documents[-1]["links"][relation]
    return documents


def parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_every_attribute_sorts_in_both_directions(users):
    for sort in SORTS:
        document = users.get(f"{USERS}?sort={sort}&page[size]=1000").json
        assert (sort, ids(document)) == (sort, ordered(sort))


def test_text_sorts_by_code_point(client):
    for name in ("😀", "é", "a", "Z"):
        client.create_user(f"{name}@x.com", name=name)
    for sort in ("name", "email"):
        found = client.get(f"{USERS}?sort={sort}").json["data"]
        assert [user["attributes"]["name"] for user in found] == ["Z", "a", "é", "😀"]


def test_the_default_order_is_that_of_the_ids(users, client):
    document = users.get(f"{USERS}?page[size]=1000").json
    assert ids(document) == ordered("")


def test_users_are_listed_as_they_were_created(client):
    created = [client.create_user(f"{letter}@x.com")["id"] for letter in "dacb"]
    assert ids(client.get(USERS).json) == created


@on_one_engine
def test_a_page_has_twenty_users_unless_another_size_is_asked_for(users):
    assert [len(users.get(USERS + query).json["data"]) for query in ("", "?page[size]=7")] == [
        20,
        7,
    ]


@pytest.mark.parametrize("size", [2, 7, COUNT, COUNT + 1])
def test_walks_along_next_and_prev_meet_every_user_once(users, size):
    for sort in SORTS if size == 7 else ["-is_active"]:
        first = f"{USERS}?page[size]={size}" + (f"&sort={sort}" if sort else "")
        forth = walk(users, first, "next")
        assert (sort, ids(*forth)) == (sort, ordered(sort))
        assert [len(page["data"]) for page in forth[:-1]] == [size] * (len(forth) - 1)
        back = walk(users, forth[0]["links"]["last"], "prev")
        assert (sort, ids(*reversed(back))) == (sort, ordered(sort))
        assert forth[0]["links"]["prev"] is back[0]["links"]["next"] is None
        # From the end of the one walk back to its start.
        assert ids(*reversed(walk(users, forth[-1]["links"]["self"], "prev"))) == (ordered(sort))


def test_a_cursor_holds_its_place_when_rows_come_and_go(users):
    first = users.get(f"{USERS}?sort=email&page[size]=5").json
    for resource in first["data"]:
        users.delete(resource["links"]["self"])
    users.create_user("!first@x.com")
    second = users.get(first["links"]["next"]).json
    assert ids(second) == ordered("email")[5:10]


@pytest.mark.parametrize("size", [7, COUNT, COUNT + 1])
def test_numbered_pages_have_totals_and_meet_every_user_once(users, size):
    last = -(-COUNT // size)
    first = users.get(f"{USERS}?sort=-name&page[number]=1&page[size]={size}").json
    forth = walk(users, first["links"]["self"], "next")
    assert ids(*forth) == ordered("-name")
    assert len(forth) == last
    back = walk(users, first["links"]["last"], "prev")
    assert ids(*reversed(back)) == ordered("-name")
    for page in forth:
        assert page["meta"]["page"]["total"] == page["meta"]["total"] == COUNT
    assert parameters(first["links"]["last"])["page[number]"] == str(last)
    assert parameters(back[0]["links"]["first"])["page[number]"] == "1"
    assert forth[0]["links"]["prev"] is back[0]["links"]["next"] is None


def test_a_page_behind_the_last_one_is_empty_and_leads_back(users):
    document = users.get(f"{USERS}?page[number]=99999&page[size]=10").json
    assert document["data"] == []
    assert document["links"]["next"] is None
    assert ids(users.get(document["links"]["prev"]).json) == ordered("")[30:]


def test_a_total_is_given_with_cursors_only_when_it_is_asked_for(users):
    assert "meta" not in users.get(USERS).json
    assert "meta" not in users.get(f"{USERS}?page[total]=false").json
    page = users.get(f"{USERS}?page[total]=true&page[size]=30").json
    assert page["meta"] == {"page": {"total": COUNT}, "total": COUNT}
    assert users.get(page["links"]["next"]).json["meta"] == page["meta"]


@on_one_engine
def test_an_empty_list_has_one_page(client):
    for query in ("", "?sort=-name", "?page[number]=1", "?page[size]=5"):
        document = client.get(USERS + query).json
        assert document["data"] == []
        assert document["links"]["prev"] is document["links"]["next"] is None
        for relation in ("self", "first", "last"):
            assert client.get(document["links"][relation]).json["data"] == []


@on_one_engine
def test_links_are_absolute_and_encoded_and_keep_what_was_asked_for(users):
    for query in ("page[size]=5&sort=-name,email", "sort=name&page%5Bsize%5D=5&page[number]=2"):
        document = users.get(f"{USERS}?{query}").json
        asked = dict(parse_qsl(query))
        links = {name: link for name, link in document["links"].items() if link is not None}
        assert links.keys() >= {"self", "first", "next", "last"}
        del links["describedby"]
        for link in links.values():
            assert link.startswith(f"http://localhost{USERS}?")
            assert not set(urlsplit(link).query) & set("[]+ ")
            assert parameters(link)["page[size]"] == asked["page[size]"]
            assert parameters(link)["sort"] == asked["sort"]
        assert parameters(links["self"]) == asked


def test_self_links_lead_to_the_same_documents(users):
    for query in ("", "?sort=-name", "?page[size]=5&page[total]=true", "?page[number]=2"):
        for document in walk(users, USERS + query, "next"):
            assert users.get(document["links"]["self"]).json == document
    for resource in document["data"]:
        assert users.get(resource["links"]["self"]).json["data"] == resource


@on_one_engine
def test_encoded_and_raw_brackets_are_the_same(users):
    raw = users.get(f"{USERS}?page[size]=3&sort=name").json
    assert users.get(f"{USERS}?page%5Bsize%5D=3&sort=name").json == raw
    assert users.get(f"{USERS}?page%5bsize%5d=3&s%6Frt=n%61me").json["data"] == raw["data"]


@on_one_engine
def test_a_cursor_that_is_not_of_this_list_is_refused(users):
    next_link = users.get(f"{USERS}?sort=name&page[size]=5").json["links"]["next"]
    cursor = parameters(next_link)["page[after]"]
    damaged = cursor[:-3] + ("AAA" if cursor[-3:] != "AAA" else "BBB")
    for query in (
        f"page[after]={cursor}",
        f"sort=-name&page[after]={cursor}",
        f"sort=name,email&page[after]={cursor}",
        f"sort=name&page[after]={damaged}",
        f"sort=name&page[after]={cursor[:-4]}",
        f"sort=name&page[after]={cursor}%00",
        "page[after]=",
        "page[after]=x",
        "page[after]=%00",
        "page[after]=%C3%A9",
        "page[after]=" + "A" * 5000,
    ):
        response = users.get(f"{USERS}?{query}")
        expected = (query, 400, [("page[after]", "invalid_parameter")])
        assert (query, response.status_int, sources(response)) == expected
    assert users.get(f"{USERS}?sort=name&page[after]={cursor}").status_int == 200


@on_one_engine
def test_ways_of_paging_do_not_mix(users):
    next_link = users.get(f"{USERS}?page[size]=5").json["links"]["next"]
    cursor = parameters(next_link)["page[after]"]
    for query, names in {
        f"page[number]=1&page[after]={cursor}": {"page[number]"},
        f"page[number]=1&page[before]={cursor}": {"page[number]"},
        f"page[offset]=1&page[after]={cursor}": {"page[offset]"},
        "page[number]=1&page[offset]=1": {"page[offset]"},
        "page[number]=1&page[limit]=1": {"page[limit]"},
    }.items():
        response = users.get(f"{USERS}?{query}")
        assert (query, response.status_int) == (query, 400)
        assert {name for name, _ in sources(response)} == names
