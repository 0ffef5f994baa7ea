"""psycopg's cursors, as SQLAlchemy needs them: with a short description, and in either format."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import psycopg
from psycopg.pq import Format
from psycopg.pq.abc import PGresult
from psycopg.types.string import TextLoader

UNKNOWN = 0  # the OID under which psycopg looks for what loads a type that it does not know


class Description(Sequence[tuple[Any, ...]]):
    """The names and types of a result's columns (PEP 249 `description`), once they are asked for:
    SQLAlchemy knows those of a statement that it has carried out before.
    """

    def __init__(self, result: PGresult) -> None:
        self._result = result

    @cached_property
    def _columns(self) -> list[tuple[Any, ...]]:
        result, rest = self._result, (None,) * 5
        return [
            ((result.fname(i) or b"").decode(), result.ftype(i), *rest)
            for i in range(result.nfields)
        ]

    def __len__(self) -> int:
        return len(self._columns)

    def __getitem__(self, index: Any) -> Any:
        return self._columns[index]


class NameAndTypeCursor(psycopg.Cursor[Any]):
    """A cursor that describes results by names and types alone.

    psycopg would make an object of each column of each result to find out more, which nobody reads.
    """

    @property
    def description(self) -> Any:
        result = self.pgresult
        return Description(result) if result is not None and result.nfields else None


class BinaryCursor(NameAndTypeCursor):
    """A cursor that asks for results in the binary format."""

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = Format.BINARY


class BinaryTextLoader(TextLoader):
    """Takes the types that psycopg does not know for text, as the binary format of those that
    `CREATE TYPE … AS ENUM` makes is.
    """

    format = Format.BINARY
