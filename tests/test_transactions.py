"""One request, one transaction: what is acknowledged is stored, and nothing else is."""

import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pymysql
import pytest
from cornice.service import Service as CorniceService
from pyramid.config import Configurator
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy import event, insert, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.client import USERS, Client, sources, user
from users_service.database.retries import is_conflict
from users_service.jsonapi import (
    Error,
    JSONAPIError,
    begin_snapshot,
    cornice_errors,
    error_response,
)
from users_service.models import User
from users_service.texts import email_key


def row(email: str) -> dict:
    return {"email": email, "email_key": email_key(email), "name": "Ada"}


def by_orm(session) -> None:
    session.add(User(email="orm@example.com", name="Ada"))


def by_flushed_orm(session) -> None:
    by_orm(session)
    session.flush()


def by_bulk_insert(session) -> None:
    session.execute(insert(User), [row("bulk@example.com")])


def by_orm_update(session) -> None:
    by_flushed_orm(session)
    session.execute(update(User).values(name="Changed"))


def by_core(session) -> None:
    session.execute(insert(User.__table__).values(**row("core@example.com")))


def by_core_on_the_connection(session) -> None:
    session.connection().execute(insert(User.__table__).values(**row("connection@example.com")))


def by_text(session) -> None:
    by_core(session)
    session.execute(text("UPDATE users SET name = 'Text'"))


def by_driver(session) -> None:
    by_core(session)
    session.connection().exec_driver_sql("UPDATE users SET name = 'Driver'")


WRITES = [
    by_orm,
    by_flushed_orm,
    by_bulk_insert,
    by_orm_update,
    by_core,
    by_core_on_the_connection,
    by_text,
    by_driver,
]


OK = {"jsonapi": {"version": "1.1"}, "data": None}


@pytest.fixture
def client_with(app_with):
    """Make a client of the service with one more endpoint, /extra, that runs a function."""

    def make(view, method: str = "POST", **settings: str) -> Client:
        def include(config: Configurator) -> None:
            extra = CorniceService(
                name="extra", path="/extra", renderer="json", error_handler=cornice_errors
            )
            extra.add_view(method, view, permission=NO_PERMISSION_REQUIRED)
            config.add_cornice_service(extra)

        return Client(app_with(include, **settings))

    return make


@pytest.mark.parametrize("write", WRITES)
def test_every_style_of_write_is_committed(client, client_with, write):
    def view(request):
        write(request.dbsession)
        return OK

    assert client_with(view).post("/extra").status_int == 200
    assert len(client.emails()) == 1


@pytest.mark.parametrize("write", WRITES)
def test_an_error_after_a_write_leaves_nothing(client, client_with, write):
    def view(request):
        write(request.dbsession)
        request.dbsession.flush()
        raise JSONAPIError(Error(code="conflict", detail="Changed its mind."))

    assert client_with(view).post("/extra").status_int == 409
    assert client.emails() == []


def test_a_failure_after_a_write_leaves_nothing(client, client_with):
    def view(request):
        by_flushed_orm(request.dbsession)
        raise RuntimeError

    assert client_with(view).post("/extra").status_int == 500
    assert client.emails() == []


@pytest.mark.parametrize("code", ["bad_request", "conflict", "internal_error"])
def test_an_error_returned_after_a_write_leaves_nothing(client, client_with, code):
    def view(request):
        by_flushed_orm(request.dbsession)
        return error_response(request, JSONAPIError(Error(code=code, detail="Returned.")))

    assert sources(client_with(view).post("/extra")) == [("", code)]
    assert client.emails() == []


def test_what_cornice_collects_as_errors_leaves_nothing(client, client_with):
    def view(request):
        by_flushed_orm(request.dbsession)
        request.errors.add("body", "name", "Not today.")
        return OK

    assert client_with(view).post("/extra").status_int == 400
    assert client.emails() == []


@pytest.mark.parametrize("begin", [begin_snapshot, lambda connection: None])
def test_a_safe_method_stores_nothing(service, client, client_with, begin):
    def view(request):
        begin(request.dbconnection)
        by_core(request.dbsession)
        return OK

    # PostgreSQL refuses it, and the other engines undo it.
    status = 500 if service.name == "postgresql" else 200
    assert client_with(view, method="GET").get("/extra").status_int == status
    assert client.emails() == []


def execute(service, *statements: str) -> None:
    """Change the schema of the database for a test."""
    with service.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


# MariaDB checks every constraint at once, and has nothing to say at COMMIT.
DEFERRED = {
    # A row that refers to a user who is not there is found out at COMMIT.
    "sqlite": (
        "CREATE TABLE late (u TEXT REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO late VALUES ('nobody')",
    ),
    "postgresql": (
        "CREATE TABLE late (u uuid REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO late VALUES ('00000000-0000-0000-0000-000000000000')",
    ),
}


