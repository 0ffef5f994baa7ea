"""The special pages: one module in one folder and one line each, and no other file knows them."""

import re

from tests.ui.sources import code_in
from users_service.ui.files import STATIC

CODE = code_in(STATIC)
INDEX = "pages/index.js"
LINE = re.compile(r'^  page\("([a-z-]+)", \(\) => import\("\./\1\.js"\).*\),$', re.MULTILINE)

# What other files may import of the folder: the list, and the form that signs in.
IMPORTED = {"index.js", "parts.js"}


def pages() -> list[str]:
    return LINE.findall(CODE[INDEX])


def test_each_page_is_a_module_and_a_line():
    views = {
        name
        for name, code in CODE.items()
        if name.startswith("pages/") and re.search(r"^export (async )?function view\(", code, re.M)
    }
    assert {f"pages/{page}.js" for page in pages()} == views != set()
    assert len(pages()) == len(set(pages())) == CODE[INDEX].count("import(")


def test_no_other_file_knows_a_page():
    names = "|".join(pages())
    for name, code in CODE.items():
        if name.startswith("pages/") or not name.endswith(".js"):
            continue
        assert re.findall(rf"""["'`/]({names})["'`/.]""", code) == [], name
        assert set(re.findall(r"pages/([\w-]+\.js)", code)) <= IMPORTED, name
