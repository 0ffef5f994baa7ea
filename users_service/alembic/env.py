"""The environment of migrations, with the engine and the settings of the service."""

from logging.config import fileConfig

from alembic import context
from users_service.database import make_engine, settings_of
from users_service.faults import end_in_words
from users_service.models import Base, UTCDateTime

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def render_item(kind, item, autogenerate):
    """Write our column types as SQLAlchemy's, because migrations must not import the service."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogenerate.imports.add("from sqlalchemy.dialects import mysql")
        plain = "sa.DateTime(timezone=True)"
        return f'{plain}.with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")'
    return False


def include_object(_object, name, kind, _reflected, _compare_to):
    """Ignore trigram indexes: they are in no model, because only PostgreSQL may have them."""
    return not (kind == "index" and name.endswith("_trgm"))


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


connection = config.attributes.get("connection")
if connection is not None:
    migrate(connection)
else:
    with end_in_words():
        engine = make_engine(settings_of(config.config_file_name))
        with engine.begin() as connection:
            migrate(connection)
        engine.dispose()
