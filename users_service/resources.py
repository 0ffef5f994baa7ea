"""The resources of the API, one line for each, and its forms."""

from dataclasses import fields

from pyramid.config import Configurator

from users_service import auth
from users_service.jsonapi import Limits
from users_service.models import Group, Role, Token, User
from users_service.schemas import (
    AssertionSchema,
    GroupSchema,
    RoleSchema,
    TokenSchema,
    UserSchema,
)


def includeme(config: Configurator) -> None:
    add = config.add_jsonapi_resource
    add(User, UserSchema, rules=auth.USERS, prepare=auth.prepare_user)
    add(Role, RoleSchema, rules=auth.ROLES)
    add(Group, GroupSchema, rules=auth.GROUPS)
    add(
        Token,
        TokenSchema,
        rules=auth.TOKENS,
        prepare=auth.prepare_token,
        create=auth.create_token,
    )
    config.add_jsonapi_entry(meta=auth.entry_meta)
    config.add_jsonapi_form(
        "/auth/assertions",
        AssertionSchema,
        auth.create_assertion,
        guard=auth.check_assertions,
        shows=True,
        permissions=(),
    )
    settings = config.registry["settings"]
    limits = {limit.name: getattr(settings, limit.name) for limit in fields(Limits)}
    config.set_jsonapi_limits(Limits(**limits))
