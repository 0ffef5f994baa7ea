"""Rows CP of the checklist: pages by cursor, in any order, also while others write."""

import base64
import re
from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
from sqlalchemy import delete, insert

from tests.client import MEDIA_TYPE, Client, sources
from tests.conformance.world import (
    FIRST,
    GROUPS,
    ROLES,
    USERS,
    error,
    ids,
    make_ids,
    make_world,
    walk,
)
from tests.engines import on_one_engine
from users_service.models import Group, User

PROFILE = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination"
SIZE = 4

DESCRIPTIONS = [None, None, "", " ", "A", "a", "a ", "aa", "é", "😀", "\ue000"]


def some_groups(number: int) -> list[dict[str, Any]]:
    """Rows with ties and nulls; no two have the same name."""
    random = Random(20240229)
    return [
        {
            "id": id,
            "name": f"{random.choice('bAzé')}{n % 9}{n}",
            "description": random.choice(DESCRIPTIONS),
            "creation_time": FIRST + timedelta(microseconds=random.choice([0, 1, 10, 11])),
            "modification_time": FIRST,
            "version": 1,
        }
        for n, id in enumerate(make_ids(number, 7))
    ]


def store(service, rows: list[dict]) -> None:
    with service.engine.begin() as connection:
        connection.execute(insert(Group.__table__), rows)


def discard(service, model, ids: Iterable) -> None:
    with service.engine.begin() as connection:
        connection.execute(delete(model.__table__).where(model.__table__.c.id.in_(list(ids))))


def in_order(rows: Iterable[dict], sort: str) -> list[str]:
    """The ids of rows as Python sorts them, null counting as the greatest value.

    Ties are by id, in the direction of the last field.
    """
    terms = sort.split(",")
    found = sorted(rows, key=lambda row: row["id"], reverse=terms[-1].startswith("-"))
    for term in reversed(terms):
        name = term.removeprefix("-")

        def key(row: dict, name: str = name) -> tuple:
            return (True,) if row[name] is None else (False, row[name])

        found.sort(key=key, reverse=term.startswith("-"))
    return [str(row["id"]) for row in found]


def url_of(sort: str, size: int = SIZE, collection: str = GROUPS) -> str:
    return f"{collection}?sort={sort}&page[size]={size}"


def cursor(link: str) -> str:
    """The cursor in a link."""
    (found,) = (
        value
        for name, value in parse_qsl(urlsplit(link).query)
        if name in ("page[after]", "page[before]")
    )
    return found


def cursor_at(client: Client, url: str, place: int) -> str:
    """The cursor of the item that is so many items from the start of a list, the first being 1."""
    separator = "&" if "?" in url else "?"
    return cursor(client.get(f"{url}{separator}page[size]={place}").json["links"]["next"])


@pytest.fixture
def groups(service) -> list[dict[str, Any]]:
    rows = some_groups(23)
    store(service, rows)
    return rows


SORTS = [
    "description",
    "-description",
    "description,-name",
    "-description,name",
    "-creation_time,description,-id",
    "creation_time,-description",
    "-name",
    "-id",
]


@pytest.mark.conformance("CP-01", "CP-07", "CP-09", "CP-10", "CP-11", "CP-22", "CP-28")
@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_in_either_direction_meets_every_item_once_in_order(client, groups, sort):
    expected = in_order(groups, sort)
    there = walk(client, url_of(sort), "next")
    assert ids(*there) == expected
    assert [len(page["data"]) for page in there] == [4, 4, 4, 4, 4, 3]
    back = walk(client, there[-1]["links"]["self"], "prev")
    assert ids(*back[::-1]) == expected
    from_end = walk(client, there[0]["links"]["last"], "prev")
    assert ids(*from_end[::-1]) == expected
    assert [len(page["data"]) for page in from_end] == [4, 4, 4, 4, 4, 3]


@pytest.mark.conformance("CP-01", "CP-28")
@pytest.mark.parametrize(
    "sort", ["name", "-name", "is_active,-name", "-is_active,name", "name,email"]
)
@pytest.mark.parametrize("size", [1, 2, 7])
def test_ties_are_broken_the_same_on_every_page(world, sort, size):
    expected = in_order(world.users.values(), sort)
    pages = walk(world.client, url_of(sort, size, USERS), "next")
    assert ids(*pages) == expected
    assert ids(*walk(world.client, pages[-1]["links"]["self"], "prev")[::-1]) == expected
    assert ids(world.client.get(url_of(sort, 99, USERS)).json) == expected


