"""Cursors: a row's place in an order, as text that only this list in this order takes back.

A cursor is a position and no capability: it lets a client see no row that it could not list. Its
digest is there to refuse damage and mix-ups, so it needs no secret.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from ..resource import Resource

DIGEST_SIZE = 8

Order = Sequence[tuple[str, bool]]
"""Field names, each with whether it descends; the last one is unique."""

Position = tuple[Any, ...]
"""A row's values of an order's fields; empty for the place behind the last row."""

BEHIND_LAST: Position = ()


def encode(resource: Resource, order: Order, scope: str, position: Position) -> str:
    """Return the cursor of a position in a list.

    :param scope: which list of the resource it is: what else its cursors are bound to.
    """
    return seal(resource, order, scope, orjson.dumps(position))


def seal(resource: Resource, order: Order, scope: str, values: bytes) -> str:
    """Bind values, which are JSON already, to a list and an order of it."""
    return _text(_digest(resource, order, scope, values) + values)


def decode(resource: Resource, order: Order, scope: str, cursor: str) -> Position:
    """Return the position that a cursor of this list stands for.

    :raises ValueError: if it is damaged, or was made for another list or order.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if _text(raw) != cursor:  # base64 has several spellings of some bytes
            raise ValueError
    except (binascii.Error, ValueError):
        raise ValueError("Not a cursor of this API.") from None
    digest, values = raw[:DIGEST_SIZE], raw[DIGEST_SIZE:]
    if digest != _digest(resource, order, scope, values):
        raise ValueError("Not a cursor of this list in this order.")
    try:
        return _typed(resource, order, json.loads(values))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise ValueError("Not a cursor of this API.") from None


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _digest(resource: Resource, order: Order, scope: str, values: bytes) -> bytes:
    bound = orjson.dumps([resource.type, order, scope])
    return hashlib.blake2b(bound + b"\0" + values, digest_size=DIGEST_SIZE).digest()


def _typed(resource: Resource, order: Order, values: Any) -> Position:
    if not isinstance(values, list) or len(values) not in (0, len(order)):
        raise ValueError
    return tuple(
        _value(resource.python_type(name), value)
        for (name, _), value in zip(order, values, strict=False)
    )


def _value(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if kind is UUID:
        return UUID(value)
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    if type(value) is not kind:
        raise TypeError
    # Nobody keeps a client from making cursors: an engine is given what it can take.
    if kind is int and value.bit_length() > 63:
        raise OverflowError
    if kind is str and "\0" in value.encode().decode():
        raise ValueError
    return value
