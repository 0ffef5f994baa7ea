"""The changes that a request asks for and makes, as values that the host reads before COMMIT."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import Place, at
from ..resource import Relationship, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageChange:
    """The ids of the target that a change has added to a relationship, and removed from it."""

    relationship: Relationship
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one resource that a request names: one that has been made, or is asked for.

    The host checks each change that is asked for, when the rows are locked and nothing is stored:
    see `Rules.check`. What the database adds is not known then: defaults, the id of a new resource
    if the server makes it, and the new version. The same change, when it has been made, is given to
    the change handlers if there is anything in it.

    Its effects on other resources are not reported: the other ends of changed linkage, and rows
    that the database deletes or changes by a foreign key.

    :param id: the id of the resource, as a value of the model; None if it is not known yet, also in
        linkage of the resource to itself.
    :param before: attributes by their names in documents, with values of the model: of an update
        the changed ones, of a deletion all, including write-only ones.
    :param after: attributes as they are now: of an update the changed ones, of a creation all that
        are known. Values that are not stored are attributes of the entity alone.
    :param linkage: the relationships that have changed.
    :param entity: the entity as it is now, or as it was when it was deleted. It has not the new
        version if linkage alone has changed.
    :param stored: the values of the resource's columns before the change, by attribute of the
        model, also of those that no document shows; none of a creation.
    :param sent: the names in documents of the fields that the request names, changed or not.
    :param place: the place of the resource object in the request document, or of the linkage if the
        request names a relationship alone. A deletion has that of its operation, or none.
    :param names_relationship: whether the request names a relationship alone.
    """

    resource: Resource
    id: Any
    kind: Literal["create", "update", "delete"]
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    linkage: tuple[LinkageChange, ...] = ()
    entity: Any = field(default=None, compare=False, repr=False)
    stored: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    sent: frozenset[str] = frozenset()
    place: Place = ()
    names_relationship: bool = False

    def __bool__(self) -> bool:
        """Whether anything has changed at all, columns that no document shows included."""
        if self.kind != "update" or self.after or self.linkage:
            return True
        return any(getattr(self.entity, name) != value for name, value in self.stored.items())

    def source_of(self, name: str) -> dict[str, str] | None:
        """The source of an error of a field, by its name in documents.

        It is the field in the request document, or what would have it if the request does not name
        the field; None if the request has no document.
        """
        if not self.place:
            return None
        if self.names_relationship or name not in self.sent:
            return at(*self.place)
        is_attribute = name in self.resource.attributes
        return at(*self.place, "attributes" if is_attribute else "relationships", name)


def attributes_of(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes by their names in documents.

    :param values: their values, by attribute of the model.
    """
    names = {name: resource.attribute(name) for name in resource.attributes}
    return {name: values[key] for name, key in names.items() if key in values}
