"""JSON:API 1.1 on Pyramid, Cornice, marshmallow-jsonapi and SQLAlchemy, for any host application.

What it gives: `config.add_jsonapi_resource(model, schema)` serves a mapped class at the URLs that
JSON:API recommends, below the route prefix of the caller; whatever goes wrong there is answered
with an errors document. Outside of that prefix the host answers; its own exception views may do so
with `error_response(request, error_of(exception, request))`.
`config.set_jsonapi_limits(Limits(…))` bounds what clients control, and
`config.add_jsonapi_description(Information(…))` serves the OpenAPI document of all of it.

What it asks for: `request.dbconnection`, an SQLAlchemy connection whose transaction the host
commits or rolls back, and whose statements may lock rows in any order if `is_batch(request)`; a
security policy that knows the permissions `<type>:read`, `:create`, `:update` and `:delete`. For a
request with a safe method its execution option `snapshot` may have the options with which several
of its statements see one state. Constraints need names, by a naming convention, to be led back to
fields; text columns need a collation by code point to be sorted the same on every engine; ids and
integers need bounds in the schema. A Cornice service of the host's own answers in kind with
`error_handler=cornice_errors`, and to OPTIONS with the view `list_methods`.

It creates no session, commits nothing, spells no URL prefix, and knows none of the host's
resources.
"""

from pyramid.config import Configurator
from pyramid.tweens import INGRESS

from .api import KEY, Api, Information
from .documents.links import base_url, description_url, is_batch
from .documents.responses import error_response, request_id
from .endpoints.exceptions import error_of
from .endpoints.services import (
    add_jsonapi_change_handler,
    add_jsonapi_entry,
    add_jsonapi_resource,
    cornice_errors,
    include_cornice,
    request_limits,
    set_jsonapi_limits,
)
from .endpoints.views import list_methods
from .errors import Error, JSONAPIError
from .limits import Limits
from .openapi import add_jsonapi_description, description
from .reading.scope import Scopes, Visibility
from .reading.statements import begin_changes, begin_snapshot
from .writing.changes import Change, LinkageChange

__all__ = [
    "Change",
    "Error",
    "Information",
    "JSONAPIError",
    "Limits",
    "LinkageChange",
    "Visibility",
    "begin_changes",
    "begin_snapshot",
    "cornice_errors",
    "description",
    "error_of",
    "error_response",
    "includeme",
    "is_batch",
    "list_methods",
]


def includeme(config: Configurator) -> None:
    config.registry[KEY] = Api()
    config.include(include_cornice)
    config.include(".endpoints.exceptions")
    config.add_directive("add_jsonapi_resource", add_jsonapi_resource)
    config.add_directive("add_jsonapi_change_handler", add_jsonapi_change_handler)
    config.add_directive("add_jsonapi_entry", add_jsonapi_entry)
    config.add_directive("add_jsonapi_description", add_jsonapi_description)
    config.add_directive("set_jsonapi_limits", set_jsonapi_limits)
    config.add_request_method(request_limits, "jsonapi_limits", property=True)
    config.add_request_method(Scopes, "jsonapi_scopes", reify=True)
    config.add_request_method(request_id, reify=True)
    config.add_request_method(base_url, "jsonapi_base_url", reify=True)
    config.add_request_method(description_url, reify=True)
    config.add_tween(f"{__name__}.documents.responses.complete_responses", under=INGRESS)
