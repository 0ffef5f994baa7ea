"""The SELECT statements for single and related resources, and the start of transactions."""

from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Select, select

from ..resource import Relationship
from .conditions import bind
from .projection import Projection
from .scope import ScopeTemplate, cached_statement


def begin_snapshot(connection: Connection) -> None:
    """Let all following statements of a request see the same state of the database.

    Earlier reads are not part of the snapshot: a transaction that is open is rolled back first.
    Does nothing if the snapshot has begun, or if the connection is one for changes.

    :param connection: the connection of the request. Its execution option `snapshot` holds the
        execution options that begin a snapshot.
    """
    _begin(connection, "snapshot")


def begin_changes(connection: Connection) -> None:
    """Let all following statements of a request read and change the database in one transaction.

    Earlier reads are not part of it: a transaction that is open is rolled back first. Does nothing
    if the changes have begun.

    :param connection: the connection of the request. Its execution option `changes` holds the
        execution options with which a transaction takes the locks that it needs at its start.
    """
    _begin(connection, "changes")


def _begin(connection: Connection, name: str) -> None:
    options = connection.get_execution_options().get(name)
    if not options:  # the engine needs none, or the transaction has begun
        return
    if connection.in_transaction():
        connection.rollback()
    # Whichever begins first holds for the rest of the request.
    connection.execution_options(snapshot=None, changes=None, **options)


@cached_statement
def select_one(template: ScopeTemplate, projection: Projection) -> Select[Any]:
    """Select the resource with the id `id`."""
    column = template.resource.id_column
    return template.select(*projection.columns()).where(column == bind("id", column))


@cached_statement
def select_version(template: ScopeTemplate) -> Select[Any]:
    """Select the version of the resource with the id `id`."""
    column = template.resource.id_column
    return template.select(template.resource.version_column).where(column == bind("id", column))


@cached_statement
def select_by_ids(template: ScopeTemplate, projection: Projection) -> Select[Any]:
    """Select the resources whose ids are in `ids`."""
    column = template.resource.id_column
    ids = bind("ids", column, expanding=True)
    return template.select(*projection.columns()).where(column.in_(ids))


@cached_statement
def select_target(template: ScopeTemplate, projection: Projection) -> Select[Any]:
    """Select the related resource of a to-one relationship."""
    return template.select(*projection.columns())


@cached_statement
def select_related_to_many(
    template: ScopeTemplate, projection: Projection, relationship: Relationship
) -> Select[Any]:
    """Select the related resources of all sources whose ids are in `ids`: at most `size` rows.

    The last column is the id of the source. The rows have no order: for ORDER BY with LIMIT,
    PostgreSQL would read all targets by their index.
    """
    statement = template.select(*projection.columns())
    if relationship.secondary is not None:
        source_key, target_key = relationship.secondary_columns
        statement = statement.join(
            relationship.secondary, target_key == template.resource.id_column
        )
    else:
        source_key = relationship.key_column
    statement = statement.add_columns(source_key.label("_source_id"))
    statement = statement.where(source_key.in_(bind("ids", source_key, expanding=True)))
    return statement.limit(bind("size", BigInteger()))


@cached_statement
def lock_one(template: ScopeTemplate) -> Select[Any]:
    """Select what an entity is loaded with of the resource with the id `id`, and lock its row."""
    return _entity(template).with_for_update()


@cached_statement
def select_entity(template: ScopeTemplate) -> Select[Any]:
    """Select what an entity is loaded with of the resource with the id `id`."""
    return _entity(template)


def _entity(template: ScopeTemplate) -> Select[Any]:
    column = template.resource.id_column
    statement = template.select(*template.resource.loaded.values())
    return statement.where(column == bind("id", column))


@cached_statement
def lock_by_ids(template: ScopeTemplate) -> Select[Any]:
    """Select those of `ids` that there are resources of, and lock their rows in this order."""
    column = template.resource.id_column
    statement = template.select(column).where(column.in_(bind("ids", column, expanding=True)))
    return statement.order_by(column).with_for_update()


@cached_statement
def lock_related(template: ScopeTemplate) -> Select[Any]:
    """Lock the rows of the related resources in the order of their ids, which are selected."""
    column = template.resource.id_column
    return template.select(column).order_by(column).with_for_update(of=template.resource.table)


@cached_statement
def select_related_ids(template: ScopeTemplate) -> Select[Any]:
    """Select the ids of the related resources."""
    statement, _ = _related_ids(template)
    return statement


@cached_statement
def select_two_related_ids(template: ScopeTemplate) -> Select[Any]:
    """Select the ids of at most two related resources."""
    statement, _ = _related_ids(template)
    return statement.limit(2)


@cached_statement
def select_related_ids_in(template: ScopeTemplate) -> Select[Any]:
    """Select the ids of the related resources that are in `ids`."""
    statement, column = _related_ids(template)
    return statement.where(column.in_(bind("ids", column, expanding=True)))


def _related_ids(template: ScopeTemplate) -> tuple[Select[Any], Column[Any]]:
    relationship = template.relationship
    assert relationship is not None  # noqa: S101  # the scope is that of a relationship
    if template.condition is None and relationship.secondary is not None:
        source_key, target_key = relationship.secondary_columns  # the association table is enough
        return select(target_key).where(source_key == bind("source", source_key)), target_key
    column = template.resource.id_column
    return template.select(column), column


@cached_statement
def select_source_ids(template: ScopeTemplate, relationship: Relationship) -> Select[Any]:
    """Select the ids of the sources that the targets in `ids` refer to by their foreign key."""
    key, column = relationship.key_column, template.resource.id_column
    statement = template.select(key).where(column.in_(bind("ids", column, expanding=True)))
    return statement.where(key.is_not(None)).distinct()
