"""Atomic operations: all of them or none, in their order, as single requests would do them."""

from uuid import UUID

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.test_relationships import assert_unchanged, ids, own
from tests.jsonapi.toy import ARTICLES, OPERATIONS, PEOPLE, TAGS, Article, Person, Tag
from tests.jsonapi.world import ADA, BOB, DAN, EVE, FAY, identifier, linkage
from users_service.jsonapi import Limits

NOBODY = str(UUID(int=99))
OTHER = str(UUID(int=98))


def add(type: str, lid: str | None = None, relationships: dict | None = None, **attributes) -> dict:
    data = {"type": type, "attributes": attributes}
    if lid is not None:
        data["lid"] = lid
    if relationships is not None:
        data["relationships"] = {name: {"data": value} for name, value in relationships.items()}
    return {"op": "add", "data": data}


def update(type: str, id: str, **attributes) -> dict:
    return {"op": "update", "data": identifier(type, id) | {"attributes": attributes}}


def remove(type: str, id: str) -> dict:
    return {"op": "remove", "ref": identifier(type, id)}


def lid(type: str, name: str) -> dict:
    return {"type": type, "lid": name}


def assert_refused(toy, operations: list, status: int, place: str, code: str) -> None:
    """Operations are refused with one pointer, and the world is as it was."""
    response = toy.operate(*operations)
    assert (response.status_int, sources(response)) == (
        status,
        [(f"/atomic:operations{place}", code)],
    ), response.text
    assert_unchanged(toy)
    assert toy.count(Article) == 4
    assert toy.count(Person) == 5


def test_operations_are_done_in_their_order_and_have_results(world):
    response = world.operate(
        add("people", nickname="new"),
        update("people", ADA, nickname="countess"),
        remove("people", FAY),
        {"op": "add", "ref": identifier("people", EVE) | {"relationship": "friends"}}
        | linkage("people", [ADA]),
        {"op": "update", "ref": identifier("people", BOB) | {"relationship": "manager"}}
        | linkage("people", None),
        {"op": "remove", "ref": identifier("people", ADA) | {"relationship": "friends"}}
        | linkage("people", [BOB]),
        {"op": "update", "ref": identifier("articles", "3") | {"relationship": "tags"}}
        | linkage("tags", ["3"]),
    )
    assert response.status_int == 200, response.text
    results = response.json["atomic:results"]
    assert [result.keys() for result in results] == [{"data"}, {"data"}] + [set()] * 5
    new = results[0]["data"]
    assert world.client.get(new["links"]["self"]).json["data"] == new
    assert results[1]["data"]["attributes"]["nickname"] == "countess"
    assert world.client.get(f"{PEOPLE}/{FAY}").status_int == 404
    assert ids(world, own("people", EVE, "friends")) == [ADA]
    assert ids(world, own("people", BOB, "manager")) is None
    assert ids(world, own("people", ADA, "friends")) == [EVE]
    assert ids(world, own("articles", "3", "tags")) == ["3"]


# A URI-reference is relative to the URL of operations (RFC 3986 §5): what may stand before
# `people`.
@toy_on_one_engine
@pytest.mark.parametrize(
    "before",
    [
        "/toy/",
        "http://localhost/toy/",
        "HTTP://LocalHost:80/toy/",
        "//localhost/toy/",
        "",
        "./",
        "../toy/",
        "/toy/nope/../",
        "/t%6Fy/",
        "operations/../",
    ],
)
@pytest.mark.parametrize("suffix", ["", ".json"])
def test_a_url_stands_for_what_a_reference_does(world, before, suffix):
    friends = f"{before}people/{EVE}/relationships/friends{suffix}"
    data = {"type": "people", "attributes": {"nickname": "new"}}
    response = world.operate(
        {"op": "add", "href": f"{before}people{suffix}", "data": data},
        {"op": "update", "href": f"{before}people/{ADA}{suffix}"}
        | {"data": identifier("people", ADA) | {"attributes": {"nickname": "countess"}}},
        {"op": "add", "href": friends} | linkage("people", [ADA, BOB]),
        {"op": "remove", "href": friends} | linkage("people", [ADA]),
        {"op": "remove", "href": f"{before}people/{FAY}{suffix}"},
    )
    assert response.status_int == 200, response.text
    assert ids(world, own("people", EVE, "friends")) == [BOB]
    found = world.client.get(f"{PEOPLE}?sort=nickname").json["data"]
    names = [resource["attributes"]["nickname"] for resource in found]
    assert names == ["bob", "countess", "dan", "eve", "new"]


