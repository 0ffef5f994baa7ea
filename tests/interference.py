"""Requests of every kind, and their answers from two databases that a caller cannot tell apart.

The databases differ only in what the caller may not see. Whatever it asks, the answers are the same
bytes, but for entity tags and times of modification: these move when something hidden is linked.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import webtest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.client import MEDIA_TYPE, Client

ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'

# Generated requests for each caller on each engine.
EXAMPLES = int(os.environ.get("EXAMPLES", "100"))

examples = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

Json = dict[str, Any]

TEXT_OPERATORS = ["contains", "icontains", "startswith", "endswith"]
ORDER_OPERATORS = ["lt", "le", "gt", "ge"]
FUNCTIONS = {
    "eq": "equals",
    "lt": "lessThan",
    "le": "lessOrEqual",
    "gt": "greaterThan",
    "ge": "greaterOrEqual",
    "contains": "contains",
    "icontains": "icontains",
    "startswith": "startsWith",
    "endswith": "endsWith",
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type, as the requests name it.

    :param ids: ids that there are in one of the databases, in both, or in none.
    :param attributes: values of each attribute to filter by, as texts: also of hidden ones.
    :param texts: which of them are texts.
    :param relationships: the types that relationships lead to.
    :param many: which of them are to-many.
    :param written: values of each attribute that is written.
    """

    ids: Sequence[str]
    attributes: Mapping[str, Sequence[str]]
    texts: frozenset[str]
    relationships: Mapping[str, str]
    many: frozenset[str]
    written: Mapping[str, Sequence[Any]] = field(default_factory=dict)


Kinds = Mapping[str, Kind]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request: its method, its URL below the API's, and its document."""

    method: str
    url: str
    document: Json | None = None

    @property
    def is_batch(self) -> bool:
        return self.url == "/operations"


def asked(kinds: Kinds) -> st.SearchStrategy[Asked]:
    """Any request: three of four read."""
    read, write = reads(kinds), writes(kinds)
    return st.one_of(read, read, read, write)


@st.composite
def reads(draw: Any, kinds: Kinds) -> Asked:
    name = draw(st.sampled_from(list(kinds)))
    kind = kinds[name]
    shape = draw(st.sampled_from(["list", "list", "list", "item", "related", "linkage"]))
    url, through = f"/{name}", None
    many = shape == "list"
    if shape != "list":
        url += f"/{draw(st.sampled_from(kind.ids))}"
    if shape in ("related", "linkage"):
        through = draw(st.sampled_from(list(kind.relationships)))
        many = through in kind.many
        url += f"/relationships/{through}" if shape == "linkage" else f"/{through}"
        name = kind.relationships[through]
    pairs = draw(_selection(kinds, name, through if shape == "linkage" else None))
    if many:
        pairs += draw(st.lists(_filters(kinds, name), max_size=2))
        pairs += draw(_order(kinds[name])) + draw(_page())
    query = "&".join(f"{key}={quote(value, safe=chr(44))}" for key, value in dict(pairs).items())
    method = draw(st.sampled_from(["GET", "GET", "GET", "HEAD"]))
    return Asked(method=method, url=f"{url}?{query}" if query else url)


@st.composite
def _selection(draw: Any, kinds: Kinds, name: str, first: str | None) -> list[tuple[str, str]]:
    pairs = []
    if draw(st.booleans()):
        paths = draw(st.lists(_path(kinds, name, 2), min_size=1, max_size=2))
        dotted = [".".join([first, *path] if first else path) for path in paths]
        pairs.append(("include", ",".join(path for path in dotted if path)))
    if draw(st.integers(0, 3)) == 0:
        shown = draw(st.sampled_from(list(kinds)))
        fields = [*kinds[shown].attributes, *kinds[shown].relationships]
        names = draw(st.lists(st.sampled_from(fields), max_size=3, unique=True))
        pairs.append((f"fields[{shown}]", ",".join(names)))
    return pairs


@st.composite
def _path(draw: Any, kinds: Kinds, name: str, longest: int) -> list[str]:
    """A path of relationships; often an empty one."""
    path = []
    for _ in range(draw(st.integers(0, longest))):
        step = draw(st.sampled_from(list(kinds[name].relationships)))
        path.append(step)
        name = kinds[name].relationships[step]
    return path


