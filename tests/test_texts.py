"""What is taken to show nothing is what Unicode says; names that look the same have one key."""

import re
import sys
import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from users_service.schemas.base import LINE
from users_service.texts import (
    BLANK_GLYPHS,
    DEFAULT_IGNORABLE,
    INVISIBLE,
    WHITE_SPACE,
    fold,
    name_key,
    normalize,
)

EVERYTHING = "".join(map(chr, range(sys.maxunicode + 1)))
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


def characters(ranges: list[tuple[int, int]]) -> set[str]:
    return {chr(c) for first, last in ranges for c in range(first, last + 1)}


@pytest.mark.parametrize(
    ("ranges", "pattern"),
    [
        (DEFAULT_IGNORABLE, r"\p{Default_Ignorable_Code_Point}"),
        (WHITE_SPACE, r"[\p{White_Space}--\p{Cc}]"),
    ],
)
def test_the_tables_are_those_of_unicode(ranges, pattern):
    assert characters(ranges) == set(regex.findall(f"(?V1){pattern}", EVERYTHING))


def test_the_pattern_of_lines_takes_what_shows_something():
    invisible = set(regex.findall(f"[{INVISIBLE}]", EVERYTHING))
    assert invisible >= characters([*DEFAULT_IGNORABLE, *WHITE_SPACE, *BLANK_GLYPHS])
    matches = re.compile(LINE).search
    shown = {c for c in EVERYTHING if matches(c)}
    controls = {c for c in EVERYTHING if unicodedata.category(c) == "Cc"}
    assert shown == set(EVERYTHING) - {c for c in invisible if c <= "\uffff"} - controls
    assert LINE.isascii()


@settings(derandomize=True, max_examples=500, deadline=None)
@given(TEXTS, TEXTS)
def test_a_part_of_a_text_is_a_part_of_the_folded_text(one, other):
    text = normalize(one + other)
    for end in range(len(text) + 1):
        assert fold(text) == fold(normalize(text[:end])) + fold(normalize(text[end:]))


@settings(derandomize=True, max_examples=500, deadline=None)
@given(TEXTS)
def test_a_name_has_one_key_in_every_form(name):
    key = name_key(name)
    assert name_key(key) == key
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, name)) == key
    assert name_key(name.casefold()) == key
    assert name_key(f"\u3164\u200b{name}\U000e0020 ") == key


def test_a_key_fits_into_an_index():
    assert len(name_key("\ufdfa" * 250)) <= 250
    assert name_key("\ufdfa" * 250) != name_key("\ufdfa" * 249)
