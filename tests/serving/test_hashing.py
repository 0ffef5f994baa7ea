"""Hashing passwords in a real process: on other cores, beside reads, and to its end at a stop."""

import os
import signal
from pathlib import Path

from tests.serving.processes import PATIENCE, wait_until

TOKENS = "/api/v1/tokens"


def sign_in(number: int = 0) -> dict:
    attributes = {"email": f"nobody-{number}@example.com", "password": "sunny side of the street"}
    return {"data": {"type": "tokens", "attributes": attributes}}


def test_hashing_may_use_all_cores_while_requests_keep_to_one(database):
    cores = os.sched_getaffinity(0)
    with database.running() as service:
        tasks = Path(f"/proc/{service.process.pid}/task")
        before = {task.name for task in tasks.iterdir()}
        assert service.request("POST", TOKENS, sign_in())[0] == 401
        (hasher,) = {task.name for task in tasks.iterdir()} - before
        assert os.sched_getaffinity(int(hasher)) == cores
        assert {len(os.sched_getaffinity(int(task))) for task in before} == {1}


def test_sign_ins_that_wait_are_answered_before_the_process_ends(fresh):
    def rows() -> int:
        with fresh.database() as connection:
            return connection.execute("SELECT count(*) FROM sign_in_tries").fetchone()[0]

    with fresh.running(argon2_time="20") as service:
        sent = [service.begin("POST", TOKENS, sign_in(number)) for number in range(5)]
        wait_until(lambda: rows() == 11)  # two of each account, and one of the address
        service.process.send_signal(signal.SIGTERM)
        assert [request.result()[0] for request in sent] == [401] * 5
        assert service.process.wait(PATIENCE) == 0


def test_reads_go_on_while_all_places_are_taken(fresh):
    with fresh.running(argon2_time="20") as service:
        id = service.first_id()
        sent = [service.begin("POST", TOKENS, sign_in(number)) for number in range(20)]
        assert service.is_quick(f"/api/v1/users/{id}")
        statuses = [request.result()[0] for request in sent]
    assert set(statuses) == {401, 503}
    assert statuses.count(401) >= 5
