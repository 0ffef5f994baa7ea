"""The files of the browser UI, read when the first of them is asked for, and then kept."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

import orjson
from rcssmin import cssmin
from rjsmin import jsmin

from users_service.jsonapi import Copy
from users_service.ui.joining import joined

STATIC = Path(__file__).parent / "static"

# Of the files that are sent, by the end of their names. No others are.
CONTENT_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Files:
    """All files: the page, and those that it may load.

    :param page: without what differs between settings and prefixes.
    :param digest: of the names of the other files and what is in them. It is in their URLs.
    :param copies: the other files by their names, which have slashes where they are in folders.
    """

    page: Template
    digest: str
    copies: Mapping[str, Copy]

    def languages(self, wanted: Iterable[str]) -> list[str]:
        """The wanted languages that there are texts in."""
        return [language for language in wanted if f"lang/{language}.json" in self.copies]


# What the modules and the style sheets are sent as.
SCRIPT, STYLE = "app.js", "app.css"


@cache
def files() -> Files:
    """Return the files of the UI."""
    return read(STATIC)


def read(folder: Path) -> Files:
    """Read all files of a folder, and of those in it."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.*"))}
    code = {
        name: path.read_text(encoding="utf-8")
        for name, path in found.items()
        if path.suffix in (".css", ".js")
    }
    # Without comments and blanks, which are more than half.
    script = jsmin(joined({name: text for name, text in code.items() if name.endswith(".js")}))
    style = cssmin("".join(text for name, text in code.items() if name.endswith(".css")))
    copies = {SCRIPT: Copy(script.encode()), STYLE: Copy(style.encode())}
    copies |= {
        name: Copy(_sent(path))
        for name, path in found.items()
        if path.suffix.removeprefix(".") in CONTENT_TYPES and name not in code
    }
    digest = hashlib.blake2b(digest_size=12)
    for name, copy in sorted(copies.items()):
        digest.update(f"{name} {copy.tag}\n".encode())
    page = Template((folder / "page.html").read_text(encoding="utf-8"))
    return Files(page, digest.hexdigest(), copies)


def _sent(path: Path) -> bytes:
    """Return what is sent of another file: texts without blanks."""
    content = path.read_bytes()
    return orjson.dumps(orjson.loads(content)) if path.suffix == ".json" else content
