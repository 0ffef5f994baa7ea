"""What a statement is, for a merge: its key, its digest, what it imports or contains."""

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import libcst as cst

# Functions to which a description adds statements; any other is one statement.
PARTIAL = frozenset({"includeme"})
EMPTY = cst.Module(body=[])
IMPORTS = (cst.Import, cst.ImportFrom)
SPACE: Any = cst.SimpleWhitespace("")


def key_of(node: Any) -> str:
    """What a statement is."""
    if isinstance(node, cst.ClassDef):
        return f"class {node.name.value}"
    if isinstance(node, cst.FunctionDef):
        return f"def {node.name.value}"
    if not isinstance(node, cst.SimpleStatementLine) or len(node.body) != 1:
        return code_of(node).partition("\n")[0].rstrip(":")
    (line,) = node.body
    match line:
        case cst.Import() | cst.ImportFrom():
            return code_of(line)
        case cst.AnnAssign(target=target):
            return code_of(target)
        case cst.Assign(targets=[first, *_]):
            return code_of(first.target)
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
            return "docstring"
        case cst.Expr(value=cst.Call(func=function, args=[first, *_])):
            return f"{code_of(function)}({code_of(first.value)})"
    return code_of(line)


def is_container(node: Any) -> bool:
    if isinstance(node, cst.FunctionDef):
        return node.name.value in PARTIAL
    if isinstance(node, cst.If):
        return code_of(node.test) == "TYPE_CHECKING"
    if isinstance(node, cst.SimpleStatementLine):
        return key_of(node) == "__all__" and isinstance(getattr(node.body[0], "value", 0), cst.List)
    return isinstance(node, cst.ClassDef)


def has_header(node: Any) -> bool:
    """Whether a class is wanted with its bases; else it is there already."""
    return isinstance(node, cst.ClassDef) and bool(node.bases or node.decorators)


def header_of(node: Any) -> Any:
    """A class without its body: its name, bases and decorators."""
    return node.with_changes(body=cst.IndentedBlock(body=[pass_line()]), leading_lines=[])


def pass_line() -> Any:
    return cst.SimpleStatementLine([cst.Pass()])


def code_of(node: Any) -> str:
    if node is None:
        return ""
    if isinstance(node, cst.BaseStatement):
        node = node.with_changes(leading_lines=[])
    return EMPTY.code_for_node(node).strip()


def digest_of(node: Any) -> str:
    """The digest of a statement, however it is wrapped, with the comments in it; empty for none."""
    if node is None:
        return ""
    code = code_of(node)
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    text = "\n".join([ast.unparse(ast.parse(code)), *comments])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def instead(have: Any, want: Any) -> Any:
    """The wanted statement with the comments and blank lines above the file's."""
    return want.with_changes(leading_lines=have.leading_lines)


def was_ours(place: str, written: Mapping[str, str]) -> bool:
    """Whether something within a statement was written."""
    return any(each.startswith(f"{place} > ") for each in written)


def last_like(nodes: Sequence[Any], node: Any) -> int:
    """The index of the last statement of the kind of another one; else of the last one that new
    statements stand behind."""
    kinds = [kind_of(each) for each in nodes]
    found = [i for i, kind in enumerate(kinds) if kind == kind_of(node)]
    if not found and isinstance(node, cst.If | cst.SimpleStatementLine):
        found = [i for i, kind in enumerate(kinds) if kind in ("import", "docstring", "If")]
    return found[-1] if found else len(nodes) - 1


def kind_of(node: Any) -> str:
    if import_keys(node):
        return "import"
    if not isinstance(node, cst.SimpleStatementLine):
        return type(node).__name__
    if key_of(node) == "docstring":
        return "docstring"
    value = getattr(node.body[0], "value", None)
    return code_of(value.func) if isinstance(value, cst.Call) else ""


def import_keys(node: Any) -> list[str]:
    """The names that a statement imports, each as a statement of its own."""
    if isinstance(node, cst.SimpleStatementLine) and is_import(node.body):
        line: Any = node.body[0]
        names = [] if isinstance(line.names, cst.ImportStar) else line.names
        return [import_key(line, name) for name in names]
    return []


