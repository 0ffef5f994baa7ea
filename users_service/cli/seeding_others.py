"""Fills the tables of all resources beside users, roles and groups, by what their schemas say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import chain, islice
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, update

from users_service.cli import rows
from users_service.cli.made_up import MadeUpError, attribute
from users_service.cli.rows import Progress, Row, SeedError, identities, pick, random_of, row_of
from users_service.jsonapi import Relationship, Resource
from users_service.models import Group, Role, User, computed_values, managers, memberships

PEOPLE = (Role, Group, User)
Ids = dict[str, list[UUID]]
Resources = Mapping[str, Resource]

# Of optional to-one relationships, those that lead somewhere; to-many ones have up to so many.
LINKED, LINKS = 0.8, 3


def others_of(resources: Resources) -> list[Resource]:
    """Return what clients create beside people: each after those that it needs.

    :raises SeedError: if some of them need each other.
    """
    found = {
        type: resource
        for type, resource in sorted(resources.items())
        if resource.model not in PEOPLE and resource.create is None and "create" in resource.methods
    }
    needs = {type: [r.target_type for r in each.needed] for type, each in found.items()}
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " and ".join(dict.fromkeys(error.args[1]))
        raise SeedError(f"Nothing can be made up for {circle}: each needs another first.") from None
    return [found[type] for type in order if type in found]


def store_people(
    connection: Connection,
    model: Any,
    resource: Resource | None,
    people: Iterable[Row],
    seed: int,
    *,
    copy: bool = True,
) -> None:
    """Store rows of users, roles or groups, with the fields that other modules add to these."""
    people = iter(people)
    first = next(people, None)
    if first is None:
        return
    found: Iterable[Row] = chain([first], people)
    if resource is not None and _written(resource, first):
        found, copy = _completed(resource, found, seed), False
    rows.store(connection, model.__table__, found, copy=copy)


def _completed(resource: Resource, people: Iterable[Row], seed: int) -> Iterator[Row]:
    for number, row in enumerate(people):
        yield _computed(resource, row | _attributes(resource, number, seed, row))


def fill(
    connection: Connection,
    resources: Resources,
    ids: Ids,
    number: int,
    seed: int,
    progress: Progress,
) -> dict[str, int]:
    """Store other resources and their links; return how many there are of each type.

    :param ids: those of people, by type: the ones that links may lead to.
    :param number: how many of each type; fewer where no more can be told apart.
    """
    counts: dict[str, int] = {}
    later: list[Relationship] = []
    for resource in others_of(resources):
        ids[resource.type] = []
        counts[resource.type] = 0
        keys = [r for _, r in sorted(resource.relationships.items()) if r.holds_key]
        now = [r for r in keys if r.target_type in ids and r.is_writable]
        later += [r for r in keys if r not in now and r.is_writable]
        if all(ids.get(r.target_type) for r in resource.needed):
            numbers = progress(resource.type, range(number))
            made = _rows(resource, now, ids, numbers, number, seed)
            counts[resource.type] = rows.store(connection, resource.table, made, copy=False)
    _link(connection, [*later, *_of_people(resources)], ids, seed)
    _associate(connection, resources, ids, seed)
    return counts


def _rows(
    resource: Resource,
    keys: Sequence[Relationship],
    ids: Ids,
    numbers: Iterable[int],
    number: int,
    seed: int,
) -> Iterator[Row]:
    random = random_of(f"links of {resource.type}", seed)
    for index, identity in zip(numbers, identities(resource.type, number, seed), strict=True):
        try:
            values = _attributes(resource, index, seed, ())
        except MadeUpError as error:
            if index == 0:
                raise SeedError(str(error)) from None
            return
        links = {r.key_column.key: _target(random, r, ids) for r in keys}
        row = row_of(identity, **values, **links)
        yield _computed(resource, {k: v for k, v in row.items() if k in resource.table.columns})
        if index < rows.CHUNK:
            ids[resource.type].append(identity[0])


def _attributes(resource: Resource, number: int, seed: int, known: Iterable[str]) -> Row:
    """Make up the columns of what clients can write, but for the known ones."""
    found = {}
    for name, column in _written(resource, known).items():
        value = attribute(resource, name, number, seed)
        found[column] = resource.attributes[name].deserialize(value)
    return found


def _written(resource: Resource, known: Iterable[str]) -> dict[str, str]:
    """The columns of the attributes that clients can write, by the attributes' names."""
    columns = {name: resource.columns.get(resource.attribute(name)) for name in resource.writable}
    found = {name: column.key for name, column in columns.items() if column is not None}
    return {name: key for name, key in sorted(found.items()) if key not in known}


def _computed(resource: Resource, row: Row) -> Row:
    whole = dict.fromkeys(resource.table.columns.keys()) | row
    return row | computed_values(resource.model, whole)


def _target(random: Random, relationship: Relationship, ids: Ids) -> UUID | None:
    chance, targets = random.random(), ids.get(relationship.target_type)
    if not targets or (chance >= LINKED and not relationship.is_required):
        return None
    found: UUID = pick(random, targets)
    return found


def _of_people(resources: Resources) -> list[Relationship]:
    """The foreign keys that other modules add to people."""
    found = [
        relationship
        for resource in resources.values()
        if resource.model in PEOPLE
        for _, relationship in sorted(resource.relationships.items())
        if relationship.holds_key and relationship.key_attribute != "role_id"
    ]
    for each in found:
        if each.is_required:
            name = f"{each.source.type}.{each.name}"
            raise SeedError(f"Nothing can be made up for {name}: people come first.")
    return found


def _link(
    connection: Connection, relationships: Iterable[Relationship], ids: Ids, seed: int
) -> None:
    """Set the foreign keys that lead to rows which are stored after their own."""
    for each in relationships:
        source, key = each.source, each.key_column
        random = random_of(f"{each.name} of {source.type}", seed)
        pairs = [(id, _target(random, each, ids)) for id in ids.get(source.type, ())]
        found = [{"own": id, "target": target} for id, target in pairs if target is not None]
        if found:
            # The times stay as they were made up.
            kept = {column: column for column in source.table.columns if column.onupdate}
            statement = update(source.table).where(source.id_column == bindparam("own"))
            connection.execute(statement.values({**kept, key: bindparam("target")}), found)


def _associate(connection: Connection, resources: Resources, ids: Ids, seed: int) -> None:
    """Fill the association tables but those of people."""
    done = {memberships, managers}
    for type, resource in sorted(resources.items()):
        for name, each in sorted(resource.relationships.items()):
            if each.secondary is not None and each.secondary not in done:
                done.add(each.secondary)
                random = random_of(f"{name} of {type}", seed)
                found = _pairs(random, each, ids)
                rows.store(connection, each.secondary, found, copy=False)


def _pairs(random: Random, relationship: Relationship, ids: Ids) -> Iterator[dict[str, Any]]:
    source, target = (column.key for column in relationship.secondary_columns)
    targets = ids.get(relationship.target_type, [])
    for id in islice(ids.get(relationship.source.type, ()), rows.CHUNK):
        number = int(random.random() * (LINKS + 1))
        for other in sorted({pick(random, targets) for _ in range(number) if targets}):
            yield {source: id, target: other}
