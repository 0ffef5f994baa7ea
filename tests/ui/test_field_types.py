"""Every type of field has a control, a way to be shown and an operand of filters."""

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.server import ROOT
from tests.ui.reader import Reader
from tests.ui.site import site as serve

pytestmark = pytest.mark.ui

TYPED = {
    "Line": "Engines",
    "Text": "of many kinds",
    "Email": "ada@example.com",
    "Url": " https://example.com/engines ",
    "Count": "9007199254740991",
    "Amount": " 1234567890.5 ",
    "Rate": "0.123456789012345678",
    "Tags": "steam\noil",
    "Facts": '{"sizes": [1, 2.5], "is_open": true}',
}
STORED = {
    "line": "Engines",
    "text": "of many kinds",
    "email": "ada@example.com",
    "url": "https://example.com/engines",
    "is_open": True,
    "count": 9007199254740991,
    "amount": "1234567890.50",
    "limit": None,
    "rate": "0.123456789012345678",
    "day": "2026-01-31",
    "end": None,
    "kind": "guild",
    "mood": "sad",
    "tags": ["steam", "oil"],
    "facts": {"sizes": [1, 2.5], "is_open": True},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serve(
        tmp_path_factory.mktemp("site"), main="tests.samples:main", PYTHONPATH=str(ROOT)
    ) as served:
        yield served


def choose(reader: Reader, label: str, title: str) -> None:
    Select(reader.field(label)).select_by_visible_text(title)


def set_day(reader: Reader, label: str, day: str) -> None:
    """Set a day as a date picker does: what is typed depends on the locale."""
    script = (
        "arguments[0].value = arguments[1];"
        "arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"
    )
    reader.driver.execute_script(script, reader.field(label), day)


def test_a_resource_with_every_type_is_made_shown_and_found(reader):
    reader.arrive("samples/new", "administrator")
    for label, text in TYPED.items():
        reader.type(label, text)
    for label, title in {"Is open": "Yes", "Kind": "Guild", "Mood": "Sad"}.items():
        choose(reader, label, title)
    titles = [each.text for each in Select(reader.field("Mood")).options]
    assert titles[1:] == ["Glad", "Sad"]
    set_day(reader, "Day", "2026-01-31")
    reader.press("Create")
    reader.see("was created")
    (made,) = reader.site.call("GET", "samples")["data"]
    assert {name: made["attributes"][name] for name in STORED} == STORED

    reader.load(f"samples/{made['id']}")
    reader.settle()
    assert reader.field("Amount").get_attribute("value") == "1234567890.50"
    assert json.loads(reader.field("Facts").get_attribute("value")) == STORED["facts"]
    assert reader.field("Day").get_attribute("value") == "2026-01-31"

    columns = "columns=line,url,count,amount,rate,day,kind,mood,tags,facts"
    for condition, is_found in {
        "amount~gt~1234567890.49": True,
        "amount~lt~1234567890.5": False,
        "rate~ge~0.1234567890123456785": False,
        "day~le~2026-01-31": True,
        "count~ge~9007199254740991": True,
        "mood~eq~sad": True,
        "mood~eq~glad": False,
    }.items():
        reader.load(f"samples?{columns}&where={condition}")
        reader.see("https://example.com/engines" if is_found else "Nothing found.")
    reader.load(f"samples?{columns}")
    reader.see("1234567890.50", "0.123456789012345678", "Guild", "Sad", "steam")
    (link,) = reader.driver.find_elements(By.CSS_SELECTOR, "td a[href^=https]")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_what_a_field_cannot_have_is_told_at_the_field(reader):
    reader.arrive("samples/new", "administrator")
    reader.type("Amount", "0.125")
    reader.type("Limit", "100")
    reader.type("Url", "example.com")
    reader.expected.add(422)
    reader.press("Create")
    reader.see("Must be a multiple of 0.01.", "Must be at most 99.50.")
    faults = reader.driver.find_elements(By.CSS_SELECTOR, "[aria-invalid]")
    assert len(faults) == 3

    reader.type("Facts", "{")
    reader.press("Create")
    reader.until(
        lambda: reader.driver.switch_to.active_element == reader.field("Facts"),
        "the fault is not told before anything is sent",
    )
