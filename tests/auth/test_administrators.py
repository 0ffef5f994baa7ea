"""An administrator remains: no change leaves none, and no two that meet do."""

import logging
import os
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tests.auth.world import World
from tests.client import API, MEDIA_TYPE, USERS, Client, sources
from users_service.models.tables import users

ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'
# Races of each kind, on each engine.
ROUNDS = int(os.environ.get("RACES", "3"))

Send = Callable[[Any, World, str], Any]


def demote(client, world, name):
    url = f"{USERS}/{world.ids[name]}/relationships/role"
    return client.patch(url, {"data": None})


def deactivate(client, world, name):
    data = world.ref("users", name) | {"attributes": {"is_active": False}}
    return client.patch(f"{USERS}/{world.ids[name]}", {"data": data})


def take_password(client, world, name):
    data = world.ref("users", name) | {"attributes": {"password": None}}
    return client.patch(f"{USERS}/{world.ids[name]}", {"data": data})


def give_other_role(client, world, name):
    role = {"role": {"data": world.ref("roles", "role reader")}}
    data = world.ref("users", name) | {"relationships": role}
    return client.patch(f"{USERS}/{world.ids[name]}", {"data": data})


def remove(client, world, name):
    return client.delete(f"{USERS}/{world.ids[name]}")


def take_from_role(client, world, name):
    url = f"{API}/roles/{world.ids['role administrator']}/relationships/users"
    return client.delete(url, {"data": [world.ref("users", name)]})


def move_to_other_role(client, world, name):
    url = f"{API}/roles/{world.ids['role reader']}/relationships/users"
    return client.post(url, {"data": [world.ref("users", name)]})


def remove_in_batch(client, world, name):
    operations = [{"op": "remove", "ref": world.ref("users", name)}]
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
    return client.post(f"{API}/operations", {"atomic:operations": operations}, headers=headers)


WAYS: dict[str, Send] = {
    way.__name__: way
    for way in (
        demote,
        deactivate,
        take_password,
        give_other_role,
        remove,
        take_from_role,
        move_to_other_role,
        remove_in_batch,
    )
}


def take_all_from_role(client, world, _name):
    url = f"{API}/roles/{world.ids['role administrator']}/relationships/users"
    return client.patch(url, {"data": []})


def take_permissions(client, world, _name):
    data = world.ref("roles", "role administrator") | {"attributes": {"permissions": []}}
    return client.patch(f"{API}/roles/{world.ids['role administrator']}", {"data": data})


@pytest.fixture
def anonymous(service):
    """A client that may do everything, and is nobody."""
    return service.client


def administrators(world: World) -> int:
    """How many active users with a password have the administrators' role."""
    role = users.c.role_id == world.ids["role administrator"]
    found = select(func.count()).where(role, users.c.is_active, users.c.password_hash.is_not(None))
    with world.service.engine.connect() as connection:
        return connection.execute(found).scalar_one()


@pytest.mark.parametrize("way", [*WAYS, "take_all_from_role", "take_permissions"])
def test_the_last_administrator_is_kept(world, anonymous, way):
    send = WAYS.get(way) or globals()[way]
    response = send(anonymous, world, "administrator")
    assert response.status_int == 409, response.text
    assert [code for _, code in sources(response)] == ["last_administrator"]
    assert administrators(world) == 1
    signed_in = world.client("administrator").get(API).json["meta"]
    assert signed_in["permissions"] == ["*", "self:*"]


@pytest.mark.parametrize("way", WAYS)
def test_one_of_two_may_go(world, anonymous, way):
    second(world)
    assert WAYS[way](anonymous, world, "administrator").status_int in (200, 204)
    assert administrators(world) == 1


def second(world: World) -> None:
    """Make an administrator of the helpdesk too."""
    role = {"role_id": world.ids["role administrator"]}
    with world.service.engine.begin() as connection:
        connection.execute(update(users).where(users.c.id == world.ids["helpdesk"]).values(role))


def test_a_batch_may_put_another_in_its_place(world, anonymous):
    role = {"role": {"data": world.ref("roles", "role administrator")}}
    operations = [
        {"op": "remove", "ref": world.ref("users", "administrator")},
        {"op": "update", "data": world.ref("users", "self") | {"relationships": role}},
    ]
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
    response = anonymous.post(
        f"{API}/operations", {"atomic:operations": operations}, headers=headers
    )
    assert response.status_int == 200, response.text


def test_where_there_is_none_nothing_is_kept(world, anonymous):
    with world.service.engine.begin() as connection:
        connection.execute(update(users).values(password_hash=None))
    assert remove(anonymous, world, "administrator").status_int == 204


@pytest.mark.parametrize("way", WAYS)
def test_two_that_meet_leave_one(world, app_with, way):
    race(world, [app_with(anonymous_permissions="*") for _ in range(2)], WAYS[way])


def test_two_that_meet_on_two_processes_leave_one(world, process_with, request):
    """The report of a run (`--junitxml`) has the median time of an answer."""
    apps = [process_with(anonymous_permissions="*") for _ in range(2)]
    seconds = [each for way in WAYS.values() for each in race(world, apps, way)]
    median = round(1000 * statistics.median(seconds), 1)
    request.node.user_properties.append(("median_milliseconds", median))


def race(world: World, apps: list[Any], send: Send) -> list[float]:
    """Take both administrators away at once, each by a request to an application of its own, again
    and again; return the seconds of each answer."""
    clients, barrier, seconds = [Client(app) for app in apps], threading.Barrier(2), []

    def take(client: Client, name: str) -> int:
        barrier.wait()
        began = time.perf_counter()
        status = send(client, world, name).status_int
        seconds.append(time.perf_counter() - began)
        return status

    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            restore(world)
            found = list(threads.map(take, clients, ("administrator", "helpdesk")))
            assert 409 in found, found
            assert {*found} - {409} in ({200}, {204}), found
            assert administrators(world) == 1
    return seconds


def restore(world: World) -> None:
    """Make two administrators, and nobody else."""
    with Session(world.service.engine) as session, session.begin():
        session.execute(delete(users))
        for name in ("administrator", "helpdesk"):
            entity = world.user(name, "administrator")
            entity.id = world.ids[name]
            session.add(entity)


def test_a_request_that_starts_over_keeps_its_id_and_is_no_fault_of_the_database(world, caplog):
    caplog.set_level(logging.INFO)
    admin, url = world.client("administrator"), f"{USERS}/{world.ids['administrator']}"
    refused = admin.delete(url)  # it starts over to lock a guard
    assert refused.status_int == 409
    id = refused.headers["X-Request-ID"]
    assert [error["id"] for error in refused.json["errors"]] == [id]
    said = [record for record in caplog.records if record.name.startswith("users_service")]
    assert [record.levelname for record in said] == ["INFO"]
    assert id in said[0].getMessage()
