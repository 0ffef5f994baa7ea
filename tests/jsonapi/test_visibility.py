"""What a caller may not see is not there: the toy's articles are seen by their author alone."""

import re
from uuid import UUID

import pytest
from sqlalchemy import select, update

from tests.client import Client, sources
from tests.jsonapi.conftest import article
from tests.jsonapi.toy import ARTICLES, COMMENTS, PEOPLE, TAGS, Article, Comment, Person, taggings
from tests.jsonapi.world import ADA, BOB, EVE, FAY, identifier
from users_service.jsonapi.writing.locking import CHUNK

# Of the articles 1 to 4 Bob has written the third; comments 1 and 2 are on the first.
HIDDEN = [1, 2, 4]
AS_BOB = {"X-Caller": BOB}
AS_FAY = {"X-Caller": FAY}  # who has written none


@pytest.fixture
def tagged(world):
    """The world, with a tag on Bob's article too."""
    world.insert(taggings, [{"article_id": 3, "tag_id": 2}, {"article_id": 3, "tag_id": 3}])
    return world


READS = [
    ARTICLES,
    f"{ARTICLES}?page[total]=true",
    f"{ARTICLES}?page[number]=1&page[size]=1",
    f"{ARTICLES}?page[number]=2&page[size]=1",
    f"{ARTICLES}?page[offset]=1&page[limit]=2",
    f"{ARTICLES}?sort=-title&page[size]=1",
    f"{ARTICLES}?filter[title]=article 1",
    f"{ARTICLES}?filter[id]=1,3",
    f"{ARTICLES}?filter=not(equals(title,'x'))",
    f"{ARTICLES}?filter=or(has(tags),not(has(tags)))",
    f"{ARTICLES}?include=author.articles,tags.articles",
    *(f"{ARTICLES}/{id}" for id in (1, 2, 3, 4)),
    *(f"{ARTICLES}/{id}/author" for id in (1, 3)),
    *(f"{ARTICLES}/{id}/tags?include=articles" for id in (1, 3)),
    *(f"{ARTICLES}/{id}/relationships/author" for id in (1, 3)),
    *(f"{ARTICLES}/{id}/relationships/tags" for id in (1, 3)),
    *(f"{PEOPLE}/{id}/articles?page[total]=true" for id in (ADA, BOB)),
    *(f"{PEOPLE}/{id}/relationships/articles?page[total]=true" for id in (ADA, BOB)),
    *(f"{PEOPLE}/{id}/relationships/articles?include=articles" for id in (ADA, BOB)),
    *(f"{PEOPLE}/{id}?include=articles" for id in (ADA, BOB)),
    f"{PEOPLE}?include=articles.tags.articles.author",
    f"{PEOPLE}?filter[articles]=1",
    f"{PEOPLE}?filter[articles][nin]=1,2",
    f"{PEOPLE}?filter[articles][isnull]=true",
    f"{PEOPLE}?filter[articles][isnull]=false",
    f"{PEOPLE}?filter[articles.title]=article 1",
    f"{PEOPLE}?filter[articles.title][startswith]=article",
    f"{PEOPLE}?filter[articles.tags.label]=tag 1",
    f"{PEOPLE}?filter[friends.articles.title][contains]=3",
    f"{PEOPLE}?filter=has(articles)",
    f"{PEOPLE}?filter=not(has(articles,equals(title,'article 1')))",
    f"{PEOPLE}?filter=equals(count(articles),'0')",
    f"{PEOPLE}?filter=greaterThan(count(articles),'1')",
    f"{PEOPLE}?filter=has(friends,equals(count(articles),'2'))",
    f"{TAGS}?filter[articles]=1",
    f"{TAGS}?filter[articles][isnull]=true",
    f"{TAGS}?filter[articles.author.nickname]=ada",
    f"{TAGS}?filter[articles.author.articles.title]=article 1",
    f"{TAGS}?filter=equals(count(articles),'1')",
    f"{TAGS}?filter=lessOrEqual(count(articles),'0')&page[total]=true",
    f"{TAGS}?include=articles",
    f"{TAGS}/1/articles",
    f"{TAGS}/2/relationships/articles",
]
"""Ways to articles, which in a world without the hidden ones give the same."""


def told(client: Client, url: str, headers: dict[str, str]) -> tuple:
    response = client.get(url, headers=headers)
    document = response.json
    for error in document.get("errors", []):
        error["id"] = ""
    return response.status_int, response.headers.get("ETag"), document


