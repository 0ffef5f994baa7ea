"""A virtual environment for each peer, made once for each state of its requirements."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).with_name("peers")
FOLDER = Path(__file__).parent.parent / ".venv" / "bench"


def bin_folder(name: str, requirements: Path | None = None) -> Path:
    """Return where the programs of an environment are, and make it if it is not there yet.

    :param requirements: what is in it; the requirements of the peer of that name by default.
    """
    requirements = requirements or PEERS / name / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:10]
    folder = FOLDER / f"{name}-{digest}"
    complete = folder / "complete"
    if not complete.exists():
        print(f"Making {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=300)
        pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", "--requirement", requirements], check=True, timeout=1800)
        complete.touch()
    return folder / "bin"


def versions(name: str) -> str:
    """What a peer is made of: what its requirements name first, with versions."""
    lines = (PEERS / name / "requirements.txt").read_text(encoding="utf-8").splitlines()
    direct = lines[: next(i for i, line in enumerate(lines) if line.startswith("#"))]
    return ", ".join(line.replace("==", " ") for line in direct)
