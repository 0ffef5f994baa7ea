"""Migrations that meet: another migration, or transactions that hold what they need."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest
from alembic.config import Config
from sqlalchemy import inspect, text

from alembic import command
from tests.server import ROOT
from users_service.database import migrations
from users_service.database.engine import changes, make_engine, make_migrating_engine
from users_service.database.migration_lock import WAITING, locked
from users_service.database.migrations import check_schema, upgrade_database
from users_service.settings import load

BIN = Path(sys.executable).parent
COMMANDS = {
    "users-service": ["users-service", "migrate", "production.ini"],
    "alembic": ["alembic", "-c", "production.ini", "upgrade", "head"],
}


@pytest.fixture
def settings(empty_database):
    return load(
        {"users_service.database_url": empty_database, "users_service.lock_timeout": "0.1"}, {}
    )


@pytest.fixture
def engine(settings):
    engine = make_engine(settings)
    yield engine
    engine.dispose()


@contextmanager
def migrating(url: str) -> Iterator[None]:
    """Hold the lock of a migration until the block ends."""
    engine = make_migrating_engine(load({"users_service.database_url": url}, {}))
    with engine.connect() as connection:
        connection.detach()
        with locked(connection, 5):
            yield
    engine.dispose()


class Migration:
    """A process that migrates, and what it says."""

    def __init__(self, command: list[str], url: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=ROOT,
            env=os.environ | {"USERS_SERVICE_DATABASE_URL": url} | environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: Queue[str | None] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.said.put(line.strip())
        self.said.put(None)

    def line(self) -> str | None:
        return self.said.get(timeout=60)

    def end(self) -> tuple[int, list[str]]:
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        return self.process.wait(60), lines


def test_two_at_once_both_succeed(engine, empty_database):
    with migrating(empty_database):
        both = [Migration(command, empty_database) for command in COMMANDS.values()]
        for migration in both:
            assert WAITING in str(migration.line())
    for migration in both:
        code, lines = migration.end()
        assert code == 0, lines
        assert not [line for line in lines if "Traceback" in line]
    check_schema(engine)


def downgrade(engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    config.attributes.update(engine=engine, lock_timeout=1)
    command.downgrade(config, revision)


@pytest.fixture
def busy(engine):
    """A migrated database at revision 0002, whose users are being read, and on SQLite written."""
    upgrade_database(engine)
    downgrade(engine, "0002")
    options = changes(engine) if engine.dialect.name == "sqlite" else {}
    with engine.execution_options(**options).connect() as connection:
        connection.execute(text("SELECT count(*) FROM users")).all()
        yield connection


# MariaDB waits for whole seconds.
@pytest.mark.parametrize(
    ("empty_database", "command"),
    [("sqlite", "alembic"), ("sqlite", "users-service"), ("postgresql", "users-service")],
    indirect=["empty_database"],
)
def test_a_lock_that_is_never_free_ends_in_a_sentence(busy, engine, empty_database, command):
    quick = {"USERS_SERVICE_LOCK_TIMEOUT": "0.1"}
    code, lines = Migration(COMMANDS[command], empty_database, **quick).end()
    assert code == 1
    assert "Try 1 of" in str(lines)
    assert lines[-1].startswith("The database was not migrated: in 20 tries, other transactions")
    assert "Traceback" not in str(lines)


def test_a_lock_that_is_free_later_is_waited_for(busy, engine, caplog, monkeypatch):
    """The readers of users go when the migration has failed to get its lock for the first time."""
    pauses = []

    def end_the_readers(seconds: float) -> None:
        pauses.append(seconds)
        busy.rollback()

    monkeypatch.setattr(migrations.time, "sleep", end_the_readers)
    if engine.dialect.name == "sqlite":
        monkeypatch.setattr(migrations, "reason_of", lambda error: end_the_readers(0))
    upgrade_database(engine, 0.1)
    assert pauses
    assert "Try 1 of 20" in caplog.text
    check_schema(engine)


def test_limits_of_statements_do_not_bind_migrations(empty_database):
    ini = {"users_service.database_url": empty_database, "users_service.statement_timeout": "0.1"}
    engine = make_migrating_engine(load(ini, {}))
    waits = {"postgresql": "SELECT pg_sleep(0.3)", "mysql": "SELECT sleep(0.3)"}

    def migrate(connection) -> None:
        if wait := waits.get(engine.dialect.name):
            assert not connection.scalar(text(wait))

    try:
        migrations.run(engine, migrate, 0.1)
    finally:
        engine.dispose()


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_a_table_that_is_made_anew_keeps_the_rows_that_refer_to_it(engine):
    def make_anew(connection) -> None:
        connection.exec_driver_sql("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(
            "CREATE TABLE children (parent INTEGER REFERENCES parents (id) ON DELETE CASCADE)"
        )
        connection.exec_driver_sql("INSERT INTO parents VALUES (1)")
        connection.exec_driver_sql("INSERT INTO children VALUES (1)")
        connection.exec_driver_sql("CREATE TABLE new (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO new SELECT id FROM parents")
        connection.exec_driver_sql("DROP TABLE parents")
        connection.exec_driver_sql("ALTER TABLE new RENAME TO parents")

    migrations.run(engine, make_anew, 1)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM children")) == 1

    def lose_one(connection) -> None:
        connection.exec_driver_sql("DELETE FROM parents")

    with pytest.raises(migrations.SchemaError, match=r"not there, in children\."):
        migrations.run(engine, lose_one, 1)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM parents")) == 1
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_an_unknown_revision_is_told_in_a_sentence(engine):
    upgrade_database(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with pytest.raises(migrations.SchemaError, match=r"cannot be migrated: .*'ffff'"):
        upgrade_database(engine)
    assert "users" in inspect(engine).get_table_names()


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_a_file_that_is_no_database_and_a_migration_as_sql_are_told_in_a_sentence(empty_database):
    as_sql = [*COMMANDS["alembic"], "--sql"]
    code, lines = Migration(as_sql, empty_database).end()
    assert (code, lines[-1][:29]) == (1, "Migrations look at what is th")
    Path(empty_database.removeprefix("sqlite:///")).write_bytes(b"no database" * 1000)
    code, lines = Migration(COMMANDS["users-service"], empty_database).end()
    assert (code, lines) == (1, ["The database was not migrated: file is not a database."])
