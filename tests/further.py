"""What the service has beside its own: resources of descriptions, and what leads to them.

Tests of the service's own types leave it out; tests of all types go over it too.
"""

from typing import Any

from sqlalchemy import Table

from users_service.jsonapi import resources_of
from users_service.models import Base
from users_service.schemas import GroupSchema, RoleSchema, TokenSchema, UserSchema
from users_service.schemas.base import Relationship

# The service's own types.
OWN = {"users": UserSchema, "roles": RoleSchema, "groups": GroupSchema, "tokens": TokenSchema}


def further_types(app: Any) -> list[str]:
    """The types of an application that are not the service's own."""
    return [type for type in resources_of(app.registry) if type not in OWN]


def further_relationships(type: str) -> set[str]:
    """The relationships by which one of the service's own types leads to others."""
    return {
        name
        for name, field in OWN[type]().declared_fields.items()
        if isinstance(field, Relationship) and field.type_ not in OWN
    }


def own_tables(app: Any) -> list[Table]:
    """The service's own tables, parents first: none of others, and none that links to these."""
    resources = resources_of(app.registry)
    further = {resources[type].table for type in further_types(app)}
    mapped = {mapper.local_table for mapper in Base.registry.mappers}

    def is_own(table: Table) -> bool:
        targets = {key.column.table for key in table.foreign_keys}
        return table not in further and (table in mapped or targets.isdisjoint(further))

    return [table for table in Base.metadata.sorted_tables if is_own(table)]
