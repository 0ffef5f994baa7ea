"""Rows FR and FL of the checklist: fetching resources and relationships, and HTTP's part in it."""

from urllib.parse import quote

import pytest

from tests.client import user
from tests.conformance.world import (
    CURSORS,
    ENTRY,
    GROUPS,
    NOBODY,
    ROLES,
    USERS,
    error,
    identities,
    ids,
    statements,
    walk,
)
from tests.engines import on_one_engine

# What differs from one response to the next, and no other header.
VOLATILE = {"X-Request-ID", "Date"}


def headers_of(response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in VOLATILE}


def urls(world) -> list[str]:
    """A URL of every kind that can be fetched."""
    own = f"{USERS}/{world.joiner}"
    return [
        ENTRY,
        USERS,
        own,
        f"{own}/role",
        f"{own}/groups",
        f"{own}/relationships/role",
        f"{own}/relationships/groups",
    ]


@pytest.mark.conformance("FR-04", "FR-05", "FR-06")
def test_collections_and_resources_are_fetched(world):
    for url, rows in ((USERS, world.users), (GROUPS, world.groups), (ROLES, world.roles)):
        response = world.client.get(f"{url}?page[size]=1000")
        assert response.status_int == 200
        resources = response.json["data"]
        assert ids(response.json) == sorted(rows)
        assert all(resource.keys() >= {"attributes", "links"} for resource in resources)
        for resource in resources[:3]:
            one = world.client.get(f"{url}/{resource['id']}")
            assert (one.status_int, one.json["data"]) == (200, resource)


@on_one_engine
@pytest.mark.conformance("FR-05")
def test_an_empty_collection_is_an_empty_array(client):
    for url in (USERS, GROUPS, ROLES):
        response = client.get(url)
        assert (response.status_int, response.json["data"]) == (200, [])


@on_one_engine
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("users/{nobody}", marks=pytest.mark.conformance("FR-08")),
        pytest.param("groups/{nobody}", marks=pytest.mark.conformance("FR-08")),
        pytest.param("groups/{joiner}", marks=pytest.mark.conformance("FR-08")),
        pytest.param("users/{nobody}/groups", marks=pytest.mark.conformance("FR-09")),
        pytest.param("users/{nobody}/role", marks=pytest.mark.conformance("FR-09", "FR-07")),
        pytest.param("users/{joiner}/nope", marks=pytest.mark.conformance("FR-10")),
        pytest.param("users/{joiner}/Groups", marks=pytest.mark.conformance("FR-10")),
        pytest.param("users/{joiner}/email", marks=pytest.mark.conformance("FR-10")),
        pytest.param("users/{joiner}/relationships", marks=pytest.mark.conformance("FL-04")),
        pytest.param("users/{joiner}/relationships/nope", marks=pytest.mark.conformance("FL-04")),
        pytest.param("users/{nobody}/relationships/groups", marks=pytest.mark.conformance("FL-04")),
        pytest.param("users/{nobody}/relationships/role", marks=pytest.mark.conformance("FL-04")),
        pytest.param("users/1", marks=pytest.mark.conformance("FR-11")),
        pytest.param("users/%00", marks=pytest.mark.conformance("FR-11")),
        pytest.param("users/%F0%9F%98%80", marks=pytest.mark.conformance("FR-11")),
        pytest.param("users/../../etc", marks=pytest.mark.conformance("FR-11")),
        pytest.param("users/%2e%2e%2f%2e%2e%2fetc", marks=pytest.mark.conformance("FR-11")),
        pytest.param("users/{joiner}%0A", marks=pytest.mark.conformance("FR-11")),
        pytest.param("users/'%20OR%20'1'='1", marks=pytest.mark.conformance("FR-11")),
        pytest.param("users/", marks=pytest.mark.conformance("FR-22")),
        pytest.param("users/{joiner}/", marks=pytest.mark.conformance("FR-22")),
        pytest.param("users//{joiner}", marks=pytest.mark.conformance("FR-22")),
        pytest.param("/users", marks=pytest.mark.conformance("FR-22")),
    ],
)
def test_what_is_not_there_is_not_found(world, path):
    url = f"{ENTRY}/{path.format(nobody=NOBODY, joiner=world.joiner)}"
    response = world.client.get(url)
    assert error(response) == (404, None)
    assert "ETag" not in response.headers


