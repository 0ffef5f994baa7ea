"""Searching within texts on PostgreSQL: by the collation that the host has said for a column."""

import pytest
from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from tests.jsonapi.toy import ARTICLES, Article
from users_service.jsonapi.reading.text_search import MATCHES

COLLATED = {"contains", "icontains", "endswith"}
ARTICLE_TABLE = Article.__table__
assert isinstance(ARTICLE_TABLE, Table)

TITLES = {
    "attribute": Article.title,
    "column": ARTICLE_TABLE.c.title,
    "attribute of an alias": aliased(Article).title,
    "column of an alias": ARTICLE_TABLE.alias().c.title,
    "column of a subquery": select(ARTICLE_TABLE.c.title).subquery().c.title,
}


def sql(operator: str, column, dialect) -> str:
    return str(MATCHES[operator](column, "a", "%a%").compile(dialect=dialect))


@pytest.mark.parametrize("operator", MATCHES)
@pytest.mark.parametrize("column", TITLES.values(), ids=TITLES)
def test_a_column_is_searched_by_its_collation(operator, column):
    collation = ' COLLATE "C.utf8" ' if operator in COLLATED else " "
    like = "ILIKE" if operator == "icontains" else "LIKE"
    assert f"title{collation}{like} " in sql(operator, column, postgresql.dialect())


@pytest.mark.parametrize("operator", MATCHES)
def test_without_a_collation_none_is_written(operator):
    assert "COLLATE" not in sql(operator, Article.subtitle, postgresql.dialect())
    assert "COLLATE" not in sql(operator, Article.title, sqlite.dialect())


@pytest.mark.parametrize("running_toy", ["postgresql"], indirect=True)
def test_the_case_of_all_letters_is_known_to_the_collation(toy):
    toy.insert(Article, [{"title": "CAFÉ", "subtitle": "CAFÉ"}])
    for field, found in (("title", 1), ("subtitle", 0)):
        response = toy.client.get(f"{ARTICLES}?filter[{field}][icontains]=%C3%A9")
        assert (field, len(response.json["data"])) == (field, found)
