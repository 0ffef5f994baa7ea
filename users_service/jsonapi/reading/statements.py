"""The statements that read single resources and related ones, made of the forms of scopes."""

from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Select, select

from ..resource import Relationship
from .conditions import bind
from .projection import Projection
from .scope import Form, statement


def begin_snapshot(connection: Connection) -> None:
    """Let the statements that follow see one state of the database.

    What has been read over the connection before is not part of it: a transaction in which that
    was is ended. Where a snapshot has begun already, or the connection is for changes and sees what
    it has locked, nothing is done.

    :param connection: that of a request; its execution option `snapshot` has the options with
        which several of its statements see one state.
    """
    _begin(connection, "snapshot")


def begin_changes(connection: Connection) -> None:
    """Let the statements that follow change what they read.

    As with `begin_snapshot`, what has been read before is no part of that.

    :param connection: that of a request; its execution option `changes` has the options with which
        it takes the locks that a change needs from its start.
    """
    _begin(connection, "changes")


def _begin(connection: Connection, name: str) -> None:
    options = connection.get_execution_options().get(name)
    if not options:  # there is nothing to do, or it has been done
        return
    if connection.in_transaction():
        connection.rollback()
    connection.execution_options(**{name: None}, **options)


@statement
def select_one(form: Form, projection: Projection) -> Select[Any]:
    """Select the resource with the `id`."""
    column = form.resource.id_column
    return form.select(*projection.columns()).where(column == bind("id", column))


@statement
def select_version(form: Form) -> Select[Any]:
    """Select the version of the resource with the `id`."""
    column = form.resource.id_column
    return form.select(form.resource.version_column).where(column == bind("id", column))


@statement
def select_by_ids(form: Form, projection: Projection) -> Select[Any]:
    """Select the resources with the `ids`."""
    column = form.resource.id_column
    ids = bind("ids", column, expanding=True)
    return form.select(*projection.columns()).where(column.in_(ids))


@statement
def select_target(form: Form, projection: Projection) -> Select[Any]:
    """Select what a to-one relationship leads to."""
    return form.select(*projection.columns())


@statement
def select_related_of_many(
    form: Form, projection: Projection, relationship: Relationship
) -> Select[Any]:
    """Select what the resources with the `ids` relate to: at most `size` rows, in no order, each
    with the id of the one that it belongs to as its last value.

    For an order of at most so many rows, PostgreSQL would go through all targets by their index.
    """
    found = form.select(*projection.columns())
    if relationship.secondary is not None:
        owner, other = relationship.secondary_columns
        found = found.join(relationship.secondary, other == form.resource.id_column)
    else:
        owner = relationship.key_column
    found = found.add_columns(owner.label("_owner"))
    found = found.where(owner.in_(bind("ids", owner, expanding=True)))
    return found.limit(bind("size", BigInteger()))


@statement
def lock_one(form: Form) -> Select[Any]:
    """Select all columns of the resource with the `id`, and lock it."""
    return _all_columns_of_one(form).with_for_update()


@statement
def select_all_columns_of_one(form: Form) -> Select[Any]:
    """Select all columns of the resource with the `id`."""
    return _all_columns_of_one(form)


def _all_columns_of_one(form: Form) -> Select[Any]:
    column = form.resource.id_column
    found = form.select(*form.resource.columns.values())
    return found.where(column == bind("id", column))


@statement
def lock_by_ids(form: Form) -> Select[Any]:
    """Select the ids of the resources with the `ids`, and lock these in the order of their ids."""
    column = form.resource.id_column
    found = form.select(column).where(column.in_(bind("ids", column, expanding=True)))
    return found.order_by(column).with_for_update()


@statement
def select_related_ids(form: Form) -> Select[Any]:
    """Select the ids of what a resource relates to."""
    found, _ = _related_ids(form)
    return found


@statement
def select_related_ids_among(form: Form) -> Select[Any]:
    """Select the ids of what a resource relates to, of those that are among the `ids`."""
    found, column = _related_ids(form)
    return found.where(column.in_(bind("ids", column, expanding=True)))


def _related_ids(form: Form) -> tuple[Select[Any], Column[Any]]:
    relationship = form.relationship
    assert relationship is not None  # noqa: S101  # it is what this is about
    if form.condition is None and relationship.secondary is not None:
        source, other = relationship.secondary_columns  # whose table is enough
        return select(other).where(source == bind("source", source)), other
    column = form.resource.id_column
    return form.select(column), column


@statement
def select_owners(form: Form, relationship: Relationship) -> Select[Any]:
    """Select the ids of the resources that those with the `ids` belong to by a relationship."""
    key, column = relationship.key_column, form.resource.id_column
    found = form.select(key).where(column.in_(bind("ids", column, expanding=True)))
    return found.where(key.is_not(None)).distinct()
