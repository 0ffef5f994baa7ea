"""Rows QP of the checklist: which query parameters there are, and how they are spelt."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.client import Client, sources
from tests.conformance.documents import (
    ATOMIC_TYPE,
    Linked,
    identifier,
    identifiers,
    resource,
)
from tests.conformance.world import ENTRY, GROUPS, ROLES, USERS, World, crawl, error, ids, links_in
from tests.engines import on_one_engine

pytestmark = on_one_engine

FAMILIES = {"filter", "page", "fields"}


def endpoints(world: World) -> list[tuple[str, str, dict | None]]:
    """Every method of every kind of URL, with a document that would succeed."""
    user, group = f"{USERS}/{world.joiner}", f"{GROUPS}/{world.empty_group}"
    groups = {"data": identifiers("groups", world.empty_group)}
    add = {"op": "add", "data": resource("groups", name="new")}
    return [
        ("GET", ENTRY, None),
        ("GET", USERS, None),
        ("HEAD", USERS, None),
        ("POST", USERS, {"data": resource("users", email="new@example.com", name="New")}),
        ("GET", user, None),
        ("PATCH", user, {"data": resource("users", world.joiner, name="New")}),
        ("DELETE", user, None),
        ("GET", f"{user}/groups", None),
        ("GET", f"{user}/role", None),
        ("GET", f"{user}/relationships/groups", None),
        ("GET", f"{user}/relationships/role", None),
        ("PATCH", f"{user}/relationships/role", {"data": None}),
        ("PATCH", f"{user}/relationships/groups", groups),
        ("POST", f"{user}/relationships/groups", groups),
        ("DELETE", f"{user}/relationships/groups", groups),
        ("DELETE", group, None),
        ("POST", f"{ENTRY}/operations", {"atomic:operations": [add]}),
    ]


def send(client: Client, method: str, url: str, document: dict | None):
    headers = {}
    if url.partition("?")[0].endswith("/operations"):
        headers = {"Accept": ATOMIC_TYPE, "Content-Type": ATOMIC_TYPE}
    return client.request(method, url, document, headers=headers)


def everything(world: World) -> list:
    """What is stored, as clients see it."""
    return [
        world.client.get(url).json
        for url in (
            f"{USERS}?page[size]=99&include=groups,role",
            f"{GROUPS}?page[size]=99",
            f"{ROLES}?page[size]=99",
        )
    ]


@pytest.mark.conformance("QP-01", "QP-02", "QP-03", "QP-06")
@pytest.mark.parametrize(
    "name",
    ["foo", "camelCase", "snake_case", "_x", "x+y", "", "x[", "foo[bar]", "atomic:foo", "Filter"],
)
def test_a_parameter_that_there_is_not_is_refused_everywhere(world, name):
    before = everything(world)
    for method, url, document in endpoints(world):
        response = send(world.client, method, f"{url}?{name}=1", document)
        assert response.status_int == 400, (method, url)
        if method != "HEAD":
            assert sources(response) == [(name.replace("+", " "), "unsupported_parameter")]
            assert response.json["errors"][0]["source"].keys() == {"parameter"}
    assert everything(world) == before


@pytest.mark.conformance("QP-05", "QP-12")
@pytest.mark.parametrize(
    "parameter",
    ["include=groups", "sort=name", "fields[users]=name", "filter[name]=a", "page[size]=1"],
)
def test_a_parameter_that_an_endpoint_does_not_have_is_refused_and_not_ignored(world, parameter):
    before = everything(world)
    name = parameter.partition("=")[0]
    one = {"include", "fields[users]"}
    many = {*one, "sort", "filter[name]", "page[size]"}
    user = f"{USERS}/{world.joiner}"
    has = {
        ("GET", USERS): many,
        ("HEAD", USERS): many,
        ("POST", USERS): one,
        ("GET", user): one,
        ("PATCH", user): one,
        # Neither groups nor roles have groups to include.
        ("GET", f"{user}/groups"): many - {"include"},
        ("GET", f"{user}/role"): {"fields[users]"},
        ("GET", f"{user}/relationships/groups"): many,
        ("GET", f"{user}/relationships/role"): {"fields[users]"},
    }
    for method, url, document in endpoints(world):
        if name not in has.get((method, url), set()):
            response = send(world.client, method, f"{url}?{parameter}", document)
            assert error(response) == (400, name), (method, url)
    assert everything(world) == before


@pytest.mark.conformance("QP-12")
def test_what_is_written_is_answered_as_it_is_asked_for(world):
    query = "?include=role&fields[users]=name,role&fields[roles]=name"
    role = Linked(identifier("roles", world.empty_role))
    new = resource("users", email="new@example.com", name="New", role=role)
    created = world.client.post(USERS + query, {"data": new})
    id = created.json["data"]["id"]
    assert created.headers["Location"].endswith(f"{USERS}/{id}")
    changed = world.client.patch(
        f"{USERS}/{id}{query}", {"data": resource("users", id, name="Newer")}
    )
    for response, status, name in ((created, 201, "New"), (changed, 200, "Newer")):
        assert response.status_int == status
        data = response.json["data"]
        assert data["attributes"] == {"name": name}
        assert data["relationships"].keys() == {"role"}
        assert data["relationships"]["role"]["data"] == identifier("roles", world.empty_role)
        (included,) = response.json["included"]
        assert included["attributes"].keys() == {"name"}


@pytest.mark.conformance("QP-02", "QP-04")
def test_the_api_has_no_parameters_but_those_of_the_specification(world):
    names = {
        name
        for start in (
            f"{USERS}?sort=name&include=groups&fields[users]=name&page[total]=true",
            ENTRY,
        )
        for _, response in crawl(world.client, start)
        for link in links_in(response.json)
        for name, _ in parse_qsl(urlsplit(link).query, keep_blank_values=True)
    }
    assert len(names) > 4
    assert {name.partition("[")[0] for name in names} <= {"include", "sort", *FAMILIES}


@pytest.mark.conformance("QP-07", "QP-08", "QP-09")
@pytest.mark.parametrize(
    "spellings",
    [
        (
            "filter[name]=Zoe+Z",
            "filter[name]=Zoe%20Z",
            "filter%5Bname%5D=Zoe+Z",
            "%66ilter[name]=Zoe+Z",
        ),
        ("filter[name]=%C3%89dith", "filter[name]=%c3%89%64ith", "filter%5bname%5d=%C3%89dith"),
        ("page[size]=3&sort=-name", "page%5Bsize%5D=3&sort=%2Dname", "page%5bsize]=3&&sort=-name&"),
        (
            "fields[users]=name,email",
            "fields%5Busers%5D=name%2Cemail",
            "fields[users%5D=name,email",
        ),
    ],
)
def test_spellings_of_one_query_have_one_answer(world, spellings):
    first, *others = [world.client.get(f"{USERS}?{query}").json for query in spellings]
    assert ids(first)
    for other in others:
        assert other["data"] == first["data"]
        assert other["links"]["next"] == first["links"]["next"]


@pytest.mark.conformance("QP-07")
def test_a_plus_that_is_meant_is_escaped(client):
    client.create_user("a+b@example.com")
    assert len(client.get(f"{USERS}?filter[email]=a%2Bb@example.com").json["data"]) == 1
    assert client.get(f"{USERS}?filter[name][contains]=a+b").json["data"] == []


@pytest.mark.conformance("QP-10")
@pytest.mark.parametrize(
    "query",
    [
        "sort=name&sort=name",
        "include=role&include=groups",
        "page[size]=1&page%5Bsize%5D=1",
        "fields[users]=name&fields[users]=email",
        "filter[name]=a&filter[name]=b",
        "filter=has(role)&filter=has(groups)",
    ],
)
def test_a_parameter_that_comes_twice_is_refused(client, query):
    (name, _), _ = parse_qsl(query)
    assert error(client.get(f"{USERS}?{query}")) == (400, name)


@pytest.mark.conformance("QP-11")
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("sort=%ff", "sort"),
        ("sort=%", "sort"),
        ("sort=%zz", "sort"),
        ("filter[name]=%C3", "filter[name]"),
        ("filter[name]=%ED%A0%80", "filter[name]"),
        ("filter[name]=%C0%AF", "filter[name]"),
        ("%ff=1", None),
        ("filter[%ff]=1", None),
    ],
)
def test_escapes_that_are_no_text_are_refused(client, query, name):
    assert error(client.get(f"{USERS}?{query}")) == (400, name)


@pytest.mark.conformance("QP-13")
def test_a_url_that_is_too_long_is_refused(world, app_with):
    long = "a" * 20_000
    user = f"{USERS}/{world.joiner}"
    for url in (f"{USERS}?filter[name]={long}", f"{USERS}?{long}=1", f"{user}?include={long}"):
        response = world.client.get(url)
        assert response.status_int == 414
        assert sources(response) == [("", "url_too_long")]
    strict = Client(app_with(max_url_length="300", max_filter_values="4"))
    assert strict.get(f"{USERS}?sort={'a' * 300}").status_int == 414
    assert strict.get(f"{USERS}?sort=name").status_int == 200
