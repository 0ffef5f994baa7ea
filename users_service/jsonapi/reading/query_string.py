"""Decodes the query string into pairs of names and values."""

import re
from collections import Counter
from urllib.parse import unquote_to_bytes

from pyramid.request import Request

from ..errors import Error, JSONAPIError, parameter_source
from ..limits import Limits
from .query import Pairs

# Room for one filter of each kind on each of many fields: those that the description lists.
MOST_PARAMETERS = 300


def read_pairs(request: Request, limits: Limits) -> Pairs:
    """Decode the query string as `application/x-www-form-urlencoded` (Appendix A).

    :raises JSONAPIError: 414 if the URL is longer than `limits.max_url_length` bytes; 400 for
        malformed percent-encoding, bytes that are not UTF-8, a repeated parameter, or more than
        MOST_PARAMETERS of them. A parameter that is repeated for each of its values, such as
        `filter[id][]`, counts once.
    """
    text = request.environ.get("QUERY_STRING", "")
    if len(request.environ.get("PATH_INFO", "")) + len(text) > limits.max_url_length:
        detail = f"A URL may have at most {limits.max_url_length} bytes."
        raise JSONAPIError(Error(code="url_too_long", detail=detail))
    parts = [part.partition("=") for part in text.split("&") if part]
    pairs = tuple((_decoded(name), _decoded(value, name)) for name, _, value in parts)
    times = Counter(name for name, _ in pairs)
    if len(times) > MOST_PARAMETERS:
        raise _bad_query(f"A URL may have at most {MOST_PARAMETERS} query parameters.")
    if repeated := [name for name in times if times[name] > 1 and not name.endswith("[]")]:
        detail = "May be given only once."
        raise JSONAPIError(*(invalid(name, detail) for name in sorted(repeated)))
    return pairs


def _decoded(text: str, name: str | None = None) -> str:
    """Decode a name or a value.

    :param name: the undecoded parameter name, if `text` is a value; for the error's source.
    """
    try:
        if re.search(r"%(?![0-9A-Fa-f]{2})", text):
            raise ValueError
        return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8")
    except ValueError:  # raised above, or by encode and decode
        detail = "Must be percent-encoded UTF-8 (RFC 3986 §2.1)."
        raise _bad_query(detail, None if name is None else _decoded(name)) from None


def refuse_parameters(request: Request, limits: Limits) -> None:
    """Check that a request has no query parameters.

    :raises JSONAPIError: 400 with an error for each of them; 414.
    """
    if pairs := read_pairs(request, limits):
        raise JSONAPIError(*(unsupported(name) for name, _ in pairs))


def unsupported(name: str) -> Error:
    detail = "This URL has no such query parameter for this method."
    return Error(code="unsupported_parameter", detail=detail, source=parameter_source(name))


def invalid(name: str, detail: str) -> Error:
    return Error(code="invalid_parameter", detail=detail, source=parameter_source(name))


def _bad_query(detail: str, name: str | None = None) -> JSONAPIError:
    source = None if name is None else parameter_source(name)
    return JSONAPIError(Error(code="invalid_parameter", detail=detail, source=source))
