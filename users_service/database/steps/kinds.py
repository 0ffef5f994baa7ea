"""The calls that say in a migration what a field is: one for each type of fields."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from inspect import signature
from typing import ParamSpec

import sqlalchemy as sa

from users_service import texts
from users_service.database.steps.fields import (
    FOLDED,
    INSTANT,
    JSON,
    UUID,
    Computed,
    Field,
    exact,
    long,
)

Arguments = ParamSpec("Arguments")

# The length of the key by which addresses are unique (models/users.py says why).
EMAIL_KEY_LENGTH = 450


def _spelled(make: Callable[Arguments, Field]) -> Callable[Arguments, Field]:
    """Let a field know the call that makes it, without arguments that say nothing."""
    defaults = signature(make).parameters

    @wraps(make)
    def spelled(*args: Arguments.args, **named: Arguments.kwargs) -> Field:
        telling = tuple(
            (key, value) for key, value in named.items() if value != defaults[key].default
        )
        return replace(make(*args, **named), call=(make.__name__, args, telling))

    return spelled


def _key(unique: str, compute: Callable[[str], str]) -> Computed:
    if unique == "index":
        length = texts.KEY_LENGTH
        return Computed(
            ending="key", type=exact(length), compute=compute, default=True, unique=unique
        )
    length = EMAIL_KEY_LENGTH
    return Computed(ending="key", type=exact(length), compute=compute, unique=unique)


_FOLDED = Computed(ending="folded", type=FOLDED, compute=texts.fold, default=True)


@_spelled
def line(
    name: str, length: int, *, null: bool = False, unique: str = "", indexed: bool = True
) -> Field:
    """A text of one line.

    :param unique: `exact`, `ignore_case` or nothing.
    """
    keys = (_key("index", texts.name_key),) if unique == "ignore_case" else ()
    return Field(
        name=name,
        kind="text",
        type=exact(length),
        length=length,
        null=null,
        unique=bool(unique),
        indexed=indexed and not unique,
        computed=(*keys, _FOLDED),
    )


@_spelled
def text(name: str, length: int, *, null: bool = False) -> Field:
    """A text of several lines."""
    return Field(
        name=name,
        kind="text",
        type=long(length),
        length=length,
        is_long=True,
        null=null,
        computed=(_FOLDED,),
    )


@_spelled
def url(name: str, length: int, *, null: bool = False) -> Field:
    sample = "https://removed.invalid/{}"
    return replace(text(name, length, null=null), sample=sample)


@_spelled
def email(
    name: str, length: int = 254, *, null: bool = False, unique: str = "", indexed: bool = True
) -> Field:
    keys = (_key("constraint", texts.email_key),) if unique else ()
    return Field(
        name=name,
        kind="text",
        type=exact(length),
        length=length,
        null=null,
        indexed=indexed and not unique,
        computed=(*keys, _FOLDED),
        sample="{}@removed.invalid",
    )


@_spelled
def choice(name: str, *values: str, null: bool = False, indexed: bool = True) -> Field:
    """One of several texts."""
    length = max(map(len, values))
    type_ = exact(length)
    return Field(
        name=name,
        kind="text",
        type=type_,
        length=length,
        values=values,
        null=null,
        indexed=indexed,
    )


@_spelled
def boolean(name: str, *, null: bool = False, indexed: bool = True) -> Field:
    return Field(name=name, kind="boolean", type=sa.Boolean(), null=null, indexed=indexed)


@_spelled
def integer(name: str, *, null: bool = False, unique: str = "", indexed: bool = True) -> Field:
    return Field(
        name=name,
        kind="integer",
        type=sa.BigInteger(),
        null=null,
        unique=bool(unique),
        indexed=indexed and not unique,
    )


@_spelled
def decimal(
    name: str, digits: int, scale: int, *, null: bool = False, indexed: bool = True
) -> Field:
    """An exact number; on SQLite an integer, which is scaled."""
    type_ = sa.Numeric(digits, scale).with_variant(sa.BigInteger(), "sqlite")
    return Field(
        name=name,
        kind="decimal",
        type=type_,
        digits=digits,
        scale=scale,
        null=null,
        indexed=indexed,
    )


@_spelled
def day(name: str, *, null: bool = False, unique: str = "", indexed: bool = True) -> Field:
    """A date."""
    return Field(
        name=name,
        kind="date",
        type=sa.Date(),
        null=null,
        unique=bool(unique),
        indexed=indexed and not unique,
    )


@_spelled
def timestamp(name: str, *, null: bool = False, indexed: bool = True) -> Field:
    return Field(name=name, kind="timestamp", type=INSTANT, null=null, indexed=indexed)


@_spelled
def json(name: str, *, null: bool = False) -> Field:
    """A list or an object."""
    return Field(name=name, kind="json", type=JSON, null=null)


@_spelled
def key(name: str, target: str, on_delete: str, *, null: bool = True) -> Field:
    """The foreign key of a to-one relationship, with its index.

    :param name: of the column.
    :param target: the table whose id it has.
    :param on_delete: `RESTRICT`, `SET NULL` or `CASCADE`.
    """
    return Field(
        name=name,
        kind="key",
        type=UUID,
        null=null,
        indexed=True,
        target=target,
        on_delete=on_delete,
    )
