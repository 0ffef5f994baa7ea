"""Statements are compiled once for all requests of one form: what differs are their values."""

from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine.interfaces import CacheStats

from tests.client import API, USERS, user
from tests.service import Service


@contextmanager
def executed(service: Service):
    """Collect the statements that the service carries out, each with where it was compiled."""
    found: list[tuple[CacheStats, str]] = []

    def note(_connection, _cursor, statement, _parameters, context, _many) -> None:
        if context.compiled is not None:  # BEGIN, on SQLite, is none of SQLAlchemy's own
            found.append((context.cache_hit, statement))

    engines = set(service.app.registry["engines"].values())
    for engine in engines:
        event.listen(engine, "after_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "after_cursor_execute", note)


def work(service: Service, name: str) -> None:
    """One request of each form, with values that no other round of it has."""
    client = service.client
    email = f"{name}@example.com"
    id = client.create_user(email, name=name)["id"]
    team = {"data": {"type": "groups", "attributes": {"name": name}}}
    team_id = client.post(f"{API}/groups", team).json["data"]["id"]
    own = f"{USERS}/{id}"
    assert client.patch(own, user(id, name=f"{name} II")).status_int == 200
    members = f"{API}/groups/{team_id}/relationships/members"
    assert client.post(members, {"data": [{"type": "users", "id": id}]}).status_int == 204
    client.create_user(f"second-{email}")
    second = client.get(f"{USERS}?sort=name&page[size]=1").json["links"]["next"]
    for url in (
        own,
        USERS,
        second,
        f"{USERS}?filter[email]={email}",
        f"{USERS}?filter[name][contains]={name}&sort=-creation_time",
        f"{USERS}?filter=or(equals(name,'{name}'),greaterThan(count(groups),'{len(name)}'))",
        f"{USERS}?page[offset]={len(name)}&page[limit]={len(name)}",
        f"{own}?include=groups,role",
        f"{own}/groups",
        f"{own}/role",
        f"{own}/relationships/groups",
    ):
        assert client.get(url).status_int == 200
    assert client.delete(own).status_int == 204


def test_no_statement_is_compiled_twice(service):
    work(service, "Ada")
    with executed(service) as found:
        work(service, "Grace")
    compiled = [statement for hit, statement in found if hit is not CacheStats.CACHE_HIT]
    assert len(found) > 30
    assert compiled == []


def test_the_statement_of_a_large_condition_is_kept_nowhere(service):
    """Clients choose the conditions: what is kept of them must not grow with what they ask for."""
    small, large = (
        f"{USERS}?filter=and({','.join(count * ['startsWith(name,%27A%27)'])})" for count in (3, 40)
    )
    with executed(service) as found:
        for url in (small, small, large, large):
            assert service.client.get(url).status_int == 200
    assert [hit for hit, _ in found[1:]] == [
        CacheStats.CACHE_HIT,
        *2 * [CacheStats.CACHING_DISABLED],
    ]