@pytest.mark.conformance("CP-02", "CP-17")
def test_linkage_has_an_order_of_its_own(world):
    group = max(world.groups, key=lambda group: len(world.members_of(group)))
    url = f"{GROUPS}/{group}/relationships/members?page[size]={SIZE}"
    walks = [walk(world.client, url, "next") for _ in range(2)]
    assert ids(*walks[0]) == ids(*walks[1])
    assert sorted(ids(*walks[0])) == sorted(world.members_of(group))
    back = walk(world.client, walks[0][0]["links"]["last"], "prev")
    assert ids(*back[::-1]) == ids(*walks[0])


@on_one_engine
@pytest.mark.conformance("CP-03", "CP-23")
def test_a_sort_that_cannot_be_paged_is_refused(client):
    for url in (f"{ROLES}?sort=permissions", f"{USERS}?sort=nope", f"{USERS}?sort=name,role.name"):
        response = client.get(url)
        assert error(response) == (400, "sort")
        assert response.json["errors"][0]["links"]["type"] == f"{PROFILE}/unsupported-sort"


@on_one_engine
@pytest.mark.conformance("CP-04")
@pytest.mark.parametrize(
    "size",
    [
        "0",
        "000",
        "-1",
        "1.5",
        "1e1",
        "abc",
        "%2B5",
        "+5",
        "%205",
        "5%20",
        "",
        "٥",
        "0x5",
        "1_0",
        "5%0A",
    ],
)
def test_a_size_that_is_no_positive_number_is_refused(client, size):
    response = client.get(f"{USERS}?page[size]={quote(size, safe='%+')}")
    assert error(response) == (400, "page[size]")
    assert sources(response) == [("page[size]", "invalid_parameter")]


@on_one_engine
@pytest.mark.conformance("CP-04", "CP-07")
@pytest.mark.parametrize(
    ("size", "number"), [("1", 1), ("007", 7), ("23", 23), ("24", 23), ("1000", 23)]
)
def test_a_size_is_a_decimal_number(client, groups, size, number):
    document = client.get(f"{GROUPS}?page[size]={size}").json
    assert len(document["data"]) == number
    assert (document["links"]["next"] is None) == (number == len(groups))


@on_one_engine
@pytest.mark.conformance("CP-05", "CP-23")
@pytest.mark.parametrize("size", ["1001", "100000", "9" * 30])
def test_a_size_over_the_maximum_is_refused_and_not_cut(client, groups, size):
    response = client.get(f"{GROUPS}?page[size]={size}")
    assert error(response) == (400, "page[size]")
    (fault,) = response.json["errors"]
    assert fault["meta"]["page"] == {"maxSize": 1000}
    assert type(fault["meta"]["page"]["maxSize"]) is int
    assert fault["links"] == {"type": f"{PROFILE}/max-size-exceeded"}


@on_one_engine
@pytest.mark.conformance("CP-05", "CP-06")
def test_the_sizes_are_those_of_the_settings(client, app_with, groups):
    assert len(client.get(GROUPS).json["data"]) == 20
    other = Client(app_with(page_size="3", max_page_size="5"))
    assert len(other.get(GROUPS).json["data"]) == 3
    assert len(other.get(f"{GROUPS}?page[size]=5").json["data"]) == 5
    refused = other.get(f"{GROUPS}?page[size]=6")
    assert refused.json["errors"][0]["meta"]["page"]["maxSize"] == 5


@on_one_engine
@pytest.mark.conformance("CP-08", "CP-29")
@pytest.mark.parametrize("parameter", ["page[after]", "page[before]"])
def test_a_cursor_of_another_list_is_refused(world, parameter):
    client = world.client
    one, two, *_ = sorted(
        world.groups_of(world.joiner), key=lambda group: -len(world.members_of(group))
    )
    lists = [
        USERS,
        f"{USERS}?sort=name",
        f"{USERS}?sort=-name",
        f"{USERS}?sort=name,email",
        f"{USERS}?filter[is_active]=true",
        f"{USERS}?filter[is_active]=false",
        f"{GROUPS}",
        f"{GROUPS}?sort=name",
        f"{GROUPS}/{one}/members",
        f"{GROUPS}/{two}/members",
        f"{GROUPS}/{one}/relationships/members",
        f"{GROUPS}/{one}/members?sort=name",
    ]
    cursors = {url: cursor_at(client, url, 1) for url in lists}
    assert len(set(cursors.values())) == len(lists)
    for url in lists:
        for origin, found in cursors.items():
            separator = "&" if "?" in url else "?"
            response = client.get(f"{url}{separator}{parameter}={found}")
            if origin == url:
                assert response.status_int == 200
            else:
                assert error(response) == (400, parameter), (origin, url)


