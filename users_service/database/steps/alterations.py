"""Single alterations of a table and its columns, on each engine.

Each function does nothing if it has been done.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from users_service.database.migration_lock import go_on
from users_service.database.steps.constraints import (
    alter,
    drop_index,
    drop_key,
    drop_unique,
    is_on,
    is_served,
    quoted,
    rule_of,
    without,
)
from users_service.database.steps.shapes import (
    Part,
    has_table,
    make_anew,
    new_names,
    shape_of,
    with_names,
)


def specification(connection: Connection, table: str, column: sa.Column[Any]) -> str:
    """A column as CREATE TABLE has it."""
    sa.Table(table, sa.MetaData(), column)
    compiler: Any = connection.dialect.ddl_compiler(connection.dialect, None)  # type: ignore[arg-type]
    return str(compiler.get_column_specification(column)).replace("%%", "%")


def add_columns(connection: Connection, table: str, columns: Iterable[sa.Column[Any]]) -> None:
    """Add columns, which rows that are there have no value of, or that of the database."""
    there = shape_of(connection, table).columns
    for column in columns:
        if column.name not in there:
            alter(connection, table, f"ADD COLUMN {specification(connection, table, column)}")


def drop_columns(connection: Connection, table: str, names: Iterable[str]) -> None:
    """Drop columns with whatever constrains them."""
    shape = shape_of(connection, table)
    gone = set(names) & shape.columns.keys()
    uniques = [name for name, them in shape.uniques.items() if gone & {*them}]
    keys = [name for name, key in shape.keys.items() if key.column in gone]
    indexes = [name for name, (them, _) in shape.indexes.items() if gone & {*them}]
    if is_on(connection, "sqlite"):
        if gone:
            left = replace(
                shape,
                columns=without(shape.columns, gone),
                uniques=without(shape.uniques, uniques),
                keys=without(shape.keys, keys),
                indexes=without(shape.indexes, indexes),
            )
            make_anew(connection, left)
        return
    for name in keys:
        drop_key(connection, table, name)
    for name in uniques:
        drop_unique(connection, table, name)
    for name in indexes:
        drop_index(connection, table, name)
    for name in sorted(gone):
        alter(connection, table, f"DROP COLUMN {quoted(connection, name)}")


def change_column(
    connection: Connection,
    table: str,
    column: sa.Column[Any],
    *,
    using: str = "",
    value: sa.ColumnElement[Any] | None = None,
) -> None:
    """Give a column another type, or let it have no value, or always one.

    :param using: how PostgreSQL makes the new values of the old ones.
    :param value: how SQLite does.
    """
    shape = shape_of(connection, table)
    found, name = shape.columns[column.name], quoted(connection, column.name)
    null = bool(column.nullable)
    same_type = _type_text(connection, found.type) == _type_text(connection, column.type)
    default: Any = column.server_default
    same_default = (found.default is None) == (default is None)
    if same_type and found.null == null and same_default and value is None:
        return
    match connection.dialect.name:
        case "sqlite":
            columns = {
                **shape.columns,
                column.name: Part(column.type, null, default and default.arg.text),
            }
            values = {} if value is None else {column.name: value}
            make_anew(connection, replace(shape, columns=columns), values)
        case "postgresql":
            if not same_type:
                text = _type_text(connection, column.type)
                alter(connection, table, f"ALTER {name} TYPE {text}{using and f' USING {using}'}")
            if not same_default:
                change = (
                    f"SET DEFAULT {default.arg.text}" if default is not None else "DROP DEFAULT"
                )
                alter(connection, table, f"ALTER {name} {change}")
            if null and not found.null:
                alter(connection, table, f"ALTER {name} DROP NOT NULL")
            elif found.null and not null:
                _require(connection, table, column.name)
        case _:
            alter(connection, table, f"MODIFY COLUMN {specification(connection, table, column)}")


def is_like(connection: Connection, column: sa.Column[Any]) -> tuple[str, bool, bool]:
    """What makes two columns the same: the type, and whether there may be no value or a default."""
    text = _type_text(connection, column.type)
    return text, bool(column.nullable), column.server_default is not None


def _type_text(connection: Connection, type_: Any) -> str:
    text = str(type_.compile(dialect=connection.dialect))
    if is_on(connection, "mysql"):  # MariaDB shows some types as others, and a width
        text = text.split(" COLLATE")[0].split(" CHARACTER SET")[0]
        text = re.sub(r"^(BIGINT|INTEGER)\(\d+\)", r"\1", text.replace("DECIMAL", "NUMERIC"))
        return {"BOOL": "TINYINT(1)", "JSON": "LONGTEXT"}.get(text, text)
    return text


def _require(connection: Connection, table: str, name: str) -> None:
    """Let a column of PostgreSQL always have a value, without a look at all rows under a lock."""
    column, constraint = quoted(connection, name), f"ck_{table}_{name}_not_null"
    if is_served(connection, table):
        found = "SELECT convalidated FROM pg_constraint WHERE conname = :name"
        valid = connection.scalar(sa.text(found), {"name": constraint})
        check = f"CONSTRAINT {quoted(connection, constraint)}"
        if valid is None:
            alter(connection, table, f"ADD {check} CHECK ({column} IS NOT NULL) NOT VALID")
        go_on(connection)
        alter(connection, table, f"VALIDATE {check}")
        go_on(connection)
    alter(connection, table, f"ALTER {column} SET NOT NULL")
    alter(connection, table, f"DROP CONSTRAINT IF EXISTS {quoted(connection, constraint)}")


def rename_columns(connection: Connection, table: str, columns: Mapping[str, str]) -> None:
    """Rename columns, and what is named after them.

    :param columns: the new name of each, by the old one.
    """
    there = shape_of(connection, table).columns
    for old, new in columns.items():
        if old in there:
            change = f"{quoted(connection, old)} TO {quoted(connection, new)}"
            alter(connection, table, f"RENAME COLUMN {change}")
    _name_anew(connection, table, table, {new: old for old, new in columns.items()})


def rename_table(connection: Connection, table: str, name: str) -> None:
    """Rename a table, and what is named after it."""
    if has_table(connection, table):
        alter(connection, table, f"RENAME TO {quoted(connection, name)}")
    if has_table(connection, name):
        _name_anew(connection, name, table, {})


def _name_anew(connection: Connection, table: str, was: str, columns: Mapping[str, str]) -> None:
    shape = shape_of(connection, table)
    names = new_names(shape, was, columns)
    if is_on(connection, "sqlite"):
        if names or table != was:
            make_anew(connection, with_names(shape, names))
        return
    for old, new in names.items():
        one, other = quoted(connection, old), quoted(connection, new)
        if is_on(connection, "postgresql"):
            if old in shape.indexes:
                connection.exec_driver_sql(f"ALTER INDEX {one} RENAME TO {other}")
            else:
                alter(connection, table, f"RENAME CONSTRAINT {one} TO {other}")
        elif old in shape.keys:
            rule = rule_of(connection, new, shape.keys[old])
            alter(connection, table, f"DROP FOREIGN KEY {one}, ADD {rule}")
        else:
            alter(connection, table, f"RENAME INDEX {one} TO {other}")
    primary = sa.inspect(connection).get_pk_constraint(table)["name"]
    if is_on(connection, "postgresql") and table != was and primary == f"pk_{was}":
        one, other = quoted(connection, f"pk_{was}"), quoted(connection, f"pk_{table}")
        alter(connection, table, f"RENAME CONSTRAINT {one} TO {other}")
