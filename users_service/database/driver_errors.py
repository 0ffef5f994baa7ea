"""One table for the errors of all drivers: try again, 409, 400, 503 or 500, and why.

`restate_errors` gives each error the class of SQLAlchemy that says so, where the driver's own class
says something else. `jsonapi`, which knows no driver, answers by these classes.
"""

import sqlite3
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Engine, event, exc
from sqlalchemy.engine import ExceptionContext


class Outcome(Enum):
    """What becomes of a request, and the classes of SQLAlchemy that mean it."""

    RETRY = (exc.OperationalError,)
    """The transaction was rolled back, and may succeed if the request begins again. 503 if not."""
    UNAVAILABLE = (exc.OperationalError, exc.InterfaceError)
    """503: a later request may succeed, but this one must not, or need not, be tried again."""
    CONSTRAINT = (exc.IntegrityError,)
    """409: other stored data does not allow it."""
    VALUE = (exc.DataError,)
    """400: the database cannot store a value."""
    FAILURE = (
        exc.InternalError,
        exc.ProgrammingError,
        exc.NotSupportedError,
        exc.DatabaseError,
        exc.DBAPIError,
    )
    """500: the service or its database is broken, and somebody has to look."""

    def __init__(self, *classes: type[exc.DBAPIError]) -> None:
        self.classes = classes


class Rule(NamedTuple):
    """What the table says of an error."""

    outcome: Outcome
    reason: str
    read_only: bool = False
    """Whether the database takes no changes. All connections of the pool lead to it, so they are
    discarded: new ones may lead to the server that has taken over."""


RETRY, UNAVAILABLE, CONSTRAINT, VALUE, FAILURE = Outcome
READ_ONLY = Rule(UNAVAILABLE, "the server takes no changes, as after a failover", read_only=True)
LOST = Rule(UNAVAILABLE, "the connection is lost; its COMMIT may have arrived")
FULL = Rule(UNAVAILABLE, "a disk, memory or a number of connections is used up")
STOPPED = Rule(UNAVAILABLE, "the statement was stopped, at its time limit or by an operator")
FILE_SYSTEM = Rule(UNAVAILABLE, "a file of the database cannot be opened, read or written")
NO_ENTRY = Rule(UNAVAILABLE, "the service may not enter; a password can change before the settings")
LOCK_TIMEOUT = Rule(RETRY, "another transaction has the lock for longer than lock_timeout")
DEADLOCK = Rule(RETRY, "rolled back in favour of another transaction")
CHANGED_TABLE = Rule(RETRY, "a migration changed a table meanwhile")
VIOLATION = Rule(CONSTRAINT, "a constraint is violated, and would be again")
BAD_VALUE = Rule(VALUE, "a value does not fit the type of its column")
DAMAGED = Rule(FAILURE, "stored data is damaged, which no waiting mends")
BUG = Rule(FAILURE, "the statement itself is wrong or too much, and would be again")

# SQLSTATEs, and the classes that are their first two characters (PostgreSQL, appendix A).
POSTGRESQL = {
    "08": LOST,
    "22": BAD_VALUE,
    "23": VIOLATION,
    "25006": READ_ONLY,
    "25P03": Rule(UNAVAILABLE, "the session was ended, because its transaction was idle too long"),
    "25P04": Rule(UNAVAILABLE, "the session was ended at transaction_timeout"),
    "28": NO_ENTRY,
    "40": DEADLOCK,
    "40002": VIOLATION,
    "40003": Rule(UNAVAILABLE, "it is unknown whether the change is stored: twice would be wrong"),
    "53": FULL,
    "54": BUG,
    "55": BUG,
    "55P03": LOCK_TIMEOUT,
    "57": LOST,
    "57014": STOPPED,
    "57P03": Rule(UNAVAILABLE, "the server is starting or ending"),
    "58": FILE_SYSTEM,
    "XX": BUG,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}

