"""The SQL of each engine for searching within texts: contains, starts with, ends with."""

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

# The key of `Column.info` for the collation that PostgreSQL searches by, if it is not the column's
# own. It should know the case of all letters, and be the collation of the column's trigram index.
COLLATION = "search_collation"


def pattern_of(kind: str, text: str) -> str:
    """Return the LIKE pattern of a search, with its wildcards escaped by `/`.

    :param kind: the filter's operator.
    """
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return {"startswith": f"{escaped}%", "endswith": f"%{escaped}"}.get(kind, f"%{escaped}%")


class contains(FunctionElement[bool]):  # noqa: N801  # as SQLAlchemy names functions
    """Holds if a text contains another one; the case of letters counts.

    The arguments are the column, the text to look for, and its LIKE pattern.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # SQLAlchemy would write `… = 1`, for which no engine uses an index


class contains_folded(contains):  # noqa: N801
    """Holds if a text contains another one; the case of letters, in all of Unicode, is ignored."""

    inherit_cache = True


class starts_with(contains):  # noqa: N801
    inherit_cache = True


class ends_with(contains):  # noqa: N801
    inherit_cache = True


MATCHES = {
    "contains": contains,
    "icontains": contains_folded,
    "startswith": starts_with,
    "endswith": ends_with,
}


@compiles(contains)
@compiles(starts_with)
@compiles(ends_with)
def _like(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"{text} LIKE {pattern} ESCAPE '/'"


@compiles(contains_folded)
def _like_folded(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"lower({text}) LIKE lower({pattern}) ESCAPE '/'"


# An index serves only searches by its own collation. `starts_with` uses the index of the column,
# and so has no COLLATE.
@compiles(contains, "postgresql")
@compiles(ends_with, "postgresql")
def _like_collated(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"{text}{_collate(element, compiler)} LIKE {pattern} ESCAPE '/'"


@compiles(contains_folded, "postgresql")
def _ilike_collated(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"{text}{_collate(element, compiler)} ILIKE {pattern} ESCAPE '/'"


def _collate(element: Any, compiler: Any) -> str:
    """Return the COLLATE clause from the `info` of the searched column, if it has one."""
    for column in next(iter(element.clauses)).base_columns:
        if name := getattr(column, "info", {}).get(COLLATION):
            return f" COLLATE {compiler.preparer.quote_identifier(name)}"
    return ""


# SQLite's LIKE ignores the case of ASCII letters, so that the other functions need instr.
@compiles(contains, "sqlite")
def _instr(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"instr({text}, {part}) > 0"


@compiles(contains_folded, "sqlite")
def _instr_folded(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"instr(lower({text}), lower({part})) > 0"


@compiles(starts_with, "sqlite")
def _left(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"instr({text}, {part}) = 1"


@compiles(ends_with, "sqlite")
def _right(element: Any, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"substr({text}, -length({part})) = {part}"
