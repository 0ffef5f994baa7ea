"""The environment of migrations, with the engine and the settings of the service."""

import sys
from logging.config import fileConfig

from alembic.util import CommandError

from alembic import context
from users_service.database import make_migrating_engine, run, settings_of
from users_service.faults import end_in_words
from users_service.models import Base, Exact, Json, UTCDateTime

config = context.config


def render_item(kind, item, autogenerate):
    """Write our column types as SQLAlchemy's, because migrations must not import the service."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogenerate.imports.add("from sqlalchemy.dialects import mysql")
        plain = "sa.DateTime(timezone=True)"
        return f'{plain}.with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")'
    if kind == "type" and isinstance(item, Exact):
        return f'sa.Numeric({item.digits}, {item.scale}).with_variant(sa.BigInteger(), "sqlite")'
    if kind == "type" and isinstance(item, Json):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def include_object(_object, name, kind, _reflected, _compare_to):
    """Ignore what is in no model: trigram indexes, which only PostgreSQL may have, and the tables of
    resources that were removed.
    """
    is_removed = kind == "table" and name.startswith("removed_")
    return not (is_removed or (kind == "index" and name.endswith("_trgm")))


def migrate(connection):
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        include_object=include_object,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_by_command_line(path):
    """Run a command of `alembic -c <ini file>`; a fault is told in a sentence."""
    if config.file_config.has_section("loggers"):
        fileConfig(config.file_config, disable_existing_loggers=False)
    with end_in_words():
        settings = settings_of(path)
        engine = make_migrating_engine(settings)
        try:
            run(engine, migrate, settings.lock_timeout)
        except CommandError as error:  # such as what stands in the way of a migration
            sys.exit(str(error))
        finally:
            engine.dispose()


if context.is_offline_mode():  # alembic --sql
    sys.exit("Migrations look at what is there, so they cannot be written as SQL.")
if "connection" in config.attributes:  # whoever gives one has a transaction and a lock of their own
    migrate(config.attributes["connection"])
elif "engine" in config.attributes:
    run(config.attributes["engine"], migrate, config.attributes["lock_timeout"])
else:
    migrate_by_command_line(config.config_file_name)
