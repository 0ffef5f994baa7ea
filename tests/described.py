"""What tests of a resource hold of its rules, its relationships and its deletion, over HTTP.

A document is what a client sends to create a resource. It need not be whole: what the resource
needs besides is made up.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any

from tests.auth.world import World
from tests.client import API, Client
from tests.service import Service
from users_service.cli import made_up
from users_service.jsonapi import Relationship, Resource, resources_of

Json = dict[str, Any]

# What is made up differs from all that was made up before.
_numbers = count()


def stored(client: Client, document: Json) -> Json:
    """Create a resource, with all that it needs, and return its resource object."""
    response = client.post(_list_of(document["data"]["type"]), completed(client, document))
    assert response.status_int == 201, response.text
    return response.json["data"]


def completed(client: Client, document: Json) -> Json:
    """A document with what the resource needs besides: attributes, and resources to relate to."""
    data = document["data"]
    resource = _resources(client)[data["type"]]
    attributes, related = data.get("attributes", {}), data.get("relationships", {})
    required = (name for name in resource.writable if resource.attributes[name].required)
    more = {name: _made_up(resource, name) for name in required if name not in attributes}
    links = {
        each.name: {"data": made(client, each.target_type)}
        for each in resource.needed
        if each.name not in related
    }
    data = data | {"attributes": attributes | more}
    return {"data": data | ({"relationships": related | links} if related or links else {})}


def made(client: Client, type: str) -> Json:
    """Create any resource of a type, and return its identifier."""
    if type == "users":
        return identifier(client.create_user(f"user-{next(_numbers)}@example.com"))
    resource = _resources(client)[type]
    names = sorted(n for n in resource.writable if resource.attribute(n) in resource.columns)
    attributes = {name: _made_up(resource, name) for name in names}
    return identifier(stored(client, {"data": {"type": type, "attributes": attributes}}))


def identifier(resource: Json) -> Json:
    return {"type": resource["type"], "id": resource["id"]}


def assert_breaks(client: Client, document: Json, field: str, rule: str) -> None:
    """A document is refused for the value of one field, by a rule, and nothing is stored."""
    document = completed(client, document)
    type = document["data"]["type"]
    before = _number_of(client, type)
    response = client.post(_list_of(type), document)
    assert response.status_int == 422, response.text
    found = [(e["source"]["pointer"], e["meta"]["rule"]) for e in response.json["errors"]]
    assert found == [(f"/data/attributes/{field}", rule)]
    assert _number_of(client, type) == before


def assert_unique(client: Client, document: Json, field: str, value: Any) -> None:
    """A second resource is refused for a value of a field that is the same as the first one's.

    :param value: the value in another spelling, or as it is where spelling counts.
    """
    stored(client, document)
    data = document["data"]
    resource = _resources(client)[data["type"]]
    others = {
        name: _made_up(resource, name)
        for name in data["attributes"]
        if name != field and made_up.is_unique(resource, name)
    }
    attributes = data["attributes"] | others | {field: value}
    again = completed(client, {"data": data | {"attributes": attributes}})
    before = _number_of(client, data["type"])
    response = client.post(_list_of(data["type"]), again)
    assert response.status_int == 409, response.text
    pointers = [error["source"]["pointer"] for error in response.json["errors"]]
    assert pointers == [f"/data/attributes/{field}"]
    assert _number_of(client, data["type"]) == before


def assert_on_delete(client: Client, document: Json, relationship: str, outcome: str) -> None:
    """The deletion of a related resource is refused, or has an outcome for the one that leads to
    it, which is deleted in the end.

    :param relationship: the name of a to-one relationship.
    :param outcome: `restrict`, `set_null` or `cascade`.
    """
    type = document["data"]["type"]
    target = made(client, _resources(client)[type].relationships[relationship].target_type)
    source = _stored_with(client, document, relationship, target)
    response = client.delete(_url(target))
    status = client.get(_url(source)).status_int
    if outcome == "restrict":
        assert (response.status_int, status) == (409, 200), response.text
        assert client.get(_url(target)).status_int == 200
        assert _linked(client, source, relationship) == [target]
    else:
        assert response.status_int == 204, response.text
        assert client.get(_url(target)).status_int == 404
    if outcome == "set_null":
        assert status == 200
        assert _linked(client, source, relationship) == []
        assert _tag(client.get(_url(source)).json["data"]) != _tag(source)
    if outcome == "cascade":
        assert status == 404
    else:
        _delete(client, source)


def assert_linked(client: Client, document: Json, relationship: str, inverse: str) -> None:
    """Links are made and removed from either end, and each end shows them. The resource is deleted
    in the end.

    :param inverse: the name of the relationship back, which is to-many; empty if there is none.
    """
    resource = _resources(client)[document["data"]["type"]]
    each = resource.relationships[relationship]
    first, second = (made(client, each.target_type) for _ in range(2))
    source = _stored_with(client, document, relationship, first)
    own = identifier(source)

    def assert_links(*targets: Json) -> None:
        found = _linked(client, source, relationship)
        assert sorted(one["id"] for one in found) == sorted(one["id"] for one in targets)
        for target in (first, second) if inverse else ():
            assert (own in _linked(client, target, inverse)) == (target in targets)

    def change(method: str, end: Json, name: str, data: Any) -> None:
        response = client.request(method, _links(end, name), {"data": data})
        assert response.status_int == 204, response.text

    assert_links(first)
    if each.many:
        change("POST", source, relationship, [second])
        assert_links(first, second)
        change("DELETE", source, relationship, [first])
    else:
        change("PATCH", source, relationship, second)
    assert_links(second)
    if inverse:
        change("POST", first, inverse, [own])
        assert_links(*((first, second) if each.many else (first,)))
    if not (each.many or each.is_required):
        change("PATCH", source, relationship, None)
        assert_links()
    elif each.many:
        change("PATCH", source, relationship, [])
        assert_links()
    if inverse and not each.is_required:
        change("POST", second, inverse, [own])
        change("DELETE", second, inverse, [own])
        assert_links()
    _delete(client, source)


def assert_owned(service: Service, document: Json, relationship: str) -> None:
    """Users see the resources that they own, and change their attributes; nobody else does, but who
    may do so with all of them.

    :param relationship: to the owner.
    """
    world = World(service)
    administrator, owner, other, reader = map(
        world.client, ("administrator", "self", "other", "reader")
    )
    source = _stored_with(administrator, document, relationship, world.ref("users", "self"))
    resource = _resources(administrator)[source["type"]]
    name = next(iter(sorted(resource.changeable & resource.readable.keys())))
    change = {"data": identifier(source) | {"attributes": {name: source["attributes"][name]}}}
    url, links = _url(source), _links(source, relationship)
    assert owner.get(url).status_int == 200
    assert owner.patch(url, change).status_int == 200
    listed = owner.get(_list_of(source["type"])).json["data"]
    assert [each["id"] for each in listed] == [source["id"]]
    to_other = {"data": world.ref("users", "other")}
    assert owner.patch(links, to_other).status_int in (403, 404)
    assert owner.delete(url).status_int == 403
    for stranger in (other, reader):
        assert stranger.get(url).status_int == 404
        assert stranger.patch(url, change).status_int == 404
        assert stranger.get(_list_of(source["type"])).json["data"] == []
    assert world.client(None).get(url).status_int == 401
    assert _linked(administrator, source, relationship) == [world.ref("users", "self")]
    _delete(administrator, source)
    _assert_not_given_away(world, document, resource.relationships[relationship])


def _assert_not_given_away(world: World, document: Json, owner: Relationship) -> None:
    """Who may change all users, but only its own of these, gives none of them to another user."""
    helpdesk = world.client("helpdesk")
    its_own = _stored_with(
        world.client("administrator"), document, owner.name, world.ref("users", "helpdesk")
    )
    if owner.is_shown_by_target:
        url = f"{API}/users/{world.ids['other']}/relationships/{owner.inverse.name}"
        assert helpdesk.post(url, {"data": [identifier(its_own)]}).status_int == 403
    assert _linked(helpdesk, its_own, owner.name) == [world.ref("users", "helpdesk")]


def _stored_with(client: Client, document: Json, relationship: str, target: Json) -> Json:
    """Create a resource that is related to a target."""
    data = document["data"]
    many = _resources(client)[data["type"]].relationships[relationship].many
    link = {relationship: {"data": [target] if many else target}}
    related = data.get("relationships", {}) | link
    return stored(client, {"data": data | {"relationships": related}})


def _resources(client: Client) -> Mapping[str, Resource]:
    return resources_of(client.app.registry)


def _made_up(resource: Resource, name: str) -> Any:
    return made_up.attribute(resource, name, next(_numbers), null=False)


def _list_of(type: str) -> str:
    return f"{API}/{type}"


def _url(resource: Json) -> str:
    return f"{_list_of(resource['type'])}/{resource['id']}"


def _links(resource: Json, relationship: str) -> str:
    return f"{_url(resource)}/relationships/{relationship}"


def _linked(client: Client, resource: Json, relationship: str) -> list[Json]:
    """The identifiers of related resources."""
    response = client.get(_links(resource, relationship))
    assert response.status_int == 200, response.text
    data = response.json["data"]
    found = data if isinstance(data, list) else [data] if data else []
    return [identifier(one) for one in found]


def _number_of(client: Client, type: str) -> int:
    return client.get(f"{_list_of(type)}?page[total]=true").json["meta"]["total"]


def _tag(resource: Json) -> str:
    return resource["meta"]["etag"]


def _delete(client: Client, resource: Json) -> None:
    assert client.delete(_url(resource)).status_int == 204
