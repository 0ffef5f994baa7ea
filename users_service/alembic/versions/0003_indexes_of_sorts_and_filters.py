"""Indexes for what users are sorted and searched by.

Each of them is written with every new user, and with every change of one. What each is for:

- (field, id): sorting by the field in either direction, and finding the first row behind a cursor;
  by name also equality and beginnings. The id, which orders ties, makes every place exact.
- (role_id, id): the users of a role, in the default order, and the foreign key.
- trigrams, where PostgreSQL has them: `contains`, `icontains` and `endswith`, of names and e-mail
  addresses. One index serves all three, as the service searches by the collation C.utf8.

An e-mail address is looked up by its unique key, groups and roles are sorted by their unique names,
and memberships have an index for each direction already. Descriptions have none: they are up to
10,000 characters long, and a row of an index takes 2,700 bytes on PostgreSQL.

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


def upgrade():
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        # The service's bound on statements is not for the making of indexes.
        op.execute("SET LOCAL statement_timeout = 0")
    for column in SORTED:
        op.create_index(f"ix_users_{column}_id", "users", [column, "id"])
    op.create_index("ix_users_role_id_id", "users", ["role_id", "id"])
    op.drop_index("ix_users_role_id", "users")
    if on_postgresql:
        create_trigram_indexes()


def create_trigram_indexes():
    """Go on without them where the server has not what they need."""
    try:
        with op.get_bind().begin_nested():
            # Trusted since PostgreSQL 13: whoever may create in the database may have it.
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for column in SEARCHED:
                op.execute(
                    f"CREATE INDEX ix_users_{column}_trgm ON users"
                    f' USING gin ({column} COLLATE "C.utf8" gin_trgm_ops)'
                )
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        log.warning("No trigram indexes: searching within texts reads all users. %s", reason)


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        for column in SEARCHED:
            op.execute(f"DROP INDEX IF EXISTS ix_users_{column}_trgm")
    op.create_index("ix_users_role_id", "users", ["role_id"])
    op.drop_index("ix_users_role_id_id", "users")
    for column in SORTED:
        op.drop_index(f"ix_users_{column}_id", "users")
