"""The floor: bare WSGI, a pool of connections, and JSON:API documents built by PostgreSQL."""

import json
import logging
from urllib.parse import parse_qs

from psycopg.errors import UniqueViolation
from psycopg_pool import ConnectionPool

CONNECTIONS = 4  # one for each thread of the server
MEDIA_TYPE = "application/vnd.api+json"
STATUS = {200: "200 OK", 201: "201 Created", 404: "404 Not Found", 409: "409 Conflict"}

# waitress has a warning for every request that waits for a thread.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

# The address of the database is in libpq's variables.
pool = ConnectionPool(
    "", min_size=CONNECTIONS, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=True
)
pool.wait()


def user_object(role: str = "", groups: str = "") -> str:
    """An expression for the resource object of the row `u`, with linkage if it is given."""
    url = "%(base)s::text || '/users/' || u.id"
    return f"""json_build_object(
        'type', 'users',
        'id', u.id,
        'attributes', json_build_object(
            'email', u.email, 'name', u.name, 'is_active', u.is_active,
            'creation_time', u.creation_time, 'modification_time', u.modification_time),
        'relationships', json_build_object(
            'role', json_build_object('links', json_build_object(
                'self', {url} || '/relationships/role', 'related', {url} || '/role') {role}),
            'groups', json_build_object('links', json_build_object(
                'self', {url} || '/relationships/groups', 'related', {url} || '/groups') {groups})),
        'links', json_build_object('self', {url}))"""


USER = user_object()
USER_WITH_LINKAGE = user_object(
    role=""", 'data', CASE WHEN u.role_id IS NOT NULL THEN
        json_build_object('type', 'roles', 'id', u.role_id) END""",
    groups=""", 'data', (
        SELECT coalesce(json_agg(json_build_object('type', 'groups', 'id', m.group_id)), '[]')
        FROM memberships m WHERE m.user_id = u.id)""",
)
ROLE = """json_build_object(
    'type', 'roles', 'id', r.id, 'attributes', json_build_object(
        'name', r.name, 'description', r.description, 'permissions', r.permissions,
        'creation_time', r.creation_time, 'modification_time', r.modification_time),
    'links', json_build_object('self', %(base)s::text || '/roles/' || r.id))"""
GROUP = """json_build_object(
    'type', 'groups', 'id', g.id, 'attributes', json_build_object(
        'name', g.name, 'description', g.description,
        'creation_time', g.creation_time, 'modification_time', g.modification_time),
    'links', json_build_object('self', %(base)s::text || '/groups/' || g.id))"""

ONE = f"json_build_object('jsonapi', json_build_object('version', '1.1'), 'data', {USER})::text"
MANY = f"""SELECT json_build_object(
    'jsonapi', json_build_object('version', '1.1'),
    'links', json_build_object('self', %(base)s::text || '/users'),
    'data', coalesce(json_agg({USER}), '[]'))::text"""

READ = f"SELECT {ONE} FROM users u WHERE id = %(id)s"
LIST_BY_ID = f"{MANY} FROM (SELECT * FROM users ORDER BY id LIMIT %(size)s) u"
LIST_BY_NAME = f"{MANY} FROM (SELECT * FROM users ORDER BY name, id LIMIT %(size)s) u"
LIST_BY_EMAIL = f"{MANY} FROM users u WHERE email = %(email)s"
LIST_WITH_RELATED = f"""
    WITH page AS (SELECT * FROM users ORDER BY id LIMIT %(size)s),
    included (data) AS (
        SELECT {ROLE} FROM roles r WHERE id IN (SELECT role_id FROM page)
        UNION ALL
        SELECT {GROUP} FROM groups g WHERE id IN (
            SELECT group_id FROM memberships WHERE user_id IN (SELECT id FROM page)))
    SELECT json_build_object(
        'jsonapi', json_build_object('version', '1.1'),
        'links', json_build_object('self', %(base)s::text || '/users'),
        'data', (SELECT coalesce(json_agg({USER_WITH_LINKAGE}), '[]') FROM page u),
        'included', (SELECT coalesce(json_agg(data), '[]') FROM included))::text"""
CREATE = f"""
    INSERT INTO users AS u (email, name) VALUES (%(email)s, %(name)s) RETURNING {ONE}"""
CHANGE = f"""
    UPDATE users u SET name = %(name)s, modification_time = now() WHERE id = %(id)s
    RETURNING {ONE}"""


def execute(statement, parameters):
    with pool.connection() as connection:
        row = connection.execute(statement, parameters).fetchone()
    return row and row[0]


def attributes_of(environ):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    return json.loads(body)["data"]["attributes"]


def answer(environ):
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    base = {"base": f"http://{environ['HTTP_HOST']}"}
    id = path.removeprefix("/users").removeprefix("/")
    if method == "POST":
        try:
            return 201, execute(CREATE, base | attributes_of(environ))
        except UniqueViolation:
            return 409, '{"errors": [{"status": "409"}]}'
    if method == "PATCH":
        found = execute(CHANGE, base | {"id": id} | attributes_of(environ))
    elif id:
        found = execute(READ, base | {"id": id})
    else:
        query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        base["size"] = int(query.get("page[size]", 20))
        if email := query.get("filter[email]"):
            found = execute(LIST_BY_EMAIL, base | {"email": email})
        elif query.get("sort") == "name":
            found = execute(LIST_BY_NAME, base)
        elif query.get("include") == "role,groups":
            found = execute(LIST_WITH_RELATED, base)
        else:
            found = execute(LIST_BY_ID, base)
    return (200, found) if found else (404, '{"errors": [{"status": "404"}]}')


def application(environ, start_response):
    status, text = answer(environ)
    body = text.encode()
    headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body)))]
    start_response(STATUS[status], headers)
    return [body]
