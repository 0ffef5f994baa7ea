"""Sign-in, tokens and permissions: who sends a request, what it sees, and what it may change.

A request meets credentials and callers, then policy (may it come in?), visibility (what does it
see?), and under the locks checks (may it make this change?) with fields and administrators. A
sign-in meets throttle and passwords before that.
"""

from functools import partial

from pyramid.config import Configurator

from users_service.auth.assertions import check_assertions, create_assertion
from users_service.auth.checks import check_group, check_role, check_token, check_user
from users_service.auth.codes import purge_codes, set_password, verify
from users_service.auth.entry import entry_meta
from users_service.auth.errors import CODES, RULES
from users_service.auth.fields import own_fields
from users_service.auth.letters import composer
from users_service.auth.mail_requests import (
    check_email_change,
    check_setting,
    create_email_change,
    create_password_reset,
    create_sign_up,
)
from users_service.auth.owners import owned
from users_service.auth.passwords import Passwords
from users_service.auth.roles import take_role
from users_service.auth.secrets import digest, new_token
from users_service.auth.sign_in import create_token, prepare_token
from users_service.auth.tokens import end_tokens_of
from users_service.auth.tries import purge_tries
from users_service.auth.user_passwords import prepare_user
from users_service.auth.visibility import (
    hidden_of_users,
    seen_groups,
    seen_roles,
    seen_tokens,
    seen_users,
)
from users_service.jsonapi import Rules

USERS = Rules(visible=seen_users, hidden=hidden_of_users, check=check_user, own=own_fields("users"))
ROLES = Rules(visible=seen_roles, check=check_role)
GROUPS = Rules(visible=seen_groups, check=check_group)
TOKENS = Rules(visible=seen_tokens, check=check_token, own=own_fields("tokens"))

__all__ = [
    "GROUPS",
    "ROLES",
    "TOKENS",
    "USERS",
    "Passwords",
    "check_assertions",
    "check_email_change",
    "check_setting",
    "composer",
    "create_assertion",
    "create_email_change",
    "create_password_reset",
    "create_sign_up",
    "create_token",
    "digest",
    "end_tokens_of",
    "entry_meta",
    "includeme",
    "new_token",
    "owned",
    "prepare_token",
    "prepare_user",
    "purge_codes",
    "purge_tries",
    "set_password",
    "take_role",
    "verify",
]


def includeme(config: Configurator) -> None:
    # Set when the application is served, after this.
    cores = partial(config.registry.get, "cores", ())
    config.registry["passwords"] = Passwords(config.registry["settings"], cores)
    config.add_jsonapi_error_codes(CODES, RULES)
    for name in ("policy", "callers", "administrators", "tokens", "assertions", "owners"):
        config.include(f"{__name__}.{name}")
