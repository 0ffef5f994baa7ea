"""Runs Alembic with the settings of the service, and checks the revision of the database."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from users_service.database.driver_errors import Outcome, Rule, rule_of
from users_service.database.engine import make_migrating_engine
from users_service.database.migration_lock import OvertakenError, locked, revisions_of
from users_service.database.requirements import (
    READ_ONLY,
    SchemaError,
    check_database,
    reason_of,
)
from users_service.settings import Settings, load, read

SCRIPTS = Path(__file__).parents[1] / "alembic"

log = logging.getLogger(__name__)

# Tries until a migration has each lock that it needs.
TRIES = 20
# Seconds, as the setting has it by default.
LOCK_TIMEOUT = 5.0


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
    :raises SchemaError: if the database cannot be migrated.
    """
    settings = settings_of(ini)
    engine = make_migrating_engine(settings)
    try:
        upgrade_database(engine, settings.lock_timeout)
    finally:
        engine.dispose()


def upgrade_database(engine: Engine, lock_timeout: float = LOCK_TIMEOUT) -> None:
    """Upgrade a database to the newest revision.

    :param lock_timeout: seconds that a statement waits for another transaction's lock.
    :raises SchemaError: if the database cannot be migrated.
    """
    # Here, because Alembic takes 11 MiB, and processes that serve have no use for it.
    from alembic.config import Config
    from alembic.util import CommandError

    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes.update(engine=engine, lock_timeout=lock_timeout)
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # such as a revision that this version does not know
        raise SchemaError(f"The database cannot be migrated: {error}") from error


def run(engine: Engine, migrate: Callable[[Connection], None], lock_timeout: float) -> None:
    """Run a migration in a transaction and under a lock; again if a lock was not to be had.

    On MariaDB, whose DDL commits by itself, and where a step commits what was done (`go_on`), each
    step must do nothing if it has been done.

    :param migrate: what Alembic does, with a connection.
    :param lock_timeout: seconds that a statement waits for another transaction's lock.
    :raises SchemaError: if the database cannot do the job, does not answer, or is in use for long.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with _connected(engine) as connection:
                with connection.begin():
                    check_database(connection)
                with locked(connection, lock_timeout):
                    migrate(connection)
            return
        except OvertakenError:
            log.info("Another process has migrated the database meanwhile: looking again.")
            continue
        except DBAPIError as error:
            rule = rule_of(error.orig)
            if rule.outcome is not Outcome.RETRY:
                raise SchemaError(_failure(error, rule)) from error
            log.warning("Try %d of %d: %s", attempt, TRIES, reason_of(error))
        if engine.dialect.name != "sqlite":
            # Whoever wants the table queues behind a migration that waits for it: let them go on.
            time.sleep(lock_timeout)
    raise SchemaError(
        f"The database was not migrated: in {TRIES} tries, other transactions held a lock that it"
        f" needs for longer than lock_timeout, which is {lock_timeout:g} s."
    )


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """Connect for a check or a migration, and close the connection: the pool does not keep it.

    :raises SchemaError: if the database does not answer.
    """
    try:
        connection = engine.connect()
    except DBAPIError as error:
        raise SchemaError(f"The database does not answer: {reason_of(error)}.") from None
    with connection:
        try:
            yield connection
        finally:
            connection.invalidate()


def _failure(error: DBAPIError, rule: Rule) -> str:
    if rule.read_only:
        return f"The database cannot be used: {READ_ONLY}."
    return f"The database was not migrated: {reason_of(error)}."


def check_schema(engine: Engine) -> None:
    """Check that the database can do the job, and has the revision that this version needs.

    :raises SchemaError: if not, or if it does not answer.
    """
    try:
        with _connected(engine) as connection:
            check_database(connection)
            found = revisions_of(connection)
    except DBAPIError as error:
        raise SchemaError(f"The database does not answer: {reason_of(error)}.") from None
    needed = newest_revision()
    if found != [needed]:
        raise SchemaError(
            f"The database is at revision {', '.join(found) or 'none'}, but this version of the "
            f"service needs {needed}.\nRun: alembic -c <your ini file> upgrade head"
        )


def newest_revision() -> str:
    """The newest revision of the migrations, whose files begin with their numbers."""
    return max(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))
