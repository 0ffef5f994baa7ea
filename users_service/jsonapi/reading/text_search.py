"""Searching within texts, in the words of each engine: conditions that hold where a text contains,
begins or ends with another one.
"""

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

# What a text column has in its `info` if PostgreSQL is to search within it by another collation
# than its own: one that knows the case of all letters, and that of an index of trigrams.
COLLATION = "search_collation"


def pattern_of(kind: str, text: str) -> str:
    """The pattern for texts that contain another one, in which no character is a wildcard."""
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return {"startswith": f"{escaped}%", "endswith": f"%{escaped}"}.get(kind, f"%{escaped}%")


class contains(FunctionElement[bool]):  # noqa: N801  # as SQLAlchemy names functions
    """A text contains another one, case by case. Takes the text to look for also as a pattern."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # and not `… = 1`, for which no engine looks into an index


class contains_folded(contains):  # noqa: N801
    """A text contains another one without regard to case, by all letters of Unicode."""

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


# An index serves a search that is by its own collation. Beginnings are found in the index of the
# column itself, and so by the collation that it has.
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
    """The collation that the searched column has in its `info`, however its table is aliased."""
    for column in next(iter(element.clauses)).base_columns:
        if name := getattr(column, "info", {}).get(COLLATION):
            return f" COLLATE {compiler.preparer.quote_identifier(name)}"
    return ""


# LIKE of SQLite ignores the case of ASCII letters.
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
