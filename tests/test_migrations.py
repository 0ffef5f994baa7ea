"""Migrations: up, down, in step with the models, and demanded before anything is served."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url

from alembic import command
from users_service import main
from users_service.cli import main as users_service_command
from users_service.database.engine import make_engine
from users_service.database.migrations import SCRIPTS, newest_revision, upgrade_database
from users_service.models.base import Base
from users_service.settings import load

ROOT = Path(__file__).parent.parent


@pytest.fixture
def engine(empty_database):
    engine = make_engine(load({"users_service.database_url": empty_database}, {}))
    yield engine
    engine.dispose()


@pytest.fixture
def ini(empty_database, tmp_path) -> Path:
    """An ini file whose database is given by the environment, as production.ini's is."""
    path = tmp_path / "service.ini"
    path.write_text((ROOT / "production.ini").read_text())
    return path


def tables(engine) -> set[str]:
    """The tables, but for those of described resources that a downgrade keeps with their rows."""
    names = inspect(engine).get_table_names()
    return {name for name in names if not name.startswith("removed_")}


def test_up_and_down_and_up_again(engine):
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes.update(engine=engine, lock_timeout=1)
    upgrade_database(engine)
    assert tables(engine) == {*Base.metadata.tables, "alembic_version"}
    command.downgrade(config, "base")
    assert tables(engine) == {"alembic_version"}
    upgrade_database(engine)
    assert tables(engine) == {*Base.metadata.tables, "alembic_version"}


def test_the_newest_revision_is_that_of_alembic():
    assert [newest_revision()] == ScriptDirectory(str(SCRIPTS)).get_heads()


def test_a_process_that_serves_does_without_alembic():
    program = "import sys, users_service.serving, users_service.resources; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "users_service.database.migrations" in modules
    assert "alembic" not in modules


def in_models(_object, name, kind, _reflected, _compare_to) -> bool:
    """Indexes of trigrams are where PostgreSQL has them, and so in no model."""
    return not (kind == "index" and name.endswith("_trgm"))


def test_the_models_and_the_migrations_are_the_same(engine):
    upgrade_database(engine)
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": in_models,
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


# SQLite compares text by its bytes unless it is told otherwise.
@pytest.mark.parametrize(
    ("empty_database", "schema", "exact"),
    [
        ("postgresql", "current_schema()", "C"),
        ("mariadb", "database()", "utf8mb4_nopad_bin"),
    ],
    indirect=["empty_database"],
)
def test_text_is_stored_under_an_exact_collation(engine, schema, exact):
    upgrade_database(engine)
    with engine.connect() as connection:
        collations = connection.exec_driver_sql(
            "SELECT column_name, collation_name FROM information_schema.columns"
            f" WHERE table_name = 'users' AND table_schema = {schema}"
        ).all()
    assert {("email", exact), ("email_key", exact), ("name", exact)} <= {*map(tuple, collations)}


def indexes(engine) -> set[str]:
    return {str(index["name"]) for index in inspect(engine).get_indexes("users")}


TRIGRAMS = {"ix_users_email_folded_trgm", "ix_users_name_folded_trgm"}


def test_texts_are_searched_by_trigrams_where_the_engine_has_them(engine):
    upgrade_database(engine)
    expected = TRIGRAMS if engine.dialect.name == "postgresql" else set()
    assert indexes(engine) & TRIGRAMS == expected


@pytest.fixture
def modest_engine(engine, empty_database):
    """An engine whose user may make tables, but no extensions."""
    name = f"modest_{uuid4().hex}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        connection.exec_driver_sql(f"GRANT ALL ON SCHEMA public TO {name}")
    url = make_url(empty_database).set(username=name, password="secret")
    modest = make_engine(
        load({"users_service.database_url": url.render_as_string(hide_password=False)}, {})
    )
    yield modest
    modest.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
        connection.exec_driver_sql(f"DROP ROLE {name}")


@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
def test_a_database_is_migrated_without_trigrams_where_it_cannot_have_them(modest_engine, caplog):
    upgrade_database(modest_engine)
    assert tables(modest_engine) == {*Base.metadata.tables, "alembic_version"}
    assert indexes(modest_engine) & TRIGRAMS == set()
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "No trigram indexes" in record.getMessage()
    assert "permission denied" in record.getMessage()


def test_a_database_without_tables_is_not_served(empty_database):
    with pytest.raises(SystemExit) as stopped:
        main({}, **{"users_service.database_url": empty_database})
    assert "The database is at revision none" in str(stopped.value)
    assert "alembic -c <your ini file> upgrade head" in str(stopped.value)


def test_a_database_of_another_version_is_not_served(engine, empty_database):
    upgrade_database(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    with pytest.raises(SystemExit, match="The database is at revision ffff, but this version"):
        main({}, **{"users_service.database_url": empty_database})


def test_a_database_that_does_not_answer_is_named_without_its_password():
    url = "postgresql+psycopg://users:secret@127.0.0.1:1/users"
    with pytest.raises(SystemExit, match="The database does not answer") as stopped:
        main({}, **{"users_service.database_url": url})
    assert "secret" not in str(stopped.value)


@pytest.mark.parametrize("empty_database", ["sqlite", "postgresql"], indirect=True)
def test_alembic_and_the_service_read_the_same_settings(engine, empty_database, ini, monkeypatch):
    monkeypatch.setenv("USERS_SERVICE_DATABASE_URL", empty_database)
    for arguments in (["upgrade", "head"], ["check"], ["downgrade", "base"]):
        command_line = [sys.executable, "-m", "alembic", "-c", str(ini), *arguments]
        subprocess.run(command_line, check=True, capture_output=True, cwd=ini.parent)
    assert tables(engine) == {"alembic_version"}


def test_the_command_migrates(engine, empty_database, ini, monkeypatch, capsys):
    monkeypatch.setenv("USERS_SERVICE_DATABASE_URL", empty_database)
    users_service_command(["migrate", str(ini)])
    assert "up to date" in capsys.readouterr().out
    assert "users" in tables(engine)


def test_the_command_says_what_is_wrong_with_the_settings():
    with pytest.raises(SystemExit, match=r"USERS_SERVICE_DATABASE_URL\) is required"):
        users_service_command(["migrate", str(ROOT / "production.ini")])
