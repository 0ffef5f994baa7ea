"""The declarative base, the names of constraints, the column types, and mixins of all models."""

import json
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    Numeric,
    Table,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeEngine
from uuid_utils.compat import uuid7

from users_service.models.text_columns import compute_on_assignment

# With these, constraints have the same names on every engine: migrations can drop them, and the
# columns of a violated constraint are found by the name in the engine's error.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    # A NO PAD binary collation: it compares exactly, by code point. For other collations "mıke"
    # equals "mike", or trailing blanks do not count.
    __table_args__: Any = {
        "mysql_engine": "InnoDB",
        "mysql_charset": "utf8mb4",
        "mysql_collate": "utf8mb4_nopad_bin",
    }

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        compute_on_assignment(cls)


class UTCDateTime(TypeDecorator[datetime]):
    """A point in time with microseconds: an aware datetime in UTC on every engine."""

    impl = DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        # psycopg returns aware datetimes in the session's time zone, which is UTC.
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


# Digits of decimals: so many fit into SQLite's integers, of 64 bits.
MOST_DIGITS = 18

# Refuses what has more decimals, or more digits, instead of rounding it.
_EXACTLY = Context(prec=MOST_DIGITS, traps=[Inexact, InvalidOperation])


class Exact(TypeDecorator[Decimal]):
    """A decimal that is exact on every engine, and sorted and compared by its value.

    SQLite has no decimals, so there the column has integers: those of 1.50 and the scale 2 is 150.

    :param digits: all of them; at most 18.
    :param scale: how many of these are behind the point. Answers of engines have as many.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, digits: int, scale: int) -> None:
        if not 0 <= scale <= digits <= MOST_DIGITS or digits == 0:
            raise ValueError(f"A decimal has 1 to {MOST_DIGITS} digits, its scale is among them.")
        super().__init__(digits, scale)
        self.digits, self.scale = digits, scale
        self._step = Decimal(1).scaleb(-scale)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        plain = BigInteger() if dialect.name == "sqlite" else Numeric(self.digits, self.scale)
        return dialect.type_descriptor(plain)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | int | None:
        if value is None:
            return None
        # Beyond the digits, one engine would store it and others not.
        exact = Decimal(value).quantize(self._step, context=_EXACTLY)
        if not exact.is_finite() or exact.adjusted() >= self.digits - self.scale:
            raise ValueError(f"{value} is no number of {self.digits} digits.")
        return int(exact.scaleb(self.scale)) if dialect.name == "sqlite" else exact

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return super().result_processor(dialect, coltype) if dialect.name == "sqlite" else None

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.scale)


class Json(JSON):
    """A value of JSON, which has changed if its JSON has: for Python, true and 1 are equal."""

    def compare_values(self, x: Any, y: Any) -> bool:
        return json.dumps(x, sort_keys=True) == json.dumps(y, sort_keys=True)


# Lists and objects. None is the NULL of SQL, as for every other type.
JSON_TYPE = Json(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def indexes(*columns: str) -> tuple[Index, ...]:
    """Make the indexes for lists that are sorted by one of these columns, or found by it.

    :param columns: names of columns. The id orders what ties.
    """
    return tuple(Index(None, column, "id") for column in columns)


def now() -> datetime:
    return datetime.now(UTC)


def _creation_time(context: DefaultExecutionContext) -> datetime:
    parameters: dict[str, datetime] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return parameters["creation_time"]


# MariaDB's UUID type refuses UUIDs of other variants than the RFC's, and sorts some by their parts.
UUID_TYPE = Uuid().with_variant(Uuid(native_uuid=False), "mysql", "mariadb")


class Identified:
    """A UUID as the primary key; by default a new one of version 7 (RFC 9562 §5.7)."""

    id: Mapped[UUID] = mapped_column(UUID_TYPE, primary_key=True, default=uuid7, sort_order=-1)


class Versioned:
    """A version, which every change of a row or of its linkage increments: no update is lost."""

    version: Mapped[int] = mapped_column(server_default="1", sort_order=3)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]


class Timestamped:
    """When a row was created and last changed. An update that changes nothing sends no UPDATE."""

    creation_time: Mapped[datetime] = mapped_column(UTCDateTime, default=now, sort_order=1)
    modification_time: Mapped[datetime] = mapped_column(
        UTCDateTime, default=_creation_time, onupdate=now, sort_order=2
    )


def association(name: str, source: str, target: str) -> Table:
    """An association table: it links rows of two tables, or of one with each other.

    The database deletes a link together with either of its ends.

    :param source: the table of the resources that have the relationship; `source_id` leads to it.
    :param target: that of the related resources, to which `target_id` leads.
    """
    keys = [
        Column(column, UUID_TYPE, ForeignKey(f"{table}.id", ondelete="CASCADE"), primary_key=True)
        for column, table in (("source_id", source), ("target_id", target))
    ]
    back = Index(None, "target_id", "source_id")
    return Table(name, Base.metadata, *keys, back, **Base.__table_args__)
