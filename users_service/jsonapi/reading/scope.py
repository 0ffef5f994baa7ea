"""The one door to rows: every SELECT, count, lock and check of a resource starts from a Scope.

What must hold of every row that a request has to do with, such as what its caller may see, is
written here once.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pyramid.request import Request
from sqlalchemy import ColumnElement, Connection, CursorResult, Select, select

from ..resource import Relationship, Resource
from .conditions import RowSource, bind, source_of, take_values, to_sql
from .tree import And, Visible, node_count

# How many statements are kept. They are made once for all requests of one form, and get their
# values when they are carried out; clients choose the forms.
STATEMENT_CACHE_SIZE = 512

# The most nodes of a condition of whose form statements are kept: a node takes some KiB of each.
LARGEST_KEPT = 16

Statement = Callable[..., Select[Any]]


def statement(make: Statement) -> Statement:
    """Keep what a function makes of a form, and of what else it is called with."""
    return lru_cache(maxsize=STATEMENT_CACHE_SIZE)(make)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """Which resources of a type a caller sees, as the host says for a request.

    :param condition: makes an SQL condition of the table's columns, which are attributes with the
        model's names: `lambda article: article.author_id == bindparam("caller_id")`. It is one
        function for all requests, since statements are kept by it. In a subquery it takes an alias
        of the table that it is about.
    :param values: the values of its parameters. Their names begin with `caller`.
    """

    condition: Callable[[Any], ColumnElement[bool]]
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if wrong := [name for name in self.values if not name.startswith("caller")]:
            raise ValueError(f"A parameter of a visibility begins with caller: {wrong[0]!r}.")


@dataclass(frozen=True, slots=True)
class Form:
    """What scopes that differ in their values alone have in common.

    :param condition: a tree of conditions, with parameters for values.
    :param relationship: whose resources they are, of the one with the id `source`.
    """

    resource: Resource
    condition: Any = None
    relationship: Relationship | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all rows of the table are in it."""
        return self.condition is None and self.relationship is None

    def select(self, *columns: Any) -> Select[Any]:
        """Select columns of the rows that are in scope."""
        rows = source_of(self.resource)
        found = select(*columns).select_from(rows.table)
        if self.relationship is not None:
            found = found.where(_is_related(self.relationship, rows))
        if self.condition is not None:
            found = found.where(to_sql(self.condition, rows))
        return found


class Scope:
    """The rows that a request may have to do with, of one resource."""

    def __init__(self, connection: Connection, form: Form, values: Mapping[str, Any]) -> None:
        self.form = form
        self._connection = connection
        self._values = values

    @property
    def resource(self) -> Resource:
        return self.form.resource

    def execute(self, make: Statement, *more: Hashable, **values: Any) -> CursorResult[Any]:
        """Carry out the statement that a function makes of the form.

        :param make: decorated with `statement`.
        :param more: what else it is made of.
        :param values: those of its parameters.
        """
        values |= self._values
        if self.form.condition is None or node_count(self.form.condition) <= LARGEST_KEPT:
            return self._connection.execute(make(self.form, *more), values)
        made = make.__wrapped__(self.form, *more)  # type: ignore[attr-defined]
        return self._connection.execute(made, values, execution_options={"compiled_cache": None})


class Scopes:
    """The scopes of one request.

    :param request: its `dbconnection` is taken with the first scope, and the host is asked what
        its caller sees of a resource when that is first needed.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._visible: dict[Resource, Visibility | None] = {}

    @property
    def connection(self) -> Connection:
        connection: Connection = self._request.dbconnection
        return connection

    def of(self, resource: Resource, condition: Any = None) -> Scope:
        """What the caller sees of a resource.

        :param condition: the tree of a filter, if there is one.
        """
        return self._scope(resource, condition, None, {})

    def related(self, relationship: Relationship, source: Any, condition: Any = None) -> Scope:
        """What the caller sees of the resources that one relates to.

        :param source: the id of the resource that has the relationship.
        """
        return self._scope(relationship.target, condition, relationship, {"source": source})

    def every(self, resource: Resource) -> Scope:
        """All rows of a resource, for what has to be done whether the caller sees them or not."""
        return Scope(self.connection, Form(resource), {})

    def every_related(self, relationship: Relationship, source: Any) -> Scope:
        """All rows that a resource relates to: see `every`."""
        form = Form(relationship.target, None, relationship)
        return Scope(self.connection, form, {"source": source})

    def sees_all(self, resource: Resource) -> bool:
        return self._visibility(resource) is None

    def _scope(
        self,
        resource: Resource,
        condition: Any,
        relationship: Relationship | None,
        values: dict[str, Any],
    ) -> Scope:
        taken = take_values(condition, values, self._node)
        visible = self._node(resource, values)
        conditions = tuple(each for each in (visible, taken) if each is not None)
        whole = And(conditions) if len(conditions) > 1 else next(iter(conditions), None)
        return Scope(self.connection, Form(resource, whole, relationship), values)

    def _node(self, resource: Resource, values: dict[str, Any]) -> Visible | None:
        """The condition that the caller sees a resource, and its values among the others."""
        visibility = self._visibility(resource)
        if visibility is None:
            return None
        values.update(visibility.values)
        return Visible(visibility.condition)

    def _visibility(self, resource: Resource) -> Visibility | None:
        if resource.visible is None:
            return None
        if resource not in self._visible:
            self._visible[resource] = resource.visible(self._request)
        return self._visible[resource]


def _is_related(relationship: Relationship, rows: RowSource) -> ColumnElement[bool]:
    """Hold for the resources at the other end of the relationship of the one with id `source`."""
    source = bind("source", relationship.source.id_column)
    condition: ColumnElement[bool]
    if relationship.holds_key:
        owner = RowSource(relationship.source, relationship.source.table.alias())
        key = select(owner.of(relationship.key_column)).where(owner.id == source)
        condition = rows.id == key.scalar_subquery()
    elif relationship.secondary is not None:
        mine, other = relationship.secondary_columns
        condition = rows.id.in_(select(other).where(mine == source))
    else:
        condition = rows.of(relationship.key_column) == source
    return condition
