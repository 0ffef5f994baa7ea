"""Makes users, roles and groups for demonstrations and measurements.

The same seed makes the same data on every engine.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, exists, insert, select

from users_service.database import changes
from users_service.models import Base, Group, Role, User, computed_values, memberships

Row = dict[str, Any]
Progress = Callable[[str, range], Iterable[int]]

# Rows that are in memory at once, and in one statement, which stays far below statement_timeout.
CHUNK = 10_000

# The period of all creation and modification times.
FIRST, LAST = datetime(2018, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
SPAN = (LAST - FIRST) // timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Reserved domains: nobody has an address there (RFC 2606).
DOMAINS = ["example.com", "example.net", "example.org", "harbour.example", "orchard.example"]


def _words(text: str) -> list[tuple[str, str]]:
    """Split a text into names, each with its spelling in an e-mail address."""
    pairs = [word.partition("=") for word in text.split()]
    return [(name, ascii or name.lower()) for name, _, ascii in pairs]


# For each language: given names, family names, and the format of a full name.
NAMES = [
    (
        _words("Alice Amy Arthur Charlotte Daniel Emma George Grace Harry Lucy Oliver Zoë=zoe"),
        _words("Baker Bell Clarke Evans Hughes Morgan O'Brien=obrien Reed Shaw Turner Wright"),
        "{} {}",
    ),
    (
        _words("Anna Björn=bjoern Emil Felix Frieda Jörg=joerg Käthe=kaethe Lukas Mia Uwe"),
        _words("Bauer Fuchs Groß=gross Jäger=jaeger Köhler=koehler Müller=mueller Vogel"),
        "{} {}",
    ),
    (
        _words("Álvaro=alvaro Carmen Inés=ines Javier José=jose Lucía=lucia Marta Raúl=raul"),
        _words("Castro Fernández=fernandez García=garcia Ibáñez=ibanez Muñoz=munoz Vega"),
        "{} {}",
    ),
    (
        _words("Agnieszka Bartosz Ewa Jan Łukasz=lukasz Małgorzata=malgorzata Paweł=pawel"),
        _words("Dąbrowa=dabrowa Kowal Lis Mróz=mroz Nowak Śliwa=sliwa Wójcik=wojcik Żak=zak"),
        "{} {}",
    ),
    (
        _words("Ayşe=ayse Barış=baris Deniz Emre Işıl=isil İpek=ipek Murat Şebnem=sebnem"),
        _words("Aydın=aydin Çelik=celik Demir Kılıç=kilic Öztürk=oztuerk Yıldız=yildiz"),
        "{} {}",
    ),
    (
        _words("Анна=anna Борис=boris Злата=zlata Ирина=irina Михаил=mikhail Ольга=olga"),
        _words("Беленко=belenko Гончар=gonchar Лебедь=lebed Орлов=orlov Шевчук=shevchuk"),
        "{} {}",
    ),
    (
        _words("Άννα=anna Γιώργος=giorgos Ελένη=eleni Νίκος=nikos Σοφία=sofia"),
        _words("Αλεξίου=alexiou Βλάχος=vlachos Γεωργίου=georgiou Ζήσης=zisis Λάμπρου=lambrou"),
        "{} {}",
    ),
    (
        _words("أحمد=ahmad سارة=sara عمر=omar فاطمة=fatima ليلى=layla مريم=maryam يوسف=yusuf"),
        _words("حداد=haddad خوري=khoury سالم=salem صباغ=sabbagh نجار=najjar يونس=younes"),
        "{} {}",
    ),
    (
        _words("אבי=avi דנה=dana יעל=yael מיכל=michal נועם=noam רון=ron שרה=sarah"),
        _words("אלון=alon ברק=barak כהן=cohen לוי=levi מזרחי=mizrahi שגב=segev"),
        "{} {}",
    ),
    (
        _words("अनिल=anil दीपा=deepa मीरा=meera रवि=ravi विजय=vijay सुनीता=sunita"),
        _words("गुप्ता=gupta जोशी=joshi पटेल=patel मेहता=mehta शर्मा=sharma सिंह=singh"),
        "{} {}",
    ),
    (
        _words("丽=li 伟=wei 娜=na 强=qiang 敏=min 晓明=xiaoming 海燕=haiyan 静=jing"),
        _words("刘=liu 周=zhou 张=zhang 李=li 王=wang 赵=zhao 陈=chen 黄=huang"),
        "{1}{0}",
    ),
    (
        _words("さくら=sakura 健太=kenta 優子=yuko 翔=sho 美咲=misaki 葵=aoi 陽子=yoko"),
        _words("佐藤=sato 伊藤=ito 山本=yamamoto 渡辺=watanabe 田中=tanaka 高橋=takahashi"),
        "{1} {0}",
    ),
    (
        _words("도윤=doyun 민준=minjun 서연=seoyeon 수진=sujin 지우=jiwoo 하은=haeun"),
        _words("강=kang 김=kim 박=park 이=lee 정=jung 최=choi"),
        "{1}{0}",
    ),
]

PLACES = ["Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Garnet", "Harbour", "Lagoon"]
TEAMS = ["Accounts", "Archive", "Design", "Logistics", "Research", "Sales", "Support", "Training"]

ROLES = {
    "administrator": ("May do everything.", ["*"]),
    "auditor": (
        "Sees everything and changes nothing.",
        ["groups:read", "roles:read", "users:read"],
    ),
    "helpdesk": ("Helps people with their accounts.", ["users:read", "users:update"]),
    "recruiter": ("Brings people in.", ["users:create", "users:read"]),
    "people manager": ("Looks after people from the first day to the last.", ["users:*"]),
    "group manager": ("Says who works with whom.", ["groups:*", "users:read"]),
    "role manager": ("Says who may do what.", ["roles:*", "users:read"]),
    "team lead": ("Leads a team.", ["groups:read", "groups:update", "users:read"]),
    "editor": ("Keeps what is written up to date.", ["groups:update"]),
    "reader": ("Reads what there is.", ["groups:read", "users:read"]),
    "accountant": (None, ["users:read"]),
    "analyst": (None, ["groups:read", "users:read"]),
    "contractor": ("Stays for a while.", []),
    "developer": (None, ["groups:read", "users:read"]),
    "guest": ("Comes for a visit.", []),
    "librarian": ("Finds what others have lost.", ["groups:read"]),
    "operator": ("Keeps the lights on.", ["users:read"]),
    "partner": ("Works somewhere else.", []),
    "tester": (None, ["users:read"]),
    "trainee": ("Is here to learn.", ["users:read"]),
}


class SeedError(Exception):
    """The database is not empty."""


def seed(
    engine: Engine,
    users: int,
    groups: int,
    seed: int,
    progress: Progress = lambda _label, numbers: numbers,
) -> None:
    """Fill an empty database with made-up data, in one transaction.

    :param users: the number of users.
    :param groups: the number of groups.
    :param seed: the seed of the random numbers.
    :param progress: yields the numbers of a range, and may show the progress.
    :raises SeedError: if there are users, groups or roles already.
    """
    with engine.execution_options(**changes(engine)).begin() as connection:
        for model in (User, Group, Role):
            if connection.scalar(select(exists(select(model.id)))):
                raise SeedError(
                    f"The database already has {model.__tablename__}; nothing was changed."
                )
        _fill(connection, users, groups, seed, progress)
    _vacuum(engine)


def _fill(connection: Connection, users: int, groups: int, seed: int, progress: Progress) -> None:
    role_rows = list(_roles(seed))
    group_rows = list(_groups(groups, seed))
    connection.execute(insert(Role), role_rows)
    _store(connection, Group.__table__, group_rows)
    role_ids, group_ids = ([row["id"] for row in rows] for rows in (role_rows, group_rows))
    numbers = progress("users", range(users))
    _store(connection, User.__table__, _users(numbers, users, role_ids, seed))
    numbers = progress("memberships", range(users))
    _store(connection, memberships, _memberships(numbers, users, group_ids, seed))


def _vacuum(engine: Engine) -> None:
    """Vacuum and analyze now, so that PostgreSQL makes good plans; autovacuum comes later."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # closed at the end, because its settings change
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {', '.join(Base.metadata.tables)}")


