"""Scale: several processes on one port, next to one."""

import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

from bench import contestants, options, postgresql, processes, report, workloads, wrk
from bench.contestants import Contestant
from bench.options import say
from bench.processes import Running
from bench.run import WARM_UP, measure

CONNECTIONS = 64  # the system gives each to one process: with few, one may get most of them
SERVES = b"Serving on"


def main() -> None:
    parser = options.parser(__doc__ or "", seconds=3, rounds=5)
    parser.add_argument("--users", type=options.positive, default=100_000, help="in the database")
    parser.add_argument("--processes", type=options.positive, default=2, help="next to one")
    chosen = parser.parse_args()
    wrk.require()
    options.end_on_sigterm()
    before = report.load()
    names = ("item", "list-20", "list-100", "email", "sort")
    reads = [workload for workload in workloads.ALL if workload.name in names]
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = contestants.service()
        database = stack.enter_context(postgresql.new_database(server, "bench_scale"))
        say(f"Seeding {chosen.users:,} users")
        postgresql.seed(database, service.environ(database), chosen.users, 1000)
        people = workloads.people(database)
        sides = {
            f"{count}": _serve(stack, database, people, folder, count)
            for count in (1, chosen.processes)
        }
        results = {(w.name, side): [] for w in reads for side in sides}
        for number in range(chosen.rounds + 1):
            for workload in reads:
                for side, running in sides.items():
                    # The first round warms up, and does not count.
                    took = chosen.seconds if number else WARM_UP
                    found = measure(
                        running, workload, people, seconds=took, connections=CONNECTIONS
                    )
                    if number:
                        results[workload.name, side].append(found)
            say(f"Round {number} of {chosen.rounds}")
        version = postgresql.version(server)
    titles = {workload.name: workload.title for workload in reads}
    several = f"{chosen.processes}"
    columns = {"1": "one process", several: f"{several} processes"}
    text = "\n\n".join(
        [
            f"{report.machine()}, PostgreSQL {version}. Answers in a second over {CONNECTIONS} "
            f"connections; medians of {chosen.rounds} rounds of {chosen.seconds} s; load average "
            f"{before} before and {report.load()} after.",
            report.rates(results, titles, columns),
            f"The rate of {several} as a multiple (medians of the rounds' ratios):",
            report.ratios(results, titles, columns, several),
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "scale", text)


def _serve(
    stack: ExitStack,
    database: postgresql.Database,
    people: workloads.People,
    folder: Path,
    count: int,
) -> Running:
    """Start processes on one port, as the README shows it: several each on a core of its own."""
    cores = cycle(sorted(os.sched_getaffinity(0)))
    service = contestants.service()
    path = f"{service.prefix}/users/{people.sample[0]['id']}"
    port = None
    for number in range(count):
        log = folder / f"{count}-{number}"
        place = [f"cpu={next(cores)}"] if count > 1 else []
        sharing = replace(service, command=partial(_command, service, place))
        running = stack.enter_context(processes.running(sharing, database, path, log, port))
        port = running.port
        end = time.monotonic() + processes.LONGEST_START
        while SERVES not in log.read_bytes():  # the first one may have answered for the others
            if time.monotonic() > end:
                raise RuntimeError(f"process {number + 1} does not serve")
            time.sleep(0.01)
    return running


def _command(service: Contestant, place: list[str], port: int) -> list[str]:
    return [*service.command(port), "reuse_port=true", *place]


if __name__ == "__main__":
    main()
