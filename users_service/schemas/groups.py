"""A group as clients send and see it."""

from users_service.schemas.base import Identifier, Line, Relationship, Schema, Text, Timestamp


class GroupSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "groups"

    id = Identifier()
    name = Line(required=True, max_length=250, metadata={"examples": ["Analysts"]})
    description = Text(
        max_length=10_000, allow_none=True, metadata={"examples": ["Those of the engine."]}
    )
    creation_time = Timestamp(dump_only=True)
    modification_time = Timestamp(dump_only=True)
    members = Relationship(type_="users", many=True, metadata={"permission": "groups:update"})
    managers = Relationship(type_="users", many=True, metadata={"permission": "groups:update"})
