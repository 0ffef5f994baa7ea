"""The database: engines, the connection and transaction of a request, and migrations."""

from pyramid.config import Configurator

from users_service.database.migrations import SchemaError

__all__ = ["SchemaError", "includeme"]


def includeme(config: Configurator) -> None:
    config.include("users_service.database.transactions")
    config.include("users_service.database.requests")
