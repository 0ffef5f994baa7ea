"""Writes what a description asks for as Python: for each file all of it, or its part in it."""

from collections.abc import Iterable, Mapping
from pprint import pformat
from typing import Any

from users_service.generator.code import formatted, imports
from users_service.generator.kinds import KINDS
from users_service.generator.model import (
    INDEXED,
    LONG,
    SEARCHED,
    TEXTS,
    Description,
    Field,
    Relationship,
)
from users_service.generator.rules import factory, tests

Targets = Mapping[str, tuple[str, str]]
"""The class of each type's model, and the name of its modules, by type."""

# Where the names come from that may be in what is written.
SOURCES = {
    "datetime": "date datetime",
    "decimal": "Decimal",
    "typing": "TYPE_CHECKING Any",
    "uuid": "UUID",
    "marshmallow.validate": "Length",
    "sqlalchemy": "BigInteger ForeignKey",
    "sqlalchemy.orm": "Mapped mapped_column relationship",
    "users_service.models.base": "Base Exact Identified JSON_TYPE Timestamped UTCDateTime Versioned"
    " association indexes",
    "users_service.models.text_columns": "folded_column key_column long_text_column name_key_column"
    " text_column",
    "users_service.texts": "email_key",
}
FIELDS = "users_service.schemas.base"
IN_SCHEMAS = {
    "marshmallow.validate": "Length",
    FIELDS: "Boolean Choice Date Decimal Display Email Identifier Integer Line List Object"
    " Relationship Schema Text Timestamp Url",
}


def files_of(made: Description, targets: Targets) -> dict[str, str]:
    """Return what is wanted in each file, by its path.

    :param targets: the models of all types, this one's included.
    """
    name, module = targets[made.type]
    texts = {
        f"users_service/models/{module}.py": _model(made, targets),
        f"users_service/schemas/{module}.py": _schema(made, targets),
    }
    if not made.extends:
        rules = f', rules=auth.owned("{made.type}", "{made.owner}")' if made.owner else ""
        texts |= {
            "users_service/models/__init__.py": _registered(f"models.{module}", name),
            "users_service/schemas/__init__.py": _registered(f"schemas.{module}", f"{name}Schema"),
            "users_service/resources.py": f"from users_service.models import {name}\n"
            f"from users_service.schemas import {name}Schema\n"
            f"def includeme(config):\n    add({name}, {name}Schema{rules})\n",
            "tests/client.py": factory(made),
            f"tests/api/test_{module}.py": tests(made),
        }
    for target in sorted({each.target for each in made.relationships} - {made.type}):
        other, place = targets[target]
        models, schemas = _inverses(made, target, targets)
        checking = "from typing import TYPE_CHECKING\n" + _type_checking(
            [made.type], targets, other
        )
        texts[f"users_service/models/{place}.py"] = (
            f"from typing import TYPE_CHECKING\n{checking}{_class(other, models)}"
        )
        if schemas:
            texts[f"users_service/schemas/{place}.py"] = _class(f"{other}Schema", schemas)
    return {path: formatted(path, text) for path, text in texts.items()}


def _class(head: str, lines: Iterable[str]) -> str:
    return f"class {head}:\n" + "".join(f"    {line}\n" for line in lines)


def _registered(module: str, name: str) -> str:
    return f'from users_service.{module} import {name}\n__all__ = ["{name}"]\n'


def _call(function: str, *positional: str, **named: Any) -> str:
    """A call, with the named arguments that say something."""
    given = [f"{key}={pformat(value, sort_dicts=False)}" for key, value in named.items() if value]
    return f"{function}({', '.join([*filter(None, positional), *given])})"


def _metadata(each: Field | Relationship, **more: Any) -> dict[str, Any]:
    found = {"title": each.title, "description": each.description, **more}
    return {key: value for key, value in found.items() if value}


# The model.


def _model(made: Description, targets: Targets) -> str:
    name, _ = targets[made.type]
    lines = [line for each in made.fields for line in _columns(each)]
    lines += [_key(each) for each in made.relationships if not each.many]
    lines += [_relationship(made, each, targets) for each in made.relationships]
    lines += _inverses(made, made.type, targets)[0]
    tables = [_association(made, each) for each in made.relationships if each.many]
    head, first = name, ""
    if not made.extends:
        first = f'"""The table of {made.many.lower()}."""\n\n'
        head = f"{name}(Identified, Timestamped, Versioned, Base)"
        indexed = f"__table_args__ = (*indexes({_indexed(made)}), Base.__table_args__)"
        lines = [f'__tablename__ = "{made.module}"', indexed, "", *lines]
    checking = _type_checking((each.target for each in made.relationships), targets, name)
    text = f"{checking}\n{''.join(tables)}\n{_class(head, lines)}"
    return f"{first}from __future__ import annotations\n{imports(text, SOURCES)}\n{text}"


def _type_checking(types: Iterable[str], targets: Targets, own: str) -> str:
    others = sorted({targets[each] for each in types})
    lines = [
        f"    from users_service.models.{module} import {name}\n"
        for name, module in others
        if name != own
    ]
    return f"if TYPE_CHECKING:\n{''.join(lines)}" if lines else ""


def _indexed(made: Description) -> str:
    """The arguments of `indexes`: what lists are sorted by, and foreign keys. What is unique has an
    index already."""
    names = [e.name for e in made.fields if e.indexed and e.type in INDEXED and not e.unique]
    names += ["creation_time", "modification_time"]
    names += [f"{each.name}_id" for each in made.relationships if not each.many]
    return ", ".join(f'"{name}"' for name in names)


