"""Made-up attributes: of every type of field, such as the schema takes, and the same again."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from marshmallow.validate import Length
from sqlalchemy import Column, Integer, MetaData, String, Table
from sqlalchemy.orm import registry

from users_service.cli.made_up import MadeUpError, attributes
from users_service.jsonapi import Resource
from users_service.schemas import base
from users_service.schemas.base import Identifier, Line, List, Schema, Text
from users_service.texts import name_key

KINDS = {"small": "Small", "large": "Large"}
FIELDS: dict[str, Any] = {
    "line": Line(max_length=80),
    "text": Text(max_length=1000),
    "email": base.Email(),
    "url": base.Url(),
    "boolean": base.Boolean(),
    "integer": base.Integer(),
    "rating": base.Integer(minimum=1, maximum=5),
    "debt": base.Integer(maximum=-10),
    "decimal": base.Decimal(digits=12, scale=2),
    "share": base.Decimal(digits=4, scale=3, minimum="0.100", maximum="0.200"),
    "whole": base.Decimal(digits=3, scale=0),
    "date": base.Date(),
    "timestamp": base.Timestamp(),
    "choice": base.Choice(KINDS),
    "list": List(Line(max_length=20), validate=Length(max=2)),
    "two": List(Line(max_length=20), validate=Length(min=2)),
    "object": base.Object(),
    "letters": Line(max_length=2),
    "remark": Line(max_length=80, allow_none=True),
    "address": Line(max_length=15),
    "long": base.Text(max_length=5000),
    "seen": base.Timestamp(dump_only=True),
}


UNIQUE = ("line", "text", "email", "url", "integer", "debt", "decimal", "date", "timestamp")
FEW = {"boolean": 2, "rating": 5, "choice": 2, "share": 101}


def resource_of(*names: str, unique: bool = False) -> Resource:
    """A resource with some of the fields, and nullable columns for them."""
    fields = {name: FIELDS[name] for name in names}
    body = {"Meta": type("Meta", (), {"type_": "things"}), "id": Identifier(), **fields}
    columns = [Column(name, String(100), unique=unique) for name in names]
    table = Table(
        "things",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("version", Integer),
        *columns,
    )
    model: Any = type("Thing", (), {})
    registry().map_imperatively(model, table, version_id_col=table.c.version)
    return Resource(model=model, schema=type("ThingSchema", (Schema,), body)(), resources={})


ALL = resource_of(*FIELDS)


def test_the_schema_takes_them_and_json_has_them():
    written = FIELDS.keys() - {"seen"}
    for number in range(300):
        made = attributes(ALL, number)
        assert made.keys() == written
        assert json.loads(json.dumps(made)) == made
        ALL.loader.load({"data": {"type": "things", "attributes": made}})


def test_the_same_number_makes_the_same_and_another_one_others():
    assert attributes(ALL, 7) == attributes(resource_of(*FIELDS), 7)
    assert attributes(ALL, 7) != attributes(ALL, 8)
    assert attributes(ALL, 7, seed=1) != attributes(ALL, 7, seed=2)
    assert attributes(ALL, 7)["line"] == attributes(resource_of("line"), 7)["line"]


def test_only_what_is_nullable_is_null_and_that_sometimes():
    made = [attributes(ALL, number) for number in range(300)]
    nulls = Counter(name for one in made for name, value in one.items() if value is None)
    assert nulls.keys() == {"remark"}
    assert 30 < nulls["remark"] < 120


def test_they_are_readable():
    made = [attributes(ALL, number) for number in range(50)]
    for one in made:
        assert re.fullmatch(r"[A-Z][a-z]+ [a-z]+", one["line"])
        assert re.fullmatch(r"([A-Z][a-z]+( [a-z]+)*\.\n*){2}", one["text"])
        assert re.fullmatch(r"[a-z]+\.[a-z]+@([a-z]+\.)?example(\.\w+)?", one["email"])
        assert re.fullmatch(r"https://[a-z.]+/[a-z]+/[a-z]+", one["url"])
        assert 1 <= one["integer"] <= 1000
        assert all("2018" <= one[name] < "2026-01-02" for name in ("date", "timestamp"))
    for name in ("boolean", "choice"):
        assert len({one[name] for one in made}) == 2
    for name in ("decimal", "integer", "date", "timestamp", "line", "url", "email"):
        assert len({one[name] for one in made}) > 30, name


@pytest.mark.parametrize("name", UNIQUE)
def test_what_is_unique_is_distinct(name):
    resource = resource_of(name, unique=True)
    made = [attributes(resource, number)[name] for number in range(1000)]
    assert len({value.casefold() if isinstance(value, str) else value for value in made}) == 1000


def test_names_in_few_characters_are_distinct_however_they_are_compared():
    resource = resource_of("letters", unique=True)
    assert len({name_key(attributes(resource, number)["letters"]) for number in range(500)}) == 500


@pytest.mark.parametrize("name", FEW)
def test_there_are_no_more_values_than_there_can_be(name):
    resource = resource_of(name, unique=True)
    assert len({attributes(resource, number)[name] for number in range(FEW[name])}) == FEW[name]
    with pytest.raises(MadeUpError, match=f"for {name} of things number {FEW[name] + 1}"):
        attributes(resource, FEW[name])