@on_one_engine
@pytest.mark.conformance("CP-08", "CP-29")
@pytest.mark.parametrize("parameter", ["page[after]", "page[before]"])
def test_a_damaged_cursor_is_refused(client, groups, parameter):
    url = f"{GROUPS}?sort=description&page[size]=2"
    found = cursor(client.get(url).json["links"]["next"])
    assert re.fullmatch("[A-Za-z0-9_-]+", found)
    tampered = [
        f"{found[:place]}{'B' if character == 'A' else 'A'}{found[place + 1 :]}"
        for place, character in enumerate(found)
    ]
    cut = [found[:length] for length in range(len(found))]
    others = ["garbage", "%00", "%F0%9F%98%80", f"{found}A", f"{found}=", f"%20{found}", "a" * 4000]
    for text in [*tampered, *cut, *others]:
        response = client.get(f"{url}&{parameter}={text}")
        assert error(response) == (400, parameter), text
        assert sources(response) == [(parameter, "invalid_parameter")]


@on_one_engine
@pytest.mark.conformance("CP-29")
def test_a_cursor_holds_only_what_the_list_is_sorted_by(world):
    for sort in ("id", "name"):
        document = world.client.get(url_of(sort, 3, USERS)).json
        text = cursor(document["links"]["next"])
        held = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        last = document["data"][-1]
        assert last["id"].encode() in held
        assert last["attributes"]["email"].encode() not in held
        assert len(held) < 100


@pytest.mark.conformance("CP-09", "CP-10", "CP-11", "CP-18", "CP-19", "CP-20")
def test_a_page_begins_right_behind_its_cursor_and_ends_right_before_it(client, groups):
    order = in_order(groups, "description")
    url = url_of("description")
    assert ids(client.get(url).json) == order[:SIZE]
    for place in range(1, len(order)):
        found = cursor_at(client, f"{GROUPS}?sort=description", place)
        after = client.get(f"{url}&page[after]={found}").json
        assert ids(after) == order[place : place + SIZE]
        assert (after["links"]["next"] is None) == (place + SIZE >= len(order))
        before = client.get(f"{url}&page[before]={found}").json
        assert ids(before) == order[max(0, place - 1 - SIZE) : place - 1]
        assert (before["links"]["prev"] is None) == (place - 1 <= SIZE)
        # What lies on the other side begins or ends where this page does.
        assert ids(client.get(after["links"]["prev"]).json) == order[max(0, place - SIZE) : place]
        assert ids(client.get(before["links"]["next"]).json)[:1] == order[place - 1 : place]


@pytest.mark.conformance("CP-09", "CP-10", "CP-20")
def test_beyond_either_end_there_is_nothing(service, client, groups):
    order = in_order(groups, "name")
    first, last = (cursor_at(client, f"{GROUPS}?sort=name", n) for n in (1, len(order) - 1))
    before = client.get(f"{url_of('name')}&page[before]={first}").json
    assert before["data"] == []
    assert before["links"]["prev"] is None
    assert ids(client.get(before["links"]["next"]).json) == order[:SIZE]
    discard(service, Group, [row["id"] for row in groups if str(row["id"]) == order[-1]])
    after = client.get(f"{url_of('name')}&page[after]={last}").json
    assert after["data"] == []
    assert after["links"]["next"] is None
    assert ids(client.get(after["links"]["prev"]).json) == order[-1 - SIZE : -1]


@pytest.mark.conformance("CP-11", "CP-17", "CP-18", "CP-19")
def test_an_empty_list_is_an_empty_page(world):
    for url in (
        f"{USERS}?filter[name]=nobody",
        f"{GROUPS}/{world.empty_group}/members",
        f"{GROUPS}/{world.empty_group}/relationships/members",
    ):
        document = world.client.get(url).json
        assert document["data"] == []
        assert document["links"]["prev"] is document["links"]["next"] is None


