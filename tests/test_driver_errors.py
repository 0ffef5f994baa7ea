"""What becomes of a request when its database reports an error: one table for all drivers."""

from contextlib import closing

import pytest
from sqlalchemy import event, text

from tests.client import USERS, Client, sources, user
from tests.service import dispose
from users_service.database import driver_errors
from users_service.database.driver_errors import rule_of

UNAVAILABLE = (503, "unavailable")
FAILURE = (500, "internal_error")

# SQLSTATEs of PostgreSQL: the answer to a POST, and whether it is tried again before.
POSTGRESQL = {
    "40000": (*UNAVAILABLE, True),
    "40001": (*UNAVAILABLE, True),
    "40P01": (*UNAVAILABLE, True),
    "55P03": (*UNAVAILABLE, True),
    "40002": (409, "conflict", False),
    "23514": (409, "conflict", False),
    "22003": (400, "bad_request", False),
    "40003": (*UNAVAILABLE, False),
    "08006": (*UNAVAILABLE, False),
    "08P01": (*UNAVAILABLE, False),
    "25006": (*UNAVAILABLE, False),
    "25P03": (*UNAVAILABLE, False),
    "25P04": (*UNAVAILABLE, False),
    "28P01": (*UNAVAILABLE, False),
    "53100": (*UNAVAILABLE, False),
    "53200": (*UNAVAILABLE, False),
    "53300": (*UNAVAILABLE, False),
    "57014": (*UNAVAILABLE, False),
    "57P01": (*UNAVAILABLE, False),
    "57P03": (*UNAVAILABLE, False),
    "58030": (*UNAVAILABLE, False),
    "25001": (*FAILURE, False),
    "42501": (*FAILURE, False),
    "42P01": (*FAILURE, False),
    "54001": (*FAILURE, False),
    "55000": (*FAILURE, False),
    "XX000": (*FAILURE, False),
    "XX001": (*FAILURE, False),
    "P0001": (*FAILURE, False),
}
MARIADB = {
    1020: (*UNAVAILABLE, True),
    1205: (*UNAVAILABLE, True),
    1213: (*UNAVAILABLE, True),
    1412: (*UNAVAILABLE, True),
    1062: (409, "conflict", False),
    4025: (409, "conflict", False),
    1292: (400, "bad_request", False),
    1406: (400, "bad_request", False),
    1021: (*UNAVAILABLE, False),
    1030: (*UNAVAILABLE, False),
    1036: (*UNAVAILABLE, False),
    1040: (*UNAVAILABLE, False),
    1047: (*UNAVAILABLE, False),
    1053: (*UNAVAILABLE, False),
    1114: (*UNAVAILABLE, False),
    1226: (*UNAVAILABLE, False),
    1290: (*UNAVAILABLE, False),
    1317: (*UNAVAILABLE, False),
    1836: (*UNAVAILABLE, False),
    1927: (*UNAVAILABLE, False),
    1969: (*UNAVAILABLE, False),
    2006: (*UNAVAILABLE, False),
    2013: (*UNAVAILABLE, False),
    3024: (*UNAVAILABLE, False),
    1054: (*FAILURE, False),
    1146: (*FAILURE, False),
    1194: (*FAILURE, False),
    1644: (*FAILURE, False),
}


@pytest.fixture(scope="module")
def impatient(running_service):
    """The service with little time to try again."""
    app = running_service.make_app(retry_deadline="0.2", lock_timeout="0.1")
    # The first request of all takes longer: it connects.
    Client(app).create_user("first@example.com")
    yield app
    dispose(app)


@pytest.fixture
def outcome(service, impatient):
    """Tells how a POST was answered, and how often it was tried."""
    engine = impatient.registry["engines"]["writing"]
    attempts: list[str] = []

    def record(_connection, _cursor, statement, *_) -> None:
        if statement.startswith("INSERT INTO users"):
            attempts.append(statement)

    event.listen(engine, "before_cursor_execute", record)

    def post(email: str = "ada@example.com") -> tuple[int, str, bool]:
        attempts.clear()
        response = Client(impatient).post(USERS, user(email=email, name="Ada" * 80))
        codes = [code for _, code in sources(response)] if response.status_int >= 400 else [""]
        assert ("Retry-After" in response.headers) == (response.status_int == 503)
        return response.status_int, codes[0], len(attempts) > 1

    yield post
    event.remove(engine, "before_cursor_execute", record)


