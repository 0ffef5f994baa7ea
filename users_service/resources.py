"""The map of the API: one line per resource."""

from pyramid.config import Configurator

from users_service.models import Group, Role, User
from users_service.schemas import GroupSchema, RoleSchema, UserSchema


def includeme(config: Configurator) -> None:
    config.add_jsonapi_resource(User, UserSchema)
    config.add_jsonapi_resource(Role, RoleSchema)
    config.add_jsonapi_resource(Group, GroupSchema)
    config.add_jsonapi_entry()