@pytest.mark.conformance("CP-12", "CP-14")
@pytest.mark.parametrize("sort", ["description", "-description,name", "-name"])
def test_a_range_is_what_lies_between_two_cursors(client, groups, sort):
    order = in_order(groups, sort)
    url = f"{GROUPS}?sort={sort}"
    cursors = {place: cursor_at(client, url, place) for place in (3, 4, 8, 15)}
    for start, end in ((3, 4), (3, 8), (4, 8), (3, 15), (8, 15), (8, 8), (8, 3)):
        between = order[start : end - 1]
        query = f"{url}&page[after]={cursors[start]}&page[before]={cursors[end]}"
        whole = client.get(query).json
        assert ids(whole) == between
        assert "rangeTruncated" not in whole.get("meta", {}).get("page", {})
        part = client.get(f"{query}&page[size]={SIZE}").json
        assert ids(part) == between[:SIZE]
        truncated = part.get("meta", {}).get("page", {}).get("rangeTruncated", False)
        assert truncated is (len(between) > SIZE)
        if truncated:
            open_end = client.get(f"{url}&page[after]={cursors[start]}&page[size]={SIZE}").json
            assert part["data"] == open_end["data"]
        assert part["links"].keys() >= {"prev", "next"}


@pytest.mark.conformance("CP-13", "CP-14")
def test_a_range_has_the_maximal_size_by_default(client, app_with, groups):
    order = in_order(groups, "name")
    other = Client(app_with(page_size="2", max_page_size="6"))
    url = f"{GROUPS}?sort=name"
    one, eight, ten = (cursor_at(client, url, place) for place in (1, 8, 10))
    found = other.get(f"{url}&page[after]={one}&page[before]={eight}").json
    assert ids(found) == order[1:7]
    assert "meta" not in found
    longer = other.get(f"{url}&page[after]={one}&page[before]={ten}").json
    assert ids(longer) == order[1:7]
    assert longer["meta"]["page"] == {"rangeTruncated": True}
    assert ids(other.get(f"{url}&page[after]={one}").json) == order[1:3]


PAGED = ["{users}", "{groups}/{group}/members", "{groups}/{group}/relationships/members"]


