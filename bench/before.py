"""The service next to itself at an earlier commit: what a change costs or gains."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import contestants, options, postgresql, processes, report, workloads, wrk
from bench.contestants import SERVICE, Contestant
from bench.processes import Running
from bench.run import fill, measure_all

BEFORE = "before"


def main() -> None:
    parser = options.parser(__doc__ or "", seconds=3, rounds=5)
    parser.add_argument(
        "folder", type=Path, help="a checkout of the other commit, installed into its .venv"
    )
    parser.add_argument("--connections", type=options.positive, default=8, help="of wrk")
    parser.add_argument("--users", type=options.positive, default=100_000, help="in the database")
    parser.add_argument(
        "--processes", type=options.positive, default=1, help="of each, on a core of its own"
    )
    read = options.names(tuple(w.name for w in workloads.ALL))
    parser.add_argument("--workloads", type=read, default="item,list-100,post")
    parser.add_argument("--fastapi", action="store_true", help="plain FastAPI takes part as well")
    chosen = parser.parse_args()
    wrk.require()
    options.end_on_sigterm()
    load = report.load()
    picked = [w for w in workloads.ALL if w.name in chosen.workloads]
    taking_part = [contestants.service()]
    if chosen.fastapi:
        taking_part.append(contestants.contestant("fastapi"))
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        databases = fill(stack, server, taking_part, chosen.users, 1000)
        # Its tables are those of its own migrations; the same seed makes the same people.
        databases[BEFORE] = stack.enter_context(postgresql.new_database(server, f"bench_{BEFORE}"))
        checkout = chosen.folder.resolve()
        postgresql.seed(
            databases[BEFORE],
            contestants.service().environ(databases[BEFORE]),
            chosen.users,
            1000,
            folder=checkout,
        )
        people = workloads.people(databases[SERVICE])
        path = f"/users/{people.sample[0]['id']}"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        started: dict[str, list[Running]] = {}
        for side in _sides(taking_part, checkout, chosen.processes):
            port = None
            for number in range(1 if side.name == "fastapi" else chosen.processes):
                sharing = replace(side, command=partial(side.command, number))
                log = folder / f"{side.name}-{number}"
                place = sharing, databases[side.name], side.prefix + path, log, port
                running = stack.enter_context(processes.running(*place))
                port = running.port
                started.setdefault(side.name, []).append(running)
        first = [runnings[0] for runnings in started.values()]
        results = measure_all(
            first, picked, people, chosen.rounds, chosen.seconds, chosen.connections
        )
        peaks = {
            name: max(processes.memory(r.pid, "VmHWM") for r in runnings)
            for name, runnings in started.items()
        }
        version = postgresql.version(server)
    rows = {workload.name: workload.title for workload in picked}
    columns = {SERVICE: "now"} | {name: name for name in started if name != SERVICE}
    count = "One process" if chosen.processes == 1 else f"{chosen.processes} processes"
    text = "\n\n".join(
        [
            f"{report.machine()}, PostgreSQL {version}. {count} of each, {chosen.connections} "
            f"connections, {chosen.users:,} users; medians of {chosen.rounds} rounds of "
            f"{chosen.seconds} s; load average {load} before and {report.load()} after.",
            report.rates(results, rows, columns),
            "Now as a multiple (medians of the rounds' ratios):",
            report.ratios(results, rows, columns, SERVICE),
            "Peak memory of a process, MiB: "
            + ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items())
            + ".",
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, f"before-{chosen.processes}", text)


def _sides(taking_part: list[Contestant], folder: Path, count: int) -> list[Contestant]:
    """Those that take part, and the service before; each process is on a core of its own."""
    service, *peers = taking_part
    sides = [service, replace(service, name=BEFORE, folder=folder)]
    made = [replace(side, command=partial(_pserve, side.folder, count)) for side in sides]
    for peer in peers:
        made.append(replace(peer, command=partial(_uvicorn, peer.command, count)))
    return made


def _pserve(folder: Path, count: int, number: int, port: int) -> list[str]:
    pserve = str(folder / ".venv" / "bin" / "pserve")
    command = ["taskset", "--cpu-list", str(number), pserve, "production.ini", f"http_port={port}"]
    return command if count == 1 else [*command, "reuse_port=true"]


def _uvicorn(command: Callable[[int], list[str]], count: int, _number: int, port: int) -> list[str]:
    cores = ["taskset", "--cpu-list", "0"] if count == 1 else []
    return [*cores, *(part if part != "1" else str(count) for part in command(port))]


if __name__ == "__main__":
    main()
