"""Parses query parameters into a `Query`, or into one error for each faulty parameter (§6)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from pyramid.request import Request

from ..errors import Error, JSONAPIError
from ..limits import Limits
from . import cursors, expressions, filters
from .page_parameters import PAGE_PARAMETERS, PageReader
from .permissions import may
from .query import CURSOR_PROFILE, Endpoint, Include, Query
from .query_string import invalid, read_pairs, unsupported
from .readable import Readable
from .tree import And, Condition, targets

# Members of every resource object. They are no fields (§5.2.2), but clients name them in `fields`.
ALWAYS_SHOWN = frozenset({"id", "type"})

# Conditions on related resources; each is a subquery. For 40 that must all hold, PostgreSQL
# takes seconds to make a plan, for 400 more memory than there is.
MOST_RELATED = 20


def parse_query(request: Request, endpoint: Endpoint, limits: Limits) -> Query:
    """Parse the query string of a request.

    :param endpoint: the parameters that the URL accepts; all others are errors.
    :raises JSONAPIError: 400 with the errors of all parameters; 414 if the URL is too long.
    """
    pairs = read_pairs(request, limits)
    if not pairs and not endpoint.collection:
        return Query()
    reader = _ParameterReader(request, endpoint, limits)
    result: dict[str, Any] = {"pairs": pairs}
    filter_pairs = []
    for name, value in pairs:
        family = name.partition("[")[0]
        if name == "include":
            result["include"] = reader.read(name, reader.include, value)
        elif name.startswith("fields["):
            kind, names = reader.read(name, reader.fieldset, name, value) or ("", frozenset())
            result.setdefault("fields", {})[kind] = names
        elif endpoint.collection and family == "filter":
            filter_pairs.append((name, value))
        elif not (endpoint.collection and (name == "sort" or name in PAGE_PARAMETERS)):
            reader.faults.append(unsupported(name))
    if endpoint.collection:
        result["filter"] = reader.filter(filter_pairs)
        result["order"] = order = reader.order(dict(pairs))
        # A list is identified by its URL and its filters.
        route = (request.matched_route.name, request.matchdict.get("id"))
        result["list_key"] = list_key = repr((route, sorted(filter_pairs)))
        pages = PageReader(endpoint.resource, limits, reader.faults)
        result["page"] = pages.page(dict(pairs), order, list_key)
    if reader.faults:
        raise JSONAPIError(*reader.faults)
    return Query(**result)


class _ParameterReader:
    """Parses parameters for one endpoint.

    Each method raises a ValueError with the detail of the error, or adds to `faults`.

    :param request: whose caller may read only some types, and some of their attributes.
    """

    def __init__(self, request: Request, endpoint: Endpoint, limits: Limits) -> None:
        self.endpoint = endpoint
        self.may_read = partial(may, request, "read")
        self.readable: Readable = request.jsonapi_readable
        self.resource = endpoint.resource
        self.limits = limits
        self.faults: list[Error] = []
        self.related = 0

    def read(self, name: str, parse: Callable[..., Any], *arguments: Any) -> Any:
        """Call `parse(*arguments)`. A ValueError becomes an error of the parameter `name`."""
        try:
            return parse(*arguments)
        except ValueError as error:
            self.faults.append(invalid(name, str(error)))
            return None

    def include(self, value: str) -> Include:
        """Parse `include` (§6.2): relationship paths, merged into a tree."""
        tree: dict[str, Any] = {}
        paths = value.split(",") if value else []
        if len(paths) > self.limits.max_include_paths:
            raise ValueError(f"May have at most {self.limits.max_include_paths} paths.")
        for path in paths:
            names = path.split(".")
            if len(names) > self.limits.max_include_depth:
                most = self.limits.max_include_depth
                raise ValueError(f"A path may have at most {most} relationships.")
            resource, node = self.resource, tree
            if self.endpoint.through is not None:
                resource = self.endpoint.through.source
                if names[0] != self.endpoint.through.name:
                    raise ValueError(f"Paths must begin with {self.endpoint.through.name} here.")
            for name in names:
                if name not in resource.relationships:
                    raise ValueError(f"{resource.type} have no relationship {name[:40]!r}.")
                resource = resource.relationships[name].target
                if not self.may_read(resource):
                    raise ValueError(f"You may not read {resource.type}.")
                node = node.setdefault(name, {})
        return tree

    def fieldset(self, name: str, value: str) -> tuple[str, frozenset[str]]:
        """Parse one `fields[type]` (§6.3), and return the type and its field names."""
        kind = name.removeprefix("fields[").removesuffix("]")
        resource = self.resource.resources.get(kind)
        if resource is None or not name.endswith("]"):
            types = ", ".join(sorted(self.resource.resources))
            raise ValueError(f"Must be fields[type], where the types are {types}.")
        names = (frozenset(value.split(",")) if value else frozenset()) - ALWAYS_SHOWN
        hidden = self.readable.hidden(resource).names
        known = resource.readable.keys() - hidden | resource.relationships.keys()
        if unknown := names - known:
            raise ValueError(f"{kind} have no field {min(unknown)[:40]!r}.")
        return kind, names

    def filter(self, pairs: list[tuple[str, str]]) -> Condition | None:
        """Parse the `filter` family (§6.6). All of its parameters must hold."""
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
        parsed = tuple(condition for condition in conditions if condition is not None)
        return And(parsed) if parsed else None

    def condition(self, parse: Callable[..., Any], name: str, value: Any) -> Condition:
        """Parse one parameter of the `filter` family. A filter may use only readable types."""
        condition: Condition = parse(self.resource, name, value, self.limits, self.readable)
        for resource in targets(condition):
            self.related += 1
            if self.related > MOST_RELATED:
                raise ValueError(
                    f"A request may have at most {MOST_RELATED} conditions on related resources."
                )
            if not self.may_read(resource):
                raise ValueError(f"You may not read {resource.type}.")
        return condition

    def order(self, values: dict[str, str]) -> cursors.Order:
        """Parse `sort` (§6.4), and append the id, which makes the order total.

        The id has the direction of the last field, so that one index serves both directions.
        """
        order: list[tuple[str, bool]] = []
        sortable = self.resource.sortable - self.readable.hidden(self.resource).names
        for term in values["sort"].split(",") if "sort" in values else ():
            name = term.removeprefix("-")
            if name not in sortable:
                known = ", ".join(sorted(sortable))
                detail = f"Cannot sort by {name[:40]!r}; the sort fields are {known}."
                self.faults.append(
                    replace(invalid("sort", detail), type=f"{CURSOR_PROFILE}/unsupported-sort")
                )
            elif name in (field for field, _ in order):
                self.faults.append(invalid("sort", f"May name {name} only once."))
            else:
                order.append((name, term.startswith("-")))
        if "id" not in (field for field, _ in order):
            order.append(("id", bool(order) and order[-1][1]))
        return tuple(order)
