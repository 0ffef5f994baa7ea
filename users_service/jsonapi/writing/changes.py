"""What a request has changed, as values that its host reads before COMMIT."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..resource import Relationship, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageChange:
    """What has been added to a relationship and removed from it, as ids of its target."""

    relationship: Relationship
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a request has done to one resource, named by it.

    What follows from that for others is not told: the other ends of changed linkage, and what a
    foreign key does when a resource is deleted.

    :param before: the attributes by their names in documents, as values of the model: of an update
        those that have changed, of a deletion all, those that no document shows among them.
    :param after: the same attributes, as they are now; of a creation all.
    :param linkage: the relationships that have changed.
    :param entity: the resource as it is now, or as it was when it was deleted.
    """

    resource: Resource
    id: Any
    kind: Literal["create", "update", "delete"]
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    linkage: tuple[LinkageChange, ...] = ()
    entity: Any = field(default=None, compare=False, repr=False)

    def __bool__(self) -> bool:
        """Whether anything has changed at all."""
        return self.kind != "update" or bool(self.after or self.linkage)


def attributes_of(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Name the values of an entity as documents name them.

    :param values: by the model's attributes.
    """
    names = {name: resource.attribute(name) for name in resource.attributes}
    return {name: values[key] for name, key in names.items() if key in values}
