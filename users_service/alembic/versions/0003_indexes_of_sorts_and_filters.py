"""Indexes for sorting and searching users.

Every index costs time whenever a user is created or changed. Each has its use:

- (field, id): sorting by the field in either direction, and finding the first row after a cursor;
  (name, id) also the filters `eq` and `startswith`. The id makes the order total.
- (role_id, id): the users of a role, in the default order, and the foreign key.
- trigrams, if PostgreSQL has them: the filters `contains`, `icontains` and `endswith` of names and
  e-mail addresses. One index serves all three, because searches have the collation C.utf8.

E-mail addresses are looked up by their unique key, groups and roles are sorted by their unique
names, and memberships already have an index for each direction. Descriptions have no index: they
have up to 10,000 characters, but an index entry has at most 2,700 bytes on PostgreSQL.

Revision: 0003, after 0002
"""

import logging

from sqlalchemy.exc import DBAPIError

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

SORTED = ["email", "name", "is_active", "creation_time", "modification_time"]
SEARCHED = ["email", "name"]

# SQLSTATEs of a server that lacks the extension, or does not let this user create it: privilege,
# feature_not_supported, undefined_file, undefined_object. A lock that is not to be had is no such.
WITHOUT_TRIGRAMS = {"42501", "0A000", "58P01", "42704"}


def upgrade():
    for column in SORTED:
        op.create_index(f"ix_users_{column}_id", "users", [column, "id"], if_not_exists=True)
    op.create_index("ix_users_role_id_id", "users", ["role_id", "id"], if_not_exists=True)
    op.drop_index("ix_users_role_id", "users", if_exists=True)
    if op.get_bind().dialect.name == "postgresql":
        create_trigram_indexes()


def create_trigram_indexes():
    """Create the trigram indexes, or log a warning if the server lacks the extension."""
    try:
        with op.get_bind().begin_nested():
            # A trusted extension since PostgreSQL 13: needs only CREATE on the database.
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for column in SEARCHED:
                op.execute(
                    f"CREATE INDEX ix_users_{column}_trgm ON users"
                    f' USING gin ({column} COLLATE "C.utf8" gin_trgm_ops)'
                )
    except DBAPIError as error:
        if error.orig.sqlstate not in WITHOUT_TRIGRAMS:
            raise
        reason = str(error.orig).partition("\n")[0]
        log.warning("No trigram indexes: searching within texts will read all users. %s", reason)


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        for column in SEARCHED:
            op.execute(f"DROP INDEX IF EXISTS ix_users_{column}_trgm")
    op.create_index("ix_users_role_id", "users", ["role_id"], if_not_exists=True)
    op.drop_index("ix_users_role_id_id", "users", if_exists=True)
    for column in SORTED:
        op.drop_index(f"ix_users_{column}_id", "users", if_exists=True)
