"""The API with all that belongs to it but a database: a Configurator gives the settings."""

from dataclasses import fields

from pyramid.config import Configurator

from users_service.jsonapi import Limits

PREFIX = "/api/v1"


def includeme(config: Configurator) -> None:
    settings = config.registry["settings"]
    config.include("users_service.security")
    config.include("users_service.jsonapi")
    limits = {limit.name: getattr(settings, limit.name) for limit in fields(Limits)}
    config.set_jsonapi_limits(Limits(**limits))
    config.include("users_service.resources", route_prefix=PREFIX)
    config.include("users_service.docs", route_prefix=PREFIX)
    config.include("users_service.health")