def _end(kinds: Kinds, name: str, path: list[str]) -> str:
    for step in path:
        name = kinds[name].relationships[step]
    return name


@st.composite
def _order(draw: Any, kind: Kind) -> list[tuple[str, str]]:
    names = draw(st.lists(st.sampled_from([*kind.attributes, "id"]), max_size=2, unique=True))
    signs = [draw(st.sampled_from(["", "-"])) for _ in names]
    terms = [sign + name for sign, name in zip(signs, names, strict=True)]
    return [("sort", ",".join(terms))] if terms else []


def _page() -> st.SearchStrategy[list[tuple[str, str]]]:
    small = st.integers(1, 4).map(str)
    return st.one_of(
        st.just([]),
        st.builds(lambda size: [("page[size]", size)], small),
        st.builds(lambda size: [("page[size]", size), ("page[total]", "true")], small),
        st.builds(lambda size, n: [("page[size]", size), ("page[number]", n)], small, small),
        st.builds(lambda size, n: [("page[limit]", size), ("page[offset]", n)], small, small),
    )


def _filters(kinds: Kinds, name: str) -> st.SearchStrategy[tuple[str, str]]:
    written = _expression(kinds, name, 2).map(lambda text: ("filter", text))
    return st.one_of(_bracket(kinds, name), written)


@st.composite
def _bracket(draw: Any, kinds: Kinds, name: str) -> tuple[str, str]:
    path = draw(_path(kinds, name, 2))
    kind = kinds[_end(kinds, name, path)]
    last = draw(st.sampled_from([*kind.attributes, "id", *kind.relationships]))
    operators, values = ["eq", "ne", "in", "nin"], list(kind.attributes.get(last, kind.ids))
    if last in kind.relationships:
        values = list(kinds[kind.relationships[last]].ids)
    elif last != "id":
        operators += ORDER_OPERATORS + (TEXT_OPERATORS if last in kind.texts else [])
    operator = draw(st.sampled_from([*operators, "isnull"]))
    value = draw(st.sampled_from(["true", "false"] if operator == "isnull" else values))
    if operator in ("in", "nin"):
        value += "," + draw(st.sampled_from(values))
    return f"filter[{'.'.join([*path, last])}][{operator}]", value


@st.composite
def _expression(draw: Any, kinds: Kinds, name: str, deepest: int) -> str:
    kind = kinds[name]
    calls = ["compare", "compare", "has", "count", "any", "null"]
    if deepest:
        calls += ["not", "and", "or", "has that"]
    call = draw(st.sampled_from(calls))
    inner = _expression(kinds, name, deepest - 1)
    if call == "not":
        return f"not({draw(inner)})"
    if call in ("and", "or"):
        return f"{call}({draw(inner)},{draw(inner)})"
    if call in ("has", "has that", "count"):
        step = draw(st.sampled_from(list(kind.relationships)))
        path = [step, *draw(_path(kinds, kind.relationships[step], 1))]
        if call == "count":
            function = draw(st.sampled_from(["equals", "lessThan", "greaterOrEqual"]))
            return f"{function}(count({'.'.join(path)}),'{draw(st.integers(0, 3))}')"
        if call == "has":
            return f"has({'.'.join(path)})"
        return f"has({'.'.join(path)},{draw(_expression(kinds, _end(kinds, name, path), 1))})"
    path = draw(_path(kinds, name, 2))
    end = kinds[_end(kinds, name, path)]
    last = draw(st.sampled_from(list(end.attributes)))
    whole = ".".join([*path, last])
    if call == "null":
        return f"equals({whole},null)"
    values = st.sampled_from(list(end.attributes[last]))
    if call == "any":
        return f"any({whole},'{draw(values)}','{draw(values)}')"
    operators = ["eq", *ORDER_OPERATORS, *(TEXT_OPERATORS if last in end.texts else [])]
    function = FUNCTIONS[draw(st.sampled_from(operators))]
    return f"{function}({whole},'{draw(values)}')"


def writes(kinds: Kinds) -> st.SearchStrategy[Asked]:
    single = _operation(kinds).map(_single)
    batch = st.lists(_operation(kinds), min_size=1, max_size=3).map(
        lambda operations: Asked(
            method="POST", url="/operations", document={"atomic:operations": operations}
        )
    )
    return st.one_of(single, batch)