# The numbers of MariaDB's server (MySQL's from 3000). Those that are not here mean what PyMySQL's
# class says, but OperationalError, which PyMySQL has for every number that it does not know: a BUG.
MARIADB: dict[int, Rule] = {
    **dict.fromkeys((1205,), LOCK_TIMEOUT),
    **dict.fromkeys((1213, 1020), DEADLOCK),
    1412: CHANGED_TABLE,
    **dict.fromkeys((1036, 1290, 1792, 1836, 1874), READ_ONLY),
    **dict.fromkeys((1021, 1037, 1038, 1040, 1041, 1114, 1135, 1203, 1206, 1226, 1637), FULL),
    **dict.fromkeys((1044, 1045, 1049, 1129, 1130, 1698), NO_ENTRY),
    **dict.fromkeys((1317, 1969, 3024), STOPPED),
    **dict.fromkeys((1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 4031), LOST),
    **dict.fromkeys((1004, 1015, 1016, 1023, 1024, 1026, 1030, 1180), FILE_SYSTEM),
    1047: Rule(UNAVAILABLE, "a node of Galera that has lost its cluster answers everything so"),
    **dict.fromkeys((1034, 1035, 1194, 1195), DAMAGED),
    **dict.fromkeys((1169, 1557, 1586, 1761, 1762, 1859, 4025), VIOLATION),
    **dict.fromkeys((1292, 1690), BAD_VALUE),
}

# Primary result codes. Those that are not here, SQLITE_ERROR first of all, are a BUG.
SQLITE = {
    sqlite3.SQLITE_PERM: NO_ENTRY,
    sqlite3.SQLITE_BUSY: LOCK_TIMEOUT,
    sqlite3.SQLITE_LOCKED: LOCK_TIMEOUT,
    sqlite3.SQLITE_NOMEM: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_INTERRUPT: STOPPED,
    sqlite3.SQLITE_IOERR: FILE_SYSTEM,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CANTOPEN: FILE_SYSTEM,
    sqlite3.SQLITE_PROTOCOL: LOCK_TIMEOUT,
    sqlite3.SQLITE_SCHEMA: CHANGED_TABLE,
    sqlite3.SQLITE_TOOBIG: BAD_VALUE,
    sqlite3.SQLITE_CONSTRAINT: VIOLATION,
    sqlite3.SQLITE_MISMATCH: VIOLATION,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}

# For errors that have no code, because the driver itself raised them, by the class of PEP 249.
CLASSES = {
    "OperationalError": LOST,
    "InterfaceError": LOST,
    "IntegrityError": VIOLATION,
    "DataError": BAD_VALUE,
}


def rule_of(error: BaseException | None) -> Rule:
    """Return what the table says of a driver's error."""
    by_class = next(
        (CLASSES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in CLASSES), BUG
    )
    code: Any
    if (code := getattr(error, "sqlite_errorcode", None)) is not None:
        return SQLITE.get(code & 0xFF, BUG)
    if hasattr(error, "diag"):  # psycopg
        code = getattr(error, "sqlstate", None) or ""
        return POSTGRESQL.get(code) or POSTGRESQL.get(code[:2]) or (BUG if code else by_class)
    code = error.args[0] if error is not None and error.args else None
    if isinstance(code, int) and code // 1000 not in (0, 2):  # PyMySQL's own numbers
        return MARIADB.get(code, BUG if by_class is LOST else by_class)
    return by_class


def restate_errors(engine: Engine, *, may_change: bool = True) -> None:
    """Let an engine raise each error as the class that means what the table says.

    :param may_change: whether its connections may change something. If not, they are read-only by
        themselves, and a statement that changes something is a bug.
    """
    event.listen(engine, "handle_error", partial(_restate, may_change))


def _restate(may_change: bool, context: ExceptionContext) -> exc.DBAPIError | None:
    raised = context.sqlalchemy_exception
    if not isinstance(raised, exc.DBAPIError) or raised.orig is None:
        return None
    rule = rule_of(raised.orig)
    if rule.read_only:
        rule = rule if may_change else BUG
        context.is_disconnect = may_change
        cursor = getattr(context.execution_context, "cursor", None)
        if cursor is not None:
            # SQLite keeps a closed connection, and its lock, until its statements have ended.
            cursor.close()
    if type(raised) in rule.outcome.classes:
        return None
    return rule.outcome.classes[0](
        raised.statement,
        raised.params,
        raised.orig,
        hide_parameters=raised.hide_parameters,
        connection_invalidated=context.is_disconnect,
        ismulti=raised.ismulti,
    )
