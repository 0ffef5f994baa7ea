"""The files of the UI as texts: what is code in them, and which texts they ask for."""

import re
from collections.abc import Iterator
from pathlib import Path

# Strings stay, with what looks like a comment in them; comments go. A line break ends a string.
STRING_OR_COMMENT = re.compile(
    r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?P<comment>/\*.*?\*/|//[^\n]*)""",
    re.DOTALL,
)
CALL = re.compile(r"(?<![\w.$])t\(")
# A string that an expression can give: it stands alone, or behind what chooses.
GIVEN = re.compile(r'(?:^|\?|:|\|\|)\s*"([^"]+)"\s*(?=$|:|\))')
LITERAL = re.compile(r'"([^"\n]*)"')
# The beginning of a string to whose end something is put.
BEGINNING = re.compile(r"`([^`$]+)\$\{")


def code_of(text: str) -> str:
    """A script or a style sheet without its comments."""
    return STRING_OR_COMMENT.sub(lambda found: " " if found["comment"] else found[0], text)


def code_in(folder: Path) -> dict[str, str]:
    """The code of all scripts and style sheets of a folder, by their names."""
    return {
        path.relative_to(folder).as_posix(): code_of(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".js", ".css")
    }


def words_of(code: str) -> set[str]:
    """The words of code: identifiers, and what is like one in strings."""
    return set(re.findall(r"[A-Za-z_]\w*", code))


def asked(code: str) -> Iterator[str]:
    """The first argument of each call of `t`."""
    for call in CALL.finditer(code):
        if code[: call.start()].endswith("function "):
            continue
        depth, end = 0, call.end()
        while depth or code[end] not in ",)":
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        yield code[call.end() : end].strip()


def keys_of(code: str) -> tuple[set[str], set[str]]:
    """The keys of texts that a script asks for, and the beginnings of keys."""
    arguments = list(asked(code))
    keys = {key for argument in arguments for key in GIVEN.findall(argument)}
    return keys, {key for argument in arguments for key in BEGINNING.findall(argument)}


def literals(code: str) -> set[str]:
    """All strings in double quotes."""
    return set(LITERAL.findall(code))


def beginnings(code: str) -> set[str]:
    """The beginnings of all strings to whose end something is put."""
    return set(BEGINNING.findall(code))
