"""The application, put together."""

import os
import sys
from typing import Any

from pyramid.config import Configurator
from pyramid.router import Router

from users_service.migrations import SchemaError
from users_service.settings import SettingsError, load


def make_application(ini: dict[str, Any]) -> Router:
    """Make the WSGI application.

    :param ini: the keys of the ini file's `[app:main]`.
    :raises SystemExit: with all that keeps the service from being started, for the operator.
    """
    try:
        return configure(ini).make_wsgi_app()
    except (SettingsError, SchemaError) as error:
        sys.exit(str(error))


def configure(ini: dict[str, Any]) -> Configurator:
    """Put the application together.

    :raises SettingsError: with every fault of the settings.
    :raises SchemaError: if the database is not the one that this version needs.
    """
    settings = load(ini, os.environ)
    config = Configurator(settings=ini)
    config.registry["settings"] = settings
    config.include("users_service.transactions")
    config.include("users_service.api")
    config.include("users_service.requests")
    return config
