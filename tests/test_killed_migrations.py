"""A migration that was killed is repeated by the same command, and leaves no trace.

`MIGRATION_USERS=150000 MIGRATION_KILLS=10 MIGRATION_FROM=0001` kills a large one at random moments;
the seed is fixed.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from alembic.config import Config
from sqlalchemy import JSON, Engine, MetaData, Table, event, inspect, text

from alembic import command
from tests import engines
from tests.server import ROOT
from users_service.database.engine import make_migrating_engine
from users_service.database.migrations import SCRIPTS, check_schema, upgrade_database
from users_service.settings import load

USERS = int(os.environ.get("MIGRATION_USERS", "0"))
KILLS = int(os.environ.get("MIGRATION_KILLS", "10"))
FROM = os.environ.get("MIGRATION_FROM", "0003")
FEW = 30
MOMENT = datetime(2026, 7, 1, 12, tzinfo=UTC)

# Migrates, and kills itself before the statement of a number; 0 lets it live.
PROGRAM = """
import os, signal, sys
from sqlalchemy import JSON, Engine, event
from users_service.cli import main

left = int(sys.argv.pop())

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

main(["migrate", "production.ini"])
"""


def engine_of(url: str) -> Engine:
    return make_migrating_engine(load({"users_service.database_url": url}, {}))


def to_revision(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes.update(engine=engine, lock_timeout=5)
    run = command.downgrade if revision == "base" else command.upgrade
    run(config, revision)


def fill(engine: Engine, count: int) -> None:
    """Fill the tables as they are at this revision, by the columns that they have."""
    names = ["ΟΔΥΣΣΕΎΣ", "Straße", "Zoë", "İpek", "Ada"]
    wanted = {
        "roles": [{"name": f"role {n}", "permissions": ["users:read"]} for n in range(3)],
        "groups": [{"name": f"group {n}"} for n in range(3)],
        "users": [
            {
                "email": f"{names[n % 5]}.{n}@example.com",
                "email_key": f"key-{n}",
                "name": f"{names[n % 5]} {n}",
                "is_active": n % 2 == 0,
                "role_id": number_of("roles", n % 3),
            }
            for n in range(count)
        ],
        "memberships": [
            {"user_id": number_of("users", n), "group_id": number_of("groups", n % 3)}
            for n in range(count)
        ],
    }
    present = set(inspect(engine).get_table_names())
    with engine.begin() as connection:
        for name, rows in wanted.items():
            if name in present:
                table = Table(name, MetaData(), autoload_with=connection)
                values = [value_for(table, number_of(name, n), r) for n, r in enumerate(rows)]
                for start in range(0, len(values), 5000):
                    connection.execute(table.insert(), values[start : start + 5000])


def number_of(table: str, n: int) -> UUID:
    return UUID(int=(sum(table.encode()) << 64) + n)


def value_for(table: Table, id: UUID, row: dict) -> dict:
    row = {"id": id, "creation_time": MOMENT, "modification_time": MOMENT, **row}
    is_uuid = type(table.primary_key.columns[0].type).__name__ == "UUID"
    has_json = "permissions" in row and isinstance(table.c.permissions.type, JSON)
    if "permissions" in row and not has_json:  # MariaDB, where JSON is text
        row["permissions"] = json.dumps(row["permissions"])
    return {
        name: value.hex if isinstance(value, UUID) and not is_uuid else value
        for name, value in row.items()
        if name in table.c
    }


SCHEMA = {
    "sqlite": ["SELECT type, name, sql FROM sqlite_master ORDER BY name"],
    "postgresql": [
        "SELECT table_name, column_name, data_type, collation_name, column_default, is_nullable,"
        " generation_expression FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY 1, 2",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    ],
}


def contents(engine: Engine) -> dict[str, list]:
    """The schema and the rows of a database."""
    found: dict[str, list] = {}
    with engine.connect() as connection:
        tables = sorted(inspect(connection).get_table_names())
        statements = SCHEMA.get(engine.dialect.name) or [f"SHOW CREATE TABLE `{t}`" for t in tables]
        for statement in statements:
            found[statement] = [tuple(row) for row in connection.execute(text(statement))]
        for name in tables:
            rows = connection.execute(text(f"SELECT * FROM {quoted(engine, name)}"))
            found[name] = sorted(repr(tuple(row)) for row in rows)
    return found


def quoted(engine: Engine, name: str) -> str:
    return engine.dialect.identifier_preparer.quote_identifier(name)


def migrate(url: str, kill_before: int = 0) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(kill_before)],
        cwd=ROOT,
        env=os.environ | {"USERS_SERVICE_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def prepared(engine: str, folder, revision: str, count: int) -> Iterator[tuple[str, Engine]]:
    """A filled database at a revision."""
    name = f"killed_{os.urandom(6).hex()}"
    with engines.database(engine, name, folder) as url:
        migrating = engine_of(url)
        if revision != "base":
            to_revision(migrating, revision)
            fill(migrating, count)
        yield url, migrating
        migrating.dispose()


def undisturbed(engine: str, folder, revision: str, count: int) -> tuple[dict, int, float]:
    """What an undisturbed migration leaves, its statements, and its seconds."""
    statements = []
    with prepared(engine, folder, revision, count) as (_, migrating):
        event.listen(migrating, "before_cursor_execute", lambda *_: statements.append(1))
        began = time.monotonic()
        upgrade_database(migrating)
        taken = time.monotonic() - began
        return contents(migrating), len(statements), taken


def end(process: subprocess.Popen) -> None:
    said = process.communicate(timeout=600)[1]
    assert process.returncode == 0, said


@pytest.fixture(params=engines.ENGINES)
def engine_name(request):
    if request.param != "sqlite" and engines.server_url(request.param) is None:
        pytest.skip(f"no {request.param} answers")
    return request.param


# MariaDB keeps what was done before; the others undo it, however far it was.
@pytest.mark.parametrize(
    ("engine_name", "revision"),
    [("sqlite", "0003"), ("postgresql", "0001"), ("mariadb", "0001"), ("mariadb", "0003")],
    indirect=["engine_name"],
)
def test_a_migration_that_was_killed_is_repeated(engine_name, revision, tmp_path):
    expected, statements, _ = undisturbed(engine_name, tmp_path, revision, FEW)
    number_of_kills = 2 if engine_name == "mariadb" else 1
    kills = random.Random(revision).sample(range(1, statements + 1), number_of_kills)
    with prepared(engine_name, tmp_path, revision, FEW) as (url, migrating):
        for number in sorted(kills):
            killed = migrate(url, number)
            killed.communicate(timeout=60)
            assert killed.returncode in (-9, 0)
        end(migrate(url))
        assert contents(migrating) == expected
        check_schema(migrating)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_every_half_of_a_migration_is_taken_on(engine_name, tmp_path):
    """Up, down and up again; a try ends before the first statement that no other has come to.

    In this process, by an exception: it is the statements on the server that count.
    """
    expected, _, _ = undisturbed(engine_name, tmp_path, "base", 0)

    class Ended(BaseException):
        pass

    reached: set[str] = set()

    def stop(_connection, _cursor, statement, *_) -> None:
        changes = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")
        if statement.split()[0] in changes and statement not in reached:
            reached.add(statement)
            raise Ended

    with prepared(engine_name, tmp_path, "base", 0) as (_, migrating):
        event.listen(migrating, "before_cursor_execute", stop)
        for revision in ("head", "base", "head"):
            while True:
                try:
                    to_revision(migrating, revision)
                    break
                except Ended:
                    pass
        assert len(reached) > 20
        assert contents(migrating) == expected


@pytest.mark.skipif(not USERS, reason="only with MIGRATION_USERS, because it takes minutes")
def test_a_large_migration_killed_at_random_moments(engine_name, tmp_path, record_property):
    expected, _, seconds = undisturbed(engine_name, tmp_path, FROM, USERS)
    moments = [random.Random(n).uniform(1, seconds + 3) for n in range(KILLS)]
    with prepared(engine_name, tmp_path, FROM, USERS) as (url, migrating):
        codes = []
        for moment in moments:
            process = migrate(url)
            time.sleep(moment)
            process.kill()
            process.communicate()
            codes.append(process.returncode)
        end(migrate(url))
        assert contents(migrating) == expected
    record_property("codes", codes)
