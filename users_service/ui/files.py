"""The files of the browser UI, read when the first of them is asked for, and then kept."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

import orjson

from users_service.jsonapi import Copy

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

    @property
    def styles(self) -> list[str]:
        """The names of the style sheets, in the order in which they apply."""
        return [name for name in self.copies if name.endswith(".css")]

    @property
    def modules(self) -> list[str]:
        """The names of the modules that are loaded at the start: all but those of single pages."""
        return [
            name for name in self.copies if name.endswith(".js") and not name.startswith("pages/")
        ]

    def languages(self, wanted: Iterable[str]) -> list[str]:
        """The wanted languages that there are texts in."""
        return [language for language in wanted if f"lang/{language}.json" in self.copies]


# Lines of scripts and style sheets that say something to those who read the source alone.
COMMENTS = re.compile(rb"^[ \t]*/\*.*?\*/[ \t]*\n|^[ \t]*//[^\n]*\n", re.DOTALL | re.MULTILINE)
GOES_ON = re.compile(rb"([{(\[,;])\n$")
INDENTATION = re.compile(rb"^\s+", re.MULTILINE)


def _sent(path: Path) -> bytes:
    """Return what is sent of a file, without what only those need who read the source: comments,
    empty lines and indentation are half of it. No text in scripts and style sheets has several
    lines."""
    content = path.read_bytes()
    match path.suffix:
        case ".js" | ".css":
            return _joined(INDENTATION.sub(b"", COMMENTS.sub(b"", content)))
        case ".json":
            return orjson.dumps(orjson.loads(content))
        case _:
            return content


def _joined(code: bytes) -> bytes:
    """Join lines where the end of one says that its statement goes on, or has ended."""
    lines = code.splitlines(keepends=True)
    return b"".join(
        line if b"//" in line else GOES_ON.sub(rb"\1", line)  # a comment ends with its line
        for line in lines
    )


@cache
def files() -> Files:
    """Return the files of the UI."""
    return read(STATIC)


def read(folder: Path) -> Files:
    """Read all files of a folder, and of those in it."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}
    copies = {
        name: Copy(_sent(path))
        for name, path in sorted(paths.items())
        if path.suffix.removeprefix(".") in CONTENT_TYPES
    }
    digest = hashlib.blake2b(digest_size=12)
    for name, copy in copies.items():
        digest.update(f"{name} {copy.tag}\n".encode())
    page = Template((folder / "page.html").read_text(encoding="utf-8"))
    return Files(page, digest.hexdigest(), copies)
