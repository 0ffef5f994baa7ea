"""Writes and edits descriptions, and keeps the comments in them."""

import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from users_service.generator.model import DescriptionError
from users_service.generator.reading import in_words, load, singular
from users_service.generator.records import FOLDER, descriptions, records
from users_service.generator.schema import NAME, NEEDED, TYPE, TYPES, Json


def begin(root: Path, kind: str, fields: Iterable[str]) -> Path:
    """Write a new description.

    :param fields: `name:type` each.
    :raises DescriptionError: if there is one, or a field cannot be read.
    """
    _check_name(kind, TYPE)
    path = root / FOLDER / f"{kind}.yaml"
    if path.exists():
        raise DescriptionError(f"{path} is there already. Edit it.")
    lines = [f"resource: {kind}", "fields:"]
    for each in fields or ["name:line"]:
        name, colon, type_ = each.partition(":")
        if not colon or type_ not in TYPES or type_ in NEEDED:
            known = ", ".join(name for name in TYPES if name not in NEEDED)
            raise DescriptionError(f"{each}: Must be name:type; the types are {known}.")
        lines.append(f"  {name}: {type_}")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        descriptions(root)
    except DescriptionError:
        path.unlink()
        raise
    return path


def rename(root: Path, name: str, to: str) -> list[Path]:
    """Rename a resource, or a field or relationship of one, in all descriptions.

    :param name: a type, or a type and a name with a dot between; `to` is its new name.
    :returns: the files that are changed.
    :raises DescriptionError: if there is no such name, or the new one is not valid.
    """
    kind, _, member = name.partition(".")
    if kind not in descriptions(root):
        raise DescriptionError(f"There is no {FOLDER}/{kind}.yaml.")
    _check_name(to, NAME if member else TYPE)
    before = {path: path.read_text(encoding="utf-8") for path in (root / FOLDER).glob("*.yaml")}
    path = root / FOLDER / f"{kind}.yaml"
    try:
        changed = _rename_member(root, path, member, to) if member else _rename_type(root, kind, to)
        descriptions(root)
    except DescriptionError:
        for each in (root / FOLDER).glob("*.yaml"):
            each.unlink()
        for each, text in before.items():
            each.write_text(text, encoding="utf-8")
        raise
    return changed


def _check_name(name: str, schema: Json) -> None:
    if not re.fullmatch(schema["pattern"], name) or len(name) > schema["maxLength"]:
        rule = f"use a-z, 0-9 and _, a letter first, and at most {schema['maxLength']} characters"
        raise DescriptionError(f"{name!r} is no name: {rule}.")


def _rename_member(root: Path, path: Path, name: str, to: str) -> list[Path]:
    document = load(path)
    part = next((p for p in ("fields", "relationships") if name in document.get(p, {})), None)
    if part is None:
        raise DescriptionError(f"{path}: There is no field or relationship {name}.")
    members = document[part]
    if to in members:
        raise DescriptionError(f"{path}: There is a {to} already.")
    value = members[name] if isinstance(members[name], dict) else {"type": members[name]}
    record = records(root).get(path.stem)
    applied = set[str]()
    if record is not None:
        applied |= {each.name for each in record.description.fields}
        applied |= {each.name for each in record.description.relationships}
    _note(value, name, is_applied=name in applied)
    place = list(members).index(name)
    del members[name]
    members.insert(place, to, value)
    _replace(document, name, to)
    _save(path, document)
    return [path]


def _note(described: Any, name: str, *, is_applied: bool) -> None:
    """Note the name under which something was applied: a name in between was never applied."""
    if is_applied or "was" not in described:
        described["was"] = name


def _replace(document: Any, name: str, to: str) -> None:
    """Replace a name where others refer to it."""
    for key in ("named_by", "owner"):
        if document.get(key) == name:
            document[key] = to
    shown = document.get("ui", {})
    for key in ("columns", "search"):
        for index, each in enumerate(shown.get(key, ())):
            if each == name:
                shown[key][index] = to
    if shown.get("sort", "").removeprefix("-") == name:
        shown["sort"] = shown["sort"].replace(name, to)
    scopes = document.get("permissions", {})
    if name in scopes:
        scopes[to] = scopes.pop(name)


def _rename_type(root: Path, kind: str, to: str) -> list[Path]:
    path, target = (root / FOLDER / f"{each}.yaml" for each in (kind, to))
    if target.exists():
        raise DescriptionError(f"{target} is there already.")
    document = load(path)
    if "extends" in document:
        raise DescriptionError(f"{path}: {kind} are not described here, only added to.")
    document["resource"] = to
    title = document.get("title", {})
    if str(title.get("many", "")).lower() == in_words(kind):
        title["one"], title["many"] = in_words(singular(to)).capitalize(), in_words(to).capitalize()
    _note(document, kind, is_applied=kind in records(root))
    _save(target, document)
    path.unlink()
    changed = [target]
    for other in sorted((root / FOLDER).glob("*.yaml")):
        document, found = load(other), False
        for each in document.get("relationships", {}).values():
            for key in ("to", "to_many"):
                if each.get(key) == kind:
                    each[key], found = to, True
        if found:
            _save(other, document)
            changed.append(other)
    return changed


def _save(path: Path, document: Any) -> None:
    yaml = YAML(pure=True)
    yaml.width = 1000
    yaml.preserve_quotes = True
    text = StringIO()
    yaml.dump(document, text)
    path.write_text(text.getvalue(), encoding="utf-8")
