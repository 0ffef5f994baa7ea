"""What people wrote into generated files survives a change of the description, or is named."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users_service.generator.merging import MergeError, merge

FILE = "teams.py"


def model(*, title="Teams", size=80, more=(), kind=True, lead=False):
    """The module that a description wants: enough of each kind of statement."""
    names = ["kind"] * kind + ["creation_time"]
    lines = [
        f"name: Mapped[str] = text_column({size}, unique=True)",
        'name_key: Mapped[str] = name_key_column("name")',
        *["kind: Mapped[str] = text_column(5)"] * kind,
        *more,
        *["lead: Mapped[User] = relationship(viewonly=True)"] * lead,
    ]
    indexed = ", ".join(f'"{name}"' for name in names)
    body = "\n    ".join(lines)
    return f'''"""The table of {title.lower()}."""

from __future__ import annotations

from sqlalchemy.orm import Mapped{", relationship" * lead}

from users_service.models.base import Base, indexes
from users_service.models.text_columns import name_key_column, text_column

__all__ = ["Team", "teams_members"]

teams_members = association("teams_members", "teams", "users")


class Team(Base):
    __tablename__ = "teams"
    __table_args__ = (*indexes({indexed}), Base.__table_args__)

    {body}

    class Meta:
        title = "{title}"


def test_the_name(new):
    assert new("x" * {size})


def test_the_kind(new):
    assert new(kind="a")


def includeme(config):
    add(Team, TeamSchema)
'''


WRITTEN = model()
CHANGES = {
    "nothing": WRITTEN,
    "a field added": model(more=["city: Mapped[str] = text_column(9)"]),
    "a field removed": model(kind=False),
    "another max": model(size=90),
    "a relationship": model(lead=True),
    "another title": model(title="Crews"),
}
NAME = "    name: Mapped[str] = text_column(80, unique=True)"
KEY = '    name_key: Mapped[str] = name_key_column("name")\n'
KIND = "    kind: Mapped[str] = text_column(5)"
INDEXES = 'indexes("kind", "creation_time")'
HEAD = "class Team(Base):"
TEST = 'def test_the_name(new):\n    assert new("x" * 80)'
KIND_TEST = 'def test_the_kind(new):\n    assert new(kind="a")'
MAX, LESS, TITLE = "another max", "a field removed", "another title"
# What is replaced, by what, and the changes of the description that it conflicts with.
EDITS = {
    "docstring": ('"""The table of teams."""', '"""Our teams."""', {TITLE}),
    "docstring longer": ("of teams.", "of teams.\n\nOf our house.\n", {TITLE}),
    "docstring of the class": (HEAD, f'{HEAD}\n    """A team."""\n', set()),
    "comment at the top": ('"""The', '# Ours.\n"""The', set()),
    "comment above the class": (HEAD, f"# Ours.\n{HEAD}", set()),
    "comment behind the class": (HEAD, f"{HEAD}  # ours", set()),
    "comment above a column": (NAME, f"    # Ours.\n{NAME}", set()),
    "comment behind a column": (NAME, f"{NAME}  # ours", {MAX}),
    "comment above what goes": (KIND, f"    # Ours.\n{KIND}", set()),
    "comment behind what goes": (KIND, f"{KIND}  # ours", {LESS}),
    "comment above a test": (TEST, f"# Ours.\n{TEST}", set()),
    "comment above a test that goes on": (KIND_TEST, f"# Ours.\n{KIND_TEST}", set()),
    "comment in a test": (TEST, TEST.replace("    ", "    # Ours.\n    "), {MAX}),
    "comment at the end": ("TeamSchema)\n", "TeamSchema)\n\n\n# Ours.\n", set()),
    "comment at the end of the class": ('"Teams"\n', '"Teams"\n\n    # Ours.\n', set()),
    "comment above an import": ("from sqlalchemy", "# Ours.\nfrom sqlalchemy", set()),
    "comment behind an import": ("import Base, indexes", "import Base, indexes  # ours", set()),
    "blank lines": (KIND, f"\n\n{KIND}", set()),
    "decorator of the class": (HEAD, f"@ours\n{HEAD}", set()),
    "decorator of a test": (TEST, f"@ours\n{TEST}", {MAX}),
    "method": (KEY, f"{KEY}\n    def ours(self):\n        return 1\n\n", set()),
    "property": (KEY, f"{KEY}\n    @property\n    def ours(self):\n        return 1\n\n", set()),
    "option of a column": ("80, unique", '80, doc="ours", unique', {MAX}),
    "option of what goes": ("text_column(5)", 'text_column(5, doc="ours")', {LESS}),
    "changed type": ("kind: Mapped[str]", "kind: Mapped[Ours]", {LESS}),
    "order of columns": (f"{KEY}{KIND}\n", f"{KIND}\n{KEY}", set()),
    "order of tests": (f"{TEST}\n\n\n{KIND_TEST}", f"{KIND_TEST}\n\n\n{TEST}", set()),
    "extra import": ("from sqlalchemy", "import ours\nfrom sqlalchemy", set()),
    "extra imported name": ("Base, indexes", "Base, indexes, ours", set()),
    "renamed import": ("import Mapped", "import Mapped as Ours", set()),
    "extra column": (KEY, f"{KEY}    ours: Mapped[int]\n", set()),
    "extra column at the end": (KIND, f"{KIND}\n    ours: Mapped[int]", set()),
    "extra column of the same name": (KEY, f"{KEY}    city: Mapped[Ours]\n", {"a field added"}),
    "extra index": (INDEXES, f'{INDEXES}, Index(None, "ours")', {LESS}),
    "changed index": (INDEXES, 'indexes("creation_time", "kind")', {LESS}),
    "deleted index": (INDEXES, 'indexes("kind")', {LESS}),
    "deleted field": (f"{NAME}\n", "", {MAX}),
    "deleted field that goes": (f"{KIND}\n", "", set()),
    "deleted test": (f"{TEST}\n\n\n", "", {MAX}),
    "base class": (HEAD, "class Team(Ours, Base):", set()),
    "keyword of the class": (HEAD, "class Team(Base, ours=1):", set()),
    "option of Meta": ('"Teams"', '"Our teams"', {TITLE}),
    "extra option of Meta": ('title = "Teams"', 'ours = 1\n        title = "Teams"', set()),
    "order of __all__": ('"Team", "teams_members"', '"teams_members", "Team"', set()),
    "extra in __all__": ('"Team", ', '"Ours", "Team", ', set()),
    "extra resource": ("TeamSchema)\n", "TeamSchema)\n    add(Ours, OursSchema)\n", set()),
    "rules of a resource": ("TeamSchema)", "TeamSchema, rules=ours)", set()),
    "extra test": (TEST, f"def test_ours():\n    assert ours\n\n\n{TEST}", set()),
    "changed test": ('"x" * 80)', '"x" * 80, ours=1)', {MAX}),
    "extra function": ("def includeme", "def ours():\n    pass\n\n\ndef includeme", set()),
    "extra constant": ("teams_members = ", "OURS = 1\nteams_members = ", set()),
    "extra condition": ("def includeme", "if ours:\n    pass\n\n\ndef includeme", set()),
    "two statements in a line": ("from sqlalchemy", "import a; ours = 1\nfrom sqlalchemy", set()),
}
DIGESTS = merge(FILE, WRITTEN, None, {}).digests


