"""Who takes part: the service, its peers and the floor, each as it is started."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench import environments
from bench.dialects import JSON_API, PLAIN, Dialect
from bench.postgresql import ROOT, Database

SERVICE = "service"
FLOOR = "floor"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """:param prefix: what its paths begin with.
    :param command: what is run in `folder` to serve on a port.
    :param environ: the environment variables that it finds a database by.
    """

    name: str
    title: str
    dialect: Dialect
    folder: Path
    command: Callable[[int], list[str]]
    environ: Callable[[Database], dict[str, str]]
    versions: str
    prefix: str = ""


def service() -> Contestant:
    """The service with the settings of production.ini, which are not changed."""

    def environ(database: Database) -> dict[str, str]:
        return database.variables | {
            "USERS_SERVICE_DATABASE_URL": f"postgresql+psycopg:///{database.name}",
            "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "*",
            "USERS_SERVICE_DRAIN_DELAY": "0",  # a run does not wait for its end
        }

    pserve = str(Path(sys.executable).with_name("pserve"))
    parts = ("pyramid", "cornice", "marshmallow", "SQLAlchemy", "psycopg", "orjson", "waitress")
    return Contestant(
        name=SERVICE,
        title="the service",
        dialect=JSON_API,
        prefix="/api/v1",
        folder=ROOT,
        command=lambda port: [pserve, "production.ini", f"http_port={port}"],
        environ=environ,
        versions=", ".join(f"{part} {version(part)}" for part in parts),
    )


def _peer(
    name: str,
    title: str,
    dialect: Dialect,
    program: str,
    options: str,
    folder: str | None = None,
    **variables: str,
) -> Contestant:
    """:param program: what serves it, of its environment, with `options`.
    :param folder: its folder among the peers, if that has not its name.
    :param variables: further environment variables.
    """
    folder = folder or name
    return Contestant(
        name=name,
        title=title,
        dialect=dialect,
        folder=environments.PEERS / folder,
        command=lambda port: [
            str(environments.bin_folder(folder) / program),
            *options.format(port=port).split(),
        ],
        environ=lambda database: database.variables | variables,
        versions=environments.versions(folder),
    )


WAITRESS = "--host=127.0.0.1 --port={port} --threads=4"
GUNICORN = (
    "--bind=127.0.0.1:{port} --workers=1 --worker-class=gthread --threads=4 --no-control-socket"
)
UVICORN = "--host 127.0.0.1 --port {port} --workers 1 --no-access-log app:app"

PEERS = [
    _peer("tutorial", "the tutorial's stack", JSON_API, "waitress-serve", f"{WAITRESS} app:app"),
    _peer("drf", "DRF JSON:API", JSON_API, "gunicorn", f"{GUNICORN} app:application"),
    _peer("fastapi", "FastAPI", PLAIN, "uvicorn", UVICORN),
    _peer("fastapi-lean", "FastAPI, lean", PLAIN, "uvicorn", UVICORN, "fastapi", LEAN="1"),
    _peer(FLOOR, "the floor", JSON_API, "waitress-serve", f"{WAITRESS} app:application"),
]

NAMES = (SERVICE, *(peer.name for peer in PEERS))


def contestant(name: str) -> Contestant:
    return service() if name == SERVICE else next(peer for peer in PEERS if peer.name == name)
