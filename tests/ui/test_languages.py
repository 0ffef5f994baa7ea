"""The languages of the UI: each has all texts, and all that is shown is a text of theirs."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.server import ROOT
from tests.ui.sources import LITERAL, beginnings, code_in, keys_of, literals
from users_service.generator.model import Description
from users_service.generator.plan import records
from users_service.settings.values import LANGUAGES
from users_service.ui.files import STATIC

PROGRAM = ROOT / "tests" / "ui" / "languages.mjs"
CODE = {name: code for name, code in code_in(STATIC).items() if name.endswith(".js")}
TEXTS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((STATIC / "lang").glob("*.json"))
}
ENGLISH = TEXTS["en"]
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")


def chosen(file: str, place: str) -> set[str]:
    """The strings at a place in a script: of a type in its comments, or of an array."""
    found = re.search(place, (STATIC / file).read_text(encoding="utf-8"), re.DOTALL)
    assert found, (file, place)
    return set(LITERAL.findall(found[1]))


def rows(heading: str) -> set[str]:
    """The names in the first column of a table in docs/errors.md; all tables without a heading."""
    part = ERRORS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else ERRORS
    return set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))


SIDES = chosen("forms/conflict.js", r"@typedef \{([^}]*)\} Side")
REASONS = chosen("session/expiry.js", r"@typedef \{([^}]*)\} Reason")

# Keys that are put together when they are asked for: how they begin, and how they may go on.
FAMILIES: dict[str, Callable[[], set[str]]] = {
    "bulk.why.": lambda: (
        chosen("bulk/batches.js", r"@property \{([^}]*)\} why") - {"refused"}  # its error says why
    ),
    "conflict.": lambda: (
        {"was"} | SIDES | set(re.findall(r"(\w+): missing\(", CODE["forms/conflict.js"]))
    ),
    "conflict.all_": lambda: SIDES,
    "conflict.take_": lambda: SIDES,
    "fault.": lambda: {code for code in rows("") if f"fault.{code}" in ENGLISH},
    "op.": lambda: set(re.findall(r"^  (\w+): \(path", CODE["lists/query.js"], re.MULTILINE)),
    "page.": lambda: chosen("lists/table.js", r"const names = (\[.*?\])"),
    "rule.": lambda: rows("Rules of fields"),
    "session.": lambda: {
        *(f"{reason}{part}" for reason in {"needed", *REASONS} for part in ("", ".text")),
        *(f"{reason}.leave" for reason in REASONS - {"expired"}),
    },
    "theme.": lambda: chosen("core/shell.js", r'"theme", "auto"\),\s*(\[.*?\])'),
}
# Those of the titles come from the description.
TITLES = "title."


def test_there_are_all_languages():
    assert TEXTS.keys() == set(LANGUAGES)


def names_in(form: str) -> set[str]:
    """The names in braces in a text."""
    return set(re.findall(r"\{(\w+)\}", form))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_texts(language):
    texts = TEXTS[language]
    assert texts.keys() == ENGLISH.keys()
    for key, text in texts.items():
        assert type(text) is type(ENGLISH[key]), key
        forms, english = (
            {"other": each} if isinstance(each, str) else each for each in (text, ENGLISH[key])
        )
        assert all(isinstance(form, str) and form.strip() == form != "" for form in forms.values())
        assert names_in(forms["other"]) == names_in(english["other"]), key
        assert all(names_in(form) <= names_in(forms["other"]) for form in forms.values()), key
        assert not any(re.search(r"[{}]", re.sub(r"\{\w+\}", "", f)) for f in forms.values()), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_are_in_the_order_of_their_keys(language):
    assert list(TEXTS[language]) == sorted(TEXTS[language])


def has_several_words(text: str | dict[str, str]) -> bool:
    return isinstance(text, dict) or len(re.sub(r"\{\w+\}\W*", "", text).split()) > 1


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_texts_of_several_words_are_translated(language):
    same = [key for key, text in TEXTS[language].items() if text == ENGLISH[key]]
    assert [key for key in same if has_several_words(ENGLISH[key])] == []


def test_all_texts_that_scripts_ask_for_are_there():
    for file, code in CODE.items():
        keys, _ = keys_of(code)
        assert keys - ENGLISH.keys() == set(), file
    for beginning, ends in FAMILIES.items():
        members = ends()
        assert members, beginning
        assert {f"{beginning}{end}" for end in members} - ENGLISH.keys() == set()


def test_all_beginnings_of_keys_are_known():
    asked = {each for code in CODE.values() for each in keys_of(code)[1] | beginnings(code)}
    found = {each for each in asked if any(key.startswith(each) for key in ENGLISH)}
    assert found == {*FAMILIES, TITLES}


def test_all_texts_are_asked_for():
    scripts = "\n".join(CODE.values())
    made = {f"{beginning}{end}" for beginning, ends in FAMILIES.items() for end in ends()}
    rest = ENGLISH.keys() - literals(scripts) - made
    assert {key for key in rest if not key.startswith(TITLES)} == set()


def test_what_scripts_ask_for_is_found():
    script = """
    t("plain"); t("with.values", { n: t("inner") }); t(a === "no" ? "left" : "right", {});
    t(`theme.${name}`); t(f(a, "x") ? "first" : other ? "second" : "third"); set("no.call", "");
    export function t(key, values = {}) {} at("none"); this.t("none"); t(key); t(a ?? "fallback");
    """
    assert keys_of(script) == (
        {"plain", "with.values", "inner", "left", "right", "first", "second", "third", "fallback"},
        {"theme."},
    )
    assert {"plain", "no.call", "none", "fallback"} <= literals(script)
    assert beginnings(script) == {"theme."}


@pytest.fixture(scope="module")
def wanted() -> dict[str, Any]:
    """What the scripts themselves say, run by node."""
    node = shutil.which("node")
    assert node, "node is needed"
    description = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    types = [tag["name"] for tag in description["tags"] if "x-display" in tag]
    resources = {kind: {"href": f"/api/v1/{kind}"} for kind in types}
    entry = {"meta": {"resources": resources, "operations": "/api/v1/operations"}}
    ended = subprocess.run(
        [node, PROGRAM, STATIC, *LANGUAGES],
        input=json.dumps({"description": description, "entry": entry}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def titles_of(descriptions: Iterable[Description]) -> set[str]:
    """The keys of the titles that descriptions of resources have brought."""
    found: set[str] = set()
    for each in descriptions:
        found |= {f"{TITLES}{each.type}.{one.name}" for one in (*each.fields, *each.relationships)}
        found |= {f"{TITLES}{one.target}.{one.inverse}" for one in each.relationships}
        if not each.extends:
            found |= {f"{TITLES}{each.type}"}
            made = ("one", "creation_time", "modification_time")
            found |= {f"{TITLES}{each.type}.{name}" for name in made}
    return found


@pytest.mark.browser
def test_the_titles_are_those_of_the_description(wanted):
    titles = {key: text for key, text in ENGLISH.items() if key.startswith(TITLES)}
    described = titles_of(record.description for record in records(ROOT).values())
    # Of a field: those of its choices, and what it is about.
    beginnings = tuple(f"{key}." for key in described)
    own = {
        key: text
        for key, text in wanted["titles"].items()
        if key in titles or not (key in described or key.startswith(beginnings))
    }
    assert titles == own


@pytest.mark.browser
def test_there_is_a_text_for_each_operator(wanted):
    assert set(wanted["operators"]) == FAMILIES["op."]()


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_of_their_language(wanted, language):
    forms = set(wanted["plurals"][language])
    found = {key: set(text) for key, text in TEXTS[language].items() if isinstance(text, dict)}
    assert found == dict.fromkeys(found, forms)
