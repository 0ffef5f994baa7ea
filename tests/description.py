"""The description of an API as its tests read it: operations, their parts, values of schemas."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from jsonschema import Draft202012Validator
from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request
from pyramid.router import Router
from webtest import TestResponse

Json = dict[str, Any]

# The id of every resource in the examples.
ID = "0190b5a0-0000-7000-8000-00000000ada0"

VALUES = {
    "date-time": "2026-11-22T23:39:46.699941Z",
    "filter-expression": f"equals(id,'{ID}')",
    "idn-email": "ada@example.com",
    "url": "https://example.com/",
    "uuid": ID,
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path, its own references resolved.

    :param document: the whole description, which schemas refer to.
    """

    path: str
    method: str
    described: Json
    document: Json

    @property
    def id(self) -> str:
        return self.described["operationId"]

    @property
    def query(self) -> dict[str, Json]:
        """The parameters of its query string, by name."""
        found = (resolved(self.document, item) for item in self.described["parameters"])
        return {item["name"]: item for item in found if item["in"] == "query"}

    @property
    def body(self) -> tuple[str, Json]:
        """The media type of the request's body, with what is said of it."""
        ((media_type, said),) = self.described["requestBody"]["content"].items()
        return media_type, said

    @property
    def responses(self) -> dict[int, Json]:
        """What is described of each status."""
        responses = self.described["responses"].items()
        return {int(status): resolved(self.document, said) for status, said in responses}

    @property
    def success(self) -> int:
        return min(self.responses)

    def schema(self, *path: str) -> Json:
        """The schema of what a successful response has at a path of members."""
        ((_, said),) = self.responses[self.success]["content"].items()
        return member(self.document, said["schema"], *path)

    def url(self, **variables: str) -> str:
        return self.path.format(**{"id": ID} | variables)


def operations(document: Json) -> dict[str, Operation]:
    """The operations of a description, by their ids."""
    return {
        said["operationId"]: Operation(
            path=path, method=method.upper(), described=said, document=document
        )
        for path, methods in document["paths"].items()
        for method, said in methods.items()
        if not method.startswith("x-")
    }


def resolved(document: Json, part: Json) -> Json:
    """A part of a description, or what it refers to."""
    while "$ref" in part:
        found: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def member(document: Json, schema: Json, *path: str) -> Json:
    """The schema of what is at a path of members below another schema; `*` is for array items."""
    schema = resolved(document, schema)
    for name in path:
        inner = schema["items"] if name == "*" else schema["properties"][name]
        schema = resolved(document, inner)
    return schema


def faults(document: Json, schema: Json, instance: Any) -> list[str]:
    """Why a value is none of a schema."""
    whole = {"components": document["components"], "allOf": [schema]}
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator(whole, format_checker=checker)
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(instance)]


def value(document: Json, schema: Json) -> Any:
    """A value of a schema: an example if there is one, and an object with all its members."""
    schema = resolved(document, schema)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return value(document, schema[choice][0])
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    kinds = schema["type"]
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        return {name: value(document, one) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [value(document, schema["items"])]
    if kind in ("boolean", "null"):
        return {"boolean": True, "null": None}[kind]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return VALUES.get(schema.get("format", ""), "1")


def spelled(value: Any) -> str:
    """A value as a query string has it; the parameters are of the style `form`, not exploded."""
    if isinstance(value, list):
        return ",".join(map(spelled, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def bounds(document: Json, schema: Json) -> Iterator[tuple[Any, bool]]:
    """Values at the bounds of a schema, and the next beyond: each with whether it is within."""
    if "minimum" in schema:
        yield from ((schema["minimum"], True), (schema["minimum"] - 1, False))
    if "maximum" in schema:
        yield from ((schema["maximum"], True), (schema["maximum"] + 1, False))
    if "maxLength" in schema:
        yield from ((_text(schema, schema["maxLength"] + more), not more) for more in (0, 1))
    if schema.get("minLength"):
        yield "", False
    if "maxItems" in schema:
        one = value(document, schema["items"])
        yield from (([one] * (schema["maxItems"] + more), not more) for more in (0, 1))
    if "minItems" in schema:
        one = value(document, schema["items"])
        yield [one] * schema["minItems"], True
        # Nothing is spelled as an empty text is, which may be an item.
        if schema["minItems"] != 1 or faults(document, schema["items"], ""):
            yield [one] * (schema["minItems"] - 1), False


def _text(schema: Json, length: int) -> str:
    """A text of a length, of the form that a schema asks for."""
    if schema.get("format") == "idn-email":
        return f"{'a' * 60}@" + ("b." * length)[: length - 63] + "cc"
    if schema.get("format") == "url":
        return VALUES["url"].ljust(length, "a")
    if schema.get("format") == "filter-expression":
        begin, end = "contains(name,'", "')"
        return begin + "a" * (length - len(begin + end)) + end
    return "a" * length


def variants(value: Any) -> Iterator[Any]:
    """A value with another in each of its places, one at a time."""
    yield from (None, True, "", [], {})
    if isinstance(value, dict):
        yield from (value | {name: 1} for name in ("nope", "@x"))
        for name, inner in value.items():
            yield {other: value[other] for other in value if other != name}
            yield from (value | {name: other} for other in variants(inner))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in variants(inner))


def served(app: Router) -> set[tuple[str, str]]:
    """Every method of every route of an application, by the route's name; `*` if it takes all.

    HEAD and OPTIONS are left out: the first goes where GET goes, the second everywhere.
    """
    routes = [route.name for route in app.registry.getUtility(IRoutesMapper).get_routes()]
    # The page of the browser UI is no part of the API.
    found: dict[str, set[str]] = {n: set() for n in routes if n.partition(":")[0] != "ui"}
    services = app.registry.cornice_services.values()
    by_cornice = {service.pyramid_route or service.name: service for service in services}
    for view in (one["introspectable"] for one in app.registry.introspector.get_category("views")):
        name, methods = view["route_name"], view["request_methods"]
        # Cornice has a view of its own for all other methods, which answers 405.
        if name in found and (methods or name not in by_cornice):
            found[name] |= {methods} if isinstance(methods, str) else {*(methods or "*")}
    for name, service in by_cornice.items():
        found[name] |= {*service.defined_methods}
    return {(name, method) for name in found for method in found[name] - {"HEAD", "OPTIONS"}}


def described(app: Router, document: Json) -> list[tuple[str, str]]:
    """Every method of a description, by the name of the route that its path leads to."""
    mapper = app.registry.getUtility(IRoutesMapper)
    found = []
    for path, methods in document["paths"].items():
        route = mapper(Request.blank(re.sub(r"\{\w+\}", "1", path)))["route"]
        name = "" if route is None else route.name
        found += [(name, method.upper()) for method in methods if not method.startswith("x-")]
    return found


def check_response(operation: Operation, response: TestResponse) -> None:
    """Hold a response against what is described of its status."""
    at = f"{operation.method} {operation.path} {response.status_int}\n{response.text}"
    assert response.status_int in operation.responses, at
    said = operation.responses[response.status_int]
    for name, header in said["headers"].items():
        if resolved(operation.document, header)["required"]:
            assert name in response.headers, f"{name} of {at}"
    if "content" not in said:
        assert response.body == b"", at
        return
    media_type = response.headers["Content-Type"]
    plain = media_type.partition(";")[0]
    found = [s for name, s in said["content"].items() if name == media_type or fnmatch(plain, name)]
    assert found, f"{media_type} of {at}"
    body = response.json if plain.endswith("json") else response.text
    assert faults(operation.document, found[0]["schema"], body) == [], at
