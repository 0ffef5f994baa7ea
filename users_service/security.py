"""The security policy: every request is anonymous, and has the permissions of a setting."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.security import Allowed, Denied


class AnonymousPolicy:
    """A Pyramid security policy for requests without a token.

    :param permissions: names such as `users:read`; `users:*` for all of a type, `*` for all.
    """

    def __init__(self, permissions: frozenset[str]) -> None:
        self.permissions = permissions

    def authenticated_userid(self, request: Request) -> None:
        return None

    def forget(self, request: Request, **_: Any) -> list[tuple[str, str]]:
        return []

    def permits(self, request: Request, context: Any, permission: str) -> Allowed | Denied:
        type_, _, _ = permission.partition(":")
        if self.permissions & {permission, f"{type_}:*", "*"}:
            return Allowed("%s is granted to everyone", permission)
        return Denied("%s is not granted to everyone", permission)


def includeme(config: Configurator) -> None:
    permissions = config.registry["settings"].anonymous_permissions
    config.set_security_policy(AnonymousPolicy(permissions))
