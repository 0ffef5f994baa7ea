"""Relationships of resources: read and written by their own URLs and within resources."""

from uuid import UUID

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.conftest import article, person
from tests.jsonapi.toy import ARTICLES, COMMENTS, PEOPLE, TAGS, Comment, Person
from tests.jsonapi.world import ADA, BOB, DAN, EVE, FAY, RELATED, TARGETS, identifier, linkage

HOST = "http://localhost"
NOBODY = str(UUID(int=99))

ALL = [(type, name) for type in RELATED for name in RELATED[type]]

# A relationship, its inverse, and ends that can be related in any way.
INVERSES = [
    ("reports", "manager", ADA, [BOB, DAN, FAY], "people", "people"),
    ("articles", "author", ADA, ["3", "4"], "people", "articles"),
    ("tags", "articles", "2", ["1", "3"], "articles", "tags"),
    ("articles", "tags", "3", ["1", "2"], "tags", "articles"),
    ("friends", "fans", EVE, [ADA, EVE], "people", "people"),
]
inverses = pytest.mark.parametrize(("name", "inverse", "id", "others", "type", "target"), INVERSES)


def own(type: str, id: str, name: str) -> str:
    """The URL of a relationship."""
    return f"/toy/{type}/{id}/relationships/{name}"


def ids(world, url: str) -> list[str] | str | None:
    return ids_of(world.client.get(url).json)


def ids_of(linkage: dict) -> list[str] | str | None:
    """The ids in a document, or in a relationship of a resource."""
    data = linkage["data"]
    if isinstance(data, list):
        return [found["id"] for found in data]
    return data and data["id"]


def etag(world, type: str, id: str) -> str:
    return world.client.get(f"/toy/{type}/{id}").headers["ETag"]


def assert_unchanged(world) -> None:
    """All linkage is as the world was made, and there is nothing else that has any."""
    for type, relationships in RELATED.items():
        document = world.client.get(f"/toy/{type}?include={','.join(relationships)}").json
        shown = {resource["id"]: resource["relationships"] for resource in document["data"]}
        for name, found in relationships.items():
            linked = {id: ids_of(shown[id][name]) for id in shown}
            assert linked == found, (type, name)


def test_all_linkage_is_read_by_both_urls(world):
    for type, relationships in RELATED.items():
        for name, found in relationships.items():
            for id, expected in found.items():
                assert ids(world, own(type, id, name)) == expected
                assert ids(world, f"/toy/{type}/{id}/{name}") == expected


@toy_on_one_engine
@pytest.mark.parametrize(("type", "name"), ALL)
def test_linkage_has_links_to_itself_and_to_the_resources(world, type, name):
    id = next(iter(RELATED[type][name]))
    document = world.client.get(own(type, id, name)).json
    assert document["links"]["self"] == HOST + own(type, id, name)
    assert document["links"]["related"] == f"{HOST}/toy/{type}/{id}/{name}"
    resource = world.client.get(f"/toy/{type}/{id}").json["data"]
    shown = resource["relationships"][name]["links"]
    assert shown == {name: document["links"][name] for name in ("self", "related")}
    related = world.client.get(f"/toy/{type}/{id}/{name}").json
    assert related["links"]["self"] == f"{HOST}/toy/{type}/{id}/{name}"


def test_linkage_of_many_is_paged_sorted_and_filtered(world):
    url = own("articles", "4", "tags")
    first = world.client.get(f"{url}?page[size]=2&sort=-label").json
    assert [found["id"] for found in first["data"]] == ["3", "2"]
    second = world.client.get(first["links"]["next"]).json
    assert second["data"] == [identifier("tags", 1)]
    assert second["links"]["next"] is None
    for query, expected in {
        "page[number]=2&page[size]=2": ["3"],
        "page[offset]=1&page[limit]=1": ["2"],
        "filter[label]=tag 2": ["2"],
        "filter[articles]=1&sort=-id": ["2", "1"],
    }.items():
        assert ids(world, f"{url}?{query}") == expected
        assert ids(world, f"{ARTICLES}/4/tags?{query}") == expected
    total = world.client.get(f"{url}?page[total]=true&page[size]=1").json["meta"]["total"]
    assert total == 3


@toy_on_one_engine
def test_a_cursor_of_one_relationship_is_refused_by_another(world):
    link = world.client.get(f"{own('articles', '4', 'tags')}?page[size]=1").json["links"]["next"]
    query = link.partition("?")[2]
    for url in (own("articles", "1", "tags"), f"{ARTICLES}/4/tags", TAGS):
        response = world.client.get(f"{url}?{query}")
        assert sources(response) == [("page[after]", "invalid_parameter")]


