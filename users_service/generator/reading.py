"""Reads `resources/<type>.yaml`: text → description, or its faults with their lines and columns."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from users_service.generator.model import Description, DescriptionError, Field, Relationship
from users_service.generator.schema import SCHEMA

MOST_BYTES = 65_536
MOST_LEVELS = 8
MOST_FAULTS = 10

VALIDATOR = Draft202012Validator(SCHEMA)


class WithoutDates(RoundTripConstructor):
    """Reads dates as the texts that they are: a day that there is not is a fault of its field."""


WithoutDates.add_constructor("tag:yaml.org,2002:timestamp", WithoutDates.construct_yaml_str)


def read(path: Path) -> Description:
    """Read a description.

    :raises DescriptionError: with its faults, each with its line and column.
    """
    document = load(path)
    faults = dict.fromkeys(_faults(path, document))  # some are found by two rules
    if faults:
        raise DescriptionError("\n".join([*faults][:MOST_FAULTS]))
    made = description_of(plain(document))
    if made.type != path.stem:
        kind = "extends" if made.extends else "resource"
        raise DescriptionError(
            f"{place(path, document, [kind])}: {kind} is {made.type}, but the file is {path.name}."
            f" Name it {made.type}.yaml."
        )
    return made


def load(path: Path) -> Any:
    """Load a YAML 1.2 document of plain values, with the places of what is in it.

    :raises DescriptionError: if it is not one, or has anchors, aliases or tags.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DescriptionError(f"{path}: There is no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptionError(f"{path}: Cannot be read: {error}.") from None
    if len(text.encode()) > MOST_BYTES:
        raise DescriptionError(f"{path}: Has more than {MOST_BYTES} bytes.")
    try:
        _check_events(path, text)
        yaml = YAML(typ="rt", pure=True)
        yaml.Constructor = WithoutDates
        document = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DescriptionError(f"{_at(path, mark)}: {_sentence(str(error.problem))}") from None
    except (YAMLError, ValueError) as error:
        raise DescriptionError(f"{path}: {_sentence(str(error))}") from None
    if not isinstance(document, Mapping):
        raise DescriptionError(
            f"{path}:1:1: Must be a mapping that begins with resource: or extends:."
        )
    return document


def _check_events(path: Path, text: str) -> None:
    level = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        kind = type(event).__name__
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            fault = "Anchors and aliases are not read: write the value out."
        elif getattr(event, "tag", None):
            fault = "Tags are not read: leave it out."
        else:
            level += kind.endswith("StartEvent") - kind.endswith("EndEvent")
            if level <= MOST_LEVELS + 2:  # the stream and the document
                continue
            fault = f"Is nested more than {MOST_LEVELS} levels deep."
        raise DescriptionError(f"{_at(path, event.start_mark)}: {fault}")


def _at(path: Path, mark: Any) -> str:
    return str(path) if mark is None else f"{path}:{mark.line + 1}:{mark.column + 1}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def place(path: Path, document: Any, keys: Sequence[Any]) -> str:
    """The file, the line and the column of what keys lead to in a document."""
    node, line, column = document, 0, 0
    for key in keys:
        marks = getattr(node, "lc", None)
        if marks is None:
            break
        try:
            line, column = marks.key(key) if isinstance(node, Mapping) else marks.item(key)
        except (KeyError, TypeError):  # what is not there
            break
        node = node[key]
    return f"{path}:{line + 1}:{column + 1}"


def plain(node: Any) -> Any:
    """A value of JSON, of one that was read: numbers with a point become texts."""
    match node:
        case Mapping():
            return {str(key): plain(value) for key, value in node.items()}
        case bool() | None:
            return node
        case int():
            return int(node)
        case float():
            return str(node)
        case str():
            return str(node)
        case _:
            return [plain(value) for value in node]


def _faults(path: Path, document: Any) -> Iterator[str]:
    for error in sorted(VALIDATOR.iter_errors(plain(document)), key=lambda e: [*map(str, e.path)]):
        yield from _words(path, document, error)


def _words(path: Path, document: Any, error: ValidationError) -> Iterator[str]:
    """Say what is wrong; where it is a word, with the nearest one that is known."""
    keys = list(error.absolute_path)
    name = keys[-1] if keys else "The description"
    at = place(path, document, keys)
    match error.validator:
        case "additionalProperties":
            known = list(error.schema["properties"])
            for key in error.instance:
                if key not in known:
                    yield f"{place(path, document, [*keys, key])}: {_unknown(key, known)}"
        case "oneOf":
            either = " or ".join(one["required"][0] for one in error.validator_value)
            yield f"{at}: {name} must have either {either}."
        case "enum":
            yield f"{at}: {name}: {_unknown(error.instance, error.validator_value)}"
        case "type" if error.validator_value == "boolean":
            yield f"{at}: {name} must be true or false, not {error.instance!r}."
        case "pattern" if (
            len(error.absolute_schema_path) > 1 and "propertyNames" in error.schema_path
        ):
            key = place(path, document, [*keys, error.instance])
            yield f"{key}: {error.instance!r} is no name: use a-z, 0-9 and _, a letter first."
        case "maxLength" if "propertyNames" in error.schema_path:
            key = place(path, document, [*keys, error.instance])
            yield f"{key}: {error.instance} has more than {error.validator_value} characters."
        case _:
            yield f"{at}: {name}: {error.message}."


def _unknown(word: Any, known: Sequence[Any]) -> str:
    words = [str(each) for each in known]
    near = get_close_matches(str(word), words, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(words)}."
    return f"{word!r} is not known here. {hint}"


def description_of(document: Mapping[str, Any]) -> Description:
    """Make the description of a document that fits the schema."""
    extends = "extends" in document
    kind = document["extends" if extends else "resource"]
    title, ui = document.get("title", {}), document.get("ui", {})
    one = title.get("one") or in_words(singular(kind)).capitalize()
    scopes = document.get("permissions", {})
    return Description(
        type=kind,
        extends=extends,
        was=document.get("was", ""),
        one=one,
        many=title.get("many") or in_words(kind).capitalize(),
        named_by=document.get("named_by", ""),
        owner=document.get("owner", ""),
        fields=tuple(_field(name, each) for name, each in document.get("fields", {}).items()),
        relationships=tuple(
            _relationship(name, each, scopes.get(name, ""))
            for name, each in document.get("relationships", {}).items()
        ),
        columns=tuple(ui.get("columns", ())),
        search=tuple(ui.get("search", ())),
        sort=ui.get("sort", ""),
        source=document,
    )


def _field(name: str, given: Any) -> Field:
    more = {"type": given} if isinstance(given, str) else dict(given)
    unique = {True: "exact", "ignore_case": "ignore_case"}.get(more.pop("unique", False), "")
    return Field(name=name, unique=unique, **more)


def _relationship(name: str, given: Mapping[str, Any], permission: str) -> Relationship:
    more = dict(given)
    many = "to_many" in more
    target = more.pop("to_many" if many else "to")
    default = "restrict" if more.get("required") else "set_null"
    more.setdefault("on_delete", "cascade" if many else default)
    return Relationship(name=name, target=target, many=many, permission=permission, **more)


def singular(kind: str) -> str:
    """The name of one resource of a type."""
    for ending, one in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if kind.endswith(ending) and not kind.endswith("ss"):
            return kind.removesuffix(ending) + one
    return kind


def in_words(name: str) -> str:
    """A name with blanks between its words."""
    return name.replace("_", " ").replace("-", " ")
