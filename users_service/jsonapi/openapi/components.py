"""The components of the OpenAPI document: named parts, made for the first reference (§4.8.7)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow.fields import Field

from ..api import Security
from ..limits import Limits
from ..resource import Resource

Json = dict[str, Any]
Parameter = Json | str
"""A Parameter Object, or the key of one in the components."""


# The member that marks what can be written on creation alone.
CREATE_ONLY = "x-create-only"


def parameter_body(description: str, schema: Json) -> Json:
    """A Parameter Object without its name. The values of an array are separated by commas."""
    body: Json = {"description": description, "schema": schema}
    return body | {"style": "form", "explode": False} if schema.get("type") == "array" else body


class Components:
    """The components of one OpenAPI document. Each method returns a reference to a component.

    :param title: the title of the API.
    :param version: the version of the API.
    :param resources: all resources of the API, by type.
    :param limits: the limits on requests.
    :param codes: the error codes, with their statuses and titles.
    :param security: how callers authenticate, if the host has said it.
    :param info: further members of the Info Object.
    """

    def __init__(
        self,
        title: str,
        version: str,
        resources: Mapping[str, Resource],
        limits: Limits,
        codes: Mapping[str, tuple[int, str]],
        security: Security | None,
        **info: Any,
    ) -> None:
        marshmallow = MarshmallowPlugin()
        self.spec = APISpec(title, version, "3.1.0", plugins=[marshmallow], info=info)
        self.resources = resources
        self.limits = limits
        self.codes = codes
        self.security = security
        if security is not None:
            self.spec.components.security_scheme(security.name, security.scheme)
        assert marshmallow.converter is not None  # noqa: S101  # APISpec has just set it
        self._property: Callable[[Field], Json] = marshmallow.converter.field2property

    def schema(self, name: str, make: Callable[[], Json]) -> Json:
        """Refer to a JSON Schema.

        :param make: makes it, for the first reference.
        """
        if name not in self.spec.components.schemas:
            self.spec.components.schema(name, make())
        return {"$ref": f"#/components/schemas/{name}"}

    def parameter(
        self, key: str, name: str, description: str, schema: Json, where: str = "query"
    ) -> str:
        """Refer to a parameter, by its key, from which apispec makes a reference.

        :param where: its member `in`.
        """
        if key not in self.spec.components.parameters:
            body = {"name": name} | parameter_body(description, schema)
            self.spec.components.parameter(key, where, body)
        return key

    def header(self, name: str, body: Json) -> Json:
        """Refer to a response header."""
        if name not in self.spec.components.headers:
            self.spec.components.header(name, body)
        return {"$ref": f"#/components/headers/{name}"}

    def response(self, key: str, make: Callable[[], Json]) -> Json:
        """Refer to a response."""
        if key not in self.spec.components.responses:
            self.spec.components.response(key, make())
        return {"$ref": f"#/components/responses/{key}"}

    def field_property(self, field: Field) -> Json:
        """The JSON Schema of a field's values, which apispec makes from the marshmallow field."""
        found = {name: value for name, value in self._property(field).items() if name != "readOnly"}
        return found | ({CREATE_ONLY: True} if field.metadata.get("create_only") else {})

    def id_property(self, resource: Resource) -> Json:
        """The JSON Schema of a resource's ids, which are strings in all documents."""
        schema = self.field_property(resource.schema.fields["id"])
        details = {name: schema[name] for name in ("format", "examples") if name in schema}
        return {"type": "string"} | (details if schema.get("type") == "string" else {})

    def filter_property(self, resource: Resource, name: str) -> Json:
        """The JSON Schema of the values that a filter compares a field with."""
        if name == "id":
            return self.id_property(resource)
        if name in resource.relationships:
            return self.id_property(resource.relationships[name].target)
        found = self.field_property(resource.attributes[name])
        kind = resource.python_type(name)
        examples = {"examples": found["examples"]} if "examples" in found else {}
        if kind is str:  # any text, whatever texts may be stored
            most = self.limits.max_filter_length
            return {"type": "string", "maxLength": most, "pattern": "^[^\\u0000]*$"} | examples
        if kind is datetime:
            forms: list[Json] = [{"type": "string", "format": "date-time"} | examples]
            return {"anyOf": [*forms, {"type": "string", "format": "date"}]}
        if isinstance(found.get("type"), list):  # the operator isnull is for nulls
            found["type"] = next(kind for kind in found["type"] if kind != "null")
        return found
