"""Gives a role to a user apart from the API's own changes, which do this by themselves."""

from uuid import UUID

from sqlalchemy import Connection, select, update

from users_service.models.tables import roles
from users_service.texts import name_key


def take_role(connection: Connection, name: str) -> UUID | None:
    """Find a role for a user who will be stored next, lock it, and increment its version: its users
    are about to change.

    :returns: its id; None if there is no role of that name.
    """
    found = select(roles.c.id).where(roles.c.name_key == name_key(name)).with_for_update()
    id: UUID | None = connection.execute(found).scalar_one_or_none()
    if id is not None:
        kept = {"modification_time": roles.c.modification_time}
        values = {"version": roles.c.version + 1, **kept}
        connection.execute(update(roles).where(roles.c.id == id).values(values))
    return id