def edited(*names):
    text = WRITTEN
    for name in names:
        before, after, _ = EDITS[name]
        assert before in text
        text = text.replace(before, after, 1)
    return text


def ours(text):
    """The lines that people wrote."""
    return sorted(line for line in text.splitlines() if "ours" in line.lower())


def assert_is_settled(wanted, merged):
    ast.parse(merged.text)
    again = merge(FILE, wanted, merged.text, merged.digests)
    assert (again.text, again.digests, again.conflicts) == (merged.text, merged.digests, [])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_survives_or_is_a_conflict(edit, change):
    present, wanted = edited(edit), CHANGES[change]
    merged = merge(FILE, wanted, present, DIGESTS)
    assert bool(merged.conflicts) == (change in EDITS[edit][2]), merged.conflicts
    if merged.conflicts:
        assert all(each.yours != each.written for each in merged.conflicts)
        return
    assert ours(merged.text) == ours(present)
    if change == "nothing":
        assert merged.text == present
    assert_is_settled(wanted, merged)


@pytest.mark.parametrize("change", CHANGES)
def test_without_edits_all_that_is_wanted_is_there(change):
    merged = merge(FILE, CHANGES[change], WRITTEN, DIGESTS)
    assert merged.conflicts == []
    lines = {line.strip() for line in CHANGES[change].splitlines() if "import" not in line}
    assert lines == {line.strip() for line in merged.text.splitlines() if "import" not in line}
    assert_is_settled(CHANGES[change], merged)


@given(
    edits=st.lists(st.sampled_from(sorted(EDITS)), max_size=4), change=st.sampled_from([*CHANGES])
)
def test_no_mix_of_edits_is_lost(edits, change):
    present = WRITTEN
    for before, after, _ in (EDITS[edit] for edit in edits):
        present = present.replace(before, after, 1)
    try:
        ast.parse(present)
    except SyntaxError:
        return
    merged = merge(FILE, CHANGES[change], present, DIGESTS)
    if not merged.conflicts:
        assert ours(merged.text) == ours(present)
        assert_is_settled(CHANGES[change], merged)


def test_a_file_goes_with_what_was_written_alone():
    merged = merge(FILE, "", WRITTEN, DIGESTS)
    assert (merged.text, merged.kept, merged.conflicts) == (None, [], [])


@pytest.mark.parametrize(
    "edit",
    [
        "extra column",
        "extra test",
        "method",
        "changed test",
        "comment above a test",
        "comment at the top",
        "comment at the end of the class",
    ],
)
def test_removal_keeps_and_names_what_was_written_by_hand(edit):
    present = edited(edit)
    merged = merge(FILE, "", present, DIGESTS)
    assert ours(merged.text) == ours(present)
    assert merged.kept


def test_a_definition_that_is_there_twice_is_a_conflict():
    present = WRITTEN.replace(KIND, f"{KIND}\n{KIND}")
    (conflict,) = merge(FILE, WRITTEN, present, DIGESTS).conflicts
    assert conflict.place == "class Team > kind"


def test_what_is_not_python_is_named_with_its_line():
    with pytest.raises(MergeError, match=r"teams\.py:\d+:\d+: This is not Python"):
        merge(FILE, WRITTEN, f"{WRITTEN}\ndef (:\n", DIGESTS)


@pytest.mark.parametrize("text", ['__all__ = ("A",)\n', "__all__ = names()\n"])
def test_a_list_of_another_form_is_a_conflict_or_kept(text):
    merged = merge(FILE, '__all__ = ["Team"]\n', text, {})
    assert merged.conflicts or "Team" in merged.text


def test_a_class_in_one_line_is_kept():
    merged = merge(FILE, "class User:\n    a: int\n", "class User(Base): b = 1\n", {})
    assert merged.conflicts or "b = 1" in merged.text
