"""What the schema of descriptions cannot say: clashing names, missing ends, circles."""

import keyword
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from marshmallow import ValidationError
from marshmallow.validate import Length
from sqlalchemy.dialects.mysql.reserved_words import RESERVED_WORDS_MARIADB
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

from users_service.generator.model import (
    SEARCHED,
    Description,
    DescriptionError,
    Field,
    Relationship,
)
from users_service.generator.reading import load, place
from users_service.generator.writing import attribute
from users_service.schemas import base

# Members of resource objects and identifiers (JSON:API 1.1 §5.2, §5.4).
OF_JSONAPI = frozenset(
    {"id", "type", "lid", "links", "meta", "data", "attributes", "relationships"}
)
# What every model has already, or SQLAlchemy and Python take for themselves.
OF_MODELS = frozenset({"version", "creation_time", "modification_time", "metadata", "registry"})
OF_SQL = RESERVED_WORDS | RESERVED_WORDS_MARIADB | SQLiteIdentifierPreparer.reserved_words
RESERVED = OF_JSONAPI | OF_MODELS | OF_SQL | frozenset(keyword.kwlist)
# Path segments that are no types.
OF_ROUTES = frozenset({"auth", "docs", "openapi", "operations"})
# Bytes of a name on PostgreSQL.
LONGEST = 63

Fault = tuple[list[str], str]
"""The keys that lead to what is wrong, and what it is."""
Names = dict[tuple[str, str], str]
"""What has a name already, by the type and the name."""


def check(paths: Mapping[str, Path], made: Mapping[str, Description], taken: Names) -> None:
    """Check all descriptions against each other and what is there without them.

    :param paths: the files of the descriptions, by type.
    :param taken: the names of the types that are there, for each also the empty name.
    :raises DescriptionError: with all faults.
    """
    lines: list[str] = []
    names = dict(taken)
    for kind, each in made.items():
        if not each.extends:
            names.setdefault((kind, ""), f"resources/{kind}.yaml")
    for kind, each in made.items():
        faults = [*_type_faults(each, taken), *_name_faults(each, names), *_field_faults(each)]
        faults += [*_reference_faults(each), *_circle(each, made)]
        document = load(paths[kind]) if faults else None
        lines += [f"{place(paths[kind], document, keys)}: {text}" for keys, text in faults]
    if lines:
        raise DescriptionError("\n".join(lines))


def _type_faults(made: Description, taken: Names) -> Iterator[Fault]:
    there = (made.type, "") in taken
    if made.extends:
        if not there:
            yield ["extends"], f"There are no {made.type}. Write resource: for a new type."
        return
    if there:
        yield ["resource"], f"There are {made.type} already. Write extends: to add to them."
    if made.type in OF_ROUTES or made.module in RESERVED:
        yield ["resource"], f"{made.type} is a reserved word. Take another name."
    if not made.class_name.isidentifier() or made.class_name in base.__all__:
        yield ["title", "one"], f"{made.one} cannot be the name of a class. Take other words."


def _name_faults(made: Description, names: Names) -> Iterator[Fault]:
    """Look for names that are reserved, too long, or taken; and take them."""
    for each in members(made):
        keys = ["fields" if isinstance(each, Field) else "relationships", each.name]
        if each.name in RESERVED:
            yield keys, f"{each.name} is a reserved word of JSON:API, Python or SQL. Take another."
        longest = f"ix_{made.module}_{each.name}_target_id_source_id"
        if len(longest) > LONGEST:
            yield keys, f"{longest} has more than {LONGEST} bytes. Shorten {each.name}."
        for name in _names(each):
            yield from _take(names, made.type, name, keys, made)
        if isinstance(each, Relationship):
            if (each.target, "") not in names:
                known = ", ".join(sorted(kind for kind, name in names if not name))
                yield keys, f"There are no {each.target}; there are {known}."
            inverse = inverse_of(made, each)
            if inverse in RESERVED:
                yield [*keys, "inverse"], f"{inverse} is a reserved word. Take another."
            yield from _take(names, each.target, inverse, [*keys, "inverse"], made)


def _take(
    names: Names, kind: str, name: str, keys: list[str], made: Description
) -> Iterator[Fault]:
    if (kind, name) in names:
        yield keys, f"{kind} have a {name} already, from {names[kind, name]}. Take another name."
    names[kind, name] = f"resources/{made.type}.yaml"


def inverse_of(made: Description, each: Relationship) -> str:
    """The name of the relationship back, in the model of the other end."""
    return each.inverse or f"{made.module}_by_{each.name}"


def names_of(made: Description) -> set[str]:
    """The names that a description needs in its model."""
    return {name for each in members(made) for name in _names(each)}


def members(made: Description) -> list[Field | Relationship]:
    return [*made.fields, *made.relationships]


def _names(each: Field | Relationship) -> list[str]:
    """The names that something needs in its model."""
    if isinstance(each, Relationship):
        return [each.name] if each.many else [each.name, f"{each.name}_id"]
    keys = [f"{each.name}_key"] if each.unique and each.type in ("line", "email") else []
    return [each.name, *keys, *([f"{each.name}_folded"] if each.type in SEARCHED else [])]


def _field_faults(made: Description) -> Iterator[Fault]:
    """Hold defaults, and values for rows that are there, against the rules of their own fields."""
    for each in made.fields:
        if each.scale > each.digits:
            yield ["fields", each.name, "scale"], f"scale is more than digits, {each.digits}."
        limits = [float(limit) for limit in (each.min, each.max) if limit is not None]
        if limits != sorted(limits):
            yield ["fields", each.name, "min"], f"min is more than max, {each.max}."
            continue
        # The text is our own, of values that were checked.
        field = eval(attribute(each), {**vars(base), "Length": Length})  # noqa: S307
        for key, value in (("default", each.default), ("backfill", each.backfill)):
            if value is not None:
                try:
                    field.deserialize(value)
                except ValidationError as error:
                    words = " ".join(map(str, error.messages))
                    yield ["fields", each.name, key], f"{key} breaks the field's own rule: {words}"


def _reference_faults(made: Description) -> Iterator[Fault]:
    fields = {each.name: each for each in made.fields}
    links = {each.name: each for each in made.relationships}
    shown = {*fields, *links, "creation_time", "modification_time"}
    if made.extends:
        return
    for key, names, known in (
        ("columns", made.columns, shown),
        ("search", made.search, {name for name, each in fields.items() if each.type in SEARCHED}),
        ("sort", filter(None, [made.sort.removeprefix("-")]), shown - links.keys()),
    ):
        for name in names:
            if name not in known:
                yield ["ui", key], f"{name} cannot be here; {_listed(known)} can."
    if made.named_by and made.named_by not in fields:
        yield ["named_by"], f"{made.named_by} is no field; {_listed(fields)} are."
    owner = links.get(made.owner)
    if made.owner and (owner is None or owner.many or owner.target != "users"):
        yield ["owner"], f"{made.owner} is no relationship to one of users."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _circle(made: Description, others: Mapping[str, Description]) -> Iterator[Fault]:
    """Look for a way over required relationships that leads back: nobody could make the first."""
    for each in made.relationships:
        seen, waiting = set[str](), [each.target] if each.required and not each.many else []
        while waiting:
            kind = waiting.pop()
            if kind == made.type:
                text = f"{made.type} would need {each.target} that need {made.type} first."
                yield ["relationships", each.name], f"{text} One of them cannot be required."
                break
            if kind not in seen and kind in others:
                seen.add(kind)
                found = others[kind].relationships
                waiting += [one.target for one in found if one.required and not one.many]
