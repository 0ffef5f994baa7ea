"""Assertions for other services: short JWTs that say who the caller is, and what it may do.

Others verify them by the published keys alone, without asking. This API takes none: whoever has one
for another service gets nothing from it here, and a change of a token, a user or a role would hold
here too late (ADR 24).
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from cornice.service import Service
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.auth.callers import Caller
from users_service.auth.credentials import challenge
from users_service.jsonapi import (
    Answer,
    Described,
    Error,
    JSONAPIError,
    list_methods,
    not_found,
)
from users_service.settings import Settings

# RFC 9068 §2.1, and RFC 8725 §3.11: it is taken for no other kind of JWT.
TYPE = "at+jwt"
LIFETIME = timedelta(minutes=10)

# Outside of the API's prefix, where others look for it (RFC 8615).
KEYS_PATH = "/.well-known/jwks.json"
KEYS_TYPE = "application/jwk-set+json"
# Seconds for which others may keep the keys: a new key is published for so long before it signs.
KEYS_AGE = 300


def check_assertions(request: Request) -> None:
    """Refuse to make an assertion without a key, or for nobody.

    :raises JSONAPIError: 404 if the setting `assertion_key` is not set; 401 without a token.
    """
    if not request.registry["settings"].assertion_key:
        raise not_found("This service makes no assertions: its setting assertion_key is not set.")
    if request.caller.user_id is None:
        detail = "Authenticate: an assertion says who you are."
        raise JSONAPIError(Error(code="unauthorized", detail=detail), headers=challenge())


def create_assertion(request: Request) -> Answer:
    """Get an assertion for another service: a JWT that says who you are and what you may do.

    It is signed, and good for ten minutes at most. The other service, which `audience` names,
    verifies it by the keys at `/.well-known/jwks.json`. This API does not take it as a token.
    """
    settings: Settings = request.registry["settings"]
    caller: Caller = request.caller
    audience = request.validated["values"]["audience"]
    id, now = uuid4(), datetime.now(UTC).replace(microsecond=0)
    expiration = min(now + LIFETIME, (caller.expiration_time or now).replace(microsecond=0))
    claims = {
        "iss": settings.assertion_issuer,
        "aud": audience,
        "sub": str(caller.user_id),
        # The client is who holds the token.
        "client_id": str(caller.token_id),
        "scope": " ".join(sorted(caller.permissions)),
        "iat": int(now.timestamp()),
        "exp": int(expiration.timestamp()),
        "jti": str(id),
    }
    shown = {
        "audience": audience,
        "assertion": _signed(claims, settings),
        "expiration_time": expiration,
    }
    return Answer(document=_document(id, shown))


def _signed(claims: dict[str, Any], settings: Settings) -> str:
    import jwt  # takes memory, which services without a key need not have

    key = settings.assertion_key[0]
    headers = {"typ": TYPE, "kid": key.kid}
    return jwt.encode(claims, key.private, algorithm="EdDSA", headers=headers)


def _document(id: UUID, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"type": "assertions", "id": str(id), "attributes": attributes}}


def show_keys(request: Request) -> Response:
    """Fetch the public keys that assertions are verified by.

    They are a JSON Web Key Set (RFC 7517 §5). The first key signs; assertions name theirs by `kid`.
    """
    keys = request.registry["settings"].assertion_key
    if not keys:
        raise not_found("This service makes no assertions: its setting assertion_key is not set.")
    body = orjson.dumps({"keys": [key.jwk for key in keys]})
    response = Response(body, content_type=KEYS_TYPE, charset=None)
    response.etag = hashlib.sha256(body).hexdigest()[:24]
    response.headers["Cache-Control"] = f"public, max-age={KEYS_AGE}"
    return response


def includeme(config: Configurator) -> None:
    service = Service(name="jwks", path=KEYS_PATH)
    service.add_view("GET", show_keys, permission=NO_PERMISSION_REQUIRED)
    service.add_view("OPTIONS", list_methods, permission=NO_PERMISSION_REQUIRED)
    config.add_cornice_service(service)
    texts = {name: {"type": "string"} for name in ("kty", "crv", "x", "kid", "use", "alg")}
    key = {"type": "object", "required": list(texts), "properties": texts}
    keys = {"type": "array", "minItems": 1, "items": key}
    document = {"type": "object", "required": ["keys"], "properties": {"keys": keys}}
    described = Described(
        answers={200: {KEYS_TYPE: document}},
        headers={200: ("ETag",)},
        failures=frozenset({404, 500, 503}),
    )
    config.describe_jsonapi_methods(service.name, {"GET": described})
