"""Error objects (§7 Errors), their codes, and the exception that carries them."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

# Every error code, with its status and title. Codes are stable; docs/errors.md explains each. The
# host may define more.
CODES: dict[str, tuple[int, str]] = {
    "bad_request": (400, "Bad request"),
    "invalid_host": (400, "Invalid host"),
    "invalid_json": (400, "Body is not valid JSON"),
    "malformed_document": (400, "Malformed JSON:API document"),
    "invalid_parameter": (400, "Invalid query parameter"),
    "page_too_large": (400, "Page too large"),
    "unknown_lid": (400, "Unknown local id"),
    "too_many_operations": (400, "Too many operations"),
    "unsupported_parameter": (400, "Query parameter not supported here"),
    "unauthorized": (401, "Not authenticated"),
    "forbidden": (403, "Not permitted"),
    "client_id_refused": (403, "Client-generated id refused"),
    "read_only_relationship": (403, "Read-only relationship"),
    "required_relationship": (403, "Required relationship"),
    "related_not_found": (404, "Related resource not found"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "not_acceptable": (406, "No acceptable media type"),
    "type_conflict": (409, "Type does not match the endpoint"),
    "id_conflict": (409, "Id does not match the endpoint"),
    "already_taken": (409, "Value already taken"),
    "conflict": (409, "Conflict with the stored data"),
    "precondition_failed": (412, "Precondition failed"),
    "body_too_large": (413, "Body too large"),
    "url_too_long": (414, "URL too long"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "unknown_field": (422, "Unknown field"),
    "read_only_field": (422, "Read-only field"),
    "missing_field": (422, "Required field is missing"),
    "invalid_value": (422, "Invalid value"),
    "precondition_required": (428, "Precondition required"),
    "too_many_requests": (429, "Too many requests"),
    "headers_too_large": (431, "Header fields too large"),
    "internal_error": (500, "Internal error"),
    "not_implemented": (501, "Not implemented"),
    "unavailable": (503, "Temporarily unavailable"),
}

# Every rule that a field can break, as `meta.rule` of its error; docs/errors.md explains each. They
# are stable too, and called like the keyword of JSON Schema if there is one. The host may define
# more.
RULES = (
    "required",
    "null",
    "type",
    "format",
    "pattern",
    "enum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "blank",
    "control",
    "unique",
    "exists",
    "readOnly",
    "unknown",
    "invalid",
)

# The most general code of each status.
CODE_OF_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    412: "precondition_failed",
    413: "body_too_large",
    414: "url_too_long",
    415: "unsupported_media_type",
    422: "invalid_value",
    428: "precondition_required",
    429: "too_many_requests",
    431: "headers_too_large",
    501: "not_implemented",
    503: "unavailable",
}

# Those that the host has defined. A code means the same everywhere in a process, as a class of
# exceptions does.
_CODES_OF_HOSTS: dict[str, tuple[int, str]] = {}

Place = tuple[str | int, ...]
"""A place in the request document: the reference tokens of a JSON Pointer (RFC 6901 §3)."""

JSONAPI_OBJECT: dict[str, Any] = {"version": "1.1"}

# A response has at most so many errors, however many its request has.
MOST_ERRORS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """One error object.

    :param code: a key of CODES, which has the status and the title, or a code of the host.
    :param detail: what is wrong in this request, and what is allowed.
    :param source: `{"pointer": …}`, `{"parameter": …}` or `{"header": …}`; None if none of these
        caused the error.
    :param meta: further facts; for the error of one field those of `field_meta`.
    :param type: the URI of the error type, if a profile defines one.
    :param http_status: the status, if it is not that of the code; see `of_status`.
    """

    code: str
    detail: str
    source: dict[str, str] | None = None
    meta: dict[str, Any] | None = None
    type: str | None = None
    http_status: int | None = None

    @property
    def status(self) -> int:
        return self.http_status or meaning_of(self.code)[0]

    def as_object(self, request_id: str) -> dict[str, Any]:
        error: dict[str, Any] = {"id": request_id, "status": str(self.status), "code": self.code}
        error |= {"title": meaning_of(self.code)[1], "detail": self.detail}
        if self.source is not None:
            error["source"] = self.source
        if self.type is not None:
            error["links"] = {"type": self.type}
        if self.meta is not None:
            error["meta"] = self.meta
        return error


def define_codes(codes: Mapping[str, tuple[int, str]]) -> None:
    """Define codes of the host, each with its status and title.

    :raises ValueError: if one is defined already, with another status or title.
    """
    for code, meaning in codes.items():
        if code in CODES or _CODES_OF_HOSTS.setdefault(code, meaning) != meaning:
            raise ValueError(f"The error code {code} is defined already, as {meaning_of(code)}.")


def meaning_of(code: str) -> tuple[int, str]:
    """The status and the title of a code."""
    return CODES.get(code) or _CODES_OF_HOSTS[code]


class JSONAPIError(Exception):
    """The errors of a request, which is answered with an errors document.

    :param errors: at least one; only the first MOST_ERRORS are used.
    :param headers: header fields of the response, such as `Allow`.
    """

    def __init__(self, *errors: Error, headers: dict[str, str] | None = None) -> None:
        self.errors = errors[:MOST_ERRORS]
        self.headers = headers or {}
        super().__init__("; ".join(f"{error.code}: {error.detail}" for error in self.errors))

    @property
    def status(self) -> int:
        """The status of the response: that of all errors, or else 400, or 500 if one is a 5xx."""
        statuses = {error.status for error in self.errors}
        if len(statuses) == 1:
            return statuses.pop()
        return HTTPStatus.BAD_REQUEST if max(statuses) < 500 else HTTPStatus.INTERNAL_SERVER_ERROR


def errors_document(
    errors: tuple[Error, ...], request_id: str, jsonapi_object: dict[str, Any] = JSONAPI_OBJECT
) -> dict[str, Any]:
    return {
        "jsonapi": jsonapi_object,
        "errors": [error.as_object(request_id) for error in errors],
    }


def of_status(status: int, detail: str, source: dict[str, str] | None = None) -> Error:
    """An error of which only the HTTP status is known.

    A status without a code keeps its number, and has the code of the x00 status of its class, as
    which clients treat it (RFC 9110 §15).
    """
    code = CODE_OF_STATUS.get(status, "bad_request" if status < 500 else "internal_error")
    return Error(code=code, detail=detail, source=source, http_status=status)


def pointer(*tokens: str | int) -> str:
    """Join reference tokens to a JSON Pointer, with `~` and `/` escaped (RFC 6901 §3)."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def at(*tokens: str | int) -> dict[str, str]:
    """The source of an error at a place in the request document."""
    return {"pointer": pointer(*tokens)}


