"""A database to which migrations of descriptions are applied, and what is in it."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine

from alembic import op
from tests import engines
from tests.generator.oracle import tables_of
from tests.generator.pairs import TARGET
from users_service.database import steps
from users_service.database.engine import make_migrating_engine
from users_service.database.migration_lock import locked
from users_service.generator.model import Description, Field
from users_service.generator.revisions import text_of
from users_service.generator.tables import Step
from users_service.settings import load
from users_service.texts import email_key, fold, name_key

MOMENT = datetime(2026, 7, 1, 12, tzinfo=UTC)
TARGETS = [UUID(int=n) for n in range(1, 4)]


@contextmanager
def database(engine: str, folder: Path) -> Iterator[Engine]:
    with engines.database(engine, f"steps_{os.urandom(6).hex()}", folder) as url:
        made = make_migrating_engine(load({"users_service.database_url": url}, {}))
        yield made
        made.dispose()


class Migration:
    """A migration, as it is written into a file."""

    def __init__(self, made: Sequence[Step], revision: str = "0007") -> None:
        self.text = text_of("Test", made, revision, "0006")
        self.code: dict[str, Any] = {}
        exec(self.text, self.code)

    def up(self, engine: Engine) -> None:
        run(engine, self.code["upgrade"])

    def down(self, engine: Engine) -> None:
        run(engine, self.code["downgrade"])


def run(engine: Engine, steps: Any) -> None:
    """Run steps as a migration runs them."""
    with engine.connect() as connection:
        with (
            locked(connection, 5),
            Operations.context(MigrationContext.configure(connection)),
        ):
            steps()
        connection.invalidate()


def _drop_all() -> None:
    connection = op.get_bind()
    found = sa.MetaData()
    found.reflect(connection)
    for table in found.tables.values():
        for key in table.foreign_key_constraints:
            if connection.dialect.name != "sqlite":
                connection.execute(sa.schema.DropConstraint(key))
    for table in found.tables.values():
        connection.execute(sa.schema.DropTable(table))


def clear(engine: Engine) -> None:
    """Drop all tables, and make the one that others lead to."""
    run(engine, _drop_all)
    run(engine, lambda: steps.create_table(TARGET, steps.line("name", 80)))
    with engine.begin() as connection:
        table = sa.Table(TARGET, sa.MetaData(), autoload_with=connection)
        for number in TARGETS:
            row = {"id": stored_id(engine, number), "name": "x", "version": 1}
            times = dict.fromkeys(("creation_time", "modification_time"), plain(engine, MOMENT))
            connection.execute(table.insert(), row | times)


def plain(engine: Engine, moment: datetime) -> datetime:
    return moment if engine.dialect.name == "postgresql" else moment.replace(tzinfo=None)


def stored_id(engine: Engine, id_: UUID) -> Any:
    return id_ if engine.dialect.name == "postgresql" else id_.hex


def stored(engine: Engine, each: Field, value: Any) -> Any:
    if value is None:
        return sa.null()
    match each.type:
        case "decimal" if engine.dialect.name == "sqlite":
            return int(Decimal(value).scaleb(each.scale))
        case "decimal":
            return Decimal(value)
        case "date":
            return date.fromisoformat(value)
        case "timestamp":
            return plain(engine, datetime.fromisoformat(value))
    return value


def fill(engine: Engine, made: Description, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store rows, each linked with some others."""
    metadata = tables_of(made, TARGET)
    table = metadata.tables[made.module]
    ids = [UUID(int=100 + n) for n in range(len(rows))]
    ends = {made.type: ids, TARGET: TARGETS}
    with engine.begin() as connection:
        for number, row in enumerate(rows):
            values: dict[Any, Any] = {"id": ids[number], "version": 1}
            values |= dict.fromkeys(("creation_time", "modification_time"), plain(engine, MOMENT))
            for each in made.fields:
                value = row[each.name]
                values[each.name] = stored(engine, each, value)
                for ending, compute in (
                    ("folded", fold),
                    ("key", email_key if each.type == "email" else name_key),
                ):
                    if f"{each.name}_{ending}" in table.c:
                        values[f"{each.name}_{ending}"] = None if value is None else compute(value)
            for link in made.relationships:
                if not link.many:
                    # to itself: to a row that is there
                    id_ = TARGETS[number % 3] if link.target == TARGET else ids[number // 2]
                    values[f"{link.name}_id"] = id_ if link.required or number % 4 else None
            connection.execute(table.insert().values(values))
        for link in (link for link in made.relationships if link.many):
            links = metadata.tables[f"{made.module}_{link.name}"]
            for number, id_ in enumerate(ids):
                target = ends[link.target][number % len(ends[link.target])]
                connection.execute(links.insert(), {"source_id": id_, "target_id": target})


def values(engine: Engine, made: Description) -> dict[str, list[dict[str, Any]]]:
    """The rows of a description's tables, the same for all engines."""
    metadata = tables_of(made, TARGET)
    found = {}
    decimals = {each.name: each.scale for each in made.fields if each.type == "decimal"}
    with engine.connect() as connection:
        for name, table in metadata.tables.items():
            if name != TARGET:
                rows = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
                found[name] = [
                    {
                        key: read(engine, value, decimals.get(key))
                        for key, value in row._mapping.items()
                    }
                    for row in rows
                ]
    return found


def read(engine: Engine, value: Any, scale: int | None) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if scale is not None and value is not None:
        number = Decimal(value)
        return number.scaleb(-scale) if engine.dialect.name == "sqlite" else number
    return value


def differences(engine: Engine, made: Description | None) -> list[Any]:
    """What is in the database otherwise than in the models."""

    def include(_object: Any, name: str | None, kind: str, *_: Any) -> bool:
        return not (kind == "table" and str(name).startswith(("removed_", TARGET)))

    metadata = sa.MetaData() if made is None else tables_of(made, TARGET)
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": include,
    }
    with engine.connect() as connection:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        )


def schema(engine: Engine) -> dict[str, Any]:
    """The tables but those that were removed, whatever the order of their columns."""
    look = sa.inspect(engine)
    found: dict[str, Any] = {}
    for name in look.get_table_names():
        if not name.startswith("removed_"):
            columns = {c["name"]: {**c, "type": repr(c["type"])} for c in look.get_columns(name)}
            rest = [
                look.get_pk_constraint(name),
                *sorted(look.get_indexes(name), key=str),
                *sorted(look.get_unique_constraints(name), key=str),
                *sorted(look.get_foreign_keys(name), key=str),
                *sorted(look.get_check_constraints(name), key=str),
            ]
            found[name] = json.loads(json.dumps([columns, rest], default=str, sort_keys=True))
    return found
