"""The one door to rows: which modules may make SELECT statements, and who may see every row."""

import ast
from collections.abc import Iterator
from pathlib import Path

import users_service.jsonapi

ROOT = Path(users_service.jsonapi.__file__).parent
MODULES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
    for path in ROOT.rglob("*.py")
}
WAYS_TO_SELECT = {"select", "exists", "union", "union_all", "text", "Session", "sessionmaker"}


def functions(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """What each function of a module consists of."""
    for outer in ast.walk(module):
        if isinstance(outer, ast.FunctionDef):
            yield from ((outer.name, node) for node in ast.walk(outer))


def test_select_statements_are_made_where_scopes_are():
    found = {
        (name, alias.name)
        for name, module in MODULES.items()
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sqlalchemy")
        for alias in node.names
        if alias.name in WAYS_TO_SELECT
    }
    assert found == {
        ("reading/scope.py", "select"),
        ("reading/conditions.py", "select"),  # EXISTS within the statement of a scope
        ("reading/statements.py", "select"),  # of an association table alone
    }


def test_scopes_carry_out_all_that_is_selected():
    """What is carried out without a scope inserts, updates or deletes."""
    found = {
        (name, function, ast.unparse(node.args[0]).partition("(")[0])
        for name, module in MODULES.items()
        for function, node in functions(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("execute", "scalars", "scalar")
        and node.args
        and "connection" in ast.unparse(node.func.value)
    }
    assert {name for name, _, _ in found} == {
        "reading/scope.py",
        "writing/entities.py",
        "writing/linkage.py",
    }
    made = {
        statement.removeprefix("_").partition(".")[0]
        for name, _, statement in found
        if name != "reading/scope.py"
    }
    assert made == {"insert", "update", "update_returning", "delete"}


def test_every_row_is_seen_for_few_purposes():
    found = {
        (name, function)
        for name, module in MODULES.items()
        for function, node in functions(module)
        if isinstance(node, ast.Attribute) and node.attr in ("all_rows", "all_related_rows")
    }
    assert found == {
        ("writing/entities.py", "reload"),  # what the caller has just changed
        ("writing/conflicts.py", "refuse_if_needed"),  # what is in the way of a deletion
        ("writing/linkage.py", "_unlink_all"),  # versions of what a resource is no longer linked to
        ("writing/linkage.py", "_set_foreign_keys"),  # versions of those that something belonged to
    }
