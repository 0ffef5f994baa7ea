"""What a migration says of a field: its column, and the columns that are computed from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeEngine

EMPTY = sa.text("''")


def exact(length: int) -> TypeEngine[Any]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def long(length: int) -> TypeEngine[Any]:
    """A text that does not count towards the 65,535 bytes of a row of MariaDB."""
    return exact(length).with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


FOLDED = (
    sa.Text()
    .with_variant(sa.Text(collation="C.utf8"), "postgresql")
    .with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
)
UUID = sa.Uuid().with_variant(sa.Uuid(native_uuid=False), "mysql", "mariadb")
INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


@dataclass(frozen=True, kw_only=True)
class Computed:
    """A column that is computed from a text.

    :param ending: of its name, behind that of the text.
    :param default: whether the database has '' where no value is given.
    :param unique: how: by an `index`, by a `constraint`, or not at all.
    """

    ending: str
    type: TypeEngine[Any]
    compute: Callable[[str], str]
    default: bool = False
    unique: str = ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a table.

    :param name: of its column.
    :param kind: what its values are: `text`, `boolean`, `integer`, `decimal`, `date`, `timestamp`,
        `json` or `key`.
    :param type: of its column.
    :param unique: whether there is a constraint for it.
    :param indexed: whether there is an index with the id, for sorting.
    :param length: characters of a text, at most.
    :param is_long: whether it has no part in the size of a row.
    :param digits: of a number; `scale` of these stand behind the point.
    :param values: of a choice.
    :param sample: what a text that is made up is like, with a number.
    :param target: the table that a key leads to; `on_delete` what happens if its row is deleted.
    """

    name: str
    kind: str
    type: TypeEngine[Any]
    null: bool = False
    unique: bool = False
    indexed: bool = False
    computed: tuple[Computed, ...] = ()
    length: int = 0
    is_long: bool = False
    digits: int = 0
    scale: int = 0
    values: tuple[str, ...] = ()
    sample: str = "{}"
    target: str = ""
    on_delete: str = ""
    call: tuple[str, tuple[Any, ...], tuple[tuple[str, Any], ...]] = ("", (), ())

    def __repr__(self) -> str:
        """The call that makes it."""
        function, positional, named = self.call
        given = [*map(repr, positional), *(f"{key}={value!r}" for key, value in named)]
        return f"{function}({', '.join(given)})"

    def named(self, name: str) -> "Field":
        function, positional, named = self.call
        return replace(self, name=name, call=(function, (name, *positional[1:]), named))

    @property
    def column(self) -> sa.Column[Any]:
        return sa.Column(self.name, self.type, nullable=self.null)

    def name_of(self, computed: Computed) -> str:
        return f"{self.name}_{computed.ending}"

    def column_of(self, computed: Computed) -> sa.Column[Any]:
        # A folded text has no default where there may be none: the models have it so.
        default = computed.default and not (self.null and computed.ending == "folded")
        server_default = EMPTY if default else None
        name = self.name_of(computed)
        return sa.Column(name, computed.type, nullable=self.null, server_default=server_default)

    @property
    def columns(self) -> list[sa.Column[Any]]:
        return [self.column, *(self.column_of(each) for each in self.computed)]

    @property
    def uniques(self) -> list[str]:
        """The columns that have a unique constraint."""
        own = [self.name] if self.unique else []
        return own + [self.name_of(e) for e in self.computed if e.unique == "constraint"]

    @property
    def is_searched(self) -> bool:
        return any(not each.unique for each in self.computed)

    @property
    def uniqueness(self) -> set[Any]:
        """In which ways its values are unique: as they are, or by what is computed of them."""
        own: set[Any] = {""} if self.unique else set()
        return own | {each.compute for each in self.computed if each.unique}

    @property
    def indexes(self) -> Iterator[tuple[tuple[str, ...], bool]]:
        """The columns of each index, and whether it is unique."""
        if self.indexed:
            yield (self.name, "id"), False
        for each in self.computed:
            if each.unique == "index":
                yield (self.name_of(each),), True

    def stored(self, value: Any, dialect: str) -> Any:
        """A value of JSON, as its column takes it."""
        if value is None:
            return None
        match self.kind:
            case "decimal":
                number = Decimal(str(value))
                return int(number.scaleb(self.scale)) if dialect == "sqlite" else number
            case "date":
                return date.fromisoformat(value)
            case "timestamp":
                instant = datetime.fromisoformat(value).astimezone(UTC)
                return instant if dialect == "postgresql" else instant.replace(tzinfo=None)
            case _:
                return value
