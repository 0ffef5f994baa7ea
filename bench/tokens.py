"""Requests with a token beside the same without one, to one process that allows both."""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from bench import contestants, options, postgresql, processes, report, workloads, wrk
from bench.contestants import SERVICE
from bench.options import say
from bench.postgresql import ROOT, Database
from bench.run import WARM_UP, fill, measure
from bench.wrk import Measurement

WITHOUT, WITH = "without", "with"


def main() -> None:
    parser = options.parser(__doc__ or "", seconds=4, rounds=7)
    parser.add_argument("--users", type=options.positive, default=100_000, help="in the database")
    read = options.names(tuple(w.name for w in workloads.ALL))
    parser.add_argument("--workloads", type=read, default="item,list-100,post,patch")
    chosen = parser.parse_args()
    wrk.require()
    options.end_on_sigterm()
    load = report.load()
    picked = [w for w in workloads.ALL if w.name in chosen.workloads]
    service = contestants.service()
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        database = fill(stack, server, [service], chosen.users, 1000)[SERVICE]
        people = workloads.people(database)
        headers = {
            WITHOUT: [],
            WITH: [f"Authorization: Bearer {token_of_an_administrator(database)}"],
        }
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = f"{service.prefix}/users/{people.sample[0]['id']}"
        running = stack.enter_context(processes.running(service, database, path, folder / SERVICE))
        results: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for number in range(chosen.rounds + 1):
            for workload in picked:
                for side in (WITHOUT, WITH) if number % 2 else (WITH, WITHOUT):
                    took = chosen.seconds if number else WARM_UP
                    found = measure(running, workload, people, seconds=took, headers=headers[side])
                    if number:
                        results[workload.name, side].append(found)
                if number:
                    rates = (results[workload.name, side][-1].rate for side in (WITHOUT, WITH))
                    without, with_ = map(report.number, rates)
                    say(f"Round {number}, {workload.title}: {without} without, {with_} with")
            postgresql.tidy(database)
        version = postgresql.version(server)
    rows = {workload.name: workload.title for workload in picked}
    text = "\n\n".join(
        [
            f"{report.machine()}, PostgreSQL {version}. One process, 8 connections, "
            f"{chosen.users:,} users; medians of {chosen.rounds} rounds of {chosen.seconds} s; "
            f"load average {load} before and {report.load()} after.",
            "Answers in a second:",
            report.rates(results, rows, {WITHOUT: "without a token", WITH: "with a token"}),
            "With a token as a multiple (medians of the rounds' ratios):",
            report.ratios(results, rows, {WITHOUT: "without", WITH: "with"}, WITH),
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "tokens", text)


def token_of_an_administrator(database: Database) -> str:
    """Make an administrator by the service's own commands, and return a token of it."""
    command = str(Path(sys.executable).with_name("users-service"))
    email = ("--email", "admin@example.com")
    user = ("user", "create", "production.ini", *email, "--name", "A", "--role", "admin")
    token = ("token", "create", "production.ini", *email, "--name", "bench")
    environ = os.environ | contestants.service().environ(database)
    made = [
        subprocess.run(
            [command, *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        for arguments in (user, token)
    ]
    return made[-1].stdout.strip()


if __name__ == "__main__":
    main()
