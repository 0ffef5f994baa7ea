"""The engines: exact, bounded, and the same to the code above them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from psycopg.pq import Format
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from users_service.models import User
from users_service.texts import email_key


def scalar(service, statement: str):
    with service.engine.connect() as connection:
        return connection.scalar(text(statement))


SESSION = {
    "sqlite": {"PRAGMA foreign_keys": 1, "PRAGMA busy_timeout": 5000},
    "postgresql": {
        "SHOW transaction_isolation": "read committed",
        "SHOW timezone": "UTC",
        "SHOW lock_timeout": "5s",
        "SHOW statement_timeout": "30s",
        "SHOW idle_in_transaction_session_timeout": "30s",
    },
    "mariadb": {
        "SELECT @@tx_isolation": "READ-COMMITTED",
        "SELECT @@time_zone": "+00:00",
        "SELECT @@innodb_lock_wait_timeout": 5,
        "SELECT @@max_statement_time": 30,
        "SELECT @@character_set_connection": "utf8mb4",
    },
}


def test_every_connection_is_exact_and_bounded(service):
    for statement, expected in SESSION[service.name].items():
        assert scalar(service, statement) == expected, statement


@pytest.mark.parametrize("running_service", ["postgresql", "mariadb"], indirect=True)
def test_a_statement_that_runs_too_long_is_ended(app_with):
    app = app_with(statement_timeout="0.2")
    sleep = {"postgresql": "SELECT pg_sleep(60)", "mysql": "SELECT sleep(60) FROM users"}
    engine = app.registry["engines"]["writing"]
    with engine.begin() as connection:
        connection.execute(insert(User.__table__).values(row("ada@example.com")))
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text(sleep[engine.dialect.name])).all()


def row(email: str, key: str | None = None) -> dict:
    return {"email": email, "email_key": key or email_key(email), "name": "Ada"}


def test_instants_come_back_aware_in_utc_with_their_microseconds(service):
    moment = datetime(2026, 7, 1, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with service.engine.begin() as connection:
        connection.execute(
            insert(User.__table__).values(row("ada@example.com") | {"creation_time": moment})
        )
        found = connection.scalar(select(User.creation_time))
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize("other", ["ada@example.com ", "ADA@example.com", "adá@example.com"])
def test_keys_that_differ_at_all_are_different(service, other):
    with service.engine.begin() as connection:
        connection.execute(insert(User.__table__).values(row("ada@example.com")))
        connection.execute(insert(User.__table__).values(row("other@example.com", key=other)))


def test_the_database_itself_refuses_one_key_twice(service):
    with service.engine.begin() as connection:
        connection.execute(insert(User.__table__).values(row("ada@example.com")))
        with pytest.raises(IntegrityError):
            connection.execute(insert(User.__table__).values(row("ADA@example.com")))


def test_a_domain_that_no_registry_knows_still_has_a_key():
    assert email_key("Ada@UNDER_score.example") == "ada@under_score.example"


@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_values_come_in_the_binary_format_as_they_would_in_text(service):
    values = """SELECT 'très glad'::mood, 1.50::numeric, '[1, {"a": null}]'::jsonb, 'x'::varchar,
        '2026-07-01T14:00:00.000001+02'::timestamptz, ARRAY[1, 2], NULL::uuid"""
    engines = service.app.registry["engines"]
    with service.engine.begin() as connection:
        connection.execute(text("CREATE TYPE mood AS ENUM ('glad', 'très glad')"))
    try:
        with engines["reading"].connect() as reading, engines["writing"].connect() as writing:
            result = reading.execute(text(values))
            assert result.cursor.pgresult.fformat(0) == Format.BINARY
            assert result.one() == writing.execute(text(values)).one()
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("DROP TYPE mood"))


def test_reads_have_a_pool_of_their_own(service):
    engines = service.app.registry["engines"]
    assert engines["reading"].pool is not engines["writing"].pool
