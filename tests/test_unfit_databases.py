"""Databases that cannot do the job: neither migrated nor served, and why; and those that stop."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, event, make_url, text

from tests import engines
from tests.client import USERS, sources, user
from tests.server import ROOT, process
from tests.service import Service, dispose
from tests.serving.processes import exchange
from users_service import main
from users_service.cli import main as users_service_command
from users_service.database.engine import make_engine
from users_service.database.migrations import check_schema, upgrade_database
from users_service.database.requirements import SchemaError, mariadb_faults, postgresql_faults
from users_service.settings import load

BIN = Path(sys.executable).parent


def engine_of(url: str):
    return make_engine(load({"users_service.database_url": url}, {}))


def refusals(url: str) -> set[str]:
    """What `users-service migrate` and the start say of a database."""
    said = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USERS_SERVICE_DATABASE_URL", url)
        with pytest.raises(SystemExit) as stopped:
            users_service_command(["migrate", str(ROOT / "production.ini")])
        said.add(str(stopped.value))
    with pytest.raises(SystemExit) as stopped:
        main({}, **{"users_service.database_url": url})
    said.add(str(stopped.value))
    return said


@contextmanager
def postgresql_database(*clauses: str):
    name = f"unfit_{uuid4().hex}"
    address = make_url(engines.server_url("postgresql"))
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 {' '.join(clauses)}"))
    yield address.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
def test_a_postgresql_database_that_is_not_in_utf_8(encoding):
    with postgresql_database(f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'") as url:
        expected = f"The database cannot be used: its encoding is {encoding}, and must be UTF8."
        assert refusals(url) == {expected}


def test_a_postgresql_database_without_the_collation():
    with postgresql_database() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("SET allow_system_table_mods = on"))
            connection.execute(text('DROP COLLATION pg_catalog."C.utf8"'))
        engine.dispose()
        (said,) = refusals(url)
        assert "it has no collation C.utf8" in said


@pytest.mark.parametrize(
    ("faults", "found", "said"),
    [
        (
            postgresql_faults,
            {"version": 13, "name": "13.9", "encoding": "UTF8", "has_collation": True},
            ["it needs PostgreSQL 14 or newer, and this is 13.9"],
        ),
        (
            postgresql_faults,
            {"version": 14, "name": "14.0", "encoding": "UTF8", "has_collation": True},
            [],
        ),
        (
            mariadb_faults,
            {"version": "8.4.3", "has_innodb": True, "has_collation": False},
            ["it needs MariaDB, and this is MySQL 8.4.3"],
        ),
        (
            mariadb_faults,
            {"version": "10.5.29-MariaDB-log", "has_innodb": True, "has_collation": True},
            ["it needs MariaDB 10.6 or newer, and this is 10.5.29"],
        ),
        (
            mariadb_faults,
            {"version": "11.4.2-MariaDB", "has_innodb": False, "has_collation": False},
            [
                "it has no InnoDB, whose tables have transactions",
                "it has no collation utf8mb4_nopad_bin, by which texts are compared",
            ],
        ),
        (
            mariadb_faults,
            {"version": "10.6.0-MariaDB", "has_innodb": True, "has_collation": True},
            [],
        ),
    ],
)
def test_old_servers_and_others(faults, found, said):
    assert faults(SimpleNamespace(read_only=False, **found)) == said


def test_an_old_library_of_sqlite(tmp_path):
    engine = engine_of(f"sqlite:///{tmp_path}/users.sqlite3")

    @event.listens_for(engine, "connect")
    def _grow_old(connection, _record) -> None:
        connection.create_function("sqlite_version", 0, lambda: "3.34.1")

    for use in (upgrade_database, check_schema):
        with pytest.raises(SchemaError, match=r"it needs SQLite 3\.35\.0 or newer, and .* 3\.34"):
            use(engine)
    engine.dispose()


@pytest.fixture
def public_folder():
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="users-service-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# Root may write everything, unless this is taken from it.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
takes_rights = pytest.mark.skipif(
    bool(WITHOUT_RIGHTS) and shutil.which("setpriv") is None, reason="setpriv is not there"
)


@takes_rights
@pytest.mark.parametrize("command", ["users-service migrate", "pserve"])
def test_a_file_that_may_not_be_written(tmp_path, command):
    path = tmp_path / "users.sqlite3"
    path.touch(mode=0o444)
    done = subprocess.run(
        [*WITHOUT_RIGHTS, BIN / command.split()[0], *command.split()[1:], "production.ini"],
        cwd=ROOT,
        env=os.environ | {"USERS_SERVICE_DATABASE_URL": f"sqlite:///{path}"},
        capture_output=True,
        text=True,
    )
    said = "The database cannot be used: its file or the folder of it is read-only."
    assert (done.returncode, done.stderr.strip()) == (1, said)


def write(service) -> tuple[int, str]:
    response = service.client.post(USERS, user(email=f"{uuid4()}@example.com", name="Ada"))
    code = sources(response)[0][1] if response.status_int >= 400 else ""
    assert ("Retry-After" in response.headers) == (response.status_int == 503)
    return response.status_int, code


def assert_takes_changes(service) -> None:
    assert service.client.get("/readyz").status_int == 200
    assert write(service) == (201, "")


def assert_reads_only(service) -> None:
    assert write(service) == (503, "unavailable")
    ready = service.client.get("/readyz")
    assert (ready.status_int, sources(ready)) == (503, [("", "unavailable")])
    assert ready.headers["Retry-After"]
    assert service.client.get(USERS).status_int == 200
    assert write(service) == (503, "unavailable")


@contextmanager
def served(engine: str, url: str):
    migrating = engine_of(url)
    upgrade_database(migrating)
    migrating.dispose()
    service = Service(engine, url)
    yield service
    dispose(service.app)


def test_a_postgresql_server_that_becomes_a_standby_and_is_promoted(public_folder):
    folder = public_folder / "postgresql"
    url, stop = engines.start_postgresql(folder)
    with served("postgresql", url) as service:
        assert_takes_changes(service)
        stop()
        (folder / "standby.signal").touch()
        again, stop = engines.start_postgresql(folder)
        assert again == url
        try:
            assert_reads_only(service)
            assert refusals(url) == {"The database cannot be used: it is read-only."}
            other = create_engine(url)
            with other.connect() as connection:
                connection.execute(text("SELECT pg_promote()"))
            other.dispose()
            assert_takes_changes(service)
        finally:
            stop()


def test_a_mariadb_server_that_becomes_read_only(public_folder):
    if (binary := engines.mariadb_binary()) is None:
        pytest.skip("no server binary of MariaDB was found")
    address, stop = engines.start_mariadb(binary, public_folder / "mariadb")
    with ExitStack() as stack:
        stack.callback(stop)
        root = create_engine(address, isolation_level="AUTOCOMMIT")
        stack.callback(root.dispose)
        connection = stack.enter_context(root.connect())
        # Whoever may do everything may also write where others may not.
        for statement in (
            "CREATE DATABASE users",
            "CREATE USER service@127.0.0.1 IDENTIFIED BY 'secret'",
            "GRANT ALL ON users.* TO service@127.0.0.1",
        ):
            connection.exec_driver_sql(statement)
        url = make_url(address).set(username="service", password="secret", database="users")
        plain = url.render_as_string(hide_password=False)
        service = stack.enter_context(served("mariadb", plain))
        assert_takes_changes(service)
        connection.exec_driver_sql("SET GLOBAL read_only = 1")
        assert_reads_only(service)
        assert refusals(plain) == {"The database cannot be used: it is read-only."}
        connection.exec_driver_sql("SET GLOBAL read_only = 0")
        assert_takes_changes(service)


@takes_rights
def test_a_file_that_may_be_written_no_longer(tmp_path):
    path = tmp_path / "users.sqlite3"
    url = f"sqlite:///{path}"
    engine = engine_of(url)
    upgrade_database(engine)
    engine.dispose()
    command = [*WITHOUT_RIGHTS, BIN / "pserve"]
    environ = {
        "USERS_SERVICE_DATABASE_URL": url,
        "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "*",
    }
    with process(ROOT / "production.ini", environ, command=command) as (address, _):
        port = int(address.rpartition(":")[2])

        def statuses() -> tuple[int, int, int]:
            document = user(email=f"{uuid4()}@example.com", name="Ada")
            written = exchange(port, "POST", USERS, document)[0].status
            ready = exchange(port, "GET", "/readyz")[0].status
            return written, ready, exchange(port, "GET", USERS)[0].status

        assert statuses() == (201, 200, 200)
        path.chmod(0o444)
        tmp_path.chmod(0o555)
        try:
            assert [statuses(), statuses()] == [(503, 503, 200)] * 2
        finally:
            path.chmod(0o644)
            tmp_path.chmod(0o755)
        assert statuses() == (201, 200, 200)
