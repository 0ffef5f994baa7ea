"""What a migration asks before a step, so that it can be repeated.

MariaDB commits each statement that changes a table by itself. A migration that was killed there
begins again on what it has left, and its revision is not written yet. So every step, up and down,
does nothing if it has been done: by `if_not_exists` and `if_exists`, which most operations of
Alembic have, or by a look at what is there.
"""

from sqlalchemy import inspect

from alembic import op


def has_column(table, name):
    return any(column["name"] == name for column in inspect(op.get_bind()).get_columns(table))


def has_index(table, name):
    return any(index["name"] == name for index in inspect(op.get_bind()).get_indexes(table))


def has_foreign_key(table, name):
    return any(key["name"] == name for key in inspect(op.get_bind()).get_foreign_keys(table))
