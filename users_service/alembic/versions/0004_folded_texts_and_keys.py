"""Texts in NFC, their folded forms for searching, and keys by which names are unique.

Python computes the columns: engines disagree on the case of letters. On PostgreSQL the trigram
indexes move to the folded texts, which serve `contains` and `endswith` too, and rows of users leave
room for their next version.

The migration begins with a look at what stands in its way, and then changes nothing. It may be
killed anywhere and repeated: each step does what is missing, also where each statement about tables
commits by itself (MariaDB). The downgrade leaves texts in NFC.

Revision: 0004, after 0003
"""

import hashlib
import re
import unicodedata
from collections import defaultdict

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BATCH = 1000

# The texts of each table, with their lengths; those whose folded form is searched by trigrams; the
# tables whose names get a key.
TEXTS = {
    "roles": {"name": 80, "description": 10_000},
    "groups": {"name": 250, "description": 10_000},
    "users": {"email": 254, "name": 250},
}
SEARCHED = ["email", "name"]
NAMED = ["roles", "groups"]
KEY_LENGTH = 250
NULLABLE = {"description"}

# How many faults a refusal names, with how many rows each and how many characters of a name.
MOST_FAULTS, MOST_ROWS, MOST_CHARACTERS = 5, 5, 60

# What is computed here is not imported from the service, which may compute it otherwise one day.
BLANK_GLYPHS = re.compile("[\u2800\u3164\uffa0\U00013441\U00013442\U0001d159]")
LEFT_OUT = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ufff9-\ufffb\U00016fe4]"
)


def normalized(text):
    return text if text is None or text.isascii() else unicodedata.normalize("NFC", text)


def folded(text):
    return None if text is None else normalized(text).casefold()


def key_of(name):
    key = unicodedata.normalize("NFD", LEFT_OUT.sub("", BLANK_GLYPHS.sub(" ", name)))
    for _ in range(2):
        key = unicodedata.normalize("NFKC", key.casefold())
    key = " ".join(key.split())
    return key if len(key) <= KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def upgrade():
    connection = op.get_bind()
    check(connection)
    for name in TEXTS:
        add_columns(connection, name)
    if has_trigrams(connection):
        for column in SEARCHED:
            op.execute(f"DROP INDEX IF EXISTS ix_users_{column}_trgm")
    leave_room(connection, 50)
    for name in TEXTS:
        fold_roughly(connection, name)
        fill(connection, name)
    for name in NAMED:
        if f"ix_{name}_name_key" not in indexes(connection, name):
            op.create_index(f"ix_{name}_name_key", name, ["name_key"], unique=True)
    if has_trigrams(connection):
        for column in SEARCHED:
            op.execute(
                f"CREATE INDEX IF NOT EXISTS ix_users_{column}_folded_trgm ON users"
                f" USING gin ({column}_folded gin_trgm_ops)"
            )


def check(connection):
    """Stop if names would have the same key, or a text in NFC would be too long for its column."""
    faults = []
    for name, lengths in TEXTS.items():
        same = defaultdict(list)
        for row in rows_of(connection, name, list(lengths)):
            if name in NAMED:
                same[key_of(row.name)].append(f"{ascii(row.name[:MOST_CHARACTERS])} ({row.id})")
            for column, length in lengths.items():
                if len(normalized(row._mapping[column]) or "") > length:
                    faults.append(f"the {column} of {name} {row.id} is too long in NFC")
        faults += [
            f"the {name} {', '.join(them[:MOST_ROWS])} have names that look the same"
            for them in same.values()
            if len(them) > 1
        ]
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        raise CommandError(
            f"Nothing was changed, because of what is stored: {'; '.join(faults[:MOST_FAULTS])}"
            f"{more}. Change or delete these with the version of the service that has run so far,"
            " and migrate again."
        )


def add_columns(connection, name):
    there = {column["name"] for column in sa.inspect(connection).get_columns(name)}
    for column in columns_of(name):
        if column.name not in there:
            op.add_column(name, column)


def columns_of(name):
    text = sa.Text()
    text = text.with_variant(sa.Text(collation="C.utf8"), "postgresql")
    text = text.with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    for column in TEXTS[name]:
        default = {} if column in NULLABLE else {"server_default": sa.text("''")}
        yield sa.Column(f"{column}_folded", text, nullable=column in NULLABLE, **default)
    if name in NAMED:
        key = sa.String(KEY_LENGTH)
        key = key.with_variant(sa.String(KEY_LENGTH, collation="C"), "postgresql")
        yield sa.Column("name_key", key, server_default=sa.text("''"), nullable=False)


