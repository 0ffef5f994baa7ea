"""The scope of a request: every statement on the rows of a resource starts from a `Scope`.

SELECTs, counts, locks and existence checks all go through it. A condition that must hold for every
row, such as visibility to the caller, is therefore written in one place.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pyramid.request import Request
from sqlalchemy import ColumnElement, Connection, CursorResult, Row, Select, select

from ..resource import Relationship, Resource
from .conditions import ResourceTable, bind, everyone, extract_values, table_of, to_sql
from .proof import Prover
from .tree import And, node_count

# Each statement is built once per template, and executed with different values. The number is
# bounded because clients choose the filters, fields and orders.
STATEMENT_CACHE_SIZE = 512

# Statements with larger conditions are not cached: each node takes some KiB.
MAX_CACHED_NODES = 16

MakeStatement = Callable[..., Select[Any]]


def cached_statement(make: MakeStatement) -> MakeStatement:
    """Decorate a function that makes a statement from a `ScopeTemplate` and further arguments."""
    return lru_cache(maxsize=STATEMENT_CACHE_SIZE)(make)


@dataclass(frozen=True, slots=True)
class ScopeTemplate:
    """A scope without its values: the key by which its statements are cached.

    :param condition: a condition tree with placeholders for values.
    :param relationship: selects only the resources that the resource with the id `source` relates
        to; None selects from all.
    :param proof: the condition of a `Proof`, which all rows or none of them fulfil.
    """

    resource: Resource
    condition: Any = None
    relationship: Relationship | None = None
    proof: Callable[[], ColumnElement[bool]] | None = None

    @property
    def has_all_rows(self) -> bool:
        """Whether the scope is the whole table."""
        return self.condition is None and self.relationship is None

    def select(self, *columns: Any) -> Select[Any]:
        """Return a SELECT of these columns from the rows of the scope."""
        table = table_of(self.resource)
        selected = select(*columns).select_from(table.from_clause)
        if self.relationship is not None:
            selected = selected.where(_is_related(self.relationship, table))
        if self.condition is not None:
            selected = selected.where(to_sql(self.condition, table))
        if self.proof is not None:
            selected = selected.where(self.proof())
        return selected


class Scope:
    """The rows of one resource that a request may use: a template, its values, and a connection.

    :param prover: learns from rows that are read whether the caller is who it is taken for.
    """

    def __init__(
        self,
        connection: Connection,
        template: ScopeTemplate,
        values: Mapping[str, Any],
        prover: Prover,
    ) -> None:
        self.template = template
        self._connection = connection
        self._values = values
        self._prover = prover

    @property
    def resource(self) -> Resource:
        return self.template.resource

    def execute(
        self, make: MakeStatement, *arguments: Hashable, **values: Any
    ) -> CursorResult[Any]:
        """Execute the statement that a function makes from the scope's template.

        :param make: a function decorated with `cached_statement`.
        :param arguments: its arguments after the template.
        :param values: the statement's bind parameters, besides those of the scope.
        """
        return self._execute(self.template, make, arguments, {**values, **self._values})

    def rows(self, make: MakeStatement, *arguments: Hashable, **values: Any) -> Sequence[Row[Any]]:
        """Return the rows of a statement, as `execute` makes it. They prove the caller of a read.

        The statement selects rows of the resource, and counts none.
        """
        proof = self._prover.pending
        if proof is None:
            return self.execute(make, *arguments, **values).all()
        template = replace(self.template, proof=proof.condition)
        values |= self._values
        rows = self._execute(template, make, arguments, {**values, **proof.values}).all()
        if rows:
            self._prover.prove()
        return rows

    def row(self, make: MakeStatement, *arguments: Hashable, **values: Any) -> Row[Any] | None:
        """Return the only row of a statement, as `rows` does; None if there is none."""
        return next(iter(self.rows(make, *arguments, **values)), None)

    def _execute(
        self,
        template: ScopeTemplate,
        make: MakeStatement,
        arguments: Sequence[Hashable],
        values: Mapping[str, Any],
    ) -> CursorResult[Any]:
        condition = template.condition
        if condition is None or node_count(condition) <= MAX_CACHED_NODES:
            return self._connection.execute(make(template, *arguments), values)
        made = make.__wrapped__(template, *arguments)  # type: ignore[attr-defined]
        return self._connection.execute(made, values, execution_options={"compiled_cache": None})


class Scopes:
    """Makes the scopes of one request.

    The connection is opened for the first scope. The host's `visible` function is called at most
    once for each resource.

    :param request: has the `dbconnection`.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._visible: dict[Resource, Any] = {}

    @property
    def connection(self) -> Connection:
        connection: Connection = self._request.dbconnection
        return connection

    def of(self, resource: Resource, condition: Any = None) -> Scope:
        """The resources of a type that the caller can see.

        :param condition: the condition tree of a filter; None for all of them.
        """
        return self._scope(resource, condition, None, {})

    def related(self, relationship: Relationship, source: Any, condition: Any = None) -> Scope:
        """The related resources that the caller can see.

        :param source: the id of the resource that has the relationship.
        """
        return self._scope(relationship.target, condition, relationship, {"source": source})

    def all_rows(self, resource: Resource) -> Scope:
        """All rows of a resource, visible to the caller or not: for the integrity of the data."""
        return self._made(ScopeTemplate(resource), {})

    def all_related_rows(self, relationship: Relationship, source: Any) -> Scope:
        """All related resources, visible to the caller or not: for the integrity of the data."""
        template = ScopeTemplate(relationship.target, None, relationship)
        return self._made(template, {"source": source})

    def sees_all(self, resource: Resource) -> bool:
        """Whether the caller can see all resources of a type."""
        return self._visibility(resource) is None

    def _scope(
        self,
        resource: Resource,
        condition: Any,
        relationship: Relationship | None,
        values: dict[str, Any],
    ) -> Scope:
        filtered = extract_values(condition, values, self._visible_condition)
        visible = self._visible_condition(resource, values)
        conditions = tuple(part for part in (visible, filtered) if part is not None)
        whole = And(conditions) if len(conditions) > 1 else next(iter(conditions), None)
        return self._made(ScopeTemplate(resource, whole, relationship), values)

    def _made(self, template: ScopeTemplate, values: Mapping[str, Any]) -> Scope:
        return Scope(self.connection, template, values, self._request.jsonapi_prover)

    def _visible_condition(self, resource: Resource, values: dict[str, Any]) -> Any:
        """Return the visibility condition of a resource, and add its values to `values`."""
        return extract_values(self._visibility(resource), values, everyone)

    def _visibility(self, resource: Resource) -> Any:
        if resource.rules.visible is None:
            return None
        if resource not in self._visible:
            self._visible[resource] = resource.rules.visible(self._request)
        return self._visible[resource]


def _is_related(relationship: Relationship, table: ResourceTable) -> ColumnElement[bool]:
    """Return the condition that the resource with the id `source` relates to a row.

    :param table: that of the relationship's target.
    """
    source = bind("source", relationship.source.id_column)
    condition: ColumnElement[bool]
    if relationship.holds_key:
        owner = ResourceTable(relationship.source, relationship.source.table.alias())
        key = select(owner.column(relationship.key_column)).where(owner.id == source)
        condition = table.id == key.scalar_subquery()
    elif relationship.secondary is not None:
        source_key, target_key = relationship.secondary_columns
        condition = table.id.in_(select(target_key).where(source_key == source))
    else:
        condition = table.column(relationship.key_column) == source
    return condition
