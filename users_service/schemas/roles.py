"""A role as clients send and see it."""

from marshmallow.validate import Length

from users_service.schemas.base import (
    Identifier,
    Line,
    List,
    Permission,
    Relationship,
    Schema,
    Text,
    Timestamp,
)


class RoleSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "roles"

    id = Identifier()
    name = Line(required=True, max_length=80, metadata={"examples": ["editor"]})
    description = Text(
        max_length=10_000, allow_none=True, metadata={"examples": ["Those who edit."]}
    )
    permissions = List(
        Permission(),
        validate=Length(max=1000),
        metadata={"examples": [["articles:write"]]},
    )
    creation_time = Timestamp(dump_only=True)
    modification_time = Timestamp(dump_only=True)
    users = Relationship(type_="users", many=True, metadata={"permission": "roles:assign"})
