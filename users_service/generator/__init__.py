"""Resources from descriptions: read, checked, planned, shown, tried, and written.

`resources/<type>.yaml` is read and checked (`reading`, `checks`), written as Python (`writing`),
merged with what is there (`merging`), and compared with what was applied last (`tables`,
`revisions`). A plan has it all; carrying it out tries it first.
"""

from pathlib import Path

from users_service.generator.carrying_out import carry_out
from users_service.generator.editing import begin, rename
from users_service.generator.merging import MergeError
from users_service.generator.model import DescriptionError
from users_service.generator.plan import Plan, plan
from users_service.generator.records import descriptions, records
from users_service.generator.schema import SCHEMA
from users_service.generator.trial import TrialError

__all__ = [
    "FAULTS",
    "SCHEMA",
    "DescriptionError",
    "Plan",
    "begin",
    "carry_out",
    "plan",
    "rename",
    "states",
]

FAULTS = (DescriptionError, MergeError, TrialError)


def states(root: Path) -> dict[str, str]:
    """What is described, and what was: whether it is applied, new, changed or removed."""
    new, old = descriptions(root), records(root)
    found = {}
    for kind in sorted(new.keys() | old.keys()):
        record, made = old.get(kind), new.get(kind)
        if record is None:
            found[kind] = "new"
        elif record.removed:
            found[kind] = f"removed by migration {record.removed}; its rows are kept"
        elif made is None:
            found[kind] = "its description is not there"
        else:
            same = made.source == record.description.source
            found[kind] = "applied" if same else "changed"
    return found