@pytest.fixture
def late_insertion(service):
    create, insertion = DEFERRED[service.name]
    execute(service, create)
    yield insertion
    execute(service, "DROP TABLE late")


@pytest.mark.parametrize("running_service", DEFERRED, indirect=True)
def test_a_constraint_that_fails_at_commit_is_not_acknowledged(client, client_with, late_insertion):
    attempts = []

    def view(request):
        attempts.append(1)
        by_flushed_orm(request.dbsession)
        request.dbsession.execute(text(late_insertion))
        return OK

    assert client_with(view).post("/extra").status_int == 500
    assert attempts == [1]
    assert client.emails() == []


# Between a process and SQLite's file there is no connection to be lost.
KILL = {
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
    "mariadb": ("SELECT connection_id()", "KILL CONNECTION {}"),
}


@pytest.mark.parametrize("running_service", KILL, indirect=True)
def test_a_connection_that_is_lost_before_commit_gives_503(service, client, client_with):
    attempts = []

    def view(request):
        attempts.append(1)
        by_flushed_orm(request.dbsession)
        who, kill = KILL[service.name]
        number = request.dbsession.scalar(text(who))
        execute(service, kill.format(number))
        return OK

    response = client_with(view).post("/extra")
    assert response.status_int == 503
    assert response.headers["Retry-After"] == "1"
    assert attempts == [1]
    assert client.emails() == []


@pytest.mark.parametrize("running_service", KILL, indirect=True)
def test_a_read_whose_connection_is_lost_is_tried_again(service, client_with):
    attempts = []

    def view(request):
        attempts.append(1)
        who, kill = KILL[service.name]
        number = request.dbsession.scalar(text(who))
        if len(attempts) == 1:
            execute(service, kill.format(number))
            request.dbsession.execute(text("SELECT 1"))
        return OK

    # As servers say that decode what is chunked themselves, also where there is no body.
    environ = {"wsgi.input_terminated": True}
    assert client_with(view, method="GET").get("/extra", environ=environ).status_int == 200
    assert attempts == [1, 1]


@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_a_read_of_one_statement_begins_no_transaction(service, client_with):
    seen = []

    def view(request):
        connection = request.dbsession.connection()
        connection.execute(text("SELECT 1"))
        seen.append(connection.connection.dbapi_connection.info.transaction_status)
        return OK

    client_with(view, method="GET").get("/extra")
    client_with(view, method="POST").post("/extra")
    assert [status.name for status in seen] == ["IDLE", "INTRANS"]


# SQLite lets nobody write while one reads.
@pytest.mark.parametrize("running_service", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("page[total]=true", lambda document: (document["meta"]["total"], len(document["data"]))),
        ("page[number]=1", lambda document: (document["meta"]["total"], len(document["data"]))),
        ("include=groups", lambda document: (len(document["data"]), 1)),
    ],
)
def test_several_statements_of_a_read_see_one_state(service, client, query, seen):
    client.create_user()
    intrusions = []

    def intrude(_connection, _cursor, statement, *_) -> None:
        if "FROM users" in statement and not intrusions:
            intrusions.append(statement)
            with ThreadPoolExecutor(1) as other:
                other.submit(client.create_user, "eve@example.com").result()

    engine = service.app.registry["engines"]["reading"]
    event.listen(engine, "after_cursor_execute", intrude)
    try:
        document = client.get(f"{USERS}?{query}").json
    finally:
        event.remove(engine, "after_cursor_execute", intrude)
    assert seen(document) == (1, 1)
    assert len(client.emails()) == 2


@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_a_snapshot_that_is_lost_after_it_was_read_is_answered(service, client_with):
    reading = []

    def view(request):
        connection = request.dbconnection
        begin_snapshot(connection)
        reading.append(connection)
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        with service.engine.begin() as other:
            # returns when it has ended
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})
        return OK

    for _ in range(2):
        assert client_with(view, method="GET").get("/extra").status_int == 200
    assert [connection.closed for connection in reading] == [True, True]


CONFLICTS = {
    # At COMMIT, as a deferred trigger; sequences count also what is rolled back.
    "postgresql": (
        [
            "CREATE SEQUENCE attempts",
            "CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('attempts') < 3 THEN"
            " RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF;"
            " RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER conflict AFTER INSERT ON users"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION conflict()",
        ],
        ["DROP TRIGGER conflict ON users", "DROP FUNCTION conflict", "DROP SEQUENCE attempts"],
    ),
    # InnoDB finds conflicts in statements; tables of MyISAM keep what is rolled back.
    "mariadb": (
        [
            "CREATE TABLE attempts (n INT) ENGINE = MyISAM",
            "CREATE TRIGGER conflict BEFORE INSERT ON users FOR EACH ROW BEGIN"
            " INSERT INTO attempts VALUES (1);"
            " IF (SELECT count(*) FROM attempts) < 3 THEN"
            " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF; END",
        ],
        ["DROP TRIGGER conflict", "DROP TABLE attempts"],
    ),
}


