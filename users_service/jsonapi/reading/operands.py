"""Reads the operands of filters: texts → the values that a field is compared with.

Operands are not values to be stored: what a schema demands of these does not count. They may lie
beyond what a column can hold; then no row has them, and comparisons of order are still right.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import BigInteger, Column, SmallInteger

from ..instants import parse_date, parse_instant_or_date
from ..resource import Resource, python_type
from .tree import Compare

# An offset whose plus was not percent-encoded: in a query string, a plus means a blank.
LOST_PLUS = re.compile(r"[^ ]+T[^ ]+ [0-9]{2}:?[0-9]{2}", re.IGNORECASE)

# In the syntax that Python and ECMA-262 share.
DECIMAL = r"^-?[0-9]{1,40}(\.[0-9]{1,40})?$"

# Has room for the digits of an operand.
_WIDE = Context(prec=100, rounding=ROUND_FLOOR)


def condition_of(resource: Resource, name: str, operator: str, texts: Sequence[str]) -> Compare:
    """Return the comparison of an attribute or the id with one value, or by `eq` with several.

    :raises ValueError: if a text is not a valid value.
    """
    values = tuple(_load(resource, name, text) for text in texts)
    if name == "id" or resource.python_type(name) is not Decimal:
        return Compare(resource, name, operator, values)
    column = resource.column(name)
    if operator == "eq":
        return Compare(resource, name, "eq", tuple(v for v in values if is_exact(column, v)))
    return _decimal_order(resource, name, operator, values[0])


def is_exact(column: Column[Any], value: Decimal) -> bool:
    """Whether a decimal column can hold a value without rounding it."""
    digits, scale = _digits(column)
    if digits is None or scale is None:
        return True
    return value == value.quantize(_step(scale), context=_WIDE) and abs(value) <= _most(column)


def are_comparable(one: Column[Any], other: Column[Any]) -> bool:
    """Whether the values of two columns can be compared with each other.

    Decimals need as many digits behind the point: an engine without decimals may count these.
    """
    kind = python_type(one)
    if kind is not python_type(other):
        return False
    return kind is not Decimal or _digits(one)[1] == _digits(other)[1]


def _decimal_order(resource: Resource, name: str, operator: str, value: Decimal) -> Compare:
    """Compare a decimal column with any value, by a value that the column can hold."""
    column = resource.column(name)
    if is_exact(column, value):
        return Compare(resource, name, operator, (value,))
    is_less, most = operator in ("lt", "le"), _most(column)
    if abs(value) > most:
        if is_less is (value < 0):
            return Compare(resource, name, "eq", ())  # no row
        return Compare(resource, name, "le" if is_less else "ge", (most if is_less else -most,))
    below = value.quantize(_step(_digits(column)[1] or 0), context=_WIDE)
    return Compare(resource, name, "le" if is_less else "gt", (below,))


def _digits(column: Column[Any]) -> tuple[int | None, int | None]:
    """The digits of a decimal column, and how many of them are behind the point."""
    kind: Any = column.type
    return kind.precision, kind.scale


def _step(scale: int) -> Decimal:
    return Decimal(1).scaleb(-scale)


def _most(column: Column[Any]) -> Decimal:
    digits, scale = _digits(column)
    return Decimal(10 ** (digits or 0) - 1).scaleb(-(scale or 0), _WIDE)


def bounds_of(column: Column[Any]) -> tuple[int, int]:
    """The least and the greatest integer that a column is compared with.

    Of the largest columns these are the integers that all parsers of JSON read alike (RFC 7493
    §2.2).
    """
    kind = getattr(column.type, "impl_instance", column.type)
    if isinstance(kind, BigInteger):
        return -(2**53) + 1, 2**53 - 1
    bits = 15 if isinstance(kind, SmallInteger) else 31
    return -(2**bits), 2**bits - 1


def _load(resource: Resource, name: str, text: str) -> Any:
    kind = resource.python_type(name)
    if name == "id":
        return _load_by_field(resource.schema.fields["id"], name, _number(text, kind))
    if kind is int:
        return _load_integer(text, *bounds_of(resource.column(name)))
    if (load := LOADERS.get(kind)) is None:
        return _load_by_field(resource.attributes[name], name, _number(text, kind))
    try:
        return load(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _number(text: str, kind: Any) -> Any:
    """Return the number in a text if a column has numbers; else the text."""
    if kind not in (int, float):
        return text
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        raise ValueError("Must be a number.")
    return float(text) if "." in text else int(text)


def _load_by_field(field: Any, name: str, value: Any) -> Any:
    try:
        loaded = field.deserialize(value)
    except ValidationError as error:
        messages: Any = error.messages
        raise ValueError(f"{name}: {' '.join(map(str, messages))}") from None
    return _check_text(loaded) if isinstance(loaded, str) else loaded


def _load_integer(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise ValueError(f"Must be a whole number from {least} to {most}.")
    return int(text)


def _load_decimal(text: str) -> Decimal:
    if not re.fullmatch(DECIMAL, text):
        raise ValueError("Must be a number such as 12.50, of at most 40 digits before the point.")
    return Decimal(text)


def load_text(text: str) -> str:
    """Return a text in NFC (UAX #15), as texts are stored."""
    return unicodedata.normalize("NFC", _check_text(text))


def _check_text(text: str) -> str:
    if "\0" in text:  # PostgreSQL cannot store it
        raise ValueError("Must not contain U+0000.")
    return text


def _load_instant(text: str) -> datetime:
    try:
        return parse_instant_or_date(text)
    except ValueError as error:
        hint = " In a URL, write %2B for the plus." if LOST_PLUS.fullmatch(text) else ""
        raise ValueError(f"{error}{hint}") from None


def flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("Must be true or false.")
    return text == "true"


# Of columns whose operands are loaded without the field of the schema.
LOADERS: Mapping[Any, Callable[[str], Any]] = {
    bool: flag,
    date: parse_date,
    datetime: _load_instant,
    Decimal: _load_decimal,
    str: load_text,
}
