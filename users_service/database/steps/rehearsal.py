"""Carries a migration out up, down and up again, over made-up rows, and looks at what it leaves."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.dialects import mysql

from alembic import command
from users_service.texts import fold

ROWS = 3
MOMENT = datetime(2026, 7, 1, tzinfo=UTC)


class RehearsalError(Exception):
    """A migration does not do what it should. Its text says what."""


def rehearse(engine: Engine, scripts: Path, revision: str, models: sa.MetaData) -> None:
    """Carry a migration out on an empty database.

    The values of columns that it drops need not come back.

    :param scripts: the folder of the migrations.
    :param models: what the tables must be like afterwards.
    :raises RehearsalError: if they are not, or what was before does not come back.
    :raises CommandError: if the migration stops.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes.update(engine=engine, lock_timeout=5)
    script = ScriptDirectory.from_config(config).get_revision(revision)
    before, text = str(script.down_revision), Path(script.path).read_text(encoding="utf-8")
    command.upgrade(config, before)
    _make_up(engine, text)
    upgrade = text.partition("\ndef downgrade")[0]
    lost = set(re.findall(r'drop_column\(\s*"(\w+)",\s*\w+\(\s*"(\w+)"', upgrade))
    schema, rows = schema_of(engine), _rows(engine, lost)
    command.upgrade(config, revision)
    _compare(engine, models)
    command.downgrade(config, before)
    if schema_of(engine) != schema:
        raise RehearsalError(f"The downgrade of {revision} does not bring the former tables back.")
    if _rows(engine, lost) != rows:
        raise RehearsalError(f"The downgrade of {revision} does not bring the former rows back.")
    command.upgrade(config, revision)
    _compare(engine, models)


def _is_described(_object: Any, name: str | None, kind: str, *_: Any) -> bool:
    is_removed = kind == "table" and str(name).startswith("removed_")
    return not (is_removed or (kind == "index" and str(name).endswith("_trgm")))


def _compare(engine: Engine, models: sa.MetaData) -> None:
    options: dict[str, Any] = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": _is_described,
    }
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), models)
    if found:
        raise RehearsalError(f"The tables are not those of the models: {found}")


def _tables(engine: Engine) -> list[sa.Table]:
    """The tables that are in use, each behind those that it leads to."""
    found = sa.MetaData()
    found.reflect(engine, only=lambda name, _: name != "alembic_version")
    return [each for each in found.sorted_tables if not each.name.startswith("removed_")]


def schema_of(engine: Engine) -> dict[str, Any]:
    """The tables that are in use, whatever the order of their columns."""
    look, found = sa.inspect(engine), {}
    for table in _tables(engine):
        parts: list[Any] = [
            *({**each, "type": repr(each["type"])} for each in look.get_columns(table.name)),
            *look.get_indexes(table.name),
            *look.get_unique_constraints(table.name),
            *look.get_foreign_keys(table.name),
        ]
        found[table.name] = sorted(map(str, [*parts, look.get_pk_constraint(table.name)]))
    return found


def _rows(engine: Engine, lost: set[tuple[str, str]]) -> dict[str, list[str]]:
    found = {}
    with engine.connect() as connection:
        for table in _tables(engine):
            gone = {name for of, name in lost if of == table.name}
            gone |= {f"{name}_{ending}" for name in gone for ending in ("key", "folded")}
            columns = [c for c in sorted(table.columns, key=lambda c: c.name) if c.name not in gone]
            found[table.name] = sorted(map(str, connection.execute(sa.select(*columns))))
    return found


def _make_up(engine: Engine, text: str) -> None:
    """Store rows that are in the way of no change: short texts, whole numbers, days, choices that
    stay, and all different.
    """
    choices: dict[str, list[set[str]]] = {}
    for name, values in re.findall(r'choice\(\s*"(\w+)",([^)]*)\)', text):
        choices.setdefault(name, []).append(set(re.findall(r'"([^"]*)"', values)))
    known: dict[str, Any] = dict(_numbers(text, engine.dialect.name))
    for name, them in choices.items():
        known[name] = min(set.intersection(*them), default="a")
        known[f"{name}_folded"] = fold(known[name])  # where it was, or becomes, a line
    with engine.begin() as connection:
        for table in _tables(engine):
            for number in range(1, ROWS + 1):
                connection.execute(table.insert(), dict(_row(table, number, known)))


def _numbers(text: str, dialect: str) -> Iterator[tuple[str, int]]:
    """One, as a column has it, of each decimal that a migration changes; zero where none fits."""
    upgrade, field = text.partition("\ndef downgrade")[0], r'decimal\(\s*"(\w+)",\s*(\d+),\s*(\d+)'
    for name, _, scale in re.findall(rf'change_column\(\s*"\w+",\s*{field}', upgrade):
        yield name, 10 ** int(scale) if dialect == "sqlite" else 1
    yield from ((name, 0) for name, digits, scale in re.findall(field, text) if digits == scale)


def _row(table: sa.Table, number: int, known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for column in table.columns:
        kind, name = column.type, column.name
        identifier = UUID(int=number)
        match kind:
            case _ if name in known:
                yield name, known[name]
            case sa.Uuid():
                yield name, identifier
            case sa.CHAR() if kind.length == 32:  # an id where the engine has no type for it
                yield name, identifier.hex
            case sa.JSON():
                yield name, [f"a{number}"]
            case mysql.LONGTEXT():  # as MariaDB stores JSON
                yield name, f'["a{number}"]'
            case sa.String():
                yield name, f"a{number}"[-(kind.length or 9) :]
            case sa.Boolean():
                yield name, True
            case sa.DateTime():
                yield (
                    name,
                    MOMENT if getattr(kind, "timezone", False) else MOMENT.replace(tzinfo=None),
                )
            case sa.Date():
                yield name, date(2026, 7, number)
            case sa.Numeric() if kind.precision == kind.scale:  # less than one
                yield name, 0
            case _:
                yield name, number