@toy_on_one_engine
def test_a_url_is_read_below_the_script_name(world):
    media = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'
    for script_name, href, status in (
        ("", f"/mounted{PEOPLE}/{FAY}", 404),
        ("/mounted", f"{PEOPLE}/{FAY}", 404),
        ("/mounted", f"/mounted{PEOPLE}/{FAY}", 200),
        ("/mounted", f"people/{EVE}", 200),
        ("/mount point", f"/mount%20point{PEOPLE}/{DAN}", 200),
    ):
        response = world.client.post(
            OPERATIONS,
            {"atomic:operations": [{"op": "remove", "href": href}]},
            headers={"Content-Type": media, "Accept": media},
            environ={"SCRIPT_NAME": script_name},
        )
        assert (href, response.status_int) == (href, status)


@toy_on_one_engine
@pytest.mark.parametrize(
    ("href", "status", "code"),
    [
        ("people", 400, "malformed_document"),
        ("people?", 400, "malformed_document"),
        ("people#", 400, "malformed_document"),
        ("people\n", 400, "malformed_document"),
        (" people", 400, "malformed_document"),
        ("people/%zz", 400, "malformed_document"),
        ("http://localhost:x/toy/people", 400, "malformed_document"),
        (f"http://localhost:81{PEOPLE}/{ADA}", 400, "malformed_document"),
        (f"https://localhost{PEOPLE}/{ADA}", 400, "malformed_document"),
        (f"http://me@localhost{PEOPLE}/{ADA}", 400, "malformed_document"),
        (f"//elsewhere.example{PEOPLE}/{ADA}", 400, "malformed_document"),
        (f"{PEOPLE}/\0", 400, "malformed_document"),
        (f"{PEOPLE}/é", 400, "malformed_document"),
        (PEOPLE.replace("/", "\\"), 400, "malformed_document"),
        ("mailto:ada@example.com", 400, "malformed_document"),
        ("", 404, "not_found"),
        ("operations", 404, "not_found"),
        (f"people%2F{ADA}", 404, "not_found"),
        (f"../../..{PEOPLE}/{NOBODY}", 404, "not_found"),
        ("http://localhost//toy/people", 404, "not_found"),
        (f"{PEOPLE}?sort=id", 400, "malformed_document"),
        (f"{PEOPLE}#x", 400, "malformed_document"),
        ("http://[", 400, "malformed_document"),
        ("//[::1", 400, "malformed_document"),
        ("http://\u2100/", 400, "malformed_document"),
        (f"http://elsewhere.example{PEOPLE}/{ADA}", 400, "malformed_document"),
        ("/", 404, "not_found"),
        ("/toy/nope/1", 404, "not_found"),
        (f"{PEOPLE}/{ADA}/relationships/nope", 404, "not_found"),
        (f"{PEOPLE}/x", 404, "not_found"),
        (f"{PEOPLE}/{NOBODY}", 404, "not_found"),
        (f"{PEOPLE}/%FF", 404, "not_found"),
        (f"{PEOPLE}/%25FF", 404, "not_found"),
        (f"{PEOPLE}/%00", 404, "not_found"),
        (f"{PEOPLE}%3F", 404, "not_found"),
        (OPERATIONS, 404, "not_found"),
    ],
    ids=ascii,
)
def test_a_url_that_stands_for_nothing_is_refused(world, href, status, code):
    response = world.operate({"op": "remove", "href": href})
    assert response.status_int == status, response.text
    ((pointer, found),) = sources(response)
    assert pointer in ("/atomic:operations/0/href", "/atomic:operations/0")
    assert found == code


