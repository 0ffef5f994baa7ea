"""A token as clients send and see it."""

from marshmallow.validate import Length, OneOf

from users_service.schemas.base import (
    Credential,
    Display,
    Identifier,
    Line,
    List,
    Permission,
    Relationship,
    Schema,
    Section,
    Timestamp,
)

CREATE_ONLY = {"create_only": True}
MOST_PERMISSIONS = 1000


class TokenSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "tokens"
        display = Display(
            one="Token",
            many="Tokens",
            named_by="name",
            search=("name", "user_agent"),
            columns=("name", "last_used_time", "expiration_time", "address", "creation_time"),
            sort="-creation_time",
            sections=(
                Section(title="Token", fields=("name", "user", "permissions", "secret")),
                Section(title="Use", fields=("last_used_time", "address", "user_agent")),
                Section(
                    title="History",
                    fields=("creation_time", "modification_time", "expiration_time"),
                ),
                Section(title="Sign-in", fields=("email", "password", "transport")),
            ),
        )
        example = {"email": "ada@example.com", "password": "a sentence nobody else says"}

    id = Identifier()
    name = Line(
        max_length=80,
        allow_none=True,
        metadata={
            "description": "What the token is for; a sign-in has none.",
            "examples": ["Nightly import"],
        },
    )
    permissions = List(
        Permission(),
        allow_none=True,
        validate=Length(max=MOST_PERMISSIONS),
        metadata=CREATE_ONLY
        | {
            "description": "What the token may do at most. If it is null, that is all that its "
            "user may do."
        },
    )
    expiration_time = Timestamp(
        metadata=CREATE_ONLY
        | {"title": "Expires", "description": "When the token ends. Required, but for a sign-in."}
    )
    last_used_time = Timestamp(
        dump_only=True,
        allow_none=True,
        metadata={"title": "Last used", "description": "Exact to ten minutes."},
    )
    address = Line(dump_only=True, allow_none=True, max_length=45, metadata={"title": "IP address"})
    user_agent = Line(
        dump_only=True, allow_none=True, max_length=500, metadata={"title": "Browser or program"}
    )
    creation_time = Timestamp(dump_only=True, metadata={"title": "Created"})
    modification_time = Timestamp(dump_only=True, metadata={"title": "Changed"})
    email = Credential(max_length=254, metadata=CREATE_ONLY | {"title": "E-mail address"})
    password = Credential(max_length=1024, metadata=CREATE_ONLY)
    transport = Credential(
        max_length=10,
        validate=OneOf(["bearer", "cookie"], labels=["In the answer", "In a cookie"]),
        metadata=CREATE_ONLY
        | {
            "title": "Delivery",
            "description": "How the client gets the token.",
            "default": "bearer",
        },
    )
    secret = Line(
        dump_only=True,
        max_length=100,
        metadata={
            "created": True,
            "description": "The token itself, which is shown once and never again.",
        },
    )
    user = Relationship(type_="users", metadata=CREATE_ONLY)
