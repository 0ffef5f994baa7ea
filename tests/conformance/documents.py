"""Documents and operations that the conformance tests send."""

from typing import Any

from pyramid.config import Configurator
from webtest import TestResponse

from tests.client import MEDIA_TYPE, Client
from users_service.models import Group
from users_service.schemas.base import Identifier, Line, Relationship, Schema

Json = dict[str, Any]

ATOMIC = "https://jsonapi.org/ext/atomic"
ATOMIC_TYPE = f'{MEDIA_TYPE};ext="{ATOMIC}"'


def resource(type: str, id: str | None = None, /, **members: Any) -> Json:
    """A resource object: members that are Linked are its relationships, the others attributes."""
    found: Json = {"type": type}
    if id is not None:
        found["id"] = id
    if relationships := {k: v.value for k, v in members.items() if isinstance(v, Linked)}:
        found["relationships"] = relationships
    if attributes := {k: v for k, v in members.items() if not isinstance(v, Linked)}:
        found["attributes"] = attributes
    return found


class Linked:
    """Marks a member of a resource object as a relationship."""

    def __init__(self, data: Any) -> None:
        self.value = {"data": data}


def identifier(type: str, id: str) -> Json:
    return {"type": type, "id": id}


def identifiers(type: str, *ids: str) -> list[Json]:
    return [identifier(type, id) for id in ids]


def operate(client: Client, *operations: Any, **members: Any) -> TestResponse:
    """Send a document with operations, and other members beside them."""
    headers = {"Accept": ATOMIC_TYPE, "Content-Type": ATOMIC_TYPE}
    document = {"atomic:operations": list(operations)} | members
    return client.post("/api/v1/operations", document, headers=headers)


def etag(client: Client, url: str) -> str:
    return client.get(url).headers["ETag"]


class SealedSchema(Schema):
    """Groups of which clients choose no id, and change no members."""

    class Meta:
        type_ = "sealed"

    id = Identifier(dump_only=True)
    name = Line(required=True, max_length=250)
    members = Relationship(type_="users", many=True, dump_only=True)


SEALED = "/api/v1/sealed"


def with_sealed(config: Configurator) -> None:
    """Serve the groups a second time, as a type that allows clients less."""

    def include(config: Configurator) -> None:
        config.add_jsonapi_resource(Group, SealedSchema)

    config.include(include, route_prefix="/api/v1")