def test_operations_name_what_was_added_before_them_by_its_local_id(toy):
    response = toy.operate(
        add("tags", "x", label="tag"),
        add("people", "x", nickname="ada"),  # of another type, it is another one
        add("articles", "y", {"author": lid("people", "x"), "tags": [lid("tags", "x")]}, title="t"),
        add("comments", "z", {"article": lid("articles", "y")}, body="first"),
        {"op": "update", "data": lid("articles", "y") | {"attributes": {"rating": 5}}},
        {"op": "update", "ref": lid("people", "x")}
        | {"data": lid("people", "x") | {"attributes": {"nickname": "countess"}}},
        {"op": "add", "ref": lid("people", "x") | {"relationship": "friends"}}
        | {"data": [lid("people", "x")]},
        add("tags", "gone", label="gone"),
        {"op": "remove", "ref": lid("tags", "gone")},
    )
    assert response.status_int == 200, response.text
    results = [result.get("data") for result in response.json["atomic:results"]]
    tag, person, article = (result["id"] for result in results[:3])
    found = toy.client.get(f"{ARTICLES}/{article}?include=author.friends,tags,comments").json
    assert found["data"]["attributes"]["rating"] == 5
    assert found["data"]["relationships"]["author"]["data"] == identifier("people", person)
    assert found["data"]["relationships"]["tags"]["data"] == [identifier("tags", tag)]
    assert [resource["type"] for resource in found["included"]] == ["people", "tags", "comments"]
    assert found["included"][0]["attributes"]["nickname"] == "countess"
    assert ids(toy, own("people", person, "friends")) == [person]
    assert toy.count(Tag) == 1


def test_what_is_added_can_be_related_to_itself_by_its_local_id(toy):
    for name, value in {"friends": [lid("people", "me")], "manager": lid("people", "me")}.items():
        response = toy.operate(add("people", "me", {name: value}, nickname=name))
        assert response.status_int == 200, response.text
        (result,) = response.json["atomic:results"]
        id = result["data"]["id"]
        assert ids(toy, own("people", id, name)) in (id, [id])


FRIENDS_OF_ADA = {"ref": identifier("people", ADA) | {"relationship": "friends"}}
NEW = add("people", "me", nickname="new")

