"""Cursors for psycopg that cost less: short descriptions of results, and the binary format."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import psycopg
from psycopg.pq import Format
from psycopg.pq.abc import PGresult
from psycopg.types.string import TextLoader

UNKNOWN = 0  # psycopg uses the loader of this OID for types that it does not know


class Description(Sequence[tuple[Any, ...]]):
    """The names and types of a result's columns (PEP 249 `description`).

    They are computed when they are first used: SQLAlchemy does not use them for a statement that it
    has executed before.
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
    """A cursor whose descriptions have only names and types of columns.

    psycopg's own have more, which nobody uses, and make an object for each column of each result.
    """

    @property
    def description(self) -> Any:
        result = self.pgresult
        return Description(result) if result is not None and result.nfields else None


class BinaryCursor(NameAndTypeCursor):
    """A cursor that requests results in the binary format."""

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = Format.BINARY


class PooledBinaryCursor(BinaryCursor):
    """Begins transactions in the text format: the binary one takes one statement at a time."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "PooledBinaryCursor":
        if query.startswith("BEGIN"):
            options["binary"] = False
        super().execute(query, params, **options)
        return self


class BinaryTextLoader(TextLoader):
    """Loads types that psycopg does not know as text: this is the binary format of enum types."""

    format = Format.BINARY
