"""Which attributes the caller of a request can read."""

from pyramid.request import Request

from ..resource import Resource
from ..rules import Hidden

NOTHING_HIDDEN = Hidden(names=frozenset())


class Readable:
    """The attributes that the caller of a request can read.

    The host's `hidden` function is called at most once for each resource.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._hidden: dict[Resource, Hidden] = {}

    def hidden(self, resource: Resource) -> Hidden:
        """The attributes of a resource that the caller cannot read."""
        if resource.rules.hidden is None:
            return NOTHING_HIDDEN
        if resource not in self._hidden:
            self._hidden[resource] = resource.rules.hidden(self._request) or NOTHING_HIDDEN
        return self._hidden[resource]

    def has(self, resource: Resource, name: str) -> bool:
        """Whether a resource has an attribute that the caller can read."""
        return name in resource.readable and name not in self.hidden(resource).names
