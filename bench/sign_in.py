"""Sign-ins: how long reads take while many connections sign in, what the process needs for that,
and whether the time of an answer tells why nobody was signed in."""

import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from bench import contestants, options, postgresql, processes, report, workloads, wrk
from bench.contestants import Contestant
from bench.options import say
from bench.processes import Running
from bench.run import WARM_UP, measure
from bench.wrk import Measurement

EMAIL, PASSWORD = "ada@example.com", "sunny side of the street"
OTHERS_EMAIL, WRONG = "grace@example.com", "shady side of the street"
INACTIVE_EMAIL, EMPTY_EMAIL = "edsger@example.com", "barbara@example.com"

# Who is not signed in, and what they send.
FAILURES = {
    "unknown": ("nobody@example.com", PASSWORD),
    "wrong password": (EMAIL, WRONG),
    "inactive": (INACTIVE_EMAIL, PASSWORD),
    "without a password": (EMPTY_EMAIL, PASSWORD),
}

# The limits of tries would refuse nearly all before their passwords are hashed.
MANY_TRIES = {
    f"USERS_SERVICE_SIGN_IN_{name}": "1000000"
    for name in ("TRIES", "TRIES_PER_ADDRESS", "TRIES_PER_ACCOUNT")
}
UNBOUNDED = {"USERS_SERVICE_PASSWORD_HASHERS": "64", "USERS_SERVICE_PASSWORD_QUEUE": "1000"}

# What is measured: the variables of the service, and what is sent to sign in.
SIDES: dict[str, tuple[dict[str, str], tuple[str, str] | None]] = {
    "nobody signs in": ({}, None),
    "wrong passwords": (MANY_TRIES, (EMAIL, WRONG)),
    "right passwords": (MANY_TRIES, (EMAIL, PASSWORD)),
    "wrong passwords, limits of tries as they are": ({}, (OTHERS_EMAIL, WRONG)),
    "wrong passwords, hashing without a bound": (MANY_TRIES | UNBOUNDED, (EMAIL, WRONG)),
}


@dataclass(frozen=True, kw_only=True)
class Load:
    """:param answers: to sign-ins in a second, by their status."""

    reads: Measurement
    answers: dict[int, float]


