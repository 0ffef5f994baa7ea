"""The changes that a request has made, as values that the host reads before COMMIT."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..resource import Relationship, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageChange:
    """The ids of the target that a change has added to a relationship, and removed from it."""

    relationship: Relationship
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one resource that a request names.

    Its effects on other resources are not reported: the other ends of changed linkage, and rows
    that the database deletes or changes by a foreign key.

    :param id: the id of the resource, as a value of the model.
    :param before: attributes by their names in documents, with values of the model: of an update
        the changed ones, of a deletion all, including write-only ones.
    :param after: attributes as they are now: of an update the changed ones, of a creation all.
    :param linkage: the relationships that have changed.
    :param entity: the entity as it is now, or as it was when it was deleted.
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
    """Return attributes by their names in documents.

    :param values: their values, by attribute of the model.
    """
    names = {name: resource.attribute(name) for name in resource.attributes}
    return {name: values[key] for name, key in names.items() if key in values}