REFUSED = {
    "an unknown local id": (
        [{"op": "remove", "ref": lid("people", "x")}],
        400,
        "/0/ref/lid",
        "unknown_lid",
    ),
    "a local id of another type": (
        [NEW, {"op": "remove", "ref": lid("tags", "me")}],
        400,
        "/1/ref/lid",
        "unknown_lid",
    ),
    "a local id that comes later": (
        [{"op": "add", **FRIENDS_OF_ADA, "data": [lid("people", "me")]}, NEW],
        400,
        "/0/data/0/lid",
        "unknown_lid",
    ),
    "a local id in linkage of a new resource": (
        [add("articles", "y", {"author": lid("people", "x")}, title="t")],
        400,
        "/0/data/relationships/author/data/lid",
        "unknown_lid",
    ),
    "a local id of an update": (
        [{"op": "update", "data": lid("people", "x") | {"attributes": {}}}],
        400,
        "/0/data/lid",
        "unknown_lid",
    ),
    "a local id given twice": (
        [NEW, add("people", "me", nickname="other")],
        400,
        "/1/data/lid",
        "malformed_document",
    ),
    "a local id of what was removed": (
        [
            NEW,
            {"op": "remove", "ref": lid("people", "me")},
            {"op": "add", **FRIENDS_OF_ADA, "data": [lid("people", "me")]},
        ],
        404,
        "/2/data/0",
        "related_not_found",
    ),
    "the removal of what was removed": (
        [NEW, *[{"op": "remove", "ref": lid("people", "me")}] * 2],
        404,
        "/2",
        "not_found",
    ),
    "a value that is taken": (
        [NEW, add("people", nickname="ada")],
        409,
        "/1/data/attributes/nickname",
        "already_taken",
    ),
    "an id that is taken": (
        [{"op": "add", "data": identifier("people", ADA) | {"attributes": {"nickname": "new"}}}],
        409,
        "/0/data/id",
        "already_taken",
    ),
    "a bad attribute": (
        [NEW, update("people", ADA, shirt="x")],
        422,
        "/1/data/attributes/shirt",
        "invalid_value",
    ),
    "a missing attribute": ([NEW, add("articles")], 422, "/1/data/attributes", "missing_field"),
    "nobody": ([NEW, remove("people", NOBODY)], 404, "/1", "not_found"),
    "an id of the wrong form": ([remove("people", "x")], 404, "/0/ref/id", "not_found"),
    "an update of nobody": ([NEW, update("people", NOBODY)], 404, "/1", "not_found"),
    "a type that is none": ([NEW, remove("nope", "1")], 404, "/1/ref/type", "not_found"),
    "an addition of no type": ([add("nope")], 404, "/0/data/type", "not_found"),
    "a relationship that is none": (
        [
            NEW,
            {"op": "add", "ref": identifier("people", ADA) | {"relationship": "nope"}, "data": []},
        ],
        404,
        "/1/ref/relationship",
        "not_found",
    ),
    "a friend who is nobody": (
        [NEW, {"op": "add", **FRIENDS_OF_ADA} | linkage("people", [BOB, NOBODY])],
        404,
        "/1/data/1",
        "related_not_found",
    ),
    "a friend of another type": (
        [NEW, {"op": "update", **FRIENDS_OF_ADA} | linkage("tags", ["1"])],
        409,
        "/1/data/0/type",
        "type_conflict",
    ),
    "a relationship that is only shown": (
        [
            NEW,
            {"op": "add", "ref": identifier("people", ADA) | {"relationship": "fans"}, "data": []},
        ],
        403,
        "/1/data",
        "read_only_relationship",
    ),
    "an addition to a relationship to one": (
        [
            {"op": "add", "ref": identifier("people", ADA) | {"relationship": "manager"}}
            | linkage("people", BOB)
        ],
        400,
        "/0/op",
        "malformed_document",
    ),
    "another id than that of the reference": (
        [{**update("people", ADA), "ref": identifier("people", BOB)}],
        409,
        "/0/data/id",
        "id_conflict",
    ),
    "another type than that of the reference": (
        [{**update("people", ADA), "ref": identifier("tags", "1")}],
        409,
        "/0/data/type",
        "type_conflict",
    ),
    "both ref and href": (
        [{"op": "remove", "ref": identifier("people", ADA), "href": f"{PEOPLE}/{ADA}"}],
        400,
        "/0",
        "malformed_document",
    ),
    "the removal of a collection": (
        [{"op": "remove", "href": PEOPLE}],
        400,
        "/0",
        "malformed_document",
    ),
    "the addition to a resource": (
        [add("people", nickname="new") | {"href": f"{PEOPLE}/{ADA}"}],
        400,
        "/0",
        "malformed_document",
    ),
    "no data": ([{"op": "update", **FRIENDS_OF_ADA}], 400, "/0", "malformed_document"),
    "no op": ([{"ref": identifier("people", ADA)}], 400, "/0", "malformed_document"),
    "an op that is none": (
        [{"op": "replace", **FRIENDS_OF_ADA}],
        400,
        "/0/op",
        "malformed_document",
    ),
    "a list as an op": ([{"op": ["add"], **FRIENDS_OF_ADA}], 400, "/0/op", "malformed_document"),
    "no object": ([NEW, None], 400, "/1", "malformed_document"),
    "no reference": ([{"op": "remove"}], 400, "/0", "malformed_document"),
    "a reference that is none": (
        [{"op": "remove", "ref": []}],
        400,
        "/0/ref",
        "malformed_document",
    ),
    "an id and a local id": (
        [{"op": "remove", "ref": identifier("people", ADA) | {"lid": "me"}}],
        400,
        "/0/ref",
        "malformed_document",
    ),
    "an unknown member of a reference": (
        [{"op": "remove", "ref": identifier("people", ADA) | {"version": 1}}],
        400,
        "/0/ref/version",
        "malformed_document",
    ),
    "an id that is no text": (
        [{"op": "remove", "ref": {"type": "people", "id": 1}}],
        400,
        "/0/ref/id",
        "malformed_document",
    ),
    "another local id than that of the reference": (
        [NEW, add("people", "you", nickname="you") | {"ref": lid("people", "me")}],
        409,
        "/1/data/lid",
        "id_conflict",
    ),
    "an addition of another id than that of the reference": (
        [
            {
                "op": "add",
                "ref": identifier("people", NOBODY),
                "data": identifier("people", OTHER) | {"attributes": {"nickname": "new"}},
            }
        ],
        409,
        "/0/data/id",
        "id_conflict",
    ),
    "an addition of another type than that of the reference": (
        [add("people", "me", nickname="new") | {"ref": lid("tags", "me")}],
        409,
        "/0/data/type",
        "type_conflict",
    ),
    "an addition without the id of the reference": (
        [add("people", "me", nickname="new") | {"ref": identifier("people", NOBODY)}],
        400,
        "/0/ref/id",
        "malformed_document",
    ),
    "an update by another local id than that of the reference": (
        [
            NEW,
            add("people", "you", nickname="you"),
            {"op": "update", "ref": lid("people", "me"), "data": lid("people", "you")},
        ],
        409,
        "/2/data/lid",
        "id_conflict",
    ),
    "included resources of an operation": (
        [NEW | {"included": []}],
        400,
        "/0/included",
        "malformed_document",
    ),
    "an update without an id": (
        [{"op": "update", "data": {"type": "people", "attributes": {}}}],
        400,
        "/0/data",
        "malformed_document",
    ),
    "an addition without a type": (
        [{"op": "add", "data": {"attributes": {}}}],
        400,
        "/0",
        "malformed_document",
    ),
    "what others depend on": ([NEW, remove("articles", "1")], 409, "/1", "conflict"),
    "what others need": (
        [
            NEW,
            {"op": "remove", "ref": identifier("articles", 1) | {"relationship": "comments"}}
            | linkage("comments", [1]),
        ],
        403,
        "/1",
        "required_relationship",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_operation_that_cannot_be_done_undoes_all(world, case):
    assert_refused(world, *REFUSED[case])


@toy_on_one_engine
def test_the_faults_of_all_operations_are_told_at_once(world):
    """What needs no row: no operation keeps the faults of those after it from being told."""
    faulty = {
        "/0/op": {"op": "ADD", "data": {"type": "tags", "attributes": {"label": "x"}}},
        "/1/ref/type": remove("nope", "1"),
        "/2/ref/id": remove("people", "x"),
        "/3/href": {"op": "remove", "href": "nope"},
        "/4/data/attributes/shirt": add("people", "a", nickname="a", shirt="x"),
        "/5/data/attributes/nope": add("people", nickname="b", nope=1),
        "/6/data/relationships/friends/data/0/lid": add(
            "people", "c", {"friends": [lid("people", "x")]}, nickname="c"
        ),
        "/7/data/lid": add("people", "c", nickname="d"),
        "/8/data/id": {**update("people", ADA), "ref": identifier("people", BOB)},
        "/9/meta/if_match": remove("people", ADA) | {"meta": {"if_match": 1}},
        "/10/data/0/type": {"op": "add", **FRIENDS_OF_ADA} | linkage("tags", [1]),
        "/11": {"op": "update", **FRIENDS_OF_ADA},
        "/12/data/type": {"op": "add", "data": {"type": 1}},
        "/13/data/id": {"op": "update", "data": {"type": "people", "id": 1}},
        "/14/data/attributes": {"op": "add", "data": lid("articles", "t") | {"attributes": {}}},
    }
    # They refer to what another operation adds, which has a fault of its own.
    fine = [{"op": "remove", "ref": lid("people", "a")}, add("tags", label="tag")]
    with world.statements() as statements:
        response = world.operate(*faulty.values(), *fine)
    assert [s for s in statements if not s.startswith("BEGIN")] == []
    assert response.status_int == 400
    expected = [f"/atomic:operations{place}" for place in faulty]
    assert [pointer for pointer, _ in sources(response)] == expected
    assert_unchanged(world)


@toy_on_one_engine
def test_all_faults_of_one_addition_are_told_at_once(world):
    data = lid("people", "me") | {"id": OTHER, "attributes": {"nickname": "x", "shirt": "x"}}
    added = {"op": "add", "ref": identifier("people", NOBODY), "data": data}
    response = world.operate(NEW, added)
    assert sorted(sources(response)) == [
        ("/atomic:operations/1/data/attributes/shirt", "invalid_value"),
        ("/atomic:operations/1/data/id", "id_conflict"),
        ("/atomic:operations/1/data/lid", "malformed_document"),
    ]
    assert_unchanged(world)


@toy_on_one_engine
def test_the_errors_of_operations_are_bounded(toy):
    many = [{"op": "x"}] * 150
    response = toy.operate(*many, limits=Limits(max_operations=200))
    assert (response.status_int, len(response.json["errors"])) == (400, 100)


@toy_on_one_engine
def test_a_reference_of_what_is_added_equals_its_data(toy):
    id = NOBODY.replace("63", "6A")
    response = toy.operate(
        add("people", "me", nickname="me") | {"ref": lid("people", "me")},
        {
            "op": "add",
            "ref": identifier("people", id.lower()),
            "data": identifier("people", id) | {"attributes": {"nickname": "you"}},
        },
        {"op": "add", "ref": lid("people", "me") | {"relationship": "friends"}}
        | {"data": [identifier("people", id), lid("people", "me")]},
    )
    assert response.status_int == 200, response.text
    me, you, _ = response.json["atomic:results"]
    assert you["data"]["id"] == id.lower()
    friends = ids(toy, own("people", me["data"]["id"], "friends"))
    assert sorted(friends) == sorted([me["data"]["id"], id.lower()])


@toy_on_one_engine
def test_what_is_missing_is_named_in_the_words_of_the_operation(world):
    for operation, words in (
        (remove("people", NOBODY), "There is no resource of type people with this id."),
        (remove("people", "x"), "There is no resource of type people with this id."),
        (remove("nope", "1"), "There is no type nope."),
        (
            {"op": "update", "ref": identifier("people", ADA) | {"relationship": "nope"}},
            "The type people has no relationship nope.",
        ),
        ({"op": "remove", "href": "nope"}, "There is no resource at this URL."),
    ):
        response = world.operate(operation)
        assert response.status_int == 404
        assert [error["detail"] for error in response.json["errors"]] == [words]


def test_what_is_in_the_way_of_a_removal_is_named(world):
    way = {"relationship": "comments", "type": "comments"}
    response = world.client.delete(f"{ARTICLES}/1")
    (error,) = response.json["errors"]
    assert (response.status_int, error["code"], error["meta"]) == (409, "conflict", way)
    assert "relationship comments" in error["detail"]
    response = world.operate(remove("people", FAY), remove("articles", "3"))
    (error,) = response.json["errors"]
    assert (response.status_int, error["meta"]) == (409, way)
    assert error["source"] == {"pointer": "/atomic:operations/1"}
    assert_unchanged(world)
    assert world.client.delete(f"{ARTICLES}/2").status_int == 204


def test_what_is_in_the_way_is_named_also_if_the_caller_cannot_see_it(world):
    hidden = {"X-Comments": "hidden"}
    assert world.client.get("/toy/comments", headers=hidden).json["data"] == []
    (error,) = world.client.delete(f"{ARTICLES}/1", headers=hidden).json["errors"]
    assert (error["status"], error["meta"]["relationship"]) == ("409", "comments")
    assert_unchanged(world)


@toy_on_one_engine
@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, ""),
        ([], ""),
        ({"atomic:operations": []}, "/atomic:operations"),
        ({"atomic:operations": {}}, "/atomic:operations"),
        ({"atomic:operations": None}, "/atomic:operations"),
        ({"atomic:operations": [NEW], "data": None}, "/data"),
        ({"atomic:operations": [NEW], "included": []}, "/included"),
    ],
)
def test_a_document_without_operations_is_malformed(toy, document, pointer):
    media = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'
    headers = {"Content-Type": media, "Accept": media}
    response = toy.client.post(OPERATIONS, document, headers=headers)
    assert (response.status_int, sources(response)) == (400, [(pointer, "malformed_document")])
    assert toy.count(Person) == 0


