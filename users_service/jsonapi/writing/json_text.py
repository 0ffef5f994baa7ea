"""Reads a request body, and parses its JSON: strictly, and within limits (RFC 8259, RFC 7493)."""

import json
import math
import re
from codecs import BOM_UTF8
from collections import Counter
from typing import Any

from pyramid.request import Request

from ..errors import Error, JSONAPIError, at
from ..limits import Limits

# Characters. Longer integers exceed a double, and parsers do not agree on them (RFC 7493 §2.2).
LONGEST_INTEGER = 308


class _InvalidJsonError(ValueError):
    """Python's parser accepts the text, but RFC 8259 or I-JSON (RFC 7493) does not."""


def read_body(request: Request, limits: Limits) -> bytes:
    """Return the request body.

    :raises JSONAPIError: 413 if it is longer than `limits.max_body_size` bytes.
    """
    limit = limits.max_body_size
    too_large = JSONAPIError(
        Error(code="body_too_large", detail=f"A body may have at most {limit} bytes.")
    )
    if (request.content_length or 0) > limit:
        raise too_large
    # A chunked body has no Content-Length: read at most one byte more than is allowed.
    body: bytes = request.body_file.read(limit + 1)
    if len(body) > limit:
        raise too_large
    return body


def parse_json(body: bytes, limits: Limits) -> Any:
    """Return the JSON value of a request body.

    :raises JSONAPIError: 400 if the body is empty, not JSON in UTF-8 (RFC 8259), nested deeper than
        `limits.max_json_depth`, or not I-JSON (RFC 7493 §2): a repeated name, a number beyond a
        double, half a surrogate pair.
    """
    if not body:
        raise JSONAPIError(Error(code="malformed_document", detail="The request has no body."))
    if body.startswith(BOM_UTF8):
        raise _invalid_json("The body begins with a byte order mark; send it without one.")
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
        )
        if re.search(rb"\\u[dD][89a-fA-F]", body):
            _refuse_surrogates(value)
    except UnicodeDecodeError as error:
        raise _invalid_json(f"The body is not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at").removesuffix(" starting")
        place = f"line {error.lineno}, column {error.colno}"
        raise _invalid_json(f"The body is not JSON at {place}: {reason}.") from None
    except _InvalidJsonError as error:
        raise _invalid_json(str(error)) from None
    except RecursionError:
        raise _too_deep(limits) from None
    if _depth_exceeds(value, limits.max_json_depth):
        raise _too_deep(limits)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        times = Counter(name for name, _ in pairs)
        repeated = next(name for name in times if times[name] > 1)
        raise _InvalidJsonError(f"An object has the name {_shown(repeated)} twice.")
    return value


def _shown(name: str) -> str:
    """The beginning of a name, as it is written in JSON."""
    return json.dumps(name[:40])


def _refuse_constant(name: str) -> Any:
    raise _InvalidJsonError(f"{name} is not a JSON value.")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise _InvalidJsonError("A number is too large.")
    return number


def _bounded(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise _InvalidJsonError("A number is too large.")
    return int(text)


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise _InvalidJsonError("A string has half of a surrogate pair.") from None


def _depth_exceeds(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    children = value.values() if isinstance(value, dict) else value
    return any(_depth_exceeds(child, levels - 1) for child in children)


def _invalid_json(detail: str) -> JSONAPIError:
    return JSONAPIError(Error(code="invalid_json", detail=detail))


def _too_deep(limits: Limits) -> JSONAPIError:
    detail = f"The body is nested deeper than {limits.max_json_depth} levels."
    return JSONAPIError(Error(code="malformed_document", detail=detail, source=at()))
