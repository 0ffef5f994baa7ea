"""What schemathesis cannot read in the description: values that only make sense together."""

import re

import schemathesis
from hypothesis import strategies as st

DIALECTS = (
    {"page[after]", "page[before]", "page[total]", "page[size]"},
    {"page[number]", "page[total]", "page[size]"},
    {"page[offset]", "page[limit]", "page[total]"},
)

# The scheme and the host of a URL (RFC 3986 §4.1).
SERVER = re.compile(r"^([A-Za-z0-9+.-]*:)?(//[^/]*)?")

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=10)
quoted = names.filter(str.strip).map(lambda text: "'{}'".format(text.replace("'", "''")))
conditions = st.one_of(
    quoted.map("equals(name,{})".format),
    quoted.map("startsWith(name,{})".format),
    quoted.map("icontains(name,{})".format),
    st.lists(quoted, min_size=1, max_size=3).map(lambda texts: f"any(name,{','.join(texts)})"),
    st.uuids().map("greaterThan(id,'{}')".format),
)
expressions = st.recursive(
    conditions,
    lambda inner: st.one_of(
        inner.map("not({})".format),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]},{parts[2]})"
        ),
    ),
    max_leaves=4,
)
# Every type of this API has an id and a name.
schemathesis.openapi.format("filter-expression", expressions)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Make requests that are valid in each of their parts valid as a whole."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.query:
        _speak_one_dialect(case.query)
        _sort_by_a_field_once(case.query)
    if case.operation.method == "patch" and _primary_data(case.body).get("id"):
        # A document is about the resource at its URL.
        case.body["data"]["id"] = case.path_parameters["id"]
    if case.operation.path == "/api/v1/tokens" and case.operation.method == "post":
        _sign_in(case.body["data"])
    else:
        _have_strong_passwords(case.body)
    if isinstance(case.body, dict) and isinstance(case.body.get("atomic:operations"), list):
        _name_no_local_ids(case.body["atomic:operations"])
        _stay_on_this_server(case.body["atomic:operations"])


# No list of common passwords has it.
STRONG = "a sentence nobody else says"


def _sign_in(data):
    """Make a token by a password: a named token needs others of its fields, and an owner."""
    attributes = {"email": "ada@example.com", "password": STRONG} | data.get("attributes", {})
    for name in ("name", "expiration_time"):
        attributes.pop(name, None)
    data["attributes"] = attributes
    data.pop("relationships", None)


def _have_strong_passwords(part):
    """Put a strong password in place of each: no schema says which ones others would guess."""
    if isinstance(part, dict):
        if isinstance(part.get("password"), str):
            part["password"] = STRONG
        for inner in part.values():
            _have_strong_passwords(inner)
    elif isinstance(part, list):
        for inner in part:
            _have_strong_passwords(inner)


def _speak_one_dialect(query):
    """Keep the parameters of one way to page; a cursor only ever comes out of a link."""
    for cursor in ("page[after]", "page[before]"):
        query.pop(cursor, None)
    pages = {name for name in query if name.startswith("page[")}
    spoken = next((d for d in reversed(DIALECTS) if pages & (d - DIALECTS[0])), DIALECTS[0])
    for name in pages - spoken:
        del query[name]


def _sort_by_a_field_once(query):
    if terms := query.get("sort"):
        query["sort"] = ",".join({t.removeprefix("-"): t for t in terms.split(",")}.values())


def _primary_data(body):
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, dict) else {}


def _name_no_local_ids(part):
    """Put ids in place of local ids: which ones a request has given no schema can tell."""
    for inner in part if isinstance(part, list) else part.values():
        if isinstance(inner, list | dict):
            _name_no_local_ids(inner)
    if isinstance(part, dict) and "type" in part and isinstance(part.pop("lid", None), str):
        part.setdefault("id", "0190b5a0-0000-7000-8000-00000000ada0")


def _stay_on_this_server(operations):
    """Make the URLs of operations paths: those of other servers are refused."""
    for operation in operations:
        if isinstance(operation, dict) and isinstance(operation.get("href"), str):
            operation["href"] = SERVER.sub("", operation["href"]) or "/"
