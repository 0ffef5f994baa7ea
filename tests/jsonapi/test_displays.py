"""What the description says for people, from which a page can be made that knows no resource."""

from typing import Any

import openapi_spec_validator
import pytest
from marshmallow.validate import OneOf
from marshmallow_jsonapi import fields
from pyramid.config import Configurator

from tests.client import Client
from tests.description import member, operations
from tests.engines import toy_on_one_engine
from tests.jsonapi.club import (
    Account,
    AccountSchema,
    Badge,
    BadgeSchema,
    Rank,
    RankSchema,
    Team,
    TeamSchema,
)
from tests.jsonapi.toy import make_toy
from users_service.jsonapi import Display, Information, Rules, Section

pytestmark = toy_on_one_engine

INFORMATION = Information(title="Club", version="1", summary="A club.", description="", license={})


class ToldSchema(AccountSchema):
    """Of accounts, with all that a host can say."""

    class Meta:
        type_ = "accounts"
        display = Display(
            one="Member",
            many="Members of the club",
            named_by="login",
            search=("login", "invitation"),
            columns=("login", "rank"),
            sort="-login",
            sections=(Section(title="Sign-in", fields=("login", "password", "teams")),),
        )

    login = fields.String(
        required=True, metadata={"title": "Name", "description": "For signing in."}
    )
    invitation = fields.String(
        validate=OneOf(["friend", "open_day"], labels=["By a friend"]),
        metadata={"create_only": True, "default": "friend", "multiline": True},
    )
    teams = fields.Relationship(
        type_="teams", many=True, metadata={"title": "Plays for", "large": True}
    )


def include(config: Configurator) -> None:
    add = config.add_jsonapi_resource
    add(Account, ToldSchema, rules=Rules(own=frozenset({"password", "teams"})))
    add(Rank, RankSchema)
    add(Team, TeamSchema)
    add(Badge, BadgeSchema)
    config.add_jsonapi_description(INFORMATION)


@pytest.fixture(scope="module")
def document(running_toy) -> dict[str, Any]:
    client = Client(make_toy(running_toy.engine, include=include))
    document = client.get("/toy/openapi.json").json
    openapi_spec_validator.validate(document)
    return document


def displays(document) -> dict[str, Any]:
    return {tag["name"]: tag["x-display"] for tag in document["tags"] if "x-display" in tag}


def properties(document, operation: str, *path: str) -> dict[str, Any]:
    """The attributes or relationships in the document of an operation that reads or writes."""
    found = operations(document)[operation]
    if operation.endswith("_read"):
        return found.schema("data", *path)["properties"]
    _, said = found.body
    return member(document, said["schema"], "data", *path)["properties"]


def without_values(schema: dict[str, Any]) -> dict[str, Any]:
    of_values = {"type", "properties", "required", "examples", "items", "format"}
    return {name: value for name, value in schema.items() if name not in of_values}


def test_a_resource_is_shown_as_the_host_says(document):
    assert displays(document)["accounts"] == {
        "one": "Member",
        "many": "Members of the club",
        "named_by": "login",
        "search": ["login", "invitation"],
        "columns": ["login", "rank"],
        "sort": "-login",
        "sections": [{"title": "Sign-in", "fields": ["login", "password", "teams"]}],
    }


def test_or_else_as_its_fields_suggest(document):
    found = displays(document)
    assert found["articles"] == {
        "one": "Article",
        "many": "Articles",
        "named_by": "title",
        "search": ["title"],
        "columns": ["title", "subtitle", "rating", "is_public", "published"],
        "sort": "title",
        "sections": [],
    }
    assert found["people"]["one"] == found["people"]["many"] == "People"
    assert found["people"]["named_by"] == "nickname"
    assert "service" not in found
    assert {tag["name"] for tag in document["tags"]} - found.keys() == {"service"}


def test_collections_and_resources_say_their_type(document):
    typed = {
        path: item["x-jsonapi-type"]
        for path, item in document["paths"].items()
        if "x-jsonapi-type" in item
    }
    types = ("accounts", "articles", "badges", "comments", "people", "ranks", "tags", "teams")
    assert typed == {
        path: type for type in types for path in (f"/toy/{type}", f"/toy/{type}/{{id}}")
    }


