"""The rule in the error of one field, for clients that have texts of their own."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import uuid4

import pytest
from marshmallow import Schema, ValidationError, fields, validate

from tests.jsonapi.conftest import article, person
from tests.jsonapi.toy import ARTICLES, COMMENTS, PEOPLE, TAGS
from tests.jsonapi.world import ADA, identifier
from users_service.jsonapi import RuleError
from users_service.jsonapi.errors import RULES
from users_service.jsonapi.field_rules import RULE_OF_KEY, broken_rule, with_rules


class Colour(Enum):
    RED = 1


class Odd(fields.String):
    """A field of a host."""

    default_error_messages = {"blank": "Must show something.", "odd": "Is odd."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value == "odd":
            raise self.make_error("odd")
        if value == "short":
            raise RuleError("Is too short.", "minBytes", 9)
        if value == "plain":
            raise ValidationError("Is plain.")
        return super()._deserialize(value, attr, data, **kwargs) or self._refuse()

    def _refuse(self) -> None:
        raise self.make_error("blank")


def is_even(value: int) -> bool:
    return value % 2 == 0


def be_even(value: int) -> None:
    if value % 2:
        raise RuleError("Must be even.", "even", 2)


# Kinds of fields, each with values that break a rule.
FAULTS: list[tuple[fields.Field, Any, tuple[str, Any]]] = [
    (fields.String(required=True), ..., ("required", None)),
    (fields.String(), None, ("null", None)),
    (fields.String(), 7, ("type", None)),
    (fields.String(validate=validate.Length(2, 4)), "a", ("minLength", 2)),
    (fields.String(validate=validate.Length(2, 4)), "abcde", ("maxLength", 4)),
    (fields.String(validate=validate.Length(equal=2)), "a", ("minLength", 2)),
    (fields.String(validate=validate.Length(equal=2)), "abc", ("maxLength", 2)),
    (fields.String(validate=validate.Length(min=2, error="No.")), "a", ("minLength", 2)),
    (fields.String(validate=validate.Regexp("a+")), "b", ("pattern", None)),
    (fields.String(validate=validate.OneOf(["a", "b"])), "c", ("enum", None)),
    (fields.String(validate=validate.Equal("a")), "c", ("enum", None)),
    (fields.String(validate=validate.NoneOf(["c"])), "c", ("invalid", None)),
    (fields.String(validate=validate.And(validate.Length(max=1))), "ab", ("invalid", None)),
    (fields.UUID(), "x", ("format", None)),
    (fields.UUID(), 7, ("type", None)),
    (fields.Email(), "x", ("format", None)),
    (fields.Url(), "x", ("format", None)),
    (fields.IP(), "x", ("format", None)),
    (fields.Boolean(), "perhaps", ("type", None)),
    (fields.Integer(strict=True), 1.5, ("type", None)),
    (fields.Integer(), "many", ("type", None)),
    (fields.Integer(validate=validate.Range(1, 3)), 0, ("minimum", 1)),
    (fields.Integer(validate=validate.Range(1, 3)), 4, ("maximum", 3)),
    (
        fields.Integer(validate=validate.Range(min=1, min_inclusive=False)),
        1,
        ("exclusiveMinimum", 1),
    ),
    (
        fields.Integer(validate=validate.Range(max=3, max_inclusive=False)),
        3,
        ("exclusiveMaximum", 3),
    ),
    (fields.Integer(validate=is_even), 3, ("invalid", None)),
    (fields.Integer(validate=be_even), 3, ("even", 2)),
    (fields.Float(), "NaN", ("format", None)),
    (fields.Float(), 10**400, ("maximum", None)),
    (fields.Decimal(validate=validate.Range(max=Decimal("1.5"))), "2", ("maximum", "1.5")),
    (fields.DateTime(), "yesterday", ("format", None)),
    (fields.DateTime(), 7, ("type", None)),
    (fields.AwareDateTime(), "2026-01-01T00:00:00", ("format", None)),
    (fields.Date(), "yesterday", ("format", None)),
    (
        fields.Date(validate=validate.Range(min=date(2026, 1, 1))),
        "2025-01-01",
        ("minimum", "2026-01-01"),
    ),
    (
        fields.AwareDateTime(validate=validate.Range(max=datetime(2026, 1, 1, tzinfo=UTC))),
        "2027-01-01T00:00:00Z",
        ("maximum", "2026-01-01T00:00:00+00:00"),
    ),
    (fields.Enum(Colour), "BLUE", ("enum", None)),
    (fields.List(fields.String()), "a", ("type", None)),
    (fields.List(fields.String(), validate=validate.Length(1, 2)), [], ("minItems", 1)),
    (fields.List(fields.String(), validate=validate.Length(1, 2)), list("abc"), ("maxItems", 2)),
    (fields.List(fields.String(), validate=validate.ContainsOnly("ab")), ["c"], ("enum", None)),
    (fields.List(fields.String(validate=validate.Length(max=1))), ["ab"], ("maxLength", 1)),
    (fields.Dict(), "a", ("type", None)),
    (Odd(), "", ("blank", None)),
    (Odd(), "odd", ("invalid", None)),
    (Odd(), "short", ("minBytes", 9)),
    (Odd(), "plain", ("invalid", None)),
]


@pytest.mark.parametrize(("field", "value", "expected"), FAULTS)
@pytest.mark.filterwarnings("ignore:Returning `False`")  # which a host's validators may do
def test_each_fault_of_each_field_has_a_rule(field, value, expected):
    schema = with_rules(Schema.from_dict({"one": field})())
    with pytest.raises(ValidationError) as caught:
        schema.load({} if value is ... else {"one": value})
    (found,) = caught.value.messages.values()
    if isinstance(found, dict):  # of a list, by index
        (found,) = found.values()
    assert [broken_rule(message, value) for message in found] == [expected]


def test_the_rules_are_known():
    marshmallows = {rule for _, _, (rule, _) in FAULTS} - {"even", "minBytes"}
    assert marshmallows | set(RULE_OF_KEY.values()) <= set(RULES)


def test_the_messages_are_those_of_marshmallow():
    schema = Schema.from_dict(
        {"one": fields.DateTime(validate=validate.Range(max=datetime(1, 1, 2, tzinfo=UTC)))}
    )()
    for value in ("x", 7, None):
        messages = []
        for one in (schema, with_rules(schema)):
            with pytest.raises(ValidationError) as caught:
                one.load({"one": value})
            messages.append(caught.value.messages)
        assert messages[0] == messages[1]
    assert type(schema.fields["one"].error_messages["invalid"]) is str  # the host's stays as it was


def rules(response) -> list[tuple[str, str, Any]]:
    """What the errors of a response say of fields: name, rule and limit."""
    found = []
    for error in response.json["errors"]:
        meta = error["meta"]
        assert meta["message"] == error["detail"]
        found.append((meta["attribute"], meta["rule"], meta.get("limit")))
    return found


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, [("title", "required", None)]),
        ({"title": None}, [("title", "null", None)]),
        ({"title": 7}, [("title", "type", None)]),
        ({"title": ""}, [("title", "minLength", 1)]),
        ({"title": "x" * 101}, [("title", "maxLength", 100)]),
        ({"title": "a", "rating": "5"}, [("rating", "type", None)]),
        ({"title": "a", "rating": 2**31}, [("rating", "maximum", 2**31 - 1)]),
        ({"title": "a", "rating": -(2**31) - 1}, [("rating", "minimum", -(2**31))]),
        ({"title": "a", "published": "yesterday"}, [("published", "format", None)]),
        ({"title": "a", "published": 7}, [("published", "type", None)]),
        ({"title": "a", "keywords": ["b", 7]}, [("keywords", "type", None)]),
        ({"title": "a", "by-line": "x" * 101}, [("by-line", "maxLength", 100)]),
        ({"title": "a", "colour": "red"}, [("colour", "unknown", None)]),
        ({"title": "a", "revision": 2}, [("revision", "readOnly", None)]),
        ({"title": "a", "is_public": True}, [("published", "invalid", None)]),
        ({"rating": "5"}, [("title", "required", None), ("rating", "type", None)]),
    ],
)
def test_a_refused_attribute_names_the_rule(client, attributes, expected):
    response = client.post(ARTICLES, article(**attributes))
    assert response.status_int == 422
    assert sorted(rules(response)) == sorted(expected)


def test_a_taken_value_is_not_unique(toy, client):
    toy.person(nickname="Ada")
    refused = client.post(PEOPLE, person(nickname="Ada"))
    assert refused.status_int == 409
    assert rules(refused) == [("nickname", "unique", None)]


def related(type: str, name: str, data: Any, **attributes: Any) -> dict[str, Any]:
    relationships = {name: {"data": data}}
    return {"data": {"type": type, "attributes": attributes, "relationships": relationships}}


@pytest.mark.parametrize(
    ("url", "document", "expected"),
    [
        (
            ARTICLES,
            related("articles", "author", identifier("people", uuid4()), title="a"),
            "exists",
        ),
        (ARTICLES, related("articles", "tags", [identifier("tags", "x")], title="a"), "exists"),
        (ARTICLES, related("articles", "editor", None, title="a"), "unknown"),
        (PEOPLE, related("people", "fans", [], nickname="a"), "readOnly"),
        (COMMENTS, related("comments", "article", None, body="a"), "null"),
        (COMMENTS, {"data": {"type": "comments", "attributes": {"body": "a"}}}, "required"),
    ],
)
def test_a_refused_relationship_names_the_rule(world, url, document, expected):
    ((name, rule, limit),) = rules(world.client.post(url, document))
    relationships = document["data"].get("relationships", {"article": None})
    assert (name, rule, limit) == (*relationships, expected, None)


def test_linkage_by_its_own_url_names_the_rule_too(world):
    fans = f"{PEOPLE}/{ADA}/relationships/fans"
    assert rules(world.client.patch(fans, {"data": []})) == [("fans", "readOnly", None)]
    tags = f"{ARTICLES}/1/relationships/tags"
    missing = {"data": [identifier("tags", 999)]}
    assert rules(world.client.post(tags, missing)) == [("tags", "exists", None)]
    comments = f"{ARTICLES}/1/relationships/comments"
    assert rules(world.client.patch(comments, {"data": []})) == [("comments", "required", None)]


def test_operations_name_the_rule_too(toy):
    new = {"op": "add", "data": {"type": "tags", "attributes": {"label": 7}}}
    assert rules(toy.operate(new)) == [("label", "type", None)]


def test_an_error_of_no_field_has_no_rule(client):
    repeated = client.post(ARTICLES, article(title="a", subtitle="a"))
    missing = client.get(f"{TAGS}/7")
    for response in (repeated, missing):
        assert "meta" not in response.json["errors"][0]