def main() -> None:
    parser = options.parser(__doc__ or "", seconds=5, rounds=3)
    parser.add_argument("--users", type=options.positive, default=10_000, help="in the database")
    parser.add_argument(
        "--connections", type=options.positive, default=200, help="that sign in, over and over"
    )
    parser.add_argument(
        "--samples", type=options.positive, default=200, help="of each sign-in that fails"
    )
    chosen = parser.parse_args()
    wrk.require()
    options.end_on_sigterm()
    before = report.load()
    loads: dict[str, list[Load]] = {side: [] for side in SIDES}
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = contestants.service()
        database = stack.enter_context(postgresql.new_database(server, "bench_sign_in"))
        say(f"Seeding {chosen.users:,} users")
        postgresql.seed(database, service.environ(database), chosen.users, 100)
        _add_users(service.environ(database), service.folder)
        people = workloads.people(database)
        path = f"{service.prefix}/users/{people.sample[0]['id']}"
        running = {
            side: stack.enter_context(
                processes.running(_with(service, more), database, path, folder / f"log-{number}")
            )
            for number, (side, (more, _)) in enumerate(SIDES.items())
        }
        for number in range(chosen.rounds + 1):
            for side, (_, sent) in SIDES.items():
                # The first round warms up, and does not count.
                took = chosen.seconds if number else WARM_UP
                found = _measure(running[side], people, sent, took, chosen.connections)
                if number:
                    loads[side].append(found)
                    say(f"Round {number} of {chosen.rounds}, {side}: {found}")
        failures = _time_failures(running["wrong passwords"], chosen.samples)
        peaks = {side: processes.memory(each.pid, "VmHWM") for side, each in running.items()}
        version = postgresql.version(server)
    text = "\n\n".join(
        [
            f"{report.machine()}, PostgreSQL {version}. Items over 8 connections, while "
            f"{chosen.connections} connections sign in; medians of {chosen.rounds} rounds of "
            f"{chosen.seconds} s; load average {before} before and {report.load()} after.",
            _table(loads, peaks),
            f"Sign-ins that fail, {chosen.samples} of each in turn over one connection:",
            failures,
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "sign-in", text)


def _with(service: Contestant, more: dict[str, str]) -> Contestant:
    """The service with more variables, on the first core, as the others are."""
    core = min(os.sched_getaffinity(0))
    return replace(
        service,
        command=lambda port: [*service.command(port), f"cpu={core}"],
        environ=lambda database: service.environ(database) | more,
    )


def _add_users(environ: dict[str, str], folder: Path) -> None:
    program = Path(sys.executable).with_name("users-service")
    for email, more, password in (
        (EMAIL, ["--password-stdin"], PASSWORD),
        (INACTIVE_EMAIL, ["--inactive", "--password-stdin"], PASSWORD),
        (EMPTY_EMAIL, [], ""),
    ):
        names = ["--email", email, "--name", "Made for this"]
        subprocess.run(
            [program, "user", "create", "production.ini", *names, *more],
            cwd=folder,
            env=os.environ | environ,
            input=password.encode(),
            stdout=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )


def _time_failures(running: Running, samples: int) -> str:
    """Sign in as each of those who fail, in turn, and compare how long the answers take."""
    times: dict[str, list[float]] = {name: [] for name in FAILURES}
    for _ in range(samples):
        for name, sent in FAILURES.items():
            began = time.monotonic()
            status, _ = workloads.ask(running, "POST", "/tokens", _document(sent))
            times[name].append((time.monotonic() - began) * 1000)
            if status != 401:
                raise workloads.WrongAnswerError(f"{name}: {status}")
    medians = {name: statistics.median(found) for name, found in times.items()}
    least = min(medians.values())
    rows = [
        [name, f"{median:.2f}", f"{100 * (median / least - 1):.1f} %"]
        for name, median in medians.items()
    ]
    return report.table(["", "median, ms", "above the least"], rows)


def _document(sent: tuple[str, str]) -> dict[str, Any]:
    attributes = dict(zip(("email", "password"), sent, strict=True))
    return {"data": {"type": "tokens", "attributes": attributes}}


def _measure(
    running: Running,
    people: workloads.People,
    sent: tuple[str, str] | None,
    seconds: int,
    connections: int,
) -> Load:
    item = next(workload for workload in workloads.ALL if workload.name == "item")
    read: Callable[[], Measurement] = partial(measure, running, item, people, seconds=seconds)
    if sent is None:
        return Load(reads=read(), answers={})
    context = multiprocessing.get_context("spawn")
    found = context.SimpleQueue()
    path = f"{running.contestant.prefix}/tokens"
    # It signs in before the reads begin, and until they have ended.
    arguments = (running.port, path, sent, connections, seconds + 1.0, found)
    sender = context.Process(target=sign_in_over_and_over, args=arguments)
    sender.start()
    found.get()
    reads = read()
    answers = found.get()
    sender.join()
    workloads.ask(running, "POST", "/tokens")  # answered after all that waits
    return Load(reads=reads, answers=answers)


def sign_in_over_and_over(
    port: int, path: str, sent: tuple[str, str], connections: int, seconds: float, found
) -> None:
    """Sign in over many connections, each again as soon as it is answered. Tell when all are
    connected, and in the end the answers in a second by their status."""
    body = json.dumps(_document(sent)).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
        "Accept: application/vnd.api+json\r\nContent-Type: application/vnd.api+json\r\n\r\n"
    )
    statuses: Counter[int] = Counter()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(answer.split(b"content-length: ")[1].split(b"\r\n")[0]))
            statuses[int(answer[9:12])] += 1

    async def send() -> float:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
        found.put(None)
        began = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(connection(*streams) for streams in opened))
        took = time.monotonic() - began
        for _, writer in opened:
            writer.close()
        return took

    took = asyncio.run(send())
    found.put({status: number / took for status, number in sorted(statuses.items())})


def _table(loads: dict[str, list[Load]], peaks: dict[str, float]) -> str:
    def row(side: str) -> list[str]:
        reads = wrk.median([load.reads for load in loads[side]])
        statuses = sorted({status for load in loads[side] for status in load.answers})
        median = {
            status: statistics.median(load.answers.get(status, 0.0) for load in loads[side])
            for status in statuses
        }
        answers = ", ".join(f"{status}: {report.number(median[status])}" for status in statuses)
        numbers = (reads.rate, reads.p50, reads.p99, peaks[side])
        return [side, *map(report.number, numbers), answers]

    heading = ["", "items/s", "p50, ms", "p99, ms", "peak MiB", "answers to sign-ins, in a second"]
    return report.table(heading, [row(side) for side in loads])


if __name__ == "__main__":
    main()