@inverses
def test_members_are_added_and_removed_on_both_sides(
    world, name, inverse, id, others, type, target
):
    before = set(RELATED[type][name][id])
    for method, expected in (("POST", before | set(others)), ("DELETE", before - set(others))):
        for _ in range(2):  # the second time it changes nothing
            tags = etag(world, type, id)
            response = world.client.request(
                method, own(type, id, name), linkage(target, [*others, others[0]])
            )
            assert response.status_int == 204
            assert set(ids(world, own(type, id, name))) == expected
            for other in others:
                found = ids(world, own(target, other, inverse)) or []
                assert (id in found) == (method == "POST")
        assert etag(world, type, id) == tags


@inverses
def test_members_are_replaced_on_both_sides(world, name, inverse, id, others, type, target):
    for members in (others, others[:1], [], others):
        tags = [etag(world, target, other) for other in others]
        response = world.client.patch(own(type, id, name), linkage(target, members))
        assert response.status_int == 204
        assert set(ids(world, own(type, id, name))) == set(members)
        for other in others:
            assert (id in (ids(world, own(target, other, inverse)) or [])) == (other in members)
    assert [etag(world, target, other) for other in others] != tags


@inverses
def test_a_resource_brings_its_members_along(world, name, inverse, id, others, type, target):
    document = {"data": identifier(type, id) | {"relationships": {name: linkage(target, others)}}}
    changed = world.client.patch(f"/toy/{type}/{id}", document)
    assert changed.status_int == 200, changed.text
    assert changed.headers["ETag"] == etag(world, type, id)
    assert set(ids(world, own(type, id, name))) == set(others)
    for other in others:
        assert id in ids(world, own(target, other, inverse))
    again = world.client.patch(f"/toy/{type}/{id}", document)
    assert again.headers["ETag"] == changed.headers["ETag"]


@pytest.mark.parametrize(
    ("type", "name", "id", "target", "inverse"),
    [("people", "manager", BOB, EVE, "reports"), ("articles", "author", "4", BOB, "articles")],
)
def test_a_to_one_relationship_is_set_and_emptied(world, type, name, id, target, inverse):
    url, kind = own(type, id, name), TARGETS[name]
    for value in (target, target, None, None, target):
        tags = etag(world, kind, target)
        changes = ids(world, url) != value
        assert world.client.patch(url, linkage(kind, value)).status_int == 204
        assert ids(world, url) == value
        assert (id in ids(world, own(kind, target, inverse))) == (value is not None)
        assert (etag(world, kind, target) != tags) == changes
    document = {"data": identifier(type, id) | {"relationships": {name: linkage(kind, None)}}}
    assert world.client.patch(f"/toy/{type}/{id}", document).status_int == 200
    assert ids(world, url) is None
    for method in ("POST", "DELETE"):
        assert world.client.request(method, url, linkage(kind, target)).status_int == 405


def test_a_person_can_become_the_manager_of_herself(world):
    document = person(ADA)
    document["data"]["relationships"] = {"manager": linkage("people", ADA)}
    changed = world.client.patch(f"{PEOPLE}/{ADA}", document)
    assert changed.headers["ETag"] == etag(world, "people", ADA)
    again = person(ADA, nickname="countess")
    headers = {"If-Match": changed.headers["ETag"]}
    assert world.client.patch(f"{PEOPLE}/{ADA}", again, headers=headers).status_int == 200


def test_whom_others_refer_to_can_be_deleted_where_the_database_allows_it(world):
    for id in (DAN, FAY, ADA):  # his own manager; her own friend; everybody's
        assert world.client.delete(f"{PEOPLE}/{id}").status_int == 204
    assert ids(world, own("people", BOB, "manager")) is None
    assert ids(world, own("people", BOB, "friends")) == []
    assert ids(world, own("articles", "1", "author")) is None


@pytest.mark.parametrize(
    ("deleted", "type", "id"),
    [
        (f"{PEOPLE}/{BOB}", "people", ADA),  # who has a friend less
        (f"{PEOPLE}/{BOB}", "people", EVE),  # who has no manager any more
        (f"{PEOPLE}/{BOB}", "articles", "3"),  # which has no author any more
        (f"{TAGS}/1", "articles", "1"),
        (f"{ARTICLES}/2", "people", ADA),
        (f"{ARTICLES}/2", "tags", "2"),
    ],
)
def test_who_loses_a_related_resource_counts_as_changed(world, deleted, type, id):
    seen = etag(world, type, id)
    assert world.client.delete(deleted).status_int == 204
    changed = world.client.patch(
        f"/toy/{type}/{id}", {"data": identifier(type, id)}, headers={"If-Match": seen}
    )
    assert changed.status_int == 412


