"""The resources of the API: one line for each."""

from dataclasses import fields

from pyramid.config import Configurator

from users_service.jsonapi import Limits
from users_service.models import Group, Role, User
from users_service.schemas import GroupSchema, RoleSchema, UserSchema


def includeme(config: Configurator) -> None:
    config.add_jsonapi_resource(User, UserSchema)
    config.add_jsonapi_resource(Role, RoleSchema)
    config.add_jsonapi_resource(Group, GroupSchema)
    config.add_jsonapi_entry()
    settings = config.registry["settings"]
    limits = {limit.name: getattr(settings, limit.name) for limit in fields(Limits)}
    config.set_jsonapi_limits(Limits(**limits))
