"""Encodes and decodes cursors: the position of a row in a list, valid for that list and order.

A cursor grants no access: a client sees only rows that it could list anyway. The digest in it
detects damage and cursors of other lists, and needs no secret.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Column

from ..instants import parse_date
from ..resource import Resource, python_type
from .operands import DECIMAL, is_exact

DIGEST_SIZE = 8

Order = Sequence[tuple[str, bool]]
"""Sort fields: names, each with whether it descends. The last one is unique."""

Position = tuple[Any, ...]
"""The values of a row's sort fields; empty for the position after the last row."""

AFTER_LAST: Position = ()


def encode(resource: Resource, order: Order, list_key: str, position: Position) -> str:
    """Return the cursor of a position in a list.

    :param list_key: identifies the list among those of the resource.
    """
    return seal(resource, order, list_key, orjson.dumps(position, default=_as_text))


def seal(resource: Resource, order: Order, list_key: str, values: bytes) -> str:
    """Return the cursor of a position whose values are JSON already."""
    return _base64(_digest(resource, order, list_key, values) + values)


def decode(resource: Resource, order: Order, list_key: str, cursor: str) -> Position:
    """Return the position in a cursor.

    :raises ValueError: if the cursor is damaged, or belongs to another list or order.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if _base64(raw) != cursor:  # base64 has several spellings of some bytes
            raise ValueError
    except (binascii.Error, ValueError):
        raise ValueError("Not a cursor of this API.") from None
    digest, values = raw[:DIGEST_SIZE], raw[DIGEST_SIZE:]
    if digest != _digest(resource, order, list_key, values):
        raise ValueError("Is a cursor of another list, or of another filter or order.")
    try:
        return _load_position(resource, order, json.loads(values))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise ValueError("Not a cursor of this API.") from None


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _digest(resource: Resource, order: Order, list_key: str, values: bytes) -> bytes:
    bound = orjson.dumps([resource.type, order, list_key])
    return hashlib.blake2b(bound + b"\0" + values, digest_size=DIGEST_SIZE).digest()


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError


def _load_position(resource: Resource, order: Order, values: Any) -> Position:
    if not isinstance(values, list) or len(values) not in (0, len(order)):
        raise ValueError
    return tuple(
        _load_value(resource.column(name), value)
        for (name, _), value in zip(order, values, strict=False)
    )


def _load_value(column: Column[Any], value: Any) -> Any:
    kind = python_type(column)
    if value is None:
        return None
    if kind is UUID:
        return UUID(value)
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    if kind is date:
        return parse_date(value)
    if kind is Decimal:
        return _load_decimal(column, value)
    if type(value) is not kind:
        raise TypeError
    # Clients can make cursors of their own: refuse values that an engine cannot take.
    if kind is int and value.bit_length() > 63:
        raise OverflowError
    if kind is str and "\0" in value.encode().decode():
        raise ValueError
    return value


def _load_decimal(column: Column[Any], text: str) -> Decimal:
    if not re.fullmatch(DECIMAL, text) or not is_exact(column, Decimal(text)):
        raise ValueError
    return Decimal(text)