def test_what_others_depend_on_cannot_be_deleted(world):
    response = world.client.delete(f"{ARTICLES}/1")
    assert (response.status_int, sources(response)) == (409, [("", "conflict")])
    assert_unchanged(world)


NEEDED = [
    ("PATCH", own("articles", "1", "comments"), linkage("comments", [])),
    ("PATCH", own("articles", "1", "comments"), linkage("comments", [3])),
    ("DELETE", own("articles", "1", "comments"), linkage("comments", [1])),
    ("PATCH", own("comments", "1", "article"), linkage("articles", None)),
    (
        "PATCH",
        f"{ARTICLES}/1",
        {"data": identifier("articles", 1) | {"relationships": {"comments": {"data": []}}}},
    ),
    (
        "PATCH",
        f"{COMMENTS}/1",
        {"data": identifier("comments", 1) | {"relationships": {"article": {"data": None}}}},
    ),
]


@toy_on_one_engine
@pytest.mark.parametrize(("method", "url", "document"), NEEDED)
def test_nobody_is_taken_out_of_a_relationship_that_he_needs(world, method, url, document):
    response = world.client.request(method, url, document)
    assert 400 <= response.status_int < 500, response.text
    assert_unchanged(world)


def test_who_needs_a_relationship_can_be_moved_to_another(world):
    url = own("articles", "3", "comments")
    assert world.client.post(url, linkage("comments", [1])).status_int == 204
    assert ids(world, own("articles", "1", "comments")) == ["2"]
    assert ids(world, own("comments", "1", "article")) == "3"


@toy_on_one_engine
def test_a_required_relationship_must_be_there(world):
    data = {"type": "comments", "attributes": {"body": "first"}}
    response = world.client.post(COMMENTS, {"data": data})
    assert response.status_int == 422
    ((pointer, code),) = sources(response)
    assert code == "missing_field"
    assert pointer in ("/data", "/data/relationships")
    assert world.count(Comment) == 3


# What a document says of a relationship to people, and how that is answered.
REFUSED = [
    ([identifier("tags", 1)], 409, "/0/type", "type_conflict"),
    ([identifier("people", NOBODY)], 404, "/0", "related_not_found"),
    ([identifier("people", ADA), identifier("people", "x")], 404, "/1", "related_not_found"),
    ([{"type": "people"}], 400, "/0", "malformed_document"),
    ([{"id": ADA}], 400, "/0", "malformed_document"),
    ([{"type": "people", "id": 1}], 400, "/0/id", "malformed_document"),
    ([{"type": "people", "lid": "x"}], 400, "/0/lid", "unknown_lid"),
    ([None], 400, "/0", "malformed_document"),
    ([[]], 400, "/0", "malformed_document"),
    (None, 400, "", "malformed_document"),
    (identifier("people", ADA), 400, "", "malformed_document"),
]


@toy_on_one_engine
@pytest.mark.parametrize(("data", "status", "place", "code"), REFUSED)
def test_linkage_that_cannot_be_is_refused_with_its_pointer(world, data, status, place, code):
    url = own("people", BOB, "friends")
    for method in ("PATCH", "POST"):
        response = world.client.request(method, url, {"data": data})
        assert response.status_int == status
        assert sources(response) == [(f"/data{place}", code)]
    relationships = {"relationships": {"friends": {"data": data}}}
    expected = [(f"/data/relationships/friends/data{place}", code)]
    changed = world.client.patch(
        f"{PEOPLE}/{BOB}", {"data": identifier("people", BOB) | relationships}
    )
    assert (changed.status_int, sources(changed)) == (status, expected)
    data = {"type": "people", "attributes": {"nickname": "new"}} | relationships
    created = world.client.post(PEOPLE, {"data": data})
    assert (created.status_int, sources(created)) == (status, expected)
    assert world.count(Person) == 5
    assert_unchanged(world)


@toy_on_one_engine
@pytest.mark.parametrize(
    ("data", "status", "place", "code"),
    [
        ([], 400, "", "malformed_document"),
        ("x", 400, "", "malformed_document"),
        (identifier("tags", 1), 409, "/type", "type_conflict"),
        (identifier("people", NOBODY), 404, "", "related_not_found"),
        (identifier("people", "x"), 404, "", "related_not_found"),
    ],
)
def test_a_to_one_link_that_cannot_be_is_refused_with_its_pointer(world, data, status, place, code):
    response = world.client.patch(own("articles", "1", "author"), {"data": data})
    assert (response.status_int, sources(response)) == (status, [(f"/data{place}", code)])
    assert_unchanged(world)


