"""A user as clients send and see it."""

from users_service.schemas.base import (
    Boolean,
    Credential,
    Email,
    Identifier,
    Line,
    Password,
    Relationship,
    Schema,
    Timestamp,
)


class UserSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "users"

    id = Identifier()
    email = Email(required=True, metadata={"examples": ["ada@example.com"]})
    name = Line(required=True, max_length=250, metadata={"examples": ["Ada Lovelace"]})
    is_active = Boolean(metadata={"examples": [True]})
    password = Password(allow_none=True, metadata={"examples": ["a sentence nobody else says"]})
    current_password = Credential(
        max_length=1024, metadata={"examples": ["a sentence nobody else says"]}
    )
    verification_time = Timestamp(dump_only=True, allow_none=True)
    creation_time = Timestamp(dump_only=True)
    modification_time = Timestamp(dump_only=True)
    role = Relationship(type_="roles", metadata={"permission": "roles:assign"})
    groups = Relationship(type_="groups", many=True, metadata={"permission": "groups:update"})
