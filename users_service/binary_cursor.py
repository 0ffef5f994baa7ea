"""psycopg's cursor, with results in PostgreSQL's binary format."""

from typing import Any

import psycopg
from psycopg.pq import Format
from psycopg.types.string import TextLoader

UNKNOWN = 0  # the OID under which psycopg looks for what loads a type that it does not know


class BinaryCursor(psycopg.Cursor[Any]):
    """A cursor that asks for results in the binary format."""

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = Format.BINARY


class BinaryTextLoader(TextLoader):
    """Takes the types that psycopg does not know for text, as the binary format of those that
    `CREATE TYPE … AS ENUM` makes is.
    """

    format = Format.BINARY
