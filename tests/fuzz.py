"""A generator of hostile bodies: each is made from its seed alone, so that it can be made again."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

# The id of a user whom the bodies may mean.
TARGET = "01890a5d-ac96-774b-bcce-b302099a8057"
TAKEN = "taken@example.com"
# Ids of a role and of a group that the bodies may relate users to.
ROLE = "01890a5d-ac96-774b-bcce-b302099a8058"
GROUP = "01890a5d-ac96-774b-bcce-b302099a8059"

TEXTS = [
    "",
    " ",
    "a",
    "users",
    "Ada",
    TARGET,
    TARGET.upper(),
    ROLE,
    GROUP,
    "roles",
    "groups",
    TAKEN,
    "TAKEN@example.com",
    "josé@bücher.example",
    "'; DROP TABLE users; --",
    "%00%s{0}\\",
    "\0",
    "a\0b",
    "\x1b[2J",
    "\x7f",
    "\x85",
    "\u200b\u202e\ufeff",
    "e\u0301" * 50,
    "\ud800",
    "\udc00\ud800",
    "😀" * 250,
    "a" * 251,
    "ﬃ" * 84 + "@x.com",
    "\u0130\u0131\u00df",
    "\uffff\U0010ffff",
    "a@" + "b." * 130,
    "\u0301" * 300,
    "NaN",
    "null",
    "1e999",
    "../../etc/passwd",
    "x" * 10_000,
]
NAMES = [
    "data",
    "type",
    "id",
    "lid",
    "attributes",
    "relationships",
    "links",
    "meta",
    "included",
    "errors",
    "jsonapi",
    "email",
    "email_key",
    "name",
    "is_active",
    "creation_time",
    "role",
    "role_id",
    "groups",
    "version",
    "password",
    "@at",
    "a/b~c",
    "__class__",
    "",
    "\0",
    "\ud800",
    "é",
]
NUMBERS = [0, -1, 1, 2**31, 2**63, -(2**63) - 1, 2**64, 10**400, 0.0, -0.0, 1.5, 1e308, 5e-324]

# What stands in for a value in the text, and is no JSON or not of a bearable size.
RAW = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-1E+400",
    b"9" * 5000,
    b"01",
    b"+1",
    b".5",
    b"0x1f",
    b"'x'",
    b"undefined",
    b"True",
    b"[" * 100_000,
    b"[" * 3000 + b"]" * 3000,
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b"[" * 40 + b"]" * 40,
    b"[" * 20 + b"]" * 20,
    b'{"a":1,"a":2}',
    b'{"type":"users","type":"roles"}',
    b'"\\ud800"',
    b'"\\uDBFF\\uDBFF"',
    b'"\\ud83d\\ude00"',
    b'"\\u0000"',
    b'"\\x00"',
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\x00\x1f"',
    b'"',
    b"",
    b"/* */ 1",
    b"1 2",
    b"[1,]",
    b'{"a"}',
    b"\xef\xbb\xbf1",
]

WRAPPINGS: list[Callable[[bytes], bytes]] = [
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body.decode("utf-8", "replace").encode("utf-16"),
    lambda body: body.decode("utf-8", "replace").encode("utf-32-be"),
    lambda body: body + body,
    lambda body: body + b"\0",
    lambda body: b"[" + body + b"]",
    lambda body: b" \t\r\n" + body + b"\n" * 1000,
    lambda body: b")]}',\n" + body,
    lambda body: b'"' + body.replace(b'"', b'\\"') + b'"',
    lambda body: body[::-1],
    lambda body: body.ljust((1 << 20) + 1),
    lambda body: b"",
]


def hostile_body(seed: int) -> bytes:
    """Return the body of a seed: a valid document, most often spoiled, or what never was one.

    Even seeds mean to create a user, odd ones to change TARGET.
    """
    random = Random(seed)
    if random.random() < 0.05:
        return _text(random, _any_value(random, 4))
    document = _valid_document(random, seed)
    for _ in range(random.choice([0, 0, 0, 1, 1, 1, 2, 3, 8])):
        _edit(random, document)
    body = _text(random, document)
    for _ in range(random.choice([0, 0, 0, 0, 1, 4])):
        body = _spoil(random, body)
    if random.random() < 0.05:
        body = random.choice(WRAPPINGS)(body)
    return body


def _valid_document(random: Random, seed: int) -> dict[str, Any]:
    attributes = {
        "email": f"user{seed}@example.com",
        "name": random.choice(["Ada", "é" * 250, "😀", " x "]),
        "is_active": random.choice([True, False]),
    }
    data: dict[str, Any] = {"type": "users", "attributes": attributes}
    if random.random() < 0.5:
        data["relationships"] = _relationships(random)
    if seed % 2 or random.random() < 0.1:
        data["id"] = TARGET
    return {"data": data}


def _relationships(random: Random) -> dict[str, Any]:
    role, group = {"type": "roles", "id": ROLE}, {"type": "groups", "id": GROUP}
    values = {
        "role": {"data": random.choice([None, role])},
        "groups": {"data": random.choice([[], [group], [group, group]])},
    }
    return {name: values[name] for name in values if random.random() < 0.8}


def _any_value(random: Random, depth: int) -> Any:
    kind = random.randrange(9 if depth else 6)
    if kind < 2:
        return random.choice([None, True, False])
    if kind < 4:
        return random.choice(NUMBERS)
    if kind < 6:
        return random.choice(TEXTS)
    if kind < 7:
        return [_any_value(random, depth - 1) for _ in range(random.randrange(4))]
    size = random.choice([0, 1, 2, 5])
    return {random.choice(NAMES): _any_value(random, depth - 1) for _ in range(size)}


def _edit(random: Random, document: Any) -> None:
    """Change one place somewhere in a document: its value, its type, its name, or its existence."""
    containers = [c for c in _containers(document) if c] or [document]
    (container,) = random.choices(containers, range(1, len(containers) + 1))  # rather deep ones
    new = _any_value(random, 3)
    if isinstance(container, list):
        container.append(new)
        return
    name = random.choice(NAMES)
    key = random.choice(list(container) or [name])
    old = container.get(key)
    action = random.randrange(6)
    if action < 2:
        container[key] = new
    elif action == 2:
        container.pop(key, None)
    elif action == 3:
        container[key] = random.choice([[old], {"data": old}, str(old)])
    elif action == 4:
        container[name] = new
    else:
        container[name] = container.pop(key, None)


def _containers(value: Any) -> list[Any]:
    if not isinstance(value, dict | list):
        return []
    children = value.values() if isinstance(value, dict) else value
    return [value, *(c for child in children for c in _containers(child))]


def _text(random: Random, document: Any) -> bytes:
    text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def _spoil(random: Random, body: bytes) -> bytes:
    """Damage the text of a document: its bytes, its length, or one of its tokens."""
    if not body:
        return body
    place, other = sorted(random.randrange(len(body)) for _ in range(2))
    action = random.randrange(8)
    if action == 0:
        return body[:place] + bytes([body[place] ^ (1 << random.randrange(8))]) + body[place + 1 :]
    if action == 1:
        return body[:place]
    if action == 2:
        return body[:place] + random.randbytes(random.randrange(1, 5)) + body[place:]
    if action == 3:
        return body[:place] + body[other:]
    if action == 4:
        return body[:other] + body[place:]
    # In place of a value, or again beside its name.
    colons = [i for i, byte in enumerate(body) if byte == ord(":")]
    if not colons:
        return random.choice(RAW)
    start = random.choice(colons) + 1
    end = min((i for i in (body.find(b",", start), body.find(b"}", start)) if i > 0), default=start)
    if action == 5:
        return body[:end] + b', "data": ' + random.choice(RAW) + body[end:]
    return body[:start] + random.choice(RAW) + body[end:]
