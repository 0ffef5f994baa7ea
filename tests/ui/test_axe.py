"""Every view and dialog is held against the rules of axe-core: WCAG 2.0 to 2.2, best practices."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.clients.programs import node_packages
from tests.service import MAIL
from tests.ui.site import site as serve

pytestmark = pytest.mark.ui

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}
LOOKS = [
    (theme, dir, lang)
    for theme in ("light", "dark")
    for dir, lang in (("ltr", "en"), ("rtl", "fa"))
]
RUN = """
const [theme, dir, lang, options, done] = arguments;
Object.assign(document.documentElement, {dir, lang});
document.documentElement.dataset.theme = theme;
axe.run(document, options).then(
  ({violations}) => done(violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => `${theme} ${id}: ${html}\\n  ${failureSummary}`))),
  (error) => done([String(error)]));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The service with all that is done by mail, so that all pages are there."""
    environ = {f"USERS_SERVICE_{name.upper()}": value for name, value in MAIL.items()}
    with serve(tmp_path_factory.mktemp("site"), **environ) as served:
        for number in range(3):
            served.create("groups", name=f"Group {number}", description="Two\nlines")
        yield served


@pytest.fixture(scope="module")
def axe(chromium, pytestconfig):
    """Load axe-core into each page, which the policy of the UI would not."""
    source = Path(
        node_packages(Path(__file__).parent, pytestconfig), "node_modules/axe-core/axe.min.js"
    )
    script = {"source": source.read_text(encoding="utf-8")}
    chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)


@pytest.fixture
def violations(axe, reader):
    def look() -> list[str]:
        reader.settle()
        run = reader.driver.execute_async_script
        return [each for look in LOOKS for each in run(RUN, *look, OPTIONS)]

    return look


def user(reader) -> str:
    return f"users/{reader.site.world.ids['self']}"


VIEWS = {
    "sign-in": (None, "Sign in"),
    "sign-up": (None, "Sign up"),
    "forgot": (None, "Forgot your password?"),
    "reset": (None, "Set a new password"),
    "verify": (None, "Confirm your address"),
    "": ("administrator", "Home"),
    "users": ("administrator", "Users"),
    "users?q=nobody": ("administrator", "Users"),
    "users?size=3&total=true&columns=name,role&sort=-name": ("administrator", "Users"),
    "users/new": ("administrator", "New User"),
    "roles": ("administrator", "Roles"),
    "roles/new": ("administrator", "New Role"),
    "groups": ("reader", "Groups"),
    "tokens": ("administrator", "Tokens"),
    "tokens/new": ("administrator", "New Token"),
    "nowhere": ("self", "Not found"),
}


@pytest.mark.parametrize("path", VIEWS)
def test_views(reader, violations, path):
    person, heading = VIEWS[path]
    reader.arrive(path, person)
    reader.see_heading(heading)
    assert violations() == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("users", "self"), ("roles", "role helpdesk"), ("groups", "group"), ("tokens", "token self")],
)
def test_forms(reader, site, violations, kind, name):
    reader.arrive(f"{kind}/{site.world.ids[name]}", "administrator")
    reader.see("Save", "Delete")
    assert violations() == []


def test_what_is_only_shown(reader, site, violations):
    reader.arrive(f"users/{site.world.ids['self']}", "reader")
    reader.see_heading("Self")
    assert violations() == []


def account(reader):
    reader.arrive("account", "self")
    reader.see_heading("Your account")
    reader.see("This browser", "There are none.")


def filters(reader):
    reader.arrive("users", "administrator")
    for name in "Filter", "Add a condition", "Add a condition", "Columns", "Saved views":
        reader.press(name)
    reader.field("Field").send_keys("Role")
    reader.press("Save this view")
    reader.keys("View", Keys.ENTER)
    reader.see("View")


def picking(reader):
    reader.arrive("users/new", "administrator")
    reader.field("Role").send_keys("reader")
    reader.until(lambda: reader.names("[role=option]"), "there are choices")
    reader.keys(Keys.ARROW_DOWN)


def faults(reader):
    reader.expected.add(422)
    reader.arrive("users/new", "administrator")
    reader.press("Create")
    reader.see("Is required.")


def menu(reader):
    reader.arrive("users", "administrator")
    reader.press("Menu")
    reader.see("Colours")


def messages(reader):
    reader.arrive(user(reader), "administrator")
    reader.press("Save")
    reader.see("Nothing was changed.")


def shortcuts(reader):
    menu(reader)
    reader.press("Shortcuts")
    reader.see("Use these shortcuts")


def leaving(reader):
    reader.arrive(user(reader), "administrator")
    reader.type("Name", "Another")
    reader.press("Users")
    reader.see("Leave without saving?")


def deleting(reader):
    reader.arrive("users", "administrator")
    reader.press("Choose all Users on this page")
    reader.driver.find_element("xpath", "//select/option[.='Delete']").click()
    reader.press("Change rows…")
    reader.see("Delete 7 rows")


def changing(reader):
    reader.arrive("users", "administrator")
    reader.press("Choose Self")
    reader.driver.find_element("xpath", "//select/option[contains(., 'Set:')]").click()
    reader.press("Change rows…")
    reader.until(lambda: "Change" in reader.text(), "")


def conflict(reader):
    reader.expected.add(412)
    reader.arrive(user(reader), "administrator")
    reader.type("Name", "Mine")
    reader.type("E-mail address", "mine@example.com")
    id = str(reader.site.world.ids["self"])
    reader.site.change("users", id, name="Theirs", email="theirs@example.com")
    reader.press("Save")
    reader.see("Take theirs for all")


def naming(reader):
    reader.arrive("users", "administrator")
    reader.press("Saved views")
    reader.press("Save this view")
    reader.until(lambda: reader.focus() == "input Name", "the dialog is open")


def signing_in_again(reader):
    reader.expected.add(401)
    reader.arrive("users", "administrator")
    reader.see("Helpdesk")
    reader.driver.delete_all_cookies()
    reader.press("Groups")
    reader.see("Your session has ended.")


def a_secret(reader):
    reader.arrive("account", "other")
    reader.press("New token")
    reader.see("Make the token")
    fields = reader.driver.find_elements("css selector", "form input[type=text]")
    next(each for each in reversed(fields) if each.is_displayed()).send_keys("Backup")
    reader.press("Make the token")
    reader.see("Copy it now")


def no_service(reader):
    reader.expected.add(0)
    reader.arrive("users", "administrator")
    reader.see("Helpdesk")
    reader.driver.execute_cdp_cmd("Network.enable", {})
    reader.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/v1/groups*"]})
    reader.press("Groups")
    reader.see("Try again")
    reader.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    reader.complaints()  # that it was blocked


STATES = [
    account,
    filters,
    picking,
    faults,
    menu,
    messages,
    shortcuts,
    leaving,
    deleting,
    changing,
    conflict,
    naming,
    signing_in_again,
    a_secret,
    no_service,
]


@pytest.mark.parametrize("state", STATES)
def test_dialogs_and_what_opens(reader, violations, state):
    state(reader)
    assert violations() == []


@pytest.fixture
def plain(reader):
    """A narrow window, with the system's colours and without movement."""
    command = reader.driver.execute_cdp_cmd
    size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    command("Emulation.setDeviceMetricsOverride", size)
    wanted = {"forced-colors": "active", "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in wanted.items()]
    command("Emulation.setEmulatedMedia", {"features": features})
    yield reader
    command("Emulation.setEmulatedMedia", {"features": []})
    command("Emulation.clearDeviceMetricsOverride", {})


# What is not as it was asked for, how much moves, and what is beyond the window.
LOOK = """
const moves = document.getAnimations().filter(({playState}) => playState === "running");
const asked = ["(forced-colors: active)", "(prefers-reduced-motion: reduce)", "(width: 320px)"];
const {scrollWidth, clientWidth} = document.documentElement;
return [asked.filter((each) => !matchMedia(each).matches), moves.length, scrollWidth - clientWidth];
"""


@pytest.mark.parametrize("path", VIEWS)
def test_views_in_a_narrow_window_with_forced_colours(plain, path):
    """The browser chooses the colours, of which axe-core knows nothing."""
    person, heading = VIEWS[path]
    plain.arrive(path, person)
    plain.see_heading(heading)
    plain.settle()
    assert plain.driver.execute_script(LOOK) == [[], 0, 0]


def test_a_page_in_persian(reader, violations):
    reader.arrive("users", "administrator")
    reader.driver.execute_script("localStorage.setItem('users_service:language', '\"fa\"')")
    reader.load(user(reader))
    reader.until(
        lambda: reader.driver.find_elements("css selector", ":root[dir=rtl] form"), "a form"
    )
    assert violations() == []


def test_what_breaks_the_rules_is_found(reader, violations):
    reader.arrive("users", "administrator")
    reader.see("Helpdesk")
    reader.driver.execute_script(
        "document.querySelector('[type=search]').removeAttribute('aria-label');"
        "document.querySelector('.status').style.color = 'light-dark(#ddd, #333)';"
        "document.querySelector('h1').remove();"
    )
    text = "\n".join(violations())
    assert all(f"light {rule}: " in text for rule in ("color-contrast", "page-has-heading-one"))
    assert "dark color-contrast: " in text