@st.composite
def _operation(draw: Any, kinds: Kinds) -> Json:
    name = draw(st.sampled_from(list(kinds)))
    kind = kinds[name]
    ref = {"type": name, "id": draw(st.sampled_from(kind.ids))}
    code = draw(st.sampled_from(["update", "update", "linkage", "linkage", "linkage", "remove"]))
    if code == "remove":
        return {"op": "remove", "ref": ref}
    if code == "update":
        data: Json = dict(ref)
        if kind.written:
            attribute = draw(st.sampled_from(list(kind.written)))
            value = draw(st.sampled_from(list(kind.written[attribute])))
            data["attributes"] = {attribute: value}
        if draw(st.booleans()):
            step = draw(st.sampled_from(list(kind.relationships)))
            data["relationships"] = {step: {"data": draw(_linkage(kinds, kind, step))}}
        return {"op": "update", "data": data}
    step = draw(st.sampled_from(list(kind.relationships)))
    codes = ["add", "update", "remove"] if step in kind.many else ["update"]
    return {
        "op": draw(st.sampled_from(codes)),
        "ref": ref | {"relationship": step},
        "data": draw(_linkage(kinds, kind, step)),
    }


def _linkage(kinds: Kinds, kind: Kind, step: str) -> st.SearchStrategy[Any]:
    target = kind.relationships[step]
    identifier = st.fixed_dictionaries(
        {"type": st.just(target), "id": st.sampled_from(kinds[target].ids)}
    )
    if step in kind.many:
        return st.lists(identifier, max_size=3)
    return st.one_of(st.none(), identifier)


def _single(operation: Json) -> Asked:
    """The single request that does the same as an operation."""
    about = operation.get("ref") or operation["data"]
    url = f"/{about['type']}/{about['id']}"
    if "ref" in operation and "relationship" in about:
        method = {"add": "POST", "update": "PATCH", "remove": "DELETE"}[operation["op"]]
        url += f"/relationships/{about['relationship']}"
        return Asked(method=method, url=url, document={"data": operation["data"]})
    if operation["op"] == "remove":
        return Asked(method="DELETE", url=url)
    return Asked(method="PATCH", url=f"{url}?include=", document={"data": operation["data"]})


class Pair:
    """Two databases, in which a caller sees the same.

    :param clients: one of each.
    :param base: the URL of the API.
    :param fill: empties and fills both.
    :param headers: those of the caller.
    """

    def __init__(
        self,
        clients: tuple[Client, Client],
        base: str,
        fill: Callable[[], None],
        headers: Mapping[str, str],
    ) -> None:
        self.clients, self.base, self.fill, self.headers = clients, base, fill, headers
        fill()

    def compare(self, request: Asked) -> None:
        """Send a request to both, and hold that the answers are the same; those of pages too."""
        one, other = self._send(request)
        if request.method not in ("GET", "HEAD"):
            if min(one.status_int, other.status_int) < 400:
                self.fill()
            # Whoever writes is told what is in the way, visible or not.
            if 409 in (one.status_int, other.status_int):
                return
        assert shown(one) == shown(other)
        for name in ("next", "prev", "last") if request.method == "GET" else ():
            if url := one.json.get("links", {}).get(name):
                page = self._send(Asked(method="GET", url=url.partition(self.base)[2]))
                assert shown(page[0]) == shown(page[1])

    def _send(self, request: Asked) -> list[webtest.TestResponse]:
        media = {"Content-Type": ATOMIC, "Accept": ATOMIC} if request.is_batch else {}
        headers = {**self.headers, **media}
        url = self.base + request.url
        return [
            client.request(request.method, url, request.document, headers=headers)
            for client in self.clients
        ]


MOVING = {"ETag", "X-Request-ID", "Content-Length"}


def shown(response: webtest.TestResponse) -> tuple[int, list[tuple[str, str]], str]:
    """What an answer says, but for what is told of every change: versions and times of it."""
    headers = sorted(item for item in response.headers.items() if item[0] not in MOVING)
    text = response.text.replace(response.headers["X-Request-ID"], "")
    document = json.loads(text) if text else None
    return response.status_int, headers, json.dumps(_without(document))


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(item) for item in value]
    if isinstance(value, dict):
        moving = {"etag", "modification_time"}
        return {key: _without(item) for key, item in value.items() if key not in moving}
    return value
