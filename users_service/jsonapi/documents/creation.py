"""What the answer to a creation shows of a resource, and no other document."""

from typing import Any

from ..resource import Resource


def add_created(resource: Resource, entity: Any, item: dict[str, Any]) -> None:
    """Add the attributes that are shown after creation alone, if the entity has values of them.

    Sparse fieldsets do not know them, and so cannot leave them out.

    :param entity: the new entity; these values are attributes of it that are not stored.
    :param item: its resource object.
    """
    for name, field in resource.created.items():
        attribute = resource.attribute(name)
        if getattr(entity, attribute) is not None:
            item.setdefault("attributes", {})[name] = field.serialize(attribute, entity)
