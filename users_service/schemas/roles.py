"""A role as clients send and see it."""

from marshmallow.validate import Length

from users_service.schemas.base import (
    Display,
    Identifier,
    Line,
    List,
    Permission,
    Relationship,
    Schema,
    Section,
    Text,
    Timestamp,
)


class RoleSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "roles"
        display = Display(
            one="Role",
            many="Roles",
            named_by="name",
            search=("name", "description"),
            columns=("name", "description", "modification_time"),
            sort="name",
            sections=(
                Section(title="Role", fields=("name", "description", "permissions")),
                Section(title="Holders", fields=("users",)),
                Section(title="History", fields=("creation_time", "modification_time")),
            ),
        )

    id = Identifier()
    name = Line(required=True, max_length=80, metadata={"examples": ["editor"]})
    description = Text(
        max_length=10_000, allow_none=True, metadata={"examples": ["Those who edit."]}
    )
    permissions = List(
        Permission(),
        validate=Length(max=1000),
        metadata={
            "description": "What users with this role may do. Each is `*`, `type:*` or "
            "`type:action`.",
            "default": [],
            "examples": [["articles:write"]],
        },
    )
    creation_time = Timestamp(dump_only=True, metadata={"title": "Created"})
    modification_time = Timestamp(dump_only=True, metadata={"title": "Changed"})
    users = Relationship(
        type_="users", many=True, metadata={"permission": "roles:assign", "large": True}
    )
