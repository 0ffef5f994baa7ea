"""Who may import whom: the arrows between the modules of the service."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "users_service"
JSONAPI = f"{PACKAGE}.jsonapi"

# The rooms of jsonapi: a module imports only from its own room and from rooms to its right.
ROOMS = (
    "openapi",
    "endpoints",
    "writing",
    "documents",
    "checks",
    "api",
    "reading",
    "resource",
    "relationship",
    "form",
    "fields",
    "field_rules",
    "rules",
    "display",
    "errors",
    "limits",
    "instants",
)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is below it, without what is there for type checkers alone."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from at_run_time(child)


def imports_of(path: Path, modules: set[str]) -> set[str]:
    """The modules that a file imports, wherever in it the statement is."""
    found = set()
    for node in at_run_time(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = str(node.module or "")
            if node.level:
                package = name_of(path).split(".")
                package = package if path.stem == "__init__" else package[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in modules else base)
    return found


PATHS = {
    name_of(path): path
    for path in (ROOT / PACKAGE).rglob("*.py")
    if "alembic" not in path.relative_to(ROOT).parts
}
IMPORTS = {name: imports_of(path, set(PATHS)) for name, path in PATHS.items()}


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def ours(name: str) -> set[str]:
    """The modules of the service that a module imports."""
    return {other for other in IMPORTS[name] if within(other, PACKAGE)}


# What each part of the service may import of the others. Every module is in one of them.
PARTS: dict[str, list[str]] = {
    "generator": ["database", "models", "schemas", "settings"],
    "jsonapi": [],
    "hosts": [],
    "permissions": [],
    "texts": [],
    "addresses": ["texts"],
    "settings": ["addresses", "hosts", "permissions"],
    "models": ["texts"],
    "schemas": ["addresses", "jsonapi", "permissions", "texts"],
    "outbox": ["addresses", "database", "models", "settings"],
    "auth": [
        "database",
        "hosts",
        "jsonapi",
        "models",
        "outbox",
        "permissions",
        "settings",
        "texts",
    ],
    "health": ["database", "jsonapi", "settings"],
    "headers": ["jsonapi"],
    "ui": ["headers", "jsonapi"],
    "targets": ["health", "hosts", "jsonapi"],
    "resources": ["auth", "jsonapi", "models", "schemas"],
    "docs": ["jsonapi", "settings"],
    "database": ["jsonapi", "settings", "texts"],
    "faults": ["database", "jsonapi", "settings"],
    "cli": [
        "auth",
        "database",
        "docs",
        "faults",
        "generator",
        "jsonapi",
        "models",
        "outbox",
        "permissions",
        "schemas",
        "settings",
        "texts",
    ],
    "serving": ["faults", "headers", "health", "hosts", "jsonapi", "settings"],
}


def test_every_module_belongs_to_a_part():
    assert {name.split(".")[1] for name in PATHS if name != PACKAGE} == PARTS.keys()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_service_imports_only_what_it_may(part):
    packages = [f"{PACKAGE}.{name}" for name in [part, *PARTS[part]]]
    for name in PATHS:
        if within(name, f"{PACKAGE}.{part}"):
            assert [other for other in sorted(ours(name)) if not within(other, *packages)] == []


def test_nobody_imports_the_root_of_the_service():
    assert [name for name in PATHS if PACKAGE in IMPORTS[name]] == []


def test_nothing_is_imported_in_a_circle():
    # A package's __init__ shows what its modules have; they must not look at it in turn.
    tuple(TopologicalSorter({name: ours(name) for name in PATHS}).static_order())


def test_the_rooms_of_jsonapi_import_one_way():
    inside = {name.split(".")[2] for name in PATHS if name.count(".") > 1 and within(name, JSONAPI)}
    assert inside == set(ROOMS)
    for place, room in enumerate(ROOMS):
        before = [f"{JSONAPI}.{name}" for name in ROOMS[:place]]
        for name in PATHS:
            if within(name, f"{JSONAPI}.{room}"):
                assert [other for other in ours(name) if within(other, *before)] == [], name


def shown_by(front: Path) -> set[str]:
    """The names in the `__all__` of a folder's `__init__`."""
    tree = ast.parse(front.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


FRONTS = {
    name: {f"{name}.{shown}" for shown in shown_by(path)}
    for name, path in PATHS.items()
    if path.stem == "__init__" and name != PACKAGE
}


@pytest.mark.parametrize("front", FRONTS)
def test_a_folder_is_entered_by_its_front(front):
    """What others use of a folder is what its `__init__` shows."""
    for name in PATHS:
        if not within(name, front):
            entered = {other for other in ours(name) if within(other, front)} - {front}
            assert entered <= FRONTS[front], name


def test_jsonapi_imports_itself_by_relative_imports():
    for name, path in PATHS.items():
        if within(name, JSONAPI):
            assert PACKAGE not in path.read_text(encoding="utf-8"), name


@pytest.mark.parametrize(
    ("library", "importers"),
    [
        (
            "cornice",
            {
                f"{JSONAPI}.endpoints.forms",
                f"{JSONAPI}.endpoints.services",
                f"{PACKAGE}.auth.assertions",
                f"{PACKAGE}.auth.oauth",
                f"{PACKAGE}.health",
                f"{PACKAGE}.docs",
            },
        ),
        ("marshmallow_jsonapi", {f"{JSONAPI}.fields", f"{PACKAGE}.schemas.base"}),
    ],
)
def test_a_library_that_is_barely_maintained_is_kept_to_few_modules(library, importers):
    found = {
        name for name, others in IMPORTS.items() if any(within(other, library) for other in others)
    }
    assert found == importers


LONGEST = {ast.ClassDef: 150, ast.FunctionDef: 45}


@pytest.mark.parametrize("name", PATHS)
def test_modules_classes_and_functions_are_short(name):
    text = PATHS[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if type(node) in LONGEST:
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= LONGEST[type(node)], node.name


def test_modules_are_named_after_what_they_own():
    vague = {"utils", "helpers", "common", "manager"}
    assert [name for name in PATHS if vague & set(name.split("."))] == []


def test_the_toy_application_knows_jsonapi_alone():
    toy = imports_of(ROOT / "tests" / "jsonapi" / "toy.py", set(PATHS))
    assert {name for name in toy if within(name, PACKAGE, "tests")} == {JSONAPI}
