"""Who may write which field: the one table of it, which docs/security.md prints."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Writers:
    """Who may write a field of a resource that is there.

    :param permission: whoever has it.
    :param own: also the user itself with `self:update`: of its own user or its own tokens.
    :param managers: also the managers of the group with `self:update`.
    """

    permission: str
    own: bool = False
    managers: bool = False


# On creation the attributes need `<type>:create`, and the relationships what they need here.
FIELDS: dict[str, dict[str, Writers]] = {
    "users": {
        "email": Writers(permission="users:update"),
        "name": Writers(permission="users:update", own=True),
        "is_active": Writers(permission="users:update"),
        "password": Writers(permission="users:update", own=True),
        "current_password": Writers(permission="users:update", own=True),
        "role": Writers(permission="roles:assign"),
        "groups": Writers(permission="groups:update"),
    },
    "roles": {
        "name": Writers(permission="roles:update"),
        "description": Writers(permission="roles:update"),
        "permissions": Writers(permission="roles:update"),
        "users": Writers(permission="roles:assign"),
    },
    "groups": {
        "name": Writers(permission="groups:update", managers=True),
        "description": Writers(permission="groups:update", managers=True),
        "members": Writers(permission="groups:update", managers=True),
        "managers": Writers(permission="groups:update"),
    },
    "tokens": {
        "name": Writers(permission="tokens:create", own=True),
    },
}


def own_fields(kind: str) -> frozenset[str]:
    """The fields of a type that users may change of what is their own."""
    return frozenset(name for name, writers in FIELDS[kind].items() if writers.own)
