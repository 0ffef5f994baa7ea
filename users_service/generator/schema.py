"""The JSON Schema of descriptions: what `users-service resource schema` prints (contract §9)."""

from typing import Any

Json = dict[str, Any]

NAME = {"type": "string", "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$", "maxLength": 40}
TYPE = {"type": "string", "pattern": "^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", "maxLength": 40}
TITLE = {"type": "string", "minLength": 1, "maxLength": 80}
TEXT = {"type": "string", "minLength": 1, "maxLength": 500}
FLAG = {"type": "boolean"}
NAMES = {"type": "array", "items": NAME, "uniqueItems": True, "maxItems": 50}
SAFE = 2**53 - 1
DECIMAL = {"type": ["string", "number"]}


def _integer(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


# What each field may have besides its type.
COMMON: Json = {
    "title": TITLE,
    "description": TEXT,
    "was": NAME,
    "required": FLAG,
    "backfill": {"description": "The value of rows that are there, where the field is new."},
}
DEFAULT: Json = {"default": {"description": "The value of a new resource."}}
SORTED: Json = {"indexed": {**FLAG, "description": "Whether an index serves sorting by it."}}
UNIQUE: Json = {"unique": {"enum": [True, False, "ignore_case"]}}
OF_TYPES: dict[str, Json] = {
    "line": {"max": _integer(1, 250), **UNIQUE, **DEFAULT, **SORTED},
    "text": {"max": _integer(1, 100_000), **DEFAULT},
    "email": {**UNIQUE, **SORTED},
    "url": {"max": _integer(10, 2000), **DEFAULT},
    "boolean": {**DEFAULT, **SORTED},
    "integer": {
        "min": _integer(-SAFE, SAFE),
        "max": _integer(-SAFE, SAFE),
        "unique": FLAG,
        **DEFAULT,
        **SORTED,
    },
    "decimal": {
        "digits": _integer(1, 18),
        "scale": _integer(0, 18),
        "min": DECIMAL,
        "max": DECIMAL,
        **DEFAULT,
        **SORTED,
    },
    "date": {"unique": FLAG, **DEFAULT, **SORTED},
    "timestamp": {**DEFAULT, **SORTED},
    "choice": {
        "of": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$", "maxLength": 40},
            "additionalProperties": TITLE,
            "minProperties": 1,
            "maxProperties": 100,
        },
        **DEFAULT,
        **SORTED,
    },
    "list": {"max": _integer(1, 1000), **DEFAULT},
    "object": {**DEFAULT},
}
NEEDED = {"choice": ["of"], "decimal": ["digits", "scale"]}
TYPES = list(OF_TYPES)

RELATIONSHIP: Json = {
    "to": {**TYPE, "description": "The type of the one related resource."},
    "to_many": {**TYPE, "description": "The type of the related resources."},
    "inverse": {**NAME, "description": "The relationship back; without one, none is shown."},
    "on_delete": {
        "enum": ["restrict", "set_null", "cascade"],
        "description": "What the deletion of the related resource does.",
    },
    "required": FLAG,
    "was": NAME,
    "title": TITLE,
    "description": TEXT,
}


def _closed(properties: Json, *required: str) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _field() -> Json:
    """A field: the name of its type, or an object with more."""
    cases = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": _closed({"type": True, **COMMON, **more}, *NEEDED.get(name, ())),
        }
        for name, more in OF_TYPES.items()
    ]
    return {
        "if": {"type": "string"},
        "then": {"enum": [name for name in TYPES if name not in NEEDED]},
        "else": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": TYPES}},
            "allOf": cases,
        },
    }


def _one_of(*names: str) -> list[Json]:
    return [{"required": [name]} for name in names]


def _named(value: Json) -> Json:
    return {"type": "object", "propertyNames": NAME, "additionalProperties": value}


SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A resource of the users service, or what is added to one",
    **_closed(
        {
            "resource": {**TYPE, "description": "The type of a new resource."},
            "extends": {**TYPE, "description": "The type that is there and is added to."},
            "was": {**TYPE, "description": "The former type."},
            "title": _closed({"one": TITLE, "many": TITLE}, "one", "many"),
            "named_by": NAME,
            "owner": {**NAME, "description": "The relationship to the user whose own it is."},
            "permissions": _named(
                {"type": "string", "pattern": "^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$"}
            ),
            "fields": {**_named(_field()), "maxProperties": 100},
            "relationships": {
                **_named(
                    _closed(RELATIONSHIP)
                    | {"oneOf": [{"required": ["to"]}, {"required": ["to_many"]}]}
                ),
                "maxProperties": 30,
            },
            "ui": _closed(
                {
                    "columns": NAMES,
                    "search": NAMES,
                    "sort": {**NAME, "pattern": "^-?[a-z][a-z0-9_]*$"},
                }
            ),
        },
    ),
    "oneOf": _one_of("resource", "extends"),
}
