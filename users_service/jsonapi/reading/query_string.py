"""The query string becomes pairs of names and values, or an error."""

import re
from urllib.parse import unquote_to_bytes

from pyramid.request import Request

from ..errors import Error, JSONAPIError, parameter_source
from ..limits import Limits
from .query import Pairs

MOST_PARAMETERS = 100


def read_pairs(request: Request, limits: Limits) -> Pairs:
    """Decode the query string as `application/x-www-form-urlencoded` (Appendix A).

    :raises JSONAPIError: 414 if the URL is over `limits.max_url_length`; 400 for escapes that are
        malformed or no UTF-8, a parameter given twice, or too many of them.
    """
    text = request.environ.get("QUERY_STRING", "")
    if len(request.environ.get("PATH_INFO", "")) + len(text) > limits.max_url_length:
        detail = f"A URL may have at most {limits.max_url_length} bytes."
        raise JSONAPIError(Error(code="url_too_long", detail=detail))
    parts = [part.partition("=") for part in text.split("&") if part]
    if len(parts) > MOST_PARAMETERS:
        raise _bad_query(f"There are more than {MOST_PARAMETERS} parameters.")
    pairs = tuple((_decoded(name), _decoded(value, name)) for name, _, value in parts)
    names = [name for name, _ in pairs if not name.endswith("[]")]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise JSONAPIError(*(invalid(name, "Is given twice.") for name in sorted(repeated)))
    return pairs


def _decoded(text: str, name: str | None = None) -> str:
    """Decode one part of the query string: of a name, or of the value that a name has."""
    try:
        if re.search(r"%(?![0-9A-Fa-f]{2})", text):
            raise ValueError
        return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8")
    except ValueError:  # also of the decoding itself
        detail = "Is not UTF-8 under the escapes of a URL (RFC 3986 §2.1)."
        raise _bad_query(detail, None if name is None else _decoded(name)) from None


def refuse_parameters(request: Request, limits: Limits) -> None:
    """Refuse every parameter, for an endpoint that has none.

    :raises JSONAPIError: 400 or 414.
    """
    if pairs := read_pairs(request, limits):
        raise JSONAPIError(*(unsupported(name) for name, _ in pairs))


def unsupported(name: str) -> Error:
    detail = "This endpoint has no such parameter for this method."
    return Error(code="unsupported_parameter", detail=detail, source=parameter_source(name))


def invalid(name: str, detail: str) -> Error:
    return Error(code="invalid_parameter", detail=detail, source=parameter_source(name))


def _bad_query(detail: str, name: str | None = None) -> JSONAPIError:
    source = None if name is None else parameter_source(name)
    return JSONAPIError(Error(code="invalid_parameter", detail=detail, source=source))
