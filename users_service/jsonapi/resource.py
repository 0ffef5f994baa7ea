"""A resource: a table and a schema under one type, and how its fields map to columns."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from marshmallow.fields import Field
from sqlalchemy.orm import InstrumentedAttribute

# The types of columns that a cursor can carry; resources are sorted by no others.
SORTABLE = {bool, datetime, float, int, str, UUID}


@dataclass(frozen=True)
class Resource:
    """One type of the API.

    :param model: the mapped class that stores it.
    :param schema: an instance of its marshmallow-jsonapi schema: the one declaration of its type,
        its id and its fields, with what may be read and written.
    """

    model: type[Any]
    schema: Any

    @cached_property
    def type(self) -> str:
        return str(self.schema.opts.type_)

    @cached_property
    def attributes(self) -> dict[str, Field]:
        """The fields that are attributes, by their names in documents."""
        return {
            field.data_key or name: field
            for name, field in self.schema.fields.items()
            if name != "id"
        }

    @cached_property
    def readable(self) -> dict[str, Field]:
        return {name: field for name, field in self.attributes.items() if not field.load_only}

    @cached_property
    def writable(self) -> frozenset[str]:
        return frozenset(name for name, field in self.attributes.items() if not field.dump_only)

    @cached_property
    def sortable(self) -> frozenset[str]:
        names = [*self.readable, "id"]
        return frozenset(name for name in names if self.python_type(name) in SORTABLE)

    @cached_property
    def id_attribute(self) -> str:
        return self.schema.fields["id"].attribute or "id"

    def column(self, name: str) -> InstrumentedAttribute[Any]:
        """The mapped attribute behind a field, by the field's name in documents."""
        attribute = self.id_attribute if name == "id" else self.attribute(name)
        column: InstrumentedAttribute[Any] = getattr(self.model, attribute)
        return column

    def python_type(self, name: str) -> Any:
        """The type of a field's values in Python."""
        column_type = self.column(name).type
        # A TypeDecorator does not say, but the type that it decorates does.
        return getattr(column_type, "impl_instance", column_type).python_type

    def attribute(self, name: str) -> str:
        field = self.attributes[name]
        return field.attribute or field.name or name

    def load_id(self, text: str) -> Any:
        """Return the id that a document or a URL spells.

        :raises marshmallow.ValidationError: if it cannot be an id of this type, or, for an id that
            clients may not choose, if a document holds one.
        """
        return self.schema.fields["id"].deserialize(text)

    def dump_id(self, row: Any) -> str:
        return str(getattr(row, self.id_attribute))
