"""What applying the descriptions would change: files by statements, and tables by a migration."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from users_service import models, schemas
from users_service.database.steps import Step
from users_service.generator.checks import Names, check, inverse_of, names_of
from users_service.generator.code import formatted
from users_service.generator.merging import Conflict, merge
from users_service.generator.model import Description, DescriptionError
from users_service.generator.records import (
    APPLIED,
    FOLDER,
    Record,
    descriptions,
    record_text,
    records,
)
from users_service.generator.revisions import text_of
from users_service.generator.tables import dropping, steps_of
from users_service.generator.writing import Targets, files_of


@dataclass(kw_only=True)
class Plan:
    """What would be written.

    :param files: the new texts of files by their paths; None deletes one.
    :param before: their present texts.
    :param steps: those of the migration.
    :param conflicts: of statements; while there are some, nothing is written.
    :param kept: the files in which statements stay that were written by hand, with their places.
    """

    files: dict[str, str | None] = field(default_factory=dict)
    before: dict[str, str | None] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    revision: str = ""
    conflicts: list[Conflict] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)

    def text(self, root: Path, path: str) -> str | None:
        """The text of a file, as far as it is planned; None if there is none."""
        if path not in self.files:
            file = root / path
            self.before[path] = file.read_text(encoding="utf-8") if file.is_file() else None
            self.files[path] = self.before[path]
        return self.files[path]

    def put(self, root: Path, path: str, text: str | None) -> None:
        self.text(root, path)
        self.files[path] = text

    def changed(self) -> dict[str, str | None]:
        return {path: text for path, text in self.files.items() if text != self.before[path]}

    def diff(self) -> Iterator[str]:
        """Yield the differences of files, as `diff -u` shows them."""
        for path, text in sorted(self.changed().items()):
            before = self.before[path]
            names = ["/dev/null" if each is None else path for each in (before, text)]
            old, new = ((each or "").splitlines(keepends=True) for each in (before, text))
            yield from difflib.unified_diff(old, new, names[0], names[1])


def plan(root: Path, removing: str = "", *, drop: bool = False) -> Plan:
    """Plan to apply all descriptions of a checkout.

    :param removing: the type that goes; its description need not be there any more.
    :param drop: whether its table goes too, with its rows.
    :raises DescriptionError: with all faults of descriptions, or of the checkout.
    """
    new, old = descriptions(root), records(root)
    live = {kind: each for kind, each in old.items() if not each.removed}
    former_types = {_former(kind, each, live, new) for kind, each in new.items()}
    gone = live.keys() - new.keys() - {removing} - former_types
    for kind in sorted(gone):
        raise DescriptionError(
            f"{FOLDER}/{kind}.yaml is not there. Get it back (git checkout), or remove what it"
            f" describes: users-service resource remove {kind}"
        )
    if removing and removing not in old and new.pop(removing, None) is None:
        raise DescriptionError(f"There is no resource {removing} of a description.")
    new.pop(removing, None)
    targets, taken = _there(live)
    check({kind: root / FOLDER / f"{kind}.yaml" for kind in new}, new, taken)
    made = Plan()
    former = {**targets, **_targets(each.description for each in live.values())}
    targets = {**targets, **_targets(new.values())}
    for kind in [*_in_order(new, live), *({removing} & live.keys())]:
        each = new.get(kind)
        was = kind if each is None else _former(kind, each, live, new)
        digests = _plan_files(root, made, each, live.get(was), targets, former)
        made.steps += _steps(each, old.get(was), drop=drop)
        made.put(root, f"{APPLIED}/{was}.yaml", None)
        if each is not None:
            made.put(root, f"{APPLIED}/{kind}.yaml", record_text(each, digests))
    if removing:
        made.put(root, f"{FOLDER}/{removing}.yaml", None)
    _plan_migration(root, made, old.get(removing), drop=drop)
    return made


def _former(
    kind: str, made: Description, live: Mapping[str, Record], new: Mapping[str, Description]
) -> str:
    """The type under which a resource was applied: what `was` says was carried out long ago, if
    the resource was applied since."""
    is_renamed = kind not in live and made.was in live and made.was not in new
    return made.was if is_renamed else kind


def _in_order(new: Mapping[str, Description], live: Mapping[str, Record]) -> list[str]:
    """The types, new ones first, each behind those that its table refers to.

    :raises DescriptionError: if new ones refer to each other in a circle.
    """
    fresh = sorted(kind for kind, each in new.items() if not {kind, each.was} & live.keys())
    needed = {
        kind: {e.target for e in new[kind].relationships if not e.many} & {*fresh} - {kind}
        for kind in fresh
    }
    try:
        return [*TopologicalSorter(needed).static_order(), *sorted(new.keys() - {*fresh})]
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise DescriptionError(
            f"{circle}: Tables of new resources cannot refer to each other in a circle. Apply them"
            " without one of these relationships, and add it then."
        ) from None


def _steps(new: Description | None, record: Record | None, *, drop: bool) -> list[Step]:
    if record is None or not record.removed:
        return steps_of(None if record is None else record.description, new, drop=drop)
    # Its table is there under another name: it comes back as it was, and is changed then.
    return [*steps_of(None, record.description), *steps_of(record.description, new)]


def _plan_migration(root: Path, made: Plan, removed: Record | None, *, drop: bool) -> None:
    """Write the migration, if there are steps, and note which one keeps what was removed."""
    versions = root / "users_service/alembic/versions"
    newest = max(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))
    revision = f"{int(newest) + 1:04}"
    # Links to tables that are made come when all of them are there.
    made.steps.sort(key=lambda step: step.up.startswith("create_association"))
    if removed and removed.removed and drop:
        made.steps.append(dropping(removed.description, removed.removed))
        made.put(root, f"{APPLIED}/{removed.description.type}.yaml", None)
    elif removed and not drop:
        path = f"{APPLIED}/{removed.description.type}.yaml"
        made.put(root, path, record_text(removed.description, {}, removed.removed or revision))
    if made.steps:
        made.revision = revision
        slug = re.sub(r"[^a-z0-9]+", "_", made.steps[0].says.lower()).strip("_")[:40].strip("_")
        text = text_of(made.steps[0].says.rstrip("."), made.steps, revision, newest)
        made.put(root, f"users_service/alembic/versions/{revision}_{slug}.py", text)


def _there(live: Mapping[str, Record]) -> tuple[Targets, Names]:
    """The models and the names that are there without any description.

    :param live: what was applied: its names in the models come from descriptions.
    """
    described = {kind for kind, each in live.items() if not each.description.extends}
    added: set[tuple[str, str]] = set()
    for kind, each in live.items():
        added |= {(kind, name) for name in names_of(each.description)}
        relationships = each.description.relationships
        added |= {(one.target, inverse_of(each.description, one)) for one in relationships}
    types = {
        schema.Meta.type_: schema
        for schema in (getattr(schemas, name) for name in schemas.__all__ if name != "base")
        if "id" in schema._declared_fields  # others are of forms
    }
    targets: dict[str, tuple[str, str]] = {}
    taken: Names = {}
    for mapper in models.Base.registry.mappers:
        kind = next((k for k in types if k.replace("-", "_") == str(mapper.local_table)), "")
        if kind and kind not in described:
            model = mapper.class_
            targets[kind] = (model.__name__, model.__module__.rpartition(".")[2])
            names = {*mapper.attrs.keys(), *types[kind]._declared_fields, ""}
            taken |= {(kind, name): "its model" for name in names if (kind, name) not in added}
    return targets, taken


def _targets(made: Iterable[Description]) -> dict[str, tuple[str, str]]:
    return {each.type: (each.class_name, each.module) for each in made if not each.extends}


def _plan_files(
    root: Path,
    made: Plan,
    new: Description | None,
    record: Record | None,
    targets: Targets,
    former: Targets,
) -> dict[str, dict[str, str]]:
    """Merge the files of one description.

    :returns: the digests of what is written in each file.
    """
    wanted = {} if new is None else files_of(new, targets)
    written = {} if record is None else dict(record.files)
    if record and new and record.description.type != new.type and not new.extends:
        written = _renamed(root, made, record.description, new, written, targets, former)
    digests = {}
    for path in sorted(wanted.keys() | written.keys()):
        present = made.text(root, path)
        if present is None and written.get(path) and path in wanted:
            raise DescriptionError(f"{path} is not there. Get it back: git checkout {path}")
        merged = merge(path, wanted.get(path, ""), present, written.get(path, {}))
        made.conflicts += merged.conflicts
        if merged.kept:
            made.kept[path] = merged.kept
        if merged.digests:
            digests[path] = merged.digests
        text = merged.text
        if text is not None and present is not None and text != present:
            # What was formatted stays formatted.
            text = formatted(path, text) if formatted(path, present) == present else text
        made.put(root, path, text)
    return digests


def _renamed(
    root: Path,
    made: Plan,
    old: Description,
    new: Description,
    written: Mapping[str, Mapping[str, str]],
    targets: Targets,
    former: Targets,
) -> dict[str, Mapping[str, str]]:
    """Move the files of a resource to its new name, with what people wrote there.

    :returns: the digests as if they had been written under the new name.
    """
    words = {old.class_name: new.class_name, old.type: new.type, old.module: new.module}
    words |= {f"{old.class_name}Schema": f"{new.class_name}Schema", old.factory: new.factory}
    pattern = re.compile(rf"(?<![A-Za-z])({'|'.join(map(re.escape, words))})(?![A-Za-z])")
    before = files_of(old, former)
    digests: dict[str, Mapping[str, str]] = dict(written)
    for folder in ("users_service/models/", "users_service/schemas/", "tests/api/test_"):
        path, to = f"{folder}{old.module}.py", f"{folder}{new.module}.py"
        text = made.text(root, path)
        if text is None:
            continue

        def renamed(code: str, to: str = to) -> str:
            return formatted(to, pattern.sub(lambda word: words[word[1]], code))

        made.put(root, path, None)
        made.put(root, to, renamed(text))
        # What another version wrote counts as made by hand.
        same = merge(path, before[path], None, {}).digests == digests.pop(path, {})
        digests[to] = merge(to, renamed(before[path]), None, {}).digests if same else {}
    return digests
