"""The types of the scripts, which TypeScript's compiler reads in their comments."""

import json
import re
from pathlib import Path

import pytest

from tests.clients.programs import node_packages, run
from users_service.ui.files import STATIC

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent

# Scripts that are wrong, with the number of what TypeScript has to find.
WRONG = {
    "argument": ("/** @param {string} a */\nexport const f = (a) => a;\nf(1);", "TS2345"),
    "untyped": ("export function f(a) {\n  return a;\n}", "TS7006"),
    "null": ('document.querySelector("a").remove();', "TS2531"),
    "import": ('import { a } from "./nowhere.js";\na();', "TS2307"),
    "browser": ("location.reload(1, 2);", "TS2554"),
}


@pytest.fixture(scope="module")
def compiler(pytestconfig) -> Path:
    return node_packages(HERE, pytestconfig) / "node_modules" / ".bin" / "tsc"


def check(compiler: Path, folder: Path, scripts: Path) -> tuple[list[str], set[str]]:
    """Check all scripts below a folder, with the options that stand in tsconfig.json.

    Returns what is wrong, and which scripts were read.
    """
    options = json.loads((HERE / "tsconfig.json").read_text())
    options["include"] = [f"{scripts}/**/*.js"]
    project = folder / "tsconfig.json"
    project.write_text(json.dumps(options))
    ended = run([compiler, "--pretty", "false", "--listFiles", "--project", project], folder)
    lines = ended.printed.splitlines()
    read = {line for line in lines if line.startswith(f"{scripts}/")}
    wrong = [line for line in lines if not line.startswith("/")]
    assert (ended.status == 0) is (wrong == []), ended.printed
    return wrong, {Path(line).relative_to(scripts).as_posix() for line in read}


def test_the_scripts_use_each_other_and_the_browser_as_they_are(compiler, tmp_path):
    wrong, read = check(compiler, tmp_path, STATIC)
    assert wrong == []
    assert read == {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js")} != set()


def test_scripts_that_do_not_are_found(compiler, tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name, (script, _) in WRONG.items():
        (scripts / f"{name}.js").write_text(script)
    wrong, _ = check(compiler, tmp_path, scripts)
    found = {re.search(r"(\w+)\.js\(\d+,\d+\): error (\w+):", line).groups() for line in wrong}
    assert found == {(name, number) for name, (_, number) in WRONG.items()}