def parameter_source(name: str) -> dict[str, str]:
    """The source of an error in a query parameter."""
    return {"parameter": name}


def not_found(
    detail: str = "There is no resource at this URL.", source: dict[str, str] | None = None
) -> JSONAPIError:
    return JSONAPIError(Error(code="not_found", detail=detail, source=source))


def no_such_id(type: str) -> str:
    """The detail of an error of an id that no resource of a type has."""
    return f"There is no resource of type {type} with this id."


def field_error(
    code: str, name: str, message: str, *tokens: str | int, rule: str, limit: Any = None
) -> Error:
    """An error of one field, with `meta` for clients that show it next to the field.

    :param tokens: the place of the field in the request document.
    :param rule: the rule that its value breaks: one of RULES, or of the host.
    :param limit: what the rule compares with, as a value of JSON; None if there is nothing.
    """
    meta = field_meta(name, message, rule, limit)
    return Error(code=code, detail=message, source=at(*tokens), meta=meta)


def field_meta(name: str, message: str, rule: str, limit: Any = None) -> dict[str, Any]:
    """The `meta` of an error of one field, from which clients can make a text of their own."""
    meta = {"attribute": name, "message": message, "rule": rule}
    return meta if limit is None else meta | {"limit": limit}


def malformed_error(detail: str, *tokens: str | int) -> Error:
    """An error in the shape of the request document, at a place in it."""
    return Error(code="malformed_document", detail=detail, source=at(*tokens))


def malformed(detail: str, *tokens: str | int) -> JSONAPIError:
    return JSONAPIError(malformed_error(detail, *tokens))
