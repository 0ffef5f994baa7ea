"""The commands about resources that are described: `users-service resource …`."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from users_service import database
from users_service.models import Role
from users_service.settings import SettingsError

if TYPE_CHECKING:
    from users_service.generator import Plan

FAULTY = 2


def add_commands(commands: Any) -> None:
    """Add `resource` with its commands to the sub-parsers of `users-service`."""
    about = "make and change resources by their descriptions in resources/"
    parser = commands.add_parser("resource", help=about, description=about)
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    ours = parser.add_subparsers(title="commands", required=True)
    new = _command(ours, "new", new_)
    new.add_argument("type", help="such as teams")
    new.add_argument("fields", nargs="*", metavar="name:type", help="such as name:line")
    _command(ours, "diff", diff_)
    apply = _command(ours, "apply", apply_)
    rename = _command(ours, "rename", rename_)
    rename.add_argument("name", help="a type, or type.field")
    rename.add_argument("to", help="the new type, or the new name of the field")
    remove = _command(ours, "remove", remove_)
    remove.add_argument("type")
    remove.add_argument("--drop", action="store_true", help="drop its rows, which are kept else")
    remove.add_argument("--ini", default="development.ini", help="whose roles are looked at")
    for each in (apply, remove):
        each.add_argument("--yes", action="store_true", help="do not ask")
        each.add_argument("--accept-loss", action="store_true", help="data may be lost")
    _command(ours, "list", list_)
    _command(ours, "schema", schema_)


def _command(commands: Any, name: str, run: Any) -> Any:
    about = run.__doc__
    parser = commands.add_parser(name, help=about.partition("\n")[0].rstrip("."), description=about)
    parser.set_defaults(run=_guarded(run))
    return parser


def _guarded(run: Any) -> Any:
    """End with one message and the exit code 2 where a description or the checkout is faulty."""

    def guarded(options: argparse.Namespace) -> None:
        try:
            from users_service import generator
        except ModuleNotFoundError as error:
            sys.exit(f"{error.name} is not installed: pip install 'users_service[generate]'")
        try:
            run(options)
        except generator.FAULTS as error:
            print(error, file=sys.stderr)
            sys.exit(FAULTY)

    return guarded


def new_(options: argparse.Namespace) -> None:
    """Begin a description."""
    from users_service.generator import begin

    path = begin(options.root, options.type, options.fields)
    print(f"{path} is written. Edit it, look at what it does (resource diff), and apply it.")


def diff_(options: argparse.Namespace) -> None:
    """Show every file and every step of the migration that `apply` would write."""
    from users_service.generator import plan

    _show(plan(options.root))


def apply_(options: argparse.Namespace) -> None:
    """Write what the descriptions say, after showing it."""
    from users_service.generator import plan

    _apply(options, plan(options.root))


def rename_(options: argparse.Namespace) -> None:
    """Rename a resource or a field in the descriptions."""
    from users_service.generator import rename

    for path in rename(options.root, options.name, options.to):
        print(f"{path} is changed.")
    print("Look at what it does (resource diff), and apply it.")


def remove_(options: argparse.Namespace) -> None:
    """Remove a resource: its code goes, and its table is kept under another name."""
    from users_service.generator import plan

    made = plan(options.root, options.type, drop=options.drop)
    for line in _roles_that_name(options.type, options.root / options.ini):
        print(line)
    _apply(options, made)


def list_(options: argparse.Namespace) -> None:
    """List what is described, and whether it was applied."""
    from users_service.generator import states

    for kind, state in states(options.root).items():
        print(f"{kind:30} {state}")


def schema_(_options: argparse.Namespace) -> None:
    """Print the JSON Schema of descriptions, for editors."""
    from users_service.generator import SCHEMA

    print(json.dumps(SCHEMA, indent=2, ensure_ascii=False))


def _show(made: "Plan") -> None:
    sys.stdout.writelines(made.diff())
    if made.steps:
        print(f"\nMigration {made.revision}:")
        for step in made.steps:
            print(f"  {step.label:10}  {step.says}")
    for conflict in made.conflicts:
        print(f"\nConflict in {conflict.file}, {conflict.place}. In the file:\n{conflict.yours}")
        print(f"By the description:\n{conflict.written or '(nothing)'}")
    for path, places in made.kept.items():
        print(f"\nWritten by hand in {path}: {', '.join(places)}")
    if not made.changed():
        print("Everything is as the descriptions say.")


def _apply(options: argparse.Namespace, made: "Plan") -> None:
    from users_service.generator import DescriptionError, carry_out

    _show(made)
    if made.conflicts:
        raise DescriptionError("\nNothing is written. Make both sides the same, and apply again.")
    if made.kept:
        raise DescriptionError("\nNothing is written. Move what was written by hand, or delete it.")
    if any(step.label == "loses data" for step in made.steps) and not options.accept_loss:
        raise DescriptionError("\nNothing is written, for data would be lost: --accept-loss")
    if not made.changed():
        return
    if not options.yes:
        if not sys.stdin.isatty():
            raise DescriptionError("\nNothing is written: --yes writes without asking.")
        if input("\nWrite this? [y/N] ").strip().lower() not in ("y", "yes"):
            raise DescriptionError("Nothing is written.")
    engines = carry_out(options.root, made)
    tried = f" The migration was tried on {', '.join(engines)}." if engines else ""
    print(f"\nWritten.{tried} Migrate: users-service migrate <your ini file>")


def _roles_that_name(kind: str, ini: Path) -> list[str]:
    """The roles with permissions of a type, in the database of an ini file."""
    try:
        settings = database.settings_of(str(ini))
        engine = database.make_engine(settings)
        with engine.connect() as connection:
            rows = connection.execute(select(Role.name, Role.permissions)).all()
    except (SettingsError, DBAPIError, OSError) as error:
        return [f"Roles were not looked at: {ini}: {str(error).partition(chr(10))[0]}"]
    return [
        f"The role {name} has {', '.join(found)}."
        for name, permissions in rows
        if (found := [each for each in permissions if each.startswith(f"{kind}:")])
    ]
