"""Finds the token of a request: in `Authorization` (RFC 6750 §2.1), or in the browser UI's cookie.

No token is taken from a URL.
"""

import re
from dataclasses import dataclass

from pyramid.request import Request

from users_service.auth.secrets import is_token
from users_service.hosts import is_loopback
from users_service.jsonapi import Error, JSONAPIError

REALM = 'Bearer realm="users_service"'

SCHEME = re.compile(r"(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(?P<rest>.*))?", re.DOTALL)
BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
LONGEST_HEADER = 4096

# The cookie of HTTPS, and the one of plain HTTP on this machine: browsers refuse the first there.
SECURE_COOKIE = "__Host-users_service"
LOCAL_COOKIE = "users_service"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token that a request has.

    :param is_cookie: whether it came in the cookie.
    """

    token: str
    is_cookie: bool


def challenge(error: str | None = None) -> dict[str, str]:
    """Return the header field of a 401 (RFC 6750 §3).

    :param error: `invalid_token` or `invalid_request`; None if there were no credentials.
    """
    return {"WWW-Authenticate": REALM if error is None else f'{REALM}, error="{error}"'}


def invalid_token(*, is_cookie: bool = False) -> JSONAPIError:
    """The error of a token that is none, or none any more.

    :param is_cookie: whether it came in the cookie.
    """
    detail = "The token is unknown, has ended or has expired, or its user is not active."
    source = {"header": "Cookie" if is_cookie else "Authorization"}
    fault = Error(code="invalid_token", detail=detail, source=source)
    return JSONAPIError(fault, headers=challenge("invalid_token"))


def credentials_of(request: Request) -> Credentials | None:
    """Return the token of a request; None if it has none.

    A cookie counts only if a script of our own pages has sent it: a page of another origin cannot
    set `X-Requested-With` without being asked first.

    :raises JSONAPIError: 400 for a malformed `Authorization`; 401 for another scheme, or what is no
        token.
    """
    header = request.environ.get("HTTP_AUTHORIZATION")
    if header is not None:
        return _checked(Credentials(_bearer(header), is_cookie=False))
    if request.environ.get("HTTP_X_REQUESTED_WITH") != "users_service":
        return None
    if request.environ.get("HTTP_SEC_FETCH_SITE", "same-origin") != "same-origin":
        return None
    token = request.cookies.get(cookie_name(request))
    return None if token is None else _checked(Credentials(token, is_cookie=True))


def cookie_name(request: Request) -> str:
    """The name of the cookie: without the prefix `__Host-` over plain HTTP on this machine."""
    is_local = request.scheme == "http" and is_loopback(request.domain)
    return LOCAL_COOKIE if is_local else SECURE_COOKIE


def _bearer(header: str) -> str:
    found = SCHEME.fullmatch(header.strip(" \t"))
    if found is None or len(header) > LONGEST_HEADER:
        raise _malformed("Authorization must be Bearer, a blank and one token.")
    if found["scheme"].lower() != "bearer":
        detail = "The scheme of Authorization must be Bearer."
        fault = Error(code="unauthorized", detail=detail, source={"header": "Authorization"})
        raise JSONAPIError(fault, headers=challenge())
    token = found["rest"] or ""
    if not BEARER.fullmatch(token):
        raise _malformed("Authorization must be Bearer, a blank and one token.")
    return token


def _malformed(detail: str) -> JSONAPIError:
    fault = Error(code="invalid_request", detail=detail, source={"header": "Authorization"})
    return JSONAPIError(fault, headers=challenge("invalid_request"))


def _checked(credentials: Credentials) -> Credentials:
    """Refuse what is no token before the database is asked."""
    if not is_token(credentials.token):
        raise invalid_token(is_cookie=credentials.is_cookie)
    return credentials
