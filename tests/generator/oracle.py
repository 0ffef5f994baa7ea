"""The tables of a description as SQLAlchemy has them: written apart from what makes migrations."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from users_service.generator.model import INDEXED, SEARCHED, TEXTS, Description, Field
from users_service.models.base import NAMING_CONVENTION, UUID_TYPE
from users_service.models.text_columns import EMPTY, FOLDED_TEXT

TABLE: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",
}
INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def exact(length: int) -> Any:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def type_of(each: Field) -> Any:
    match each.type:
        case "text" | "url":
            return exact(each.length).with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
        case kind if kind in TEXTS:
            return exact(each.length)
        case "integer":
            return sa.BigInteger()
        case "decimal":
            number = sa.Numeric(each.digits, each.scale)
            return number.with_variant(sa.BigInteger(), "sqlite")
        case "list" | "object":
            return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
        case "timestamp":
            return INSTANT
        case "date":
            return sa.Date()
        case _:
            return sa.Boolean()


def columns_of(each: Field) -> list[Any]:
    name, null = each.name, each.is_nullable
    unique = bool(each.unique) and each.type != "email"
    columns = [sa.Column(name, type_of(each), nullable=null, unique=unique or None)]
    if each.type == "email" and each.unique:
        columns.append(sa.Column(f"{name}_key", exact(450), nullable=null, unique=True))
    elif each.unique == "ignore_case":
        options: dict[str, Any] = {"unique": True, "index": True, "server_default": EMPTY}
        columns.append(sa.Column(f"{name}_key", exact(250), nullable=null, **options))
    if each.type in SEARCHED:
        default = {} if null else {"server_default": EMPTY}
        columns.append(sa.Column(f"{name}_folded", FOLDED_TEXT, nullable=null, **default))
    return columns


def tables_of(made: Description, *others: str) -> sa.MetaData:
    """The tables of a description.

    :param others: tables that it may lead to.
    """
    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    for other in others:
        sa.Table(other, metadata, sa.Column("id", UUID_TYPE, primary_key=True))
    parts: list[Any] = [sa.Column("id", UUID_TYPE, primary_key=True)]
    indexed = [e.name for e in made.fields if e.type in INDEXED and e.indexed and not e.unique]
    for each in made.fields:
        parts += columns_of(each)
    for link in (each for each in made.relationships if not each.many):
        action = link.on_delete.replace("_", " ").upper()
        key = sa.ForeignKey(f"{link.target}.id", ondelete=action)
        parts.append(sa.Column(f"{link.name}_id", UUID_TYPE, key, nullable=not link.required))
        indexed.append(f"{link.name}_id")
    parts += [sa.Column(f"{e}_time", INSTANT, nullable=False) for e in ("creation", "modification")]
    parts.append(sa.Column("version", sa.Integer, server_default="1", nullable=False))
    indexed += ["creation_time", "modification_time"]
    parts += [sa.Index(None, name, "id") for name in indexed]
    sa.Table(made.module, metadata, *parts, **TABLE)
    for link in (each for each in made.relationships if each.many):
        keys = [
            sa.Column(
                column, UUID_TYPE, sa.ForeignKey(f"{to}.id", ondelete="CASCADE"), primary_key=True
            )
            for column, to in (("source_id", made.module), ("target_id", link.target))
        ]
        name, back = f"{made.module}_{link.name}", sa.Index(None, "target_id", "source_id")
        sa.Table(name, metadata, *keys, back, **TABLE)
    return metadata
