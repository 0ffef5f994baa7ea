"""The service against its own description: requests that fit it, and requests that do not."""

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engines import database_url
from tests.server import ROOT, pserve
from users_service.database.engine import make_engine
from users_service.database.migrations import upgrade_database
from users_service.settings import load

HERE = Path(__file__).parent

# For each operation and phase. A long run (`make fuzz`) sets more.
EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
FEW_EXAMPLES = "8"

# All lists take parameters of the same kinds; in a short run one stands for the others.
SAME_PARAMETERS = """
[[operations]]
include-operation-id-regex = "^(?!users_list$).*_list$"
phases.coverage.enabled = false
"""


def without_security(address: str, folder: Path) -> Path:
    """The description of a service that lets everyone do everything: nobody need authenticate.

    The tests of permissions ask a service that does not.
    """
    with urllib.request.urlopen(f"{address}/api/v1/openapi.json") as response:
        document = json.load(response)
    del document["components"]["securitySchemes"]
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    return file


@pytest.mark.description
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_service_keeps_to_its_description(engine, tmp_path, tmp_path_factory):
    config = tmp_path / "schemathesis.toml"
    config.write_text((HERE / config.name).read_text() + ("" if EXAMPLES else SAME_PARAMETERS))
    with ExitStack() as stack:
        url = database_url(engine, stack, tmp_path_factory)
        database = make_engine(load({"users_service.database_url": url}, {}))
        upgrade_database(database)
        database.dispose()
        environ = {"USERS_SERVICE_DATABASE_URL": url}
        address = stack.enter_context(pserve(ROOT / "development.ini", environ))
        command = [Path(sys.executable).parent / "schemathesis", "--config-file", config, "run"]
        command += [without_security(address, tmp_path), "--url", address]
        command += ["--checks", "all", "--no-color"]
        command += ["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure"]
        command += ["--max-examples", EXAMPLES or FEW_EXAMPLES]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=7200)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    # Neither of them shows anything where nothing was tried.
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout
