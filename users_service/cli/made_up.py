"""Makes up the attributes of a resource of any type, by what its schema says of them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from marshmallow import ValidationError, fields
from marshmallow.fields import Field
from marshmallow.validate import Length, OneOf, Range
from sqlalchemy import UniqueConstraint

from users_service.cli.rows import DOMAINS, EPOCH, FIRST, LAST, pick, random_of
from users_service.jsonapi import Resource

WORDS = [
    *("amber", "birch", "cedar", "delta", "ember", "fjord", "garnet"),
    *("harbour", "island", "juniper", "kernel", "lagoon", "maple", "north"),
    *("orchard", "pepper", "quartz", "river", "saffron", "timber", "umber"),
    *("valley", "willow", "yonder", "zephyr"),
]

# Of numbers in short texts: no digit looks like another, and case does not matter.
DIGITS = "23456789bcdfghjkmpqrtvwxyz"

# Nulls among the values that may be null.
NULLS = 0.2


class MadeUpError(Exception):
    """No value can be made up that the schema takes, or that no other resource has."""


def attributes(resource: Resource, number: int, seed: int = 1) -> dict[str, Any]:
    """Make up the attributes of a resource that a client can write, as JSON has them.

    The same arguments make the same values. What is unique differs with the number.

    :param number: which of the resources of this type it is, from 0.
    :raises MadeUpError: if there is no such value.
    """
    return {name: attribute(resource, name, number, seed) for name in sorted(resource.writable)}


def attribute(
    resource: Resource, name: str, number: int, seed: int = 1, *, null: bool = True
) -> Any:
    """Make up one attribute.

    :param null: whether it may be null, if the schema says so.
    """
    random = random_of(f"{resource.type} {name} {number}", seed)
    field = resource.attributes[name]
    if null and _is_nullable(resource, name) and random.random() < NULLS:
        return None
    unique = number if is_unique(resource, name) else None
    for value in _candidates(field, random, unique):
        try:
            field.deserialize(value)
        except ValidationError:
            continue
        return value
    raise MadeUpError(f"Nothing can be made up for {name} of {resource.type} number {number + 1}.")


def is_unique(resource: Resource, name: str) -> bool:
    """Whether no two resources have the same value, or the same key of it."""
    own = resource.columns.get(resource.attribute(name))
    if own is None:
        return False
    table = resource.table
    constraints = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    indexes = [index for index in table.indexes if index.unique]
    unique = {column for one in (*constraints, *indexes) for column in one.columns}
    unique |= {column for column in table.columns if column.unique}
    return any(column is own or column.info.get("attribute") == own.key for column in unique)


def _is_nullable(resource: Resource, name: str) -> bool:
    column = resource.columns.get(resource.attribute(name))
    return resource.attributes[name].allow_none and (column is None or bool(column.nullable))


def _candidates(field: Field, random: Random, unique: int | None) -> Iterator[Any]:
    """Yield values that the field may take: the first one that it takes is meant.

    :param unique: the number that makes the value differ from all others; None if it need not.
    """
    yield from _by_type(field, random, unique)
    if unique is None:
        yield from field.metadata.get("examples", ())


def _by_type(field: Field, random: Random, unique: int | None) -> Iterator[Any]:
    choices = [one for one in field.validators if isinstance(one, OneOf)]
    match field:
        case _ if choices:
            values = list(choices[0].choices)
            yield from values[unique : unique + 1] if unique is not None else [pick(random, values)]
        case fields.Boolean():
            yield from (
                [False, True][unique:][:1] if unique is not None else [random.random() < 0.7]
            )
        case fields.List():
            yield _elements(field, random, unique)
            yield []
        case fields.Mapping():
            yield {"colour": pick(random, WORDS), "size": unique or int(random.random() * 100)}
            yield {}
        case fields.UUID():
            number = random.getrandbits(60) if unique is None else unique
            yield f"00000000-0000-4000-8000-{number % 16**12:012x}"
        case _ if is_decimal(field):
            yield from _decimals(field, random, unique)
        case fields.Number():
            yield from _whole(*_limits(field), 1, 1000, random, unique)
        case fields.Date():
            low, high = (None if e is None else e.toordinal() for e in _limits(field))
            usual = FIRST.toordinal(), LAST.toordinal()
            for day in _whole(low, high, *usual, random, unique):
                yield date.fromordinal(day).isoformat()
        case fields.DateTime():
            low, high = (None if e is None else _seconds(e) for e in _limits(field))
            for second in _whole(low, high, _seconds(FIRST), _seconds(LAST), random, unique):
                yield f"{EPOCH + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}"
        case _:
            yield from _texts(field, random, unique)


def is_decimal(field: Field) -> bool:
    """Whether a field takes decimals, as texts of JSON."""
    return isinstance(field, fields.Decimal) or field.metadata.get("format") == "decimal"


def _decimals(field: Field, random: Random, unique: int | None) -> Iterator[str]:
    """Yield decimals: numbers of steps, the size of which is seen from the limits."""
    low, high = _limits(field)
    step = min((Decimal(each) for each in (low, high) if each is not None), default=Decimal("0.00"))
    step = Decimal(1).scaleb(int(step.as_tuple().exponent))
    least, most = (None if each is None else int(each / step) for each in (low, high))
    for number in _whole(least, most, 1, int(1000 / step), random, unique):
        yield f"{number * step:f}"


def _whole(
    low: int | None, high: int | None, first: int, last: int, random: Random, unique: int | None
) -> Iterator[int]:
    """Yield whole numbers between limits, if there can be one.

    :param low: the least one that may be; `first` is the least that is usual.
    :param high: the greatest one that may be; `last` is the greatest that is usual.
    """
    first = first if low is None else max(first, low)
    if high is not None and first > high:
        first = high if low is None else low
    last = max(first, last) if high is None else max(first, min(last, high))
    if unique is None:
        yield first + int(random.random() * (last - first + 1))
        return
    # Upwards, and below where these are used up.
    number = first + unique
    if high is not None and number > high:
        number = first - 1 - (number - high - 1)
    if low is None or number >= low:
        yield number


def _limits(field: Field) -> tuple[Any, Any]:
    """The least and the greatest value; None where there is no limit."""
    least, most = None, None
    for one in field.validators:
        if isinstance(one, Range):
            step = 1 if isinstance(one.min if one.min is not None else one.max, int) else 0
            if one.min is not None:
                least = one.min if one.min_inclusive else one.min + step
            if one.max is not None:
                most = one.max if one.max_inclusive else one.max - step
    return least, most


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def _lengths(field: Field, most: int) -> tuple[int, int]:
    """How many characters or elements there are at least and at most, `most` if nothing says it."""
    least = 0
    for one in field.validators:
        if isinstance(one, Length):
            least = one.equal or one.min or least
            most = min(most, one.equal or one.max or most)
    return least, max(least, most)


def _elements(field: fields.List, random: Random, unique: int | None) -> list[Any]:
    """Make up a list, without one value twice."""
    least, most = _lengths(field, 3)
    number = least + int(random.random() * (most - least + 1))
    if unique is not None:
        number = max(number, 1)
    found: list[Any] = []
    for index in range(number):
        element = unique if index == 0 else None
        found += [e for e in list(_candidates(field.inner, random, element))[:1] if e not in found]
    return found


def _texts(field: Field, random: Random, unique: int | None) -> Iterator[str]:
    least, most = _lengths(field, 10_000)
    form = field.metadata.get("format", "")
    words = [pick(random, WORDS) for _ in range(3)]
    mark = "" if unique is None else str(unique + 1)
    if form in ("email", "idn-email") or isinstance(field, fields.Email):
        local = ".".join(filter(None, (words[0], words[1], mark)))
        yield f"{local}@{pick(random, DOMAINS)}"
    elif form in ("uri", "url", "iri") or isinstance(field, fields.Url):
        place = "/".join(filter(None, (words[0], words[1], mark)))
        yield from _fitting(f"https://{pick(random, DOMAINS)}/{place}", "", least, most)
        yield f"https://{DOMAINS[0]}/{mark}"
        yield f"https://{mark or 'a'}.example"
    elif field.metadata.get("multiline"):
        lines = [" ".join((*words, pick(random, WORDS))).capitalize() + "." for _ in range(2)]
        yield from _fitting("\n\n".join(lines), mark, least, most)
    else:
        yield from _fitting(" ".join(words[:2]).capitalize(), mark, least, most)


def _fitting(text: str, mark: str, least: int, most: int) -> Iterator[str]:
    """Yield a text of the right length, with a mark at its end that tells it from others."""
    if len(text) + len(mark) + bool(mark) <= most:
        whole = f"{text} {mark}" if mark else text
        fill = " ".join(WORDS)
        while len(whole) < least:
            whole = f"{fill[: least - len(whole) - 1]} {whole}".strip().rjust(len(whole) + 1, "x")
        yield whole
    elif not mark:
        yield text[:most].strip()
    else:
        yield _short(int(mark), most, least)


def _short(number: int, most: int, least: int) -> str:
    """Write a number with few digits, each of them a letter or a digit, and as long as needed."""
    found = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        found = DIGITS[digit] + found
    return found.rjust(least, DIGITS[0]) if len(found) <= most else ""
