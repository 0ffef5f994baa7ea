"""psycopg's cursors, as SQLAlchemy needs them: with a short description, and in either format."""

from typing import Any

import psycopg
from psycopg.pq import Format
from psycopg.types.string import TextLoader

UNKNOWN = 0  # the OID under which psycopg looks for what loads a type that it does not know


class ShortCursor(psycopg.Cursor[Any]):
    """A cursor that describes results by names and types alone (PEP 249 `description`).

    psycopg would make an object of each column of each result to find out more, which nobody reads.
    """

    @property
    def description(self) -> Any:
        result = self.pgresult
        if result is None or not result.nfields:
            return None
        rest = (None,) * 5
        return [
            ((result.fname(i) or b"").decode(), result.ftype(i), *rest)
            for i in range(result.nfields)
        ]


class BinaryCursor(ShortCursor):
    """A cursor that asks for results in the binary format."""

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = Format.BINARY


class BinaryTextLoader(TextLoader):
    """Takes the types that psycopg does not know for text, as the binary format of those that
    `CREATE TYPE … AS ENUM` makes is.
    """

    format = Format.BINARY
