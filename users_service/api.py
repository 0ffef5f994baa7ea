"""The API with all that belongs to it but a database: a Configurator gives the settings."""

from dataclasses import fields
from typing import Any

from pyramid.config import Configurator

from users_service.jsonapi import Limits
from users_service.settings import Settings

PREFIX = "/api/v1"


def includeme(config: Configurator) -> None:
    settings: Settings = config.registry["settings"]
    config.include("users_service.security")
    config.include("users_service.jsonapi")
    limits = {limit.name: getattr(settings, limit.name) for limit in fields(Limits)}
    config.set_jsonapi_limits(Limits(**limits))
    config.include("users_service.resources", route_prefix=PREFIX)
    config.include("users_service.docs", route_prefix=PREFIX)
    config.include("users_service.health")


def describe(settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI document of the API, with servers relative to where it is put."""
    config = Configurator()
    config.registry["settings"] = settings
    config.include(includeme)
    config.commit()
    document: dict[str, Any] = config.registry["jsonapi_description"].document
    return document | {"servers": [{"url": "/"}]}
