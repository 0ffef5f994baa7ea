"""What a model and a schema must have to be a resource: each fault is told, and all at once."""

from datetime import date
from typing import Any

import marshmallow
import pytest
from marshmallow_jsonapi import Schema, fields
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationConflictError, ConfigurationExecutionError
from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Numeric,
    String,
    Table,
    Uuid,
    event,
    select,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Unmapped,
    column_property,
    mapped_column,
    relationship,
    synonym,
    unmapped_column,
    validates,
)

from users_service.jsonapi import Display, Limits, ResourceError, Rules, Section

GONE = object()
"""Stands for a member that a class has not."""

Members = dict[str, Any]


class World:
    """Articles, their author and their tags: without a fault, but for what a test changes.

    The members of each class are given by its name in lower case.
    """

    def __init__(self, **changed: Members) -> None:
        class Base(DeclarativeBase):
            pass

        self.base = changed.pop("base", Base)
        self.changed = changed
        Table(
            "taggings",
            self.base.metadata,
            Column("article_id", ForeignKey("articles.id"), primary_key=True),
            Column("tag_id", ForeignKey("tags.id"), primary_key=True),
            *changed.pop("taggings", []),
        )
        self.article = self._model(
            "Article",
            title=Column(String, nullable=False),
            author_id=Column(ForeignKey("people.id")),
            author=relationship("Person", viewonly=True),
            tags=relationship("Tag", secondary="taggings", viewonly=True),
        )
        self.person = self._model(
            "Person",
            name=Column(String),
            articles=relationship("Article", viewonly=True),
        )
        self.tag = self._model(
            "Tag", articles=relationship("Article", secondary="taggings", viewonly=True)
        )
        self.article_schema = self._schema(
            "ArticleSchema",
            "articles",
            title=fields.String(required=True),
            author=fields.Relationship(type_="people"),
            tags=fields.Relationship(type_="tags", many=True),
        )
        self.person_schema = self._schema("PersonSchema", "people", name=fields.String())
        self.tag_schema = self._schema("TagSchema", "tags")

    def _model(self, called: str, /, **members: Any) -> Any:
        members = {
            "__tablename__": {"Person": "people"}.get(called, f"{called.lower()}s"),
            "id": Column(Integer, primary_key=True),
            "version": Column(Integer, nullable=False, server_default="1"),
        } | members
        members["__mapper_args__"] = {"version_id_col": members["version"]}
        return type(called, (self.base,), self._members(called, members))

    def _schema(self, called: str, type_: str, /, **members: Any) -> Any:
        meta = type("Meta", (), {"type_": type_})
        members = {"Meta": meta, "id": fields.Integer(dump_only=True)} | members
        return type(called, (Schema,), self._members(called, members))

    def _members(self, called: str, members: Members) -> Members:
        members |= self.changed.get(called.lower(), {})
        return {key: value for key, value in members.items() if value is not GONE}

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        return [
            (self.article, self.article_schema),
            (self.person, self.person_schema),
            (self.tag, self.tag_schema),
        ]


def configured(pairs: list[tuple[Any, Any]]) -> Configurator:
    config = Configurator()
    config.include("users_service.jsonapi")
    for model, schema in pairs:
        config.add_jsonapi_resource(model, schema)
    return config


def faults(pairs: list[tuple[Any, Any]]) -> list[str]:
    """The sentences with which an application of these resources is refused."""
    config = configured(pairs)
    try:
        config.commit()
    except ConfigurationExecutionError as error:
        if isinstance(error.evalue, ResourceError):
            return str(error.evalue).splitlines()
        raise
    return []


def versioned(column: Any) -> Members:
    return {"version": column, "__mapper_args__": {"version_id_col": column}}


def needs(self: Any, title: str, isbn: str) -> None:
    """A constructor of a model."""


def takes_title(self: Any, title: str = "") -> None:
    """Another one."""


FOR_LESS = {"attribute": "title", "compute": str.casefold, "operator": "lt"}

CREATED = {"created": True}


def shown(**said: Any) -> Members:
    """A schema of articles that says how they are shown."""
    display = said.pop("display", None) or Display(**said)
    return {"articleschema": {"Meta": type("Meta", (), {"type_": "articles", "display": display})}}


DISPLAY = "ArticleSchema: display in its Meta"

