"""Compound documents: every related resource once, fully linked, for few statements."""

from uuid import UUID

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.toy import ARTICLES, COMMENTS, PEOPLE, TAGS, Article
from tests.jsonapi.world import ADA, BOB, DAN, EVE, FAY, RELATED, TARGETS, identifier, linkage
from users_service.jsonapi import Limits

Identity = tuple[str, str]


def identity(resource: dict) -> Identity:
    return resource["type"], resource["id"]


def led_to(found: Identity, name: str) -> list[Identity]:
    """What a relationship of a resource leads to in the world."""
    ids = RELATED[found[0]][name][found[1]]
    ids = ids if isinstance(ids, list) else [ids] if ids else []
    return [(TARGETS[name], id) for id in ids]


def walk(primary: list[Identity], include: str) -> tuple[set[Identity], set[tuple[Identity, str]]]:
    """The resources that paths lead to, and the relationships that they lead through."""
    found, through = set(), set()
    for path in include.split(",") if include else []:
        level = set(primary)
        for name in path.split("."):
            through |= {(resource, name) for resource in level}
            level = {target for resource in level for target in led_to(resource, name)}
            found |= level
    return found, through


def assert_compound(document: dict, include: str) -> None:
    """A document includes what the paths lead to, each once, linked as in the world."""
    data = document["data"]
    primary = data if isinstance(data, list) else [data] if data else []
    found, through = walk([identity(resource) for resource in primary], include)
    included = [identity(resource) for resource in document["included"]]
    assert len(included) == len(set(included))
    assert set(included) == found - {identity(resource) for resource in primary}
    for resource in [*primary, *document["included"]]:
        for name, relationship in resource["relationships"].items():
            if (identity(resource), name) in through:
                expected = linkage(TARGETS[name], RELATED[resource["type"]][name][resource["id"]])
                assert relationship["data"] == expected["data"], (identity(resource), name)
            else:
                assert "data" not in relationship


PATHS = [
    (PEOPLE, "manager"),
    (PEOPLE, "reports"),
    (PEOPLE, "friends"),
    (PEOPLE, "manager.manager.manager.manager.manager"),
    (PEOPLE, "friends.friends.friends"),
    (PEOPLE, "fans.friends,friends.fans"),
    (PEOPLE, "reports.manager.friends,manager.articles.tags.articles"),
    (ARTICLES, "author"),
    (ARTICLES, "tags"),
    (ARTICLES, "author,tags,comments"),
    (ARTICLES, "author.articles.author.friends"),
    (ARTICLES, "comments.article.comments,comments.article.author,author"),
    (ARTICLES, "tags,tags,tags.articles"),
    (TAGS, "articles.author.manager"),
    (COMMENTS, "article.author.reports"),
]


@pytest.mark.parametrize(("url", "include"), PATHS)
def test_a_list_includes_what_its_paths_lead_to(world, url, include):
    assert_compound(world.client.get(f"{url}?include={include}").json, include)


@toy_on_one_engine
@pytest.mark.parametrize(("url", "include"), PATHS)
def test_a_resource_includes_what_its_paths_lead_to(world, url, include):
    for resource in world.client.get(url).json["data"]:
        document = world.client.get(f"{resource['links']['self']}?include={include}").json
        assert_compound(document, include)


@pytest.mark.parametrize(
    ("url", "include"),
    [
        (f"{PEOPLE}/{ADA}/friends", "manager.friends"),
        (f"{PEOPLE}/{FAY}/friends", "friends"),
        (f"{PEOPLE}/{ADA}/manager", "reports.reports"),
        (f"{ARTICLES}/1/author", "articles.tags"),
        (f"{TAGS}/2/articles", "tags,comments"),
    ],
)
def test_related_resources_include_what_their_paths_lead_to(world, url, include):
    assert_compound(world.client.get(f"{url}?include={include}").json, include)


@toy_on_one_engine
@pytest.mark.parametrize(
    "url",
    [
        f"{ARTICLES}/4?include=author",
        f"{ARTICLES}/3?include=tags.articles",
        f"{ARTICLES}?include=",
        f"{ARTICLES}/4?include=",
        f"{ARTICLES}?include=author&filter[title]=none",
        f"{PEOPLE}/{DAN}?include=manager",
        f"{PEOPLE}/{FAY}/manager?include=friends",
    ],
)
def test_what_includes_nothing_has_an_empty_array_of_it(world, url):
    assert world.client.get(url).json["included"] == []


@toy_on_one_engine
@pytest.mark.parametrize("url", [ARTICLES, f"{ARTICLES}/1", f"{PEOPLE}/{ADA}/friends"])
def test_nothing_is_included_and_linked_that_nobody_asked_for(world, url):
    document = world.client.get(url).json
    assert "included" not in document
    primary = document["data"] if isinstance(document["data"], list) else [document["data"]]
    for resource in primary:
        assert all("data" not in found for found in resource["relationships"].values())


