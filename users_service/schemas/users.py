"""A user as clients send and see it."""

from users_service.schemas.base import (
    Boolean,
    Credential,
    Display,
    Email,
    Identifier,
    Line,
    Password,
    Relationship,
    Schema,
    Section,
    Timestamp,
)


class UserSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "users"
        display = Display(
            one="User",
            many="Users",
            named_by="name",
            search=("name", "email"),
            columns=("name", "email", "is_active", "role", "creation_time"),
            sort="name",
            sections=(
                Section(title="Person", fields=("name", "email", "verification_time")),
                Section(title="Access", fields=("is_active", "role", "groups")),
                Section(title="Password", fields=("password", "current_password")),
                Section(title="History", fields=("creation_time", "modification_time")),
            ),
        )

    id = Identifier()
    email = Email(
        required=True, metadata={"title": "E-mail address", "examples": ["ada@example.com"]}
    )
    name = Line(required=True, max_length=250, metadata={"examples": ["Ada Lovelace"]})
    is_active = Boolean(
        metadata={
            "title": "Active",
            "description": "Only active users can sign in. Who is made inactive loses all tokens.",
            "examples": [True],
        }
    )
    password = Password(
        allow_none=True,
        metadata={
            "description": "Without one, the user cannot sign in by password. A new one ends all "
            "of the user's tokens.",
            "examples": ["a sentence nobody else says"],
        },
    )
    current_password = Credential(
        max_length=1024,
        metadata={
            "title": "Current password",
            "description": "Needed to change one's own password.",
            "confirms": "password",
            "examples": ["a sentence nobody else says"],
        },
    )
    verification_time = Timestamp(
        dump_only=True,
        allow_none=True,
        metadata={
            "title": "Address verified",
            "description": "When it was proven that the address is the user's.",
        },
    )
    creation_time = Timestamp(dump_only=True, metadata={"title": "Created"})
    modification_time = Timestamp(dump_only=True, metadata={"title": "Changed"})
    role = Relationship(
        type_="roles",
        metadata={
            "permission": "roles:assign",
            "description": "What the user may do. Without a role, it is what everybody may do who "
            "has signed in.",
        },
    )
    groups = Relationship(type_="groups", many=True, metadata={"permission": "groups:update"})
