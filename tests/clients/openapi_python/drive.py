"""Does with the package that openapi-python-client made what a client does, and prints what it saw.

Every value of it has a type; `mypy --strict` holds it against the package.
"""

import json
import sys
from uuid import uuid4

from users_client import AuthenticatedClient
from users_client.api.groups import groups_create
from users_client.api.users import (
    users_create,
    users_delete,
    users_groups_linkage_replace,
    users_groups_list,
    users_list,
    users_read,
    users_update,
)
from users_client.models import (
    ErrorsDocument,
    GroupsDocument,
    GroupsIdentifier,
    GroupsNew,
    GroupsNewAttributes,
    GroupsNewDocument,
    GroupsPage,
    GroupsToManyDocument,
    UsersChanges,
    UsersChangesAttributes,
    UsersChangesDocument,
    UsersDocument,
    UsersNew,
    UsersNewAttributes,
    UsersNewDocument,
    UsersPage,
    UsersResource,
    UsersResourceAttributes,
    UsersSort,
)

address, token = sys.argv[1:]
api = AuthenticatedClient(base_url=address, token=token, raise_on_unexpected_status=True)


def create(email: str, name: str) -> UsersResource:
    new = UsersNew("users", UsersNewAttributes(email=email, name=name))
    made = users_create.sync(client=api, body=UsersNewDocument(new))
    assert isinstance(made, UsersDocument), made
    return made.data


def create_group(name: str) -> GroupsIdentifier:
    new = GroupsNew("groups", GroupsNewAttributes(name=name))
    made = groups_create.sync(client=api, body=GroupsNewDocument(new))
    assert isinstance(made, GroupsDocument), made
    return GroupsIdentifier("groups", made.data.id)


def attributes(user: UsersResource) -> UsersResourceAttributes:
    assert user.attributes, "fields[users] has left them out"
    return user.attributes


def main() -> dict[str, object]:
    saw: dict[str, object] = {}
    staff, press = create_group("Staff"), create_group("Press")
    ada = create("ada@example.com", "Ada")
    create("grace@example.com", "Grace")
    create("mary@example.com", "Mary")
    saw["created"] = {"email": attributes(ada).email, "is_active": attributes(ada).is_active}

    read = users_read.sync(ada.id, client=api)
    assert isinstance(read, UsersDocument), read
    saw["read"] = attributes(read.data).name

    found = users_list.sync(client=api, filteremail="GRACE@example.com")
    assert isinstance(found, UsersPage), found
    saw["filtered"] = [attributes(user).name for user in found.data]

    page = users_list.sync(client=api, sort=[UsersSort("-name")], pagesize=2, pagetotal=True)
    assert isinstance(page, UsersPage), page
    assert page.meta, page
    assert page.meta.page, page
    saw["sorted"] = [attributes(user).name for user in page.data]
    saw["total"] = page.meta.page.total

    lovelace = UsersChangesAttributes(name="Ada Lovelace", is_active=True)
    changes = UsersChanges("users", ada.id, attributes=lovelace)
    updated = users_update.sync(ada.id, client=api, body=UsersChangesDocument(changes))
    assert isinstance(updated, UsersDocument), updated
    saw["updated"] = {
        "name": attributes(updated.data).name,
        "is_active": attributes(updated.data).is_active,
    }

    for linkage in ([staff], [press]):
        body = GroupsToManyDocument(linkage)
        replaced = users_groups_linkage_replace.sync_detailed(ada.id, client=api, body=body)
        assert replaced.status_code == 204, replaced
    groups = users_groups_list.sync(ada.id, client=api)
    assert isinstance(groups, GroupsPage), groups
    saw["groups"] = [group.attributes and group.attributes.name for group in groups.data]

    saw["deleted"] = users_delete.sync_detailed(ada.id, client=api).status_code

    missing = users_read.sync_detailed(ada.id, client=api)
    assert isinstance(missing.parsed, ErrorsDocument), missing
    (error,) = missing.parsed.errors
    saw["missing"] = {"status": missing.status_code, "code": error.code}
    return saw


def wrong() -> None:
    """What the types have to refuse: mypy complains of an ignored error that is none."""
    UsersNewAttributes(emial="ada@example.com", name="Ada")  # type: ignore[call-arg]
    UsersNewAttributes(email="ada@example.com")  # type: ignore[call-arg]
    UsersNew("groups", UsersNewAttributes("ada@example.com", "Ada"))  # type: ignore[arg-type]
    users_list.sync(client=api, filteremial="ada@example.com")  # type: ignore[call-arg]
    users_read.sync(uuid4())  # type: ignore[call-arg]


json.dump(main(), sys.stdout)