@on_one_engine
@pytest.mark.conformance("FR-22")
def test_an_id_may_be_escaped_or_in_upper_case_and_is_linked_as_it_is(world):
    own = f"http://localhost{USERS}/{world.joiner}"
    escaped = f"%{ord(world.joiner[0]):02x}{world.joiner[1:]}"
    for spelling in (world.joiner, world.joiner.upper(), escaped):
        document = world.client.get(f"{USERS}/{spelling}").json
        assert document["data"]["links"]["self"] == document["links"]["self"] == own


@on_one_engine
@pytest.mark.conformance("FR-12")
def test_head_mirrors_the_headers_of_get(world):
    for url in [*urls(world), f"{USERS}/{NOBODY}", f"{USERS}?foo=1"]:
        get, head = world.client.get(url), world.client.request("HEAD", url)
        assert (head.status_int, head.body) == (get.status_int, b"")
        assert headers_of(head) == headers_of(get)


@on_one_engine
@pytest.mark.conformance("FR-13", "FR-14")
def test_options_lists_the_methods_and_any_other_is_refused(world):
    own = f"{USERS}/{world.joiner}"
    reading = {"GET", "HEAD", "OPTIONS"}
    for url, methods in (
        (ENTRY, reading),
        (USERS, reading | {"POST"}),
        (own, reading | {"PATCH", "DELETE"}),
        (f"{own}/role", reading),
        (f"{own}/groups", reading),
        (f"{own}/relationships/role", reading | {"PATCH"}),
        (f"{own}/relationships/groups", reading | {"POST", "PATCH", "DELETE"}),
        (f"{ENTRY}/operations", {"POST", "OPTIONS"}),
    ):
        options = world.client.request("OPTIONS", url)
        assert (options.status_int, options.body) == (204, b"")
        assert set(options.headers["Allow"].split(", ")) == methods
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            response = world.client.request(method, url)
            assert error(response) == (405, None)
            assert set(response.headers["Allow"].split(", ")) == methods


@on_one_engine
@pytest.mark.conformance("FR-15", "FR-16")
def test_reading_changes_nothing(world, service):
    for url in urls(world):
        with statements(service.app) as sent:
            first, second = world.client.get(url), world.client.get(url)
        assert first.headers["ETag"] == second.headers["ETag"]
        assert first.headers["ETag"].startswith('"')
        assert first.body == second.body
        assert {statement.split()[0] for statement in sent} <= {"SELECT"}


@on_one_engine
@pytest.mark.conformance("FR-16")
def test_what_a_client_has_already_is_not_sent_again(world):
    for url in urls(world):
        tag = world.client.get(url).headers["ETag"]
        for known in (tag, f'"other", {tag}', f"W/{tag}"):
            response = world.client.get(url, headers={"If-None-Match": known})
            assert (response.status_int, response.body) == (304, b"")
            assert response.headers["ETag"] == tag
            assert "Accept" in response.headers["Vary"]
        assert world.client.get(url, headers={"If-None-Match": '"other"'}).status_int == 200


@on_one_engine
@pytest.mark.conformance("FR-16")
def test_any_tag_is_that_of_what_a_client_has(world):
    for url in urls(world):
        response = world.client.get(url, headers={"If-None-Match": "*"})
        assert (response.status_int, response.body) == (304, b"")


@pytest.mark.conformance("FR-16")
def test_a_change_changes_the_tag_of_what_shows_it(world):
    own = f"{USERS}/{world.joiner}"
    before = {url: world.client.get(url).headers["ETag"] for url in (own, USERS)}
    assert world.client.patch(own, user(world.joiner, name="Other")).status_int == 200
    # The order of ids puts it on the first page, or behind it.
    listed = f"{USERS}?page[size]=1000"
    after = {url: world.client.get(url).headers["ETag"] for url in (own, listed)}
    assert before[own] != after[own]
    world.client.patch(own, user(world.joiner, name="Another"))
    assert world.client.get(listed).headers["ETag"] != after[listed]


@on_one_engine
@pytest.mark.conformance("FR-17")
def test_every_representation_has_a_tag_of_its_own(world):
    own = f"{USERS}/{world.joiner}"
    variants = ["", "?include=role", "?include=groups", "?include=", "?fields[users]=name"]
    tags = [world.client.get(own + variant).headers["ETag"] for variant in variants]
    pages = ["", "?page[size]=2", "?page[size]=3", "?sort=-id", "?filter[is_active]=true"]
    tags += [world.client.get(USERS + variant).headers["ETag"] for variant in pages]
    tags.append(world.client.get(USERS, headers={"Accept": CURSORS}).headers["ETag"])
    assert len(set(tags)) == len(tags)