@pytest.mark.conformance("CP-15", "CP-16", "CP-17", "CP-18", "CP-19", "CP-21", "CP-24")
@pytest.mark.parametrize("template", PAGED)
def test_every_page_has_all_its_links_and_a_total_that_is_asked_for(world, template):
    group = max(world.groups, key=lambda group: len(world.members_of(group)))
    url = template.format(users=USERS, groups=GROUPS, group=group)
    total = len(world.users) if url == USERS else len(world.members_of(group))
    pages = walk(world.client, f"{url}?page[size]=5&page[total]=true", "next")
    assert len(pages) == -(-total // 5)
    for number, page in enumerate(pages):
        assert page["links"].keys() >= {"first", "prev", "next", "last"}
        assert (page["links"]["prev"] is None) == (number == 0)
        assert (page["links"]["next"] is None) == (number == len(pages) - 1)
        assert page["meta"]["page"] == {"total": total}
        assert ids(world.client.get(page["links"]["first"]).json) == ids(pages[0])
        last = world.client.get(page["links"]["last"]).json
        assert ids(last) == ids(*pages)[-5:]
        # Cursors are in links alone.
        assert all("page" not in item.get("meta", {}) for item in page["data"])
    assert "meta" not in world.client.get(f"{url}?page[size]=5").json


@pytest.mark.conformance("CP-24")
def test_the_total_is_that_of_the_filter(world):
    active = sum(row["is_active"] for row in world.users.values())
    url = f"{USERS}?filter[is_active]=true&page[size]=2&page[total]=true"
    pages = walk(world.client, url, "next")
    assert len(ids(*pages)) == active
    assert {page["meta"]["page"]["total"] for page in pages} == {active}
    for value in ("1", "yes", "", "TRUE"):
        response = world.client.get(f"{USERS}?page[total]={value}")
        assert error(response) == (400, "page[total]")


@on_one_engine
@pytest.mark.conformance("CP-22")
def test_links_keep_the_order_the_size_the_filter_and_what_is_shown(world):
    kept = {
        "sort": ["-name,email"],
        "page[size]": ["3"],
        "filter[is_active]": ["false"],
        "fields[users]": ["name"],
        "include": ["role"],
    }
    query = "&".join(f"{name}={value}" for name, (value,) in kept.items())
    first = world.client.get(f"{USERS}?{query}").json
    second = world.client.get(first["links"]["next"]).json
    inactive = [row for row in world.users.values() if not row["is_active"]]
    assert ids(first, second) == in_order(inactive, "-name,email")[:6]
    assert ids(world.client.get(second["links"]["prev"]).json) == ids(first)
    for name in ("first", "prev", "next", "last"):
        found = parse_qs(urlsplit(second["links"][name]).query)
        assert {key: found[key] for key in kept} == kept
        assert found.keys() - kept.keys() <= {"page[after]", "page[before]"}
        shown = world.client.get(second["links"][name]).json["data"]
        assert all(item["attributes"].keys() == {"name"} for item in shown)


@pytest.mark.conformance("CP-26")
@pytest.mark.parametrize("sort", ["description", "-description,-name", "-name"])
def test_a_cursor_outlives_its_item(service, client, groups, sort):
    order = in_order(groups, sort)
    by_id = {str(row["id"]): row["id"] for row in groups}
    for place in (6, 12):
        found = cursor_at(client, f"{GROUPS}?sort={sort}", place)
        discard(service, Group, [by_id[order[place - 1]]])
        del order[place - 1]
        after = client.get(f"{url_of(sort)}&page[after]={found}").json
        assert ids(after) == order[place - 1 : place - 1 + SIZE]
        before = client.get(f"{url_of(sort)}&page[before]={found}").json
        assert ids(before) == order[place - 1 - SIZE : place - 1]


@pytest.mark.conformance("CP-26")
def test_a_cursor_outlives_a_change_of_its_item(client, groups):
    order = in_order(groups, "name")
    found = cursor_at(client, f"{GROUPS}?sort=name", 6)
    changed = {"type": "groups", "id": order[5], "attributes": {"name": "~ the last"}}
    assert client.patch(f"{GROUPS}/{order[5]}", {"data": changed}).status_int == 200
    after = client.get(f"{url_of('name')}&page[after]={found}").json
    assert ids(after) == order[6 : 6 + SIZE]


@pytest.mark.conformance("CP-27", "CP-28")
@pytest.mark.parametrize(
    "sort", ["description", "-description,name", "-creation_time,description", "-id"]
)
@pytest.mark.parametrize(("start", "relation"), [("first", "next"), ("last", "prev")])
def test_what_stays_is_met_once_while_others_come_and_go(service, client, sort, start, relation):
    rows = some_groups(100)
    stay, go, come = rows[:50], rows[50:75], rows[75:]
    store(service, stay + go)
    random = Random(5)
    url = client.get(url_of(sort)).json["links"][start]
    met = []
    while url is not None:
        document = client.get(url).json
        page = ids(document)
        met += page if relation == "next" else page[::-1]
        if come and go:
            store(service, [come.pop()])
            discard(service, Group, [go.pop(random.randrange(len(go)))["id"]])
        url = document["links"][relation]
    expected = in_order(stay, sort)
    staying = set(expected)
    assert [id for id in met if id in staying] == expected[:: 1 if relation == "next" else -1]
    assert len(met) == len(set(met))


@pytest.mark.conformance("CP-27")
@pytest.mark.parametrize("path", ["members", "relationships/members"])
def test_members_that_stay_are_met_once_while_others_leave(service, path):
    world = make_world(service, 60)
    group = max(world.groups, key=lambda group: len(world.members_of(group)))
    members = sorted(world.members_of(group))
    leave = members[::3]
    staying = [id for id in members if id not in leave]
    met = []
    url = f"{GROUPS}/{group}/{path}?sort=id&page[size]={SIZE}"
    while url is not None:
        document = world.client.get(url).json
        met += ids(document)
        for _ in range(2):
            if leave:
                discard(service, User, [world.users[leave.pop()]["id"]])
        url = document["links"]["next"]
    assert [id for id in met if id in staying] == staying
    assert len(met) == len(set(met))


@on_one_engine
@pytest.mark.conformance("CP-30")
def test_the_profile_is_declared_where_it_is_asked_for_and_applied(world):
    accept = {"Accept": f'{MEDIA_TYPE};profile="{PROFILE}"'}
    group = next(iter(world.groups))
    for url in (USERS, f"{GROUPS}/{group}/members", f"{GROUPS}/{group}/relationships/members"):
        response = world.client.get(f"{url}?page[size]=2", headers=accept)
        assert response.headers["Content-Type"] == accept["Accept"]
        assert response.json["jsonapi"]["profile"] == [PROFILE]
        assert response.json["links"].keys() >= {"prev", "next"}
        numbered = world.client.get(f"{url}?page[number]=1", headers=accept)
        assert numbered.headers["Content-Type"] == MEDIA_TYPE
        assert "profile" not in numbered.json["jsonapi"]
    assert world.client.get(USERS).headers["Content-Type"] == MEDIA_TYPE
