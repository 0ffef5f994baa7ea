"""Rows PG of the checklist: the pages of a collection, in the three ways of asking for them."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.conformance.world import (
    ENTRY,
    GROUPS,
    USERS,
    error,
    ids,
    make_world,
    statements,
    walk,
)
from tests.engines import on_one_engine

# The first page of each dialect; its size is 7.
DIALECTS = ["page[size]=7", "page[number]=1&page[size]=7", "page[offset]=0&page[limit]=7"]
PAGES = {"first", "last", "prev", "next"}


@on_one_engine
@pytest.mark.conformance("PG-01", "PG-02", "PG-03", "PG-05")
@pytest.mark.parametrize("page", DIALECTS)
def test_the_links_of_a_page_are_among_those_of_the_document(world, page):
    first = world.client.get(f"{USERS}?{page}").json
    assert first["links"].keys() == {"self", "describedby", *PAGES}
    assert first["links"]["prev"] is None
    *_, last = walk(world.client, first["links"]["next"], "next")
    assert last["links"].keys() == {"self", "describedby", *PAGES}
    assert last["links"]["next"] is None
    for document in (first, last):
        for relation in PAGES:
            if link := document["links"][relation]:
                names = [name for name, _ in parse_qsl(urlsplit(link).query)]
                assert names
                assert all(name.startswith("page[") for name in names)


@on_one_engine
@pytest.mark.conformance("PG-03")
@pytest.mark.parametrize("page", DIALECTS)
def test_a_page_that_is_the_only_one_has_no_other(world, page):
    links = world.client.get(f"{USERS}?{page}&filter[id]={world.loner}").json["links"]
    assert (links["prev"], links["next"]) == (None, None)


@pytest.mark.conformance("PG-04", "PG-08")
@pytest.mark.parametrize("page", DIALECTS)
def test_next_goes_on_in_the_order_and_prev_comes_back(world, page):
    forth = walk(world.client, f"{USERS}?sort=-name&{page}", "next")
    names = [user["attributes"]["name"] for document in forth for user in document["data"]]
    assert names == sorted(names, reverse=True)
    assert len(forth) == 4
    back = walk(world.client, forth[-1]["links"]["self"], "prev")
    assert ids(*back[::-1]) == ids(*forth)


@pytest.mark.conformance("PG-06", "CP-22")
@pytest.mark.parametrize("page", DIALECTS)
def test_the_links_of_a_page_keep_everything_else(world, page):
    kept = {
        "sort": "-name,email",
        "filter[is_active]": "false",
        "filter[email][contains]": "@",
        "fields[users]": "name,groups",
        "include": "groups",
    }
    query = "&".join(f"{name}={value}" for name, value in kept.items())
    documents = walk(world.client, f"{USERS}?{query}&{page}", "next")
    assert len(documents) > 1
    for document in documents:
        for relation in PAGES - {"prev", "next"} | {"self"}:
            link = document["links"][relation]
            assert kept.items() <= dict(parse_qsl(urlsplit(link).query)).items()
        assert isinstance(document["included"], list)
    found = ids(*documents)
    assert set(found) == {id for id, user in world.users.items() if not user["is_active"]}


@pytest.mark.conformance("PG-07", "PG-08")
@pytest.mark.parametrize("page", DIALECTS)
@pytest.mark.parametrize("count", [13, 14, 15, 28, 200])
def test_a_walk_in_either_direction_meets_everything_once(service, page, count):
    world = make_world(service, size=count)
    start = world.client.get(f"{USERS}?{page}&sort=name").json["links"]
    forth = ids(*walk(world.client, start["first"], "next"))
    back = [ids(document) for document in walk(world.client, start["last"], "prev")]
    assert len(forth) == count
    assert set(forth) == set(world.users)
    assert [id for page in back[::-1] for id in page] == forth


@on_one_engine
@pytest.mark.conformance("PG-07")
@pytest.mark.parametrize("page", DIALECTS)
def test_a_page_has_its_size_if_there_is_so_much(world, page):
    sizes = [len(document["data"]) for document in walk(world.client, f"{USERS}?{page}", "next")]
    assert sizes == [7, 7, 7, 4]


@on_one_engine
@pytest.mark.conformance("PG-09")
@pytest.mark.parametrize(
    "name", ["page[size]", "page[number]", "page[offset]", "page[limit]", "page[after]"]
)
@pytest.mark.parametrize(
    "value", ["-1", "abc", "1e9", "1.5", "", "%2B5", "+5", "%D9%A5", "9" * 30, "%00", "0x10"]
)
def test_a_value_that_is_no_whole_number_is_refused(client, name, value):
    assert error(client.get(f"{USERS}?{name}={value}")) == (400, name)


@on_one_engine
@pytest.mark.conformance("PG-09")
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("page[size]=0", "page[size]"),
        ("page[limit]=0", "page[limit]"),
        ("page[number]=0", "page[number]"),
        ("page[size]=1001", "page[size]"),
        ("page[limit]=1001", "page[limit]"),
        ("page[number]=1&page[size]=1001", "page[size]"),
        ("page[total]=yes", "page[total]"),
        ("page[before]=x", "page[before]"),
    ],
)
def test_a_value_out_of_bounds_is_refused(client, query, parameter):
    assert error(client.get(f"{USERS}?{query}")) == (400, parameter)


@on_one_engine
@pytest.mark.conformance("PG-10")
@pytest.mark.parametrize(
    "name", ["page[foo]", "page", "page[]", "page[Size]", "page[size", "page[size][x]", "pages"]
)
def test_an_unknown_member_of_the_family_is_refused(client, name):
    assert error(client.get(f"{USERS}?{name}=1")) == (400, name)


@on_one_engine
@pytest.mark.conformance("PG-11")
@pytest.mark.parametrize(
    ("others", "wrong"),
    [
        ("page[number]=1", "page[after]"),
        ("page[number]=1", "page[offset]"),
        ("page[number]=1", "page[limit]"),
        ("page[offset]=1", "page[before]"),
        ("page[offset]=1", "page[size]"),
        ("page[limit]=1", "page[size]"),
    ],
)
def test_two_ways_of_paging_do_not_go_together(world, others, wrong):
    links = world.client.get(f"{USERS}?page[size]=2").json["links"]
    cursor = dict(parse_qsl(urlsplit(links["next"]).query))["page[after]"]
    value = cursor if wrong in ("page[after]", "page[before]") else "1"
    response = world.client.get(f"{USERS}?{others}&{wrong}={value}")
    assert response.status_int == 400
    named = {fault["source"]["parameter"] for fault in response.json["errors"]}
    assert named & {wrong, others.partition("=")[0]}
    assert all(name.startswith("page[") for name in named)


@pytest.mark.conformance("PG-12")
@pytest.mark.parametrize(
    "page", ["page[number]=99999", "page[offset]=99999", "page[offset]=25", "page[number]=3"]
)
def test_a_page_beyond_the_end_is_empty_and_leads_back(world, page):
    response = world.client.get(f"{USERS}?{page}")
    assert (response.status_int, response.json["data"]) == (200, [])
    assert response.json["links"]["next"] is None
    assert world.client.get(response.json["links"]["prev"]).json["data"]
    assert world.client.get(response.json["links"]["last"]).json["data"]


@on_one_engine
@pytest.mark.conformance("PG-12")
def test_there_is_nothing_behind_the_last_cursor(world):
    document = world.client.get(f"{USERS}?page[size]=1000").json
    assert document["links"]["next"] is None
    *_, last = walk(world.client, f"{USERS}?page[size]=5", "next")
    assert len(last["data"]) == 5
    assert last["links"]["next"] is None


@on_one_engine
@pytest.mark.conformance("PG-13", "CP-24")
@pytest.mark.parametrize(
    ("page", "counts"),
    [
        ("page[number]=2&page[size]=7", True),
        ("page[offset]=3", True),
        ("page[size]=7&page[total]=true", True),
        ("page[total]=false", False),
        ("page[size]=7", False),
    ],
)
def test_the_total_is_given_where_it_is_known_or_asked_for(world, service, page, counts):
    for filter, total in (("", len(world.users)), ("&filter[is_active]=true", 9)):
        with statements(service.app) as sent:
            document = world.client.get(f"{USERS}?{page}{filter}").json
        expected = {"page": {"total": total}, "total": total} if counts else None
        assert document.get("meta") == expected
        assert any("count(" in statement.lower() for statement in sent) is counts


@pytest.mark.conformance("PG-13")
def test_the_total_of_related_resources_is_their_own(world):
    group = max(world.groups, key=lambda group: len(world.members_of(group)))
    for path in ("members", "relationships/members"):
        document = world.client.get(f"{GROUPS}/{group}/{path}?page[total]=true&page[size]=1").json
        assert document["meta"]["page"]["total"] == len(world.members_of(group))


@on_one_engine
@pytest.mark.conformance("PG-15", "QP-05")
@pytest.mark.parametrize("page", ["page[size]=1", "page[number]=1", "page[after]=x"])
def test_a_page_is_refused_where_there_is_no_collection(world, page):
    own = f"{USERS}/{world.joiner}"
    for url in (own, f"{own}/role", f"{own}/relationships/role", ENTRY):
        assert error(world.client.get(f"{url}?{page}")) == (400, page.partition("=")[0])