def is_import(body: Sequence[Any]) -> bool:
    return len(body) == 1 and isinstance(body[0], IMPORTS)


def import_key(line: Any, name: Any) -> str:
    return code_of(with_names(line, [name]))


def with_names(line: Any, names: Sequence[Any]) -> Any:
    """An import of some names, without parentheses."""
    *others, last = names
    names = [*others, last.with_changes(comma=cst.MaybeSentinel.DEFAULT)]
    if isinstance(line, cst.ImportFrom):
        return line.with_changes(names=names, lpar=None, rpar=None)
    return line.with_changes(names=names)


def without_unused(body: Sequence[Any], keys: Collection[str]) -> list[Any]:
    """Take out imports of ours that are wanted no more, where nothing else names what they import,
    or another import does. One with comments stays.

    :param keys: those imports, each of one name.
    """
    conditions = [node for node in body if is_condition(node)]
    lines = [*body, *(node for each in conditions for node in each.body.body)]
    bound = {key.split()[-1] for node in lines for key in import_keys(node) if key not in keys}
    others = [node for node in lines if not (import_keys(node) or is_condition(node))]
    rest = EMPTY.with_changes(body=others).code + "".join(code_of(n.test) for n in conditions)
    names = {key.split()[-1] for key in keys}
    used = {name for name in names - bound if re.search(rf"\b{name}\b", rest)}
    return _without(body, {key for key in keys if key.split()[-1] not in used})


def _without(body: Sequence[Any], keys: Collection[str]) -> list[Any]:
    result = []
    for node in body:
        if import_keys(node) and "#" not in EMPTY.code_for_node(node):
            line = node.body[0]
            kept = [each for each in line.names if import_key(line, each) not in keys]
            if not kept:
                continue
            if len(kept) < len(line.names):
                ends = {} if getattr(line, "lpar", None) else {"comma": cst.MaybeSentinel.DEFAULT}
                kept[-1] = kept[-1].with_changes(**ends)
                node = node.with_changes(body=[line.with_changes(names=kept)])
        elif is_condition(node):
            inner = _without(node.body.body, keys)
            node = node.with_changes(body=node.body.with_changes(body=inner)) if inner else None
        if node is not None:
            result.append(node)
    return result


def is_condition(node: Any) -> bool:
    return isinstance(node, cst.If) and is_container(node)


def list_of(node: Any) -> Any:
    return node.body[0].value


def order_of(text: str) -> tuple[bool, str]:
    name = text.strip("\"'")
    return name[:1].islower(), name


def merge_list(
    have: Any, new: Sequence[str], place: str, written: Mapping[str, str], digests: dict[str, str]
) -> Any:
    """Merge the elements of a list of names."""
    elements = list(list_of(have).elements)
    texts = [code_of(each.value) for each in elements]
    prefix = f"{place} > "
    for text in new:
        digests[prefix + text] = "element"
        if text not in texts and prefix + text not in written:
            at = next((i for i, each in enumerate(texts) if order_of(each) > order_of(text)), None)
            at = len(texts) if at is None else at
            element = cst.Element(cst.parse_expression(text), comma=cst.Comma(SPACE))
            elements.insert(at, element)
            texts.insert(at, text)
    gone = {t for t in texts if prefix + t in written and t not in new}
    kept = [each for each in elements if code_of(each.value) not in gone]
    return have.with_deep_changes(list_of(have), elements=kept)


def add_imports(
    result: list[Any],
    node: Any,
    path: str,
    written: Mapping[str, str],
    digests: dict[str, str],
) -> None:
    """Add the names of an import that are not there yet."""
    there = {name: each for each in result for name in import_keys(each)}
    for alias in node.body[0].names:
        key = import_key(node.body[0], alias)
        digests[path + key] = "import"
        if key in there or path + key in written:
            continue
        line = node.with_changes(body=[with_names(node.body[0], [alias])])
        last = [i for i, each in enumerate(result) if import_keys(each)]
        first = 1 if result and key_of(result[0]) == "docstring" else 0
        at = last[-1] + 1 if last else first
        result.insert(at, line.with_changes(leading_lines=[] if last else line.leading_lines))
