"""Does with jsonapi-client what a client does, and prints what came of it."""

import asyncio
import json
import sys

from jsonapi_client import Filter, Inclusion, Modifier, Session


def model(*attributes: str, **relationships: tuple[str, str]) -> dict:
    """A resource as jsonapi-client's schemas describe it."""
    properties: dict = {name: {} for name in attributes}
    for name, (relation, type_) in relationships.items():
        properties[name] = {"relation": relation, "resource": [type_]}
    return {"properties": properties}


TIMES = ("creation_time", "modification_time")
SCHEMA = {
    "users": model(
        "email", "name", "is_active", *TIMES, role=("to-one", "roles"), groups=("to-many", "groups")
    ),
    "roles": model("name", "description", "permissions", *TIMES, users=("to-many", "users")),
    "groups": model("name", "description", *TIMES, members=("to-many", "users")),
}


def connect() -> Session:
    """A session of its own for each step: within one, documents come from a cache.

    The blocking mode of jsonapi-client expects a document in the answer to DELETE, where JSON:API
    has 204 No Content (§7.4); its asynchronous mode does not.
    """
    return Session(sys.argv[1], enable_async=True, schema=SCHEMA)


async def names(*modifiers: Modifier) -> list[str]:
    async with connect() as api:
        users = await api.get("users", sum(modifiers, Modifier("sort=name")))
        return [user.name for user in users.resources]


async def related(id: str) -> dict:
    async with connect() as api:
        (ada,) = (await api.get(f"users/{id}", Inclusion("role", "groups"))).resources
        roles, groups = await ada.relationships.role.fetch(), await ada.relationships.groups.fetch()
        (role,) = roles
        return {"role": role and role.name, "groups": sorted(group.name for group in groups)}


async def main() -> dict:
    saw: dict = {}
    async with connect() as api:
        create = api.create_and_commit
        editors = await create("roles", {"name": "Editors", "permissions": ["users:read"]})
        staff = await create("groups", {"name": "Staff"})
        press = await create("groups", {"name": "Press"})
        ada = await create("users", {"email": "ada@example.com", "name": "Ada"})
        await create("users", {"email": "grace@example.com", "name": "Grace", "is_active": True})
        await create("users", {"email": "mary@example.com", "name": "Mary"})
        saw["created"] = {"email": ada["email"], "is_active": ada["is_active"]}
        id = ada.id
    saw["listed"] = await names()

    async with connect() as api:
        page = await api.get("users", Modifier("sort=name&page[size]=2"))
        saw["pages"] = [[user.name for user in page.resources]]
        while page.links.next:
            page = await page.links.next.fetch()
            saw["pages"].append([user.name for user in page.resources])

    saw["filtered"] = await names(Filter("filter[is_active]=true"))

    async with connect() as api:
        ada = (await api.get("users", id)).resource
        ada.name = "Ada Lovelace"
        await ada.commit()
        saw["updated"] = ada.name

    async with connect() as api:
        ada = (await api.get(f"users/{id}", Inclusion("role", "groups"))).resource
        ada.relationships.groups.add(staff)
        ada.relationships.groups.add(press)
        ada.relationships.role.set(editors)
        await ada.commit()
    saw["related"] = await related(id)

    async with connect() as api:
        ada = (await api.get(f"users/{id}", Inclusion("role", "groups"))).resource
        ada.relationships.groups.set([press])
        ada.relationships.role.set(None)
        await ada.commit()
    saw["unrelated"] = await related(id)

    async with connect() as api:
        ada = (await api.get("users", id)).resource
        ada.delete()
        await ada.commit()
    saw["left"] = await names()
    return saw


json.dump(asyncio.run(main()), sys.stdout)
