"""The run: every contestant on every workload, one after the other, round after round."""

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import contestants, environments, options, postgresql, processes, report, workloads, wrk
from bench.contestants import SERVICE, Contestant
from bench.options import say
from bench.postgresql import Database
from bench.processes import Running
from bench.workloads import People, Workload
from bench.wrk import Measurement

STARTS = 3  # of each contestant; their median counts
WARM_UP = 2  # seconds


def main() -> None:
    chosen = _options()
    wrk.require()
    options.end_on_sigterm()
    taking_part = [contestants.contestant(name) for name in chosen.only]
    for contestant in taking_part:
        if contestant.name != SERVICE:
            environments.bin_folder(contestant.folder.name)
    chosen_workloads = [w for w in workloads.ALL if w.name in chosen.workloads]
    before = report.load()
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        databases = fill(stack, server, taking_part, chosen.users, chosen.groups)
        people = workloads.people(databases[SERVICE])
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = f"/users/{people.sample[0]['id']}"
        starts: dict[str, float] = {}
        all_running = []
        for contestant in taking_part:
            say(f"Starting {contestant.title}, {STARTS} times")
            place = contestant, databases[contestant.name], contestant.prefix + path
            times = []
            for _ in range(STARTS - 1):
                with processes.running(*place, folder / contestant.name) as running:
                    times.append(running.start)
            running = stack.enter_context(processes.running(*place, folder / contestant.name))
            starts[contestant.name] = statistics.median([*times, running.start])
            all_running.append(running)
        _check(all_running, chosen_workloads, people)
        results = measure_all(all_running, chosen_workloads, people, chosen.rounds, chosen.seconds)
        peaks = {r.contestant.name: processes.memory(r.pid, "VmHWM") for r in all_running}
        version = postgresql.version(server)
    text = "\n\n".join(
        [
            f"{report.machine()}, PostgreSQL {version}. {chosen.users:,} users, "
            f"{chosen.groups:,} groups; {chosen.rounds} rounds of {chosen.seconds} s, 8 "
            f"connections; load average {before} before and {report.load()} after.",
            *_tables(results, chosen_workloads, taking_part),
            _processes(taking_part, peaks, starts),
            "\n".join(f"- {c.title}: {c.versions}" for c in taking_part),
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "run", text)


def _options() -> argparse.Namespace:
    parser = options.parser(
        "Measure the service and its peers side by side, on PostgreSQL.", seconds=5, rounds=5
    )
    parser.add_argument("--users", type=options.positive, default=100_000, help="in each database")
    parser.add_argument("--groups", type=options.positive, default=1000, help="in each database")
    for name, known, meaning in (
        ("only", contestants.NAMES, "these contestants, with commas between"),
        ("workloads", tuple(w.name for w in workloads.ALL), "these workloads"),
    ):
        read = options.names(known)
        parser.add_argument(f"--{name}", type=read, default=",".join(known), help=meaning)
    return parser.parse_args()


def fill(
    stack: ExitStack, server: Database, taking_part: Sequence[Contestant], users: int, groups: int
) -> dict[str, Database]:
    """Make a database for each contestant, all with the content of the service's."""
    say(f"Seeding {users:,} users")
    source = stack.enter_context(postgresql.new_database(server, f"bench_{SERVICE}"))
    postgresql.seed(source, contestants.service().environ(source), users, groups)
    databases = {SERVICE: source}
    for contestant in taking_part:
        if contestant.name != SERVICE:
            target = postgresql.new_database(server, f"bench_{contestant.name}")
            databases[contestant.name] = stack.enter_context(target)
            postgresql.copy(source, databases[contestant.name])
    return databases


def _check(all_running: Sequence[Running], chosen: Sequence[Workload], people: People) -> None:
    for workload in chosen:
        say(f"Checking the answers: {workload.title}")
        for running in all_running:
            workload.check(running, people)


def measure_all(
    all_running: Sequence[Running],
    chosen: Sequence[Workload],
    people: People,
    rounds: int,
    seconds: int,
    connections: int = 8,
) -> dict[tuple[str, str], list[Measurement]]:
    """Measure every contestant on every workload, round after round."""
    results: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
    for number in range(rounds + 1):
        for workload in chosen:
            for running in all_running:
                # The first round warms up, and does not count.
                took = seconds if number else WARM_UP
                found = measure(running, workload, people, seconds=took, connections=connections)
                if number:
                    results[workload.name, running.contestant.name].append(found)
            if number:
                rates = ", ".join(
                    f"{r.contestant.name} "
                    f"{report.number(results[workload.name, r.contestant.name][-1].rate)}"
                    for r in all_running
                )
                say(f"Round {number} of {rounds}, {workload.title}: {rates}")
        for running in all_running:
            postgresql.tidy(running.database)
    return results


def measure(
    running: Running,
    workload: Workload,
    people: People,
    *,
    seconds: int,
    connections: int = 8,
    headers: Sequence[str] = (),
) -> Measurement:
    dialect = running.contestant.dialect
    lines = [running.contestant.prefix + line for line in workload.lines(dialect, people)]
    return wrk.measure(
        running.url,
        workload.method,
        dialect.media_type,
        lines,
        seconds=seconds,
        connections=connections,
        headers=headers,
    )


def _tables(
    results: report.Results, chosen: Sequence[Workload], taking_part: Sequence[Contestant]
) -> list[str]:
    rows = {workload.name: workload.title for workload in chosen}
    columns = {contestant.name: contestant.title for contestant in taking_part}
    made = ["Answers in a second:", report.rates(results, rows, columns)]
    if SERVICE in columns and len(columns) > 1:
        made += [
            "The service's rate as a multiple of each of theirs (medians of the rounds' ratios):",
            report.ratios(results, rows, columns, SERVICE),
        ]
    return [
        *made,
        "Milliseconds that half of the answers, and 99 of 100, took at most:",
        report.latencies(results, rows, columns),
    ]


def _processes(
    taking_part: Sequence[Contestant], peaks: dict[str, float], starts: dict[str, float]
) -> str:
    rows = [
        ["peak memory, MiB", *(f"{peaks[c.name]:.0f}" for c in taking_part)],
        ["start to first answer, s", *(f"{starts[c.name]:.2f}" for c in taking_part)],
    ]
    return report.table(["", *(c.title for c in taking_part)], rows)


if __name__ == "__main__":
    main()
