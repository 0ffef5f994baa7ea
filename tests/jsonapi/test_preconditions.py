"""Entity tags: what has not changed is not sent again, and what has is not written over."""

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.conftest import person
from tests.jsonapi.test_relationships import assert_unchanged, ids, own
from tests.jsonapi.toy import ARTICLES, PEOPLE
from tests.jsonapi.world import ADA, BOB, DAN, EVE, FAY, identifier, linkage
from users_service.jsonapi import Limits

ADAS = f"{PEOPLE}/{ADA}"
FRIENDS = own("people", ADA, "friends")

URLS = [
    PEOPLE,
    ADAS,
    f"{ADAS}?include=friends&fields[people]=friends",
    f"{ADAS}/manager",
    f"{ADAS}/friends",
    FRIENDS,
    own("people", ADA, "manager"),
    f"{PEOPLE}?page[number]=2&page[size]=1",
    "/toy",
]

# Ways to change Ada or a relationship of hers.
CHANGES = {
    "an attribute": ("PATCH", ADAS, person(ADA, shirt=9)),
    "a friend": ("POST", FRIENDS, linkage("people", [FAY])),
    "the manager": ("PATCH", own("people", ADA, "manager"), linkage("people", BOB)),
    "the manager of another": ("PATCH", own("people", FAY, "manager"), linkage("people", ADA)),
    "a report that leaves": ("PATCH", own("people", BOB, "manager"), linkage("people", None)),
    "a report taken away": ("POST", own("people", DAN, "reports"), linkage("people", [BOB])),
    "a friend of another": ("POST", own("people", EVE, "friends"), linkage("people", [ADA])),
    "an article": ("PATCH", own("articles", "4", "author"), linkage("people", ADA)),
    "a new article": (
        "POST",
        ARTICLES,
        {
            "data": {
                "type": "articles",
                "attributes": {"title": "t"},
                "relationships": {"author": linkage("people", ADA)},
            }
        },
    ),
}

WRITES = {
    "PATCH": ("PATCH", ADAS, person(ADA, shirt=10)),
    "DELETE": ("DELETE", ADAS, None),
    "relationship PATCH": ("PATCH", FRIENDS, linkage("people", [DAN])),
    "relationship POST": ("POST", FRIENDS, linkage("people", [DAN])),
    "relationship DELETE": ("DELETE", FRIENDS, linkage("people", [BOB])),
    "to-one PATCH": ("PATCH", own("people", ADA, "manager"), linkage("people", None)),
}
writes = pytest.mark.parametrize(("method", "url", "document"), WRITES.values(), ids=WRITES)


def tag(world, url: str = ADAS) -> str:
    return world.client.get(url).headers["ETag"]


def send(world, write, if_match: str | None = None, limits: Limits | None = None):
    method, url, document = write
    client = world.client if limits is None else world.client_with(limits)
    headers = {} if if_match is None else {"If-Match": if_match}
    return client.request(method, url, document, headers=headers)


@toy_on_one_engine
@pytest.mark.parametrize("url", URLS)
def test_what_has_not_changed_is_not_sent_again(world, url):
    first = world.client.get(url)
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    assert etag.endswith('"')
    for condition in (etag, f'"other", {etag}', f"W/{etag}"):
        for method in ("GET", "HEAD"):
            again = world.client.request(method, url, headers={"If-None-Match": condition})
            assert (again.status_int, again.headers["ETag"]) == (304, etag)
    other = world.client.get(url, headers={"If-None-Match": '"other"'})
    assert (other.status_int, other.body) == (200, first.body)
    assert world.client.request("HEAD", url).headers["ETag"] == etag


@toy_on_one_engine
def test_whoever_wants_nothing_that_is_there_is_sent_nothing(world):
    """The condition `*` is false for everything that exists (RFC 9110 §13.1.2)."""
    assert world.client.get(ADAS, headers={"If-None-Match": "*"}).status_int == 304


