"""The media type: negotiation (§5 Content Negotiation), entity tags, and the renderer."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from pyramid.request import Request
from pyramid.response import Response
from webob.acceptparse import Accept

from users_service.jsonapi.errors import JSONAPI_OBJECT, Error, JSONAPIError, errors_document

MEDIA_TYPE = "application/vnd.api+json"
# The only parameters that the media type may carry (§5.1).
PARAMETERS = {"ext", "profile"}

ATOMIC = "https://jsonapi.org/ext/atomic"

_Instance = tuple[str, dict[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The extensions and profiles that are applied to a response."""

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
    """Choose the variant of the media type to answer with, and check that of the request's body.

    :param takes_document: whether the endpoint reads the request's body.
    :param extension: the extension that the endpoint applies, and demands on both sides.
    :param profiles: those that the endpoint can apply, and does where they are asked for.
    :raises JSONAPIError: 406 for the Accept header (§5.3; RFC 9110 §12.5.1), 415 for the
        Content-Type of a body (§5.3).
    """
    if takes_document and ("Content-Type" in request.headers or request.is_body_readable):
        _check_content_type(request.headers.get("Content-Type", ""), extension)
    return _choose(request.headers.get("Accept", ""), extension, profiles)


@lru_cache(maxsize=64)  # most clients always send the same header
def _choose(header: str, extension: str | None, profiles: frozenset[str]) -> Media:
    """Choose among the media types of an Accept header; the one with the greatest weight wins."""
    try:
        instances = _instances(header)
    except ValueError:
        raise _not_acceptable("The Accept header is malformed.") from None
    extensions = () if extension is None else (extension,)
    own = [i for i in instances if i[0] == MEDIA_TYPE]
    servable = [i for i in own if i[2] and not _fault(i[1], extension)]
    if servable:
        # Of equal weights the one with the most profiles: it says more of what is wanted.
        _, parameters, _ = max(servable, key=lambda i: (i[2], len(_uris(i[1], "profile"))))
        wanted = _uris(parameters, "profile")
        return Media(
            extensions=extensions,
            profiles=tuple(dict.fromkeys(uri for uri in wanted if uri in profiles)),
        )
    weights = {name: weight for name, _, weight in reversed(instances) if name != MEDIA_TYPE}
    # Clients that ask for JSON alone are served as well. A modified instance of the media type
    # outweighs every wildcard: if there are no others, the request is refused (§5.3).
    wildcard = weights.get("application/*", weights.get("*/*", 0))
    if instances and (own or not (wildcard or weights.get("application/json"))):
        needs = f' with ext="{extension}"' if extension else ", without parameters but profile"
        raise _not_acceptable(f"Only {MEDIA_TYPE} is served here{needs}.")
    return Media(extensions=extensions)


@lru_cache(maxsize=64)
def _check_content_type(header: str, extension: str | None) -> None:
    try:
        ((name, parameters, _),) = _instances(header)
    except ValueError:  # malformed, or not exactly one
        raise _unsupported(f"A body must be sent as {MEDIA_TYPE}.") from None
    if name != MEDIA_TYPE:
        raise _unsupported(f"A body must be sent as {MEDIA_TYPE}.")
    if re.search(r";\s*q\s*=", header, re.IGNORECASE):  # a weight in Accept, a parameter here
        raise _unsupported("The media type parameter q is not allowed.")
    if fault := _fault(parameters, extension):
        raise _unsupported(fault)


def _instances(header: str) -> list[_Instance]:
    """Split a header into its media types, each with its parameters and its weight.

    :raises ValueError: if the header does not follow RFC 9110 §12.5.1.
    """
    return [
        (media_range.partition(";")[0].lower(), {k.lower(): v for k, v in parameters}, quality)
        for media_range, quality, parameters, _ in Accept.parse(header)
    ]


def _uris(parameters: dict[str, str], name: str) -> list[str]:
    return parameters.get(name, "").split()


def _fault(parameters: dict[str, str], extension: str | None) -> str:
    """Say why an instance of the media type with these parameters cannot be served."""
    if foreign := sorted(set(parameters) - PARAMETERS):
        return f"The media type parameter {foreign[0][:40]} is not allowed."
    if set(_uris(parameters, "ext")) != (set() if extension is None else {extension}):
        return (
            f'Here ext="{extension}" is needed.' if extension else "Extensions do not apply here."
        )
    return ""


def _not_acceptable(detail: str) -> JSONAPIError:
    return JSONAPIError(Error(code="not_acceptable", detail=detail, source={"header": "Accept"}))


def _unsupported(detail: str) -> JSONAPIError:
    return JSONAPIError(
        Error(code="unsupported_media_type", detail=detail, source={"header": "Content-Type"}),
        headers={"Accept": MEDIA_TYPE},
    )


def dumps(document: Any) -> bytes:
    """Write a document. Instants in UTC become the text of RFC 3339 §5.6, with a Z."""
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def respond(
    request: Request, document: dict[str, Any], status: int = 200, **headers: str
) -> Response:
    """Make a document into a response."""
    media = request.validated.get("media", PLAIN)
    if media != PLAIN:
        document["jsonapi"] = media.jsonapi_object
        if "links" in document:
            own = {"href": document["links"]["self"], "type": media.content_type}
            document["links"]["self"] = own
    _point_at_description(request, document)
    body = dumps(document)
    headerlist = [("Content-Type", media.content_type), ("Content-Length", str(len(body)))]
    headerlist += headers.items()
    version = request.validated.get("version")
    if version is not None or request.method in ("GET", "HEAD"):
        headerlist.append(("ETag", f'"{entity_tag(version, media, body)}"'))
    return Response(app_iter=[body], status=status, headerlist=headerlist)


def _point_at_description(request: Request, document: dict[str, Any]) -> None:
    """Link every document to the description of the API (§5.1 Top Level)."""
    if request.description_url is not None:
        document.setdefault("links", {})["describedby"] = request.description_url


def entity_tag(version: int | None, media: Media, body: bytes) -> str:
    """The strong entity tag of a representation (RFC 9110 §8.8.3).

    The tag of one resource begins with its version, which is what `If-Match` compares: a change is
    seen whatever part of the resource a client has fetched.
    """
    digest = hashlib.sha256(media.content_type.encode() + b"\0")  # which processors have built in
    digest.update(body)
    return f"{'' if version is None else version}.{digest.hexdigest()[:24]}"


def revalidate(request: Request, response: Response) -> None:
    """Send nothing to a client that has this representation already (RFC 9110 §13.1.2)."""
    known = request.headers.get("If-None-Match", "")
    tag = response.etag
    if tag is None or response.status_int != 200 or request.method not in ("GET", "HEAD"):
        return
    # The comparison is the weak one; WebOb's own knows neither W/ nor *.
    if known.strip() == "*" or tag in re.findall(r'(?:W/)?"([^"]*)"', known):
        response.status_int = 304
        response.app_iter = []
        response.content_length = None
        del response.headers["Content-Type"]


def error_response(request: Request, error: JSONAPIError) -> Response:
    """Answer with an errors document; negotiation does not apply to it."""
    validated = getattr(request, "validated", {})
    media = validated.get("media", PLAIN)
    document = errors_document(error.errors, request.request_id, media.jsonapi_object)
    _point_at_description(request, document)
    response = Response(orjson.dumps(document), status=error.status)
    response.headers["Content-Type"] = media.content_type
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(error.headers)
    return response
