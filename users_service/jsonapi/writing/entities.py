"""Single entities, read and stored by statements that are made once for all requests of one form.

What the model says in its constructor, its validators (`@validates`), and the defaults and
`onupdate` of its columns holds. They are in no session: its unit of work, which takes more time
than the rest of a short request, never runs, and neither do the mapper events that it has.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Delete, Update, bindparam, delete, insert, inspect, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from ..reading import Scope, Scopes, statements
from ..resource import Resource

# Parameters beside those that are named after columns.
ID, VERSION = "_id", "_version"


def lock(scope: Scope, id: Any) -> Any:
    """Load the entity with an id, and keep others from changing it until the transaction ends.

    :returns: None if there is none in the scope.
    """
    row = scope.execute(statements.lock_one, id=id).one_or_none()
    return None if row is None else _entity(scope.resource, row)


def store_new(scopes: Scopes, resource: Resource, entity: Any) -> None:
    """Insert an entity, and give it what the database and the columns' defaults have added.

    :raises sqlalchemy.exc.IntegrityError: if it contradicts a constraint.
    """
    given = values_of(resource, entity)
    parameters = {resource.columns[name].key: value for name, value in given.items()}
    _load(resource, entity, scopes.connection.execute(_insert(resource), parameters).one())


def store_changes(
    scopes: Scopes, resource: Resource, entity: Any, before: Mapping[str, Any]
) -> None:
    """Update what has changed of a locked entity, if anything has (§7.2), and raise its version.

    :param before: the values that it had, by attribute: `values_of` it, before it was changed.
    :raises sqlalchemy.exc.IntegrityError: if it contradicts a constraint.
    :raises StaleDataError: if somebody else has changed or deleted it in spite of the lock.
    """
    changed = {
        resource.columns[name].key: value
        for name, value in values_of(resource, entity).items()
        if value is not before[name]
        and not resource.columns[name].type.compare_values(before[name], value)
    }
    if not changed:
        return
    id, version = resource.id_of(entity), resource.version_of(entity)
    parameters = {ID: id, VERSION: version, resource.version_column.key: version + 1, **changed}
    connection = scopes.connection
    if connection.dialect.update_returning:
        row = connection.execute(_update_returning(resource), parameters).one_or_none()
        if row is None:
            raise StaleDataError
        _load(resource, entity, row)
        return
    if connection.execute(_update(resource), parameters).rowcount != 1:
        raise StaleDataError
    read_again(scopes, resource, entity)


def remove(scopes: Scopes, resource: Resource, entity: Any) -> None:
    """Delete a locked entity.

    :raises sqlalchemy.exc.IntegrityError: if others depend on it.
    :raises StaleDataError: if somebody else has changed or deleted it in spite of the lock.
    """
    parameters = {ID: resource.id_of(entity), VERSION: resource.version_of(entity)}
    if scopes.connection.execute(_delete(resource), parameters).rowcount != 1:
        raise StaleDataError


def read_again(scopes: Scopes, resource: Resource, entity: Any) -> None:
    """Give an entity the values of its row, after other statements have changed that.

    Whoever has changed it is answered with it, even if the change has hidden it.
    """
    statement = statements.select_all_columns_of_one
    row = scopes.every(resource).execute(statement, id=resource.id_of(entity)).one()
    _load(resource, entity, row)


def values_of(resource: Resource, entity: Any) -> dict[str, Any]:
    """The values that an entity has, by attribute. What a new one has not is left to defaults."""
    return {name: value for name, value in vars(entity).items() if name in resource.columns}


def _entity(resource: Resource, row: Sequence[Any]) -> Any:
    # As the ORM makes one that it loads: the constructor is for new ones.
    entity = inspect(resource.model).class_manager.new_instance()
    _load(resource, entity, row)
    return entity


def _load(resource: Resource, entity: Any, row: Sequence[Any]) -> None:
    for name, value in zip(resource.columns, row, strict=True):
        set_committed_value(entity, name, value)


@lru_cache
def _insert(resource: Resource) -> Any:
    return insert(resource.table).returning(*resource.columns.values())


@lru_cache
def _update(resource: Resource) -> Update:
    return update(resource.table).where(*_is_same(resource))


@lru_cache
def _update_returning(resource: Resource) -> Any:
    return _update(resource).returning(*resource.columns.values())


@lru_cache
def _delete(resource: Resource) -> Delete:
    return delete(resource.table).where(*_is_same(resource))


def _is_same(resource: Resource) -> Any:
    id, version = resource.id_column, resource.version_column
    yield id == bindparam(ID, type_=id.type)
    yield version == bindparam(VERSION, type_=version.type)
