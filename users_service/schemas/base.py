"""The house's field types: strict about JSON's types, and about what every engine can store."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import email_validator
from marshmallow import ValidationError
from marshmallow.validate import Length
from marshmallow_jsonapi import Schema, fields

__all__ = [
    "Boolean",
    "Email",
    "Identifier",
    "Line",
    "List",
    "Relationship",
    "Schema",
    "Text",
    "Timestamp",
]

List = fields.List
Relationship = fields.Relationship

# Names such as .local, .test and .internal are refused by default; inside a team's own network
# they are ordinary domains. The list is the library's documented switch for it.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

# Sets of characters in the syntax that regular expressions of Python and ECMA-262 share, so that a
# field checks what its description says.
CONTROLS = r"\u0000-\u001f\u007f-\u009f"
CONTROLS_BUT_LINE_BREAKS = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
# Separators and format characters (Unicode §4.5): a name of nothing else looks like none.
INVISIBLE = (
    r"\u0020\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
)
LINE = rf"^[^{CONTROLS}]*[^{CONTROLS}{INVISIBLE}][^{CONTROLS}]*$"
TEXT = rf"^[^{CONTROLS_BUT_LINE_BREAKS}]*$"

UUID_FORMAT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _with_metadata(kwargs: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The arguments of a field, with facts for its description in JSON Schema."""
    return kwargs | {"metadata": facts | kwargs.get("metadata", {})}


# What most addresses look like, and the library lets pass: its parser is for the others.
PLAIN_EMAIL = re.compile(
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)"
    r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[A-Za-z0-9]{1,63}\.)+[A-Za-z]{2,63}"
)


class Identifier(fields.UUID):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    """A UUID in its 8-4-4-4-12 form (RFC 9562 §4), in upper or lower case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **_with_metadata(kwargs, examples=["0190b5a0-0000-7000-8000-00000000ada0"])
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if not isinstance(value, str) or not UUID_FORMAT.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return UUID(value)


class Boolean(fields.Boolean):  # type: ignore[misc]
    """true or false; marshmallow's own also takes 1, "yes" and "off"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Line(fields.String):  # type: ignore[misc]
    """One line of text of 1 to `max_length` characters, without its surrounding blanks.

    Control characters are refused: no engine is asked to store U+0000, and no log or terminal is
    asked to show an escape sequence.
    """

    default_error_messages = {
        "blank": "Must have at least one character that can be seen.",
        "control": "Must not contain control characters.",
    }

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(validate=Length(max=max_length), **_with_metadata(kwargs, pattern=LINE))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if re.search(f"[{CONTROLS}]", text):
            raise self.make_error("control")
        if not re.search(f"[^{INVISIBLE}]", text):
            raise self.make_error("blank")
        return text.strip()


class Text(fields.String):  # type: ignore[misc]
    """Text of at most `max_length` characters, in lines; no other control characters."""

    default_error_messages = {"control": "Must not contain control characters."}

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(validate=Length(max=max_length), **_with_metadata(kwargs, pattern=TEXT))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if re.search(f"[{CONTROLS_BUT_LINE_BREAKS}]", text):
            raise self.make_error("control")
        return text


class Email(fields.String):  # type: ignore[misc]
    """An address of at most 254 characters (RFC 5321 §4.5.3.1, RFC 6531), kept as it was sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            validate=[Length(max=254), self._check], **_with_metadata(kwargs, format="idn-email")
        )

    @staticmethod
    def _check(address: str) -> None:
        if len(address) > 254 or PLAIN_EMAIL.fullmatch(address):
            return  # what is too long is said by Length, and costly to parse
        try:
            email_validator.validate_email(address, check_deliverability=False, strict=True)
        except email_validator.EmailNotValidError as error:
            raise ValidationError(f"Not a valid email address. {error}") from None


class Timestamp(fields.AwareDateTime):  # type: ignore[misc]
    """An instant as RFC 3339 §5.6 writes it: UTC, microseconds, and a Z that needs no escaping."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_with_metadata(kwargs, examples=["2026-11-22T23:39:46.699941Z"]))

    @classmethod
    def dump_value(cls, value: datetime | None) -> datetime | str | None:
        # Nearly all are written by orjson as they are written below; it leaves out a fraction of 0.
        if value is not None and value.tzinfo is UTC and value.microsecond:
            return value
        return cls.as_text(value)

    @staticmethod
    def as_text(value: datetime | None) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"

    def _serialize(
        self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        return self.as_text(value)
