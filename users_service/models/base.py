"""The declarative base, the names of constraints, the column types, and mixins of all models."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator, Uuid
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
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
