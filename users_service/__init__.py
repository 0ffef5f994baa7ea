"""The users service: a Pyramid application for PasteDeploy. This module includes its parts.

Imports are inside of functions, so that a part of the package can be imported without the others.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyramid.config import Configurator
    from pyramid.router import Router

PREFIX = "/api/v1"


def main(global_config: dict[str, str], **ini: str) -> Router:
    """Make the WSGI application: the `paste.app_factory` of this package.

    :param ini: the keys of the ini file's `[app:main]`.
    :raises SystemExit: with all faults of the settings, the database or the resources, as text.
    """
    # The objects made at start stay. Without garbage collection, a start takes a tenth less time.
    gc.disable()
    try:
        from users_service.faults import end_in_words

        with end_in_words():
            return configure(ini).make_wsgi_app()
    finally:
        gc.enable()


def configure(ini: dict[str, Any]) -> Configurator:
    """Return the configuration of the application.

    :param ini: the keys of the ini file's `[app:main]`.
    :raises SettingsError: with all faults of the settings.
    :raises SchemaError: if the database has another revision than this version needs.
    """
    from pyramid.config import Configurator

    from users_service.settings import load

    config = Configurator(settings=ini)
    config.registry["settings"] = load(ini, os.environ)
    config.include("users_service.database")
    config.include("users_service")
    return config


def includeme(config: Configurator) -> None:
    """Include everything but the database. The OpenAPI document is made without one."""
    config.include("users_service.jsonapi")
    config.include("users_service.auth")
    config.include("users_service.resources", route_prefix=PREFIX)
    config.include("users_service.auth.oauth", route_prefix=PREFIX)
    config.include("users_service.docs", route_prefix=PREFIX)
    config.include("users_service.ui")
    config.include("users_service.health")
    config.include("users_service.targets")
    config.include("users_service.headers", route_prefix=PREFIX)
