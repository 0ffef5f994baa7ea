"""The commands about the database as a whole, and about the description of the API."""

import argparse
import io
import json
import logging
import sys
from collections.abc import Iterable
from typing import Any

from users_service import database, docs
from users_service.cli.logs import shown
from users_service.cli.seeding import seed
from users_service.jsonapi import resources_of

SEEDS = {
    "users": "how many users (default: %(default)s)",
    "groups": "how many groups (default: %(default)s)",
    "others": "how many of each type that the service has beside these (default: %(default)s)",
    "seed": "seed of the random numbers: another seed makes other people (default: %(default)s)",
}
SEED_NUMBERS = {"users": 1000, "groups": 50, "others": 200, "seed": 1}
BAR = 40  # characters of a progress bar


def add_commands(commands: Any) -> None:
    """Add the commands to the sub-parsers of `users-service`."""
    migrate = commands.add_parser(
        "migrate", help="upgrade the database to the newest revision", description=migrate_.__doc__
    )
    migrate.add_argument("ini", help="the ini file of the service, such as production.ini")
    migrate.set_defaults(run=migrate_)
    openapi = commands.add_parser(
        "openapi", help="print the description of the API", description=openapi_.__doc__
    )
    openapi.add_argument("ini", help="the ini file of the service, for the limits of the API")
    openapi.set_defaults(run=openapi_)
    seed = commands.add_parser(
        "seed", help="fill an empty database with made-up people", description=seed_.__doc__
    )
    seed.add_argument("ini", help="the ini file of the service, such as development.ini")
    for name, number in SEED_NUMBERS.items():
        seed.add_argument(f"--{name}", type=_number, default=number, metavar="N", help=SEEDS[name])
    seed.set_defaults(run=seed_)


def migrate_(options: argparse.Namespace) -> None:
    """Upgrade the database of an ini file to the newest revision."""
    with shown(logging.WARNING):
        database.upgrade(options.ini)
    print(f"The database of {options.ini} is up to date.")


def openapi_(options: argparse.Namespace) -> None:
    """Print the OpenAPI document of the API, as JSON. It needs no database."""
    document = docs.describe(database.settings_of(options.ini))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is UTF-8 (RFC 8259 §8.1), in every locale
    print(json.dumps(document, indent=2, ensure_ascii=False))


def seed_(options: argparse.Namespace) -> None:
    """Fill the empty, migrated database of an ini file with made-up users, roles and groups, and
    with whatever else the service has. The same numbers make the same data. E-mail addresses are in
    reserved domains (RFC 2606)."""
    settings = database.settings_of(options.ini)
    resources = resources_of(docs.declare(settings))
    engine = database.make_engine(settings)
    show = _progress if sys.stderr.isatty() else _silence
    numbers = (options.users, options.groups, options.seed)
    try:
        database.check_schema(engine)
        others = seed(engine, *numbers, show, resources=resources, others=options.others)
    finally:
        engine.dispose()
    more = "".join(f", and {number} {type}" for type, number in others.items())
    has = f"{options.users} users in {options.groups} groups{more}"
    print(f"The database of {options.ini} has {has}.")


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError("must be a whole number below a billion")
    return int(text)


def _silence(_label: str, numbers: range) -> Iterable[int]:
    return numbers


def _progress(label: str, numbers: range) -> Iterable[int]:
    """Yield the numbers, and draw a progress bar."""
    total = len(numbers)
    step = max(1, total // 100)
    for index, number in enumerate(numbers):
        yield number
        if (index + 1) % step == 0 or index + 1 == total:
            share = (index + 1) / total
            bar = ("#" * round(BAR * share)).ljust(BAR, ".")
            sys.stderr.write(f"\r{label:>12} [{bar}] {share:4.0%}")
            sys.stderr.flush()
    sys.stderr.write("\n")
