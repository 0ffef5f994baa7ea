"""Endpoints: the directives, the Cornice services that they add, and the views of these.

At start come directives, then services. A request meets the modules in this order: validators,
views; exceptions, if an error was raised.
"""

from . import validators, views
from .directives import (
    add_jsonapi_begin_handler,
    add_jsonapi_change_handler,
    add_jsonapi_entry,
    add_jsonapi_error_codes,
    add_jsonapi_resource,
    request_limits,
    request_prover,
    request_resources,
    set_jsonapi_limits,
    set_jsonapi_proof,
    set_jsonapi_security,
)
from .exceptions import error_of
from .forms import add_jsonapi_form, describe_jsonapi_methods
from .services import begin, cornice_errors, include_cornice, serve_json
from .views import create_resource, list_methods

__all__ = [
    "add_jsonapi_begin_handler",
    "add_jsonapi_change_handler",
    "add_jsonapi_entry",
    "add_jsonapi_error_codes",
    "add_jsonapi_form",
    "add_jsonapi_resource",
    "begin",
    "cornice_errors",
    "create_resource",
    "describe_jsonapi_methods",
    "error_of",
    "include_cornice",
    "list_methods",
    "request_limits",
    "request_prover",
    "request_resources",
    "serve_json",
    "set_jsonapi_limits",
    "set_jsonapi_proof",
    "set_jsonapi_security",
    "validators",
    "views",
]
