"""The SQL of each engine for searching within texts: contains, starts with, ends with.

The case of letters counts, as each column is compared exactly. Where it shall not, a column with
folded texts is searched for a folded text.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

FOLDED = "icontains"
"""The operator that searches the column with folded texts."""


class contains(FunctionElement[bool]):  # noqa: N801  # as SQLAlchemy names functions
    """Holds if a text contains another one.

    The arguments are the column, the text to look for, and its LIKE pattern. The column with the
    folded texts and the folded pattern may follow.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # SQLAlchemy would write `… = 1`, for which no engine uses an index


class starts_with(contains):  # noqa: N801
    inherit_cache = True


class ends_with(contains):  # noqa: N801
    inherit_cache = True


MATCHES = {
    "contains": contains,
    FOLDED: contains,
    "startswith": starts_with,
    "endswith": ends_with,
}


def texts_of(operator: str, text: str, fold: Callable[[str], str] | None) -> list[str]:
    """Return what a search binds: the text to look for, its pattern, and the folded pattern.

    :param operator: one of MATCHES.
    :param fold: folds a text; None if there is no column with folded texts.
    """
    if fold is None or operator == "startswith":
        return [text, _pattern(operator, text)]
    folded = fold(text)
    if operator == FOLDED:
        return [folded, _pattern(operator, folded)]
    return [text, _pattern(operator, text), _pattern(operator, folded)]


def matches(operator: str, column: Any, folded: Any, texts: Iterable[Any]) -> FunctionElement[bool]:
    """Return the condition that a text matches.

    :param operator: one of MATCHES.
    :param column: the column with the text.
    :param folded: the column with the folded text; None if there is none.
    :param texts: the bind parameters for the result of `texts_of`.
    """
    text, pattern, *folded_pattern = texts
    if operator == FOLDED:
        column = folded
    more = [folded, *folded_pattern] if folded_pattern else []
    return MATCHES[operator](column, text, pattern, *more)


def _pattern(operator: str, text: str) -> str:
    """Return the LIKE pattern of a search, with its wildcards escaped by `/`."""
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return {"startswith": f"{escaped}%", "endswith": f"%{escaped}"}.get(operator, f"%{escaped}%")


def _like(column: str, pattern: str) -> str:
    return f"{column} LIKE {pattern} ESCAPE '/'"


@compiles(contains)
@compiles(starts_with)
@compiles(ends_with)
def _one_like(element: Any, compiler: Any, **options: Any) -> str:
    column, _, pattern, *_ = element.clauses
    return _like(compiler.process(column, **options), compiler.process(pattern, **options))


# On PostgreSQL the trigrams of the folded texts find whatever contains the text, and more: so that
# one index serves all searches. `starts_with` uses an index in the order of the column.
@compiles(contains, "postgresql")
@compiles(ends_with, "postgresql")
def _likes(element: Any, compiler: Any, **options: Any) -> str:
    column, _, pattern, *folded = element.clauses
    likes = [folded, (column, pattern)] if folded else [(column, pattern)]
    found = (_like(*(compiler.process(clause, **options) for clause in like)) for like in likes)
    return f"({' AND '.join(found)})"


# SQLite's LIKE ignores the case of ASCII letters.
@compiles(contains, "sqlite")
def _instr(element: Any, compiler: Any, **options: Any) -> str:
    column, part = _operands(element, compiler, **options)
    return f"instr({column}, {part}) > 0"


@compiles(starts_with, "sqlite")
def _left(element: Any, compiler: Any, **options: Any) -> str:
    column, part = _operands(element, compiler, **options)
    return f"instr({column}, {part}) = 1"


@compiles(ends_with, "sqlite")
def _right(element: Any, compiler: Any, **options: Any) -> str:
    column, part = _operands(element, compiler, **options)
    return f"substr({column}, -length({part})) = {part}"


def _operands(element: Any, compiler: Any, **options: Any) -> list[str]:
    return [compiler.process(clause, **options) for clause in list(element.clauses)[:2]]
