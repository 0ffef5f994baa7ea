"""The database: engines, the connection and transaction of a request, retries, migrations.

At start come migrations and engine. A request meets retries, then transactions.
"""

from pyramid.config import Configurator

from users_service.database.engine import changes, make_engine, said
from users_service.database.migrations import (
    SchemaError,
    check_schema,
    settings_of,
    upgrade,
    upgrade_database,
)

__all__ = [
    "SchemaError",
    "changes",
    "check_schema",
    "includeme",
    "make_engine",
    "said",
    "settings_of",
    "upgrade",
    "upgrade_database",
]


def includeme(config: Configurator) -> None:
    for name in ("transactions", "retries", "requests"):
        config.include(f"users_service.database.{name}")
