"""Finds the target of an atomic operation, from its `ref`, its `href` or its `data`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError
from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request

from ..api import api_of
from ..errors import JSONAPIError, Place, at, malformed, not_found
from ..resource import Relationship, Resource
from .locking import LocalIds, unknown_lid
from .operation_shape import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target of an operation: a collection, a resource, or a relationship of a resource.

    :param id: None if the target is a collection.
    """

    resource: Resource
    id: Any = None
    relationship: Relationship | None = None


class TargetFinder:
    """Finds the targets of the operations of one request.

    :param lids: the ids of the resources that earlier operations have created, by local id.
    """

    def __init__(self, request: Request, lids: LocalIds) -> None:
        self.request = request
        self.resources: Mapping[str, Resource] = api_of(request.registry).resources
        self.lids = lids

    def target(self, operation: Json, place: Place) -> Target:
        """Find the target of an operation.

        :raises JSONAPIError: 400 or 404 if it names none.
        """
        reference: Json
        if "href" in operation:
            return self.from_href(operation["href"], (*place, "href"))
        if "ref" in operation:
            reference, member_place = operation["ref"], (*place, "ref")
        else:
            data = operation.get("data")
            if not isinstance(data, dict) or not isinstance(data.get("type"), str):
                detail = "Must have a ref, an href, or data with a type."
                raise malformed(detail, *place)
            if operation["op"] == "add":
                return Target(resource=self.resource(data["type"], (*place, "data", "type")))
            reference, member_place = data, (*place, "data")
            if not any(isinstance(data.get(name), str) for name in ("id", "lid")):
                raise malformed("Must have an id or a lid.", *member_place)
        resource = self.resource(reference["type"], (*member_place, "type"))
        id = self.id_of(resource, reference, member_place)
        relationship = None
        if reference is operation.get("ref") and "relationship" in reference:
            relationship = resource.relationships.get(reference["relationship"])
            if relationship is None:
                raise _missing(*member_place, "relationship")
        return Target(resource=resource, id=id, relationship=relationship)

    def resource(self, kind: str, place: Place) -> Resource:
        if kind not in self.resources:
            raise _missing(*place)
        resource: Resource = self.resources[kind]
        return resource

    def id_of(self, resource: Resource, reference: Json, place: Place) -> Any:
        if "id" in reference:
            return _id(resource, reference["id"], (*place, "id"))
        if (resource.type, reference["lid"]) not in self.lids:
            raise JSONAPIError(unknown_lid(place))
        return self.lids[resource.type, reference["lid"]]

    def from_href(self, href: str, place: Place) -> Target:
        """Find the target at a URL of this API."""
        request = self.request
        try:
            url = urlsplit(href)
        except ValueError:
            raise malformed("Must be a URL.", *place) from None
        if url.query or url.fragment or not url.path.startswith("/"):
            raise malformed("Must be an absolute path or URL without a query.", *place)
        if url.netloc and f"{url.scheme}://{url.netloc}" != request.host_url:
            raise malformed("Must be a URL of this API.", *place)
        if not url.path.startswith(f"{request.script_name}/"):
            raise _missing(*place)
        mapper = request.registry.getUtility(IRoutesMapper)
        try:
            found = mapper(Request.blank(url.path.removeprefix(request.script_name)))
        except UnicodeError:  # the percent-encoding of the path
            raise _missing(*place) from None
        targets = api_of(request.registry).operation_targets
        if found["route"] is None or found["route"].name not in targets:
            raise _missing(*place)
        resource, relationship = targets[found["route"].name]
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
