"""JSON:API 1.1 on Pyramid, Cornice, marshmallow-jsonapi and SQLAlchemy, for any host application.

What it gives: `config.add_jsonapi_resource(model, schema)` serves a mapped class at the URLs that
JSON:API recommends, below the route prefix of the caller; whatever goes wrong there is answered
with an errors document. `config.add_jsonapi_entry()` serves the entry document and atomic
operations, `config.add_jsonapi_description(Information(…))` the OpenAPI document of all of it, and
`config.set_jsonapi_limits(Limits(…))` bounds what clients control. The order of directives does not
matter. Outside of the prefix the host answers; its own exception views may do so in kind, with
`error_response(request, error_of(exception, request))`.

What it asks for:

* a security policy that knows the permissions `<type>:read`, `:create`, `:update` and `:delete`.
  Reading and changing linkage takes the permission on both of its types.
* models with a `version_id_col`, and constraints named by a naming convention, by which an error of
  the database is led back to a field. Text columns need a collation by code point to be sorted the
  same on every engine; ids and integers need bounds in the schema.
* `request.dbconnection`, by the contract below.

The contract of the connection:

* The host opens it when it is first asked for, and ends its transaction with the request: it
  commits what was done by an answer below 400, and rolls back all else. This package never commits.
* Before the view, the host may read over it, as a security policy does that looks for a token. What
  is read there is in a transaction of its own, which ends when the view begins its own; nothing may
  be written there. Until then no lock is taken: what is malformed or refused waits for nobody.
* A view that reads by several statements calls `begin_snapshot(connection)` first. The connection's
  execution option `snapshot` has the options with which they see one state of the database. A read
  by one statement begins nothing.
* A view that changes something calls `begin_changes(connection)` first. The execution option
  `changes` has the options with which its transaction takes the locks that it needs from the start,
  as `BEGIN IMMEDIATE` on SQLite. Hand-written views of the host do the same.
* Rows are locked in one order, by type and id, so that requests do not wait for each other in a
  circle; but a batch of operations (`is_batch(request)`) may lock in any order, which the host has
  to be ready for. A request whose transaction an engine has given up may be carried out again from
  its start: whether it is, is the host's affair.

What the host may add:

* `add_jsonapi_resource(…, visible=function)` says which resources a caller sees (`Visibility`).
  What it does not see is not there, in whatever way it is asked for.
* `config.add_jsonapi_change_handler(function)` reads the `Change`s of a request before COMMIT. The
  mapper events of models are not called, and models that have listeners to them are refused.
* A Cornice service of the host's own answers in kind with `error_handler=cornice_errors`, and to
  OPTIONS with the view `list_methods`.

It creates no session, spells no URL prefix, and knows none of the host's resources.
"""

from pyramid.config import PHASE0_CONFIG, Configurator
from pyramid.tweens import INGRESS

from .api import KEY, Api, Information
from .checks import ResourceError, check_resources
from .documents import (
    MEDIA_TYPE,
    base_url,
    description_url,
    error_response,
    is_batch,
    request_id,
)
from .endpoints import (
    add_jsonapi_change_handler,
    add_jsonapi_entry,
    add_jsonapi_resource,
    cornice_errors,
    error_of,
    include_cornice,
    list_methods,
    request_limits,
    set_jsonapi_limits,
)
from .errors import Error, JSONAPIError, errors_document
from .limits import Limits
from .openapi import add_jsonapi_description, description
from .reading import Scopes, Visibility, begin_changes, begin_snapshot
from .writing import Change, LinkageChange

__all__ = [
    "MEDIA_TYPE",
    "Change",
    "Error",
    "Information",
    "JSONAPIError",
    "Limits",
    "LinkageChange",
    "ResourceError",
    "Visibility",
    "begin_changes",
    "begin_snapshot",
    "cornice_errors",
    "description",
    "error_of",
    "error_response",
    "errors_document",
    "includeme",
    "is_batch",
    "list_methods",
]


def includeme(config: Configurator) -> None:
    api = config.registry[KEY] = Api()
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
    # Behind the directives that add resources, before those that make services of them.
    config.action("jsonapi checks", check_resources, args=(api,), order=PHASE0_CONFIG + 1)
    config.add_tween(f"{__name__}.documents.responses.complete_responses", under=INGRESS)
