"""JSON:API 1.1 on Pyramid, Cornice, marshmallow-jsonapi and SQLAlchemy, for any host application.

It gives a host these directives. Their order does not matter.

* `config.add_jsonapi_resource(model, schema)` serves a mapped class at the URLs that JSON:API
  recommends, below the current route prefix. Every error there is answered with an errors document.
* `config.add_jsonapi_entry()` serves the entry document and atomic operations.
* `config.add_jsonapi_description(Information(…))` serves the OpenAPI document of the application.
* `config.set_jsonapi_limits(Limits(…))` sets the limits on requests.
* `config.set_jsonapi_security({…})` says how callers authenticate: to clients and to caches.
* `config.add_jsonapi_error_codes({…})` defines error codes of the host, and rules of its fields.

Outside of the prefix the host answers. Its exception views can also answer with an errors document,
by `error_response(request, error_of(exception, request))`.

It needs from the host:

* A security policy for the permissions `<type>:read`, `<type>:create`, `<type>:update` and
  `<type>:delete`. Reading linkage needs `read` on both of its types, changing it `update` on both,
  or the `permission` in the metadata of the relationship's field, and `read` on both. Where the
  policy's `authenticated_userid` is None and its `forget` has a `WWW-Authenticate`, who lacks a
  permission gets 401, and 403 otherwise.
* Models with a `version_id_col`. Constraints need names by a naming convention, to find the field
  of a violated constraint. Text columns need a collation by code point, to have the same order on
  every engine. Ids and integers need bounds in the schema.
* `request.dbconnection`, an SQLAlchemy connection that keeps the following contract.

The contract of the connection:

* The host opens the connection when it is first used, and ends its transaction with the request:
  it commits if the status is below 400, and rolls back otherwise. This package never commits.
* Before the view, the host may read over the connection, for example to look up a token in a
  security policy. It must not write. These reads are in a transaction of their own, which ends when
  the view begins its transaction. No lock is taken before: a malformed or refused request waits for
  no other.
* A view that reads by several statements calls `begin_snapshot(connection)` first. The host stores
  in the connection's execution option `snapshot` the execution options of a transaction that sees
  one state of the database. A read by one statement begins nothing.
* A view that changes something calls `begin_changes(connection)` first. The execution option
  `changes` holds the execution options with which the transaction takes the locks that it needs at
  its start, such as `BEGIN IMMEDIATE` on SQLite. The host's own views do the same.
* The rows that a request names are locked in the order of type and id, which makes deadlocks rare:
  what a change does to others follows in an order of its own, and with atomic operations
  (`is_batch(request)`) in that of the client. The host must handle a deadlock. It may retry a
  request whose transaction was rolled back by the engine.

The host may add:

* `add_jsonapi_resource(…, rules=Rules(visible=function, hidden=function))`: who sees which
  resources and which of their attributes. To a caller, what it cannot see does not exist.
* `config.set_jsonapi_proof(function)`, for a host that remembers callers: rows that a request reads
  carry the condition that its caller is still as it is remembered.
* `config.add_jsonapi_begin_handler(function)`, which is called when the changes of a request begin,
  before any row is locked.
* `add_jsonapi_resource(…, rules=Rules(check=function))`, which is called with each `Change` that a
  request asks for, under the locks and before anything of it is stored.
* `add_jsonapi_resource(…, prepare=function)`, for what takes long: it is called with what a request
  has sent, before a connection is taken. `create=function` is a view in place of the one that
  creates resources of the type.
* Metadata of fields: `create_only` for what clients write on creation alone, `created` for what the
  answer to a creation shows and nothing else. A write-only field, or a `created` one, may be a
  plain attribute of the model, which is not stored.
* `config.add_jsonapi_change_handler(function)`, which is called with the `Change`s of a request
  before COMMIT. Models with listeners to mapper events are refused, because these would not be
  called.
* `config.add_jsonapi_form(path, schema, view)`: a service that takes a document of no resource.
* Its own Cornice services, with `error_handler=cornice_errors` for errors documents, and the view
  `list_methods` for OPTIONS. `config.describe_jsonapi_methods(service, {…})` says in the
  description what they take and answer.

This package creates no session, contains no URL prefix, and knows no resource of the host.

A request meets its folders as follows: `endpoints` calls `reading` (permissions), `documents`
(media type), `reading` (query string), `writing` (body, changes) or `reading` (rows), and
`documents` (response). `openapi` describes the API, and `checks` runs once at start.
"""

from pyramid.config import PHASE0_CONFIG, Configurator
from pyramid.tweens import EXCVIEW, INGRESS, MAIN

