"""What forms do when two change a resource at once: merges that node makes at random."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("merge.mjs")
MERGES = int(os.environ.get("MERGES", "10000"))
SEED = 20_260_101

PROPERTIES = [
    "your change is kept",
    "their change is taken over, and said",
    "an equal change is no conflict",
    "an overlap is asked, and yours is not lost",
    "each addition to a set and removal from it is kept",
    "what they did to a set is said",
    "sides change places",
    "what differs from theirs is sent",
    "what is chosen is stored, and nothing else changes",
    "no member is lost, made up or named twice",
]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    node = shutil.which("node")
    assert node, "node is needed"
    command = [node, str(PROGRAM), str(MERGES), str(SEED)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_merge_at_random_has_the_property(found: dict[str, Any], name: str) -> None:
    assert found[name]["looked"] > MERGES / 20
    assert found[name]["broken"] == 0, found[name]["first"]


def test_there_is_no_other_property(found: dict[str, Any]) -> None:
    assert sorted(found) == sorted(PROPERTIES)
