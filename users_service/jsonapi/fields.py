"""The fields of a schema: attributes and relationships, and who can read or write them."""

from collections.abc import Collection
from functools import cached_property
from typing import Any

from marshmallow.fields import Field
from marshmallow_jsonapi.fields import BaseRelationship

from .field_rules import with_rules


class Fields:
    """The fields of a schema, by their names in documents.

    :param schema: an instance of the marshmallow-jsonapi schema.
    """

    schema: Any

    @property
    def own(self) -> Collection[str]:
        """The names of the fields that users may change of what is their own."""
        return ()

    @cached_property
    def loader(self) -> Any:
        """The schema by which attributes are loaded: its errors say which rules are broken."""
        return with_rules(self.schema)

    @cached_property
    def _fields(self) -> dict[str, Field]:
        """The fields of the schema but the id, by their names in documents."""
        return {
            field.data_key or name: field
            for name, field in self.schema.fields.items()
            if name != "id"
        }

    @cached_property
    def attributes(self) -> dict[str, Field]:
        """The fields that are attributes, by their names in documents."""
        return {
            name: field
            for name, field in self._fields.items()
            if not isinstance(field, BaseRelationship)
        }

    @cached_property
    def relationship_fields(self) -> dict[str, Any]:
        """The fields that are relationships, by their names in documents."""
        fields = self._fields.items()
        return {name: field for name, field in fields if isinstance(field, BaseRelationship)}

    @cached_property
    def readable(self) -> dict[str, Field]:
        """The attributes that clients can read, by their names in documents."""
        return {
            name: field
            for name, field in self.attributes.items()
            if not (field.load_only or name in self.created)
        }

    @cached_property
    def created(self) -> dict[str, Field]:
        """The attributes that the answer to a creation shows and no other, by their names."""
        fields = self.attributes.items()
        return {name: field for name, field in fields if field.metadata.get("created")}

    @cached_property
    def writable(self) -> frozenset[str]:
        """The names of the attributes that clients can write, at least on creation."""
        return frozenset(name for name, field in self.attributes.items() if not field.dump_only)

    @cached_property
    def changeable(self) -> frozenset[str]:
        """The names of the attributes that clients can write at any time."""
        fields = self.attributes
        return frozenset(n for n in self.writable if not fields[n].metadata.get("create_only"))

    def attribute(self, name: str) -> str:
        """The model's attribute of a field, by the field's name in documents."""
        field = self.attributes[name]
        return field.attribute or field.name or name

    def load_id(self, text: str) -> Any:
        """Return an id of a document or a URL as a value of the model.

        :raises marshmallow.ValidationError: if the text cannot be an id of this type.
        """
        return self.schema.fields["id"].deserialize(text)
