"""What the description says for people: how resources are shown, and of their relationships."""

from typing import Any

from sqlalchemy import ForeignKey

from ..display import title_of
from ..reading import operators_of
from ..resource import Relationship, Resource
from .components import Json, facts_of

# How many attributes a list shows, if the host does not say which.
USUAL_COLUMNS = 5

# What happens to a row when the one that its foreign key leads to is deleted.
ON_DELETE = {
    "NO ACTION": "restrict",
    "RESTRICT": "restrict",
    "CASCADE": "cascade",
    "SET NULL": "set_null",
}


def display_object(resource: Resource) -> Json:
    """How a resource is shown: what the host says, or else what its fields suggest."""
    said = resource.display
    many = said.many or title_of(resource.type)
    named_by = said.named_by or _name(resource)
    texts = [named_by] if named_by != "id" and _is_searched(resource, named_by) else []
    columns = list(dict.fromkeys([named_by, *resource.readable]))[:USUAL_COLUMNS]
    return {
        "one": said.one or _singular(many),
        "many": many,
        "named_by": named_by,
        "search": texts if said.search is None else list(said.search),
        "columns": columns if said.columns is None else list(said.columns),
        "sort": said.sort or (named_by if named_by in resource.sortable else "id"),
        "sections": [{"title": s.title, "fields": list(s.fields)} for s in said.sections],
    }


def _name(resource: Resource) -> str:
    """The attribute that tells people which resource it is: the first text that it must have."""
    for name, field in resource.readable.items():
        if field.required and resource.python_type(name) is str:
            return name
    return "id"


def _is_searched(resource: Resource, name: str) -> bool:
    return "contains" in operators_of(resource, name)


def _singular(many: str) -> str:
    return f"{many[:-3]}y" if many.endswith("ies") else many.removesuffix("s")


def relationship_facts(relationship: Relationship) -> Json:
    """What there is to say of a relationship, besides its linkage."""
    field = relationship.field
    found = facts_of(relationship.source, relationship.name, field)
    if not relationship.is_writable:
        found["readOnly"] = True
    if relationship.is_shown_by_target:
        found["x-inverse"] = relationship.inverse.name
    if (deletion := _on_delete(relationship)) is not None:
        found["x-on-delete"] = deletion
    if field.metadata.get("large"):
        found["x-large"] = True
    return found


def _on_delete(relationship: Relationship) -> str | None:
    """What happens to the resources that hold the foreign key of a relationship, when the one that
    it leads to is deleted.

    These are the resource itself if the relationship is to-one, and the related ones if it is
    to-many. Rows of association tables go with either end, which says nothing of the other.
    """
    if relationship.secondary is not None or relationship.many is relationship.holds_key:
        return None
    target = relationship.target if relationship.holds_key else relationship.source
    key: Any = next(k for k in relationship.key_column.foreign_keys if _leads_to(k, target))
    return ON_DELETE.get((key.ondelete or "NO ACTION").upper())


def _leads_to(key: ForeignKey, target: Resource) -> bool:
    return key.references(target.table)
