"""The service without a socket: its application in the process of the tests."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from pyramid.router import Router
from sqlalchemy import delete

from tests import engines
from tests.client import Client
from users_service import configure
from users_service.database.engine import make_engine
from users_service.database.migrations import upgrade_database
from users_service.models.base import Base
from users_service.settings import add_signing_key, load

ISSUER = "https://users.example.com"

# All that is done by mail; whoever reads the mail sets `smtp_url` too.
MAIL = {
    "smtp_url": "smtp://127.0.0.1:9",
    "mail_from": "Users <users@example.com>",
    "sign_up": "true",
    "password_reset": "true",
    "email_change": "true",
    "sign_up_link": "https://app.example.com/sign-up#{code}",
    "reset_link": "https://app.example.com/reset?code={code}",
    "email_link": "https://app.example.com/email/{code}",
}


class Service:
    """The service on a database: its engine, its WSGI application, and a client.

    :param folder: for the keys that sign assertions.
    """

    def __init__(self, engine: str, url: str, folder: Path | None = None) -> None:
        self.name = engine
        self.url = url
        self.folder = folder
        self.ini = {
            "users_service.database_url": url,
            "users_service.anonymous_permissions": "*",
        }
        self.app = self.make_app()
        self.engine = self.app.registry["engines"]["writing"]
        self.client = Client(self.app)

    @cached_property
    def guarded_app(self) -> Router:
        """The application as it is by default: it grants nothing to everyone. What is done by mail
        is on. Where there is a folder for the key, it makes assertions."""
        if self.folder is None:
            return self.make_app(anonymous_permissions="", **MAIL)
        keys = self.folder / "keys.pem"
        add_signing_key(keys, append=False)
        return self.make_app(
            anonymous_permissions="", assertion_key=str(keys), assertion_issuer=ISSUER, **MAIL
        )

    def dispose(self) -> None:
        for name in {"app", "guarded_app"} & vars(self).keys():
            dispose(getattr(self, name))

    def make_app(self, include: Callable | None = None, **settings: str) -> Router:
        """The application on this database, with other settings or more of the test's own in it.

        Its engine is its own: the caller disposes of it.
        """
        ini = self.ini | {f"users_service.{name}": value for name, value in settings.items()}
        config = configure(ini)
        if include is not None:
            config.include(include)
        return config.make_wsgi_app()

    def empty(self) -> None:
        with self.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(delete(table))


def dispose(app: Router) -> None:
    for engine in app.registry["engines"].values():
        engine.dispose()


def start(engine: str, stack: ExitStack, tmp_path_factory) -> Service:
    """The service on a new database of an engine, for as long as the stack is open."""
    url = engines.database_url(engine, stack, tmp_path_factory)
    migrating = make_engine(load({"users_service.database_url": url}, {}))
    upgrade_database(migrating)
    migrating.dispose()
    service = Service(engine, url, tmp_path_factory.mktemp("keys"))
    stack.callback(service.dispose)
    return service
