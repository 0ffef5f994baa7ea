"""A group as clients send and see it."""

from users_service.schemas.base import (
    Display,
    Identifier,
    Line,
    Relationship,
    Schema,
    Section,
    Text,
    Timestamp,
)


class GroupSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "groups"
        display = Display(
            one="Group",
            many="Groups",
            named_by="name",
            search=("name", "description"),
            columns=("name", "description", "modification_time"),
            sort="name",
            sections=(
                Section(title="Group", fields=("name", "description")),
                Section(title="People", fields=("members", "managers")),
                Section(title="History", fields=("creation_time", "modification_time")),
            ),
        )

    id = Identifier()
    name = Line(required=True, max_length=250, metadata={"examples": ["Analysts"]})
    description = Text(
        max_length=10_000, allow_none=True, metadata={"examples": ["Those of the engine."]}
    )
    creation_time = Timestamp(dump_only=True, metadata={"title": "Created"})
    modification_time = Timestamp(dump_only=True, metadata={"title": "Changed"})
    members = Relationship(
        type_="users", many=True, metadata={"permission": "groups:update", "large": True}
    )
    managers = Relationship(
        type_="users",
        many=True,
        metadata={
            "permission": "groups:update",
            "description": "Who may change the group's name, description and members.",
            "large": True,
        },
    )
