"""A security policy that grants what a test says, in place of the service's own."""

from typing import Any

from pyramid.request import Request
from pyramid.security import Allowed, Denied

from users_service.permissions import covers


class GrantingPolicy:
    """Grants the same to every request.

    :param permissions: names such as `users:read`.
    """

    def __init__(self, permissions: frozenset[str]) -> None:
        self.permissions = permissions

    def authenticated_userid(self, request: Request) -> None:
        return None

    def forget(self, request: Request, **options: Any) -> list[tuple[str, str]]:
        return []

    def permits(self, request: Request, context: Any, permission: str) -> Allowed | Denied:
        if covers(self.permissions, permission):
            return Allowed("%s is granted", permission)
        return Denied("%s is not granted", permission)