from .api import KEY, Api, Information, resources_of
from .checks import ResourceError, check_resources
from .display import Display, Section
from .documents import (
    MEDIA_TYPE,
    Answer,
    Copy,
    base_url,
    description_url,
    error_response,
    is_batch,
    preferred,
    request_id,
)
from .endpoints import (
    add_jsonapi_begin_handler,
    add_jsonapi_change_handler,
    add_jsonapi_entry,
    add_jsonapi_error_codes,
    add_jsonapi_form,
    add_jsonapi_resource,
    begin,
    cornice_errors,
    create_resource,
    describe_jsonapi_methods,
    error_of,
    include_cornice,
    list_methods,
    request_limits,
    request_prover,
    request_resources,
    set_jsonapi_limits,
    set_jsonapi_proof,
    set_jsonapi_security,
)
from .errors import Error, JSONAPIError, at, errors_document, field_error, not_found
from .field_rules import RuleError
from .form import Described
from .instants import parse_date, parse_instant
from .limits import Limits
from .openapi import add_jsonapi_description, description
from .reading import (
    And,
    Compare,
    Count,
    Not,
    Or,
    Proof,
    Readable,
    Related,
    Scopes,
    begin_changes,
    begin_snapshot,
)
from .resource import Relationship, Resource
from .rules import Hidden, Rules
from .writing import Change, LinkageChange, LoadedResource

# The tween that gives every response its common header fields. A tween of the host that answers
# requests by itself goes `under` it.
RESPONSES_TWEEN = f"{__name__}.documents.responses.complete_responses"

PROVING_TWEEN = f"{__name__}.reading.proof.prove_callers"

__all__ = [
    "MEDIA_TYPE",
    "RESPONSES_TWEEN",
    "And",
    "Answer",
    "Change",
    "Compare",
    "Copy",
    "Count",
    "Described",
    "Display",
    "Error",
    "Hidden",
    "Information",
    "JSONAPIError",
    "Limits",
    "LinkageChange",
    "LoadedResource",
    "Not",
    "Or",
    "Proof",
    "Related",
    "Relationship",
    "Resource",
    "ResourceError",
    "RuleError",
    "Rules",
    "Section",
    "at",
    "begin",
    "begin_changes",
    "begin_snapshot",
    "cornice_errors",
    "create_resource",
    "description",
    "error_of",
    "error_response",
    "errors_document",
    "field_error",
    "includeme",
    "is_batch",
    "list_methods",
    "not_found",
    "parse_date",
    "parse_instant",
    "preferred",
    "resources_of",
]


def includeme(config: Configurator) -> None:
    api = config.registry[KEY] = Api()
    config.include(include_cornice)
    config.include(".endpoints.exceptions")
    config.add_directive("add_jsonapi_resource", add_jsonapi_resource)
    config.add_directive("add_jsonapi_change_handler", add_jsonapi_change_handler)
    config.add_directive("add_jsonapi_entry", add_jsonapi_entry)
    config.add_directive("add_jsonapi_error_codes", add_jsonapi_error_codes)
    config.add_directive("add_jsonapi_form", add_jsonapi_form)
    config.add_directive("describe_jsonapi_methods", describe_jsonapi_methods)
    config.add_directive("add_jsonapi_description", add_jsonapi_description)
    config.add_directive("set_jsonapi_limits", set_jsonapi_limits)
    config.add_directive("set_jsonapi_proof", set_jsonapi_proof)
    config.add_directive("add_jsonapi_begin_handler", add_jsonapi_begin_handler)
    config.add_directive("set_jsonapi_security", set_jsonapi_security)
    config.add_request_method(request_limits, "jsonapi_limits", property=True)
    config.add_request_method(Scopes, "jsonapi_scopes", reify=True)
    config.add_request_method(Readable, "jsonapi_readable", reify=True)
    config.add_request_method(request_prover, "jsonapi_prover", reify=True)
    config.add_request_method(request_resources, "jsonapi_resources", property=True)
    config.add_request_method(request_id, reify=True)
    config.add_request_method(base_url, "jsonapi_base_url", reify=True)
    config.add_request_method(description_url, reify=True)
    # After all resources are registered, and before they are served.
    config.action("jsonapi checks", check_resources, args=(api,), order=PHASE0_CONFIG + 1)
    config.add_tween(RESPONSES_TWEEN, under=INGRESS)
    # Inside of the transaction, which the host's tween begins.
    config.add_tween(PROVING_TWEEN, under=("pyramid_tm.tm_tween_factory", EXCVIEW), over=MAIN)
