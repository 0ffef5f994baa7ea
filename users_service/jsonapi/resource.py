"""Resources: how the fields of a schema map to the columns of a model."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Column, inspect

from .display import Display
from .fields import Fields
from .relationship import Relationship, all_relationships, opposites
from .rules import ACTIONS, NO_RULES, Rules

__all__ = [
    "SORTABLE",
    "Relationship",
    "Resource",
    "all_relationships",
    "opposites",
    "python_type",
]

# The Python types of columns that a cursor can contain, and that lists can be sorted by.
SORTABLE = {bool, date, datetime, Decimal, float, int, str, UUID}


@dataclass(frozen=True, eq=False)
class Resource(Fields):
    """One type of the API.

    :param model: the mapped class. Its `version_id_col` prevents lost updates, and is the part of
        entity tags that `If-Match` compares.
    :param schema: an instance of the marshmallow-jsonapi schema. It alone declares the type, the id
        and the fields, and which of them clients can read and write.
    :param resources: all resources of the API by type, in which relationships find their targets.
    :param rules: what the host says of it.
    :param methods: which of `rules.ACTIONS` there are.
    :param prepare: is called with a request and the `LoadedResource` of each resource object in it,
        before a connection is taken, and returns that, or another in its place.
    :param create: the host's view in place of `views.create_resource`. Atomic operations do not
        create such resources.
    """

    model: type[Any]
    schema: Any
    resources: Mapping[str, "Resource"]
    rules: Rules = NO_RULES
    methods: frozenset[str] = ACTIONS
    prepare: Callable[[Any, Any], Any] | None = None
    create: Callable[[Any], Any] | None = None

    @cached_property
    def type(self) -> str:
        return str(self.schema.opts.type_)

    @property
    def own(self) -> Collection[str]:
        return self.rules.own

    @cached_property
    def display(self) -> Display:
        """How it is shown, as far as the `Meta` of its schema says it."""
        display: Display = getattr(self.schema.Meta, "display", Display())
        return display

    @cached_property
    def relationships(self) -> dict[str, Relationship]:
        """The relationships, by their names in documents."""
        mapper = inspect(self.model)
        return {
            name: Relationship(
                name=name,
                source=self,
                target_type=field.type_,
                field=field,
                mapped=mapper.relationships[field.attribute or field.name or name],
            )
            for name, field in self.relationship_fields.items()
        }

    @cached_property
    def needed(self) -> list[Relationship]:
        """The relationships that a new resource needs, unless a view of the host creates it."""
        if self.create is not None:
            return []
        return [r for r in self.relationships.values() if r.holds_key and r.is_required]

    @cached_property
    def sortable(self) -> frozenset[str]:
        return frozenset(n for n in [*self.readable, "id"] if self.python_type(n) in SORTABLE)

    @cached_property
    def id_attribute(self) -> str:
        return self.schema.fields["id"].attribute or "id"

    @cached_property
    def version_attribute(self) -> str:
        mapper = inspect(self.model)
        return str(mapper.get_property_by_column(mapper.version_id_col).key)

    @cached_property
    def table(self) -> Any:
        return inspect(self.model).local_table

    @cached_property
    def columns(self) -> dict[str, Column[Any]]:
        """The columns of the table, by attribute of the model."""
        first = {mapped.key: mapped.columns[0] for mapped in inspect(self.model).column_attrs}
        # The others are SQL expressions (column_property).
        return {key: column for key, column in first.items() if isinstance(column, Column)}

    @property
    def id_column(self) -> Column[Any]:
        return self.columns[self.id_attribute]

    @property
    def version_column(self) -> Column[Any]:
        return self.columns[self.version_attribute]

    def column(self, name: str) -> Column[Any]:
        """The column of a field, by the field's name in documents."""
        return self.columns[self._attribute(name)]

    def _attribute(self, name: str) -> str:
        return self.id_attribute if name == "id" else self.attribute(name)

    def python_type(self, name: str) -> Any:
        """The Python type of a field's column."""
        return python_type(self.column(name))

    @cached_property
    def loaded(self) -> dict[str, Column[Any]]:
        """The columns that entities are loaded with: computed ones are only written."""
        return {key: c for key, c in self.columns.items() if "compute" not in c.info}

    def computed(self, name: str, operator: str) -> Column[Any] | None:
        """The column that a filter's operator compares instead of the field's, if there is one.

        `Column.info` declares it, with the function that computes its values and the filter's:
        `{"attribute": "email", "compute": email_key, "operator": "eq"}`.
        """
        wanted = {"attribute": self._attribute(name), "operator": operator}.items()
        return next((c for c in self.columns.values() if wanted <= c.info.items()), None)

    @cached_property
    def write_id(self) -> Callable[[Any], Any]:
        """Converts an id to a value that `responses.dumps` writes as a string."""
        return _same if self.python_type("id") is UUID else str

    def id_of(self, row: Any) -> Any:
        return getattr(row, self.id_attribute)

    def version_of(self, row: Any) -> int:
        version: int = getattr(row, self.version_attribute)
        return version


def _same(id: UUID) -> UUID:
    return id


def python_type(column: Column[Any]) -> Any:
    """The Python type of a column's values; `object` if SQLAlchemy does not know it."""
    try:
        # A TypeDecorator does not know its Python type, but the decorated type does.
        return getattr(column.type, "impl_instance", column.type).python_type
    except NotImplementedError:
        return object
