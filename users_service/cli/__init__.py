"""The console script `users-service`."""

import argparse
import sys

from users_service import migrations
from users_service.settings import SettingsError


def main(arguments: list[str] | None = None) -> None:
    """Run one sub-command.

    :param arguments: the words of the command line; those of the process by default.
    :raises SystemExit: with a message if the command fails.
    """
    parser = argparse.ArgumentParser(prog="users-service", description="Operate the users service.")
    commands = parser.add_subparsers(title="commands", required=True)
    migrate = commands.add_parser(
        "migrate", help="bring the database to the newest revision", description=migrate_.__doc__
    )
    migrate.add_argument("ini", help="the ini file of the service, such as production.ini")
    migrate.set_defaults(run=migrate_)
    options = parser.parse_args(arguments)
    options.run(options)


def migrate_(options: argparse.Namespace) -> None:
    """Bring the database of an ini file to the newest revision."""
    try:
        migrations.upgrade(options.ini)
    except SettingsError as error:
        sys.exit(str(error))
    print(f"The database of {options.ini} is up to date.")
