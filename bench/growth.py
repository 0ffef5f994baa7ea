"""Growth: the same requests to the service with few users and with a hundred times as many."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import contestants, options, postgresql, processes, report, workloads, wrk
from bench.options import say
from bench.processes import Running
from bench.run import WARM_UP, measure
from bench.workloads import People, Workload, ask

DEPTH = 0.9  # how far down the deep pages lie
FURTHEST = "/users?page%5Bsize%5D=1000"


def main() -> None:
    parser = options.parser(__doc__ or "", seconds=3, rounds=5)
    parser.add_argument("--small", type=options.positive, default=10_000, help="users")
    parser.add_argument("--large", type=options.positive, default=1_000_000, help="users")
    chosen = parser.parse_args()
    wrk.require()
    options.end_on_sigterm()
    before = report.load()
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = [
            _serve(stack, server, users, folder / str(users))
            for users in (chosen.small, chosen.large)
        ]
        results = _measure(sides, chosen.rounds, chosen.seconds)
        version = postgresql.version(server)
    rows = []
    for title, (small, large) in results.items():
        p50s = [wrk.median(found).p50 for found in (small, large)]
        rows.append([title, *(f"{p50:.2f}" for p50 in p50s), f"{p50s[1] / p50s[0]:.2f}"])
    heading = ["", f"{chosen.small:,} users, ms", f"{chosen.large:,} users, ms", "growth"]
    text = "\n\n".join(
        [
            f"{report.machine()}, PostgreSQL {version}. The time that half of the answers took at "
            f"most, over one connection; medians of {chosen.rounds} rounds of {chosen.seconds} s; "
            f"load average {before} before and {report.load()} after.",
            report.table(heading, rows),
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "growth", text)


def _serve(
    stack: ExitStack, server: postgresql.Database, users: int, log: Path
) -> tuple[Running, People, list[Workload]]:
    say(f"Seeding {users:,} users")
    service = contestants.service()
    database = stack.enter_context(postgresql.new_database(server, f"bench_growth_{users}"))
    postgresql.seed(database, service.environ(database), users, 1000)
    people = workloads.people(database)
    path = f"{service.prefix}/users/{people.sample[0]['id']}"
    running = stack.enter_context(processes.running(service, database, path, log))
    found = [w for w in workloads.ALL if w.name in ("item", "list-20", "email", "sort")]
    for workload in found:
        workload.check(running, people)
    for order, title in (("", "deep page of 20"), ("&sort=name", "deep page of 20, by name")):
        say(f"Looking for a {title}")
        found.append(_deep(running, users, order, title))
    return running, people, found


def _deep(running: Running, users: int, order: str, title: str) -> Workload:
    """A page by a cursor of far down, found from the end by the links of longer pages."""
    url = f"{FURTHEST}{order}"
    links = _links(running, url)
    wanted = max(1, round(users * (1 - DEPTH) / 1000))
    path = _path(running, links["last"])
    for _ in range(wanted):
        path = _path(running, _links(running, path)["prev"])
    path = path.replace("page%5Bsize%5D=1000", "page%5Bsize%5D=20")
    return Workload(
        name="deep", title=title, lines=lambda _dialect, _people: [path], check=lambda *_: None
    )


def _links(running: Running, path: str) -> dict[str, str]:
    status, document = ask(running, "GET", path)
    if status != 200:
        raise workloads.WrongAnswerError(f"{path}: {document}")
    return document["links"]


def _path(running: Running, url: str) -> str:
    return url.removeprefix(running.url + running.contestant.prefix)


def _measure(sides, rounds: int, seconds: int):
    """Return the rounds of each workload, by its title, for both sides."""
    titles = [workload.title for workload in sides[0][2]]
    results = {title: ([], []) for title in titles}
    for number in range(rounds + 1):
        for place, title in enumerate(titles):
            for side, (running, people, found) in enumerate(sides):
                # The first round warms up, and does not count.
                took = seconds if number else WARM_UP
                measured = measure(running, found[place], people, seconds=took, connections=1)
                if number:
                    results[title][side].append(measured)
            if number:
                small, large = (measured[-1].p50 for measured in results[title])
                say(f"Round {number} of {rounds}, {title}: {small:.2f} ms, {large:.2f} ms")
    return results


if __name__ == "__main__":
    main()
