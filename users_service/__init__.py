"""The users service: a Pyramid application for PasteDeploy."""

import os
import sys
from dataclasses import fields
from typing import Any

from pyramid.config import Configurator
from pyramid.router import Router

from users_service.jsonapi import Limits
from users_service.migrations import SchemaError
from users_service.settings import SettingsError, load


def main(global_config: dict[str, str], **ini: str) -> Router:
    """Make the WSGI application: the `paste.app_factory` of this package.

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
    config.include("users_service.security")
    config.include("users_service.jsonapi")
    limits = {limit.name: getattr(settings, limit.name) for limit in fields(Limits)}
    config.set_jsonapi_limits(Limits(**limits))
    config.include("users_service.resources", route_prefix="/api/v1")
    config.include("users_service.health")
    return config