def _identities(kind: str, number: int, seed: int) -> Iterator[tuple[UUID, datetime]]:
    """Yield UUIDs of version 7 (RFC 9562 §5.7) with the time in each, in ascending order."""
    random = _random(kind, seed)
    for index in range(number):
        offset = (index * SPAN + int(random.random() * SPAN)) // number
        moment = FIRST + timedelta(microseconds=offset)
        milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
        bits = random.getrandbits(74)
        version_and_variant = (7 << 76) | (0b10 << 62)
        high, low = bits >> 62, bits & ((1 << 62) - 1)
        yield UUID(int=(milliseconds << 80) | version_and_variant | (high << 64) | low), moment


def _roles(seed: int) -> Iterator[Row]:
    identities = _identities("roles", len(ROLES), seed)
    for (name, (description, permissions)), identity in zip(ROLES.items(), identities, strict=True):
        texts = _texts(Role, name=name, description=description)
        yield _row(identity, **texts, permissions=permissions)


def _groups(number: int, seed: int) -> Iterator[Row]:
    names = len(PLACES) * len(TEAMS)
    for index, identity in enumerate(_identities("groups", number, seed)):
        name = f"{PLACES[index % len(PLACES)]} {TEAMS[index // len(PLACES) % len(TEAMS)]}"
        if index >= names:
            name += f" {index // names + 1}"
        yield _row(identity, **_texts(Group, name=name, description=None))


