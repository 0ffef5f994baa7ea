"""The steps of a migration: from what two descriptions say of tables."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from users_service.database import steps
from users_service.database.steps import Step
from users_service.generator.model import (
    INDEXED,
    TEXTS,
    Description,
    DescriptionError,
    Field,
    Relationship,
)

__all__ = ["Step", "dropping", "steps_of"]

# Bytes of a name on PostgreSQL; MariaDB has one more.
MOST_BYTES = 63

# What a type may become, beside itself, without loss. Rows in the way are counted before.
BECOMES = {
    **{each: {"line", "text"} for each in TEXTS},
    "line": {"text", "choice"},
    "text": {"line", "choice"},
    "integer": {"decimal"},
    "decimal": {"integer"},
    "date": {"timestamp"},
    "timestamp": {"date"},
}


def steps_of(old: Description | None, new: Description | None, *, drop: bool = False) -> list[Step]:
    """Return the steps from one description to another.

    Where another type was renamed, the relationships that lead to it have its new name in both.

    :param old: None if there was none; `new` None if there is none any more.
    :param drop: whether tables are dropped with their rows, where they would be kept as removed.
    :raises DescriptionError: if there is no such migration.
    """
    made = new or old
    if made is None:
        return []
    _check_names(made)
    if made.extends:
        nothing = replace(made, fields=(), relationships=())
        return _changes(old or nothing, new or nothing, drop=drop)
    if old is not None and new is not None:
        return _changes(old, new, drop=drop)
    keys = [_key(each) for each in made.relationships if not each.many]
    created = {made.module: steps.creation(made.module, *map(_field, made.fields), *keys)}
    created |= {_table(made, each): _link(made, each) for each in made.relationships if each.many}
    if new is not None:
        return list(created.values())
    gone = [steps.removal(step, name, drop=drop) for name, step in created.items()]
    return gone[::-1]


def dropping(made: Description, revision: str) -> Step:
    """Return the step that drops what a removal has kept.

    :param revision: that of the removal.
    """
    tables = [made.module, *(_table(made, each) for each in made.relationships if each.many)]
    return steps.final_loss(made.module, [f"removed_{each}_{revision}" for each in tables[::-1]])


def _check_names(made: Description) -> None:
    table = made.module
    names = [f"removed_{table}_0000", *(f"ix_{table}_{each.name}_id" for each in made.fields)]
    for each in made.relationships:
        many = f"ix_{_table(made, each)}_target_id_source_id"
        names.append(many if each.many else f"ix_{table}_{each.name}_id_id")
    for name in names:
        if len(name) > MOST_BYTES:
            raise DescriptionError(
                f"{made.type}: {name} would be a name in the database, but has more than"
                f" {MOST_BYTES} bytes. Choose a shorter name."
            )


def _changes(old: Description, new: Description, *, drop: bool) -> list[Step]:
    tables, types = (old.module, new.module), {old.type, new.type}
    gone: list[Step] = []
    changed: list[Step] = []
    renamed: list[Step] = []
    added: list[Step] = []
    for before, after in _pairs(old.fields, new.fields):
        if after is None:
            gone.append(steps.loss(old.module, _field(before), _lost(before)))
        elif before is None:
            added.append(_addition(new.module, after))
        else:
            changed += _change(tables, before, after)
            renamed += _renaming(old.module, before.name, _field(after))
    for before, after in _pairs(old.relationships, new.relationships):
        if after is None and before.many:
            gone.append(steps.removal(_link(old, before), _table(old, before), drop=drop))
        elif after is None:
            lost = steps.MADE_UP if before.required else None
            gone.append(steps.loss(old.module, _key(before), lost))
        elif before is None:
            added.append(_link(new, after) if after.many else _new_key(new.module, after))
        else:
            _check_change(before, after, types)
            if after.many:
                renamed += _new_name(_table(old, before), _table(new, after))
            else:
                key = _key(replace(after, target=before.target))
                changed += steps.change(tables, _key(before), key)
                renamed += _renaming(old.module, f"{before.name}_id", key)
    if old.type != new.type:
        renamed.append(steps.renamed_permissions(old.type, new.type))
    return [*gone, *changed, *renamed, *_new_name(*tables), *added]


def _pairs(old: Iterable[Any], new: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """What was and what is, of each field or relationship; None where it is not."""
    there = {each.name: each for each in old}
    names = {each.name for each in new}
    for each in new:
        former = each.name if each.name in there or each.was in names else each.was
        yield there.pop(former, None), each
    yield from ((before, None) for before in there.values())


def _addition(table: str, each: Field) -> Step:
    value = each.default if each.backfill is None else each.backfill
    if not each.is_nullable and value is None:
        raise DescriptionError(
            f"{each.name}: A new field that is required needs a default, or a backfill for the"
            " resources that are there."
        )
    if each.unique and value is not None:
        raise DescriptionError(
            f"{each.name}: The resources that are there cannot all have the same value of a unique"
            " field. Add it without unique, give each its value, and make it unique then."
        )
    return steps.addition(table, _field(each), value)


def _new_key(table: str, each: Relationship) -> Step:
    if each.required:
        raise DescriptionError(
            f"{each.name}: The resources that are there are related to none. Add the relationship"
            " without required, give each its related resource, and make it required then."
        )
    return steps.addition(table, _key(each))


def _lost(each: Field) -> Any:
    """What rows have of a field after a downgrade, which does not know its values."""
    if each.is_nullable or each.unique:
        return steps.MADE_UP if each.unique and not each.is_nullable else None
    known = {"list": [], "object": {}}.get(each.type) if each.default is None else each.default
    return steps.MADE_UP if known is None else known


def _renaming(table: str, was: str, field: steps.Field) -> list[Step]:
    return [] if was == field.name else [steps.renaming(table, was, field)]


def _new_name(was: str, now: str) -> list[Step]:
    return [] if was == now else [steps.new_name(was, now)]


def _change(tables: tuple[str, str], before: Field, after: Field) -> Iterator[Step]:
    if after.type != before.type and after.type not in BECOMES.get(before.type, ()):
        raise DescriptionError(
            f"{after.name}: What is of the type {before.type} cannot become {after.type} without"
            " loss. Do it in two migrations: add a field of the new type, and remove the old one"
            " when it is not needed any more."
        )
    value = None
    if before.is_nullable and not after.is_nullable:
        value = after.default if after.backfill is None else after.backfill
    return steps.change(tables, _field(before), _field(after), value)


def _check_change(before: Relationship, after: Relationship, types: set[str]) -> None:
    same = before.target == after.target or {before.target, after.target} == types
    if before.many != after.many or not same:
        raise DescriptionError(
            f"{after.name}: A relationship cannot become one to other resources, or to one of many."
            " Do it in two migrations: add another relationship, and remove this one later."
        )


def _table(made: Description, each: Relationship) -> str:
    return f"{made.module}_{each.name}"


def _link(made: Description, each: Relationship) -> Step:
    return steps.association(_table(made, each), made.module, each.target.replace("-", "_"))


def _field(each: Field) -> steps.Field:
    """What a field is in its table."""
    name = {"date": "day", "list": "json", "object": "json"}.get(each.type, each.type)
    given: dict[str, Any] = {"null": each.is_nullable}
    given |= {"unique": each.unique} if each.unique else {}
    sorted_by = each.type in INDEXED and not each.unique
    given |= {"indexed": each.indexed} if sorted_by else {}
    sizes: Iterable[Any] = [each.length] if each.type in TEXTS else []
    if each.type == "choice":
        sizes = each.of
    elif each.type == "decimal":
        sizes = [each.digits, each.scale]
    made: steps.Field = getattr(steps, name)(each.name, *sizes, **given)
    return made


def _key(each: Relationship) -> steps.Field:
    table, action = each.target.replace("-", "_"), each.on_delete.replace("_", " ").upper()
    return steps.key(f"{each.name}_id", table, action, null=not each.required)
