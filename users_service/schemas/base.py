"""The field types of schemas: strict about JSON types and what all engines can store."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from marshmallow.validate import Length, OneOf
from marshmallow_jsonapi import Schema, fields

from users_service.addresses import LONGEST as LONGEST_ADDRESS
from users_service.addresses import fault_of as fault_of_address
from users_service.jsonapi import Display, RuleError, Section, parse_date, parse_instant
from users_service.schemas.credentials import Credential, Password, Permission
from users_service.schemas.metadata import with_metadata
from users_service.schemas.numbers import Decimal, Integer
from users_service.schemas.objects import Object
from users_service.texts import BASIC_INVISIBLE, INVISIBLE, normalize, trim

__all__ = [
    "Boolean",
    "Choice",
    "Credential",
    "Date",
    "Decimal",
    "Display",
    "Email",
    "Identifier",
    "Integer",
    "Line",
    "List",
    "Object",
    "Password",
    "Permission",
    "Relationship",
    "Schema",
    "Section",
    "Text",
    "Timestamp",
    "Url",
]

List = fields.List
Relationship = fields.Relationship

# Sets of characters in the syntax that Python and ECMA-262 share, for the patterns of the OpenAPI
# document. That of a line also takes lines of nothing but invisible characters beyond U+FFFF.
CONTROLS = r"\u0000-\u001f\u007f-\u009f"
CONTROLS_BUT_LINE_BREAKS = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
LINE = rf"^[^{CONTROLS}]*[^{CONTROLS}{BASIC_INVISIBLE}][^{CONTROLS}]*$"
TEXT = rf"^[^{CONTROLS_BUT_LINE_BREAKS}]*$"

# The absolute URLs of pages. They have no user and password in them, which browsers warn of.
_REST = rf"[^{CONTROLS}{BASIC_INVISIBLE}]"
_HOST = rf"[^{CONTROLS}{BASIC_INVISIBLE}/?#@:\[\]\\<>]+|\[[0-9A-Fa-f:.]+\]"
WEB_URL = rf"^[Hh][Tt][Tt][Pp][Ss]?://({_HOST})(:[0-9]{{1,5}})?([/?#]{_REST}*)?$"

UUID_FORMAT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Identifier(fields.UUID):  # type: ignore[misc]  # marshmallow_jsonapi is untyped
    """A UUID in its 8-4-4-4-12 form (RFC 9562 §4), in upper or lower case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**with_metadata(kwargs, examples=["0190b5a0-0000-7000-8000-00000000ada0"]))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if not isinstance(value, str) or not UUID_FORMAT.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return UUID(value)


class Boolean(fields.Boolean):  # type: ignore[misc]
    """true or false. marshmallow's own Boolean also accepts 1, "yes" and "off"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Line(fields.String):  # type: ignore[misc]
    """One line of text of 1 to `max_length` characters, in NFC and without blanks around it.

    At least one of them must show something; a combining mark does without a base. Control
    characters are refused: engines cannot store U+0000, and logs and terminals should not get
    escape sequences.
    """

    default_error_messages = {
        "blank": "Must have at least one visible character.",
        "control": "Must not contain control characters.",
    }

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(validate=Length(max=max_length), **with_metadata(kwargs, pattern=LINE))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if re.search(f"[{CONTROLS}]", text):
            raise self.make_error("control")
        if not re.search(f"[^{INVISIBLE}]", text):
            raise self.make_error("blank")
        return trim(normalize(text))


class Text(fields.String):  # type: ignore[misc]
    """Text of at most `max_length` characters in NFC, with no controls but tabs and line breaks."""

    default_error_messages = {
        "control": "Must not contain control characters but tabs and line breaks."
    }

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        facts = with_metadata(kwargs, pattern=TEXT, multiline=True)
        super().__init__(validate=Length(max=max_length), **facts)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if re.search(f"[{CONTROLS_BUT_LINE_BREAKS}]", text):
            raise self.make_error("control")
        return normalize(text)


class Email(fields.String):  # type: ignore[misc]
    """An e-mail address of at most 254 characters (RFC 5321 §4.5.3.1, RFC 6531).

    It is in NFC, as RFC 6532 §3.1 recommends, and without blanks around it, but else as it is sent.
    Invisible characters in it are refused: addresses would look the same and not be.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            validate=[Length(max=LONGEST_ADDRESS), self._check],
            **with_metadata(kwargs, format="idn-email"),
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return trim(normalize(super()._deserialize(value, attr, data, **kwargs)))

    @staticmethod
    def _check(address: str) -> None:
        if len(address) > LONGEST_ADDRESS:
            return  # Length reports it; parsing would be slow
        if fault := fault_of_address(address):
            raise RuleError(f"Not a valid email address. {fault}", "format")


class Url(fields.String):  # type: ignore[misc]
    """An absolute URL of a page, with `http` or `https`, in NFC and without blanks."""

    def __init__(self, *, max_length: int = 2000, **kwargs: Any) -> None:
        facts = with_metadata(kwargs, format="url", pattern=WEB_URL)
        super().__init__(validate=Length(max=max_length), **facts)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not re.fullmatch(WEB_URL, text):
            message = "Must be a URL such as https://example.com/page, without blanks."
            raise RuleError(message, "format")
        return normalize(text)


class Choice(fields.String):  # type: ignore[misc]
    """One of several texts.

    :param titles: what people see of each, by the text that is stored.
    """

    def __init__(self, titles: Mapping[str, str], **kwargs: Any) -> None:
        known = ", ".join(titles)
        one_of = OneOf(list(titles), list(titles.values()), error=f"Must be one of: {known}.")
        super().__init__(validate=one_of, **kwargs)


class Date(fields.Date):  # type: ignore[misc]
    """A day of the calendar, as RFC 3339 §5.6 writes it: from 0001-01-01 to 9999-12-31."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**with_metadata(kwargs, examples=["2026-11-22"]))

    @staticmethod
    def dump_value(value: date | None) -> str | None:
        return None if value is None else value.isoformat()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            return parse_date(value)
        except ValueError as error:
            raise RuleError(str(error), "format") from None

    def _serialize(
        self, value: date | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        return self.dump_value(value)


class Timestamp(fields.AwareDateTime):  # type: ignore[misc]
    """A point in time as in RFC 3339 §5.6.

    It is shown in UTC, with microseconds and a Z, which URLs need not escape.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**with_metadata(kwargs, examples=["2026-11-22T23:39:46.699941Z"]))

    @classmethod
    def dump_value(cls, value: datetime | None) -> datetime | str | None:
        # orjson writes a datetime in the same way, and faster, unless its microseconds are 0.
        if value is not None and value.tzinfo is UTC and value.microsecond:
            return value
        return cls.as_text(value)

    @staticmethod
    def as_text(value: datetime | None) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            return parse_instant(value)
        except ValueError as error:
            raise RuleError(str(error), "format") from None

    def _serialize(
        self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        return self.as_text(value)
