"""What an atomic operation is about: found from its ref, its href, or its data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError
from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request

from ..api import api_of
from ..errors import JSONAPIError, at, not_found
from ..resource import Relationship, Resource
from .body import Place
from .locking import LocalIds, unknown_lid
from .operation_shape import Json, malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an operation is about: a collection, a resource of it, or a relationship of that."""

    resource: Resource
    id: Any = None
    relationship: Relationship | None = None


class TargetFinder:
    """Finds what the operations of one request are about.

    :param lids: the local ids that the operations before have given.
    """

    def __init__(self, request: Request, lids: LocalIds) -> None:
        self.request = request
        self.resources: Mapping[str, Resource] = api_of(request.registry).resources
        self.lids = lids

    def target(self, operation: Json, place: Place) -> Target:
        """Find what an operation is about, from its ref, its href, or its data."""
        reference: Json
        if "href" in operation:
            return self.located(operation["href"], (*place, "href"))
        if "ref" in operation:
            reference, spot = operation["ref"], (*place, "ref")
        else:
            data = operation.get("data")
            if not isinstance(data, dict) or not isinstance(data.get("type"), str):
                raise malformed("Has no resource object with a type as its data.", *place)
            if operation["op"] == "add":
                return Target(resource=self.resource(data["type"], (*place, "data", "type")))
            reference, spot = data, (*place, "data")
            if not any(isinstance(data.get(name), str) for name in ("id", "lid")):
                raise malformed("Has neither an id nor a lid.", *spot)
        resource = self.resource(reference["type"], (*spot, "type"))
        id = self.identified(resource, reference, spot)
        relationship = None
        if reference is operation.get("ref") and "relationship" in reference:
            relationship = resource.relationships.get(reference["relationship"])
            if relationship is None:
                raise _missing(*spot, "relationship")
        return Target(resource=resource, id=id, relationship=relationship)

    def resource(self, kind: str, place: Place) -> Resource:
        if kind not in self.resources:
            raise _missing(*place)
        resource: Resource = self.resources[kind]
        return resource

    def identified(self, resource: Resource, reference: Json, place: Place) -> Any:
        if "id" in reference:
            return _id(resource, reference["id"], (*place, "id"))
        if (resource.type, reference["lid"]) not in self.lids:
            raise JSONAPIError(unknown_lid(place))
        return self.lids[resource.type, reference["lid"]]

    def located(self, href: str, place: Place) -> Target:
        """Find what a URL of this API stands for."""
        request = self.request
        try:
            url = urlsplit(href)
        except ValueError:
            raise malformed("Is no URL.", *place) from None
        if url.query or url.fragment or not url.path.startswith("/"):
            raise malformed("Must be an absolute path or URL without a query.", *place)
        if url.netloc and f"{url.scheme}://{url.netloc}" != request.host_url:
            raise malformed("Is no URL of this API.", *place)
        if not url.path.startswith(f"{request.script_name}/"):
            raise _missing(*place)
        mapper = request.registry.getUtility(IRoutesMapper)
        try:
            found = mapper(Request.blank(url.path.removeprefix(request.script_name)))
        except UnicodeError:  # of the path's escapes
            raise _missing(*place) from None
        endpoints = api_of(request.registry).routes
        if found["route"] is None or found["route"].name not in endpoints:
            raise _missing(*place)
        resource, relationship = endpoints[found["route"].name]
        id = None
        if "id" in found["match"]:
            id = _id(resource, found["match"]["id"], place)
        return Target(resource=resource, id=id, relationship=relationship)


def _id(resource: Resource, text: str, place: Place) -> Any:
    try:
        return resource.load_id(text)
    except ValidationError:
        raise _missing(*place) from None


def _missing(*place: str | int) -> JSONAPIError:
    (error,) = not_found().errors
    return JSONAPIError(replace(error, source=at(*place)))
