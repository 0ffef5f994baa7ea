"""Resources that belong to users: whose own they are sees them, and changes their attributes."""

from dataclasses import dataclass

from pyramid.config import Configurator
from pyramid.request import Request

from users_service.auth.policy import may
from users_service.auth.visibility import NOBODY, is_user
from users_service.jsonapi import Change, Error, JSONAPIError, Related, Rules, resources_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who a resource belongs to.

    :param kind: its type.
    :param relationship: to the one user.
    """

    kind: str
    relationship: str

    def visible(self, request: Request) -> object:
        """Return the condition of the resources that the caller sees: all, its own, or none."""
        caller = request.caller
        if may(caller, f"{self.kind}:read"):
            return None
        if not may(caller, "self:read"):
            return NOBODY
        resource = request.jsonapi_resources[self.kind]
        owner = resource.relationships[self.relationship]
        return Related(owner, is_user(request, caller.user_id))

    def check(self, request: Request, change: Change) -> None:
        """Check a change: of its own, the caller may change the attributes.

        :raises JSONAPIError: 403 for anything else that it has no permission for.
        """
        caller = request.caller
        if may(caller, f"{self.kind}:{change.kind}"):
            return
        is_own = change.stored.get(f"{self.relationship}_id") == caller.user_id
        allowed = frozenset[str]()
        if change.kind == "update" and is_own and may(caller, "self:update"):
            allowed = frozenset(change.resource.attributes)
        relationships = change.resource.relationships.values()
        allowed |= {
            each.name for each in relationships if each.permission and may(caller, each.permission)
        }
        if change.kind == "update" and change.sent <= allowed:
            return
        refused = sorted(change.sent - allowed) or [self.kind]
        raise JSONAPIError(
            *(
                Error(
                    code="forbidden",
                    detail=f"You may not change {name}.",
                    source=change.source_of(name),
                )
                for name in refused
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedRules(Rules):
    """The rules of resources that belong to users."""


def owned(kind: str, relationship: str) -> Rules:
    """The rules of resources that belong to the user that a to-one relationship leads to.

    :param kind: their type.
    """
    owner = Owner(kind=kind, relationship=relationship)
    return OwnedRules(visible=owner.visible, check=owner.check)


def includeme(config: Configurator) -> None:
    def open_doors() -> None:
        for kind, resource in resources_of(config.registry).items():
            if isinstance(resource.rules, OwnedRules):
                for action in ("read", "update"):
                    config.registry["also_by"][f"{kind}:{action}"] = [(f"self:{action}",)]

    config.action("resources of owners", open_doors)