def _users(numbers: Iterable[int], number: int, roles: list[UUID], seed: int) -> Iterator[Row]:
    random = _random("people", seed)
    for index, identity in zip(numbers, _identities("users", number, seed), strict=True):
        given, family, form = _pick(random, NAMES)
        (given, ascii_given), (family, ascii_family) = _pick(random, given), _pick(random, family)
        email = f"{ascii_given}.{ascii_family}.{index + 1}@{_pick(random, DOMAINS)}"
        row = _row(
            identity,
            **_texts(User, email=email, name=form.format(given, family)),
            is_active=random.random() < 0.8,
            role_id=_pick(random, roles) if random.random() < 0.8 else None,
        )
        if random.random() < 0.4:  # changed since its creation
            since = (LAST - row["creation_time"]) * random.random()
            row |= {"modification_time": row["creation_time"] + since, "version": 2}
        yield row


def _memberships(
    numbers: Iterable[int], number: int, groups: list[UUID], seed: int
) -> Iterator[Row]:
    """Yield up to five memberships for each user. The first groups get the most members."""
    random = _random("memberships", seed)
    for _, (user, _) in zip(numbers, _identities("users", number, seed), strict=True):
        number_of_groups = int(random.random() * 6)
        indexes = {int(random.random() ** 2 * len(groups)) for _ in range(number_of_groups)}
        for index in sorted(indexes) if groups else ():
            yield {"user_id": user, "group_id": groups[index]}


def _texts(model: Any, **texts: str | None) -> Row:
    """Return texts with what is computed from them: the fastest statements have no defaults."""
    return texts | computed_values(model, texts)


def _row(identity: tuple[UUID, datetime], **values: Any) -> Row:
    id, moment = identity
    times = {"creation_time": moment, "modification_time": moment}
    return {"id": id, **values, **times, "version": 1}


def _random(kind: str, seed: int) -> Random:
    return Random(f"{kind} {seed}")  # noqa: S311  # no secrets are made of it


def _pick(random: Random, choices: list[Any]) -> Any:
    # random() returns the same numbers in every version of Python; choice() need not.
    return choices[int(random.random() * len(choices))]


def _store(connection: Connection, table: Any, rows: Iterable[Row]) -> None:
    """Insert rows in chunks, in the fastest way of the engine."""
    rows = iter(rows)
    store = _copy if connection.dialect.name == "postgresql" else _insert
    while chunk := list(islice(rows, CHUNK)):
        store(connection, table, chunk)


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    connection.execute(insert(table), rows)


def _copy(connection: Connection, table: Table, rows: list[Row]) -> None:
    statement = f"COPY {table.name} ({', '.join(rows[0])}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))
