"""The types of columns: what they refuse to store, and how migrations are drafted of them."""

from decimal import Decimal

import pytest
from sqlalchemy.dialects import mysql, postgresql, sqlite

from tests.test_adding_a_resource import run, tree  # noqa: F401  # a fixture
from users_service.models import JSON_TYPE, Exact

DIALECTS = [sqlite.dialect(), postgresql.dialect(), mysql.dialect()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("value", ["0.001", "1000", "-1000", "1e20", "NaN", "Infinity", "sNaN"])
def test_no_engine_is_given_a_decimal_that_it_would_round_or_refuse(dialect, value):
    with pytest.raises((ValueError, ArithmeticError)):
        Exact(5, 2).process_bind_param(Decimal(value), dialect)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize(
    ("digits", "scale", "value"), [(5, 2, "-999.99"), (2, 2, "0.99"), (3, 0, "999"), (18, 9, "1")]
)
def test_a_decimal_comes_back_with_all_decimals(dialect, digits, scale, value):
    bound = Exact(digits, scale).process_bind_param(Decimal(value), dialect)
    assert isinstance(bound, int) is (dialect.name == "sqlite")
    if dialect.name == "sqlite":  # the others have decimals of their own
        bound = Exact(digits, scale).process_result_value(bound, dialect)
    assert str(bound) == f"{Decimal(value):.{scale}f}"


@pytest.mark.parametrize(("digits", "scale"), [(0, 0), (19, 2), (2, 3), (5, -1)])
def test_a_decimal_has_digits_that_all_engines_have(digits, scale):
    with pytest.raises(ValueError, match="1 to 18 digits"):
        Exact(digits, scale)


def test_json_has_changed_if_it_is_written_otherwise():
    assert not JSON_TYPE.compare_values({"a": 1}, {"a": True})
    assert not JSON_TYPE.compare_values([1, 2], [2, 1])
    assert JSON_TYPE.compare_values({"a": 1, "b": None}, {"b": None, "a": 1})


def test_migrations_are_drafted_without_the_service(tree):  # noqa: F811
    model = tree / "users_service" / "models" / "groups.py"
    text = model.read_text()
    field = "    description: Mapped[str | None] = text_column(10_000)\n"
    assert text.count(field) == 1
    columns = "    budget: Mapped[Any] = mapped_column(Exact(12, 2), nullable=True)\n"
    columns += "    facts: Mapped[Any] = mapped_column(JSON_TYPE, nullable=True)\n"
    imports = "from typing import Any\nfrom sqlalchemy.orm import mapped_column\n"
    imports += "from users_service.models.base import JSON_TYPE, Exact\n"
    beginning = "from __future__ import annotations\n"
    assert beginning in text
    text = text.replace(beginning, beginning + imports).replace(field, field + columns)
    model.write_text(text)
    alembic = ".venv/bin/alembic -c development.ini"
    run(tree, f"{alembic} upgrade head")
    run(tree, f"{alembic} revision --autogenerate --rev-id 9999 -m budget")
    (draft,) = (tree / "users_service" / "alembic" / "versions").glob("9999_*.py")
    assert 'sa.Numeric(12, 2).with_variant(sa.BigInteger(), "sqlite")' in draft.read_text()
    assert 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")' in draft.read_text()
    assert "users_service" not in draft.read_text()
    run(tree, f"{alembic} upgrade head")
    run(tree, f"{alembic} check")