@toy_on_one_engine
def test_representations_that_differ_have_different_tags(world):
    urls = [ADAS, f"{ADAS}?include=friends", f"{ADAS}?fields[people]=nickname", f"{PEOPLE}/{BOB}"]
    assert len({tag(world, url) for url in urls}) == len(urls)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    "url", [ADAS, f"{ADAS}?fields[people]=nickname", f"{ADAS}?include=reports"]
)
def test_what_has_changed_is_not_written_over(world, change, url):
    seen = tag(world, url)
    assert send(world, change).status_int in (200, 201, 204)
    response = send(world, WRITES["PATCH"], seen)
    assert (response.status_int, sources(response)) == (412, [("If-Match", "precondition_failed")])
    assert send(world, WRITES["PATCH"], tag(world, url)).status_int == 200


@toy_on_one_engine
@writes
def test_every_write_takes_the_tag_of_the_resource(world, method, url, document):
    write = (method, url, document)
    seen = tag(world)
    for stale in ('"0.x"', '"x"', f"W/{seen}", '""', f'"9{seen[1:]}'):
        response = send(world, write, stale)
        assert (stale, response.status_int) == (stale, 412)
        assert sources(response) == [("If-Match", "precondition_failed")]
    assert_unchanged(world)
    assert send(world, write, f'"0.x", {seen}').status_int in (200, 204)


@toy_on_one_engine
@writes
def test_any_tag_is_that_of_something_that_is_there(world, method, url, document):
    assert send(world, (method, url, document), "*").status_int in (200, 204)
    for path in (f"{PEOPLE}/{FAY[:-1]}9", f"{PEOPLE}/{FAY[:-1]}9/relationships/friends"):
        response = world.client.delete(path, linkage("people", []), headers={"If-Match": "*"})
        assert response.status_int == 404


@toy_on_one_engine
@writes
def test_a_write_heeds_the_tags_that_it_excludes(world, method, url, document):
    """If-None-Match compares weakly, after If-Match (RFC 9110 §13.1.2, §13.2.2)."""
    seen = tag(world)
    excluding = [{"If-None-Match": v} for v in ("*", " * ", seen, f"W/{seen}", f'"0.x", {seen}')]
    for headers in (*excluding, {"If-None-Match": "*", "If-Match": seen}):
        response = world.client.request(method, url, document, headers=headers)
        assert (headers, response.status_int) == (headers, 412)
        assert sources(response) == [("If-None-Match", "precondition_failed")]
    both = {"If-None-Match": "*", "If-Match": '"0.x"'}
    response = world.client.request(method, url, document, headers=both)
    assert sources(response) == [("If-Match", "precondition_failed")]
    assert_unchanged(world)
    # Dates do not count: no resource has a Last-Modified (RFC 9110 §13.1.4).
    fulfilled = {"If-None-Match": '"0.x", W/"1"', "If-Match": seen}
    fulfilled["If-Unmodified-Since"] = "Sun, 06 Nov 1994 08:49:37 GMT"
    response = world.client.request(method, url, document, headers=fulfilled)
    assert response.status_int in (200, 204)


@toy_on_one_engine
def test_what_is_not_there_yet_has_no_tag(world):
    new = person(nickname="new")
    for value in ("*", '"1.x"'):
        response = world.client.post(PEOPLE, new, headers={"If-Match": value})
        assert (response.status_int, sources(response)) == (
            412,
            [("If-Match", "precondition_failed")],
        )
        operation = {"op": "remove", "ref": identifier("people", FAY)}
        assert world.operate(operation, headers={"If-Match": value}).status_int == 412
    assert_unchanged(world)
    assert world.client.post(PEOPLE, new, headers={"If-None-Match": "*"}).status_int == 201
    assert world.operate(operation, headers={"If-None-Match": "*"}).status_int == 200


