"""Passwords that others would guess: common ones and words, and those of the operator's list."""

import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

# Shorter words are no passwords anyway.
SHORTEST = 8


class CommonPasswords:
    """The folded forms of common passwords, by their hashes: 8 bytes each instead of a text.

    They are read when the first password is looked up.

    :param blocklist: a file of further passwords, one in each line, in UTF-8.
    """

    def __init__(self, blocklist: Path | None) -> None:
        self._blocklist = blocklist

    def __contains__(self, folded: str) -> bool:
        place = bisect_left(self._hashes, hash(folded))
        return place < len(self._hashes) and self._hashes[place] == hash(folded)

    @cached_property
    def _hashes(self) -> "array[int]":
        found = array("q", (hash(fold(word)) for word in self._words() if len(word) >= SHORTEST))
        return array("q", sorted(found))

    def _words(self) -> Iterator[str]:
        for words in _frequency_lists().values():
            yield from words
        if self._blocklist is not None:
            with self._blocklist.open(encoding="utf-8-sig", errors="replace") as lines:
                yield from (line.rstrip("\n") for line in lines)


def fold(text: str) -> str:
    """The form in which passwords are compared with what is common: without case, and without what
    only looks different."""
    return unicodedata.normalize("NFKC", text).casefold()


def _frequency_lists() -> dict[str, list[str]]:
    """The lists of zxcvbn, most frequent words first.

    Its package is not imported: the rest of it takes as long, and everything would stay in memory.
    """
    package = find_spec("zxcvbn")
    if package is None or package.submodule_search_locations is None:
        raise ModuleNotFoundError("zxcvbn is not installed.")
    (folder,) = package.submodule_search_locations
    lists: dict[str, list[str]] = run_path(f"{folder}/frequency_lists.py")["FREQUENCY_LISTS"]
    return lists
