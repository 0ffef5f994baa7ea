"""A table as it is, with the names of its constraints; on SQLite, made anew in another shape."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.types import TypeEngine

TABLE: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",
}


@dataclass(frozen=True)
class Part:
    """A column, with its default as SQL."""

    type: TypeEngine[Any]
    null: bool
    default: str | None

    def column(self, name: str) -> sa.Column[Any]:
        default = None if self.default is None else sa.text(self.default)
        return sa.Column(name, self.type, nullable=self.null, server_default=default)


@dataclass(frozen=True)
class Key:
    """A foreign key: its column, the table that it leads to, and what a deletion does."""

    column: str
    target: str
    on_delete: str


@dataclass(frozen=True)
class Shape:
    """A table: its columns, and by their names the columns of what constrains or sorts them."""

    name: str
    columns: Mapping[str, Part]
    primary: tuple[str, ...]
    uniques: Mapping[str, tuple[str, ...]]
    keys: Mapping[str, Key]
    indexes: Mapping[str, tuple[tuple[str, ...], bool]]
    checks: Mapping[str, str]

    def table(self, name: str = "") -> sa.Table:
        """The table, with its constraints, without its indexes.

        :param name: of its own, to which none of its foreign keys leads.
        """
        metadata = sa.MetaData()
        for target in {key.target for key in self.keys.values()} - {name or self.name}:
            sa.Table(target, metadata, sa.Column("id"))
        parts: list[Any] = [
            *(part.column(name) for name, part in self.columns.items()),
            sa.PrimaryKeyConstraint(*self.primary, name=f"pk_{self.name}"),
            *(sa.UniqueConstraint(*them, name=name) for name, them in self.uniques.items()),
            *(constraint_of(name, key) for name, key in self.keys.items()),
            *(sa.CheckConstraint(text, name=name) for name, text in self.checks.items()),
        ]
        return sa.Table(name or self.name, metadata, *parts, **TABLE)


def constraint_of(name: str, key: Key) -> sa.ForeignKeyConstraint:
    target = [f"{key.target}.id"]
    return sa.ForeignKeyConstraint([key.column], target, name=name, ondelete=key.on_delete)


def has_table(connection: Connection, name: str) -> bool:
    return sa.inspect(connection).has_table(name)


def shape_of(connection: Connection, name: str) -> Shape:
    """Look at a table."""
    look = sa.inspect(connection)
    # MariaDB knows no difference between a unique constraint and a unique index.
    uniques = {
        str(each["name"]): tuple(each["column_names"])
        for each in look.get_unique_constraints(name)
        if not str(each["name"]).startswith("ix_")
    }
    return Shape(
        name,
        {
            column["name"]: Part(column["type"], column["nullable"], _default(column))
            for column in look.get_columns(name)
        },
        tuple(look.get_pk_constraint(name)["constrained_columns"]),
        uniques,
        {
            str(key["name"]): Key(
                key["constrained_columns"][0],
                key["referred_table"],
                str(key["options"].get("ondelete", "NO ACTION")),
            )
            for key in look.get_foreign_keys(name)
        },
        {
            str(index["name"]): (tuple(map(str, index["column_names"])), bool(index["unique"]))
            for index in look.get_indexes(name)
            if index["name"] not in uniques and None not in index["column_names"]
        },
        {
            str(check["name"]): check["sqltext"]
            for check in look.get_check_constraints(name)
            if connection.dialect.name == "sqlite"
        },
    )


def _default(column: Mapping[str, Any]) -> str | None:
    found: str | None = column["default"]
    return None if found == "NULL" else found  # as MariaDB says


def new_names(shape: Shape, table: str, columns: Mapping[str, str]) -> dict[str, str]:
    """The names that follow the former names of a table or of its columns, with those due to them.

    :param table: the former name of the table.
    :param columns: the former name of each renamed column, by its name.
    """
    named = [("uq", name, them) for name, them in shape.uniques.items()]
    named += [("fk", name, (key.column,)) for name, key in shape.keys.items()]
    named += [("ix", name, them) for name, (them, _) in shape.indexes.items()]
    return {
        name: convention(kind, shape.name, them)
        for kind, name, them in named
        if name == convention(kind, table, tuple(columns.get(each, each) for each in them))
        and name != convention(kind, shape.name, them)
    }


def with_names(shape: Shape, names: Mapping[str, str]) -> Shape:
    return replace(
        shape,
        uniques={names.get(name, name): them for name, them in shape.uniques.items()},
        keys={names.get(name, name): key for name, key in shape.keys.items()},
        indexes={names.get(name, name): them for name, them in shape.indexes.items()},
    )


def convention(kind: str, table: str, columns: tuple[str, ...]) -> str:
    """The name of a constraint or an index, as the models have it."""
    return "_".join((kind, table, *columns))


def make_anew(
    connection: Connection, shape: Shape, values: Mapping[str, sa.ColumnElement[Any]] | None = None
) -> None:
    """Give a table of SQLite another shape: copy its rows into a new table, which takes its name.

    :param values: of columns that are not copied as they are.
    """
    taken = values or {}
    old = sa.table(shape.name, *(sa.column(name) for name in shape.columns))
    there = {each["name"] for each in sa.inspect(connection).get_columns(shape.name)}
    copied = [name for name in shape.columns if name in there or name in taken]
    # Foreign keys to itself lead to the name that the new table will have.
    new = shape.table(f"_new_{shape.name}")
    connection.execute(sa.schema.CreateTable(new))
    rows = sa.select(*(taken.get(name, old.c[name]) for name in copied)).select_from(old)
    connection.execute(sa.insert(new).from_select(copied, rows))
    connection.execute(sa.schema.DropTable(sa.table(shape.name)))  # type: ignore[arg-type]
    name = connection.dialect.identifier_preparer.quote(shape.name)
    connection.exec_driver_sql(f'ALTER TABLE "_new_{shape.name}" RENAME TO {name}')
    for index, (columns, unique) in shape.indexes.items():
        connection.execute(sa.schema.CreateIndex(index_of(index, shape.name, columns, unique)))


def index_of(name: str, table: str, columns: tuple[str, ...], unique: bool) -> sa.Index:
    made = sa.Table(table, sa.MetaData(), *(sa.Column(each) for each in columns))
    return sa.Index(name, *(made.c[each] for each in columns), unique=unique)
