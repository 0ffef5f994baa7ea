"""Relationships: the columns that store them, and the relationships in the opposite direction."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Table, inspect
from sqlalchemy.orm import MANYTOMANY, MANYTOONE, RelationshipProperty

if TYPE_CHECKING:
    from .resource import Resource


@dataclass(frozen=True, eq=False)
class Relationship:
    """A relationship of a resource, and the columns that store it.

    :param name: its name in documents.
    :param source: the resource that has it.
    :param target_type: the type of the related resources.
    :param field: its field in the schema; None if only the model has the relationship.
    :param mapped: its relationship in the model.
    """

    name: str
    source: "Resource"
    target_type: str
    field: Any
    mapped: RelationshipProperty[Any]

    @cached_property
    def many(self) -> bool:
        """Whether it is to-many."""
        return bool(self.mapped.uselist)

    @cached_property
    def is_writable(self) -> bool:
        """Whether clients can write it, at least on creation."""
        return self.field is not None and not self.field.dump_only

    @cached_property
    def is_changeable(self) -> bool:
        """Whether clients can write it at any time."""
        return self.is_writable and not self.field.metadata.get("create_only")

    @cached_property
    def permission(self) -> str | None:
        """The permission that changing it needs in place of `update` on both types."""
        return None if self.field is None else self.field.metadata.get("permission")

    @cached_property
    def target(self) -> "Resource":
        """The type of the related resources."""
        return self.source.resources[self.target_type]

    @cached_property
    def inverse(self) -> "Relationship":
        """The relationship of the target over the same columns, in the opposite direction.

        If the schema of the target does not have it, it is that of the model, without a field.
        """
        opposite = opposites(self.mapped)
        for relationship in self.target.relationships.values():
            if relationship.mapped in opposite and relationship.target is self.source:
                return relationship
        return Relationship(
            name=opposite[0].key,
            source=self.target,
            target_type=self.source.type,
            field=None,
            mapped=opposite[0],
        )

    @cached_property
    def secondary(self) -> Table | None:
        """The association table of a many-to-many relationship."""
        secondary: Any = self.mapped.secondary
        return secondary if self.mapped.direction is MANYTOMANY else None

    @cached_property
    def secondary_columns(self) -> tuple[Column[Any], Column[Any]]:
        """The association table's foreign keys to the source and to the target."""
        pairs: Any = (self.mapped.synchronize_pairs, self.mapped.secondary_synchronize_pairs)
        ((_, source),), ((_, target),) = pairs
        return source, target

    @cached_property
    def holds_key(self) -> bool:
        """Whether the source has the foreign key, and not the target or an association table."""
        return self.mapped.direction is MANYTOONE

    @cached_property
    def key_attribute(self) -> str:
        """The attribute of the foreign key, in the model of the source or of the target."""
        ((local, remote),) = self.mapped.local_remote_pairs
        resource, column = (self.source, local) if self.holds_key else (self.target, remote)
        return str(inspect(resource.model).get_property_by_column(column).key)

    @cached_property
    def is_required(self) -> bool:
        """Whether the foreign key is not nullable."""
        return self.secondary is None and not self.key_column.nullable

    @property
    def key_column(self) -> Column[Any]:
        resource = self.source if self.holds_key else self.target
        return resource.columns[self.key_attribute]


@lru_cache
def all_relationships(resource: "Resource") -> list[Relationship]:
    """The relationships of a resource, and the inverses of all relationships that lead to it.

    The inverses need not be in the schema.
    """
    others = [
        relationship.inverse
        for other in resource.resources.values()
        for relationship in other.relationships.values()
        if relationship.target.model is resource.model
    ]
    by_mapped = {r.mapped: r for r in [*others, *resource.relationships.values()]}
    return list(by_mapped.values())


def opposites(mapped: RelationshipProperty[Any]) -> list[RelationshipProperty[Any]]:
    """The relationships of the target's model over the same columns, in the opposite direction."""
    back: list[Any] = [mapped.secondary_synchronize_pairs, mapped.synchronize_pairs]
    if mapped.secondary is None:
        back = [[(remote, local) for local, remote in mapped.local_remote_pairs]]
    return [
        other
        for other in mapped.mapper.relationships
        if other.mapper is mapped.parent and _columns(other) == back
    ]


def _columns(mapped: RelationshipProperty[Any]) -> list[Any]:
    """The pairs of columns that join source and target, through the association table if any."""
    if mapped.secondary is None:
        return [mapped.local_remote_pairs]
    return [mapped.synchronize_pairs, mapped.secondary_synchronize_pairs]