@pytest.fixture
def raised_by(service):
    """Let every INSERT of a user end in an error of the engine, until the test ends."""
    drop: list[str] = []

    def make(body: str) -> None:
        with service.engine.begin() as connection:
            for statement in body.split("\n"):
                connection.exec_driver_sql(statement.replace("%", "%%"))

    def install(code: str | int) -> None:
        if service.name == "postgresql":
            make(
                "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$\n"
                "CREATE TRIGGER fail BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail()"
            )
            drop.append("DROP TRIGGER fail ON users\nDROP FUNCTION fail")
        else:
            make(
                "CREATE TRIGGER fail BEFORE INSERT ON users FOR EACH ROW"
                f" SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'no'"
            )
            drop.append("DROP TRIGGER fail")

    yield install
    for body in drop:
        make(body)


@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
@pytest.mark.parametrize("state", POSTGRESQL)
def test_errors_of_postgresql(outcome, raised_by, client, state):
    raised_by(state)
    assert outcome() == POSTGRESQL[state]
    assert client.emails() == []


@pytest.mark.parametrize("running_service", ["mariadb"], indirect=True)
@pytest.mark.parametrize("number", MARIADB)
def test_errors_of_mariadb(outcome, raised_by, client, number):
    raised_by(number)
    assert outcome() == MARIADB[number]
    assert client.emails() == []


@pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("pragma", "undo", "expected"),
    [
        ("max_page_count = 1", "max_page_count = 1000000", UNAVAILABLE),  # SQLITE_FULL
        ("query_only = ON", "query_only = OFF", UNAVAILABLE),  # SQLITE_READONLY
    ],
)
def test_errors_of_sqlite(impatient, outcome, pragma, undo, expected):
    engine = impatient.registry["engines"]["writing"]

    def set_limit(connection, *_) -> None:
        connection.execute(f"PRAGMA {pragma}")

    with closing(engine.raw_connection()) as connection:
        connection.execute("VACUUM")  # no page that is there already has room
    event.listen(engine, "checkout", set_limit)
    try:
        # A name of many characters needs a new page.
        answers = [outcome(f"{number}@example.com") for number in range(40)]
    finally:
        event.remove(engine, "checkout", set_limit)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA {undo}")
    assert (*expected, False) in answers
    assert {status for status, _, _ in answers} <= {201, expected[0]}


@pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
def test_a_table_that_is_gone_is_a_fault_of_the_service(service, impatient, outcome):
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE users RENAME TO gone"))
    try:
        assert outcome()[:2] == FAILURE
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO users"))


BACKEND = {"postgresql": "SELECT pg_backend_pid()", "mariadb": "SELECT connection_id()"}
READ_ONLY = {"postgresql": "25006", "mariadb": 1290}


@pytest.mark.parametrize("running_service", READ_ONLY, indirect=True)
def test_connections_to_a_read_only_server_are_discarded(service, impatient, outcome, raised_by):
    def backends() -> set[int]:
        found = set()
        for engine in impatient.registry["engines"].values():
            with engine.connect() as connection:
                found.add(connection.scalar(text(BACKEND[service.name])))
        return found

    before = backends()
    raised_by(READ_ONLY[service.name])
    assert outcome()[0] == 503
    assert len(before) == len(backends() - before) == 2


def test_every_rule_has_a_reason_and_says_what_to_answer():
    tables = (driver_errors.POSTGRESQL, driver_errors.MARIADB, driver_errors.SQLITE)
    rules = [rule for table in tables for rule in table.values()]
    assert all(rule.reason and rule.outcome.classes for rule in rules)
    assert rule_of(None).outcome is driver_errors.FAILURE
