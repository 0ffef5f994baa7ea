"""A token as clients send and see it."""

from marshmallow.validate import Length, OneOf

from users_service.schemas.base import (
    Credential,
    Identifier,
    Line,
    List,
    Permission,
    Relationship,
    Schema,
    Timestamp,
)

CREATE_ONLY = {"create_only": True}
MOST_PERMISSIONS = 1000


class TokenSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "tokens"
        example = {"email": "ada@example.com", "password": "a sentence nobody else says"}

    id = Identifier()
    name = Line(max_length=80, allow_none=True, metadata={"examples": ["Nightly import"]})
    permissions = List(
        Permission(),
        allow_none=True,
        validate=Length(max=MOST_PERMISSIONS),
        metadata=CREATE_ONLY,
    )
    expiration_time = Timestamp(metadata=CREATE_ONLY)
    last_used_time = Timestamp(dump_only=True, allow_none=True)
    address = Line(dump_only=True, allow_none=True, max_length=45)
    user_agent = Line(dump_only=True, allow_none=True, max_length=500)
    creation_time = Timestamp(dump_only=True)
    modification_time = Timestamp(dump_only=True)
    email = Credential(max_length=254, metadata=CREATE_ONLY)
    password = Credential(max_length=1024, metadata=CREATE_ONLY)
    transport = Credential(
        max_length=10, validate=OneOf(["bearer", "cookie"]), metadata=CREATE_ONLY
    )
    secret = Line(dump_only=True, max_length=100, metadata={"created": True})
    user = Relationship(type_="users", metadata=CREATE_ONLY)
