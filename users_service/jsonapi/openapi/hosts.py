"""Describes the services of the host: those that take forms, and others by their docstrings."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..documents import MEDIA_TYPE
from ..form import Described, Form
from . import documents, responses
from .components import Components, Json
from .examples import example
from .schemas import an_object, closed, jsonapi_object, links, pascal


def describe_form(components: Components, service: Any, view: Any, form: Form) -> Json:
    """Describe the method that takes a form."""
    content: Mapping[str, Json] = {}
    if form.shows:
        content = {MEDIA_TYPE: _answered(components, form)}
    failures = {*responses.COMMON_FAILURES, *responses.FAILURES_OF_DOCUMENTS, *form.failures}
    return _operation(
        components,
        re.sub("[:-]", "_", service.name),
        view,
        Described(
            body={MEDIA_TYPE: _sent(components, form)},
            answers={form.status: content},
            failures=frozenset(failures | ({401} if form.permissions is not None else set())),
            permissions=form.permissions,
        ),
        request_example=_example(components, form),
    )


def _sent(components: Components, form: Form) -> Json:
    properties = {
        name: components.field_property(form, name, is_new=True)
        for name in form.attributes
        if name in form.writable
    }
    needed = [name for name in properties if form.attributes[name].required]
    kind = {"type": "string", "const": form.type}
    data = an_object(
        ["type", *(["attributes"] if needed else [])],
        type=kind,
        attributes=closed(an_object(needed, **properties)),
    )
    return documents.request_document(components, f"{pascal(form.type)}Document", data)


def _answered(components: Components, form: Form) -> Json:
    shown = {
        name: components.field_property(form, name)
        for name, field in form.attributes.items()
        if not field.load_only
    }
    name = pascal(form.type)

    def make() -> Json:
        data = an_object(
            ["type", "id", "attributes"],
            type={"type": "string", "const": form.type},
            id={"type": "string"},
            attributes=an_object(shown, **shown),
        )
        return an_object(
            ["jsonapi", "data"],
            jsonapi=jsonapi_object(components),
            links=links(components, "ErrorsLinks", ["describedby"]),
            data=data,
        )

    return components.schema(f"{name}Answer", make)


def _example(components: Components, form: Form) -> Json | None:
    values = {
        name: example(components.values_of(field))
        for name, field in form.attributes.items()
        if name in form.writable
    }
    if any(value is None for value in values.values()):
        return None
    return {"data": {"type": form.type, "attributes": values}}


def describe_other(
    components: Components,
    service: Any,
    method: str,
    view: Any,
    arguments: Json,
    path: str,
    described: Described | None,
) -> Json:
    """Describe a method by the docstring of its view, and by what the host says of it.

    :param arguments: those of the Cornice view.
    """
    name = service.name.replace(":", "_") + ("" if method == "GET" else f"_{method.lower()}")
    variables = re.findall(r"\{(\w+)\}", path)
    if described is None:
        is_json = arguments.get("renderer") == "json"
        media_type, kind = ("application/json", "object") if is_json else ("text/*", "string")
        failures = {403, 500, 503, *({404} if variables else set())}
        described = Described(
            answers={200: {media_type: {"type": kind}}}, failures=frozenset(failures)
        )
    return _operation(components, name, view, described, variables)


def _operation(
    components: Components,
    name: str,
    view: Any,
    described: Described,
    variables: Sequence[str] = (),
    request_example: Json | None = None,
) -> Json:
    summary, _, description = (inspect.getdoc(view) or name).partition("\n")
    found: Json = {
        "operationId": name,
        "tags": ["service"],
        "summary": summary.rstrip("."),
        "description": description.strip() or summary,
        "parameters": [_variable(variable) for variable in variables],
    }
    if described.body:
        content = _content(described.body)
        if request_example is not None:
            content[MEDIA_TYPE]["example"] = request_example
        found["requestBody"] = {"required": True, "content": content}
    if components.security is not None and described.permissions is not None:
        found["security"] = [{components.security.name: list(described.permissions)}]
    answers = {
        status: responses.success(
            components,
            _text(status, summary),
            *described.headers.get(status, ()),
            content=_content(schemas) or None,
        )
        for status, schemas in described.answers.items()
    }
    failures = {s: responses.failure(components, s) for s in described.failures - answers.keys()}
    found["responses"] = {str(s): body for s, body in sorted((failures | answers).items())}
    return found


def _text(status: int, summary: str) -> str:
    return summary if status < 400 else "The request is refused."


def _content(schemas: Mapping[str, Json]) -> Json:
    return {media_type: {"schema": schema} for media_type, schema in schemas.items()}


def _variable(name: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"The {name} in the path.",
        "schema": {"type": "string"},
    }
