"""What is described in a checkout, and what was applied: `resources/`, and `.applied/` in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from users_service.generator.model import Description, DescriptionError
from users_service.generator.reading import description_of, load, plain, read

FOLDER = "resources"
APPLIED = f"{FOLDER}/.applied"
FIRST = "# Written by users-service resource apply. Commit it, and do not edit it.\n"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A description as last applied.

    :param files: the digest of each statement that was written, by file and place.
    :param removed: the revision that renamed its table, if it was removed; else empty.
    """

    description: Description
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    removed: str = ""


def descriptions(root: Path) -> dict[str, Description]:
    """Read all descriptions of a checkout.

    :raises DescriptionError: with the faults of all of them.
    """
    found, faults = {}, []
    for path in sorted((root / FOLDER).glob("*.yaml")):
        try:
            found[path.stem] = read(path)
        except DescriptionError as error:
            faults.append(str(error))
    if faults:
        raise DescriptionError("\n".join(faults))
    return found


def records(root: Path) -> dict[str, Record]:
    """Read what was applied, removed resources too."""
    found = {}
    for path in sorted((root / APPLIED).glob("*.yaml")):
        try:
            document = plain(load(path))
            found[path.stem] = Record(
                description=description_of(document["description"]),
                files=document["files"],
                removed=document["removed"],
            )
        except (KeyError, TypeError, AttributeError):
            raise DescriptionError(
                f"{path}: Is damaged. Get it back: git checkout {path}"
            ) from None
    return found


def record_text(
    made: Description, files: Mapping[str, Mapping[str, str]], removed: str = ""
) -> str:
    """The text of a record, of what was applied."""
    text = StringIO()
    yaml = YAML(pure=True)
    yaml.width = 1000
    yaml.dump({"description": made.source, "files": files, "removed": removed}, text)
    return FIRST + text.getvalue()
