"""What written migrations call: steps that do the same on SQLite, PostgreSQL and MariaDB.

**Migrations that were carried out somewhere import this.** So a function keeps its name, its
arguments and what it does to a database for good; a change is a new function beside it.

Each step does what is missing and can be repeated after it was stopped anywhere, because on MariaDB
each statement about tables commits by itself, and on PostgreSQL steps commit before they go on
without holding up those who use the table. See ADR 28.
"""

from users_service.database.steps.columns import (
    add_column,
    change_column,
    check_column,
    drop_column,
    rename_column,
)
from users_service.database.steps.fields import Field
from users_service.database.steps.kinds import (
    boolean,
    choice,
    day,
    decimal,
    email,
    integer,
    json,
    key,
    line,
    text,
    timestamp,
    url,
)
from users_service.database.steps.permissions import rename_permissions
from users_service.database.steps.plans import (
    Step,
    addition,
    association,
    change,
    creation,
    final_loss,
    loss,
    new_name,
    removal,
    renamed_permissions,
    renaming,
)
from users_service.database.steps.rehearsal import RehearsalError, rehearse
from users_service.database.steps.rows import MADE_UP
from users_service.database.steps.tables import (
    create_association,
    create_table,
    drop_table,
    remove_table,
    rename_table,
)

__all__ = [
    "MADE_UP",
    "Field",
    "RehearsalError",
    "Step",
    "add_column",
    "addition",
    "association",
    "boolean",
    "change",
    "change_column",
    "check_column",
    "choice",
    "create_association",
    "create_table",
    "creation",
    "day",
    "decimal",
    "drop_column",
    "drop_table",
    "email",
    "final_loss",
    "integer",
    "json",
    "key",
    "line",
    "loss",
    "new_name",
    "rehearse",
    "removal",
    "remove_table",
    "rename_column",
    "rename_permissions",
    "rename_table",
    "renamed_permissions",
    "renaming",
    "text",
    "timestamp",
    "url",
]
