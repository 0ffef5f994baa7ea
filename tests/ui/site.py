"""The service as the browser tests use it: with people in it who may do different things."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.auth.world import World
from tests.client import API, MEDIA_TYPE
from tests.server import ROOT, pserve
from users_service.database.engine import make_engine
from users_service.database.migrations import upgrade
from users_service.settings import load


@dataclass(frozen=True)
class Site:
    """A running service that grants nothing to everyone.

    :param address: without a path.
    """

    address: str
    world: World

    def call(self, method: str, path: str, document: Any = None, person: str = "administrator"):
        """Send a request past the UI, and return the document of its answer."""
        headers = {"Authorization": f"Bearer {self.world.tokens[person]}"}
        if document is not None:
            headers["Content-Type"] = MEDIA_TYPE
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(
            f"{self.address}{API}/{path}", body, headers, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or "null")

    def create(self, kind: str, **attributes: Any) -> str:
        """Create a resource past the UI, and return its id."""
        data = {"type": kind, "attributes": attributes}
        return self.call("POST", kind, {"data": data})["data"]["id"]

    def change(self, kind: str, id: str, **attributes: Any) -> None:
        """Change a resource past the UI."""
        data = {"type": kind, "id": id, "attributes": attributes}
        self.call("PATCH", f"{kind}/{id}", {"data": data})

    def attributes(self, kind: str, id: str) -> dict[str, Any]:
        return self.call("GET", f"{kind}/{id}")["data"]["attributes"]

    def is_there(self, kind: str, id: str) -> bool:
        return bool(self.call("GET", f"{kind}?filter[id]={id}")["data"])


@contextmanager
def site(folder: Path, main: str = "", **environ: str) -> Iterator[Site]:
    """Serve `development.ini` on SQLite in a folder, to people who have to sign in.

    :param main: the function that makes the application, if it is not the service's own.
    """
    ini = Path(shutil.copy(ROOT / "development.ini", folder))
    text = ini.read_text().replace("anonymous_permissions = *", "anonymous_permissions =")
    ini.write_text(text)
    upgrade(str(ini))
    if main:
        ini.write_text(text.replace("use = egg:users_service\n", f"use = call:{main}\n", 1))
    url = f"sqlite:///{folder}/var/development.sqlite3"
    engine = make_engine(load({"users_service.database_url": url}, {}))
    try:
        world = World(SimpleNamespace(engine=engine), app=object())
        with pserve(ini, environ) as address:
            yield Site(address, world)
    finally:
        engine.dispose()