@toy_on_one_engine
def test_operations_need_the_media_type_of_their_extension(toy):
    document = {"atomic:operations": [NEW]}
    assert toy.client.post(OPERATIONS, document).status_int in (406, 415)
    media = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'
    assert toy.client.post(OPERATIONS, document, headers={"Accept": media}).status_int == 415
    assert toy.client.post(f"{OPERATIONS}?include=x", document).status_int >= 400
    assert toy.count(Person) == 0
    response = toy.operate(NEW)
    assert response.headers["Content-Type"] == media
    assert response.json["jsonapi"]["ext"] == ["https://jsonapi.org/ext/atomic"]


@toy_on_one_engine
def test_the_host_bounds_the_number_of_operations(toy):
    three = [add("tags", label=f"{number}") for number in range(3)]
    response = toy.operate(*three, limits=Limits(max_operations=2))
    assert response.status_int == 400
    assert sources(response) == [("/atomic:operations", "too_many_operations")]
    assert toy.count(Tag) == 0
    assert toy.operate(*three, limits=Limits(max_operations=3)).status_int == 200
    assert toy.count(Tag) == 3


def test_one_resource_can_be_changed_again_and_again(world):
    """Each operation sees what the ones before it have done to both ends of relationships."""
    manager = {"ref": identifier("people", BOB) | {"relationship": "manager"}}
    friends = {"ref": identifier("people", EVE) | {"relationship": "friends"}}
    response = world.operate(
        update("people", ADA, shirt=2),
        {"op": "update", **manager} | linkage("people", ADA),
        {"op": "update", **manager} | linkage("people", EVE),
        update("people", EVE, shirt=3),
        {"op": "add", **friends} | linkage("people", [ADA, BOB]),
        update("people", ADA, shirt=4),
        {"op": "update", **manager} | linkage("people", BOB),  # himself
        update("people", BOB, shirt=5),
        {"op": "remove", **friends} | linkage("people", [ADA]),
        update("people", ADA, shirt=6),
        remove("people", EVE),
        update("people", BOB, shirt=7),
        remove("people", DAN),
        remove("people", BOB),
    )
    assert response.status_int == 200, response.text
    found = world.client.get(PEOPLE).json["data"]
    assert [resource["attributes"]["shirt"] for resource in found] == [6, 1]


def test_many_operations_need_few_statements_each(toy):
    tag = add("tags", label="tag")

    def count(number: int) -> int:
        with toy.statements() as statements:
            assert toy.operate(*[tag] * number).status_int == 200
        return len(statements)

    assert count(20) <= 20 * count(1)
    assert toy.client.get(f"{TAGS}?page[total]=true").json["meta"]["total"] == 21


@toy_on_one_engine
def test_a_local_id_of_what_has_been_removed_is_told_as_one(world):
    response = world.operate(
        add("people", lid="new", nickname="new"),
        {"op": "remove", "ref": lid("people", "new")},
        add("people", nickname="other", relationships={"manager": lid("people", "new")}),
    )
    assert response.status_int == 404
    (error,) = response.json["errors"]
    assert error["detail"] == "The resource of type people with this local id has been removed."