def leave_room(connection, percent):
    """Let PostgreSQL fill the pages of users to this percentage.

    A change of linkage raises the versions of many users at once. Where the new row fits into the
    page of the old one, no index is written, which takes a tenth of the time.
    """
    if connection.dialect.name == "postgresql":
        op.execute(f"ALTER TABLE users SET (fillfactor = {percent})")


def fold_roughly(connection, name):
    """Let the engine fold by its lower(), which is fast and right for most texts of a table."""
    columns = [column for column in TEXTS[name] if column not in NULLABLE]
    table = table_of(name, [*columns, *(f"{column}_folded" for column in columns)])
    texts = [table.c[column] for column in columns]
    if connection.dialect.name == "postgresql":
        texts = [sa.collate(text, "C.utf8") for text in texts]
    targets = [table.c[f"{column}_folded"] for column in columns]
    lowered = {target: sa.func.lower(text) for target, text in zip(targets, texts, strict=True)}
    empty = sa.or_(*(target == "" for target in targets))
    connection.execute(sa.update(table).where(empty).values(lowered))


def fill(connection, name):
    """Bring the rows up to date that are not: a change of a text is a new version."""
    names = [*TEXTS[name], *(column.name for column in columns_of(name))]
    table = table_of(name, names)
    change = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("_id"))
        .values(
            **{column: sa.bindparam(f"_{column}") for column in names},
            version=table.c.version + sa.bindparam("_changed"),
        )
    )
    changes = []
    for row in rows_of(connection, name, names):
        before = {column: row._mapping[column] for column in names}
        after = values_of(name, row)
        if after != before:
            changed = any(after[column] != before[column] for column in TEXTS[name])
            values = {f"_{column}": value for column, value in after.items()}
            changes.append({"_id": row.id, "_changed": int(changed), **values})
        if len(changes) == BATCH:
            connection.execute(change, changes)
            changes.clear()
    if changes:
        connection.execute(change, changes)


def values_of(name, row):
    values = {column: normalized(row._mapping[column]) for column in TEXTS[name]}
    values |= {f"{column}_folded": folded(text) for column, text in values.items()}
    return values | ({"name_key": key_of(row.name)} if name in NAMED else {})


def rows_of(connection, name, columns):
    """Yield the rows of a table in batches, by their ids."""
    table = table_of(name, columns)
    statement = sa.select(table.c.id, *(table.c[column] for column in columns))
    statement = statement.order_by(table.c.id).limit(BATCH)
    rows = connection.execute(statement).all()
    while rows:
        yield from rows
        rows = connection.execute(statement.where(table.c.id > rows[-1].id)).all()


def table_of(name, columns):
    identifier = sa.Uuid().with_variant(sa.Uuid(native_uuid=False), "mysql", "mariadb")
    texts = [sa.column(column, sa.Text()) for column in columns]
    return sa.table(name, sa.column("id", identifier), sa.column("version", sa.Integer()), *texts)


def indexes(connection, name):
    return {index["name"] for index in sa.inspect(connection).get_indexes(name)}


def has_trigrams(connection):
    """Whether there is the extension: migration 0003 has warned if not."""
    if connection.dialect.name != "postgresql":
        return False
    found = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')"
    return connection.scalar(sa.text(found))


def downgrade():
    connection = op.get_bind()
    leave_room(connection, 100)
    if has_trigrams(connection):
        for column in SEARCHED:
            op.execute(f"DROP INDEX IF EXISTS ix_users_{column}_folded_trgm")
            op.execute(
                f"CREATE INDEX IF NOT EXISTS ix_users_{column}_trgm ON users"
                f' USING gin ({column} COLLATE "C.utf8" gin_trgm_ops)'
            )
    for name in TEXTS:
        if f"ix_{name}_name_key" in indexes(connection, name):
            op.drop_index(f"ix_{name}_name_key", name)
        there = {column["name"] for column in sa.inspect(connection).get_columns(name)}
        for column in columns_of(name):
            if column.name in there:
                op.drop_column(name, column.name)