@pytest.mark.parametrize("caller", [AS_BOB, AS_FAY])
def test_what_is_hidden_is_as_if_it_were_not(tagged, caller):
    before = [told(tagged.client, url, caller) for url in READS]
    everything = [told(tagged.client, url, {}) for url in READS]
    tagged.delete(Comment, [1, 2, 3])
    tagged.delete(Article, HIDDEN + ([3] if caller is AS_FAY else []))
    for url, found in zip(READS, before, strict=True):
        assert found == told(tagged.client, url, {}), url
    told_more = [found != whole for found, whole in zip(before, everything, strict=True)]
    assert sum(told_more) > 0.7 * len(READS)


def test_a_to_one_relationship_to_what_is_hidden_is_null(world):
    get = world.client.get
    document = get(f"{COMMENTS}?include=article", headers=AS_BOB).json
    linkage = [c["relationships"]["article"]["data"] for c in document["data"]]
    assert linkage == [None, None, identifier("articles", 3)]
    assert [item["id"] for item in document["included"]] == ["3"]
    assert get(f"{COMMENTS}/1/article", headers=AS_BOB).json["data"] is None
    assert get(f"{COMMENTS}/1/relationships/article", headers=AS_BOB).json["data"] is None
    for query, ids in {
        "filter[article]=1": [],
        "filter[article]=3": ["3"],
        "filter[article][isnull]=true": ["1", "2"],
        "filter[article.title]=article 1": [],
        "filter=equals(count(article),'1')": ["3"],
    }.items():
        found = get(f"{COMMENTS}?{query}", headers=AS_BOB).json["data"]
        assert [comment["id"] for comment in found] == ids, query


def test_nobody_changes_what_it_does_not_see(world):
    client = world.client
    changes = article("1", title="Taken")
    assert client.patch(f"{ARTICLES}/1", changes, headers=AS_BOB).status_int == 404
    assert client.delete(f"{ARTICLES}/1", headers=AS_BOB).status_int == 404
    linkage = {"data": [identifier("tags", 3)]}
    for method in ("PATCH", "POST", "DELETE"):
        url = f"{ARTICLES}/1/relationships/tags"
        assert client.request(method, url, linkage, headers=AS_BOB).status_int == 404
    assert client.get(f"{ARTICLES}/1").json["data"]["attributes"]["title"] == "article 1"


def test_nobody_links_to_what_it_does_not_see(world):
    client = world.client
    linkage = {"data": [identifier("articles", 3), identifier("articles", 1)]}
    for method in ("POST", "PATCH"):
        url = f"{TAGS}/3/relationships/articles"
        response = client.request(method, url, linkage, headers=AS_BOB)
        assert response.status_int == 404
        assert sources(response) == [("/data/1", "related_not_found")]
    comment = {
        "type": "comments",
        "attributes": {"body": "!"},
        "relationships": {"article": {"data": identifier("articles", 1)}},
    }
    response = client.post(COMMENTS, {"data": comment}, headers=AS_BOB)
    assert sources(response) == [("/data/relationships/article/data", "related_not_found")]
    assert world.count(Comment) == 3


def test_to_replace_linkage_leaves_what_is_hidden(tagged):
    client = tagged.client
    url = f"{TAGS}/2/relationships/articles"
    assert client.patch(url, {"data": []}, headers=AS_BOB).status_int == 204
    assert [item["id"] for item in client.get(url).json["data"]] == ["1", "2", "4"]
    gone = {"data": [identifier("articles", 1)]}
    assert client.delete(url, gone, headers=AS_BOB).status_int == 204
    assert [item["id"] for item in client.get(url).json["data"]] == ["1", "2", "4"]
    changes = {"data": identifier("tags", 2) | {"relationships": {"articles": {"data": []}}}}
    assert client.patch(f"{TAGS}/2", changes, headers=AS_BOB).status_int == 200
    assert [item["id"] for item in client.get(url).json["data"]] == ["1", "2", "4"]


@pytest.mark.parametrize("url", [f"{TAGS}/2/relationships/articles", f"{TAGS}/2"])
def test_to_replace_very_much_linkage_leaves_what_is_hidden(tagged, url):
    """So much that it is not deleted by its ids where the caller sees everything."""
    many = range(2000, 2000 + CHUNK + 1)
    tagged.insert(Article, [{"id": id, "title": "t", "author_id": UUID(BOB)} for id in many])
    tagged.insert(taggings, [{"article_id": id, "tag_id": 2} for id in many])
    kept = {"data": [identifier("articles", 3)]}
    changes = {"data": identifier("tags", 2) | {"relationships": {"articles": kept}}}
    document = kept if url.endswith("articles") else changes
    assert tagged.client.patch(url, document, headers=AS_BOB).status_int in (200, 204)
    left = tagged.client.get(f"{TAGS}/2/relationships/articles").json["data"]
    assert [item["id"] for item in left] == ["1", "2", "3", "4"]


