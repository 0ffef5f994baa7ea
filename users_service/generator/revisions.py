"""The text of a migration, of its steps."""

import re
from collections.abc import Sequence
from textwrap import fill

from users_service.database.steps import Step
from users_service.generator.code import formatted

LIBRARY = "users_service.database.steps"


def text_of(title: str, steps: Sequence[Step], revision: str, down_revision: str) -> str:
    """Return the text of a migration.

    It begins with what stops it if rows are in its way; the downgrade goes back step by step.

    :param title: its first line, without a full stop.
    """
    up = [step.check for step in steps if step.check] + [step.up for step in steps]
    down = [step.check_down for step in reversed(steps) if step.check_down]
    down += [step.down for step in reversed(steps)]
    body = "\n".join([*up, *down])
    called = sorted({*re.findall(r"\b([a-z_]+)\(", body), *re.findall(r"\bMADE_UP\b", body)})
    lines = [f"- {step.says} ({step.label})" for step in steps]
    says = "\n".join(fill(line, 99, subsequent_indent="  ") for line in lines)
    return formatted(
        f"alembic/versions/{revision}.py",
        f'"""{title}.\n\n{says}\n\nRevision: {revision}, after {down_revision}\n"""\n\n'
        f"from {LIBRARY} import {', '.join(called)}\n\n"
        f'revision = "{revision}"\ndown_revision = "{down_revision}"\n'
        "branch_labels = None\ndepends_on = None\n\n\n"
        f"{_function('upgrade', up)}\n\n{_function('downgrade', down)}",
    )


def _function(name: str, lines: Sequence[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines or ["pass"])
    return f"def {name}():\n{body}"
