"""What is described is what is served: `GET /api/v1/openapi.json`, held against the service."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cornice.service import Service

from tests.client import API, MEDIA_TYPE, USERS, Client, sources
from tests.described import stored
from tests.description import (
    ID,
    Json,
    Operation,
    bounds,
    check_response,
    described,
    faults,
    member,
    operations,
    resolved,
    served,
    spelled,
    value,
    variants,
)
from tests.further import OWN, further_types
from users_service.jsonapi import resources_of

URL = f"{API}/openapi.json"
ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'
TYPES = ("users", "roles", "groups")
# Ids of a second resource of each type, of one that comes and goes, and of nothing.
OTHER = "0190b5a0-0000-7000-8000-00000000ada1"
NEW = "0190b5a0-0000-7000-8000-00000000ada2"
NOBODY = "0190b5a0-0000-7000-8000-00000000ada3"

# What stands for the other variables of paths.
FILE = {"name": "page.js"}

OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "in", "nin", "isnull")
OPERATORS += ("contains", "icontains", "startswith", "endswith")

# What SQL has no part in is shown on one engine.
one_engine = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)


@pytest.fixture
def document(client) -> Json:
    return client.get(URL).json


# What is off by default, or speaks other languages.
ELSEWHERE = {
    "auth_assertions",
    "auth_emails",
    "auth_introspect_post",
    "auth_password_resets",
    "auth_passwords",
    "auth_revoke_post",
    "auth_sign_ups",
    "auth_verifications",
    "jwks",
}


@pytest.fixture
def known(document) -> dict[str, Operation]:
    """The operations of the description, by their ids, without those of tests/auth."""
    return {id: one for id, one in operations(document).items() if id not in ELSEWHERE}


@pytest.fixture
def world(client) -> Client:
    fill(client)
    return client


def fill(client: Client) -> None:
    """Store two resources of each type, the first of each with the id of the examples."""
    groups = {"data": [{"type": "groups", "id": id} for id in (ID, OTHER)]}
    related = {"role": {"data": {"type": "roles", "id": ID}}, "groups": groups}
    adds = []
    for id in (ID, OTHER):
        named = {"id": id, "attributes": {"name": id}}
        user = {"attributes": {"name": "Somebody", "email": f"{id}@example.com"}}
        user |= {"relationships": related}
        adds.append({"op": "add", "data": {"type": "users", "id": id, **user}})
        adds[:0] = [{"op": "add", "data": {"type": type} | named} for type in ("roles", "groups")]
    headers = {"Accept": ATOMIC, "Content-Type": ATOMIC}
    response = client.post(f"{API}/operations", {"atomic:operations": adds}, headers=headers)
    assert response.status_int == 200, response.text
    for id in (ID, OTHER):
        owner = {"user": {"data": {"type": "users", "id": ID}}}
        attributes = {"name": id, "expiration_time": tomorrow()}
        token = {"type": "tokens", "id": id, "attributes": attributes, "relationships": owner}
        response = client.post(f"{API}/tokens", {"data": token})
        assert response.status_int == 201, response.text
    for type, id in product(further_types(client.app), (ID, OTHER)):
        stored(client, {"data": {"type": type, "id": id}})


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def send(client: Client, operation: Operation, *, query: Any = (), **options: Any):
    """Send a request of an operation, to what the examples are about.

    :param options: those of `Client.request`, and a `document` to send.
    """
    url = operation.url(**FILE | options.pop("variables", {}))
    url += f"?{urlencode(query)}" if query else ""
    headers = {}
    if "requestBody" in operation.described:
        media_type, _ = operation.body
        headers = {"Content-Type": media_type, "Accept": media_type}
        options.setdefault("body", json.dumps(options.pop("document", example(operation))).encode())
    options["headers"] = headers | options.get("headers", {})
    return client.request(operation.method, url, **options)


def example(operation: Operation) -> Any:
    """The example of a document to send; one made of its schema where there is none."""
    _, said = operation.body
    if "example" in said:
        return said["example"]
    return (
        base_of(operation)
        if operation.id.endswith("_create")
        else value(operation.document, said["schema"])
    )


# Paths and methods


@one_engine
def test_every_method_of_every_route_is_described_and_nothing_else(service, document):
    found = described(service.app, document)
    assert sorted(found) == sorted(served(service.app))
    assert len(operations(document)) == len(found)  # each has an id of its own
    # And the service says so itself.
    for path, methods in document["paths"].items():
        allowed = service.client.request("PUT", path.format(id=ID, name="nothing"))
        assert allowed.status_int == 405, path
        implied = {"options", "head"} if "get" in methods else {"options"}
        found = {method for method in methods if not method.startswith("x-")}
        assert {*allowed.headers["Allow"].lower().split(", ")} == found | implied


@one_engine
def test_a_service_written_by_hand_is_described_by_its_docstring(app_with, document):
    def tell(request):
        """Tell the weather.

        It is that of yesterday.
        """
        return {"weather": request.matchdict["day"]}

    def include(config) -> None:
        service = Service(name="weather", path=r"/weather/{day:\d+}/report", renderer="json")
        service.add_view("GET", tell)
        service.add_view("POST", tell)
        config.add_cornice_service(service)

    app = app_with(include)
    own = Client(app).get(URL).json
    assert sorted(described(app, own)) == sorted(served(app))
    assert served(app) - {*described(app, document)} == {("weather", "GET"), ("weather", "POST")}
    both = own["paths"].pop("/weather/{day}/report")
    assert both["post"]["operationId"] == "weather_post"
    told = both["get"]
    assert (told["summary"], told["description"]) == (
        "Tell the weather",
        "It is that of yesterday.",
    )
    assert [(one["name"], one["in"]) for one in told["parameters"]] == [("day", "path")]
    assert own["paths"] == document["paths"]
    operation = operations({**own, "paths": {"/weather/{day}/report": {"get": told}}})["weather"]
    check_response(operation, Client(app).get("/weather/7/report"))


# Parameters


def cursors(client: Client, operation: Operation) -> dict[str, str]:
    """The cursors that the links of a list have."""
    first = send(client, operation, query={"page[size]": 1}).json["links"]
    second = client.get(first["next"]).json["links"]
    return {
        name: parse_qs(urlsplit(link).query)[name][0]
        for name, link in (("page[after]", first["next"]), ("page[before]", second["prev"]))
    }


# Parameters of one request: only so many may be about related resources.
TOGETHER = 20


def test_every_parameter_that_is_described_is_accepted(world, known, document):
    lists = {f"{type}_list" for type in (*OWN, *further_types(world.app))}
    assert lists <= known.keys()
    for operation in known.values():
        query = {
            name: spelled(value(document, parameter["schema"]))
            for name, parameter in operation.query.items()
        }
        if operation.id in lists:
            query |= cursors(world, operation)
            for pair in query.items():
                response = send(world, operation, query=[pair])
                assert response.status_int == 200, (operation.id, pair, response.text)
        elif query and operation.method == "GET":
            # The three ways to ask for a page do not go together.
            query = {name: text for name, text in query.items() if not name.startswith("page")}
            pairs = list(query.items())
            for start in range(0, len(pairs), TOGETHER):
                some = pairs[start : start + TOGETHER]
                response = send(world, operation, query=some)
                assert response.status_int == 200, (operation.id, some, response.text)


@one_engine
def test_a_parameter_that_is_not_described_is_refused(client, known):
    names = ("include", "sort", "filter[id]", "page[size]", "fields[users]", "fields[nope]")
    for operation in known.values():
        for name in names:
            if name not in operation.query and 400 in operation.responses:
                response = send(client, operation, query={name: ID}, body=None)
                assert response.status_int == 400, (operation.id, name)
                assert sources(response)[0][0] == name


@one_engine
def test_operators_and_paths_of_filters_that_are_not_described_are_refused(client, known, document):
    for type in (*TYPES, *further_types(client.app)):
        operation = known[f"{type}_list"]
        paths = ["id", *fields(known, type, "attributes", "relationships"), "nope", "name.id"]
        for name in fields(known, type, "relationships"):
            paths += [f"{name}.{field}" for field in fields(known, target(known, type, name))]
        refused = 0
        for path, operator in product(paths, OPERATORS):
            plain = f"filter[{path}]"
            name = plain if operator == "eq" else f"{plain}[{operator}]"
            # What a relationship leads to has the operators that it has in its own lists.
            if name not in operation.query and not ("." in path and plain in operation.query):
                schema = operation.query.get(plain, {"schema": {"type": "string"}})["schema"]
                text = "true" if operator == "isnull" else spelled(value(document, schema))
                response = send(client, operation, query={name: text})
                assert sources(response) == [(name, "invalid_parameter")], name
                refused += 1
        assert refused > len(OPERATORS)


@one_engine
def test_enumerations_are_exactly_what_is_accepted(world, known, document):
    types = [*OWN, *further_types(world.app)]
    attributes = {name for type in types for name in fields(known, type)}
    relationships = {name for type in types for name in fields(known, type, "relationships")}
    paths = {f"{one}.{other}" for one in relationships for other in relationships}
    every = {"", "id", "type", "nope", *attributes, *relationships}
    tried = set()
    for operation in known.values():
        for name, parameter in operation.query.items():
            taken = resolved(document, parameter["schema"].get("items", {})).get("enum")
            # A parameter is the same wherever it is.
            if taken is None or operation.method != "GET" or str(parameter) in tried:
                continue
            tried.add(str(parameter))
            more = {"include": paths, "sort": {f"-{one}" for one in every}}
            values = every | more.get(name, set())
            assert {*taken} < values
            for text in values if name == "sort" else values - {""}:
                response = send(world, operation, query={name: text})
                expected = 200 if text in taken else 400
                assert response.status_int == expected, (operation.id, name, text)
    assert len(tried) > 10


def fields(known: dict[str, Operation], type: str, *kinds: str) -> list[str]:
    """The fields of a type as they are shown: its attributes, or those of other kinds."""
    shown = [known[f"{type}_read"].schema("data", kind) for kind in kinds or ("attributes",)]
    return [name for schema in shown for name in schema["properties"]]


def target(known: dict[str, Operation], type: str, relationship: str) -> str:
    """The type that a relationship leads to."""
    shown = known[f"{type}_read"]
    linkage = value(shown.document, shown.schema("data", "relationships", relationship, "data"))
    return (linkage[0] if isinstance(linkage, list) else linkage)["type"]


@one_engine
def test_bounds_are_those_of_the_settings_and_hold(app_with):
    settings = {"max_page_size": 50, "max_operations": 3, "max_include_paths": 2}
    settings |= {"max_filter_values": 3, "max_filter_length": 120}
    client = Client(app_with(**{name: str(number) for name, number in settings.items()}))
    document = client.get(URL).json
    known = operations(document)
    query = known["users_list"].query
    assert query["page[size]"]["schema"]["maximum"] == 50
    assert query["page[limit]"]["schema"]["maximum"] == 50
    assert query["include"]["schema"]["maxItems"] == 2
    assert query["filter"]["schema"]["maxLength"] == 120
    assert query["filter[groups]"]["schema"]["maxItems"] == 3
    # What is described alike is tried once.
    schemas = {
        str(parameter["schema"]): (operation, name)
        for operation in (known[f"{t}_list"] for t in (*TYPES, *further_types(client.app)))
        for name, parameter in operation.query.items()
    }
    assert len(schemas) > 20
    for operation, name in schemas.values():
        for bound, within in bounds(document, operation.query[name]["schema"]):
            response = send(client, operation, query={name: spelled(bound)})
            assert response.status_int == (200 if within else 400), (operation.id, name, bound)
    performed = known["operations"]
    _, said = performed.body
    assert member(document, said["schema"], "atomic:operations")["maxItems"] == 3
    names = [{"attributes": {"name": name}} for name in "abcd"]
    adds = [{"op": "add", "data": {"type": "groups", **named}} for named in names]
    for within, some in ((False, adds), (True, adds[:3])):
        sent = {"atomic:operations": some}
        assert send(client, performed, document=sent).status_int == (200 if within else 400)
        assert (faults(document, said["schema"], sent) == []) is within


@one_engine
@pytest.mark.parametrize(("settings", "default"), [({}, 20), ({"page_size": "7"}, 7)])
def test_the_size_of_a_page_is_by_default_what_is_described(app_with, settings, default):
    client = Client(app_with(**settings))
    size = operations(client.get(URL).json)["groups_list"].query["page[size]"]
    for number in range(21):
        new = {"data": {"type": "groups", "attributes": {"name": str(number)}}}
        client.post(f"{API}/groups", new)
    assert f" {default} by default" in size["description"]
    assert len(client.get(f"{API}/groups").json["data"]) == default


# Documents that are sent

# What no schema can say: which passwords others would guess, and which links others need.
BEYOND_SCHEMAS = ("weak_password", "required_relationship")


def is_inverse_of_required(client: Client, operation: Operation) -> bool:
    """Whether an operation is on links that the resources at the other end need."""
    type, _, _, relationship = operation.path.removeprefix(f"{API}/").split("/")
    return resources_of(client.app.registry)[type].relationships[relationship].inverse.is_required


@one_engine
@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("verb", ["create", "update"])
def test_a_resource_is_accepted_if_it_is_as_described(service, known, document, type, verb):
    fill(service.client)
    accepted, sent = accepted_as_described(service, known[f"{type}_{verb}"])
    assert 10 < accepted < sent / 2
    assert_what_is_only_shown_is_refused(service, known, type, verb)


@one_engine
@pytest.mark.parametrize("verb", ["create", "update"])
def test_further_resources_are_accepted_if_they_are_as_described(service, known, verb):
    for type in further_types(service.app):
        service.empty()
        fill(service.client)
        accepted, sent = accepted_as_described(service, known[f"{type}_{verb}"])
        assert 0 < accepted < sent
        assert_what_is_only_shown_is_refused(service, known, type, verb)


def base_of(operation: Operation) -> Json:
    """A document of an operation on a resource, with all that it can have."""
    _, said = operation.body
    base = value(operation.document, said["schema"])
    base["data"]["id"] = NEW if operation.id.endswith("_create") else ID
    return base


def attributes_of(operation: Operation) -> Json:
    """The schemas of the attributes that are sent."""
    _, said = operation.body
    return member(operation.document, said["schema"], "data", "attributes")["properties"]


def accepted_as_described(service: Any, operation: Operation) -> tuple[int, int]:
    """Send a resource and variants of it: what is accepted is what is described.

    Returns how many were accepted, and how many were sent.
    """
    document = operation.document
    _, said = operation.body
    base = base_of(operation)
    data, sent = base["data"], attributes_of(operation)
    values = [(name, bound) for name in sent for bound, _ in bounds(document, sent[name])]
    values += [
        (name, [bound])
        for name in sent
        for bound, _ in bounds(document, sent[name].get("items", {}))
    ]
    documents = [base, *variants(base)]
    documents += [{"data": data | {"attributes": data["attributes"] | {n: v}}} for n, v in values]
    accepted = 0
    for one in documents:
        response = send(service.client, operation, document=one)
        wrong = faults(document, said["schema"], one)
        if any(f'"{code}"' in response.text for code in BEYOND_SCHEMAS):
            continue
        assert (response.status_int < 300) is (wrong == []), (one, wrong, response.text)
        if response.status_int < 300:
            accepted += 1
        if "Location" in response.headers:
            service.empty()  # what it took from others too
            fill(service.client)
    return accepted, len(documents)


def assert_what_is_only_shown_is_refused(
    service: Any, known: dict[str, Operation], type: str, verb: str
) -> None:
    operation = known[f"{type}_{verb}"]
    data, sent = base_of(operation)["data"], attributes_of(operation)
    shown = known[f"{type}_read"].schema("data", "attributes")["properties"]
    assert shown.keys() - sent.keys()
    for name in shown.keys() - sent.keys():
        attributes = data["attributes"] | {name: value(operation.document, shown[name])}
        response = send(
            service.client, operation, document={"data": data | {"attributes": attributes}}
        )
        assert sources(response) == [(f"/data/attributes/{name}", "read_only_field")]


@one_engine
def test_linkage_is_accepted_if_it_is_as_described(world, known, document):
    for operation in known.values():
        if "linkage" in operation.id and operation.method != "GET":
            _, said = operation.body
            base = value(document, said["schema"])
            for one in (base, *variants(base)):
                response = send(world, operation, document=one)
                wrong = faults(document, said["schema"], one)
                if '"required_relationship"' in response.text:
                    assert is_inverse_of_required(world, operation), response.text
                    continue
                assert (response.status_int == 204) is (wrong == []), (operation.id, one, wrong)


@one_engine
def test_operations_are_accepted_only_if_they_are_as_described(service, known, document):
    operation = known["operations"]
    _, said = operation.body
    group, user = ({"type": type, "id": ID} for type in ("groups", "users"))
    members = {**group, "relationship": "members"}
    local = {"type": "groups", "lid": "g"}
    named = {"attributes": {"name": "Named"}}
    for performed in (
        [{"op": "add", "data": {**local, **named}}],
        [{"op": "add", "href": f"{API}/groups", "data": {"type": "groups", **named}}],
        [{"op": "update", "ref": group, "data": {**group, **named}}],
        [{"op": "update", "data": {**group, **named, "relationships": {"members": {"data": []}}}}],
        [{"op": "remove", "ref": group, "meta": {"if_match": "*"}}],
        [{"op": "add", "ref": members, "data": [user]}],
        [{"op": "update", "ref": {**user, "relationship": "role"}, "data": None}],
        [{"op": "remove", "href": f"{API}/groups/{ID}/relationships/members", "data": [user]}],
    ):
        base = {"atomic:operations": performed}
        service.empty()
        fill(service.client)
        for one in (base, *variants(base)):
            response = send(service.client, operation, document=one)
            assert response.status_int == 200 or one is not base, response.text
            if response.status_int == 200:
                assert faults(document, said["schema"], one) == [], one


def test_every_example_of_a_document_to_send_is_accepted(service, known):
    examples = 0
    for operation in known.values():
        if operation.id == "tokens_create":
            continue  # its example needs a user with this password
        if "requestBody" in operation.described and "example" in operation.body[1]:
            service.empty()
            fill(service.client)
            example = operation.body[1]["example"]
            if "id" in example.get("data", {}):  # that of what is at the URL
                example = {"data": example["data"] | {"id": ID}}
            response = send(service.client, operation, document=example)
            assert response.status_int == operation.success, response.text
            check_response(operation, response)
            examples += 1
    assert examples >= len(TYPES) + 1  # and one of operations


# Responses


@one_engine
def test_every_example_of_a_response_is_one(known, document):
    examples = 0
    for operation in known.values():
        for said in operation.responses.values():
            for media in said.get("content", {}).values():
                found = [one["value"] for one in media.get("examples", {}).values()]
                found += [media["example"]] if "example" in media else []
                for one in found:
                    assert faults(document, media["schema"], one) == []
                examples += len(found)
    assert examples > 100


USER, ROLE = ({"type": type, "id": ID} for type in ("users", "roles"))
STALE = '"999.stale"'


def failures_of(operation: Operation) -> Iterator[tuple[int, str, Json]]:
    """Requests that fail.

    Each comes with its status, and with whose it is: that of a client that the service permits
    everything, or nothing, or that it is strict with.
    """
    about_resources = "service" not in operation.described["tags"]
    if not about_resources and operation.id not in ("entry", "operations"):
        return  # it takes every request
    yield 400, "usual", {"query": {"nope": 1}}
    yield 406, "usual", {"headers": {"Accept": "text/html"}}
    yield 414, "strict", {"query": {"nope": "x" * 400}}
    if about_resources and operation.id != "tokens_create":  # everyone may try to sign in
        yield 401, "closed", {}
        if operation.id != "tokens_delete":  # a token may be ended by its holder
            yield 403, "limited", {}
    if "{id}" in operation.path:
        others = {}
        if operation.method == "PATCH" and "linkage" not in operation.id:
            others = {"document": {"data": {"type": operation.id.partition("_")[0], "id": NOBODY}}}
        yield 404, "usual", {"variables": {"id": NOBODY}} | others
    if operation.method == "GET":
        yield 304, "usual", {"headers": {"If-None-Match": "*"}}
    if "requestBody" in operation.described:
        yield 400, "usual", {"body": b"{"}
        yield 413, "strict", {"body": b" " * 3000}
        yield 415, "usual", {"headers": {"Content-Type": "text/plain"}}
        yield from refused_documents(operation)
    if operation.id == "roles_delete":
        yield 409, "usual", {}
    if operation.method in ("PATCH", "DELETE") or operation.id.endswith("linkage_add"):
        yield 412, "usual", {"headers": {"If-Match": STALE}}
        yield 428, "strict", {}


def refused_documents(operation: Operation) -> Iterator[tuple[int, str, Json]]:
    """Requests whose document is well-formed."""
    if operation.id == "operations":
        for status, name, performed in (
            (404, "usual", {"op": "remove", "ref": USER | {"id": NOBODY}}),
            (401, "closed", {"op": "remove", "ref": USER}),
            (403, "limited", {"op": "remove", "ref": USER}),
            (409, "usual", {"op": "remove", "ref": ROLE}),
            (412, "usual", {"op": "remove", "ref": USER, "meta": {"if_match": STALE}}),
            (422, "usual", {"op": "add", "data": {"type": "users"}}),
            (428, "strict", {"op": "remove", "ref": USER}),
        ):
            yield status, name, {"document": {"atomic:operations": [performed]}}
        return
    document = example(operation)
    data = document["data"]
    other = [ROLE | {"type": "nope"}] if isinstance(data, list) else data | {"type": "nope"}
    yield 409, "usual", {"document": {"data": other}}
    if "linkage" not in operation.id:
        yield 422, "usual", {"document": {"data": data | {"attributes": {"nope": 1}}}}


@one_engine
def test_every_response_is_as_described(service, app_with, permitted, known):
    limits = {"max_body_size": "2000", "max_url_length": "300", "require_if_match": "true"}
    limits |= {"max_filter_values": "4"}
    clients = {
        "usual": service.client,
        "closed": Client(app_with(anonymous_permissions="")),
        "strict": Client(app_with(**limits)),
    }
    seen = set()
    fill(service.client)
    clients["limited"] = permitted("articles:read")
    for operation in sorted(known.values(), key=lambda operation: operation.method != "GET"):
        if operation.method != "GET":
            service.empty()
            fill(service.client)
            clients["limited"] = permitted("articles:read")
        for status, name, options in failures_of(operation):
            response = send(clients[name], operation, **options)
            assert response.status_int == status, (operation.id, options, response.text)
            check_response(operation, response)
            seen.add(status)
        if operation.id == "roles_delete":  # nobody may hold it
            service.client.patch(f"{API}/roles/{ID}/relationships/users", {"data": []})
        if operation.id == "tokens_create":
            continue
        response = send(service.client, operation)
        if response.status_int >= 400 and '"required_relationship"' in response.text:
            assert is_inverse_of_required(service.client, operation), response.text
        else:
            assert response.status_int == operation.success, (operation.id, response.text)
        check_response(operation, response)
    assert seen == {304, 400, 401, 403, 404, 406, 409, 412, 413, 414, 415, 422, 428}


# The description as a resource


@one_engine
def test_the_description_has_an_entity_tag(client):
    first = client.get(URL)
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["Cache-Control"] == "no-cache"
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    assert client.get(URL).headers["ETag"] == tag
    for given in (tag, f'"other", {tag}', "*"):
        again = client.get(URL, headers={"If-None-Match": given})
        assert (again.status_int, again.headers["ETag"]) == (304, tag)
    assert client.get(URL, headers={"If-None-Match": '"other"'}).json == first.json
    head = client.request("HEAD", URL)
    assert (head.status_int, head.headers["ETag"]) == (200, tag)


@one_engine
def test_the_description_names_the_server_that_it_is_asked_of(client):
    paths = client.get(URL).json["paths"]
    tags = set()
    for environ, server in (
        ({}, "http://localhost"),
        ({"HTTP_HOST": "api.example.com:8080"}, "http://api.example.com:8080"),
        ({"HTTP_HOST": "x.org", "wsgi.url_scheme": "https"}, "https://x.org"),
        ({"HTTP_HOST": "x.org", "SCRIPT_NAME": "/some/prefix"}, "http://x.org/some/prefix"),
    ):
        response = client.get(URL, environ=environ)
        assert response.json["servers"] == [{"url": server}]
        assert response.json["paths"] == paths
        tags.add(response.headers["ETag"])
        # Together they make the URLs that documents are linked by.
        entry = client.get(API, environ=environ).json
        assert entry["links"]["describedby"] == server + URL
        assert entry["meta"]["resources"]["users"] == {"href": server + USERS}
        assert {URL, USERS} < paths.keys()
    assert len(tags) == 4


@one_engine
def test_headers_of_just_anybody_do_not_change_the_server(client):
    forwarded = {"X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "https"}
    forwarded |= {"X-Forwarded-Prefix": "/evil", "Forwarded": "host=evil.example.com"}
    assert client.get(URL, headers=forwarded).body == client.get(URL).body


@one_engine
def test_the_description_can_be_read_by_everyone_and_changed_by_nobody(client, app_with):
    closed = Client(app_with(anonymous_permissions=""))
    assert closed.get(URL).json == client.get(URL).json
    options = client.request("OPTIONS", URL)
    assert (options.status_int, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = client.request(method, URL, {})
        assert (refused.status_int, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert sources(refused) == [("", "method_not_allowed")]
    for accept in ("text/html", "application/json", "*/*"):
        assert client.get(URL, headers={"Accept": accept}).status_int == 200
