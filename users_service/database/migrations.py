"""Runs Alembic with the settings of the service, and checks the revision of the database."""

import os
from collections.abc import Mapping
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from alembic import command
from users_service.database.engine import make_engine, said
from users_service.settings import Settings, load, read

SCRIPTS = Path(__file__).parents[1] / "alembic"


class SchemaError(Exception):
    """The database has another revision than the service needs, or does not answer."""


def settings_of(ini: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of an ini file, as the service does.

    :param ini: the path of the ini file.
    :param environ: environment variables; those of the process by default.
    :raises SettingsError: with all faults of the settings.
    """
    return load(read(ini), os.environ if environ is None else environ)


def upgrade(ini: str) -> None:
    """Upgrade the database of an ini file to the newest revision.

    :param ini: the path of the ini file.
    :raises SettingsError: with all faults of the settings.
    """
    engine = make_engine(settings_of(ini))
    upgrade_database(engine)
    engine.dispose()


def upgrade_database(engine: Engine) -> None:
    """Upgrade a database to the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_schema(engine: Engine) -> None:
    """Check that the database has the revision that this version of the service needs.

    :raises SchemaError: if it has another revision, or does not answer.
    """
    needed = ScriptDirectory(str(SCRIPTS)).get_heads()
    try:
        with engine.connect() as connection:
            connection.detach()  # closed at the end, and not kept in the pool
            found = MigrationContext.configure(connection).get_current_heads()
    except DBAPIError as error:
        raise SchemaError(f"The database does not answer: {said(error)}") from None
    if set(found) != set(needed):
        raise SchemaError(
            f"The database is at revision {', '.join(found) or 'none'}, but this version of the "
            f"service needs {', '.join(needed)}.\nRun: alembic -c <your ini file> upgrade head"
        )
