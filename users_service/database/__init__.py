"""The database: engines, the connection and transaction of a request, retries, migrations.

At start come migrations and engine. A request meets retries, then transactions.
"""

from pyramid.config import Configurator

from users_service.database.engine import changes, make_engine, make_migrating_engine
from users_service.database.migrations import (
    check_schema,
    run,
    settings_of,
    upgrade,
    upgrade_database,
)
from users_service.database.purging import delete_some
from users_service.database.requirements import SchemaError, reason_of
from users_service.database.retries import StartOverError, in_transaction, is_conflict
from users_service.database.transactions import may_change, takes_changes

__all__ = [
    "SchemaError",
    "StartOverError",
    "changes",
    "check_schema",
    "delete_some",
    "in_transaction",
    "includeme",
    "is_conflict",
    "make_engine",
    "make_migrating_engine",
    "may_change",
    "reason_of",
    "run",
    "settings_of",
    "steps",
    "takes_changes",
    "upgrade",
    "upgrade_database",
]


def includeme(config: Configurator) -> None:
    for name in ("transactions", "retries", "requests"):
        config.include(f"users_service.database.{name}")
