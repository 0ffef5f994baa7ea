"""Deletes rows that are over, some at a time: short transactions hold up nobody."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select

# Rows that one transaction deletes.
AT_ONCE = 1000


def delete_some(connection: Connection, key: Any, is_over: ColumnElement[bool]) -> int:
    """Delete some of the rows that are over.

    :param key: the column of the primary key.
    :returns: how many were deleted; 0 if there are none left.
    """
    keys = connection.execute(select(key).where(is_over).limit(AT_ONCE)).scalars().all()
    if keys:
        connection.execute(delete(key.table).where(key.in_(keys), is_over))
    return len(keys)
