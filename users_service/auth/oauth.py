"""Two endpoints of OAuth 2.0 for tokens: ending one (RFC 7009), and asking about one (RFC 7662).

They speak forms and JSON as these specifications have it, and no JSON:API, so that stock clients
can use them. Their errors are those of RFC 6749 §5.2 and RFC 6750 §3.1.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import orjson
from cornice.service import Service
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy import Connection, delete, select

from users_service.auth.callers import Caller, find_caller
from users_service.auth.credentials import REALM, challenge
from users_service.auth.policy import may
from users_service.auth.secrets import digest, is_token
from users_service.jsonapi import (
    Described,
    JSONAPIError,
    begin_changes,
    cornice_errors,
    list_methods,
)
from users_service.models.tables import tokens, users

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# A token has 40 bytes; a hint and parameters of extensions have room.
LONGEST_BODY = 8192
MOST_PARAMETERS = 20
INTROSPECT = "tokens:introspect"


class RefusedError(Exception):
    """What a client has done wrong.

    :param code: the error's code in RFC 6749 §5.2 or RFC 6750 §3.1.
    :param description: says it to its developer, in ASCII without quotes.
    """

    def __init__(
        self, code: str, description: str, status: int = 400, headers: dict[str, str] | None = None
    ) -> None:
        self.code, self.description = code, description
        self.status, self.headers = status, headers or {}
        super().__init__(description)


def revoke_token(request: Request) -> Response:
    """End a token, by holding it (RFC 7009).

    The answer is 200 as well if there is no such token, or none any more. No other authentication
    is needed. Whoever found a token can end it here.
    """
    token = _parameters(request)["token"]
    if is_token(token):
        found = digest(token)
        begin_changes(request.dbconnection)
        request.dbconnection.execute(delete(tokens).where(tokens.c.digest == found))
        request.registry["callers"].remember(found, None)
    response = Response(status=200)
    del response.headers["Content-Type"]  # there is no content
    return response


def introspect_token(request: Request) -> Response:
    """Ask about a token: whether it is good, whose it is, and what it allows now (RFC 7662).

    Of a token that is unknown, has ended or has expired, or of an inactive user, the answer is
    `{"active": false}`. `username` is the e-mail address, and there for callers who may
    `users:read_email`.
    """
    caller = _introspecting_caller(request)
    token = _parameters(request)["token"]
    found = None
    if is_token(token):
        idle = timedelta(days=request.registry["settings"].token_idle_time)
        with request.registry["reading"].connect() as connection:
            found = _described(connection, digest(token), idle, caller)
    return _json({"active": False} if found is None else found)


def _introspecting_caller(request: Request) -> Caller:
    """Return the caller, who may ask about tokens.

    :raises RefusedError: 400, 401 or 403 if it may not.
    """
    try:
        caller: Caller = request.caller
    except JSONAPIError as error:
        fault = error.errors[0]
        code = fault.code if fault.code.startswith("invalid_") else "invalid_client"
        raise RefusedError(code, fault.detail, fault.status, error.headers) from None
    if may(caller, INTROSPECT):
        return caller
    if caller.user_id is None:
        detail = "Authenticate by a token that may ask about tokens."
        raise RefusedError("invalid_client", detail, 401, challenge())
    header = f'{REALM}, error="insufficient_scope", scope="{INTROSPECT}"'
    detail = f"This needs the permission {INTROSPECT}."
    raise RefusedError("insufficient_scope", detail, 403, {"WWW-Authenticate": header})


def _described(
    connection: Connection, token_digest: str, idle: timedelta, asking: Caller
) -> dict[str, Any] | None:
    """Say of a token what RFC 7662 §2.2 names; None if it is not active."""
    holder = find_caller(connection, token_digest)
    if holder is None or holder.is_over(datetime.now(UTC), idle):
        return None
    statement = select(tokens.c.creation_time, users.c.email).select_from(tokens.join(users))
    row = connection.execute(statement.where(tokens.c.id == holder.token_id)).one_or_none()
    if row is None or holder.expiration_time is None:
        return None
    found = {
        "active": True,
        "sub": str(holder.user_id),
        "scope": " ".join(sorted(holder.permissions)),
        "client_id": str(holder.token_id),
        "jti": str(holder.token_id),
        "token_type": "Bearer",
        "iat": int(row.creation_time.timestamp()),
        "exp": int(holder.expiration_time.timestamp()),
    }
    own = asking.user_id == holder.user_id and may(asking, "self:read")
    if own or may(asking, "users:read_email"):
        found["username"] = row.email
    return found


def _parameters(request: Request) -> dict[str, str]:
    """Read the form in the body (RFC 6749 §3.2, appendix B).

    :raises RefusedError: 400 if it cannot be read, repeats a parameter or has no token; 413 if it
        is too long.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip(" \t").lower()
    length = request.content_length
    body: bytes = b"" if (length or 0) > LONGEST_BODY else request.body_file.read(LONGEST_BODY + 1)
    if (length or 0) > LONGEST_BODY or len(body) > LONGEST_BODY:
        detail = f"The body may have at most {LONGEST_BODY} bytes."
        raise RefusedError("invalid_request", detail, 413)
    if media_type != FORM or request.headers.get("Content-Encoding"):
        raise RefusedError("invalid_request", f"The body must be {FORM}, without a coding.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise RefusedError("invalid_request", "The body is no form.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusedError("invalid_request", "A parameter is repeated.")
    if not found.get("token"):
        raise RefusedError("invalid_request", "The parameter token is missing.")
    return found


def _json(document: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(document), status=status, content_type=JSON, charset=None)


def _refusing(view: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Let a view answer with the errors of OAuth."""

    def refusing(request: Request) -> Response:
        try:
            return view(request)
        except RefusedError as error:
            document = {"error": error.code, "error_description": error.description}
            response = _json(document, error.status)
            response.headers.update(error.headers)
            return response

    refusing.__doc__ = view.__doc__
    return refusing


_TEXT = {"type": "string"}
_TOKEN = {
    "type": "object",
    "required": ["token"],
    "properties": {"token": _TEXT | {"minLength": 1}, "token_type_hint": _TEXT},
    "additionalProperties": _TEXT,
    "maxProperties": MOST_PARAMETERS,
}
_REFUSAL = {
    JSON: {
        "type": "object",
        "required": ["error"],
        "properties": {"error": _TEXT, "error_description": _TEXT},
    }
}
_TIME = {"type": "integer", "description": "Seconds since 1970-01-01T00:00:00Z."}
_INTROSPECTION = {
    "type": "object",
    "required": ["active"],
    "properties": {
        "active": {"type": "boolean"},
        **dict.fromkeys(
            ("sub", "scope", "client_id", "jti", "token_type", "username"),
            _TEXT,
        ),
        "iat": _TIME,
        "exp": _TIME,
    },
}
_COMMON = frozenset({404, 414, 431, 500, 503})

REVOKING = Described(
    body={FORM: _TOKEN},
    answers={200: {}, 400: _REFUSAL, 413: _REFUSAL},
    failures=_COMMON,
)
INTROSPECTING = Described(
    body={FORM: _TOKEN},
    answers={200: {JSON: _INTROSPECTION}, **dict.fromkeys((400, 401, 403, 413), _REFUSAL)},
    headers={401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",)},
    failures=_COMMON,
    permissions=(INTROSPECT,),
)


def includeme(config: Configurator) -> None:
    for name, view, described in (
        ("revoke", revoke_token, REVOKING),
        ("introspect", introspect_token, INTROSPECTING),
    ):
        service = Service(name=f"auth:{name}", path=f"/auth/{name}", error_handler=cornice_errors)
        service.add_view("POST", _refusing(view), permission=NO_PERMISSION_REQUIRED)
        service.add_view("OPTIONS", list_methods, permission=NO_PERMISSION_REQUIRED)
        config.add_cornice_service(service)
        config.describe_jsonapi_methods(service.name, {"POST": described})
