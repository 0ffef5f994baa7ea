"""How a resource is shown to people, as far as the host says it: for the description."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Fields that belong together, in forms and where a resource is shown.

    :param fields: the names of attributes and relationships.
    """

    title: str
    fields: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """How a resource is shown, as `display` in the `Meta` of its schema.

    What is None is made of the names in the schema.

    :param one: the title of one resource, such as "User".
    :param many: the title of several, such as "Users".
    :param named_by: the attribute that tells people which resource it is, or `id`.
    :param search: the attributes that a search looks in, which are texts.
    :param columns: the attributes and to-one relationships that lists show.
    :param sort: the attribute that lists are sorted by at first, with `-` in descending order.
    :param sections: what belongs together; fields that are in none come after them.
    """

    one: str | None = None
    many: str | None = None
    named_by: str | None = None
    search: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    sort: str | None = None
    sections: Sequence[Section] = ()


def title_of(name: str) -> str:
    """The title of a field or a type that has none of its own: `is_active` is "Is active"."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
