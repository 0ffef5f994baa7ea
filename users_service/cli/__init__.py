"""The console script `users-service`."""

import argparse
import json
import sys

from users_service import api, migrations
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
    openapi = commands.add_parser(
        "openapi", help="print the description of the API", description=openapi_.__doc__
    )
    openapi.add_argument("ini", help="the ini file of the service, for the limits of the API")
    openapi.set_defaults(run=openapi_)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except SettingsError as error:
        sys.exit(str(error))


def migrate_(options: argparse.Namespace) -> None:
    """Bring the database of an ini file to the newest revision."""
    migrations.upgrade(options.ini)
    print(f"The database of {options.ini} is up to date.")


def openapi_(options: argparse.Namespace) -> None:
    """Print the OpenAPI document of the API, as JSON. It needs no database."""
    document = api.describe(migrations.settings_of(options.ini))
    print(json.dumps(document, indent=2, ensure_ascii=False))
