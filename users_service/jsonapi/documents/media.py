"""Negotiates the media type, with its extensions and profiles (§5 Content Negotiation)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyramid.request import Request

from ..api import api_of
from ..errors import JSONAPI_OBJECT, Error, JSONAPIError
from .media_ranges import MediaRange, accepted, elements, media_range

MEDIA_TYPE = "application/vnd.api+json"
# The only parameters that the media type may have (§5.1).
PARAMETERS = {"ext", "profile"}

ATOMIC = "https://jsonapi.org/ext/atomic"

# Characters. The choices for longer header fields are not remembered.
LONGEST_REMEMBERED = 1000

# The methods whose documents a URL names in header fields.
FIELDS = ("Patch", "Post")


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


def choose(accept: str, extension: str | None, profiles: frozenset[str] = frozenset()) -> Media:
    """Choose the media type of the response.

    :param accept: the field `Accept`; several of them are joined by commas.
    :param extension: the extension that the endpoint applies.
    :param profiles: the profiles that it applies if the request names them.
    :raises JSONAPIError: 406 (§5.3; RFC 9110 §12.5.1).
    """
    make = _choose if len(accept) <= LONGEST_REMEMBERED else _choose.__wrapped__
    return make(accept, extension, profiles)


@lru_cache(maxsize=64)  # most clients always send the same header
def _choose(accept: str, extension: str | None, profiles: frozenset[str]) -> Media:
    """Choose the media type that has the greatest weight."""
    members, has_others = accepted(accept)
    if not members and has_others:
        raise _not_acceptable("The Accept header has no media type that can be read.")
    extensions = () if extension is None else (extension,)
    jsonapi = [member for member in members if member.range.name == MEDIA_TYPE]
    servable = [m for m in jsonapi if m.weight and not _fault(m.range, extension)]
    if servable:
        # Of equal weights, the one with the most profiles is the most specific.
        best = max(servable, key=lambda m: (m.weight, len(m.range.uris("profile"))))
        wanted = best.range.uris("profile")
        return Media(
            extensions=extensions,
            profiles=tuple(dict.fromkeys(uri for uri in wanted if uri in profiles)),
        )
    weights = {m.range.name: m.weight for m in reversed(members) if m.range.name != MEDIA_TYPE}
    # `application/json` is acceptable too. If all instances of JSON:API's media type have other
    # parameters, wildcards do not help: the request is refused (§5.3).
    wildcard = weights.get("application/*", weights.get("*/*", 0))
    if members and (jsonapi or not (wildcard or weights.get("application/json"))):
        needs = _with(extension) + ("" if extension else " with no parameter but profile")
        raise _not_acceptable(f"The Accept header leaves nothing to answer with: accept {needs}.")
    return Media(extensions=extensions)


def check_coding(content_encoding: str) -> None:
    """Check that the body of a request is not encoded.

    :param content_encoding: the field `Content-Encoding`.
    :raises JSONAPIError: 415 (RFC 9110 §8.4, §12.5.3).
    """
    for name in elements(content_encoding):
        if name.lower() != "identity":
            detail = f"The body must not be encoded; the coding {name[:40]} is not supported."
            headers = {"Accept-Encoding": "identity"}
            raise JSONAPIError(_unsupported(detail, "Content-Encoding"), headers=headers)


def check_type(request: Request, extension: str | None) -> None:
    """Check the media type of a request document.

    :param extension: the extension that the document must have.
    :raises JSONAPIError: 415, with the media types that work (§5.3; RFC 9110 §15.5.16).
    """
    content_type = request.environ.get("CONTENT_TYPE", "")
    fault = _type_fault if len(content_type) <= LONGEST_REMEMBERED else _type_fault.__wrapped__
    if detail := fault(content_type, extension):
        headers = {"Accept": _with(extension)} | document_types(request)
        raise JSONAPIError(_unsupported(detail, "Content-Type"), headers=headers)


def document_types(request: Request) -> dict[str, str]:
    """The header fields that say which documents a URL takes.

    They are `Accept-Patch` (RFC 5789 §3.1) and `Accept-Post` (Linked Data Platform 1.0 §7.1), each
    if the URL has this method.
    """
    api = api_of(request.registry)
    if request.current_service.name in api.forms:
        return {"Accept-Post": _with(None)}
    methods = api.methods
    found = {name: methods.get((request.current_service.name, name.upper())) for name in FIELDS}
    return {
        f"Accept-{name}": _with(method.extension)
        for name, method in found.items()
        if method is not None and method.body is not None
    }


def _with(extension: str | None) -> str:
    return Media(extensions=() if extension is None else (extension,)).content_type


@lru_cache(maxsize=64)
def _type_fault(content_type: str, extension: str | None) -> str:
    """Return why the media type of a document is refused; "" if it is not."""
    found = elements(content_type)
    works = f"send the body as {_with(extension)}"
    if not found:
        return f"The request has no Content-Type: {works}."
    if len(found) > 1:
        return f"The Content-Type has more than one media type: {works}."
    try:
        media = media_range(found[0])
    except ValueError as error:
        return f"The Content-Type {error}: {works}."
    if media.name != MEDIA_TYPE:
        return f"The Content-Type is {media.name[:80]}: {works}."
    return _fault(media, extension)


def _fault(media: MediaRange, extension: str | None) -> str:
    """Return why an instance of JSON:API's media type is refused; "" if it is not."""
    if foreign := sorted(media.parameters.keys() - PARAMETERS):
        return f"The media type parameter {foreign[0][:40]} is not allowed."
    if set(media.uris("ext")) != (set() if extension is None else {extension}):
        return (
            f'The media type must have ext="{extension}" here.'
            if extension
            else "The media type must not have ext here."
        )
    return ""


def _not_acceptable(detail: str) -> JSONAPIError:
    return JSONAPIError(Error(code="not_acceptable", detail=detail, source={"header": "Accept"}))


def _unsupported(detail: str, header: str) -> Error:
    return Error(code="unsupported_media_type", detail=detail, source={"header": header})
