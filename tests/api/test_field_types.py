"""Every type of field: what is stored, in which order, and what filters find, on every engine."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from tests.client import API, Client, sources
from tests.samples import SAMPLES, Sample, Tables, include, sample
from tests.service import dispose

MOST = 2**53 - 1


@pytest.fixture(scope="module")
def sampling(running_service) -> Iterator[Client]:
    """A client of the service with samples, on one engine after another."""
    Tables.metadata.create_all(running_service.engine)
    app = running_service.make_app(include)
    yield Client(app)
    dispose(app)
    Tables.metadata.drop_all(running_service.engine)


@pytest.fixture
def client(sampling, service) -> Client:
    with service.engine.begin() as connection:
        connection.execute(delete(Sample))
    return sampling


def stored(client: Client, **attributes: Any) -> dict[str, Any]:
    response = client.post(SAMPLES, sample(**attributes))
    assert response.status_int == 201, response.text
    data: dict[str, Any] = response.json["data"]
    assert client.get(f"{SAMPLES}/{data['id']}").json["data"]["attributes"] == data["attributes"]
    return data


def changed(client: Client, before: dict[str, Any], **attributes: Any) -> bool:
    """Whether a change of attributes gives a new version of a sample."""
    url = f"{SAMPLES}/{before['id']}"
    tag = client.get(url).headers["ETag"]
    document = sample(**attributes)
    document["data"]["id"] = before["id"]
    response = client.patch(url, document)
    assert response.status_int == 200, response.text
    return response.headers["ETag"] != tag


@pytest.mark.parametrize(
    ("name", "sent", "shown"),
    [
        ("count", MOST, MOST),
        ("count", -MOST, -MOST),
        ("count", 7.0, 7),
        ("amount", "1.5", "1.50"),
        ("amount", "-0", "0.00"),
        ("amount", "9999999999.99", "9999999999.99"),
        ("amount", "-9999999999.99", "-9999999999.99"),
        ("rate", "0.123456789012345678", "0.123456789012345678"),
        ("rate", "-0.000000000000000001", "-0.000000000000000001"),
        ("day", "0001-01-01", "0001-01-01"),
        ("day", "9999-12-31", "9999-12-31"),
        ("day", "2024-02-29", "2024-02-29"),
        ("mood", "sad", "sad"),
        ("url", "https://example.com:8080/a?b=c#d", "https://example.com:8080/a?b=c#d"),
        ("url", "HTTP://[::1]/ü", "HTTP://[::1]/ü"),
        ("tags", [], []),
        ("tags", [" a ", "A", "a"], ["a", "A", "a"]),
        ("facts", {}, {}),
        (
            "facts",
            {"b": [True, 1, 1.0, -0.0, 0.1, 5e-324, None, "é", {}], "a": {"": MOST}},
            {"b": [True, 1, 1, 0, 0.1, 5e-324, None, "é", {}], "a": {"": MOST}},
        ),
    ],
)
def test_a_value_is_kept_on_every_engine(client, name, sent, shown):
    found = stored(client, **{name: sent})["attributes"][name]
    assert (found, type(found)) == (shown, type(shown))
    assert json.dumps(found, sort_keys=True) == json.dumps(shown, sort_keys=True)


def test_null_is_kept_of_every_type(client, service):
    names = [*sample_fields() - {"kind"}]
    found = stored(client, **dict.fromkeys(names))["attributes"]
    assert {name for name in names if found[name] is None} == set(names)
    with service.engine.connect() as connection:
        is_null = Sample.tags.is_(None) & Sample.facts.is_(None)
        assert connection.execute(select(Sample.id).where(is_null)).all()
    for name in names:
        if name not in ("tags", "facts"):
            url = f"{SAMPLES}?filter[{name}][isnull]"
            assert len(client.get(f"{url}=true").json["data"]) == 1
            assert client.get(f"{url}=false").json["data"] == []


def test_choices_and_objects_are_described(client):
    schemas = client.get(f"{API}/openapi.json").json["components"]["schemas"]
    sent = schemas["SamplesNew"]["properties"]["attributes"]
    for attributes in (schemas["SamplesResourceAttributes"], sent):
        fields = attributes["properties"]
        kind = [{"const": "squad", "title": "Squad"}, {"const": "guild", "title": "Guild"}]
        mood = [{"const": "glad", "title": "Glad"}, {"const": "sad", "title": "Sad"}]
        assert fields["kind"]["oneOf"] == kind
        assert fields["mood"]["oneOf"] == [*mood, {"type": "null"}]
        assert fields["amount"]["format"] == "decimal"
        values = {"$ref": "#/components/schemas/JsonValue"}
        assert fields["facts"]["additionalProperties"] == values
    assert schemas["JsonValue"]["maximum"] == MOST


def sample_fields() -> set[str]:
    return {c.key for c in Sample.__mapper__.column_attrs} - {
        "id",
        "version",
        "creation_time",
        "modification_time",
        "line_folded",
    }


DEEP: Any = 1
for _ in range(15):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("name", "value", "rule", "limit"),
    [
        ("count", "1", "type", None),
        ("count", True, "type", None),
        ("count", 1.5, "type", None),
        ("count", MOST + 1, "maximum", MOST),
        ("count", -1e300, "minimum", -MOST),
        ("amount", 1.5, "type", None),
        ("amount", True, "type", None),
        ("amount", "", "format", None),
        ("amount", "1,5", "format", None),
        ("amount", "1e2", "format", None),
        ("amount", "NaN", "format", None),
        ("amount", "007", "format", None),
        ("amount", "٣", "format", None),
        ("amount", "1\n", "format", None),
        ("amount", "0.125", "multipleOf", "0.01"),
        ("amount", "10000000000", "maximum", "9999999999.99"),
        ("amount", "-" + "9" * 99, "minimum", "-9999999999.99"),
        ("amount", "9" * 200_000, "format", None),
        ("limit", "-0.01", "minimum", "0.00"),
        ("limit", "-0", "format", None),
        ("limit", "99.51", "maximum", "99.50"),
        ("rate", "1", "maximum", "0." + "9" * 18),
        ("day", 20260131, "type", None),
        ("day", "2026-1-31", "format", None),
        ("day", "20260131", "format", None),
        ("day", "2026-W05-6", "format", None),
        ("day", "2026-02-29", "format", None),
        ("day", "0000-01-01", "format", None),
        ("day", "2026-01-31T00:00:00Z", "format", None),
        ("kind", "Squad", "enum", None),
        ("kind", None, "null", None),
        ("mood", "", "enum", None),
        ("mood", 1, "type", None),
        ("url", "example.com", "format", None),
        ("url", "javascript:alert(1)", "format", None),
        ("url", "https://ada:secret@example.com/", "format", None),
        ("url", "https://example.com/a b", "format", None),
        ("url", "https://example.com/\u202e", "format", None),
        ("url", "http://", "format", None),
        ("url", "http://a/" + "b" * 1992, "maxLength", 2000),
        ("tags", "a", "type", None),
        ("tags", {}, "type", None),
        ("tags", ["a"] * 4, "maxItems", 3),
        ("facts", [], "type", None),
        ("facts", "{}", "type", None),
        ("facts", {"a": MOST + 1}, "maximum", MOST),
        ("facts", {"a": [-1e300]}, "minimum", -MOST),
        ("facts", {"a\0": 1}, "control", None),
        ("facts", {"a": {"b": ["\0"]}}, "control", None),
        ("facts", {"a": "é" * 500}, "maxBytes", 1000),
        ("facts", {"a": [DEEP]}, "invalid", 16),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(client, name, value, rule, limit):
    response = client.post(SAMPLES, sample(**{name: value}))
    assert response.status_int == 422, response.text
    (error,) = response.json["errors"]
    assert error["source"]["pointer"] == f"/data/attributes/{name}"
    assert (error["meta"]["rule"], error["meta"].get("limit")) == (rule, limit)
    assert client.get(SAMPLES).json["data"] == []


def test_an_object_may_have_as_many_levels_as_it_may_have(client):
    assert stored(client, facts={"a": DEEP})["attributes"]["facts"] == {"a": DEEP}


@pytest.mark.parametrize(
    ("name", "before", "same", "other"),
    [
        ("amount", "1.50", "1.5", "1.51"),
        ("count", 1, 1.0, 2),
        ("day", "2026-01-31", "2026-01-31", "2026-02-01"),
        ("facts", {"a": 1, "b": 2}, {"b": 2, "a": 1.0}, {"b": 2, "a": True}),
        ("facts", {"a": [1, 0]}, {"a": [1, 0]}, {"a": [True, False]}),
        ("tags", ["a", "b"], [" a", "b"], ["b", "a"]),
        ("tags", [], [], None),
    ],
)
def test_only_what_is_another_value_is_a_change(client, name, before, same, other):
    made = stored(client, **{name: before})
    assert not changed(client, made, **{name: same})
    assert changed(client, made, **{name: other})
    shown = client.get(f"{SAMPLES}/{made['id']}").json["data"]["attributes"][name]
    assert json.dumps(shown, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize("name", ["tags", "facts"])
def test_lists_and_objects_are_no_filters_and_no_order(client, name):
    for query in (f"filter[{name}]=a", f"filter[{name}][isnull]=true", f"sort={name}"):
        response = client.get(f"{SAMPLES}?{query}")
        assert (response.status_int, sources(response)) == (
            400,
            [(query.partition("=")[0], "invalid_parameter")],
        )


@pytest.mark.parametrize(
    ("name", "operand"),
    [
        ("amount", "1e2"),
        ("amount", "9" * 41),
        ("amount", "0." + "1" * 41),
        ("count", str(2**63)),
        ("count", str(MOST + 1)),
        ("count", "1.5"),
        ("day", "0000-13-01"),
        ("day", "0000-01-01"),
        ("day", "2026-02-30"),
        ("day", "2026-01-31T00:00:00Z"),
        ("day", "10000-01-01"),
    ],
)
@pytest.mark.parametrize("operator", ["eq", "ne", "lt", "ge", "in"])
def test_an_operand_that_is_none_is_refused(client, name, operand, operator):
    parameter = f"filter[{name}][{operator}]"
    response = client.get(f"{SAMPLES}?{parameter}={operand}")
    assert (response.status_int, sources(response)) == (400, [(parameter, "invalid_parameter")])


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, operand: value == operand,
    "ne": lambda value, operand: value != operand,
    "lt": lambda value, operand: value is not None and value < operand,
    "le": lambda value, operand: value is not None and value <= operand,
    "gt": lambda value, operand: value is not None and value > operand,
    "ge": lambda value, operand: value is not None and value >= operand,
}
FUNCTIONS = {
    "eq": "equals",
    "lt": "lessThan",
    "le": "lessOrEqual",
    "gt": "greaterThan",
    "ge": "greaterOrEqual",
}

AMOUNTS = [Decimal(n).scaleb(-2) for n in (0, 1, -1, 10, -10, 99, 100, 150, 200, 10**12 - 1)]
AMOUNTS += [-AMOUNTS[-1], Decimal("33.33"), Decimal("1234567890.12"), Decimal("-1234567890.12")]
RATES = [Decimal(n).scaleb(-18) for n in (0, 1, -1, 10**18 - 1, 1 - 10**18, 10**17, 3 * 10**17)]
COUNTS = [0, 1, -1, 9, 10, 100, 2**31, -(2**31) - 1, 2**52 + 1, MOST, -MOST, MOST - 1]
DAYS = [date.min, date.max, date(999, 12, 31), date(1000, 1, 1), date(1582, 10, 10)]
DAYS += [date(2024, 2, 29) + timedelta(n) for n in range(-2, 3)]
VALUES: dict[str, list[Any]] = {"amount": AMOUNTS, "rate": RATES, "count": COUNTS, "day": DAYS}

WIDE = st.decimals(-(10**35), 10**35, places=3) | st.decimals(-3, 3, places=4)


def operands(name: str) -> st.SearchStrategy[Any]:
    """Operands near values of a field, and far from them."""
    near = st.sampled_from(VALUES[name])
    if name == "day":
        return near | st.dates()
    if name == "count":
        return near | st.integers(-MOST, MOST)
    tiny = st.sampled_from(["0", "0.001", "-0.001", "1E-30", "-1E-30", "0.01"]).map(Decimal)
    return near | WIDE | st.builds(lambda a, b: a + b, near, tiny).filter(lambda d: abs(d) < 10**38)


def as_text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@pytest.fixture(scope="module")
def rows(sampling, running_service) -> list[dict[str, Any]]:
    """Samples with many values of each type; some have none, and some the same."""
    length = max(map(len, VALUES.values())) + 3
    found = [
        {"line": str(n)}
        | {name: (values * 2 + [None])[n % (len(values) + 2)] for name, values in VALUES.items()}
        for n in range(length)
    ]
    for row in found:
        row |= {"limit": row["amount"] and abs(row["amount"]) % 7, "end": row["day"]}
    found[1] |= {"end": date(2000, 1, 1)}
    found[2] |= {"limit": Decimal("-0.01"), "end": date(2000, 1, 1)}
    found[3] |= {"limit": None, "end": None}
    with Session(running_service.engine) as session, session.begin():
        session.execute(delete(Sample))
        session.execute(insert(Sample), found)
    return found


def lines(client: Client, query: str) -> set[str]:
    response = client.get(f"{SAMPLES}?page[size]=100&{query}")
    assert response.status_int == 200, response.text
    return {each["attributes"]["line"] for each in response.json["data"]}


@pytest.mark.parametrize("name", VALUES)
def test_filters_find_what_python_finds(sampling, rows, name):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operand=operands(name), other=operands(name))
    def hold(operand, other):
        text = as_text(operand)
        for operator, holds in OPERATORS.items():
            expected = {row["line"] for row in rows if holds(row[name], operand)}
            assert lines(sampling, f"filter[{name}][{operator}]={text}") == expected, operator
            if operator in FUNCTIONS:
                expression = f"filter={FUNCTIONS[operator]}({name},'{text}')"
                assert lines(sampling, expression) == expected
        among = {row["line"] for row in rows if row[name] in (operand, other)}
        both = f"{text},{as_text(other)}"
        assert lines(sampling, f"filter[{name}][in]={both}") == among
        others = {row["line"] for row in rows} - among
        assert lines(sampling, f"filter[{name}][nin]={both}") == others
        not_less = {row["line"] for row in rows} - {
            row["line"] for row in rows if OPERATORS["lt"](row[name], operand)
        }
        assert lines(sampling, f"filter=not(lessThan({name},'{text}'))") == not_less

    hold()


@pytest.mark.parametrize(("name", "other"), [("amount", "limit"), ("day", "end")])
def test_fields_are_compared_with_each_other(sampling, rows, name, other):
    for operator, function in FUNCTIONS.items():
        expected = {
            row["line"]
            for row in rows
            if None not in (row[name], row[other]) and OPERATORS[operator](row[name], row[other])
        }
        assert expected
        assert lines(sampling, f"filter={function}({name},{other})") == expected


def test_decimals_of_different_scales_are_not_compared(sampling, rows):
    response = sampling.get(f"{SAMPLES}?filter=lessThan(amount,rate)")
    assert (response.status_int, sources(response)) == (400, [("filter", "invalid_parameter")])


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("sign", ["", "-"])
def test_lists_are_in_the_order_of_python(sampling, rows, name, sign):
    url = f"{SAMPLES}?sort={sign}{name},line&page[size]=4"
    found: list[str] = []
    while url:
        response = sampling.get(url)
        assert response.status_int == 200, response.text
        found += [each["attributes"]["line"] for each in response.json["data"]]
        url = response.json["links"]["next"]
    nulls = sorted((row for row in rows if row[name] is None), key=lambda row: row["line"])
    others = sorted((row for row in rows if row[name] is not None), key=lambda row: row["line"])
    others.sort(key=lambda row: row[name], reverse=bool(sign))
    expected = nulls + others if sign else others + nulls
    assert found == [row["line"] for row in expected]


FORGED = {
    "amount": [1, 1.5, True, "", "x", "NaN", "1e999", "0.001", "9" * 13, "-" + "9" * 40, ["1"]],
    "rate": ["1", "0." + "1" * 19],
    "count": ["1", 1.5, 2**63, 2**70, True],
    "day": [1, "", "0000-01-01", "2026-02-30", "2026-01-31T00:00:00", "20260131", "10000-01-01"],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_forged_cursor_is_refused(sampling, rows, name):
    url = f"{SAMPLES}?sort={name}&page[size]=4&page[after]"
    link = sampling.get(url.removesuffix("&page[after]")).json["links"]["next"]
    cursor = link.split("page%5Bafter%5D=")[1]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    bound = json.dumps(
        ["samples", [[name, False], ["id", False]], repr((("jsonapi:resource:samples", None), []))],
        separators=(",", ":"),
    ).encode()

    def sealed(position: Any) -> str:
        values = json.dumps(position, separators=(",", ":")).encode()
        digest = hashlib.blake2b(bound + b"\0" + values, digest_size=8).digest()
        return base64.urlsafe_b64encode(digest + values).decode().rstrip("=")

    value, id = json.loads(raw[8:])
    assert sealed([value, id]) == cursor
    for forged in FORGED[name]:
        response = sampling.get(f"{url}={sealed([forged, id])}")
        assert (response.status_int, sources(response)) == (
            400,
            [("page[after]", "invalid_parameter")],
        ), forged
