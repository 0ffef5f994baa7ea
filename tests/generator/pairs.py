"""Random descriptions, and others that they become; and rows for their tables."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from users_service.generator.model import TEXTS, Description, Field, Relationship

NAMES = ["alpha", "beta", "gamma", "delta"]
LINKS = ["lead", "peers", "home"]
TYPES = [
    *("line", "text", "email", "url", "boolean", "integer"),
    *("decimal", "date", "timestamp", "choice", "list", "object"),
]
UNIQUE = {"line": ["exact", "ignore_case"], "email": ["exact"], "integer": ["exact"]}
UNIQUE["date"] = ["exact"]
# The least of what a field can become: the same type, and those that lose nothing.
OTHERS = {
    "line": ["text", "choice"],
    "text": ["line", "choice"],
    "choice": ["line"],
    "url": ["text"],
    "email": ["line"],
    "integer": ["decimal"],
    "decimal": ["integer"],
    "date": ["timestamp"],
    "timestamp": ["date"],
}
VALUES = ["red", "green", "blue", "ultramarine"]
TARGET = "people"


@st.composite
def fields(draw: Any, name: str, kind: str = "", *, new: bool = False) -> Field:
    """A field.

    :param new: whether it is added to rows that are there.
    """
    kind = kind or draw(st.sampled_from(TYPES))
    more: dict[str, Any] = {}
    if kind in ("line", "text", "url"):
        more["max"] = draw(st.sampled_from([40, 80, 250]))
    elif kind == "decimal":
        more["scale"] = draw(st.integers(0, 4))
        more["digits"] = more["scale"] + draw(st.integers(5, 12))
    elif kind == "choice":
        values = draw(st.lists(st.sampled_from(VALUES), min_size=1, unique=True))
        more["of"] = {value: value.title() for value in values}
    required = draw(st.booleans())
    made = Field(name=name, type=kind, required=required, indexed=draw(st.booleans()), **more)
    if draw(st.integers(0, 3)) == 0 and not (new and required):
        made = replace(made, unique=draw(st.sampled_from(["", *UNIQUE.get(kind, [])])))
    if required and not made.unique:
        made = replace(made, backfill=value_of(made, 0, random.Random(0)))
    return made


@st.composite
def relationships(draw: Any, name: str, own: str, *, new: bool = False) -> Relationship:
    many = name == "peers"
    required = draw(st.booleans()) and not many and not new
    target = draw(st.sampled_from([TARGET, own])) if not required else TARGET
    actions = ["restrict", "cascade"] if required else ["restrict", "cascade", "set_null"]
    action = "cascade" if many else draw(st.sampled_from(actions))
    return Relationship(name=name, target=target, many=many, required=required, on_delete=action)


@st.composite
def descriptions(draw: Any) -> Description:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    links = draw(st.lists(st.sampled_from(LINKS), unique=True))
    return Description(
        type="teams",
        one="Team",
        many="Teams",
        fields=tuple(draw(fields(name)) for name in names),
        relationships=tuple(draw(relationships(name, "teams")) for name in links),
    )


@st.composite
def pairs(draw: Any) -> tuple[Description, Description]:
    """A description, and one that it may become."""
    old = draw(descriptions())
    module = draw(st.sampled_from(["teams", "teams", "teams", "squads"]))
    changed = [each for before in old.fields for each in draw(changes(before))]
    links = [each for before in old.relationships for each in draw(changed_links(before, module))]
    free = [name for name in NAMES if name not in {e.name for e in (*old.fields, *changed)}]
    if free:
        added = draw(st.lists(st.sampled_from(free), unique=True, max_size=2))
        changed += [draw(fields(name, new=True)) for name in added]
    free = [n for n in LINKS if n not in {e.name for e in (*old.relationships, *links)}]
    if free and draw(st.booleans()):
        links.append(draw(relationships(free[0], module, new=True)))
    new = replace(old, type=module, fields=tuple(changed), relationships=tuple(links))
    return old, new


@st.composite
def changes(draw: Any, before: Field) -> list[Field]:
    match draw(st.sampled_from(["keep", "keep", "drop", "rename", "change", "both"])):
        case "keep":
            return [before]
        case "drop":
            return []
        case "rename":
            return [replace(before, name=f"new_{before.name}", was=before.name)]
        case how:
            kinds = [before.type, *OTHERS.get(before.type, [])]
            after = draw(fields(before.name, draw(st.sampled_from(kinds))))
            if how == "both":
                after = replace(after, name=f"new_{before.name}", was=before.name)
            return [after]


@st.composite
def changed_links(draw: Any, before: Relationship, module: str) -> list[Relationship]:
    target = TARGET if before.target == TARGET else module
    after = replace(before, target=target)
    match draw(st.sampled_from(["keep", "drop", "rename", "change"])):
        case "drop":
            return []
        case "rename":
            return [replace(after, name=f"new_{before.name}", was=before.name)]
        case "change" if not before.many:
            required = draw(st.booleans()) and target == TARGET
            action = draw(st.sampled_from(["restrict", "cascade"]))
            return [replace(after, required=required, on_delete=action)]
        case _:
            return [after]


def value_of(each: Field, number: int, chance: random.Random) -> Any:
    """A value of JSON, which differs from row to row where it must."""
    if each.is_nullable and chance.random() < 0.3:
        return None
    count = number if each.unique else chance.randrange(4)
    match each.type:
        case "choice":
            return chance.choice(list(each.of))
        case "email":
            return f"Ä{count}@Bücher.example"
        case "url":
            return f"https://a.example/{count}"
        case kind if kind in TEXTS:
            return chance.choice([f"Straße {count}", f"red{count}", f"x{count}" + "y" * 30])
        case "integer":
            return chance.choice([count, -count - 1, 2**40 + count, -(2**40) - count])
        case "decimal":
            step = Decimal(1).scaleb(-each.scale)
            whole = Decimal(10) ** (each.digits - each.scale) - 1
            return str(chance.choice([count, count + step, whole - count, -step * (count + 1)]))
        case "date":
            return (date(1999, 12, 31) + timedelta(days=count)).isoformat()
        case "timestamp":
            seconds = chance.choice([0, 0, 1])
            return (
                datetime(2026, 1, 1 + count, tzinfo=UTC) + timedelta(seconds=seconds)
            ).isoformat()
        case "boolean":
            return chance.random() < 0.5
        case "list":
            return [f"ä{count}"]
        case _:
            return {"a": count}


def rows_of(made: Description, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of JSON values, by field."""
    chance = random.Random(seed)
    for number in range(count):
        yield {each.name: value_of(each, number, chance) for each in made.fields}
