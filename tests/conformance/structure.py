"""What every document of JSON:API 1.1 has to hold, by the rows of the checklist."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

Fault = tuple[str, str]
"""The row that a document breaks, and where."""

MEMBERS = {
    "document": {"data", "errors", "meta", "jsonapi", "links", "included", "atomic:results"},
    "resource": {"type", "id", "attributes", "relationships", "links", "meta"},
    "identifier": {"type", "id", "meta"},
    "relationship": {"links", "data", "meta"},
    "link": {"href", "rel", "describedby", "title", "type", "hreflang", "meta"},
    "jsonapi": {"version", "ext", "profile", "meta"},
    "error": {"id", "links", "status", "code", "title", "detail", "source", "meta"},
    "source": {"pointer", "parameter", "header"},
    "result": {"data", "meta"},
}
EXTENSIONS = {"atomic": "https://jsonapi.org/ext/atomic"}
# Of the IANA registry, what a document of an API may use.
RELATIONS = {"about", "collection", "describedby", "first", "help", "item", "last", "next"}
RELATIONS |= {"prev", "related", "self", "type"}

LETTER = r"[a-zA-Z0-9\u0080-\U0010ffff]"
NAME = re.compile(rf"{LETTER}(?:[-_ ]*{LETTER})*")
SAFE = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]*")
RESERVED = set("+,.[]!\"#$%&'()*/:;<=>?@\\^`{|}~\x7f") | {chr(code) for code in range(0x20)}
LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*")


def faults(document: Any, *, sparse: bool = False) -> list[Fault]:
    """What is wrong with a document.

    :param sparse: whether the request left fields out, so that linkage need not be there.
    """
    return list(_document(document, sparse))


def _document(document: Any, sparse: bool) -> Iterator[Fault]:
    if not isinstance(document, dict):
        yield "DS-01", "the root"
        return
    if not document.keys() & {"data", "errors", "meta", "atomic:results"}:
        yield "DS-03", "the root"
    if document.keys() >= {"data", "errors"}:
        yield "DS-04", "the root"
    if "included" in document and "data" not in document:
        yield "DS-05", "the root"
    yield from _members("document", document, "")
    yield from _names(document, "", document.get("jsonapi", {}).get("ext", []))
    yield from _links_and_meta(document, "")
    yield from _jsonapi(document.get("jsonapi", {}))
    yield from _primary(document.get("data"), "/data")
    if not isinstance(document.get("included", []), list):
        yield "IN-01", "/included"
        return
    for index, resource in enumerate(document.get("included", [])):
        yield from _resource(resource, f"/included/{index}")
    for index, error in enumerate(document.get("errors", [])):
        yield from _error(error, f"/errors/{index}")
    for index, result in enumerate(document.get("atomic:results", [])):
        yield from _members("result", result, f"/atomic:results/{index}")
        yield from _primary(result.get("data"), f"/atomic:results/{index}/data")
    yield from _compound(document, sparse)


def _members(kind: str, value: dict[str, Any], at: str) -> Iterator[Fault]:
    for name in sorted(value.keys() - MEMBERS[kind]):
        if ":" not in name and not name.startswith("@"):
            yield "DS-06", f"{at}/{name}"


def _names(value: Any, at: str, extensions: list[str]) -> Iterator[Fault]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _names(item, f"{at}/{index}", extensions)
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        place = f"{at}/{name}"
        namespace, colon, local = name.removeprefix("@").rpartition(":")
        if colon:
            if not re.fullmatch("[a-zA-Z0-9]+", namespace):
                yield "MN-09", place
            elif EXTENSIONS.get(namespace) not in extensions:
                yield "MN-10", place
        if not local:
            yield "MN-02", place
        elif RESERVED & set(local):
            yield "MN-05", place
            yield "MN-03", place
        elif not NAME.fullmatch(local):
            yield "MN-04", place
        elif not SAFE.fullmatch(local):
            yield "MN-06", place
        yield from _names(member, place, extensions)


def _links_and_meta(value: dict[str, Any], at: str) -> Iterator[Fault]:
    if "meta" in value and not isinstance(value["meta"], dict):
        yield ("RO-19" if at.startswith(("/data", "/included")) else "LK-01"), f"{at}/meta"
    if "links" in value:
        if isinstance(value["links"], dict):
            for name, link in value["links"].items():
                yield from _link(link, f"{at}/links/{name}")
        else:
            yield "LK-02", f"{at}/links"


def _link(link: Any, at: str) -> Iterator[Fault]:
    if link is None:
        return
    if not isinstance(link, dict):
        if not isinstance(link, str) or not _is_uri_reference(link):
            yield "LK-03", at
        return
    if not isinstance(link.get("href"), str) or not _is_uri_reference(link["href"]):
        yield "LK-04", at
    for name in sorted(link.keys() - MEMBERS["link"]):
        yield "LK-05", f"{at}/{name}"
    if "rel" in link and link["rel"] not in RELATIONS:
        yield "LK-06", f"{at}/rel"
    tags = link.get("hreflang", [])
    for tag in tags if isinstance(tags, list) else [tags]:
        if not isinstance(tag, str) or not LANGUAGE.fullmatch(tag):
            yield "LK-07", f"{at}/hreflang"
    for _, place in _link(link.get("describedby"), f"{at}/describedby"):
        yield "LK-08", place
    yield from _links_and_meta({"meta": link.get("meta", {})}, at)


def _is_uri_reference(text: str) -> bool:
    return bool(re.fullmatch(r"(?:[!#$&'()*+,\-./0-9:;=?@A-Z_a-z~]|%[0-9A-Fa-f]{2})+", text))


def _jsonapi(value: Any) -> Iterator[Fault]:
    if not isinstance(value, dict) or value.keys() - MEMBERS["jsonapi"]:
        yield "JO-02", "/jsonapi"
        return
    if value.get("version", "1.1") != "1.1":
        yield "JO-01", "/jsonapi/version"
    for row, name in (("JO-03", "ext"), ("JO-04", "profile")):
        uris = value.get(name, [])
        if not isinstance(uris, list) or not all(isinstance(u, str) and ":" in u for u in uris):
            yield row, f"/jsonapi/{name}"


def _primary(data: Any, at: str) -> Iterator[Fault]:
    items = data if isinstance(data, list) else [] if data is None else [data]
    kinds = {_is_identifier(item) for item in items}
    if len(kinds) > 1:
        yield "DS-15", at
    for index, item in enumerate(items):
        place = f"{at}/{index}" if isinstance(data, list) else at
        yield from (_identifier if kinds == {True} else _resource)(item, place)


def _is_identifier(item: Any) -> bool:
    return isinstance(item, dict) and not item.keys() & {"attributes", "relationships", "links"}


def _identity(item: Any, at: str) -> Iterator[Fault]:
    if not isinstance(item, dict) or not item.keys() >= {"type", "id"}:
        yield "RO-01", at
        return
    for name in ("type", "id"):
        if not isinstance(item[name], str):
            yield "RO-02", f"{at}/{name}"
    if not NAME.fullmatch(str(item["type"])):
        yield "RO-04", f"{at}/type"


def _identifier(item: Any, at: str) -> Iterator[Fault]:
    if not isinstance(item, dict) or not item.keys() >= {"type", "id"}:
        yield "RO-18", at
        return
    yield from _identity(item, at)
    for name in sorted(item.keys() - MEMBERS["identifier"]):
        yield "RO-18", f"{at}/{name}"
    yield from _links_and_meta(item, at)


def _resource(resource: Any, at: str) -> Iterator[Fault]:
    yield from _identity(resource, at)
    if not isinstance(resource, dict):
        return
    yield from _members("resource", resource, at)
    yield from _links_and_meta(resource, at)
    attributes = resource.get("attributes", {})
    relationships = resource.get("relationships", {})
    if not isinstance(attributes, dict):
        yield "RO-08", f"{at}/attributes"
        return
    if not isinstance(relationships, dict):
        yield "RO-11", f"{at}/relationships"
        return
    if attributes.keys() & relationships.keys() or {"id", "type"} & {*attributes, *relationships}:
        yield "RO-07", at
    for name in attributes:
        if re.sub(r"_?[iI]d$", "", name) in relationships:
            yield "RO-09", f"{at}/attributes/{name}"
    for name, relationship in relationships.items():
        yield from _relationship(relationship, f"{at}/relationships/{name}")


def _relationship(relationship: Any, at: str) -> Iterator[Fault]:
    if not isinstance(relationship, dict):
        yield "RO-11", at
        return
    if not relationship.keys() & {"links", "data", "meta"}:
        yield "RO-12", at
    yield from _members("relationship", relationship, at)
    yield from _links_and_meta(relationship, at)
    links = relationship.get("links")
    if isinstance(links, dict) and not links.keys() & {"self", "related"}:
        yield "RO-13", at
    data = relationship.get("data")
    if data is not None and not isinstance(data, dict | list):
        yield "RO-16", f"{at}/data"
        return
    for identifier in data if isinstance(data, list) else [] if data is None else [data]:
        yield from _identifier(identifier, f"{at}/data")


def _error(error: Any, at: str) -> Iterator[Fault]:
    if not isinstance(error, dict) or not error:
        yield "ER-02", at
        return
    for name in sorted(error.keys() - MEMBERS["error"]):
        yield "ER-02", f"{at}/{name}"
    source = error.get("source", {"pointer": ""})
    if not source or source.keys() - MEMBERS["source"]:
        yield "ER-08", f"{at}/source"
    if not re.fullmatch("[45][0-9]{2}", str(error.get("status", "400"))):
        yield "ER-03", f"{at}/status"
    yield from _links_and_meta(error, at)


def _compound(document: dict[str, Any], sparse: bool) -> Iterator[Fault]:
    data = document.get("data")
    primary = data if isinstance(data, list) else [] if data is None else [data]
    included = document.get("included", [])
    full = [item for item in primary if not _is_identifier(item)] + included
    identities = [(item.get("type"), item.get("id")) for item in full if isinstance(item, dict)]
    for repeated in sorted({str(i) for i in identities if identities.count(i) > 1}):
        yield "IN-04", repeated
    if sparse:
        return
    known = {(item["type"], item["id"]): item for item in included if not set(_identity(item, ""))}
    waiting = [item for item in primary if isinstance(item, dict)]
    reached = {(item.get("type"), item.get("id")) for item in waiting if _is_identifier(item)}
    waiting += [known[identity] for identity in reached & known.keys()]
    while waiting:
        for linked in _linked(waiting.pop()):
            if linked not in reached:
                reached.add(linked)
                waiting += [known[linked]] if linked in known else []
    for identity in sorted(known.keys() - reached):
        yield "IN-02", str(identity)


def _linked(item: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    relationships = item.get("relationships")
    for relationship in relationships.values() if isinstance(relationships, dict) else ():
        data = relationship.get("data") if isinstance(relationship, dict) else None
        for identifier in data if isinstance(data, list) else [data]:
            if isinstance(identifier, dict):
                yield identifier.get("type"), identifier.get("id")


def is_absolute(link: str) -> bool:
    parts = urlsplit(link)
    return parts.scheme in ("http", "https") and bool(parts.netloc)
