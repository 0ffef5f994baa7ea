"""The columns of texts, and those that are computed from a text of the same row."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import FromClause, String, Text, event, text
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeEngine

from users_service.texts import KEY_LENGTH, fold, name_key

Compute = Callable[[str], str]

# SQLite adds a column that is not null to a table with rows only if it has a default; and unique it
# becomes only by an index. So it is on every engine.
EMPTY = text("''")


def _exact(length: int) -> TypeEngine[str]:
    return String(length).with_variant(String(length, collation="C"), "postgresql")


# On PostgreSQL trigrams know the letters of the collation: with C those of ASCII alone.
FOLDED_TEXT = (
    Text()
    .with_variant(Text(collation="C.utf8"), "postgresql")
    .with_variant(MEDIUMTEXT(), "mysql", "mariadb")
)


def text_column(length: int, **options: Any) -> MappedColumn[Any]:
    """A text column that is compared and sorted by code point on every engine.

    :param length: characters, at most.
    :param options: further arguments of `mapped_column`.
    """
    return mapped_column(_exact(length), **options)


def long_text_column(length: int, **options: Any) -> MappedColumn[Any]:
    """A text column that may be long, and has no index.

    On MariaDB the other texts of a row have 65,535 bytes together, of which each takes four for
    every character that it may have.

    :param length: characters, at most.
    :param options: further arguments of `mapped_column`.
    """
    kind = _exact(length).with_variant(MEDIUMTEXT(), "mysql", "mariadb")
    return mapped_column(kind, **options)


def key_column(
    length: int,
    attribute: str,
    compute: Compute,
    *,
    operator: str | None = None,
    **options: Any,
) -> MappedColumn[Any]:
    """A column that is computed from an attribute of its model, and says what is the same.

    :param length: characters, at most.
    :param attribute: the model's attribute, named as its column, as this one is.
    :param compute: computes the key, of a text.
    :param operator: `eq` if filters for the attribute compare the key.
    :param options: further arguments of `mapped_column`.
    """
    return _computed(_exact(length), attribute, compute, operator, options)


def name_key_column(attribute: str) -> MappedColumn[Any]:
    """A key by which names are unique: those that look the same have the same key.

    :param attribute: the model's attribute, named as its column.
    """
    options: dict[str, Any] = {"unique": True, "index": True, "server_default": EMPTY}
    return key_column(KEY_LENGTH, attribute, name_key, **options)


def folded_column(attribute: str, *, nullable: bool = False) -> MappedColumn[Any]:
    """The text of an attribute without its case: the filter `icontains` searches it.

    :param attribute: the model's attribute, named as its column, whose texts are in NFC.
    :param nullable: whether the attribute is.
    """
    options = {"nullable": True} if nullable else {"server_default": EMPTY}
    return _computed(FOLDED_TEXT, attribute, fold, "icontains", options)


def _computed(
    kind: TypeEngine[str],
    attribute: str,
    compute: Compute,
    operator: str | None,
    options: dict[str, Any],
) -> MappedColumn[Any]:
    info = {"attribute": attribute, "compute": compute, "operator": operator}

    def of_row(context: DefaultExecutionContext) -> str | None:
        row: Mapping[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
        return _compute(compute, row.get(attribute))

    return mapped_column(kind, default=of_row, info=info, **options)


@cache
def _computed_columns(table: FromClause) -> list[tuple[str, str, Compute]]:
    """Return the names of computed columns, of what they are computed from, and the functions."""
    columns = [column for column in table.columns if "compute" in column.info]
    return [(c.key, c.info["attribute"], c.info["compute"]) for c in columns]


def computed_values(model: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row's computed columns, for statements without the model.

    :param row: its other values, by column.
    """
    columns = _computed_columns(model.__table__)
    return {name: _compute(compute, row[attribute]) for name, attribute, compute in columns}


def compute_on_assignment(model: Any) -> None:
    """Let the entities of a model compute these columns whenever their attributes are set."""
    for name, attribute, compute in _computed_columns(model.__table__):
        event.listen(getattr(model, attribute), "set", _computing(name, compute))


def _computing(name: str, compute: Compute) -> Callable[..., None]:
    def on_set(entity: Any, value: Any, _former: Any, _initiator: Any) -> None:
        setattr(entity, name, _compute(compute, value))

    return on_set


def _compute(compute: Compute, value: str | None) -> str | None:
    return None if value is None else compute(value)