def test_every_missing_member_is_named(world):
    document = linkage("people", [NOBODY, ADA, str(UUID(int=98))])
    response = world.client.post(own("people", EVE, "friends"), document)
    assert sources(response) == [("/data/0", "related_not_found"), ("/data/2", "related_not_found")]
    assert_unchanged(world)


def test_members_that_are_not_there_can_be_removed(world):
    document = linkage("people", [NOBODY, FAY])
    assert world.client.delete(own("people", ADA, "friends"), document).status_int == 204
    assert_unchanged(world)


@toy_on_one_engine
def test_a_relationship_of_nobody_is_not_found(world):
    for id in (NOBODY, "x", "%00"):
        for name in ("friends", "manager"):
            for url in (own("people", id, name), f"{PEOPLE}/{id}/{name}"):
                response = world.client.get(url)
                assert (response.status_int, sources(response)) == (404, [("", "not_found")])
        response = world.client.post(own("people", id, "friends"), linkage("people", [ADA]))
        assert (response.status_int, sources(response)) == (404, [("", "not_found")])
    for name in ("nope", "nickname", "befriended_by", "manager_id"):
        for url in (own("people", ADA, name), f"{PEOPLE}/{ADA}/{name}"):
            assert world.client.get(url).status_int == 404


@toy_on_one_engine
def test_a_relationship_that_is_only_shown_cannot_be_written(world):
    for method in ("PATCH", "POST", "DELETE"):
        response = world.client.request(
            method, own("people", ADA, "fans"), linkage("people", [EVE])
        )
        assert response.status_int == 403
        assert sources(response) == [("/data", "read_only_relationship")]
    relationships = {"relationships": {"fans": {"data": []}}}
    for response in (
        world.client.patch(f"{PEOPLE}/{ADA}", {"data": identifier("people", ADA) | relationships}),
        world.client.post(
            PEOPLE, {"data": {"type": "people", "attributes": {"nickname": "n"}} | relationships}
        ),
    ):
        assert response.status_int == 403
        assert sources(response) == [("/data/relationships/fans", "read_only_relationship")]
    assert_unchanged(world)


@toy_on_one_engine
def test_faults_of_attributes_and_relationships_are_told_at_once(world):
    document = article(rating="many", nope=1)
    document["data"]["relationships"] = {
        "author": {"data": identifier("tags", 1)},
        "tags": {"data": [identifier("tags", 1), {}]},
        "nope": {"data": None},
    }
    response = world.client.post(ARTICLES, document)
    assert response.status_int == 400
    assert set(sources(response)) >= {
        ("/data/attributes", "missing_field"),
        ("/data/attributes/nope", "unknown_field"),
        ("/data/attributes/rating", "invalid_value"),
        ("/data/relationships/author/data/type", "type_conflict"),
        ("/data/relationships/nope", "unknown_field"),
        ("/data/relationships/tags/data/1", "malformed_document"),
    }


def test_a_new_person_can_be_her_own_friend_and_manager(world):
    """By her local id, since she has no other yet (§5.2.1 Identification)."""
    herself = {"type": "people", "lid": "me"}
    for name, value in {"friends": [herself], "manager": herself}.items():
        data = herself | {
            "attributes": {"nickname": name},
            "relationships": {name: {"data": value}},
        }
        response = world.client.post(PEOPLE, {"data": data})
        assert response.status_int == 201, response.text
        id = response.json["data"]["id"]
        assert ids(world, own("people", id, name)) in (id, [id])
        assert response.headers["ETag"] == etag(world, "people", id)


def test_many_members_are_written_at_once(toy):
    ada = toy.person(nickname="ada")["id"]
    toy.insert(Person, [{"nickname": f"n{number}"} for number in range(1100)])
    people = toy.client.get(f"{PEOPLE}?page[size]=1000").json["data"]
    members = [resource["id"] for resource in people]
    for name in ("friends", "reports"):
        url = own("people", ada, name)
        assert toy.client.patch(url, linkage("people", members)).status_int == 204
        assert ids(toy, f"{url}?page[size]=1000") == members
        assert toy.client.delete(url, linkage("people", members[1:])).status_int == 204
        assert ids(toy, url) == members[:1]
