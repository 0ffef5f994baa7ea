"""Loads, inserts, updates and deletes single entities by statements, without a session.

The model's constructor, its validators (`@validates`), and the defaults and `onupdate` of its
columns run. Its mapper events do not: they belong to a session's unit of work, which would take
more time than the rest of a short request.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Delete, Update, bindparam, delete, insert, inspect, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from ..reading import Scope, Scopes, statements
from ..resource import Resource

# Bind parameters of a WHERE clause. Those for new values are named after their columns.
WHERE_ID, WHERE_VERSION = "_id", "_version"


def lock(scope: Scope, id: Any) -> Any:
    """Load an entity by id, and lock its row until the transaction ends.

    :returns: None if the scope has no such row.
    """
    row = scope.execute(statements.lock_one, id=id).one_or_none()
    return None if row is None else _entity(scope.resource, row)


def store_new(scopes: Scopes, resource: Resource, entity: Any) -> None:
    """Insert an entity, and load the values that defaults have set.

    :raises sqlalchemy.exc.IntegrityError: if it violates a constraint.
    """
    given = values_of(resource, entity)
    parameters = {resource.columns[name].key: value for name, value in given.items()}
    _load(resource, entity, scopes.connection.execute(_insert(resource), parameters).one())


def store_changes(
    scopes: Scopes, resource: Resource, entity: Any, before: Mapping[str, Any]
) -> None:
    """Update the changed columns of a locked entity, and increment its version (§7.2).

    Sends no statement if no value has changed.

    :param before: the result of `values_of` before the change.
    :raises sqlalchemy.exc.IntegrityError: if it violates a constraint.
    :raises StaleDataError: if the row has been changed or deleted in spite of the lock.
    """
    now = values_of(resource, entity)
    changed = {}
    for name, value in now.items():
        if name not in resource.loaded or value is before[name]:
            continue
        if resource.columns[name].type.compare_values(before[name], value):
            # What is equal may still look different, such as an object in another order.
            set_committed_value(entity, name, before[name])
        else:
            changed[name] = value
    if not changed:
        return
    for name in now.keys() - resource.loaded.keys():
        if resource.columns[name].info["attribute"] in changed:
            changed[name] = now[name]
    id, version = resource.id_of(entity), resource.version_of(entity)
    parameters = {
        WHERE_ID: id,
        WHERE_VERSION: version,
        resource.version_column.key: version + 1,
        **{resource.columns[name].key: value for name, value in changed.items()},
    }
    connection = scopes.connection
    if connection.dialect.update_returning:
        row = connection.execute(_update_returning(resource), parameters).one_or_none()
        if row is None:
            raise StaleDataError
        _load(resource, entity, row)
        return
    if connection.execute(_update(resource), parameters).rowcount != 1:
        raise StaleDataError
    reload(scopes, resource, entity)


def remove(scopes: Scopes, resource: Resource, entity: Any) -> None:
    """Delete a locked entity.

    :raises sqlalchemy.exc.IntegrityError: if other rows refer to it.
    :raises StaleDataError: if the row has been changed or deleted in spite of the lock.
    """
    parameters = {WHERE_ID: resource.id_of(entity), WHERE_VERSION: resource.version_of(entity)}
    if scopes.connection.execute(_delete(resource), parameters).rowcount != 1:
        raise StaleDataError


def reload(scopes: Scopes, resource: Resource, entity: Any) -> None:
    """Load the values of an entity's row again, after other statements have changed them.

    The row need not be visible: the caller that has just changed it gets it in the response.
    """
    statement = statements.select_entity
    row = scopes.all_rows(resource).execute(statement, id=resource.id_of(entity)).one()
    _load(resource, entity, row)


def values_of(resource: Resource, entity: Any) -> dict[str, Any]:
    """The values that an entity has, by attribute. A new one lacks those that defaults will set."""
    return {name: value for name, value in vars(entity).items() if name in resource.columns}


def _entity(resource: Resource, row: Sequence[Any]) -> Any:
    # The ORM loads an entity in the same way, without its constructor, which is for new ones.
    entity = inspect(resource.model).class_manager.new_instance()
    _load(resource, entity, row)
    return entity


def _load(resource: Resource, entity: Any, row: Sequence[Any]) -> None:
    for name, value in zip(resource.loaded, row, strict=True):
        set_committed_value(entity, name, value)


@lru_cache
def _insert(resource: Resource) -> Any:
    return insert(resource.table).returning(*resource.loaded.values())


@lru_cache
def _update(resource: Resource) -> Update:
    return update(resource.table).where(*_matches_id_and_version(resource))


@lru_cache
def _update_returning(resource: Resource) -> Any:
    return _update(resource).returning(*resource.loaded.values())


@lru_cache
def _delete(resource: Resource) -> Delete:
    return delete(resource.table).where(*_matches_id_and_version(resource))


def _matches_id_and_version(resource: Resource) -> Any:
    id, version = resource.id_column, resource.version_column
    yield id == bindparam(WHERE_ID, type_=id.type)
    yield version == bindparam(WHERE_VERSION, type_=version.type)
