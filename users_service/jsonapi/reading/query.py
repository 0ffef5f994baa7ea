"""The query string becomes one frozen Query, or errors that name each parameter (§6). No SQL."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from pyramid.request import Request

from ..errors import Error, JSONAPIError, parameter
from ..limits import Limits
from ..resource import Relationship, Resource
from . import cursors, expressions, filters

Pairs = tuple[tuple[str, str], ...]

Include = Mapping[str, "Include"]
"""The relationships to include, each with those to include behind it."""

# The profile's own names for two faults (its §"Errors").
CURSOR_PROFILE = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination"

MOST_PARAMETERS = 100
# An OFFSET has 63 bits on every engine; no list is as long as this.
MOST_PAGES = 1 << 31

CURSOR_PARAMETERS = {"page[after]", "page[before]"}
NUMBER_PARAMETERS = {"page[number]"}
OFFSET_PARAMETERS = {"page[offset]", "page[limit]"}
DIALECTS = (CURSOR_PARAMETERS, NUMBER_PARAMETERS, OFFSET_PARAMETERS)
PAGE_PARAMETERS = {
    "page[size]",
    "page[total]",
    *CURSOR_PARAMETERS,
    *NUMBER_PARAMETERS,
    *OFFSET_PARAMETERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPage:
    """At most `size` resources behind a position, before one, between two, or from the start."""

    size: int
    after: cursors.Position | None = None
    before: cursors.Position | None = None
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPage:
    """At most `size` resources behind the first `offset` ones.

    :param numbered: whether the client counts pages, and not resources.
    """

    size: int
    offset: int
    numbered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a request asks for.

    :param include: the relationships to include; None if the request does not say.
    :param fields: the fields to show of each type; all where a type is not named.
    :param filter: the condition on a collection.
    :param order: the sort fields, completed with the id to a total order.
    :param page: the part of a collection; None where there is no collection.
    :param scope: what a cursor is bound to.
    :param pairs: the parameters as they came, for links that repeat them.
    """

    include: Include | None = None
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    filter: filters.Condition | None = None
    order: cursors.Order = (("id", False),)
    page: CursorPage | OffsetPage | None = None
    scope: str = ""
    pairs: Pairs = ()

    def shows(self, resource: Resource, name: str) -> bool:
        """Whether a field of a resource is to be shown (§6.3 Sparse Fieldsets)."""
        return resource.type not in self.fields or name in self.fields[resource.type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a request's query string may ask for.

    :param resource: the resource whose objects or identifiers are the primary data.
    :param documents: whether resources are shown, so that `include` and `fields` make sense.
    :param collection: whether there are many, to be filtered, sorted and paged.
    :param through: the relationship whose linkage is the primary data; includes begin with it.
    """

    resource: Resource
    documents: bool = True
    collection: bool = False
    through: Relationship | None = None


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


def parse_query(request: Request, endpoint: Endpoint, limits: Limits) -> Query:
    """Read the query string of a request; parameters that the endpoint does not have are refused.

    :raises JSONAPIError: 400 or 414, with every fault of the parameters at once.
    """
    pairs = read_pairs(request, limits)
    if not pairs and not endpoint.collection:
        return Query()
    reader = _Reader(
        endpoint, limits, lambda resource: bool(request.has_permission(f"{resource.type}:read"))
    )
    result: dict[str, Any] = {"pairs": pairs}
    filter_pairs = []
    for name, value in pairs:
        family = name.partition("[")[0]
        if endpoint.documents and name == "include":
            result["include"] = reader.read(name, reader.include, value)
        elif endpoint.documents and name.startswith("fields["):
            kind, names = reader.read(name, reader.fieldset, name, value) or ("", frozenset())
            result.setdefault("fields", {})[kind] = names
        elif endpoint.collection and family == "filter":
            filter_pairs.append((name, value))
        elif not (endpoint.collection and (name == "sort" or name in PAGE_PARAMETERS)):
            reader.faults.append(_unsupported(name))
    if endpoint.collection:
        result["filter"] = reader.filter(filter_pairs)
        result["order"] = order = reader.order(dict(pairs))
        # Where a list is and what is left out of it: a cursor of one list is none of another.
        route = (request.matched_route.name, request.matchdict.get("id"))
        result["scope"] = scope = repr((route, sorted(filter_pairs)))
        result["page"] = reader.page(dict(pairs), order, scope)
    if reader.faults:
        raise JSONAPIError(*reader.faults)
    return Query(**result)


def refuse_parameters(request: Request, limits: Limits) -> None:
    """Refuse every parameter, for an endpoint that has none.

    :raises JSONAPIError: 400 or 414.
    """
    if pairs := read_pairs(request, limits):
        raise JSONAPIError(*(_unsupported(name) for name, _ in pairs))


class _Reader:
    """Reads parameters for one endpoint, and collects what is wrong with them."""

    def __init__(
        self, endpoint: Endpoint, limits: Limits, may_read: Callable[[Resource], bool]
    ) -> None:
        self.endpoint = endpoint
        self.may_read = may_read
        self.resource = endpoint.resource
        self.limits = limits
        self.faults: list[Error] = []

    def read(self, name: str, parse: Callable[..., Any], *arguments: Any) -> Any:
        """Parse a parameter's value; a ValueError's text becomes the error of the parameter."""
        try:
            return parse(*arguments)
        except ValueError as error:
            self.faults.append(invalid(name, str(error)))
            return None

    def include(self, value: str) -> Include:
        """Read `include` (§6.2): relationship paths, as a tree."""
        tree: dict[str, Any] = {}
        paths = value.split(",") if value else []
        if len(paths) > self.limits.max_include_paths:
            raise ValueError(f"Has more than {self.limits.max_include_paths} paths.")
        for path in paths:
            names = path.split(".")
            if len(names) > self.limits.max_include_depth:
                raise ValueError(f"Has more than {self.limits.max_include_depth} segments.")
            resource, node = self.resource, tree
            if self.endpoint.through is not None:
                resource = self.endpoint.through.source
                if names[0] != self.endpoint.through.name:
                    raise ValueError(f"Begins with {self.endpoint.through.name} here.")
            for name in names:
                if name not in resource.relationships:
                    raise ValueError(f"{resource.type} have no relationship {name[:40]!r}.")
                resource = resource.relationships[name].target
                if not self.may_read(resource):
                    raise ValueError(f"To read {resource.type} is not permitted.")
                node = node.setdefault(name, {})
        return tree

    def fieldset(self, name: str, value: str) -> tuple[str, frozenset[str]]:
        """Read one `fields[type]` (§6.3)."""
        kind = name.removeprefix("fields[").removesuffix("]")
        resource = self.resource.resources.get(kind)
        if resource is None or not name.endswith("]"):
            raise ValueError("There is no such type.")
        names = frozenset(value.split(",")) if value else frozenset()
        if unknown := names - resource.readable.keys() - resource.relationships.keys():
            raise ValueError(f"{kind} have no field {min(unknown)[:40]!r}.")
        return kind, names

    def filter(self, pairs: list[tuple[str, str]]) -> filters.Condition | None:
        """Read the `filter` family (§6.6): all of its parameters hold at once."""
        conditions = []
        lists: dict[str, list[str]] = {}
        for name, value in pairs:
            if name.endswith("[]"):
                lists.setdefault(name, []).append(value)
            else:
                parse = expressions.parse if name == "filter" else filters.parse
                conditions.append(self.read(name, self.condition, parse, name, value))
        for name, values in lists.items():
            conditions.append(self.read(name, self.condition, filters.parse_list, name, values))
        found = tuple(condition for condition in conditions if condition is not None)
        return filters.And(found) if found else None

    def condition(self, parse: Callable[..., Any], name: str, value: Any) -> filters.Condition:
        """Read one parameter of the `filter` family."""
        condition: filters.Condition = parse(self.resource, name, value, self.limits)
        for resource in filters.targets(condition):
            if not self.may_read(resource):
                raise ValueError(f"To read {resource.type} is not permitted.")
        return condition

    def order(self, values: dict[str, str]) -> cursors.Order:
        """Read `sort` (§6.4), and complete it with the id: ties have one order on every page.

        The id goes the way of the last field, so that one index serves both directions.
        """
        order: list[tuple[str, bool]] = []
        for term in values["sort"].split(",") if "sort" in values else ():
            name = term.removeprefix("-")
            if name not in self.resource.sortable:
                detail = f"Cannot sort by {name[:40]!r}." if name else "Has an empty field name."
                self.faults.append(
                    replace(invalid("sort", detail), type=f"{CURSOR_PROFILE}/unsupported-sort")
                )
            elif name in (known for known, _ in order):
                self.faults.append(invalid("sort", f"Names {name} twice."))
            else:
                order.append((name, term.startswith("-")))
        if "id" not in (name for name, _ in order):
            order.append(("id", bool(order) and order[-1][1]))
        return tuple(order)

    def page(
        self, values: dict[str, str], order: cursors.Order, scope: str
    ) -> CursorPage | OffsetPage:
        """Read the `page` family (§6.5): cursors, numbers or offsets; never two of them."""
        limits = self.limits
        spoken = [sorted(dialect & values.keys()) for dialect in DIALECTS]
        first, *others = [name for names in spoken for name in names[:1]] or [""]
        self.faults += [invalid(name, f"Does not go with {first}.") for name in others]
        total = values.get("page[total]", "false")
        if total not in ("true", "false"):
            self.faults.append(invalid("page[total]", "Must be true or false."))
        ranged = values.keys() >= CURSOR_PARAMETERS
        default = limits.max_page_size if ranged else min(limits.page_size, limits.max_page_size)
        if OFFSET_PARAMETERS & values.keys():
            if "page[size]" in values:
                self.faults.append(invalid("page[size]", "Does not go with page[offset]."))
            size = self.size(values, "page[limit]", default)
            return OffsetPage(
                size=size, offset=self.whole(values, "page[offset]", 0, 0), numbered=False
            )
        size = self.size(values, "page[size]", default)
        if "page[number]" in values:
            number = self.whole(values, "page[number]", 1, 1)
            return OffsetPage(size=size, offset=(number - 1) * size, numbered=True)
        positions = {
            name: self.read(
                f"page[{name}]",
                cursors.decode,
                self.resource,
                order,
                scope,
                values[f"page[{name}]"],
            )
            for name in ("after", "before")
            if f"page[{name}]" in values
        }
        return CursorPage(size=size, total=total == "true", **positions)

    def size(self, values: dict[str, str], name: str, default: int) -> int:
        """Read the size of a page; one that is too large is refused as the cursor profile says."""
        most = self.limits.max_page_size
        size = self.whole(values, name, 1, default)
        if size > most:
            self.faults.append(
                Error(
                    code="page_too_large",
                    detail=f"Must be at most {most}.",
                    source=parameter(name),
                    meta={"page": {"maxSize": most}},
                    type=f"{CURSOR_PROFILE}/max-size-exceeded",
                )
            )
        return min(size, most)

    def whole(self, values: dict[str, str], name: str, least: int, default: int) -> int:
        """Read a whole number in ASCII digits; leading zeros are allowed."""
        text = values.get(name)
        if text is None:
            return default
        digits = text.lstrip("0") or "0"
        if not re.fullmatch(r"[0-9]+", text) or (digits == "0" and least):
            self.faults.append(invalid(name, f"Must be a whole number, at least {least}."))
        elif len(digits) > 10 or int(digits) > MOST_PAGES:
            if name in ("page[size]", "page[limit]"):
                return MOST_PAGES
            self.faults.append(invalid(name, f"Must be at most {MOST_PAGES}."))
        else:
            return int(digits)
        return default


def _unsupported(name: str) -> Error:
    detail = "This endpoint has no such parameter for this method."
    return Error(code="unsupported_parameter", detail=detail, source=parameter(name))


def invalid(name: str, detail: str) -> Error:
    return Error(code="invalid_parameter", detail=detail, source=parameter(name))


def _bad_query(detail: str, name: str | None = None) -> JSONAPIError:
    source = None if name is None else parameter(name)
    return JSONAPIError(Error(code="invalid_parameter", detail=detail, source=source))
