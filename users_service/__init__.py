"""The users service: a Pyramid application for PasteDeploy. This page is its table of contents.

Its imports stand inside of its functions, so that a part of the package can be used by itself.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyramid.config import Configurator
    from pyramid.router import Router

PREFIX = "/api/v1"


def main(global_config: dict[str, str], **ini: str) -> Router:
    """Make the WSGI application: the `paste.app_factory` of this package.

    :param ini: the keys of the ini file's `[app:main]`.
    :raises SystemExit: with all that keeps the service from being started, for the operator.
    """
    # Nothing that is made here becomes garbage; looking for it takes a tenth of the start.
    gc.disable()
    try:
        from pyramid.exceptions import ConfigurationExecutionError

        from users_service.database import SchemaError
        from users_service.jsonapi import ResourceError
        from users_service.settings import SettingsError

        try:
            return configure(ini).make_wsgi_app()
        except (SettingsError, SchemaError) as error:
            sys.exit(str(error))
        except ConfigurationExecutionError as error:
            if not isinstance(error.evalue, ResourceError):
                raise
            sys.exit(str(error.evalue))
    finally:
        gc.enable()


def configure(ini: dict[str, Any]) -> Configurator:
    """Put the application together.

    :param ini: the keys of the ini file's `[app:main]`.
    :raises SettingsError: with every fault of the settings.
    :raises SchemaError: if the database is not the one that this version needs.
    """
    from pyramid.config import Configurator

    from users_service.settings import load

    config = Configurator(settings=ini)
    config.registry["settings"] = load(ini, os.environ)
    config.include("users_service.database")
    config.include("users_service")
    return config


def includeme(config: Configurator) -> None:
    """Include everything but the database, for the service and for its description."""
    config.include("users_service.security")
    config.include("users_service.jsonapi")
    config.include("users_service.resources", route_prefix=PREFIX)
    config.include("users_service.docs", route_prefix=PREFIX)
    config.include("users_service.health")