@pytest.fixture
def conflicts(service):
    """Let the first two attempts at an insertion end in a conflict; a third one succeeds."""
    if service.name == "sqlite":
        yield from readers(service)
        return
    create, drop = CONFLICTS[service.name]
    execute(service, *create)
    yield lambda: None
    execute(service, *drop)


def readers(service):
    """On SQLite, others that read keep a transaction from committing: end one per attempt."""
    connections = [service.engine.connect() for _ in range(3)]
    for connection in connections:
        connection.execute(text("SELECT count(*) FROM users")).all()
    yield lambda: connections.pop().close()
    assert not connections


def test_a_conflict_is_tried_again_from_the_start(client, client_with, conflicts):
    attempts = []

    def view(request):
        attempts.append(request.json_body["data"])
        conflicts()
        by_flushed_orm(request.dbsession)
        return OK

    assert client_with(view, lock_timeout="0.1").post("/extra", {"data": 7}).status_int == 200
    assert attempts == [7, 7, 7]
    assert client.emails() == ["orm@example.com"]


def test_a_conflict_that_does_not_end_gives_503_after_the_deadline(client, client_with, service):
    attempts = []

    def view(request):
        attempts.append(1)
        by_flushed_orm(request.dbsession)
        raise conflict_of(service.name)

    response = client_with(view, retry_deadline="0.3").post("/extra")
    assert sources(response) == [("", "unavailable")]
    assert response.headers["Retry-After"] == "1"
    assert len(attempts) > 2
    assert client.emails() == []


def conflict_of(engine: str) -> OperationalError:
    """An error as SQLAlchemy wraps the driver's own."""
    original: Exception
    if engine == "sqlite":
        original = sqlite3.OperationalError("database is locked")
        original.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    elif engine == "postgresql":
        original = psycopg.errors.DeadlockDetected("deadlock detected")
    else:
        original = pymysql.err.OperationalError(1205, "Lock wait timeout exceeded")
    return OperationalError("", {}, original)


def in_parallel(app, count: int, send) -> Counter:
    """Let clients send their requests at the same moment; count the statuses."""
    barrier = threading.Barrier(count)

    def one(number: int) -> int:
        client = Client(app)
        barrier.wait()
        return send(client, number).status_int

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def test_of_parallel_creates_with_one_email_one_succeeds(service, client):
    statuses = in_parallel(
        service.app, 20, lambda c, n: c.post(USERS, user(email="Ada@example.com", name=f"Ada {n}"))
    )
    assert statuses == {201: 1, 409: 19}
    assert client.emails() == ["Ada@example.com"]


def test_of_parallel_creates_with_one_id_one_succeeds(service, client):
    id = "0190b5a0-0000-7000-8000-000000000001"
    statuses = in_parallel(
        service.app,
        8,
        lambda c, n: c.post(USERS, user(id, email=f"ada{n}@example.com", name="Ada")),
    )
    assert statuses == {201: 1, 409: 7}
    assert len(client.emails()) == 1


def test_parallel_creates_of_different_users_all_succeed(service, client):
    statuses = in_parallel(
        service.app, 16, lambda c, n: c.post(USERS, user(email=f"ada{n}@example.com", name="Ada"))
    )
    assert statuses == {201: 16}
    assert len(client.emails()) == 16


def test_parallel_changes_of_one_user_all_succeed_without_another_attempt(app_with, client):
    id = client.create_user()["id"]
    changes = [{"name": f"Ada {n}"} if n % 2 else {"is_active": True} for n in range(8)]
    statuses = in_parallel(
        app_with(retry_deadline="0"),
        8,
        lambda c, n: c.patch(f"{USERS}/{id}", user(id, **changes[n])),
    )
    assert statuses == {200: 8}
    attributes = client.get(f"{USERS}/{id}").json["data"]["attributes"]
    assert attributes["is_active"] is True
    assert attributes["name"] in {"Ada 1", "Ada 3", "Ada 5", "Ada 7"}


def test_parallel_changes_and_deletes_of_one_user_give_no_5xx(service, client):
    id = client.create_user()["id"]

    def send(other: Client, number: int):
        if number % 4 == 0:
            return other.delete(f"{USERS}/{id}")
        return other.patch(f"{USERS}/{id}", user(id, name=f"Ada {number}"))

    statuses = in_parallel(service.app, 8, send)
    assert statuses.keys() <= {200, 204, 404}
    assert statuses[204] == 1
    assert client.emails() == []


def test_a_violated_constraint_is_an_answer_and_no_conflict():
    assert not is_conflict(IntegrityError("", {}, sqlite3.IntegrityError("UNIQUE")))
    assert not is_conflict(RuntimeError())
    assert not is_conflict(None)
