"""The types of fields: what each is in a model, in a schema, and in tests, in one table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from users_service.generator.model import Field

Texts = Callable[[Field], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of fields.

    :param python: the type of its values in a model.
    :param column: the type of its column, as the first argument of `mapped_column` or, of a text,
        of `text_column`; empty where the annotation says it.
    :param field: the arguments of its class in `schemas.base`.
    :param default: a default of JSON, as Python has it in a model.
    :param example: a value that it takes, and one that breaks its rule, with the rule.
    """

    python: str
    column: Texts
    field: Texts
    default: Callable[[Any], str]
    example: Callable[[Field], Any]
    broken: tuple[Any, str]


def _nothing(_each: Field) -> str:
    return ""


def _length(each: Field) -> str:
    return str(each.length)


def _max_length(each: Field) -> str:
    return f"max_length={each.length}"


def _limits(each: Field) -> str:
    given = {"minimum": each.min, "maximum": each.max}
    return ", ".join(f"{key}={value!r}" for key, value in given.items() if value is not None)


def _number(each: Field) -> int:
    least, most = (None if each is None else int(float(each)) for each in (each.min, each.max))
    return 1 if (least or 0) <= 1 <= (1 if most is None else most) else least or most or 0


def _constant(name: str) -> Texts:
    return lambda _each: name


def _made(function: str) -> Callable[[Any], str]:
    return lambda value: f'{function}("{value}")'


def _copied(empty: str) -> Callable[[Any], str]:
    return lambda value: f"lambda: {value!r}" if value else empty


def _amber(each: Field) -> str:
    return "Amber"[: each.length]


LATER = "2026-01-31"
KINDS: dict[str, Kind] = {
    "line": Kind("str", _length, _max_length, repr, _amber, (1, "type")),
    "text": Kind("str", _length, _max_length, repr, _amber, (1, "type")),
    "email": Kind("str", _length, _nothing, repr, lambda _: "amber@example.com", ("?", "format")),
    "url": Kind("str", _length, _max_length, repr, lambda _: "https://a.example", ("?", "format")),
    "boolean": Kind("bool", _nothing, _nothing, repr, lambda _: True, ("yes", "type")),
    "integer": Kind("int", _constant("BigInteger"), _limits, repr, _number, ("1", "type")),
    "decimal": Kind(
        "Decimal",
        lambda each: f"Exact({each.digits}, {each.scale})",
        lambda each: f"digits={each.digits}, scale={each.scale}, {_limits(each)}",
        _made("Decimal"),
        lambda each: f"{_number(each)}.{'0' * each.scale}".rstrip("."),
        ("?", "format"),
    ),
    "date": Kind(
        "date", _nothing, _nothing, _made("date.fromisoformat"), lambda _: LATER, ("?", "format")
    ),
    "timestamp": Kind(
        "datetime",
        _constant("UTCDateTime"),
        _nothing,
        _made("datetime.fromisoformat"),
        lambda _: f"{LATER}T12:00:00Z",
        ("?", "format"),
    ),
    "choice": Kind(
        "str",
        _length,
        lambda each: repr(dict(each.of)),
        repr,
        lambda each: next(iter(each.of)),
        ("?", "enum"),
    ),
    "list": Kind(
        "list[str]",
        _constant("JSON_TYPE"),
        lambda each: f"Line(max_length=250), validate=Length(max={each.max or 100})",
        _copied("list"),
        lambda _: ["Amber"],
        (1, "type"),
    ),
    "object": Kind(
        "dict[str, Any]",
        _constant("JSON_TYPE"),
        _nothing,
        _copied("dict"),
        lambda _: {"colour": "amber"},
        (1, "type"),
    ),
}


def broken(each: Field) -> Iterator[tuple[str, str]]:
    """Values that break the rules of a field, as Python, each with the rule."""
    if not each.is_nullable:
        yield "None", "null"
    value, rule = KINDS[each.type].broken
    yield repr(value), rule
    if each.type in ("line", "text"):
        yield f'"x" * {each.length + 1}', "maxLength"
    if each.type in ("integer", "decimal"):
        for limit, step, rule in ((each.min, -1, "minimum"), (each.max, 1, "maximum")):
            if limit is not None:
                number = int(float(limit)) + step
                yield repr(number if each.type == "integer" else str(number)), rule
