"""What steps will do, before they are written into a migration: code up and down, and in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from users_service.database.steps.fields import Field

LABELS = ("safe", "locks", "rewrites", "loses data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a migration.

    :param up: the line of code of the upgrade; `down` that of the downgrade.
    :param says: a sentence for people.
    :param label: `safe`; `locks`: others may wait while all rows are looked at; `rewrites`: all
        rows are written anew; `loses data`.
    :param check: the line that stops an upgrade, before anything is changed, if rows are in its
        way; `check_down` the same of a downgrade.
    """

    up: str
    down: str
    says: str
    label: str = "safe"
    check: str = ""
    check_down: str = ""


def creation(table: str, *fields: Field) -> Step:
    return Step(
        up=_call("create_table", table, *fields),
        down=f"remove_table({table!r}, revision)",
        says=f"Create the table {table}, or bring back its rows if it was removed.",
    )


def association(name: str, source: str, target: str) -> Step:
    return Step(
        up=_call("create_association", name, source, target),
        down=f"remove_table({name!r}, revision)",
        says=f"Create the table {name}, which links {source} and {target}.",
    )


def removal(created: Step, name: str, *, drop: bool) -> Step:
    """The opposite of a creation.

    :param drop: whether the rows go with the table, which are kept otherwise.
    """
    if drop:
        says = f"Drop the table {name} with its rows."
        up = _call("drop_table", name)
        return Step(up=up, down=created.up, says=says, label="loses data")
    says = f"Remove the table {name}; its rows are kept in removed_{name}_<revision>."
    return Step(up=created.down, down=created.up, says=says)


def final_loss(table: str, removed: Sequence[str]) -> Step:
    """What is left of a removed table goes, and that of its associations."""
    says = f"Drop what is kept of the removed table {table}, with its rows."
    return Step(up=_call("drop_table", *removed), down="pass", says=says, label="loses data")


def new_name(was: str, now: str) -> Step:
    """Of a table."""
    return Step(
        up=_call("rename_table", was, now),
        down=_call("rename_table", now, was),
        says=f"Rename the table {was} to {now}.",
    )


def renamed_permissions(was: str, now: str) -> Step:
    """Of a type."""
    return Step(
        up=_call("rename_permissions", was, now),
        down=_call("rename_permissions", now, was),
        says=f"Name the permissions {was}:… of roles and tokens {now}:….",
    )


def addition(table: str, field: Field, backfill: Any = None) -> Step:
    rows = "" if backfill is None else f"; in rows that are there it is {backfill!r}"
    return Step(
        up=_call("add_column", table, field, backfill=backfill),
        down=_call("drop_column", table, field),
        says=f"Add {field.name} to {table}{rows}.",
        label="safe" if backfill is None else "rewrites",
    )


def loss(table: str, field: Field, backfill: Any = None) -> Step:
    """A column is dropped.

    :param backfill: the value after a downgrade, which does not know the values.
    """
    return Step(
        up=_call("drop_column", table, field),
        down=_call("add_column", table, field, backfill=backfill),
        says=f"Drop {field.name} of {table} with its values.",
        label="loses data",
    )


def renaming(table: str, was: str, field: Field) -> Step:
    return Step(
        up=_call("rename_column", table, was, field),
        down=_call("rename_column", table, field.name, field.named(was)),
        says=f"Rename {was} of {table} to {field.name}.",
    )


def change(tables: tuple[str, str], was: Field, now: Field, backfill: Any = None) -> Iterator[Step]:
    """The change of a field, before it and its table are renamed; none if it changes nothing.

    :param tables: the former name of the table, and the new one.
    """
    differences = dict(_differences(was, now))
    if differences:
        here = now.named(was.name)
        yield Step(
            up=_call("change_column", tables[0], was, here, backfill=backfill),
            down=_call("change_column", tables[0], here, was),
            says=f"Change {was.name} of {tables[0]}: it {', '.join(differences)}.",
            label=max(differences.values(), key=LABELS.index),
            check=_call("check_column", tables[0], was, here, backfill=backfill),
            check_down=_call("check_column", tables[1], now, was.named(now.name)),
        )


def _differences(was: Field, now: Field) -> Iterator[tuple[str, str]]:
    """What becomes different, in words, each with its label."""
    if was.kind != now.kind:
        yield f"becomes {now.kind}", "rewrites"
    if was.kind == "text" and was.length != now.length:
        label = "safe" if was.length < now.length else "rewrites"
        yield f"has at most {now.length} characters", label
    if was.is_long != now.is_long:
        yield f"is {'a long' if now.is_long else 'no long'} text", "rewrites"
    if now.values and (not was.values or {*was.values} - {*now.values}):
        yield f"is one of {', '.join(now.values)}", "locks"
    if was.kind == now.kind and (was.digits, was.scale) != (now.digits, now.scale):
        yield f"has {now.digits} digits, {now.scale} of them behind the point", "rewrites"
    if was.null != now.null:
        yield ("may be none", "safe") if now.null else ("is always there", "rewrites")
    if was.uniqueness != now.uniqueness:
        label = "rewrites" if any(each.unique for each in now.computed) else "locks"
        yield ("is unique", label) if now.uniqueness else ("need not be unique", "safe")
    if was.is_searched != now.is_searched:
        yield f"is {'' if now.is_searched else 'not '}searched by its folded text", "rewrites"
    if was.indexed != now.indexed:
        yield f"has {'an' if now.indexed else 'no'} index for sorting", "safe"
    if was.on_delete != now.on_delete:
        yield f"does {now.on_delete} when the row that it leads to is deleted", "locks"


def _call(function: str, *positional: Any, **named: Any) -> str:
    given = [f"{key}={value!r}" for key, value in named.items() if value is not None]
    return f"{function}({', '.join([*map(repr, positional), *given])})"
