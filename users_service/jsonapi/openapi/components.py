"""The components of the OpenAPI document: named parts, made for the first reference (§4.8.7)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow.fields import Field
from marshmallow.validate import ContainsOnly, OneOf

from ..api import Security
from ..display import title_of
from ..fields import Fields
from ..limits import Limits
from ..reading import DECIMAL, bounds_of
from ..resource import Resource

Json = dict[str, Any]
Parameter = Json | str
"""A Parameter Object, or the key of one in the components."""


# What says of a value how it is shown and written, and not which values there are.
ANNOTATIONS = {"title", "description", "default", "readOnly", "writeOnly"}

# What the metadata of fields says that OpenAPI has no word for, by the word in the description.
EXTENSIONS = {
    "x-confirms": "confirms",
    "x-create-only": "create_only",
    "x-multiline": "multiline",
}


def facts_of(holder: Fields, name: str, field: Field) -> Json:
    """What there is to say of a field to people, and of who can write it."""
    metadata = field.metadata
    found: Json = {"title": metadata.get("title") or title_of(name)}
    if "description" in metadata:
        found["description"] = metadata["description"]
    found |= {word: metadata[key] for word, key in EXTENSIONS.items() if metadata.get(key)}
    if name in holder.own:
        found["x-self"] = True
    return found


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
    :param rules: the rules that fields can break.
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
        rules: Sequence[str],
        security: Security | None,
        **info: Any,
    ) -> None:
        marshmallow = MarshmallowPlugin()
        self.spec = APISpec(title, version, "3.1.0", plugins=[marshmallow], info=info)
        self.resources = resources
        self.limits = limits
        self.codes = codes
        self.rules = rules
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

    def values_of(self, field: Field) -> Json:
        """The JSON Schema of a field's values, which apispec makes from the marshmallow field."""
        found = {
            name: value
            for name, value in self._property(field).items()
            if name not in ANNOTATIONS and not name.startswith("x-")
        }
        if (values := field.metadata.get("values")) is not None:
            names = values.get("propertyNames", {})
            found["propertyNames"] = names
            found["additionalProperties"] = self.schema(values["title"], lambda: values)
        return found if (choices := _choices(field)) is None else _with_choices(found, choices)

    def field_property(self, holder: Fields, name: str, *, is_new: bool = False) -> Json:
        """The JSON Schema of an attribute: its values, and what there is to say of it.

        :param is_new: whether it is sent with a new resource, which has the default otherwise. A
            change has none: clients would send it.
        """
        field = holder.attributes[name]
        found = facts_of(holder, name, field) | self.values_of(field)
        if field.dump_only:
            found["readOnly"] = True
        if field.load_only:
            found["writeOnly"] = True
        if is_new and (default := _default_of(holder, name)) is not None:
            found["default"] = default
        return found

    def id_property(self, resource: Resource) -> Json:
        """The JSON Schema of a resource's ids, which are strings in all documents."""
        schema = self.values_of(resource.schema.fields["id"])
        details = {name: schema[name] for name in ("format", "examples") if name in schema}
        return {"type": "string"} | (details if schema.get("type") == "string" else {})

    def filter_property(self, resource: Resource, name: str) -> Json:
        """The JSON Schema of the values that a filter compares a field with."""
        if name == "id":
            return self.id_property(resource)
        if name in resource.relationships:
            return self.id_property(resource.relationships[name].target)
        found = self.values_of(resource.attributes[name])
        kind = resource.python_type(name)
        examples = {"examples": found["examples"]} if "examples" in found else {}
        if kind is str:  # any text, whatever texts may be stored
            most = self.limits.max_filter_length
            return {"type": "string", "maxLength": most, "pattern": "^[^\\u0000]*$"} | examples
        if kind is datetime:
            forms: list[Json] = [{"type": "string", "format": "date-time"} | examples]
            return {"anyOf": [*forms, {"type": "string", "format": "date"}]}
        if kind is Decimal:
            return {"type": "string", "format": "decimal", "pattern": DECIMAL} | examples
        if kind is int:
            least, most = bounds_of(resource.column(name))
            return {"type": "integer", "minimum": least, "maximum": most} | examples
        if isinstance(found.get("type"), list):  # the operator isnull is for nulls
            found["type"] = next(kind for kind in found["type"] if kind != "null")
        return found


def _choices(field: Field) -> list[tuple[Any, str]] | None:
    """The values that a field can have and their titles; None if they are not listed."""
    for validator in field.validators:
        if isinstance(validator, OneOf) and not isinstance(validator, ContainsOnly):
            labels = [str(label) for label in validator.labels]
            labels += [title_of(str(choice)) for choice in [*validator.choices][len(labels) :]]
            return list(zip(validator.choices, labels, strict=False))
    return None


def _with_choices(schema: Json, choices: list[tuple[Any, str]]) -> Json:
    found = {name: value for name, value in schema.items() if name != "enum"}
    one_of: list[Json] = [{"const": value, "title": title} for value, title in choices]
    if "null" in schema.get("type", ()) and None not in dict(choices):
        one_of.append({"type": "null"})
    return found | {"oneOf": one_of}


def _default_of(holder: Fields, name: str) -> Any:
    """What an attribute of a new resource is if it is not sent; None if that is null or not known.

    It is the `default` in the metadata of the field, or that of the column.
    """
    field = holder.attributes[name]
    if "default" in field.metadata or not isinstance(holder, Resource):
        return field.metadata.get("default")
    column = holder.columns.get(holder.attribute(name))
    default: Any = None if column is None else column.default
    if default is None or not default.is_scalar:
        return None
    value = field.serialize(name, None, accessor=lambda *_: default.arg)
    return value if isinstance(value, bool | int | float | str) else None