CASES: dict[str, tuple[Members, list[str]]] = {
    # Attributes
    "misspelt": (
        {"articleschema": {"titel": fields.String()}},
        ["ArticleSchema.titel: Article has no column titel; it has author_id, id, title, version."],
    ),
    "misspelt attribute": (
        {"articleschema": {"headline": fields.String(attribute="titel", data_key="head-line")}},
        [
            "ArticleSchema.headline: Article has no column titel; it has author_id, id, title,"
            " version."
        ],
    ),
    "misspelt, write-only": (
        {"personschema": {"pasword": fields.String(load_only=True)}},
        ["PersonSchema.pasword: Person has no column pasword; it has id, name, version."],
    ),
    "property": (
        {
            "person": {"full_name": property(lambda self: self.name)},
            "personschema": {"full_name": fields.String(dump_only=True)},
        },
        ["PersonSchema.full_name: Person.full_name is computed (a property), not a column."],
    ),
    "write-only property without a setter": (
        {
            "person": {"full_name": property(lambda self: self.name)},
            "personschema": {"full_name": fields.String(load_only=True)},
        },
        ["PersonSchema.full_name: Person.full_name is computed (a property), not a column."],
    ),
    "hybrid": (
        {
            "person": {"full_name": hybrid_property(lambda self: self.name)},
            "personschema": {"full_name": fields.String(dump_only=True)},
        },
        ["PersonSchema.full_name: Person.full_name is computed (a hybrid property), not a column."],
    ),
    "expression": (
        {
            "person": {"one": column_property(select(1).scalar_subquery())},
            "personschema": {"one": fields.Integer(dump_only=True)},
        },
        ["PersonSchema.one: Person.one is computed (an expression), not a column."],
    ),
    "synonym": (
        {
            "person": {"label": synonym("name")},
            "personschema": {"label": fields.String()},
        },
        ["PersonSchema.label: Person.label is made of other attributes, not a column."],
    ),
    "proxy": (
        {
            "person": {"titles": association_proxy("articles", "title")},
            "personschema": {"titles": fields.List(fields.String(), dump_only=True)},
        },
        ["PersonSchema.titles: Person.titles is made of other attributes, not a column."],
    ),
    "method": (
        {"person": {"shout": lambda self: "!"}, "personschema": {"shout": fields.String()}},
        ["PersonSchema.shout: Person.shout is an unmapped attribute, not a column."],
    ),
    "write-only constant": (
        {"person": {"limit": 3}, "personschema": {"limit": fields.Integer(load_only=True)}},
        ["PersonSchema.limit: Person.limit is an unmapped attribute, not a column."],
    ),
    "on creation alone, and never": (
        {"personschema": {"name": fields.String(dump_only=True, metadata={"create_only": True})}},
        ["PersonSchema.name: The field is create_only, but clients cannot write it."],
    ),
    "shown after creation alone, and written": (
        {"person": {"key": None}, "personschema": {"key": fields.String(metadata=CREATED)}},
        ["PersonSchema.key: The field is shown after creation alone, but clients can write it."],
    ),
    "shown after creation alone, and stored": (
        {"personschema": {"name": fields.String(dump_only=True, metadata=CREATED)}},
        ["PersonSchema.name: The field is shown after creation alone, but Person.name is stored."],
    ),
    "shown after creation alone, and misspelt": (
        {"personschema": {"kez": fields.String(dump_only=True, metadata=CREATED)}},
        ["PersonSchema.kez: Person has no attribute kez."],
    ),
    "relationship as an attribute": (
        {"personschema": {"articles": fields.List(fields.String())}},
        ["PersonSchema.articles: Person.articles is a relationship, not a column."],
    ),
    # Relationships
    "column as a relationship": (
        {"articleschema": {"author": fields.Relationship(type_="people", attribute="author_id")}},
        ["ArticleSchema.author: Article.author_id is a column, not a relationship."],
    ),
    "misspelt relationship": (
        {"articleschema": {"autor": fields.Relationship(type_="people")}},
        ["ArticleSchema.autor: Article has no relationship autor; it has author, tags."],
    ),
    "misspelt relationship of an unknown type": (
        {"articleschema": {"autor": fields.Relationship(type_="authors")}},
        [
            "ArticleSchema.autor: There is no resource of type authors; there are articles,"
            " people, tags.",
            "ArticleSchema.autor: Article has no relationship autor; it has author, tags.",
        ],
    ),
    "no relationships": (
        {
            "person": {"articles": relationship("Article", viewonly=True)},
            "tag": {"articles": GONE},
            "tagschema": {"articles": fields.Relationship(type_="articles", many=True)},
        },
        [
            "ArticleSchema.tags: Article.tags has no inverse: Tag has no relationship to Article"
            " by taggings.",
            "TagSchema.articles: Tag has no relationship articles; it has none.",
        ],
    ),
    "to-many as to-one": (
        {"articleschema": {"tags": fields.Relationship(type_="tags")}},
        ["ArticleSchema.tags: Article.tags is to-many, but the field is to-one."],
    ),
    "to-one as to-many": (
        {"articleschema": {"author": fields.Relationship(type_="people", many=True)}},
        ["ArticleSchema.author: Article.author is to-one, but the field is to-many."],
    ),
    "to-many by a foreign key": (
        {
            "article": {"author": relationship("Person", viewonly=True, uselist=True)},
            "articleschema": {"author": fields.Relationship(type_="people", many=True)},
        },
        [
            "ArticleSchema.author: Article.author is to-many, but its foreign key leads to"
            " one row.",
        ],
    ),
    "another permission at the other end": (
        {
            "articleschema": {
                "author": fields.Relationship(
                    type_="people", metadata={"permission": "people:credit"}
                )
            },
            "personschema": {"articles": fields.Relationship(type_="articles", many=True)},
        },
        [
            "ArticleSchema.author: Article.author needs the permission people:credit, but"
            " PersonSchema.articles needs None.",
            "PersonSchema.articles: Person.articles needs the permission None, but"
            " ArticleSchema.author needs people:credit.",
        ],
    ),
    "on creation alone, but by the other end": (
        {
            "articleschema": {
                "author": fields.Relationship(type_="people", metadata={"create_only": True})
            },
            "personschema": {"articles": fields.Relationship(type_="articles", many=True)},
        },
        [
            "ArticleSchema.author: Article.author is written on creation alone, but by"
            " PersonSchema.articles at any time."
        ],
    ),
    "no type": (
        {"articleschema": {"author": fields.Relationship()}},
        ["ArticleSchema.author: The field has no type_."],
    ),
    "unknown type": (
        {"articleschema": {"author": fields.Relationship(type_="authors")}},
        [
            "ArticleSchema.author: There is no resource of type authors; there are articles,"
            " people, tags."
        ],
    ),
    "wrong type": (
        {"articleschema": {"author": fields.Relationship(type_="tags")}},
        [
            "ArticleSchema.author: Article.author leads to Person, but the model of type tags is"
            " Tag."
        ],
    ),
    "no other end of a foreign key": (
        {"person": {"articles": GONE}},
        [
            "ArticleSchema.author: Article.author has no inverse: Person has no relationship to"
            " Article by articles.author_id."
        ],
    ),
    "other end over another foreign key": (
        {
            "article": {
                "editor_id": Column(ForeignKey("people.id")),
                "author": relationship("Person", foreign_keys="Article.author_id", viewonly=True),
            },
            "person": {
                "articles": relationship("Article", foreign_keys="Article.editor_id", viewonly=True)
            },
        },
        [
            "ArticleSchema.author: Article.author has no inverse: Person has no relationship to"
            " Article by articles.author_id."
        ],
    ),
    "no other end of an association table": (
        {"tag": {"articles": GONE}},
        [
            "ArticleSchema.tags: Article.tags has no inverse: Tag has no relationship to Article"
            " by taggings."
        ],
    ),
    "foreign key of several columns": (
        {
            "person": {"name": Column(String, primary_key=True)},
            "article": {
                "author_id": Column(Integer),
                "author_name": Column(String),
                "__table_args__": (
                    ForeignKeyConstraint(
                        ["author_id", "author_name"], ["people.id", "people.name"]
                    ),
                ),
            },
        },
        [
            "ArticleSchema.author: Article.author has a foreign key of several columns.",
            "PersonSchema.id: Person has a primary key of several columns (id, name).",
            "PersonSchema: Person needs a value of people.id, which has no default and no field"
            " that clients can write.",
        ],
    ),
    "foreign key to another column": (
        {
            "person": {"name": Column(String, unique=True)},
            "article": {"author_id": Column(ForeignKey("people.name"))},
        },
        [
            "ArticleSchema.author: Article.author leads to people.name by articles.author_id,"
            " not to the primary key."
        ],
    ),
    "condition beside the foreign key": (
        {
            "article": {
                "author": relationship(
                    "Person",
                    primaryjoin="and_(Person.id == Article.author_id, Person.name != '')",
                    viewonly=True,
                )
            }
        },
        ["ArticleSchema.author: Article.author has a condition besides its foreign key."],
    ),
    "foreign key that is not mapped": (
        {
            "article": {
                "author_id": unmapped_column(ForeignKey("people.id")),
                "__annotations__": {"author_id": Unmapped[int | None]},
            }
        },
        [
            "ArticleSchema.author: Article.author is stored in articles.author_id, which Article"
            " does not map.",
        ],
    ),
    "association table with more in it": (
        {"taggings": [Column("place", Integer, nullable=False)]},
        ["ArticleSchema.tags: Article.tags needs a value of taggings.place, which has no default."],
    ),
    # Versions
    "no version": (
        {"article": {"__mapper_args__": {}}},
        ["ArticleSchema: Article has no version_id_col."],
    ),
    "version of another type": (
        {"article": versioned(Column(String, server_default="1", nullable=False))},
        ["ArticleSchema: The version Article.version is of type str, not int."],
    ),
    "version of a type that SQLAlchemy does not know": (
        {"article": versioned(Column(INET, server_default="::1", nullable=False))},
        ["ArticleSchema: The version Article.version is of type object, not int."],
    ),
    "version without a default": (
        {"article": versioned(Column(Integer, nullable=False))},
        ["ArticleSchema: The version Article.version has no default for new rows."],
    ),
    "version that clients write": (
        {"articleschema": {"revision": fields.Integer(attribute="version")}},
        ["ArticleSchema.revision: Clients can write the version Article.version."],
    ),
    # Ids
    "id read as text": (
        {"articleschema": {"id": fields.String()}},
        ["ArticleSchema.id: The field reads ids of type str, but Article.id is of type int."],
    ),
    "id read as a UUID": (
        {"articleschema": {"id": fields.UUID()}},
        ["ArticleSchema.id: The field reads ids of type UUID, but Article.id is of type int."],
    ),
    "id read as a number": (
        {"tag": {"id": Column(Uuid, primary_key=True, default=1), "articles": GONE}},
        [
            "ArticleSchema.tags: Article.tags has no inverse: Tag has no relationship to Article"
            " by taggings.",
            "TagSchema.id: The field reads ids of type int, but Tag.id is of type UUID.",
        ],
    ),
    "id of a type that is no id": (
        {
            "tag": {"id": Column(Date, primary_key=True, default=date.today)},
            "tagschema": {"id": fields.Date()},
        },
        ["TagSchema.id: Tag.id is of type date, not int, str or UUID."],
    ),
    "id of a number that is not whole": (
        {
            "tag": {"id": Column(Numeric, primary_key=True, default=1)},
            "tagschema": {"id": fields.Decimal()},
        },
        [
            "TagSchema.id: Tag.id is of type Decimal, not int, str or UUID.",
        ],
    ),
    "id that is no column": (
        {"tagschema": {"id": fields.Integer(attribute="number", dump_only=True)}},
        ["TagSchema.id: Tag has no column number; it has id, version."],
    ),
    "id that is not the primary key": (
        {
            "tag": {"number": Column(Integer, unique=True)},
            "tagschema": {"id": fields.Integer(attribute="number", dump_only=True)},
        },
        ["TagSchema.id: Tag.number is not the primary key, which is id."],
    ),
    "primary key of several columns": (
        {"tag": {"place": Column(Integer, primary_key=True, default=1)}},
        ["TagSchema.id: Tag has a primary key of several columns (id, place)."],
    ),
    "no id": (
        {"tagschema": {"id": GONE}},
        ["TagSchema: Must have an `id` field."],
    ),
    "no type of the resource": (
        {"personschema": {"Meta": type("Meta", (), {})}, "articleschema": {"author": GONE}},
        ["PersonSchema: Must specify type_ class Meta option."],
    ),
    # Creation
    "value that nothing gives": (
        {"article": {"slug": Column(String, nullable=False)}},
        [
            "ArticleSchema: Article needs a value of articles.slug, which has no default and no"
            " field that clients can write."
        ],
    ),
    "value that is read-only": (
        {
            "articleschema": {
                "title": fields.String(dump_only=True),
                "x": fields.String(attribute="title", dump_only=True),
            }
        },
        [
            "ArticleSchema: Article needs a value of articles.title, which has no default and no"
            " field that clients can write."
        ],
    ),
    "id that nothing gives": (
        {
            "tag": {"id": Column(Uuid, primary_key=True), "name": Column(String)},
            "tagschema": {"id": fields.UUID(dump_only=True), "name": fields.String()},
        },
        [
            "TagSchema: Tag needs a value of tags.id, which has no default and no field that"
            " clients can write."
        ],
    ),
    "foreign key without a relationship": (
        {
            "article": {"author_id": Column(ForeignKey("people.id"), nullable=False)},
            "articleschema": {"author": GONE},
        },
        [
            "ArticleSchema: Article needs a value of articles.author_id, which has no default and"
            " no field that clients can write."
        ],
    ),
    "foreign key of a read-only relationship": (
        {
            "article": {"author_id": Column(ForeignKey("people.id"), nullable=False)},
            "articleschema": {"author": fields.Relationship(type_="people", dump_only=True)},
        },
        [
            "ArticleSchema: Article needs a value of articles.author_id, which has no default and"
            " no field that clients can write."
        ],
    ),
    "computed from nothing": (
        {"article": {"key": Column(String, nullable=False, info={"attribute": "titel"})}},
        [
            "ArticleSchema: articles.key is computed from titel, as its info says, but Article has"
            " no such attribute."
        ],
    ),
    "computed for an operator, but not how": (
        {"article": {"key": Column(String, info={"attribute": "title", "operator": "eq"})}},
        [
            "ArticleSchema: articles.key is for the operator eq, but its info lacks attribute or"
            " compute."
        ],
    ),
    "computed for another operator": (
        {"article": {"key": Column(String, info=FOR_LESS)}},
        [
            "ArticleSchema: articles.key is for the operator lt, but only eq and icontains compare"
            " computed columns."
        ],
    ),
    "constructor that takes less": (
        {"article": {"__init__": takes_title}},
        ["ArticleSchema: The constructor of Article does not take author_id."],
    ),
    "constructor that needs more": (
        {"article": {"__init__": needs}, "articleschema": {"author": GONE}},
        ["ArticleSchema: The constructor of Article needs isbn, which clients can leave out."],
    ),
    # How it is shown
    "shown by what is no display": (
        shown(display={"one": "Article"}),
        [f"{DISPLAY} is no Display."],
    ),
    "named by nothing": (
        shown(named_by="titel"),
        [f"{DISPLAY} is named by titel, which is no attribute; there are id, title."],
    ),
    "searched where no text is": (
        shown(search=("title", "id", "author")),
        [
            f"{DISPLAY} searches id, which is no text; there are title.",
            f"{DISPLAY} searches author, which is no text; there are title.",
        ],
    ),
    "columns of many values": (
        shown(columns=("title", "author", "tags")),
        [
            f"{DISPLAY} has the column tags, which is no field with one value; there are"
            " author, id, title."
        ],
    ),
    "sorted by nothing": (
        shown(sort="-author"),
        [f"{DISPLAY} sorts by author, which is no field to sort by; there are id, title."],
    ),
    "sections of nothing, and of one field twice": (
        shown(
            sections=(
                Section(title="One", fields=("title", "colour")),
                Section(title="Two", fields=("title", "author")),
            )
        ),
        [
            f"{DISPLAY} has in a section colour, which is no field; there are author, tags, title.",
            f"{DISPLAY} has title in two sections.",
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told(case):
    changed, sentences = CASES[case]
    assert faults(World(**changed).pairs) == sentences


def test_there_is_nothing_to_be_told_of_resources_without_a_fault():
    assert faults(World().pairs) == []


def test_faults_of_several_resources_are_told_at_once():
    world = World(
        articleschema={"titel": fields.String(), "author": fields.Relationship(type_="person")},
        personschema={"nickname": fields.String()},
        tagschema={"id": GONE},
    )
    assert faults(world.pairs) == [
        "TagSchema: Must have an `id` field.",
        "ArticleSchema.titel: Article has no column titel; it has author_id, id, title, version.",
        "ArticleSchema.author: There is no resource of type person; there are articles, people,"
        " tags.",
        "PersonSchema.nickname: Person has no column nickname; it has id, name, version.",
    ]


@pytest.mark.parametrize("limits_last", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_the_order_of_directives_does_not_matter(limits_last, backwards):
    pairs = World().pairs[:: -1 if backwards else 1]
    config = Configurator()
    config.include("users_service.jsonapi")
    limits = Limits(max_operations=7)
    if not limits_last:
        config.set_jsonapi_limits(limits)
    for model, schema in pairs:
        config.add_jsonapi_resource(model, schema)
    config.add_jsonapi_entry()
    if limits_last:
        config.set_jsonapi_limits(limits)
    config.commit()
    api = config.registry["jsonapi"]
    assert api.limits is limits
    related = api.methods["jsonapi:resource:articles:author", "GET"]
    assert related.query.resource is api.resources["people"]


def test_two_schemas_of_one_type_are_a_conflict():
    world = World()
    twice = World().article_schema
    with pytest.raises(ConfigurationConflictError, match="articles"):
        configured([*world.pairs, (world.article, twice)]).commit()


def test_a_query_between_two_tables_cannot_be_written():
    world = World(articleschema={"labels": fields.Relationship(type_="tags", many=True)})
    taggings = world.base.metadata.tables["taggings"]
    between = select(taggings).subquery()
    world.article.labels = relationship(
        world.tag,
        secondary=between,
        primaryjoin=world.article.id == between.c.article_id,
        secondaryjoin=world.tag.id == between.c.tag_id,
        viewonly=True,
    )
    assert faults(world.pairs) == [
        "ArticleSchema.labels: Article.labels has a query as its secondary, not a table."
    ]


def test_what_is_not_mapped_is_no_model():
    class Plain:
        pass

    world = World(articleschema={"author": GONE, "tags": GONE})
    assert faults([(Plain, world.tag_schema), (world.article, world.article_schema)]) == [
        "TagSchema: Plain is not a mapped class."
    ]


def test_what_is_mapped_to_a_query_is_no_model():
    world = World()
    query = select(world.tag.id, world.tag.version).subquery()
    mapped = type("Query", (), {})
    world.base.registry.map_imperatively(mapped, query, primary_key=[query.c.id])
    schema = type("QuerySchema", (World().tag_schema,), {})
    assert faults([(mapped, schema)]) == ["QuerySchema: Query is mapped to a query, not a table."]


def test_models_that_sqlalchemy_cannot_configure_are_told_in_one_sentence():
    world = World(article={"author": relationship("Persn", viewonly=True)})
    (told,) = faults(world.pairs)
    assert told.startswith("The models cannot be configured: ")
    assert "'Persn' failed to locate a name" in told


def test_a_schema_of_another_library_is_refused():
    world = World()

    class PlainSchema(marshmallow.Schema):
        id = fields.Integer()

    assert faults([(world.tag, PlainSchema)]) == [
        "PlainSchema: It has no type_, so it is not a schema of marshmallow-jsonapi."
    ]


@pytest.mark.parametrize("name", ["before_insert", "after_update", "before_delete"])
def test_a_model_with_listeners_that_would_not_be_called_is_refused(name):
    world = World()
    event.listen(world.article, name, lambda *_: None)
    assert faults(world.pairs) == [
        f"ArticleSchema: Article has listeners to mapper events ({name}), which are not called for"
        " resources: use a constraint, a default or @validates instead."
    ]


def test_a_model_of_several_tables_is_refused():
    world = World()
    members = {"__tablename__": "books", "id": Column(ForeignKey("tags.id"), primary_key=True)}
    book = type("Book", (world.tag,), members)
    assert faults([(book, world.tag_schema)]) == [
        "TagSchema: Book is mapped to more than one table."
    ]


def test_a_model_in_the_table_of_another_one_is_refused():
    kind = Column(String, nullable=False)
    world = World(
        tag={
            "kind": kind,
            "__mapper_args__": {"polymorphic_on": kind, "polymorphic_identity": "tag"},
        },
        articleschema={"tags": GONE},
    )
    label = type("Label", (world.tag,), {"__mapper_args__": {"polymorphic_identity": "label"}})
    schema = type("LabelSchema", (world.tag_schema,), {"Meta": type("Meta", (), {"type_": "x"})})
    assert faults([(label, schema)]) == [
        "LabelSchema: Label has no table of its own, but shares that of Tag.",
        "LabelSchema: Label has no version_id_col.",
    ]


def test_the_constructor_of_a_dataclass_takes_what_clients_send():
    class Base(MappedAsDataclass, DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True, init=False)
        version: Mapped[int] = mapped_column(server_default="1", init=False)
        title: Mapped[str]
        shelf: Mapped[str]

        __mapper_args__ = {"version_id_col": version}

    class BookSchema(Schema):
        class Meta:
            type_ = "books"

        id = fields.Integer(dump_only=True)
        title = fields.String(required=True)
        shelf = fields.String()

    assert faults([(Book, BookSchema)]) == [
        "BookSchema: The constructor of Book needs shelf, which clients can leave out."
    ]


def _set_password(self: Any, password: str) -> None:
    self.digest = password[::-1]


SOUND: dict[str, Members] = {
    "texts folded for searching": {
        "article": {"folded": Column(String, info=FOR_LESS | {"operator": "icontains"})}
    },
    "computed by a validator": {
        "article": {
            "key": Column(String, nullable=False, info={"attribute": "title"}),
            "compute": validates("title")(lambda self, name, title: title),
        }
    },
    "given by the constructor": {
        "article": {
            "key": Column(String, nullable=False),
            "__init__": lambda self, **values: None,
        }
    },
    "set by a write-only property": {
        "person": {
            "digest": Column(String, nullable=False, info={"attribute": "password"}),
            "password": property(fset=_set_password),
        },
        "personschema": {"password": fields.String(load_only=True)},
    },
    "nothing that clients can write": {
        "person": {"digest": Column(String, nullable=False)},
        "personschema": {"name": fields.String(dump_only=True)},
    },
    "a required foreign key with a relationship": {
        "article": {"author_id": Column(ForeignKey("people.id"), nullable=False)},
    },
    "an expression that no field shows": {
        "article": {"one": column_property(select(1).scalar_subquery())},
    },
    "a display of all that there is": shown(
        one="Article",
        many="Articles",
        named_by="title",
        search=("title",),
        columns=("title", "author", "id"),
        sort="-title",
        sections=(Section(title="All", fields=("title", "author", "tags")),),
    ),
    "a column of a type that SQLAlchemy does not know": {
        "article": {"address": Column(INET)},
        "articleschema": {"address": fields.String()},
    },
    "ids of a form of their own": {
        "tag": {"id": Column(String, primary_key=True)},
        "tagschema": {"id": fields.String(validate=marshmallow.validate.Regexp("[a-z]{3}[0-9]"))},
        "taggings": [],
    },
    "a relationship that is written by sessions too": {
        "article": {"author": relationship("Person", back_populates="articles")},
        "person": {"articles": relationship("Article", back_populates="author")},
    },
    "an association table that says when": {
        "taggings": [
            Column("place", Integer, nullable=False, server_default="0"),
            Column("note", String),
        ],
    },
    "a read-only relationship through a table with more in it": {
        "taggings": [Column("place", Integer, nullable=False)],
        "articleschema": {"tags": fields.Relationship(type_="tags", many=True, dump_only=True)},
    },
}


@pytest.mark.parametrize("case", SOUND)
def test_what_works_is_not_refused(case):
    assert faults(World(**SOUND[case]).pairs) == []


def test_a_view_of_the_host_gives_what_clients_cannot_send():
    """Values that an INSERT needs."""
    pairs = World(article={"isbn": Column(String, nullable=False)}).pairs
    (fault,) = faults(pairs)
    assert "needs a value of articles.isbn" in fault
    config = configured(pairs[1:])
    config.add_jsonapi_resource(*pairs[0], create=lambda _request: None)
    config.commit()


def test_fields_that_users_change_of_their_own_are_there():
    pairs = World().pairs
    config = configured(pairs[1:])
    config.add_jsonapi_resource(*pairs[0], rules=Rules(own=frozenset({"titel", "author"})))
    with pytest.raises(ConfigurationExecutionError) as caught:
        config.commit()
    assert str(caught.value.evalue) == (
        "ArticleSchema: Its rules let users change titel, which is no field to change; there are"
        " author, tags, title."
    )
