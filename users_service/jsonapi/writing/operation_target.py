"""Finds the target of an atomic operation, from its `ref`, its `href` or its `data`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from marshmallow import ValidationError
from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request

from ..api import api_of
from ..documents import links
from ..errors import JSONAPIError, Place, at, malformed, no_such_id, not_found
from ..resource import Relationship, Resource
from .identifiers import LocalIds, identity_faults, unknown_lid
from .operation_shape import Json

# The characters of a URI-reference (RFC 3986 §2). urlsplit would drop some others.
URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target of an operation: a collection, a resource, or a relationship of a resource.

    :param id: None if the target is a collection, or has a local id.
    :param lid: the local id of a resource that the request creates.
    """

    resource: Resource
    id: Any = None
    lid: str | None = None
    relationship: Relationship | None = None

    @property
    def is_collection(self) -> bool:
        return self.id is None and self.lid is None

    def resolved_id(self, lids: LocalIds) -> Any:
        """The id of the resource; that of a local id is in `lids`."""
        return self.id if self.lid is None else lids[self.resource.type, self.lid]


class TargetFinder:
    """Finds the targets of the operations of one request.

    :param lids: the local ids of the resources that earlier operations create.
    """

    def __init__(self, request: Request, lids: LocalIds) -> None:
        self.request = request
        self.resources: Mapping[str, Resource] = api_of(request.registry).resources
        self.lids = lids

    def target(self, operation: Json, place: Place) -> Target:
        """Find the target of an operation.

        The `ref` of an operation that adds a resource stands for its collection.

        :raises JSONAPIError: 400 or 404 if it names none.
        """
        reference: Json
        adds = operation["op"] == "add"
        if "href" in operation:
            return self.from_href(operation["href"], (*place, "href"))
        if "ref" in operation:
            reference, member_place = operation["ref"], (*place, "ref")
        else:
            data = operation.get("data")
            if not isinstance(data, dict) or "type" not in data:
                raise malformed("Must have a ref, an href, or data with a type.", *place)
            reference, member_place = data, (*place, "data")
            if faults := identity_faults(data, member_place, {"type"}):
                raise JSONAPIError(*faults)
            if not adds and not data.keys() & {"id", "lid"}:
                raise malformed("Must have an id or a lid.", *member_place)
        resource = self.resource(reference["type"], (*member_place, "type"))
        name = reference.get("relationship") if "ref" in operation else None
        if adds and name is None:
            return Target(resource=resource)
        relationship = None
        if name is not None:
            relationship = resource.relationships.get(name)
            if relationship is None:
                detail = f"The type {resource.type} has no relationship {name[:80]}."
                raise not_found(detail, at(*member_place, "relationship"))
        if "id" in reference:
            id = _id(resource, reference["id"], (*member_place, "id"))
            return Target(resource=resource, id=id, relationship=relationship)
        if (resource.type, reference["lid"]) not in self.lids:
            raise JSONAPIError(unknown_lid(resource, member_place))
        return Target(resource=resource, lid=reference["lid"], relationship=relationship)

    def resource(self, kind: str, place: Place) -> Resource:
        if kind not in self.resources:
            raise not_found(f"There is no type {kind[:80]}.", at(*place))
        return self.resources[kind]

    def from_href(self, href: str, place: Place) -> Target:
        """Find the target at a URL of this API.

        :param href: a URI-reference, relative to the URL of operations (RFC 3986 §5).
        """
        request = self.request
        if not URI_CHARACTERS.fullmatch(href):
            raise malformed("Must be a URI-reference (RFC 3986 §4.1).", *place)
        if "?" in href or "#" in href:
            raise malformed("Must be a URL without a query and a fragment.", *place)
        base = request.route_url(links.OPERATIONS_ROUTE)
        try:
            url = urlsplit(urljoin(base, href))
            is_ours = _origin(url) == _origin(urlsplit(base))
        except ValueError:  # a malformed host or port
            raise malformed("Must be a URI-reference (RFC 3986 §4.1).", *place) from None
        if not is_ours:
            raise malformed("Must be a URL of this API.", *place)
        match = self.match(url.path)
        targets = api_of(request.registry).operation_targets
        if match is None or match["route"] is None or match["route"].name not in targets:
            raise not_found(source=at(*place))
        resource, relationship = targets[match["route"].name]
        id = None
        if "id" in match["match"]:
            id = _id(resource, match["match"]["id"], place)
        return Target(resource=resource, id=id, relationship=relationship)

    def match(self, path: str) -> Any:
        """The route of a path, with its variables; None if the path is not below the prefix."""
        prefix = urlsplit(self.request.application_url).path
        # An escaped slash separates no segments (RFC 3986 §2.2).
        if path.startswith("//") or "%2f" in path.lower():
            return None
        path = urlsplit(urljoin("/", path)).path  # without dot segments (§5.2.4)
        if not path.startswith(f"{prefix}/"):
            return None
        mapper = self.request.registry.getUtility(IRoutesMapper)
        try:
            return mapper(Request.blank(path.removeprefix(prefix)))
        except UnicodeError:  # the percent-encoding of the path
            return None


def _origin(url: SplitResult) -> tuple[str, str | None, int | None, bool]:
    """Scheme, host and port (RFC 6454 §4), and whether there is user information.

    :raises ValueError: if the port is malformed.
    """
    return url.scheme, url.hostname, url.port or PORTS.get(url.scheme), "@" in url.netloc


def _id(resource: Resource, text: str, place: Place) -> Any:
    try:
        return resource.load_id(text)
    except ValidationError:
        raise not_found(no_such_id(resource.type), at(*place)) from None
