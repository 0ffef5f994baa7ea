"""What texts are to their readers: which characters show nothing, and which texts are the same."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

import idna

Range = tuple[int, int]

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt: nothing is shown of these.
DEFAULT_IGNORABLE: list[Range] = [
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
]

# White_Space of Unicode's PropList.txt, but for the controls among it.
WHITE_SPACE: list[Range] = [
    (0x0020, 0x0020),
    (0x00A0, 0x00A0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
]

# Characters that look like a blank, whatever their properties: of Braille, Hangul, Egyptian and
# musical notation.
BLANK_GLYPHS: list[Range] = [
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFFA0, 0xFFA0),
    (0x13441, 0x13442),
    (0x1D159, 0x1D159),
]

# They guide the drawing of what is around them, and fonts draw nothing for them: the marks of
# interlinear annotations, and the filler of Khitan.
SILENT_MARKS: list[Range] = [(0xFFF9, 0xFFFB), (0x16FE4, 0x16FE4)]


def character_class(ranges: Iterable[Range]) -> str:
    """Return ranges in the syntax of a set of characters that Python and ECMA-262 share.

    Beyond U+FFFF they have no escape in common: there the characters stand for themselves.
    """
    return "".join(
        "-".join(dict.fromkeys(f"\\u{c:04x}" if c < 0x10000 else chr(c) for c in pair))
        for pair in ranges
    )


_SHOWING_NOTHING = [*WHITE_SPACE, *BLANK_GLYPHS, *DEFAULT_IGNORABLE, *SILENT_MARKS]

INVISIBLE = character_class(_SHOWING_NOTHING)
"""The characters that show nothing, as a set in regular expressions."""

BASIC_INVISIBLE = character_class(pair for pair in _SHOWING_NOTHING if pair[1] < 0x10000)
"""Those up to U+FFFF: ECMA-262 reads a set with others only by its flag `u`, which linters and
clients of a description do not always set."""

BLANKS = "".join(chr(c) for a, b in [*WHITE_SPACE, *BLANK_GLYPHS] for c in range(a, b + 1))

_BLANK_GLYPHS = re.compile(f"[{character_class(BLANK_GLYPHS)}]")
_LEFT_OUT = re.compile(f"[{character_class([*DEFAULT_IGNORABLE, *SILENT_MARKS])}]")

# Characters of a key. With four bytes each, it fits into an entry of an index on every engine.
KEY_LENGTH = 250


def normalize(text: str) -> str:
    """Return a text in NFC (UAX #15), in which texts are stored."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def trim(text: str) -> str:
    """Return a text without the blanks around it.

    Other invisible characters stay: a variation selector at the end belongs to an emoji.
    """
    return text.strip(BLANKS)


def fold(text: str) -> str:
    """Return a text without its case: full case folding (Unicode §3.13, `toCasefold`) of its NFC.

    Nothing is done after folding, so that it is the same for each character wherever it stands: a
    part of a text in NFC is, folded, also a part of the folded text.
    """
    if text.isascii():  # a shortcut: the result is the same
        return text.lower()
    return unicodedata.normalize("NFC", text).casefold()


def name_key(name: str) -> str:
    """Return the key of a name, which is the same for all names that look the same.

    Names are compared by compatibility caseless matching (Unicode §3.13, D146), without what
    `toNFKC_Casefold` leaves out too, Default_Ignorable_Code_Point, and without silent marks. Blanks
    of all kinds, one or several, are one blank. Of a key that would be too long for an index there
    is a digest.
    """
    key = name.lower() if name.isascii() else _match_compatibly(name)
    key = " ".join(key.split())
    return key if len(key) <= KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def _match_compatibly(name: str) -> str:
    shown = _LEFT_OUT.sub("", _BLANK_GLYPHS.sub(" ", name))
    key = unicodedata.normalize("NFD", shown)
    for _ in range(2):
        key = unicodedata.normalize("NFKC", key.casefold())
    return key


def email_key(email: str) -> str:
    """Return the key of an address, which is the same for all its spellings.

    The local part is compared by canonical caseless matching (Unicode §3.13, D145), the domain in
    its ASCII form (UTS #46). `José@Bücher.example`, its decomposed form and
    `josé@xn--bcher-kva.example` have the same key; `jose@` and `josé@` have different keys.
    """
    if email.isascii():  # a shortcut: the result is the same
        return email.lower()
    local, at, domain = email.rpartition("@")
    local = unicodedata.normalize("NFD", local).casefold()
    try:
        domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        domain = unicodedata.normalize("NFD", domain).casefold()
    return unicodedata.normalize("NFC", local + at + domain)
