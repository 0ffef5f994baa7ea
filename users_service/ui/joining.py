"""Joins the modules of the UI to one, when they are read: one file is smaller than sixty, and comes
at once.

Each module becomes a function that is called once and returns what the module exports, so its other
names stay its own. `core/dom.js` is `core_dom`, and its importers take their names from there.
"""

import re
from collections.abc import Mapping
from functools import partial
from graphlib import TopologicalSorter
from posixpath import dirname, join, normpath

# As all modules of the UI are written: each of these on lines of its own.
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]*)";$', re.MULTILINE)
LATER = re.compile(r'\bimport\("(\.[^"]*)"\)')
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def joined(modules: Mapping[str, str]) -> str:
    """Join modules to one.

    :param modules: their texts, by path.
    :raises graphlib.CycleError: if some import each other.
    """
    imported = {
        path: [_path(path, to) for _, to in IMPORT.findall(text)] for path, text in modules.items()
    }
    order = TopologicalSorter({path: sorted(found) for path, found in sorted(imported.items())})
    return "".join(_function(path, modules[path]) for path in order.static_order())


def _function(path: str, text: str) -> str:
    exports = ", ".join(EXPORT.findall(text))
    text = IMPORT.sub(partial(_taken, path), EXPORT.sub("", text))
    # Not before all modules have run, as `import()` has it.
    text = LATER.sub(
        lambda found: f"Promise.resolve().then(() => {_name(_path(path, found[1]))})", text
    )
    return f"export const {_name(path)} = (() => {{\n{text}return {{ {exports} }};\n}})();\n"


def _taken(path: str, found: re.Match[str]) -> str:
    """What takes the names of an import from the module that has them."""
    return f"const {{{found[1].replace(' as ', ': ')}}} = {_name(_path(path, found[2]))};"


def _path(path: str, to: str) -> str:
    return normpath(join(dirname(path), to))


def _name(path: str) -> str:
    return re.sub(r"\W", "_", path.removesuffix(".js"))
