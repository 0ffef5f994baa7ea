"""Merges what is wanted in a file with what was last written and what people made of it since.

It goes by statements, which are found by what they are and not by where they stand. Digests tell
which ones are still as they were written. Comments and blank lines above a statement are the
file's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from users_service.generator.statements import (
    add_imports,
    code_of,
    digest_of,
    has_header,
    header_of,
    import_keys,
    instead,
    is_container,
    key_of,
    last_like,
    list_of,
    merge_list,
    pass_line,
    was_ours,
    without_unused,
)


class MergeError(Exception):
    """A file that is not Python, with the place and the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A statement that was changed by hand, and is wanted otherwise too.

    :param place: what leads to it, such as `class Team > name`.
    :param yours: its text in the file; empty if it is not there.
    :param written: its text as it is wanted; empty if it is wanted no more.
    """

    file: str
    place: str
    yours: str
    written: str


@dataclass(slots=True)
class Merged:
    """What comes of a merge.

    :param text: of the file; None if it is to be deleted.
    :param digests: of the statements as they are written now, by their places.
    :param conflicts: while there are some, the text is not to be written.
    :param kept: the places of statements that people made, in a file that is wanted no more.
    """

    text: str | None = None
    digests: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def merge(file: str, wanted: str, present: str | None, written: Mapping[str, str]) -> Merged:
    """Merge what a description wants in a file.

    :param wanted: the whole module, or its part in one that others share: statements within the
        classes and functions that have them. A class without bases there is one that others share.
    :param present: the text of the file; None if there is none.
    :param written: the digests of what was last written, by place.
    :raises MergeError: if the file is not Python.
    """
    module, wanting = _parse(file, present or ""), _parse(file, wanted)
    made = _Merge(file, written, is_removal=not wanted)
    body = made.body(module.body, wanting.body, "")
    merged = made.merged
    if made.is_removal and "docstring" in written:
        merged.kept += [key for key in made.foreign if not key.startswith(("from ", "import "))]
        around = [*module.header, *module.footer]
        merged.kept += [line.comment.value for line in around if line.comment]
        if not merged.kept:
            return merged
    if present is None:
        merged.text = wanted
    else:
        body = without_unused(body, made.unwanted_imports)
        footer = [*made.comments, *module.footer]
        merged.text = module.with_changes(body=body, footer=footer).code
    return merged


def _parse(file: str, text: str) -> cst.Module:
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        place = f"{file}:{error.raw_line}:{error.raw_column + 1}"
        raise MergeError(f"{place}: This is not Python. Mend it, or get the file back.") from None


class _Merge:
    def __init__(self, file: str, written: Mapping[str, str], *, is_removal: bool) -> None:
        self.file, self.written, self.is_removal = file, written, is_removal
        self.merged = Merged()
        self.foreign: list[str] = []
        # Those above statements that went: they go above the next one.
        self.comments: list[Any] = []
        self.unwanted_imports: set[str] = set()

    def body(self, have: Sequence[Any], want: Sequence[Any], path: str) -> list[Any]:
        """Merge the statements of a module, a class, or a function that others share."""
        result = list(have)
        wanted = {key_of(node): node for node in want}
        after: int | None = None
        for key, node in wanted.items():
            if import_keys(node):
                add_imports(result, node, path, self.written, self.merged.digests)
                continue
            keys = [key_of(each) for each in result]
            index = keys.index(key) if key in keys else None
            if keys.count(key) > 1:
                self._conflict(path + key, None, node, twice=True)
            elif is_container(node) and index is not None and not is_container(result[index]):
                self._is_new(path + key, node, result[index])
            elif is_container(node) and index is not None:
                result[index] = self._container(result[index], node, path + key)
            elif index is not None:
                chosen = self._choose(path + key, result[index], node)
                result[index : index + 1] = [] if chosen is None else [chosen]
            elif self._is_new(path + key, node):
                index = last_like(result, node) + 1 if after is None else after + 1
                result.insert(index, node)
            after = after if index is None else index
        return self._without(result, wanted, path)

    def _is_new(self, place: str, node: Any, have: Any = None) -> bool:
        """Whether to add what is not there: it may have been deleted by hand, or be there in
        another form."""
        if not is_container(node):
            return self._choose(place, None, node) is not None
        found = _Merge(self.file, {}, is_removal=False)
        places = found.merged.digests
        if isinstance(node, cst.SimpleStatementLine):
            names = [code_of(each.value) for each in list_of(node).elements]
            places |= {f"{place} > {name}": "element" for name in names}
        else:
            if has_header(node):
                found._choose(place, None, header_of(node))
            found.body([], node.body.body, f"{place} > ")
        self.merged.digests |= places
        old = {p: d for p, d in self.written.items() if p == place or p.startswith(f"{place} > ")}
        if old != places and (old or have is not None):
            self._conflict(place, have, node)
        return not old and have is None

    def _without(self, nodes: list[Any], wanted: Mapping[str, Any], path: str) -> list[Any]:
        """Take out what was written and is wanted no more."""
        result = []
        for node in nodes:
            key = key_of(node)
            place = path + key
            if names := import_keys(node):
                want = {n for w in wanted.values() for n in import_keys(w)}
                gone = {n for n in names if path + n in self.written and n not in want}
                self.unwanted_imports |= gone
                self.foreign += [n for n in names if path + n not in self.written]
            elif key not in wanted and (place in self.written or was_ours(place, self.written)):
                lines = node.leading_lines
                node = self._removed(node, place)
                if node is None and any(line.comment for line in lines):
                    self.comments = [*lines, *self.comments]
                    if self.is_removal:
                        self.merged.kept.append(f"the comment above {place}")
            elif key not in wanted:
                self.foreign.append(place)
            if node is not None:
                if self.comments:
                    lines = [*self.comments, *node.leading_lines]
                    node, self.comments = node.with_changes(leading_lines=lines), []
                result.append(node)
        return result

    def _block(self, node: Any, want: Sequence[Any], path: str) -> Any:
        """Merge the statements of a class, a function or a condition."""
        block = node.body
        if isinstance(block, cst.SimpleStatementSuite):  # all in one line
            lines = [cst.SimpleStatementLine([each]) for each in block.body]
            block = cst.IndentedBlock(lines, header=block.trailing_whitespace)
        above, self.comments = self.comments, []
        inner = self.body(block.body, want, path)
        footer, self.comments = [*self.comments, *block.footer], above
        if footer == list(block.footer) and inner == list(block.body):
            return node.body
        return block.with_changes(body=inner, footer=footer)

    def _removed(self, node: Any, place: str) -> Any:
        if not is_container(node):
            return self._choose(place, node, None)
        if isinstance(node, cst.SimpleStatementLine):
            return merge_list(node, [], place, self.written, self.merged.digests)
        block = self._block(node, [], f"{place} > ")
        comments = [line for line in getattr(block, "footer", ()) if line.comment]
        if (
            not block.body
            and not comments
            and digest_of(header_of(node)) == self.written.get(place, digest_of(header_of(node)))
        ):
            return None
        if comments and self.is_removal:
            self.merged.kept += [f"{place} > {line.comment.value}" for line in comments]
        return node.with_changes(body=block.with_changes(body=block.body or [pass_line()]))

    def _container(self, have: Any, want: Any, place: str) -> Any:
        if isinstance(want, cst.SimpleStatementLine):
            names = [code_of(each.value) for each in list_of(want).elements]
            return merge_list(have, names, place, self.written, self.merged.digests)
        if has_header(want):
            header = self._choose(place, header_of(have), header_of(want))
            if header is not None:
                have = have.with_changes(
                    bases=header.bases, keywords=header.keywords, decorators=header.decorators
                )
        return have.with_changes(body=self._block(have, want.body.body, f"{place} > "))

    def _choose(self, place: str, have: Any, want: Any) -> Any:
        """Decide on one statement: the file's, the wanted one, or none."""
        now, new, old = digest_of(have), digest_of(want), self.written.get(place, "")
        if new:
            self.merged.digests[place] = new
        if now == new or (old and new == old):  # nothing to do, or changed by hand alone
            return have
        if (old and now == old) or (not old and have is None):
            return want if want is None or have is None else instead(have, want)
        if want is None and self.is_removal:
            self.merged.kept.append(place)
        else:
            self._conflict(place, have, want)
        return have

    def _conflict(self, place: str, have: Any, want: Any, *, twice: bool = False) -> None:
        yours = f"{place} is there more than once." if twice else code_of(have)
        conflict = Conflict(file=self.file, place=place, yours=yours, written=code_of(want))
        self.merged.conflicts.append(conflict)
