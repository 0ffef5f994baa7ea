"""The query string becomes one frozen Query, or errors that name each parameter (§6). No SQL."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from pyramid.request import Request

from users_service.jsonapi import cursors
from users_service.jsonapi.errors import Error, JSONAPIError, parameter
from users_service.jsonapi.limits import Limits
from users_service.jsonapi.resource import Resource

Pairs = tuple[tuple[str, str], ...]

MOST_PARAMETERS = 100
# An OFFSET has 63 bits on every engine; no list is as long as this.
MOST_PAGES = 1 << 31

CURSOR_PARAMETERS = {"page[after]", "page[before]", "page[total]"}
PAGE_PARAMETERS = CURSOR_PARAMETERS | {"page[size]", "page[number]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPage:
    """At most `size` resources behind a position, before one, or from the start.

    :param total: whether the client asked for the number of all resources, which costs a count.
    """

    size: int
    after: cursors.Position | None = None
    before: cursors.Position | None = None
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPage:
    """The page with a number, counted from 1."""

    size: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a request asks for.

    :param order: the sort fields, completed with the id to a total order.
    :param page: the part of a collection; None where there is no collection.
    :param pairs: the parameters as they came, for links that repeat them.
    """

    order: cursors.Order = (("id", False),)
    page: CursorPage | NumberPage | None = None
    pairs: Pairs = ()


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
    names = [name for name, _ in pairs]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise JSONAPIError(*(_invalid(name, "Is given twice.") for name in sorted(repeated)))
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


def parse_query(request: Request, resource: Resource, limits: Limits, *, collection: bool) -> Query:
    """Read the query string of a request; parameters that the endpoint does not have are refused.

    :param collection: whether the request fetches a collection, which is sorted and paged.
    :raises JSONAPIError: 400 or 414, with every fault of the parameters at once.
    """
    pairs = read_pairs(request, limits)
    supported = PAGE_PARAMETERS | {"sort"} if collection else set()
    faults = [
        Error(
            code="unsupported_parameter",
            detail="This endpoint has no such parameter for this method.",
            source=parameter(name),
        )
        for name, _ in pairs
        if name not in supported
    ]
    if not collection:
        if faults:
            raise JSONAPIError(*faults)
        return Query()
    values = dict(pairs)
    order = _order(values, resource, faults)
    page = _page(values, resource, order, limits, faults)
    if faults:
        raise JSONAPIError(*faults)
    return Query(order=order, page=page, pairs=pairs)


def _order(values: dict[str, str], resource: Resource, faults: list[Error]) -> cursors.Order:
    """Read `sort` (§6.3), and complete it with the id: ties have one order on every page."""
    order: list[tuple[str, bool]] = []
    for term in values["sort"].split(",") if "sort" in values else ():
        name = term.removeprefix("-")
        if name not in resource.sortable:
            detail = f"Cannot sort by {name[:40]!r}." if name else "Has an empty field name."
            faults.append(_invalid("sort", detail))
        elif name in (known for known, _ in order):
            faults.append(_invalid("sort", f"Names {name} twice."))
        else:
            order.append((name, term.startswith("-")))
    if "id" not in (name for name, _ in order):
        order.append(("id", False))
    return tuple(order)


def _page(
    values: dict[str, str],
    resource: Resource,
    order: cursors.Order,
    limits: Limits,
    faults: list[Error],
) -> CursorPage | NumberPage:
    """Read the `page` family (§6.4): by cursor, or by number; never both in one request."""
    size = _whole(
        values,
        "page[size]",
        min(limits.page_size, limits.max_page_size),
        limits.max_page_size,
        faults,
    )
    if "page[number]" in values:
        faults.extend(
            _invalid(name, "Does not go with page[number].")
            for name in sorted(CURSOR_PARAMETERS & values.keys())
        )
        return NumberPage(size=size, number=_whole(values, "page[number]", 1, MOST_PAGES, faults))
    if "page[after]" in values and "page[before]" in values:
        faults.append(_invalid("page[before]", "Does not go with page[after]."))
    total = values.get("page[total]", "false")
    if total not in ("true", "false"):
        faults.append(_invalid("page[total]", "Must be true or false."))
    positions: dict[str, Any] = {}
    for name in ("after", "before"):
        if (cursor := values.get(f"page[{name}]")) is not None:
            try:
                positions[name] = cursors.decode(resource, order, cursor)
            except ValueError as error:
                faults.append(_invalid(f"page[{name}]", str(error)))
    return CursorPage(size=size, total=total == "true", **positions)


def _whole(values: dict[str, str], name: str, default: int, most: int, faults: list[Error]) -> int:
    """Read a whole number from 1 to `most`, in ASCII digits; leading zeros are allowed."""
    text = values.get(name)
    if text is None:
        return default
    digits = text.lstrip("0")
    if not re.fullmatch(r"[0-9]{1,12}", digits, re.ASCII) or not re.fullmatch(r"[0-9]+", text):
        faults.append(_invalid(name, "Must be a whole number, at least 1."))
    elif int(digits) > most:
        faults.append(_invalid(name, f"Must be at most {most}."))
    else:
        return int(digits)
    return default


def _invalid(name: str, detail: str) -> Error:
    return Error(code="invalid_parameter", detail=detail, source=parameter(name))


def _bad_query(detail: str, name: str | None = None) -> JSONAPIError:
    source = None if name is None else parameter(name)
    return JSONAPIError(Error(code="invalid_parameter", detail=detail, source=source))
