"""Rules for the files of the UI: how large they are, what they know, and how they are sent."""

import gzip
from pathlib import PurePath
from typing import Any

import pytest

from tests.client import API
from tests.description import resolved
from tests.engines import on_one_engine
from tests.ui.sources import code_in, code_of, words_of
from users_service.ui.files import STATIC, files, read

KIB = 1024

# Names of types and fields that generic files may have, since they are also words of what these
# are made of; everywhere (`*`) or in one file.
ALSO_WORDS = {
    ("*", "description"): "a member of OpenAPI",
    ("*", "name"): "a property of functions, errors and elements",
    ("*", "role"): "an attribute of elements (ARIA)",
    ("core/model.js", "email"): "a format of JSON Schema",
    ("forms/widgets.js", "email"): "a kind of keyboard (HTML)",
    ("forms/widgets.js", "password"): "a type of controls (HTML)",
    ("style/layout.css", "password"): "a type of controls (HTML)",
    ("session/session.js", "permissions"): "a member of the entry document",
}


def is_generic(name: str) -> bool:
    return not name.startswith(("lang/", "pages/"))


CODE = code_in(STATIC)


def names_of(description: dict[str, Any], types: set[str]) -> set[str]:
    """The names of types, and of all their fields, the written ones too."""
    found = set(types)
    for name, schema in description["components"]["schemas"].items():
        if not name.startswith(tuple(kind.capitalize() for kind in types)):
            continue
        for part in ("attributes", "relationships"):
            inner = schema.get("properties", {}).get(part, {})
            found |= resolved(description, inner).get("properties", {}).keys()
    return found


@on_one_engine
def test_generic_files_know_no_resource(client):
    types = set(client.get(API).json["meta"]["resources"])
    names = names_of(client.get(f"{API}/openapi.json").json, types)
    assert {"users", "tokens", "email", "is_active", "password", "role", "secret"} <= names
    known = {
        (file, word)
        for file, code in CODE.items()
        if is_generic(file)
        for word in words_of(code) & names
        if ("*", word) not in ALSO_WORDS
    }
    excused = {place for place in ALSO_WORDS if place[0] != "*"}
    assert known == excused


def test_a_name_in_a_comment_is_none_in_code():
    code = code_of('/* users */ a("/users // b"); // roles\n.groups::after { content: "x"; }')
    assert words_of(code) & {"users", "roles", "groups"} == {"users", "groups"}
    assert words_of("is_active.users_of[`${role}s`]") == {"is_active", "users_of", "role", "s"}


def test_all_files_with_one_language_are_small():
    copies = files().copies
    languages = {name for name in copies if name.startswith("lang/")}
    for language in languages:
        sent = [copy for name, copy in copies.items() if name == language or name not in languages]
        together = b"".join(copy.body for copy in sent)
        # Some scripts take two or three bytes for each letter.
        most = 160 if language == "lang/en.json" else 168
        assert len(together) <= most * KIB, language
        assert len(gzip.compress(together)) <= 50 * KIB, language


def test_what_is_sent_of_a_script_is_its_code(tmp_path):
    (tmp_path / "page.html").write_text("")
    (tmp_path / "a.js").write_text(
        "/** Says\n * what it is. */\n\nconst a = [\n  1, // one; two,\n  2,\n];\n"
        'const b = "// no comment"; // a comment;\n// another\nif (a) {\n  b.c();\n}\n'
    )
    assert read(tmp_path).copies["a.js"].body.decode() == (
        "const a = [1, // one; two,\n2,];"
        'const b = "// no comment"; // a comment;\nif (a) {b.c();}\n'
    )


@pytest.fixture
def folder(tmp_path):
    """A folder with a few files, written in no order."""
    for name in ("style/b.css", "pages/account.js", "page.html", "core/dom.js", "style/a.css"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_styles_and_modules_are_in_the_order_of_their_names(folder):
    (folder / "app.js").write_text("")
    (folder / "notes.txt").write_text("")
    found = read(folder)
    assert found.styles == ["style/a.css", "style/b.css"]
    assert found.modules == ["app.js", "core/dom.js"]
    assert found.copies.keys() == {*found.styles, *found.modules, "pages/account.js"}


def test_the_digest_is_of_all_names_and_of_all_that_is_in_the_files(folder):
    digests = [read(folder).digest, read(folder).digest]
    assert digests[0] == digests[1]
    (folder / "core/dom.js").write_text("changed")
    digests.append(read(folder).digest)
    (folder / "core/dom.js").rename(folder / "core/nodes.js")
    digests.append(read(folder).digest)
    assert len(set(digests)) == 3


def test_every_file_is_of_a_kind_that_is_sent():
    found = {PurePath(name).suffix for name in files().copies}
    assert found == {".css", ".js", ".json", ".svg"}
    sent = {*files().copies, "page.html"}
    assert {
        path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()
    } == sent