def _columns(each: Field) -> list[str]:
    """The lines of a field in its model: its column, and those that are computed from it."""
    name, kind, null = each.name, KINDS[each.type], each.is_nullable
    type_ = f"Mapped[{kind.python}{' | None' if null else ''}]"
    default = "" if each.default is None else f"default={kind.default(each.default)}"
    unique = "unique=True" if each.unique and each.type != "email" else ""
    function = "text_column" if each.type in TEXTS else "mapped_column"
    function = "long_text_column" if each.type in LONG else function
    column = _call(function, kind.column(each), default, unique)
    lines = [f"{name}: {type_}" + ("" if column == "mapped_column()" else f" = {column}")]
    if each.unique == "ignore_case" and each.type == "line":
        lines.append(f'{name}_key: {type_} = name_key_column("{name}")')
    elif each.unique and each.type == "email":
        key = f'key_column(450, "{name}", email_key, operator="eq", unique=True)'
        lines.append(f"{name}_key: {type_} = {key}")
    if each.type in SEARCHED:
        folded = _call("folded_column", f'"{name}"', nullable=null)
        lines.append(f"{name}_folded: {type_} = {folded}")
    return lines


def _key(each: Relationship) -> str:
    null, table = "" if each.required else " | None", each.target.replace("-", "_")
    action = each.on_delete.replace("_", " ").upper()
    key = f'ForeignKey("{table}.id", ondelete="{action}")'
    return f"{each.name}_id: Mapped[UUID{null}] = mapped_column({key})"


def _association(made: Description, each: Relationship) -> str:
    name, target = f"{made.module}_{each.name}", each.target.replace("-", "_")
    return f'{name} = association("{name}", "{made.module}", "{target}")\n'


def _relationship(made: Description, each: Relationship, targets: Targets) -> str:
    own, other = targets[made.type][0], targets[each.target][0]
    if each.many:
        table = f"{made.module}_{each.name}"
        arguments = [f"secondary={table}", *_joins(own, other, table, "source_id", "target_id")]
        kind = f"list[{other}]"
    else:
        arguments = [f"foreign_keys=[{each.name}_id]"]
        arguments += [f'remote_side="{own}.id"'] if own == other else []
        kind = other if each.required else f"{other} | None"
    return f"{each.name}: Mapped[{kind}] = relationship({', '.join(arguments)}, viewonly=True)"


def _joins(own: str, other: str, table: str, near: str, far: str) -> list[str]:
    """The conditions over an association table, which are needed where it links a table with
    itself."""
    sides = {"primaryjoin": near, "secondaryjoin": far}
    found = [f'{side}="{own}.id == {table}.c.{key}"' for side, key in sides.items()]
    return found if own == other else []


def _inverses(made: Description, target: str, targets: Targets) -> tuple[list[str], list[str]]:
    """The relationships back from a type: in its model, and in its schema where they are shown."""
    own, other = targets[made.type][0], targets[target][0]
    models, schemas = [], []
    for each in (each for each in made.relationships if each.target == target):
        table = f"{made.module}_{each.name}"
        name = each.inverse or f"{made.module}_by_{each.name}"
        arguments = [f'foreign_keys="{own}.{each.name}_id"']
        if each.many:
            joins = _joins(own, other, table, "target_id", "source_id")
            arguments = [f'secondary="{table}"', *joins]
        related = _call("relationship", *arguments, viewonly=True)
        models.append(f"{name}: Mapped[list[{own}]] = {related}")
        if each.inverse:
            permission = {"permission": each.permission} if each.permission else {}
            metadata = {**permission, "large": True}
            field = _call("Relationship", type_=made.type, many=True, metadata=metadata)
            schemas.append(f"{name} = {field}")
    return models, schemas


# The schema.


def _schema(made: Description, targets: Targets) -> str:
    name = f"{targets[made.type][0]}Schema"
    lines = [f"{each.name} = {attribute(each)}" for each in made.fields]
    times = [
        f'{when}_time = Timestamp(dump_only=True, metadata={{"title": "{title}"}})'
        for when, title in (("creation", "Created"), ("modification", "Changed"))
    ]
    lines += [] if made.extends else times
    for each in made.relationships:
        metadata = _metadata(each, permission=each.permission, large=each.many)
        more = {"many": each.many, "required": each.required, "metadata": metadata}
        lines.append(f"{each.name} = " + _call("Relationship", type_=each.target, **more))
    lines += _inverses(made, made.type, targets)[1]
    if made.extends:
        return imports("\n".join(lines), IN_SCHEMAS) + _class(name, lines)
    shown = {"named_by": made.named_by, "columns": made.columns, "search": made.search}
    display = _call("Display", one=made.one, many=made.many, **shown, sort=made.sort)
    meta = ["class Meta:", f'    type_ = "{made.type}"', f"    display = {display}", ""]
    text = _class(f"{name}(Schema)", [*meta, "id = Identifier()", *lines]).replace(
        ":\n", ":  # type: ignore[misc]  # marshmallow_jsonapi is untyped\n", 1
    )
    article = "An" if made.one[:1] in "AEIOU" else "A"
    first = f'"""{article} {made.one.lower()} as clients send and see it."""\n\n'
    return first + imports(text, IN_SCHEMAS) + text


def attribute(each: Field) -> str:
    """The field of a schema."""
    return _call(
        each.type.capitalize(),
        KINDS[each.type].field(each).rstrip(", "),
        required=each.required and each.default is None,
        allow_none=each.is_nullable,
        metadata=_metadata(each),
    )
