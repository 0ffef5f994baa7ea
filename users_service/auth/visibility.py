"""Who sees which resources, and which of their fields."""

from uuid import UUID

from pyramid.request import Request

from users_service.auth.policy import may
from users_service.jsonapi import Compare, Hidden, Or, Related

# What is personal about a user.
PERSONAL = frozenset({"email", "verification_time"})

NOBODY = Or(())


def seen_users(request: Request) -> object:
    """Return the condition of the users whom the caller sees: all; itself and those in its groups
    that it manages; or nobody."""
    caller = request.caller
    if may(caller, "users:read"):
        return None
    if not may(caller, "self:read"):
        return NOBODY
    users = request.jsonapi_resources["users"]
    managed = Related(users.relationships["groups"], _managed_by(request, caller.user_id))
    return Or((is_user(request, caller.user_id), managed))


def seen_roles(request: Request) -> object:
    """Return the condition of the roles that the caller sees: all, its own, or none."""
    return _seen_by_user(request, "roles", "users")


def seen_groups(request: Request) -> object:
    """Return the condition of the groups that the caller sees: all, its own and those that it
    manages, or none."""
    return _seen_by_user(request, "groups", "members", "managers")


def seen_tokens(request: Request) -> object:
    """Return the condition of the tokens that the caller sees: all, its own, or the one it has."""
    caller = request.caller
    if caller.token_id is None or may(caller, "tokens:read") or may(caller, "self:read"):
        return _seen_by_user(request, "tokens", "user")
    return Compare(request.jsonapi_resources["tokens"], "id", "eq", (caller.token_id,))


def hidden_of_users(request: Request) -> Hidden | None:
    """Return what the caller may not read of users: of others only, if it may read itself."""
    caller = request.caller
    if may(caller, "users:read_email"):
        return None
    return Hidden(names=PERSONAL, own=(caller.user_id,) if may(caller, "self:read") else ())


def _seen_by_user(request: Request, kind: str, *relationships: str) -> object:
    """All resources of a type for who may read them; else those related to the caller."""
    caller = request.caller
    if may(caller, f"{kind}:read"):
        return None
    if not may(caller, "self:read"):
        return NOBODY
    resource, me = request.jsonapi_resources[kind], is_user(request, caller.user_id)
    related = tuple(Related(resource.relationships[name], me) for name in relationships)
    return related[0] if len(related) == 1 else Or(related)


def _managed_by(request: Request, user_id: UUID) -> Related:
    groups = request.jsonapi_resources["groups"]
    return Related(groups.relationships["managers"], is_user(request, user_id))


def is_user(request: Request, user_id: UUID) -> Compare:
    """The condition on users that holds for one of them."""
    return Compare(request.jsonapi_resources["users"], "id", "eq", (user_id,))
