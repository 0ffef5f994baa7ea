"""Makes users, roles and groups for demonstrations and measurements.

The same seed makes the same data on every engine.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, exists, select

from users_service.cli.rows import (
    CHUNK,
    DOMAINS,
    LAST,
    Progress,
    Row,
    SeedError,
    identities,
    pick,
    random_of,
    row_of,
    store,
)
from users_service.cli.seeding_others import Ids, fill, others_of, store_people
from users_service.database import changes
from users_service.jsonapi import Resource
from users_service.models import Base, Group, Role, User, computed_values, memberships


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


def seed(
    engine: Engine,
    users: int,
    groups: int,
    seed: int,
    progress: Progress = lambda _label, numbers: numbers,
    *,
    resources: Mapping[str, Resource] = MappingProxyType({}),
    others: int = 0,
) -> dict[str, int]:
    """Fill an empty database with made-up data, in one transaction.

    :param users: the number of users.
    :param groups: the number of groups.
    :param seed: the seed of the random numbers.
    :param progress: yields the numbers of a range, and may show the progress.
    :param resources: the resources of the service by type, if it may have others.
    :param others: the number of resources of each other type.
    :returns: how many there are of each other type.
    :raises SeedError: if there are such resources already.
    """
    models: list[Any] = [User, Group, Role, *(resource.model for resource in others_of(resources))]
    with engine.execution_options(**changes(engine)).begin() as connection:
        for model in models:
            if connection.scalar(select(exists(select(model.id)))):
                raise SeedError(
                    f"The database already has {model.__tablename__}; nothing was changed."
                )
        ids = _fill(connection, users, groups, seed, progress, resources)
        counts = fill(connection, resources, ids, others, seed, progress)
    _vacuum(engine)
    return counts


def _fill(
    connection: Connection,
    users: int,
    groups: int,
    seed: int,
    progress: Progress,
    resources: Mapping[str, Resource],
) -> Ids:
    """Store people and return their ids: of many the first ones."""
    role_rows = list(_roles(seed))
    group_rows = list(_groups(groups, seed))
    store_people(connection, Role, resources.get("roles"), role_rows, seed, copy=False)
    store_people(connection, Group, resources.get("groups"), group_rows, seed)
    role_ids, group_ids = ([row["id"] for row in rows] for rows in (role_rows, group_rows))
    people = _users(progress("users", range(users)), users, role_ids, seed)
    store_people(connection, User, resources.get("users"), people, seed)
    numbers = progress("memberships", range(users))
    store(connection, memberships, _memberships(numbers, users, group_ids, seed))
    user_ids = [id for id, _ in islice(identities("users", users, seed), CHUNK)]
    return {"roles": role_ids, "groups": group_ids[:CHUNK], "users": user_ids}


def _vacuum(engine: Engine) -> None:
    """Vacuum and analyze now, so that PostgreSQL makes good plans; autovacuum comes later."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # closed at the end, because its settings change
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {', '.join(Base.metadata.tables)}")


def _roles(seed: int) -> Iterator[Row]:
    made = identities("roles", len(ROLES), seed)
    for (name, (description, permissions)), identity in zip(ROLES.items(), made, strict=True):
        texts = _texts(Role, name=name, description=description)
        yield row_of(identity, **texts, permissions=permissions)


def _groups(number: int, seed: int) -> Iterator[Row]:
    names = len(PLACES) * len(TEAMS)
    for index, identity in enumerate(identities("groups", number, seed)):
        name = f"{PLACES[index % len(PLACES)]} {TEAMS[index // len(PLACES) % len(TEAMS)]}"
        if index >= names:
            name += f" {index // names + 1}"
        yield row_of(identity, **_texts(Group, name=name, description=None))


def _users(numbers: Iterable[int], number: int, roles: list[UUID], seed: int) -> Iterator[Row]:
    random = random_of("people", seed)
    for index, identity in zip(numbers, identities("users", number, seed), strict=True):
        given, family, form = pick(random, NAMES)
        (given, ascii_given), (family, ascii_family) = pick(random, given), pick(random, family)
        email = f"{ascii_given}.{ascii_family}.{index + 1}@{pick(random, DOMAINS)}"
        row = row_of(
            identity,
            **_texts(User, email=email, name=form.format(given, family)),
            is_active=random.random() < 0.8,
            role_id=pick(random, roles) if random.random() < 0.8 else None,
        )
        if random.random() < 0.4:  # changed since its creation
            since = (LAST - row["creation_time"]) * random.random()
            row |= {"modification_time": row["creation_time"] + since, "version": 2}
        yield row


def _memberships(
    numbers: Iterable[int], number: int, groups: list[UUID], seed: int
) -> Iterator[Row]:
    """Yield up to five memberships for each user. The first groups get the most members."""
    random = random_of("memberships", seed)
    for _, (user, _) in zip(numbers, identities("users", number, seed), strict=True):
        number_of_groups = int(random.random() * 6)
        indexes = {int(random.random() ** 2 * len(groups)) for _ in range(number_of_groups)}
        for index in sorted(indexes) if groups else ():
            yield {"user_id": user, "group_id": groups[index]}


def _texts(model: Any, **texts: str | None) -> Row:
    """Return texts with what is computed from them: the fastest statements have no defaults."""
    return texts | computed_values(model, texts)
