"""Indexes, unique constraints and foreign keys of a table: add and drop them, on each engine.

Each function does nothing if it has been done.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from users_service.database.engine import BEGIN, in_autocommit
from users_service.database.migration_lock import GO_ON, go_on
from users_service.database.steps.shapes import Key, convention, index_of, make_anew, shape_of


def quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def alter(connection: Connection, table: str, change: str) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {quoted(connection, table)} {change}")


def is_on(connection: Connection, dialect: str) -> bool:
    return connection.dialect.name == dialect


def has_rows(connection: Connection, table: str) -> bool:
    return bool(connection.scalar(sa.select(sa.exists().select_from(sa.table(table)))))


def is_served(connection: Connection, table: str) -> bool:
    """Whether a table of PostgreSQL should be changed beside those who use it, step by step."""
    return (
        is_on(connection, "postgresql") and GO_ON in connection.info and has_rows(connection, table)
    )


def without(them: Mapping[str, Any], gone: Iterable[str]) -> dict[str, Any]:
    return {name: each for name, each in them.items() if name not in set(gone)}


def add_index(
    connection: Connection, table: str, columns: tuple[str, ...], *, unique: bool = False
) -> None:
    """Add an index; on PostgreSQL beside those who change the table."""
    name = convention("ix", table, columns)
    index = index_of(name, table, columns, unique)
    if is_served(connection, table):
        _build(connection, index)
    elif name not in shape_of(connection, table).indexes:
        connection.execute(sa.schema.CreateIndex(index))


def _build(connection: Connection, index: sa.Index) -> None:
    """Build an index concurrently, on a connection of its own; the lock stays with the other.

    One that is left of a build that was stopped is not valid, and built anew.
    """
    found = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
    name = quoted(connection, str(index.name))
    if connection.scalar(sa.text(found), {"name": name}):
        return
    go_on(connection)
    # The build waits for whoever has a snapshot. A query with parameters keeps its own until the
    # next one; this has none.
    connection.exec_driver_sql("SELECT")
    engine = in_autocommit(connection.engine)
    with engine.connect() as beside:
        try:
            if not connection.engine.get_execution_options().get(BEGIN):
                # The build waits for those who use the table, and holds up nobody.
                beside.exec_driver_sql("SET lock_timeout = 0")
            beside.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            create = sa.schema.CreateIndex(index)
            text = str(create.compile(dialect=connection.dialect))
            beside.exec_driver_sql(text.replace("INDEX ", "INDEX CONCURRENTLY ", 1))
        finally:
            beside.invalidate()


def drop_index(connection: Connection, table: str, name: str) -> None:
    if name in shape_of(connection, table).indexes:
        on = f" ON {quoted(connection, table)}" if is_on(connection, "mysql") else ""
        connection.exec_driver_sql(f"DROP INDEX {quoted(connection, name)}{on}")


def add_unique(connection: Connection, table: str, columns: tuple[str, ...]) -> None:
    """Add a unique constraint."""
    name, shape = convention("uq", table, columns), shape_of(connection, table)
    if name in shape.uniques:
        return
    if is_on(connection, "sqlite"):
        make_anew(connection, replace(shape, uniques={**shape.uniques, name: columns}))
        return
    quotes = ", ".join(quoted(connection, each) for each in columns)
    rule = f"UNIQUE ({quotes})"
    if is_served(connection, table):
        _build(connection, index_of(name, table, columns, unique=True))
        rule = f"UNIQUE USING INDEX {quoted(connection, name)}"
    alter(connection, table, f"ADD CONSTRAINT {quoted(connection, name)} {rule}")


def drop_unique(connection: Connection, table: str, name: str) -> None:
    shape = shape_of(connection, table)
    if name not in shape.uniques:
        return
    if is_on(connection, "sqlite"):
        make_anew(connection, replace(shape, uniques=without(shape.uniques, [name])))
        return
    kind = "INDEX" if is_on(connection, "mysql") else "CONSTRAINT"
    alter(connection, table, f"DROP {kind} {quoted(connection, name)}")


def add_key(connection: Connection, table: str, key: Key) -> None:
    """Add a foreign key; on PostgreSQL its rows are looked at apart."""
    name, shape = convention("fk", table, (key.column,)), shape_of(connection, table)
    if shape.keys.get(name) != key:
        drop_key(connection, table, name)
        shape = shape_of(connection, table)
        if is_on(connection, "sqlite"):
            make_anew(connection, replace(shape, keys={**shape.keys, name: key}))
            return
        later = " NOT VALID" if is_served(connection, table) else ""
        rule = f"ADD {rule_of(connection, name, key)}{later}"
        alter(connection, table, rule)
        go_on(connection)
    if is_on(connection, "postgresql"):
        # Nothing is done for one that is valid.
        alter(connection, table, f"VALIDATE CONSTRAINT {quoted(connection, name)}")


def rule_of(connection: Connection, name: str, key: Key) -> str:
    column, target = quoted(connection, key.column), quoted(connection, key.target)
    return (
        f"CONSTRAINT {quoted(connection, name)} FOREIGN KEY ({column})"
        f" REFERENCES {target} (id) ON DELETE {key.on_delete}"
    )


def drop_key(connection: Connection, table: str, name: str) -> None:
    shape = shape_of(connection, table)
    if name not in shape.keys:
        return
    if is_on(connection, "sqlite"):
        make_anew(connection, replace(shape, keys=without(shape.keys, [name])))
        return
    kind = "FOREIGN KEY" if is_on(connection, "mysql") else "CONSTRAINT"
    alter(connection, table, f"DROP {kind} {quoted(connection, name)}")
