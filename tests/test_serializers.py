"""Compiled serializers against the schemas that they are made of."""

import json
from datetime import UTC, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import fields as marshmallow_fields
from sqlalchemy import JSON, MetaData, create_engine, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from users_service.jsonapi.documents.responses import dumps
from users_service.jsonapi.documents.serializers import NEEDS_ROW, Serializer, converter, serializer
from users_service.jsonapi.resource import Resource
from users_service.models import Group, Role, User
from users_service.schemas import GroupSchema, RoleSchema, UserSchema
from users_service.schemas.base import Schema

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(0))])
instants = st.datetimes(timezones=zones).filter(lambda t: 1000 < t.year < 9000)
identity = {"id": st.uuids(), "version": st.integers(1, 10)}
times = {"creation_time": instants, "modification_time": instants}
named = identity | times | {"name": texts, "description": st.none() | texts}

ENTITIES = {
    (User, UserSchema): identity
    | times
    | {
        "email": texts,
        "name": texts,
        "is_active": st.booleans(),
        "verification_time": st.none() | instants,
    },
    (Role, RoleSchema): named | {"permissions": st.lists(texts, max_size=3)},
    (Group, GroupSchema): named,
}


def resource_of(model, schema) -> Resource:
    return Resource(model=model, schema=schema(), resources={})


def written(made: Serializer, source, collection: str) -> dict:
    """The resource object of one source, as clients see it."""
    (resource_object,) = json.loads(dumps(made.resource_objects([source], collection)))
    return resource_object


@pytest.mark.parametrize(("model", "schema"), ENTITIES, ids=lambda one: one.__name__)
def test_a_resource_is_serialized_as_its_schema_would(model, schema):
    resource = resource_of(model, schema)
    made = serializer(resource, None)
    dumping = schema(exclude=list(resource.relationships))

    @settings(derandomize=True, max_examples=200, deadline=None)
    @given(values=st.fixed_dictionaries(ENTITIES[model, schema]))
    def check(values):
        entity = SimpleNamespace(**values)
        dumped = dumping.dump(entity)["data"]
        compiled = written(made, entity, "/all")
        assert compiled["attributes"] == dumped["attributes"]
        assert (compiled["type"], compiled["id"]) == (dumped["type"], dumped["id"])
        assert compiled["links"] == {"self": f"/all/{values['id']}"}

    check()


@pytest.mark.parametrize("schema", [UserSchema, RoleSchema, GroupSchema])
def test_every_field_of_the_service_is_compiled(schema):
    resource = Resource(model=None, schema=schema(), resources={})
    assert [name for name, f in resource.readable.items() if converter(f) is NEEDS_ROW] == []


class Base(DeclarativeBase):
    metadata = MetaData()


class Thing(Base):
    __tablename__ = "things"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default="1")
    size: Mapped[int]
    weight: Mapped[float]
    tags: Mapped[list] = mapped_column(JSON)
    secret: Mapped[str]

    __mapper_args__ = {"version_id_col": version}


class Shout(marshmallow_fields.String):
    """A type that nobody knows, though what it is made of is known."""

    def _serialize(self, value, attr, obj, **kwargs):
        return f"{super()._serialize(value, attr, obj, **kwargs).upper()} of size {obj.size}"


class ThingSchema(Schema):
    class Meta:
        type_ = "things"

    id = marshmallow_fields.String()
    size = marshmallow_fields.Integer(as_string=True)
    weight = marshmallow_fields.Decimal(as_string=True, places=2)
    tags = marshmallow_fields.List(marshmallow_fields.Integer(as_string=True))
    secret = Shout()


def test_types_that_are_not_known_are_asked_with_all_of_the_row():
    values = {"id": "a/b", "size": 3, "weight": 1.005, "tags": [1, 2], "secret": "hush"}
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(Thing), values)
        table = Thing.__table__.c
        names = ("id", "version", "size", "weight", "tags", "secret")
        row = connection.execute(select(*(table[name] for name in names))).one()
    engine.dispose()
    made = written(serializer(resource_of(Thing, ThingSchema), None), row, "/things")
    dumped = ThingSchema().dump(SimpleNamespace(**values))["data"]
    assert made["attributes"] == dumped["attributes"]
    assert made["attributes"]["secret"] == "HUSH of size 3"
    assert made["links"]["self"] == "/things/a%2Fb"
