"""How engines carry out what requests send: by indexes, and never by reading a whole table."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from psycopg.sql import SQL, Literal
from sqlalchemy import Connection, event, select, text

from tests.client import API, USERS
from tests.engines import database_url
from tests.service import Service, dispose
from users_service.cli.seeding import seed
from users_service.database.engine import make_engine
from users_service.database.migrations import upgrade_database
from users_service.models import Role, User
from users_service.models.groups import memberships
from users_service.settings import load

STORED = 20_000
DEPTH = 10  # pages of the largest size
SIZE = 20
PAGE = SIZE + 1  # there is a next page if there is one row more
# What finding a page by something else than its order may cost: it does not grow with the tables.
SOME = STORED // 10

LARGE = {"users", "memberships"}
FIELDS = ["id", "email", "name", "is_active", "creation_time", "modification_time"]
SORTS = [*FIELDS, *(f"-{name}" for name in FIELDS)]
PLACES = ["first", "deep", "back", "last"]


@contextmanager
def seeded(engine: str, tmp_path_factory, users: int) -> Iterator[Service]:
    """The service on a database of its own, with many users."""
    with ExitStack() as stack:
        url = database_url(engine, stack, tmp_path_factory)
        migrating = make_engine(load({"users_service.database_url": url}, {}))
        upgrade_database(migrating)
        seed(migrating, users, 200, 1)
        migrating.dispose()
        service = Service(engine, url)
        stack.callback(dispose, service.app)
        yield service


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory) -> Iterator[Service]:
    with seeded("postgresql", tmp_path_factory, STORED) as service:
        yield service


@pytest.fixture
def service(on_postgresql, request) -> Service:
    request.node.user_properties.append(("engine", "postgresql"))
    return on_postgresql


@dataclass(frozen=True)
class Step:
    """One step of a plan that was carried out: of which table, by which index, with which rows."""

    kind: str
    table: str | None
    index: str | None
    rows: int
    passed_over: int


def steps(plan: dict[str, Any]) -> Iterator[Step]:
    loops = plan["Actual Loops"]
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    yield Step(
        kind=plan["Node Type"],
        table=plan.get("Relation Name"),
        index=plan.get("Index Name"),
        rows=round(plan["Actual Rows"] * loops),
        passed_over=round(sum(plan.get(name, 0) for name in removed) * loops),
    )
    for inner in plan.get("Plans", ()):
        yield from steps(inner)


def statements(service: Service, url: str) -> list[tuple[str, Any]]:
    """The statements that a request sends, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def collect(_connection, _cursor, statement, parameters, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append((statement, parameters))

    engine = service.app.registry["engines"]["reading"]
    event.listen(engine, "before_cursor_execute", collect)
    try:
        response = service.client.get(quote(url, safe="/?&=[],-.:"))
    finally:
        event.remove(engine, "before_cursor_execute", collect)
    assert response.status_int == 200, response.text
    assert sent
    return sent


def plans(service: Service, url: str) -> list[list[Step]]:
    """The plans of what a request sends, carried out as they were sent, but for what they find."""
    found = []
    with service.app.registry["engines"]["reading"].connect() as connection:
        for statement, parameters in statements(service, url):
            explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
            (explained,) = connection.exec_driver_sql(explain, parameters).scalar_one()
            found.append(list(steps(explained["Plan"])))
    return found


def plans_for_any_values(service: Service, url: str) -> list[list[Step]]:
    """The plans of what a request sends if PostgreSQL makes them before it has seen the values."""
    found = []
    sent = statements(service, url)
    with service.app.registry["engines"]["reading"].connect() as connection:
        connection.detach()  # it is given back to nobody
        cursor = connection.connection.cursor()
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        for statement, parameters in sent:
            numbered = {name: f"${number}" for number, name in enumerate(parameters, 1)}
            cursor.execute(f"PREPARE planned AS {statement % numbered}")
            values = SQL(", ").join(map(Literal, parameters.values()))
            arguments = SQL("({})").format(values) if parameters else SQL("")
            explain = SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE planned")
            ((explained,),) = cursor.execute(explain + arguments).fetchone()
            found.append(list(steps(explained["Plan"])))
            cursor.execute("DEALLOCATE planned")
    return found


def check(plan: list[Step], most: int, most_sorted: int = 0) -> None:
    """Hold that a plan scans no large table, and reads and sorts no more than so many rows."""
    large = [step for step in plan if step.table in LARGE]
    assert "Seq Scan" not in {step.kind for step in large}, plan
    assert sum(step.rows + step.passed_over for step in large) <= most, plan
    for sort, below in pairwise(plan):
        if sort.kind in ("Sort", "Incremental Sort"):
            assert below.rows <= most_sorted, plan


def page_at(service: Service, sort: str, place: str, depth: int, size: int) -> str:
    """The URL of a page in an order."""
    url = f"{USERS}?sort={sort}"
    links = service.client.get(f"{url}&page[size]={size}&fields[users]=").json["links"]
    if place == "first":
        return url
    if place == "last":
        return f"{url}&page[before]={cursor(links['last'])}"
    for _ in range(depth - 1):
        links = service.client.get(links["next"]).json["links"]
    way = "after" if place == "deep" else "before"
    return f"{url}&page[{way}]={cursor(links['next'])}"


def cursor(link: str) -> str:
    parameters = dict(parse_qsl(urlsplit(link).query))
    return parameters.get("page[after]") or parameters["page[before]"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sort", SORTS)
def test_a_page_costs_the_rows_that_are_on_it_wherever_it_is(service, sort, place):
    url = page_at(service, sort, place, DEPTH, 1000)
    for (plan,) in (plans(service, url), plans_for_any_values(service, url)):
        check(plan, PAGE)


PLANNED = text(
    "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
    " WHERE position('LIMIT' IN statement) > 0"
)


@pytest.mark.parametrize(
    ("url", "once"),
    [
        (f"{USERS}?sort=name", True),
        (f"{USERS}?sort=-creation_time", True),
        (f"{USERS}?filter[is_active]=false", False),
        (f"{USERS}?filter[name][contains]=a", False),
    ],
)
def test_a_page_is_planned_once_unless_it_depends_on_values(service, url, once):
    engine = service.app.registry["engines"]["reading"]
    engine.dispose()
    for _ in range(20):
        assert service.client.get(url).status_int == 200
    with engine.connect() as connection:  # the one that was given back each time
        (planned,) = connection.execute(PLANNED).all()
    assert planned.generic_plans + planned.custom_plans > 10
    assert (planned.generic_plans > planned.custom_plans) is once


@pytest.mark.parametrize("sort", ["name", "-name"])
@pytest.mark.parametrize("kind", ["groups", "roles"])
def test_groups_and_roles_are_sorted_by_name_out_of_an_index(service, kind, sort):
    (plan,) = plans(service, f"{API}/{kind}?sort={sort}")
    # Names are unique, which the planner does not draw upon: it sorts each name by id, on its own.
    if kind == "groups":  # there are too few roles for an index
        assert {step.index for step in plan if step.index} == {"uq_groups_name"}
        assert max(step.rows for step in plan) <= PAGE + 1


@pytest.fixture
def someone(service) -> Any:
    """A user from the middle, who has groups and a role."""
    (resource,) = service.client.get(
        f"{USERS}?filter=and(has(groups),has(role))&page[offset]=7000&page[limit]=1"
    ).json["data"]
    return resource


def test_an_item_is_found_by_its_id(service, someone):
    (plan,) = plans(service, f"{USERS}/{someone['id']}")
    check(plan, 1)


def test_an_address_is_found_in_any_spelling(service, someone):
    (plan,) = plans(service, f"{USERS}?filter[email]={someone['attributes']['email'].upper()}")
    check(plan, 1, most_sorted=1)


@pytest.mark.parametrize("sort", ["id", "name", "-name"])
def test_a_name_is_found(service, someone, sort):
    name = someone["attributes"]["name"]
    (plan,) = plans(service, f"{USERS}?filter[name]={name}&sort={sort}")
    check(plan, PAGE)
    (plan,) = plans(service, f"{USERS}?filter[name]=nobody&sort={sort}")
    check(plan, 0)


@pytest.mark.parametrize("field", ["name", "email"])
def test_a_beginning_is_found(service, someone, field):
    text = someone["attributes"][field][:5]
    for sort in (field, f"-{field}"):
        (plan,) = plans(service, f"{USERS}?filter[{field}][startswith]={text}&sort={sort}")
        check(plan, PAGE)
    (plan,) = plans(service, f"{USERS}?filter[{field}][startswith]={text}")
    check(plan, SOME, most_sorted=SOME)
    (plan,) = plans(service, f"{USERS}?filter[{field}][startswith]=zzz")
    check(plan, 0)


@pytest.mark.parametrize("way", ["groups", "relationships/groups", "role", "relationships/role"])
def test_what_a_user_is_related_to_is_found(service, someone, way):
    for plan in plans(service, f"{USERS}/{someone['id']}/{way}"):
        check(plan, 5, most_sorted=5)


@pytest.fixture(params=["largest", "smallest"])
def group(service, request) -> str:
    """The id of a group with a tenth of all users, or of one with a few."""
    with service.engine.connect() as connection:
        ids = connection.execute(select(memberships.c.group_id)).scalars()
    (largest, _), *_, (smallest, _) = Counter(ids).most_common()
    return str(largest if request.param == "largest" else smallest)


@pytest.mark.parametrize(
    "url",
    [
        f"{API}/groups/ID/members",
        f"{API}/groups/ID/members?sort=-id",
        f"{API}/groups/ID/relationships/members",
        f"{USERS}?filter[groups]=ID",
        f"{USERS}?filter[groups]=ID&sort=-id",
    ],
)
def test_the_members_of_a_group_are_found(service, group, url):
    for plan in plans(service, url.replace("ID", group)):
        check(plan, SOME)


@pytest.mark.parametrize(
    "url",
    [
        f"{API}/roles/ID/users",
        f"{API}/roles/ID/users?sort=-id",
        f"{API}/roles/ID/relationships/users",
        f"{USERS}?filter[role]=ID",
    ],
)
def test_the_users_of_a_role_are_found(service, url):
    with service.engine.connect() as connection:
        role = connection.scalar(select(Role.id).order_by(Role.id))
    for plan in plans(service, url.replace("ID", str(role))):
        check(plan, SOME)


def test_members_are_paged_wherever_the_page_is(service):
    with service.engine.connect() as connection:
        ids = connection.execute(select(memberships.c.group_id)).scalars()
    ((largest, _),) = Counter(ids).most_common(1)
    url = f"{API}/groups/{largest}/members?fields[users]="
    links = service.client.get(f"{url}&page[size]=1000").json["links"]
    for place in (f"page[after]={cursor(links['next'])}", f"page[before]={cursor(links['last'])}"):
        for plan in plans(service, f"{url}&{place}"):
            check(plan, SOME)


def test_what_is_included_is_found(service):
    for plan in plans(service, f"{USERS}?include=role,groups&sort=-creation_time"):
        check(plan, 5 * PAGE, most_sorted=5 * PAGE)


MATCHES = {
    "contains": lambda text, part: part in text,
    "icontains": lambda text, part: part.lower() in text.lower(),
    "endswith": lambda text, part: text.endswith(part),
}


@pytest.mark.parametrize(
    ("field", "operator", "text"),
    [
        ("name", "contains", "iver Sha"),
        ("name", "icontains", "IVER sHA"),
        ("name", "endswith", "iver Shaw"),
        ("email", "contains", ".12345@"),
        ("email", "icontains", "LIVER.SHAW."),
        ("email", "endswith", "123@harbour.example"),
    ],
)
def test_a_part_is_found_by_its_trigrams(service, field, operator, text):
    with service.engine.connect() as connection:
        values = connection.execute(select(getattr(User, field)).order_by(User.id)).scalars().all()
    expected = [value for value in values if MATCHES[operator](value, text)]
    assert 0 < len(expected) < 30
    url = f"{USERS}?filter[{field}][{operator}]={text}&page[size]=1000"
    found = service.client.get(quote(url, safe="/?&=[]")).json["data"]
    assert [resource["attributes"][field] for resource in found] == expected
    (plan,) = plans(service, url)
    check(plan, SOME, most_sorted=SOME)
    assert f"ix_users_{field}_folded_trgm" in {step.index for step in plan}


@pytest.fixture(scope="module")
def on_mariadb(tmp_path_factory) -> Iterator[Service]:
    with seeded("mariadb", tmp_path_factory, STORED // 4) as service:
        with service.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE TABLE users").all()
        yield service


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory) -> Iterator[Service]:
    with seeded("sqlite", tmp_path_factory, STORED // 4) as service:
        yield service


@pytest.mark.parametrize("sort", SORTS)
def test_mariadb_reads_the_rows_that_are_on_a_page(on_mariadb, request, sort):
    request.node.user_properties.append(("engine", "mariadb"))
    for place in PLACES:
        url = page_at(on_mariadb, sort, place, DEPTH // 4, 1000)
        ((statement, parameters),) = statements(on_mariadb, url)
        with on_mariadb.engine.connect() as connection:
            before = rows_read(connection)
            connection.exec_driver_sql(statement, parameters).all()
            # It may look at the first one twice, to find where a range begins.
            assert rows_read(connection) - before <= PAGE + 1, (place, statement)


def rows_read(connection: Connection) -> int:
    """The rows that a connection to MariaDB has read, of tables and of what it has sorted."""
    counts = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'").all()
    return sum(int(count) for _, count in counts)


@pytest.mark.parametrize("sort", SORTS)
def test_sqlite_finds_the_first_row_of_a_page(on_sqlite, request, sort):
    request.node.user_properties.append(("engine", "sqlite"))
    for place in PLACES:
        url = page_at(on_sqlite, sort, place, DEPTH // 4, 1000)
        ((statement, parameters),) = statements(on_sqlite, url)
        with on_sqlite.engine.connect() as connection:
            explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            (step,) = [row.detail for row in explained]
        way = "SCAN" if place in ("first", "last") else "SEARCH"
        assert step.startswith(f"{way} users USING INDEX"), (place, step)
