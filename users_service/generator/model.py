"""What a description says, as values: a resource, its fields and its relationships."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

# The types of fields whose columns are texts.
TEXTS = frozenset({"line", "text", "email", "url", "choice"})
# Those that have a folded column, for searching without regard to case.
SEARCHED = frozenset({"line", "text", "email", "url"})
# Those that may be long, and are never sorted by an index.
LONG = frozenset({"text", "url"})
# Those that have an index for sorting, unless they are unique or say that they have none.
INDEXED = frozenset(
    {"line", "email", "boolean", "integer", "decimal", "date", "timestamp", "choice"}
)
# The characters of a text where `max` does not say them.
LENGTHS = {"line": 250, "text": 10_000, "email": 254, "url": 2000}


class DescriptionError(Exception):
    """The faults of descriptions, one in each line, with the file and the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An attribute, as the description has it.

    :param type: one of the field types (contract §9).
    :param max: characters of a text, or the largest number; elements of a list.
    :param min: the least number.
    :param digits: of a decimal, all of them; `scale` of these stand behind the point.
    :param required: whether there is always a value. Clients send it, if there is no default.
    :param unique: "" for no; `exact` or `ignore_case`.
    :param of: the values of a choice with their titles.
    :param default: the value of a new resource, as JSON has it; None for none.
    :param backfill: the value of rows that are there, where the field is new and required.
    :param was: its former name.
    :param indexed: whether lists are sorted by it with an index.
    """

    name: str
    type: str
    max: int | str | None = None
    min: int | str | None = None
    digits: int = 0
    scale: int = 0
    required: bool = False
    unique: str = ""
    of: Mapping[str, str] = field(default_factory=dict)
    default: Any = None
    backfill: Any = None
    was: str = ""
    indexed: bool = True
    title: str = ""
    description: str = ""

    @property
    def length(self) -> int:
        """Characters of the column of a text, at most."""
        if self.type == "choice":
            return max(map(len, self.of))
        return int(self.max or LENGTHS[self.type])

    @property
    def is_nullable(self) -> bool:
        return not self.required and self.default is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A relationship, as the description has it.

    :param target: the type of the related resources.
    :param many: whether it is to-many, over an association table; else over a foreign key.
    :param inverse: the relationship back; empty if clients do not see one.
    :param on_delete: what the deletion of a related resource does: `restrict`, `set_null` or
        `cascade`. Of a to-many relationship, its links are always deleted.
    :param was: its former name.
    :param permission: what it takes to change it, if that is not the right to update both ends.
    """

    name: str
    target: str
    many: bool = False
    inverse: str = ""
    on_delete: str = "set_null"
    required: bool = False
    was: str = ""
    permission: str = ""
    title: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Description:
    """A resource, or what is added to one.

    :param type: the type of the resource.
    :param extends: whether the resource is there without this description.
    :param was: its former type.
    :param one: the title of one resource; `many` of several.
    :param owner: the relationship to the user whose own it is; empty for none.
    :param columns: those that lists show, `search` what is searched, `sort` the order at first.
    :param source: the document that was read, for `resources/.applied/`.
    """

    type: str
    extends: bool = False
    was: str = ""
    one: str = ""
    many: str = ""
    named_by: str = ""
    owner: str = ""
    fields: tuple[Field, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    columns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    sort: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def class_name(self) -> str:
        """The name of the model: its title in PascalCase."""
        words = self.one.replace("-", " ").replace("_", " ").split()
        return "".join(word[:1].upper() + word[1:] for word in words)

    @cached_property
    def module(self) -> str:
        """The name of the modules of its model and schema, of its table and its test."""
        return self.type.replace("-", "_")

    @cached_property
    def factory(self) -> str:
        """The name of the function that makes its documents for tests."""
        return re.sub(r"[^a-z0-9]+", "_", self.one.lower()).strip("_")
