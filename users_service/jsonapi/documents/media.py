"""Negotiates the media type, with its extensions and profiles (§5 Content Negotiation)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyramid.request import Request
from webob.acceptparse import Accept

from ..errors import JSONAPI_OBJECT, Error, JSONAPIError

MEDIA_TYPE = "application/vnd.api+json"
# The only parameters that the media type may have (§5.1).
PARAMETERS = {"ext", "profile"}

ATOMIC = "https://jsonapi.org/ext/atomic"

_Instance = tuple[str, dict[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The media type of a response: the extensions and profiles that it applies."""

    extensions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        applied = (("ext", self.extensions), ("profile", self.profiles))
        parts = [f'{name}="{" ".join(uris)}"' for name, uris in applied if uris]
        return ";".join([MEDIA_TYPE, *parts])

    @property
    def jsonapi_object(self) -> dict[str, Any]:
        found: dict[str, Any] = dict(JSONAPI_OBJECT)
        if self.extensions:
            found["ext"] = list(self.extensions)
        if self.profiles:
            found["profile"] = list(self.profiles)
        return found


PLAIN = Media()


def negotiate(
    request: Request,
    *,
    takes_document: bool = False,
    extension: str | None = None,
    profiles: frozenset[str] = frozenset(),
) -> Media:
    """Choose the media type of the response, and check that of the request body.

    :param takes_document: whether the endpoint reads a request body.
    :param extension: the extension that requests and responses of the endpoint must have.
    :param profiles: the profiles that the endpoint applies if the request has them in `Accept`.
    :raises JSONAPIError: 406 for `Accept` (§5.3; RFC 9110 §12.5.1), 415 for the `Content-Type` of
        a body (§5.3).
    """
    if takes_document and ("Content-Type" in request.headers or request.is_body_readable):
        _check_content_type(request.headers.get("Content-Type", ""), extension)
    return _choose(request.headers.get("Accept", ""), extension, profiles)


@lru_cache(maxsize=64)  # most clients always send the same header
def _choose(header: str, extension: str | None, profiles: frozenset[str]) -> Media:
    """Choose the media type of an `Accept` header that has the greatest weight."""
    try:
        instances = _instances(header)
    except ValueError:
        raise _not_acceptable("The Accept header is malformed.") from None
    extensions = () if extension is None else (extension,)
    jsonapi = [i for i in instances if i[0] == MEDIA_TYPE]
    servable = [i for i in jsonapi if i[2] and not _fault(i[1], extension)]
    if servable:
        # Of equal weights, the one with the most profiles is the most specific.
        _, parameters, _ = max(servable, key=lambda i: (i[2], len(_uris(i[1], "profile"))))
        wanted = _uris(parameters, "profile")
        return Media(
            extensions=extensions,
            profiles=tuple(dict.fromkeys(uri for uri in wanted if uri in profiles)),
        )
    weights = {name: weight for name, _, weight in reversed(instances) if name != MEDIA_TYPE}
    # `application/json` is acceptable too. If all instances of JSON:API's media type have other
    # parameters, wildcards do not help: the request is refused (§5.3).
    wildcard = weights.get("application/*", weights.get("*/*", 0))
    if instances and (jsonapi or not (wildcard or weights.get("application/json"))):
        needs = f' with ext="{extension}"' if extension else ", with no parameter but profile"
        raise _not_acceptable(f"Accept {MEDIA_TYPE} here{needs}.")
    return Media(extensions=extensions)


@lru_cache(maxsize=64)
def _check_content_type(header: str, extension: str | None) -> None:
    try:
        ((name, parameters, _),) = _instances(header)
    except ValueError:  # malformed, or not exactly one
        raise _unsupported(f"The Content-Type must be {MEDIA_TYPE}.") from None
    if name != MEDIA_TYPE:
        raise _unsupported(f"The Content-Type must be {MEDIA_TYPE}.")
    if re.search(r";\s*q\s*=", header, re.IGNORECASE):  # a weight in Accept, a parameter here
        raise _unsupported("The media type parameter q is not allowed.")
    if fault := _fault(parameters, extension):
        raise _unsupported(fault)


def _instances(header: str) -> list[_Instance]:
    """Parse a header into media types, each with its parameters and its weight.

    :raises ValueError: if the header is malformed (RFC 9110 §12.5.1).
    """
    return [
        (media_range.partition(";")[0].lower(), {k.lower(): v for k, v in parameters}, quality)
        for media_range, quality, parameters, _ in Accept.parse(header)
    ]


def _uris(parameters: dict[str, str], name: str) -> list[str]:
    return parameters.get(name, "").split()


def _fault(parameters: dict[str, str], extension: str | None) -> str:
    """Return why an instance of the media type with these parameters is refused; "" if not."""
    if foreign := sorted(set(parameters) - PARAMETERS):
        return f"The media type parameter {foreign[0][:40]} is not allowed."
    if set(_uris(parameters, "ext")) != (set() if extension is None else {extension}):
        return (
            f'The media type must have ext="{extension}" here.'
            if extension
            else "The media type must not have ext here."
        )
    return ""


def _not_acceptable(detail: str) -> JSONAPIError:
    return JSONAPIError(Error(code="not_acceptable", detail=detail, source={"header": "Accept"}))


def _unsupported(detail: str) -> JSONAPIError:
    return JSONAPIError(
        Error(code="unsupported_media_type", detail=detail, source={"header": "Content-Type"}),
        headers={"Accept": MEDIA_TYPE},
    )