@pytest.mark.conformance("FR-20", "FR-21", "FS-07", "SO-07")
def test_related_collections_take_the_parameters_of_the_collection(world):
    url = f"{USERS}/{world.joiner}/groups"
    names = sorted((world.groups[id]["name"] for id in world.groups_of(world.joiner)), reverse=True)
    query = "?sort=-name&page[size]=1&include=members&fields[groups]=name"
    documents = walk(world.client, url + query, "next")
    shown = [resource["attributes"] for document in documents for resource in document["data"]]
    assert shown == [{"name": name} for name in names]
    assert all(document["included"] for document in documents)
    filtered = world.client.get(f"{url}?filter[name]={quote(names[0])}").json["data"]
    assert [group["attributes"]["name"] for group in filtered] == names[:1]
    assert filtered[0]["links"]["self"] == f"http://localhost{GROUPS}/{filtered[0]['id']}"


@pytest.mark.conformance("FL-01", "FL-02", "FL-05", "FR-03")
def test_linkage_fits_its_relationship(world):
    for id in (world.joiner, world.loner):
        own = f"{USERS}/{id}/relationships"
        role = world.client.get(f"{own}/role")
        groups = world.client.get(f"{own}/groups")
        expected = world.role_of(id) and {"type": "roles", "id": world.role_of(id)}
        assert (role.status_int, role.json["data"]) == (200, expected)
        assert groups.status_int == 200
        wanted = {("groups", group) for group in world.groups_of(id)}
        assert identities(groups.json["data"]) == wanted


@pytest.mark.conformance("FL-03", "FL-02")
def test_an_empty_relationship_is_there(world):
    for url, empty in (
        (f"{USERS}/{world.loner}/relationships/role", None),
        (f"{USERS}/{world.loner}/relationships/groups", []),
        (f"{GROUPS}/{world.empty_group}/relationships/members", []),
        (f"{ROLES}/{world.empty_role}/relationships/users", []),
    ):
        response = world.client.get(url)
        assert (response.status_int, response.json["data"]) == (200, empty)


@pytest.mark.conformance("FL-06", "RO-20", "CP-02")
def test_linkage_is_paged_in_an_order_of_its_own(world):
    url = f"{USERS}/{world.joiner}/relationships/groups"
    forth = walk(world.client, f"{url}?page[size]=1", "next")
    assert ids(*forth) == sorted(world.groups_of(world.joiner))
    back = walk(world.client, forth[0]["links"]["last"], "prev")
    assert ids(*back[::-1]) == ids(*forth)
    selves = {document["links"]["self"].partition("?")[0] for document in forth}
    assert selves == {f"http://localhost{url}"}


@on_one_engine
@pytest.mark.conformance("FL-08", "QP-05")
@pytest.mark.parametrize(
    ("relationship", "path"),
    [("role", "groups"), ("groups", "role"), ("groups", "members"), ("role", "nope")],
)
def test_linkage_includes_nothing_but_what_it_leads_to(world, relationship, path):
    url = f"{USERS}/{world.joiner}/relationships/{relationship}?include={path}"
    assert error(world.client.get(url)) == (400, "include")


FUTURE = "Fri, 31 Dec 9999 23:59:59 GMT"


@on_one_engine
@pytest.mark.conformance("FR-18")
def test_a_time_is_no_validator_since_no_answer_gives_one(world):
    for url in urls(world):
        response = world.client.get(url, headers={"If-Modified-Since": FUTURE})
        assert response.status_int == 200
        assert "Last-Modified" not in response.headers


@on_one_engine
@pytest.mark.conformance("FR-19")
def test_a_tag_has_precedence_over_a_time(world):
    for url in urls(world):
        tag = world.client.get(url).headers["ETag"]
        for known, since, status in (
            (tag, "Thu, 01 Jan 1970 00:00:00 GMT", 304),
            ('"other"', FUTURE, 200),
        ):
            headers = {"If-None-Match": known, "If-Modified-Since": since}
            assert world.client.get(url, headers=headers).status_int == status
