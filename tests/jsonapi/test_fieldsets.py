"""Sparse fieldsets: what is shown of each type, and what is read of it."""

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.conftest import article
from tests.jsonapi.toy import ARTICLES, PEOPLE
from tests.jsonapi.world import ADA, identifier


def fields_of(resource: dict) -> set[str]:
    return {*resource.get("attributes", {}), *resource.get("relationships", {})}


@toy_on_one_engine
@pytest.mark.parametrize(
    "names",
    [
        "title",
        "by-line,title",
        "author",
        "title,tags,author,comments",
        "title,title",
        "",
    ],
)
def test_only_the_fields_that_are_asked_for_are_shown(world, names):
    expected = set(names.split(",")) - {""}
    for url in (ARTICLES, f"{ARTICLES}/1", f"{PEOPLE}/{ADA}/articles"):
        data = world.client.get(f"{url}?fields[articles]={names}").json["data"]
        for resource in data if isinstance(data, list) else [data]:
            assert fields_of(resource) == expected
            assert resource.keys() >= {"type", "id", "links"}
            assert resource.get("attributes") != {}
            assert resource.get("relationships") != {}


@toy_on_one_engine
def test_each_included_type_has_its_own_fields(world):
    url = f"{ARTICLES}/1?include=author.friends,tags"
    url += "&fields[articles]=title,author&fields[people]=nickname,friends&fields[tags]="
    document = world.client.get(url).json
    assert fields_of(document["data"]) == {"title", "author"}
    fields = {"people": {"nickname", "friends"}, "tags": set()}
    assert {resource["type"] for resource in document["included"]} == {"people", "tags"}
    for resource in document["included"]:
        assert fields_of(resource) == fields[resource["type"]]
    author = document["data"]["relationships"]["author"]
    assert author["data"] == identifier("people", ADA)


@toy_on_one_engine
def test_what_is_included_by_a_relationship_that_is_not_shown_stays(world):
    """The exception of full linkage (§5.1.1)."""
    url = f"{ARTICLES}/1?include=author&fields[articles]=title"
    document = world.client.get(url).json
    assert [resource["id"] for resource in document["included"]] == [ADA]


def test_what_was_written_is_shown_with_the_fields_that_are_asked_for(world):
    query = "?fields[articles]=rating"
    created = world.client.post(ARTICLES + query, article(title="t", rating=5)).json["data"]
    assert created["attributes"] == {"rating": 5}
    assert "relationships" not in created
    changed = world.client.patch(
        created["links"]["self"] + query, article(created["id"], title="u", rating=6)
    )
    assert changed.json["data"]["attributes"] == {"rating": 6}


def columns(statement: str) -> set[str]:
    """The columns that a SELECT selects, under their names in the result."""
    selected = statement.split("FROM")[0].removeprefix("SELECT ")
    return {
        column.split(" AS ")[-1].split(".")[-1].strip(' "`\n') for column in selected.split(",")
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fields[articles]=title", [{"id", "version", "title"}]),
        ("fields[articles]=by-line", [{"id", "version", "author_name"}]),
        ("fields[articles]=", [{"id", "version"}]),
        ("fields[articles]=author", [{"id", "version"}]),
        ("fields[articles]=title&sort=rating", [{"id", "version", "title", "rating"}]),
        (
            "fields[articles]=title&fields[people]=nickname&include=author",
            [{"id", "version", "title", "author_id"}, {"id", "version", "nickname"}],
        ),
        (
            "fields[articles]=title&fields[tags]=&include=tags",
            [{"id", "version", "title"}, {"id", "version", "_source_id"}],
        ),
    ],
)
def test_only_the_columns_that_are_needed_are_read(world, query, expected):
    with world.statements() as statements:
        assert world.client.get(f"{ARTICLES}?{query}").status_int == 200
    assert [columns(statement) for statement in statements] == expected


@toy_on_one_engine
def test_what_is_only_written_is_never_read(world):
    with world.statements() as statements:
        world.client.get(f"{ARTICLES}?include=author.articles,tags")
        world.client.get(f"{ARTICLES}/1")
        world.client.get(f"{PEOPLE}/{ADA}/articles")
    assert len(statements) > 5
    assert not any("secret" in statement for statement in statements)


@toy_on_one_engine
def test_identifiers_are_read_without_the_rest_of_the_resources(world):
    with world.statements() as statements:
        world.client.get(f"{PEOPLE}/{ADA}/relationships/articles")
    assert not any("title" in statement for statement in statements)


@toy_on_one_engine
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("fields[articles]", "nope"),
        ("fields[articles]", "title,"),
        ("fields[articles]", ",title"),
        ("fields[articles]", "title,,rating"),
        ("fields[articles]", "secret"),
        ("fields[articles]", "ID"),
        ("fields[articles]", "links"),
        ("fields[articles]", "author_name"),
        ("fields[articles]", "%00"),
        ("fields[people]", "title"),
        ("fields[nope]", "title"),
        ("fields[]", "title"),
        ("fields[articles", "title"),
        ("fields[articles]]", "title"),
        ("fields[articles][]", "title"),
    ],
)
def test_a_fieldset_that_cannot_be_is_refused_by_its_name(world, parameter, value):
    for url in (ARTICLES, f"{ARTICLES}/1"):
        response = world.client.get(f"{url}?{parameter}={value}")
        assert (response.status_int, sources(response)) == (
            400,
            [(parameter, "invalid_parameter")],
        )