def test_to_empty_what_shows_as_empty_leaves_what_is_hidden(world):
    with world.engine.begin() as connection:
        connection.execute(update(Person).where(Person.id == UUID(ADA)).values(team="red"))
    client, blind = world.client, {"X-Strangers": "red"}
    url = f"{ARTICLES}/1/relationships/author"
    tag = client.get(f"{ARTICLES}/1").headers["ETag"]
    assert client.get(url, headers=blind).json["data"] is None
    assert client.patch(url, {"data": None}, headers=blind).status_int == 204
    both = {"title": "Renamed"}
    changes = article("1", **both)
    changes["data"]["relationships"] = {"author": {"data": None}}
    assert (
        client.patch(f"{ARTICLES}/1", changes, headers=blind | {"If-Match": tag}).status_int == 200
    )
    assert client.get(url).json["data"] == identifier("people", ADA)
    linkage = {"data": identifier("people", EVE)}
    assert client.patch(url, linkage, headers=blind).status_int == 204
    assert client.patch(url, {"data": None}, headers=blind).status_int == 204
    assert client.get(url).json["data"] is None


def test_operations_see_no_more_than_single_requests(world):
    for operation, pointer in (
        ({"op": "update", "data": {"type": "articles", "id": "1"}}, "/atomic:operations/0"),
        ({"op": "remove", "ref": identifier("articles", 1)}, "/atomic:operations/0"),
        (
            {
                "op": "add",
                "ref": identifier("tags", 3) | {"relationship": "articles"},
                "data": [identifier("articles", 1)],
            },
            "/atomic:operations/0/data/0",
        ),
    ):
        response = world.operate(operation, headers=AS_BOB)
        assert response.status_int == 404
        assert [pointer_ for pointer_, _ in sources(response)] == [pointer]
    assert world.operate({"op": "remove", "ref": identifier("tags", 3)}, headers=AS_BOB)


def test_a_taken_value_is_told_also_of_what_is_hidden(world):
    person = {"data": {"type": "people", "attributes": {"nickname": "ada"}}}
    with world.engine.begin() as connection:
        connection.execute(update(Person).where(Person.id == UUID(ADA)).values(team="red"))
    response = world.client.post(PEOPLE, person, headers={"X-Strangers": "red"})
    assert response.status_int == 409
    assert sources(response) == [("/data/attributes/nickname", "already_taken")]


def test_a_deletion_is_seen_in_what_the_caller_does_not_see(world):
    """Versions are the service's own affair: they are raised whoever asks."""
    before = world.client.get(f"{ARTICLES}/1").headers["ETag"]
    assert world.client.delete(f"{TAGS}/1", headers=AS_BOB).status_int == 204
    assert world.client.get(f"{ARTICLES}/1").headers["ETag"] != before


TABLE = re.compile(r"(?:FROM|JOIN|,)\s+articles(?:\s+AS\s+(\w+))?(?=\s|$|\))")


@pytest.mark.parametrize("running_toy", ["sqlite"], indirect=True)
@pytest.mark.parametrize("url", READS)
def test_no_statement_goes_around_the_door(tagged, url):
    """Wherever the table of articles is in a statement, the condition of its caller is too.

    But where it is the source of a relationship, which a statement before has found so.
    """
    with tagged.statements() as statements:
        tagged.client.get(url, headers=AS_BOB)
    assert statements
    for statement in statements:
        for match in TABLE.finditer(statement):
            alias = match[1] or "articles"
            is_source = rf"\b{alias}\.id = \?\)"
            assert re.search(rf"\b{alias}\.author_id = |{is_source}", statement), statement
    assert re.search(r"\barticles\.author_id = ", statements[0]) or "/articles/" not in url


def test_callers_share_statements_and_no_values(world):
    url = f"{PEOPLE}?filter=has(articles)&include=articles"
    for _ in range(2):
        for caller, expected in ((AS_BOB, ["3"]), (AS_FAY, []), ({"X-Caller": ADA}, ["1", "2"])):
            document = world.client.get(url, headers=caller).json
            assert sorted(item["id"] for item in document["included"]) == expected


def test_what_a_caller_makes_is_answered_even_if_it_does_not_see_it(world):
    response = world.client.post(ARTICLES, article(title="Of nobody"), headers=AS_BOB)
    assert response.status_int == 201
    id = response.json["data"]["id"]
    assert world.client.get(f"{ARTICLES}/{id}", headers=AS_BOB).status_int == 404
    with world.engine.connect() as connection:
        assert connection.scalar(select(Article.title).where(Article.id == int(id))) == "Of nobody"
