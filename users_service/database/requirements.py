"""What a database must be able to do, checked before it is migrated or served."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select, text
from sqlalchemy.exc import DBAPIError

from users_service.database.driver_errors import rule_of

# SQLite: UPDATE … RETURNING. PostgreSQL: the oldest that its makers still maintain. MariaDB: each
# DDL statement is carried out or not (atomic DDL), so that a migration can be repeated.
LEAST_SQLITE = (3, 35, 0)
LEAST_POSTGRESQL = 14
LEAST_MARIADB = (10, 6)
MARIADB_COLLATION = "utf8mb4_nopad_bin"
POSTGRESQL_COLLATION = "C.utf8"  # it searches within texts

READ_ONLY = "it is read-only"

POSTGRESQL = """SELECT current_setting('server_version_num')::int / 10000 AS version,
    current_setting('server_version') AS name,
    current_setting('server_encoding') AS encoding,
    current_setting('transaction_read_only') = 'on' AS read_only,
    EXISTS (SELECT FROM pg_collation WHERE collname = :collation AND pg_collation_is_visible(oid)
        AND collencoding IN (-1, pg_char_to_encoding(current_setting('server_encoding'))))
        AS has_collation"""
MARIADB = """SELECT version() AS version,
    EXISTS (SELECT 1 FROM information_schema.engines
        WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT')) AS has_innodb,
    EXISTS (SELECT 1 FROM information_schema.collations
        WHERE collation_name = :collation) AS has_collation,
    EXISTS (SELECT 1 FROM information_schema.tables
        WHERE table_schema = database() AND table_name = 'alembic_version') AS is_migrated"""


class SchemaError(Exception):
    """The database cannot be used: another revision, no answer, or not able to do the job.

    Its text is for operators, and has no password.
    """


def reason_of(error: DBAPIError) -> str:
    """Return what a driver says, in one line without a full stop."""
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    said = " ".join(str(arguments[-1] if arguments else error.orig).split()).rstrip(".")
    if "unsupported startup parameter" in said:
        said += ". Through PgBouncer, set users_service.database_pooler = transaction"
    return said


def check_database(connection: Connection) -> None:
    """Check that a database can do what the service needs of it.

    :raises SchemaError: naming all that it cannot.
    """
    match connection.dialect.name:
        case "sqlite":
            faults = _sqlite_faults(connection)
        case "postgresql":
            values = {"collation": POSTGRESQL_COLLATION}
            faults = postgresql_faults(connection.execute(text(POSTGRESQL), values).one())
        case _:
            values = {"collation": MARIADB_COLLATION}
            found = connection.execute(text(MARIADB), values).one()
            faults = mariadb_faults(found)
            if found.is_migrated and is_read_only(connection):
                faults.append(READ_ONLY)
    if faults:
        raise SchemaError(f"The database cannot be used: {'; '.join(faults)}.")


def _sqlite_faults(connection: Connection) -> list[str]:
    faults = []
    version = str(connection.scalar(select(func.sqlite_version())))
    if tuple(int(part) for part in version.split(".")) < LEAST_SQLITE:
        least = ".".join(map(str, LEAST_SQLITE))
        faults.append(f"it needs SQLite {least} or newer, and Python has {version}")
    if is_read_only(connection):
        faults.append("its file or the folder of it is read-only")
    return faults


def postgresql_faults(found: Row[Any]) -> list[str]:
    """Return what is wrong with a PostgreSQL database, by the row of the statement above."""
    faults = []
    if found.version < LEAST_POSTGRESQL:
        faults.append(f"it needs PostgreSQL {LEAST_POSTGRESQL} or newer, and this is {found.name}")
    if found.encoding != "UTF8":
        faults.append(f"its encoding is {found.encoding}, and must be UTF8")
    elif not found.has_collation:
        faults.append(f"it has no collation {POSTGRESQL_COLLATION}, by which texts are searched")
    if found.read_only:
        faults.append(READ_ONLY)
    return faults


def mariadb_faults(found: Row[Any]) -> list[str]:
    """Return what is wrong with a MariaDB database, by the row of the statement above."""
    number, _, rest = found.version.partition("-")
    if "MariaDB" not in rest:
        return [f"it needs MariaDB, and this is MySQL {number}"]
    faults = []
    if tuple(int(part) for part in number.split(".")[:2]) < LEAST_MARIADB:
        least = ".".join(map(str, LEAST_MARIADB))
        faults.append(f"it needs MariaDB {least} or newer, and this is {number}")
    if not found.has_innodb:
        faults.append("it has no InnoDB, whose tables have transactions")
    if not found.has_collation:
        faults.append(f"it has no collation {MARIADB_COLLATION}, by which texts are compared")
    return faults


def is_read_only(connection: Connection) -> bool:
    """Whether a migrated database takes no changes now. No lock is waited for."""
    match connection.dialect.name:
        case "sqlite":
            return _is_read_only_file(connection)
        case "postgresql":  # not transaction_read_only, which connections for reads have set
            return bool(connection.scalar(select(func.pg_is_in_recovery())))
    try:
        # What read_only and innodb_read_only refuse depends on who asks. It changes no row.
        connection.execute(text("DELETE FROM alembic_version WHERE 1 = 0"))
    except DBAPIError as error:
        if rule_of(error.orig).read_only:
            return True
        raise
    return False


def _is_read_only_file(connection: Connection) -> bool:
    if connection.engine.url.query.get("mode") == "ro":
        return True
    driver: Any = connection.connection.dbapi_connection
    paths = [row[2] for row in driver.execute("PRAGMA database_list") if row[1] == "main"]
    # A journal is written beside the file.
    return any(
        not os.access(place, os.W_OK) for path in paths for place in (path, Path(path).parent)
    )