@toy_on_one_engine
def test_a_failed_condition_says_what_was_sent(world):
    for value, words in {
        '"0.x"': "has changed",
        tag(world).strip('"'): "If-Match has no strong entity tag",
        f"W/{tag(world)}": "If-Match has no strong entity tag",
        "": "If-Match has no strong entity tag",
    }.items():
        (error,) = send(world, WRITES["PATCH"], value).json["errors"]
        assert words in error["detail"]


@toy_on_one_engine
@writes
def test_a_host_can_ask_for_a_tag(world, method, url, document):
    limits = Limits(require_if_match=True)
    response = send(world, (method, url, document), limits=limits)
    assert response.status_int == 428
    assert [code for _, code in sources(response)] == ["precondition_required"]
    assert_unchanged(world)
    assert send(world, (method, url, document), tag(world), limits).status_int in (200, 204)


@toy_on_one_engine
def test_a_host_that_asks_for_tags_lets_resources_be_created(toy):
    client = toy.client_with(Limits(require_if_match=True))
    assert client.post(PEOPLE, person(nickname="new")).status_int == 201


@toy_on_one_engine
def test_linkage_has_the_tag_of_its_resource(world):
    seen = tag(world, FRIENDS)
    assert send(world, WRITES["relationship POST"], seen).status_int == 204
    assert send(world, WRITES["relationship PATCH"], seen).status_int == 412
    assert DAN in ids(world, FRIENDS)


def test_the_answer_to_a_write_has_the_tag_for_the_next_one(world):
    first = send(world, WRITES["PATCH"], tag(world))
    assert first.headers["ETag"] == tag(world)
    again = person(ADA, shirt=11)
    second = world.client.patch(ADAS, again, headers={"If-Match": first.headers["ETag"]})
    assert second.status_int == 200
    assert send(world, WRITES["PATCH"], first.headers["ETag"]).status_int == 412


def test_what_changes_nothing_changes_no_tag(world):
    for method, url, document in (
        ("PATCH", ADAS, person(ADA, shirt=1)),
        ("PATCH", ADAS, person(ADA)),
        ("POST", FRIENDS, linkage("people", [BOB])),
        ("PATCH", FRIENDS, linkage("people", [EVE, BOB])),
        ("DELETE", FRIENDS, linkage("people", [FAY])),
        ("PATCH", own("people", ADA, "manager"), linkage("people", EVE)),
    ):
        tags = [tag(world, f"{PEOPLE}/{id}") for id in (ADA, BOB, EVE, FAY)]
        assert send(world, (method, url, document)).status_int in (200, 204)
        assert [tag(world, f"{PEOPLE}/{id}") for id in (ADA, BOB, EVE, FAY)] == tags


@toy_on_one_engine
@pytest.mark.parametrize(
    "operation",
    [
        {"op": "update", "data": identifier("people", ADA) | {"attributes": {"shirt": 9}}},
        {"op": "remove", "ref": identifier("people", ADA)},
        {"op": "add", "ref": identifier("people", ADA) | {"relationship": "friends"}}
        | linkage("people", [DAN]),
        {"op": "update", "ref": identifier("people", ADA) | {"relationship": "manager"}}
        | linkage("people", None),
    ],
)
def test_an_operation_has_its_tag_in_its_meta(world, operation):
    limits = Limits(require_if_match=True)
    refused = world.operate(operation | {"meta": {"if_match": '"0.x"'}})
    assert refused.status_int == 412
    place = "/atomic:operations/0"
    assert sources(refused) == [(f"{place}/meta/if_match", "precondition_failed")]
    refused = world.operate(operation | {"meta": {"if_match": 1}})
    assert sources(refused) == [(f"{place}/meta/if_match", "malformed_document")]
    refused = world.operate(operation, limits=limits)
    assert (refused.status_int, sources(refused)) == (428, [(place, "precondition_required")])
    assert_unchanged(world)
    done = world.operate(operation | {"meta": {"if_match": tag(world)}}, limits=limits)
    assert done.status_int == 200, done.text
