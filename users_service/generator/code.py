"""Python code as text: formatted, and with the imports of what it names."""

import re
import subprocess
import sys
from collections.abc import Mapping


def formatted(path: str, text: str) -> str:
    """Format a module with ruff, and sort its imports."""
    for command in (["check", "--select", "I", "--fix"], ["format"]):
        given = [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", path, "-"]
        done = subprocess.run(given, input=text, capture_output=True, text=True, check=True)  # noqa: S603
        text = done.stdout
    return text


def imports(body: str, sources: Mapping[str, str]) -> str:
    """The imports of what a text names."""
    used = {
        module: [name for name in names.split() if re.search(rf"\b{name}\b", body)]
        for module, names in sources.items()
    }
    return "".join(f"from {m} import {', '.join(names)}\n" for m, names in used.items() if names)
