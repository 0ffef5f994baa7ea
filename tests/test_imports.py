"""Who may import whom: the arrows between the modules of the service."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "users_service"
JSONAPI = f"{PACKAGE}.jsonapi"

# A module imports only from modules to its right.
PIPELINE = [
    f"{JSONAPI}.{name}"
    for name in (
        "services",
        "openapi",
        "openapi.operations",
        "openapi.atomic",
        "openapi.parameters",
        "openapi.responses",
        "openapi.documents",
        "openapi.components",
        "methods",
        "validators",
        "views",
        "operations",
        "document",
        "serializers",
        "include",
        "links",
        "pagination",
        "statements",
        "query",
        "cursors",
        "conditions",
        "expressions",
        "filters",
        "actions",
        "linkage",
        "entities",
        "conflicts",
        "body",
        "resource",
        "media",
        "preconditions",
        "errors",
        "limits",
    )
]


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
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules else str(node.module))
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


@pytest.mark.parametrize(
    ("importer", "allowed"),
    [
        ("jsonapi", ["jsonapi"]),
        ("models", ["models", "db"]),
        ("schemas", ["schemas"]),
        ("db", []),
        ("settings", []),
        ("resources", ["models", "schemas"]),
        ("docs", ["jsonapi"]),
        ("health", ["jsonapi"]),
        ("serving", ["serving", "health", "jsonapi"]),
        ("api", ["jsonapi", "settings"]),
    ],
)
def test_a_part_of_the_service_imports_only_what_it_may(importer, allowed):
    importers = [name for name in PATHS if within(name, f"{PACKAGE}.{importer}")]
    assert importers
    packages = [f"{PACKAGE}.{name}" for name in allowed]
    for name in importers:
        assert [other for other in sorted(ours(name)) if not within(other, *packages)] == [], name


def test_nobody_imports_the_root_of_the_service():
    assert [name for name in PATHS if PACKAGE in IMPORTS[name]] == []


def test_nothing_is_imported_in_a_circle():
    # A package's __init__ shows what its modules have; they must not look at it in turn.
    tuple(TopologicalSorter({name: ours(name) for name in PATHS}).static_order())


def test_the_pipeline_of_jsonapi_flows_one_way():
    assert set(PIPELINE) <= PATHS.keys()
    for place, name in enumerate(PIPELINE):
        assert ours(name).isdisjoint(PIPELINE[:place]), name


@pytest.mark.parametrize(
    ("library", "importers"),
    [
        ("cornice", {f"{JSONAPI}.services", f"{PACKAGE}.health", f"{PACKAGE}.docs"}),
        ("marshmallow_jsonapi", {f"{JSONAPI}.resource", f"{PACKAGE}.schemas.base"}),
    ],
)
def test_a_library_that_is_barely_maintained_is_kept_to_few_modules(library, importers):
    found = {
        name for name, others in IMPORTS.items() if any(within(other, library) for other in others)
    }
    assert found == importers


def test_modules_are_named_after_what_they_own():
    vague = {"utils", "helpers", "common", "manager"}
    assert [name for name in PATHS if vague & set(name.split("."))] == []


def test_the_toy_application_knows_jsonapi_alone():
    toy = imports_of(ROOT / "tests" / "jsonapi" / "toy.py", set(PATHS))
    assert {name for name in toy if within(name, PACKAGE, "tests")} == {JSONAPI}