def test_an_attribute_says_what_it_is_called_and_who_writes_it(document):
    new = properties(document, "accounts_create", "attributes")
    changed = properties(document, "accounts_update", "attributes")
    shown = properties(document, "accounts_read", "attributes")
    login = {"title": "Name", "description": "For signing in."}
    assert [without_values(one["login"]) for one in (new, changed, shown)] == [login] * 3
    password = {"title": "Password", "writeOnly": True, "x-self": True}
    assert [without_values(one["password"]) for one in (new, changed)] == [password] * 2
    choices = [
        {"const": "friend", "title": "By a friend"},
        {"const": "open_day", "title": "Open day"},
    ]
    or_null = [*choices, {"type": "null"}]  # in answers: the column is nullable
    invitation = {"title": "Invitation", "x-create-only": True, "x-multiline": True}
    invitation |= {"oneOf": choices}
    assert without_values(shown["invitation"]) == invitation | {"oneOf": or_null}
    assert without_values(new["invitation"]) == invitation | {"default": "friend"}
    assert "invitation" not in changed
    created = operations(document)["accounts_create"].schema("data", "attributes")["properties"]
    assert created["key"]["readOnly"] is True


def test_an_attribute_has_the_default_of_its_column_when_it_is_new_alone(document):
    new = properties(document, "articles_create", "attributes")
    assert new["is_public"] == {"title": "Is public", "type": "boolean", "default": False}
    assert new["by-line"]["title"] == "By line"
    assert properties(document, "people_create", "attributes")["shirt"]["default"] == 1
    for operation in ("articles_update", "articles_read"):
        attributes = properties(document, operation, "attributes")
        assert not [name for name, one in attributes.items() if "default" in one]
    assert properties(document, "articles_read", "attributes")["revision"]["readOnly"] is True


@pytest.mark.parametrize(
    ("type", "name", "facts"),
    [
        ("accounts", "rank", {"title": "Rank", "x-inverse": "holders", "x-on-delete": "restrict"}),
        (
            "accounts",
            "sponsor",
            {
                "title": "Sponsor",
                "x-create-only": True,
                "x-inverse": "sponsored",
                "x-on-delete": "set_null",
            },
        ),
        (
            "accounts",
            "sponsored",
            {
                "title": "Sponsored",
                "readOnly": True,
                "x-inverse": "sponsor",
                "x-on-delete": "set_null",
            },
        ),
        (
            "accounts",
            "teams",
            {"title": "Plays for", "x-self": True, "x-inverse": "players", "x-large": True},
        ),
        (
            "ranks",
            "holders",
            {"title": "Holders", "x-inverse": "rank", "x-on-delete": "restrict"},
        ),
        ("articles", "comments", {"x-on-delete": "restrict", "x-inverse": "article"}),
        ("articles", "author", {"x-on-delete": "set_null", "x-inverse": "articles"}),
    ],
)
def test_a_relationship_says_what_is_at_its_other_end(document, type, name, facts):
    found = without_values(properties(document, f"{type}_read", "relationships")[name])
    assert found == {"title": name.capitalize()} | facts


def test_a_relationship_that_is_written_says_who_writes_it(document):
    new = properties(document, "accounts_create", "relationships")
    assert without_values(new["sponsor"]) == {"title": "Sponsor", "x-create-only": True}
    changed = properties(document, "accounts_update", "relationships")
    assert without_values(changed["teams"]) == {"title": "Plays for", "x-self": True}
    assert new.keys() - changed.keys() == {"sponsor"}


def test_filters_say_nothing_of_titles(document):
    parameters = document["components"]["parameters"]
    for name, parameter in parameters.items():
        if ".filter." in name:
            found = {*parameter["schema"], *parameter["schema"].get("items", {})}
            assert not found & {"title", "default", "x-create-only", "x-multiline"}, name


def test_what_cascades_says_so(running_toy):
    """A foreign key by which rows go with the one that they lead to."""
    key = next(iter(Badge.__table__.c.holder_id.foreign_keys))
    before = key.ondelete
    try:
        key.ondelete = "CASCADE"
        client = Client(make_toy(running_toy.engine, include=include))
        document = client.get("/toy/openapi.json").json
    finally:
        key.ondelete = before
    badges = properties(document, "badges_read", "relationships")["holder"]
    assert badges["x-on-delete"] == "cascade"
    assert properties(document, "accounts_read", "relationships")["badges"]["x-on-delete"] == (
        "cascade"
    )
