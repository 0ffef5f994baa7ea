"""The map of the API: one line per resource."""

from pyramid.config import Configurator

from users_service.models import User
from users_service.schemas import UserSchema


def includeme(config: Configurator) -> None:
    config.add_jsonapi_resource(User, UserSchema)
