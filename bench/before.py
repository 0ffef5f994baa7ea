"""The service next to itself at an earlier commit: what a change costs or gains."""

import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import contestants, options, postgresql, processes, report, workloads, wrk
from bench.contestants import SERVICE
from bench.options import say
from bench.run import WARM_UP, measure

BEFORE = "before"


def main() -> None:
    parser = options.parser(__doc__ or "", seconds=3, rounds=5)
    parser.add_argument(
        "folder", type=Path, help="a checkout of the other commit, installed into its .venv"
    )
    parser.add_argument("--connections", type=options.positive, default=8, help="of wrk")
    parser.add_argument("--users", type=options.positive, default=100_000, help="in the database")
    parser.add_argument("--cpu", default="", help="the core on which both are kept")
    chosen = parser.parse_args()
    wrk.require()
    options.end_on_sigterm()
    before = report.load()
    picked = [w for w in workloads.ALL if w.name in ("item", "list-100", "post")]
    service = contestants.service()
    sides = [
        replace(service, name=name, folder=folder, command=partial(_command, folder, chosen.cpu))
        for name, folder in ((SERVICE, service.folder), (BEFORE, chosen.folder.resolve()))
    ]
    results = defaultdict(list)
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgresql.new_database(server, "bench_before"))
        say(f"Seeding {chosen.users:,} users")
        postgresql.seed(database, service.environ(database), chosen.users, 1000)
        people = workloads.people(database)
        path = f"{service.prefix}/users/{people.sample[0]['id']}"
        all_running = [
            stack.enter_context(processes.running(side, database, path, folder / side.name))
            for side in sides
        ]
        for number in range(chosen.rounds + 1):
            for workload in picked:
                for running in all_running:
                    # The first round warms up, and does not count.
                    found = measure(
                        running,
                        workload,
                        people,
                        seconds=chosen.seconds if number else WARM_UP,
                        connections=chosen.connections,
                    )
                    if number:
                        results[workload.name, running.contestant.name].append(found)
            postgresql.tidy(database)
            say(f"Round {number} of {chosen.rounds}")
        peaks = [f"{processes.memory(r.pid, 'VmHWM'):.0f}" for r in all_running]
        version = postgresql.version(server)
    rows = {workload.name: workload.title for workload in picked}
    columns = {SERVICE: "now", BEFORE: "before"}
    text = "\n\n".join(
        [
            f"{report.machine()}, PostgreSQL {version}. One process each, {chosen.connections} "
            f"connections; medians of {chosen.rounds} rounds of {chosen.seconds} s; load average "
            f"{before} before and {report.load()} after.",
            report.rates(results, rows, columns),
            "Now as a multiple of before (medians of the rounds' ratios):",
            report.ratios(results, rows, columns, SERVICE),
            f"Peak memory, MiB: {' now, '.join(peaks)} before.",
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "before", text)


def _command(folder: Path, cpu: str, port: int) -> list[str]:
    place = ["taskset", "--cpu-list", cpu] if cpu else []
    pserve = str(folder / ".venv" / "bin" / "pserve")
    return [*place, pserve, "production.ini", f"http_port={port}"]


if __name__ == "__main__":
    main()
