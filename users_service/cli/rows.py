"""Rows of made-up data: their ids and times, what is random in them, and how they are stored."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, insert

from users_service.faults import CommandFailedError

Row = dict[str, Any]
Progress = Callable[[str, range], Iterable[int]]

# Rows that are in memory at once, and in one statement, which stays far below statement_timeout.
CHUNK = 10_000

# The period of all creation and modification times.
FIRST, LAST = datetime(2018, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
SPAN = (LAST - FIRST) // timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Reserved domains: nobody has an address there (RFC 2606).
DOMAINS = ["example.com", "example.net", "example.org", "harbour.example", "orchard.example"]


class SeedError(CommandFailedError):
    """The database is not empty, or nothing can be made up for it."""


def identities(kind: str, number: int, seed: int) -> Iterator[tuple[UUID, datetime]]:
    """Yield UUIDs of version 7 (RFC 9562 §5.7) with the time in each, in ascending order."""
    random = random_of(kind, seed)
    for index in range(number):
        offset = (index * SPAN + int(random.random() * SPAN)) // number
        moment = FIRST + timedelta(microseconds=offset)
        milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
        bits = random.getrandbits(74)
        version_and_variant = (7 << 76) | (0b10 << 62)
        high, low = bits >> 62, bits & ((1 << 62) - 1)
        yield UUID(int=(milliseconds << 80) | version_and_variant | (high << 64) | low), moment


def row_of(identity: tuple[UUID, datetime], **values: Any) -> Row:
    id, moment = identity
    times = {"creation_time": moment, "modification_time": moment}
    return {"id": id, **values, **times, "version": 1}


def random_of(kind: str, seed: int) -> Random:
    return Random(f"{kind} {seed}")  # noqa: S311  # no secrets are made of it


def pick(random: Random, choices: Sequence[Any]) -> Any:
    # random() returns the same numbers in every version of Python; choice() need not.
    return choices[int(random.random() * len(choices))]


def store(connection: Connection, table: Any, rows: Iterable[Row], *, copy: bool = True) -> int:
    """Insert rows in chunks, in the fastest way of the engine, and return their number.

    :param copy: whether the driver knows the types of all values by itself.
    """
    rows = iter(rows)
    store_chunk = _copy if copy and connection.dialect.name == "postgresql" else _insert
    number = 0
    while chunk := list(islice(rows, CHUNK)):
        store_chunk(connection, table, chunk)
        number += len(chunk)
    return number


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    connection.execute(insert(table), rows)


def _copy(connection: Connection, table: Table, rows: list[Row]) -> None:
    statement = f"COPY {table.name} ({', '.join(rows[0])}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))
