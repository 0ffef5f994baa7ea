"""Requests of every kind, and their answers from two databases that a caller cannot tell apart.

The databases differ only in what the caller may not see. Whatever it asks, the answers are the same
bytes, but for entity tags and times of modification: these move when something hidden is linked.
"""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

import webtest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.client import MEDIA_TYPE, Client

ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'

# Generated requests for each caller on each engine.
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))

examples = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

NEW = "00000000-0000-7000-8000-0000000000aa"

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

    :param ids: ids that there are in one of the databases, in both, or in none; the first two are
        those that callers see first.
    :param attributes: values of each attribute to filter by, as texts: also of hidden ones.
    :param texts: which of them are texts.
    :param hidden: which of them the caller may not read.
    :param relationships: the types that relationships lead to.
    :param many: which of them are to-many.
    :param written: values of each attribute that is written.
    :param created: what is written of a new resource; None if none is created.
    :param is_written: whether the caller may write at least some of it.
    """

    ids: Sequence[str]
    attributes: Mapping[str, Sequence[str]]
    texts: frozenset[str]
    hidden: frozenset[str]
    relationships: Mapping[str, str]
    many: frozenset[str]
    written: Mapping[str, Sequence[Any]]
    created: Mapping[str, Any] | None = None
    is_written: bool = True


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


def asked(kinds: Kinds, caller: str) -> st.SearchStrategy[Asked]:
    """Any request: three of four read. They are others for each caller."""
    seeds = st.integers(0, 2**48 - 1)
    return seeds.map(lambda seed: _asked(kinds, Random(f"{caller} {seed}")))


def _asked(kinds: Kinds, made: Random) -> Asked:
    if made.randrange(4):
        return _read(kinds, made)
    if made.randrange(2):
        return _single(_operation(kinds, made))
    operations = [_operation(kinds, made) for _ in range(made.randint(1, 3))]
    return Asked(method="POST", url="/operations", document={"atomic:operations": operations})


def _read(kinds: Kinds, made: Random) -> Asked:
    name = made.choice(list(kinds))
    kind = kinds[name]
    shape = made.choice(["list", "list", "item", "related", "linkage"])
    url, first = f"/{name}", []
    many = shape == "list"
    if shape != "list":
        url += f"/{made.choice(kind.ids)}"
    if shape in ("related", "linkage"):
        step = made.choice(list(kind.relationships))
        many = step in kind.many
        url += f"/relationships/{step}" if shape == "linkage" else f"/{step}"
        first = [step] if shape == "linkage" else []
        name = kind.relationships[step]
    pairs = _selection(kinds, name, first, made)
    if many:
        for _ in range(made.randint(0, 2)):
            pairs |= _filter(kinds, name, made)
        pairs |= _order(kinds[name], made) | _page(made)
    query = "&".join(f"{key}={quote(value, safe=',')}" for key, value in pairs.items())
    method = made.choice(["GET", "GET", "GET", "HEAD"])
    return Asked(method=method, url=f"{url}?{query}" if query else url)


def _selection(kinds: Kinds, name: str, first: list[str], made: Random) -> dict[str, str]:
    pairs = {}
    if made.randrange(2):
        paths = [first + _path(kinds, name, 2, made) for _ in range(made.randint(1, 2))]
        pairs["include"] = ",".join(".".join(path) for path in paths if path)
    if made.randrange(4) == 0:
        shown = made.choice(list(kinds))
        fields = [*_names(kinds[shown], made), *kinds[shown].relationships]
        pairs[f"fields[{shown}]"] = ",".join(made.sample(fields, made.randint(0, 2)))
    return pairs


def _path(kinds: Kinds, name: str, longest: int, made: Random) -> list[str]:
    """A path of relationships; often an empty one."""
    path = []
    for _ in range(made.randint(0, longest)):
        path.append(made.choice(list(kinds[name].relationships)))
        name = kinds[name].relationships[path[-1]]
    return path


def _names(kind: Kind, made: Random) -> list[str]:
    """The names of attributes: of the hidden ones alone, which are errors, or of the others."""
    is_bold = bool(kind.hidden) and made.randrange(4) == 0
    return [name for name in kind.attributes if (name in kind.hidden) is is_bold]


def _end(kinds: Kinds, name: str, path: list[str]) -> str:
    for step in path:
        name = kinds[name].relationships[step]
    return name


def _order(kind: Kind, made: Random) -> dict[str, str]:
    names = made.sample([*_names(kind, made), "id"], made.randint(0, 2))
    terms = [made.choice(["", "-"]) + name for name in names]
    return {"sort": ",".join(terms)} if terms else {}


def _page(made: Random) -> dict[str, str]:
    size, number = (str(made.randint(1, 4)) for _ in range(2))
    pages = [
        {},
        {"page[size]": size},
        {"page[size]": size, "page[total]": "true"},
        {"page[size]": size, "page[number]": number},
        {"page[limit]": size, "page[offset]": number},
    ]
    return made.choice(pages)


def _filter(kinds: Kinds, name: str, made: Random) -> dict[str, str]:
    if made.randrange(2):
        return {"filter": _expression(kinds, name, 2, made)}
    path = _path(kinds, name, 2, made)
    kind = kinds[_end(kinds, name, path)]
    last = made.choice([*_names(kind, made), "id", *kind.relationships])
    operators, values = ["eq", "ne", "in", "nin"], list(kind.attributes.get(last, kind.ids))
    if last in kind.relationships:
        values = list(kinds[kind.relationships[last]].ids)
    elif last != "id":
        operators += ORDER_OPERATORS + (TEXT_OPERATORS if last in kind.texts else [])
    operator = made.choice([*operators, "isnull"])
    value = made.choice(["true", "false"] if operator == "isnull" else values)
    if operator in ("in", "nin"):
        value += "," + made.choice(values)
    return {f"filter[{'.'.join([*path, last])}][{operator}]": value}


def _expression(kinds: Kinds, name: str, deepest: int, made: Random) -> str:
    kind = kinds[name]
    calls = ["compare", "has", "count", "any", "null"]
    call = made.choice([*calls, "not", "and", "or", "has that"] if deepest else calls)
    if call in ("not", "and", "or"):
        inner = [_expression(kinds, name, deepest - 1, made) for _ in range(1 + (call != "not"))]
        return f"{call}({','.join(inner)})"
    if call in ("has", "has that", "count"):
        step = made.choice(list(kind.relationships))
        path = [step, *_path(kinds, kind.relationships[step], 1, made)]
        whole = ".".join(path)
        if call == "count":
            function = made.choice(["equals", "lessThan", "greaterOrEqual"])
            return f"{function}(count({whole}),'{made.randint(0, 3)}')"
        if call == "has":
            return f"has({whole})"
        return f"has({whole},{_expression(kinds, _end(kinds, name, path), deepest - 1, made)})"
    path = _path(kinds, name, 2, made)
    end = kinds[_end(kinds, name, path)]
    last = made.choice(_names(end, made))
    whole, values = ".".join([*path, last]), list(end.attributes[last])
    if call == "null":
        return f"equals({whole},null)"
    if call == "any":
        return f"any({whole},'{made.choice(values)}','{made.choice(values)}')"
    operators = ["eq", *ORDER_OPERATORS, *(TEXT_OPERATORS if last in end.texts else [])]
    return f"{FUNCTIONS[made.choice(operators)]}({whole},'{made.choice(values)}')"


def _operation(kinds: Kinds, made: Random) -> Json:
    promising = [name for name, kind in kinds.items() if kind.is_written]
    name = made.choice(promising if made.randrange(4) else list(kinds))
    kind = kinds[name]
    ref = {"type": name, "id": made.choice(_ids(kind, made))}
    code = made.choice(["add", "update", "update", "linkage", "linkage", "linkage", "remove"])
    if code == "remove":
        return {"op": "remove", "ref": ref}
    step = made.choice(list(kind.relationships))
    data = _linkage(kinds, kind, step, made)
    if code == "linkage":
        codes = ["add", "update", "remove"] if step in kind.many else ["update"]
        return {"op": made.choice(codes), "ref": ref | {"relationship": step}, "data": data}
    changed: Json = {"attributes": {}, "relationships": {}}
    if kind.written and made.randrange(4):
        attribute = made.choice(list(kind.written))
        changed["attributes"][attribute] = made.choice(list(kind.written[attribute]))
    if made.randrange(2):
        changed["relationships"][step] = {"data": data}
    if code == "add" and kind.created is not None:
        changed["attributes"] |= kind.created
        return {"op": "add", "data": {"type": name, "id": NEW} | changed}
    return {"op": "update", "data": ref | changed}


def _ids(kind: Kind, made: Random) -> Sequence[str]:
    """Ids to write to: often those that are seen, because others are errors alone."""
    return made.choice([kind.ids[:2], kind.ids])


def _linkage(kinds: Kinds, kind: Kind, step: str, made: Random) -> Any:
    target = kind.relationships[step]
    size = made.randint(0, 2 if step in kind.many else 1)
    identifiers = [
        {"type": target, "id": id} for id in made.sample(_ids(kinds[target], made), size)
    ]
    return identifiers if step in kind.many else next(iter(identifiers), None)


def _single(operation: Json) -> Asked:
    """The single request that does the same as an operation."""
    about = operation.get("ref") or operation["data"]
    if operation["op"] == "add" and "ref" not in operation:
        return Asked(method="POST", url=f"/{about['type']}", document={"data": about})
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
            if any(IN_THE_WAY.search(answer.text) for answer in (one, other)):
                return
        assert shown(one) == shown(other), (request, one.text, other.text)
        for name in ("next", "prev", "last") if request.method == "GET" else ():
            if url := one.json.get("links", {}).get(name):
                page = self._send(Asked(method="GET", url=url.partition(self.base)[2]))
                assert shown(page[0]) == shown(page[1]), url

    def _send(self, request: Asked) -> list[webtest.TestResponse]:
        media = {"Content-Type": ATOMIC, "Accept": ATOMIC} if request.is_batch else {}
        headers = {**self.headers, **media}
        url = self.base + request.url
        return [
            client.request(request.method, url, request.document, headers=headers)
            for client in self.clients
        ]


IN_THE_WAY = re.compile(r'"status":"409"|"code":"exceeds_permissions"')

MOVING = {"ETag", "X-Request-ID", "Content-Length"}


def shown(response: webtest.TestResponse) -> tuple[int, list[tuple[str, str]], str]:
    """What an answer says, but for what is told of every change: versions and times of it."""
    headers = sorted(item for item in response.headers.items() if item[0] not in MOVING)
    text = response.text.replace(response.headers["X-Request-ID"], "")
    document = json.loads(text) if text else None
    moving = {"etag", "modification_time"}
    if response.request.method == "POST":
        moving.add("creation_time")
    return response.status_int, headers, json.dumps(_without(document, moving))


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    return value
