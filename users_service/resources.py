"""The resources of the API, one line for each, and its forms."""

from dataclasses import fields

from pyramid.config import Configurator

from users_service import auth
from users_service.jsonapi import Limits
from users_service.models import Group, Role, Token, User
from users_service.schemas import (
    AssertionSchema,
    EmailChangeSchema,
    GroupSchema,
    NewPasswordSchema,
    PasswordResetSchema,
    RoleSchema,
    SignUpSchema,
    TokenSchema,
    UserSchema,
    VerificationSchema,
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
    add_mailed_forms(config)
    settings = config.registry["settings"]
    limits = {limit.name: getattr(settings, limit.name) for limit in fields(Limits)}
    config.set_jsonapi_limits(Limits(**limits))


def add_mailed_forms(config: Configurator) -> None:
    """Add what asks for mail, and what takes the codes in it."""
    add = config.add_jsonapi_form
    add(
        "/auth/sign-ups",
        SignUpSchema,
        auth.create_sign_up,
        guard=auth.check_setting("sign_up"),
        status=202,
        failures=(401, 429),
    )
    add(
        "/auth/verifications",
        VerificationSchema,
        auth.verify,
        guard=auth.check_setting("sign_up", "email_change"),
        status=204,
        failures=(401,),
    )
    add(
        "/auth/password-resets",
        PasswordResetSchema,
        auth.create_password_reset,
        guard=auth.check_setting("password_reset"),
        status=202,
        failures=(401, 429),
    )
    add(
        "/auth/passwords",
        NewPasswordSchema,
        auth.set_password,
        guard=auth.check_setting("password_reset"),
        status=204,
        failures=(401,),
    )
    add(
        "/auth/emails",
        EmailChangeSchema,
        auth.create_email_change,
        guard=auth.check_email_change,
        status=202,
        failures=(403, 429),
        permissions=("self:update",),
    )
