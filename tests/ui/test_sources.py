"""Rules for the files of the UI: what they know, and how they are sent."""

import re
from graphlib import CycleError
from pathlib import PurePath
from posixpath import dirname, join, normpath
from typing import Any

import pytest

from tests.client import API
from tests.description import resolved
from tests.engines import on_one_engine
from tests.further import OWN, further_relationships, further_types
from tests.ui.sources import code_in, code_of, words_of
from users_service.ui.files import STATIC, files, read
from users_service.ui.joining import EXPORT, IMPORT, LATER

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
    assert types == {*OWN, *further_types(client.app)}
    # Words of further resources may be any: what knows none of the service's knows none of them.
    names = names_of(client.get(f"{API}/openapi.json").json, {*OWN})
    for type in OWN:
        names -= further_relationships(type)
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


# Strings, templates and regular expressions. Of `a => /b/` the minifier would make a division.
LITERAL = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|(?<=[(,=:&|?>]) /(?:[^/\\\n]|\\.)+/(?=\.|;|,|\))'
)


def test_what_stands_in_literals_is_sent_as_it_is():
    sent = files().copies["app.js"].body.decode()
    found = [
        literal.strip()
        for file, code in CODE.items()
        if file.endswith(".js")
        for literal in LITERAL.findall(code)
        if not literal.startswith(('"./', '"../'))
    ]
    assert len(found) > 1000
    assert [literal for literal in found if literal not in sent] == []


def test_what_a_module_exports_another_imports():
    """An export that nobody imports is dead, or needs no `export`."""
    modules = {name: code for name, code in CODE.items() if name.endswith(".js")}

    def path(name: str, to: str) -> str:
        return normpath(join(dirname(name), to))

    imported = {
        (path(name, to), each)
        for name, code in modules.items()
        for names, to in IMPORT.findall(code)
        for each in re.findall(r"(?<!as )\b(?!as\b)\w+", names)
    }
    # Of these a view is taken from what `import()` gives.
    later = {path(name, to) for name, code in modules.items() for to in LATER.findall(code)}
    exported = {(name, each) for name, code in modules.items() for each in EXPORT.findall(code)}
    assert imported <= exported
    assert len(imported) > 100
    assert {each for each in exported - imported if each[0] not in later} == set()


@pytest.fixture
def folder(tmp_path):
    """A folder with a few files, written in no order."""
    for name, text in {
        "style/b.css": "b { color: red; }\n",
        "pages/account.js": 'import { h as make } from "../core/dom.js";\n'
        "/** Shows it. */\nexport async function view() {\n  return make;\n}\n",
        "page.html": "$title",
        "app.js": 'const account = () => import("./pages/account.js");\naccount();\n',
        "core/dom.js": "// A node.\nexport const h = 1;\nconst hidden = 2; // only here\n",
        "style/a.css": "a { color: red; }\n",
        "lang/en.json": '{"a": "b"}\n',
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_modules_are_joined_behind_what_they_import(folder):
    copies = read(folder).copies
    assert copies.keys() == {"app.css", "app.js", "lang/en.json"}
    assert copies["app.js"].body.decode().replace("\n", "") == (
        "export const app=(()=>{const account=()=>Promise.resolve().then(()=>pages_account);"
        "account();return{};})();"
        "export const core_dom=(()=>{const h=1;const hidden=2;return{h};})();"
        "export const pages_account=(()=>{const{h:make}=core_dom;"
        "async function view(){return make;}return{view};})();"
    )
    assert copies["app.css"].body == b"a{color:red}b{color:red}"
    assert copies["lang/en.json"].body == b'{"a":"b"}'


def test_modules_that_import_each_other_are_refused(folder):
    (folder / "core/dom.js").write_text('import { view } from "../pages/account.js";\n')
    with pytest.raises(CycleError):
        read(folder)


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.js")), ids=lambda path: path.stem)
def test_modules_are_written_as_they_are_joined(path):
    """What is imported and exported otherwise would be lost."""
    code = code_of(path.read_text(encoding="utf-8"))
    assert len(re.findall(r"\bimport\b", code)) == len(IMPORT.findall(code) + LATER.findall(code))
    assert len(re.findall(r"\bexport\b", code)) == len(EXPORT.findall(code))


def test_the_digest_is_of_all_names_and_of_all_that_is_in_the_files(folder):
    digests = [read(folder).digest, read(folder).digest]
    assert digests[0] == digests[1]
    (folder / "core/dom.js").write_text("export const h = 3;")
    digests.append(read(folder).digest)
    (folder / "lang/en.json").rename(folder / "lang/de.json")
    digests.append(read(folder).digest)
    assert len(set(digests)) == 3


def test_every_file_is_sent():
    there = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    others = {name for name in there if PurePath(name).suffix not in (".css", ".js")}
    assert others == files().copies.keys() - {"app.css", "app.js"} | {"page.html"}
