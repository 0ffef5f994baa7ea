"""The field type of objects: any JSON within limits that all engines and parsers share."""

import json
from typing import Any

from marshmallow import fields

from users_service.jsonapi import RuleError
from users_service.schemas.metadata import with_metadata
from users_service.schemas.numbers import MOST

# Levels of arrays and objects; MariaDB reads 32.
DEEPEST = 16

# The JSON Schema of the values in objects; each may have others in it.
NO_NULL = "^[^\\u0000]*$"
VALUE = {
    "title": "JsonValue",
    "type": ["null", "boolean", "number", "string", "array", "object"],
    "minimum": -MOST,
    "maximum": MOST,
    "pattern": NO_NULL,
    "items": {"$ref": "#/components/schemas/JsonValue"},
    "propertyNames": {"pattern": NO_NULL},
    "additionalProperties": {"$ref": "#/components/schemas/JsonValue"},
}


class Object(fields.Dict):
    """An object of JSON with any members, kept as it is sent but for the order of its members.

    A number without a fraction is an integer, however it is written: 1.0 is 1. Engines would keep
    it differently.

    :param max_bytes: of its JSON without blanks, in UTF-8.
    """

    def __init__(self, *, max_bytes: int = 65_536, **kwargs: Any) -> None:
        self.max_bytes = max_bytes
        facts = {"values": VALUE, "examples": [{"color": "green", "sizes": [1, 2]}]}
        super().__init__(**with_metadata(kwargs, **facts))

    @staticmethod
    def dump_value(value: dict[str, Any] | None) -> dict[str, Any] | None:
        return value

    def _serialize(
        self, value: dict[str, Any] | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        return value

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        found: dict[str, Any] = _storable(value, DEEPEST)
        size = len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())
        if size > self.max_bytes:
            message = f"Must have at most {self.max_bytes} bytes as JSON in UTF-8."
            raise RuleError(message, "maxBytes", self.max_bytes)
        return found


def _storable(value: Any, levels: int) -> Any:
    """Return a value of JSON as all engines keep it.

    :param levels: of arrays and objects, at most.
    :raises RuleError: if there is none.
    """
    match value:
        case dict() | list() if levels == 0:
            raise RuleError(f"Must be nested at most {DEEPEST} levels deep.", "invalid", DEEPEST)
        case dict():
            return {_text(name): _storable(each, levels - 1) for name, each in value.items()}
        case list():
            return [_storable(each, levels - 1) for each in value]
        case str():
            return _text(value)
        case bool():
            return value
        case int() | float():
            return _number(value)
    return value


def _text(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = "Must not contain U+0000 or half of a surrogate pair."
        raise RuleError(message, "control")
    return text


def _number(number: float) -> float:
    if not -MOST <= number <= MOST:
        limit = -MOST if number < 0 else MOST
        message = f"Must not contain numbers beyond {limit}."
        raise RuleError(message, "minimum" if number < 0 else "maximum", limit)
    return int(number) if number == int(number) else number
