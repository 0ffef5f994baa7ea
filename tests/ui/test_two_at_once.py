"""Two change a resource at once: one in a form, the other by the API."""

import http.client
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as ec
from selenium.webdriver.support.ui import WebDriverWait

from tests import browser
from tests.client import API, MEDIA_TYPE
from tests.server import ROOT, pserve
from users_service.database.migrations import upgrade

pytestmark = pytest.mark.ui

DIALOG = (By.CSS_SELECTOR, "dialog[open]")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service where everybody may do everything."""
    ini = Path(shutil.copy(ROOT / "development.ini", tmp_path_factory.mktemp("ui")))
    upgrade(str(ini))
    with pserve(ini, {}) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[WebDriver]:
    with browser.chromium() as running:
        yield running


@dataclass(frozen=True)
class Role:
    """A role, shown in a form."""

    address: str
    page: WebDriver
    id: str

    @property
    def stored(self) -> dict[str, Any]:
        return call(self.address, "GET", f"/roles/{self.id}")["data"]["attributes"]

    def change_elsewhere(self, **attributes: Any) -> None:
        data = {"type": "roles", "id": self.id, "attributes": attributes}
        call(self.address, "PATCH", f"/roles/{self.id}", {"data": data})

    def control(self, name: str) -> WebElement:
        path = f"//*[@id = //label[.='{name.capitalize()}']/@for]"
        located = ec.presence_of_element_located((By.XPATH, path))
        return WebDriverWait(self.page, 30).until(located)

    def type(self, name: str, text: str) -> None:
        self.control(name).clear()
        self.control(name).send_keys(text)

    def press(self, text: str) -> None:
        path = f"//button[.='{text}']"
        if self.page.find_elements(*DIALOG):
            path = f"//dialog[@open]{path}"
        located = ec.element_to_be_clickable((By.XPATH, path))
        WebDriverWait(self.page, 30).until(located).click()

    def wait_for_message(self, text: str) -> None:
        located = (By.CSS_SELECTOR, ".messages")
        WebDriverWait(self.page, 30).until(
            lambda page: text in plain(page.find_element(*located).text)
        )

    def wait_for_dialog(self) -> WebElement:
        return WebDriverWait(self.page, 30).until(ec.visibility_of_element_located(DIALOG))

    def wait_for_no_dialog(self) -> None:
        WebDriverWait(self.page, 30).until_not(lambda page: page.find_elements(*DIALOG))


def plain(text: str) -> str:
    """A text without the marks of direction."""
    return text.translate({0x2068: "", 0x2069: ""})


def call(address: str, method: str, path: str, document: Any = None) -> Any:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    headers = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
    body = None if document is None else json.dumps(document)
    connection.request(method, f"{API}{path}", body, headers)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    assert response.status < 300, answer
    return json.loads(answer) if answer else None


@pytest.fixture
def role(address: str, chromium: WebDriver, request: pytest.FixtureRequest) -> Role:
    attributes = {
        "name": request.node.name[:80],
        "description": "before",
        "permissions": ["groups:read", "users:read"],
    }
    document = {"data": {"type": "roles", "attributes": attributes}}
    id = call(address, "POST", "/roles", document)["data"]["id"]
    chromium.get(f"{address}/ui/roles/{id}")
    made = Role(address, chromium, id)
    made.control("name")
    return made


def test_changes_of_different_fields_are_both_stored(role: Role) -> None:
    role.type("description", "mine")
    role.change_elsewhere(name=f"{role.id} theirs")
    role.press("Save")
    role.wait_for_message("What somebody else has changed meanwhile was kept: Name")
    assert role.stored["description"] == "mine"
    assert role.stored["name"] == f"{role.id} theirs"


def test_what_both_add_and_remove_is_kept(role: Role) -> None:
    role.type("permissions", "groups:read\nusers:read\nusers:create")
    role.change_elsewhere(permissions=["users:read", "users:delete"])
    role.press("Save")
    role.wait_for_message("was kept: Permissions")
    assert sorted(role.stored["permissions"]) == ["users:create", "users:delete", "users:read"]


@pytest.mark.parametrize(("choice", "stored"), [("Keep yours", "mine"), ("Take theirs", "theirs")])
def test_the_same_field_is_asked(role: Role, choice: str, stored: str) -> None:
    role.type("description", "mine")
    role.change_elsewhere(description="theirs")
    role.press("Save")
    dialog = role.wait_for_dialog()
    assert [each.text for each in dialog.find_elements(By.TAG_NAME, "dd")] == [
        "before",
        "theirs",
        "mine",
    ]
    dialog.find_element(By.XPATH, f".//label[.='{choice}']").click()
    role.press("Save what is chosen")
    role.wait_for_message("Saved.")
    assert role.stored["description"] == stored
    assert role.control("description").get_property("value") == stored


def test_a_dialog_that_is_left_keeps_what_was_typed(role: Role) -> None:
    role.type("description", "mine")
    role.change_elsewhere(description="theirs")
    role.press("Save")
    role.wait_for_dialog()
    role.press("Cancel")
    role.wait_for_no_dialog()
    assert role.control("description").get_property("value") == "mine"
    assert role.stored["description"] == "theirs"


def test_who_is_faster_again_is_asked_about_again(role: Role) -> None:
    role.type("description", "mine")
    role.change_elsewhere(description="theirs")
    role.press("Save")
    dialog = role.wait_for_dialog()
    role.change_elsewhere(description="theirs again")
    dialog.find_element(By.XPATH, ".//label[.='Keep yours']").click()
    role.press("Save what is chosen")
    # While the dialog is filled anew, what was found in it is gone.
    gone = [StaleElementReferenceException]
    WebDriverWait(role.page, 30, ignored_exceptions=gone).until(
        lambda page: (
            [each.text for each in page.find_elements(By.TAG_NAME, "dd")][:2]
            == ["theirs", "theirs again"]
        )
    )
    role.wait_for_dialog().find_element(By.XPATH, ".//label[.='Keep yours']").click()
    role.press("Save what is chosen")
    role.wait_for_message("Saved.")
    assert role.stored["description"] == "mine"


def test_what_was_deleted_meanwhile_is_said_and_can_be_created_again(role: Role) -> None:
    role.type("description", "mine")
    call(role.address, "DELETE", f"/roles/{role.id}")
    role.press("Save")
    assert "was deleted meanwhile" in plain(role.wait_for_dialog().text)
    role.press("Cancel")
    role.wait_for_no_dialog()
    assert role.control("description").get_property("value") == "mine"
    role.press("Save")
    role.wait_for_dialog()
    role.press("Create it again")
    WebDriverWait(role.page, 30).until_not(ec.url_contains(role.id))
    again = Role(role.address, role.page, role.page.current_url.rsplit("/", 1)[1])
    again.control("name")
    assert again.stored["description"] == "mine"
