"""An assertion for another service, as clients ask for it and get it."""

from users_service.schemas.base import Identifier, Line, Schema, Timestamp

LONGEST_AUDIENCE = 255


class AssertionSchema(Schema):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    class Meta:
        type_ = "assertions"

    id = Identifier(dump_only=True)
    audience = Line(
        required=True,
        max_length=LONGEST_AUDIENCE,
        metadata={
            "description": "The service that the assertion is for.",
            "examples": ["https://billing.example.com"],
        },
    )
    assertion = Line(dump_only=True, max_length=1 << 17)
    expiration_time = Timestamp(dump_only=True, metadata={"title": "Expires"})