def test_what_was_written_comes_with_what_it_includes(world):
    data = {
        "type": "articles",
        "attributes": {"title": "new"},
        "relationships": {"author": linkage("people", BOB), "tags": linkage("tags", ["1", "3"])},
    }
    include = "?include=author,tags"
    created = world.client.post(f"{ARTICLES}{include}", {"data": data})
    assert created.status_int == 201
    assert {identity(r) for r in created.json["included"]} == {
        ("people", BOB),
        ("tags", "1"),
        ("tags", "3"),
    }
    url = created.json["data"]["links"]["self"]
    assert world.client.get(url + include).json["data"] == created.json["data"]
    data = {
        "type": "articles",
        "id": created.json["data"]["id"],
        "relationships": {"author": linkage("people", EVE)},
    }
    changed = world.client.patch(url + include, {"data": data})
    assert changed.json == world.client.get(url + include).json
    assert ("people", EVE) in {identity(r) for r in changed.json["included"]}


def test_linkage_comes_with_the_resources_that_it_names(world):
    url = f"{PEOPLE}/{ADA}/relationships/friends"
    document = world.client.get(f"{url}?include=friends.manager").json
    assert document["data"] == [identifier("people", BOB), identifier("people", EVE)]
    assert {identity(r) for r in document["included"]} == {("people", id) for id in (ADA, BOB, EVE)}
    document = world.client.get(f"{ARTICLES}/4/relationships/author?include=author").json
    assert (document["data"], document["included"]) == (None, [])


def test_a_page_of_linkage_comes_with_no_other_resources(world):
    """Whatever is included is linked (§5.1.1 Full Linkage)."""
    url = f"{ARTICLES}/4/relationships/tags?include=tags&page[size]=2"
    document = world.client.get(url).json
    assert document["data"] == [identifier("tags", "1"), identifier("tags", "2")]
    assert [identity(r) for r in document["included"]] == [("tags", "1"), ("tags", "2")]


@toy_on_one_engine
@pytest.mark.parametrize(
    ("url", "include"),
    [
        (ARTICLES, "nope"),
        (ARTICLES, "author.nope"),
        (ARTICLES, "author,,tags"),
        (ARTICLES, ","),
        (ARTICLES, ".author"),
        (ARTICLES, "author."),
        (ARTICLES, "title"),
        (ARTICLES, "author.nickname"),
        (ARTICLES, " author"),
        (ARTICLES, "Author"),
        (ARTICLES, "%00"),
        (PEOPLE, "befriended_by"),
        (f"{ARTICLES}/1/relationships/author", "tags"),
        (f"{ARTICLES}/1/author", "author"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(world, url, include):
    response = world.client.get(f"{url}?include={include}")
    assert response.status_int == 400
    assert sources(response) == [("include", "invalid_parameter")]


@toy_on_one_engine
def test_the_host_bounds_what_is_included(world):
    client = world.client_with(Limits(max_include_depth=2, max_include_paths=3, max_included=4))
    for include, status in {
        "manager.manager": 200,
        "manager.manager.manager": 400,
        "manager,reports,manager.manager": 200,
        "manager,reports,manager.manager,reports.reports": 400,
    }.items():
        response = client.get(f"{PEOPLE}/{ADA}?include={include}")
        assert (include, response.status_int) == (include, status)
    for url, status in {
        f"{PEOPLE}/{ADA}?include=friends": 200,
        f"{ARTICLES}?include=author": 200,
        f"{ARTICLES}?include=author,comments": 400,
        f"{TAGS}?include=articles.author": 400,
    }.items():
        response = client.get(url)
        assert (url, response.status_int) == (url, status)
        if status == 400:
            assert sources(response) == [("include", "invalid_parameter")]


@toy_on_one_engine
@pytest.mark.parametrize("size", [1, 7, 60])
def test_the_number_of_statements_does_not_depend_on_the_page(toy, size):
    """One for the page, and one for each segment of the paths."""
    people = [UUID(toy.person(nickname=f"n{number}")["id"]) for number in range(3)]
    rows = [{"id": n, "title": "t", "author_id": people[n % 3]} for n in range(1, size + 1)]
    toy.insert(Article, rows)
    with toy.statements() as statements:
        document = toy.client.get(f"{ARTICLES}?include=author.articles,tags&page[size]={size}").json
    assert len(document["data"]) == size
    assert len(statements) <= 1 + 3
    with toy.statements() as statements:
        toy.client.get(f"{ARTICLES}?page[size]={size}")
    assert len(statements) == 1
