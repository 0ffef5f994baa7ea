"""Settings: ini keys, variables and files; every fault at once, and no secret in any message."""

import gc
from dataclasses import fields

import pytest
from sqlalchemy import make_url

from users_service import main
from users_service.settings import Settings, SettingsError, load

URL = "sqlite:////nowhere/users.sqlite3"
INI = {"users_service.database_url": URL}


def faults(ini: dict[str, str], environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(ini, environ or {})
    return error.value.faults


def test_everything_but_the_database_has_a_safe_default():
    settings = load(INI, {})
    assert settings.database_url == make_url(URL)
    assert settings.anonymous_permissions == frozenset()
    assert settings.page_size == 20
    assert settings.max_page_size == 1000
    assert settings.max_body_size == 1024 * 1024


def test_the_environment_wins_over_the_ini_file():
    ini = INI | {"users_service.page_size": "5"}
    assert load(ini, {}).page_size == 5
    assert load(ini, {"USERS_SERVICE_PAGE_SIZE": "7"}).page_size == 7


def test_a_variable_can_name_a_file_that_holds_the_value(tmp_path):
    path = tmp_path / "url"
    path.write_text(URL + "\n")
    assert load({}, {"USERS_SERVICE_DATABASE_URL_FILE": str(path)}).database_url == make_url(URL)


def test_a_value_and_a_file_contradict_each_other(tmp_path):
    variables = {"USERS_SERVICE_PAGE_SIZE": "7", "USERS_SERVICE_PAGE_SIZE_FILE": "x"}
    (fault,) = faults(INI, variables)
    assert "is given twice" in fault


def test_a_file_that_cannot_be_read_is_named():
    (fault,) = faults(INI, {"USERS_SERVICE_PAGE_SIZE_FILE": "/nowhere/size"})
    assert "/nowhere/size" in fault


def test_an_empty_value_is_none():
    assert load(INI | {"users_service.page_size": " "}, {"USERS_SERVICE_PAGE_SIZE": ""})
    (fault,) = faults({"users_service.database_url": ""})
    assert fault == "users_service.database_url (USERS_SERVICE_DATABASE_URL) is required"


def test_every_fault_is_reported_at_once_with_its_key():
    found = faults(
        {"users_service.page_size": "many", "users_service.pagesize": "5"},
        {"USERS_SERVICE_LOCK_TIMEOUT": "-1", "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "all"},
    )
    assert [fault.split()[0] for fault in found] == [
        "users_service.pagesize",
        "users_service.database_url",
        "users_service.anonymous_permissions",
        "users_service.page_size",
        "users_service.lock_timeout",
    ]


def test_keys_of_other_packages_and_unknown_variables_are_left_alone():
    # Kubernetes sets the second for a service of this name.
    assert load(
        INI | {"pyramid.debug_notfound": "true"}, {"USERS_SERVICE_PORT": "tcp://10.0.0.1:80"}
    )


def test_a_page_cannot_be_larger_than_the_largest():
    (fault,) = faults(INI | {"users_service.page_size": "50", "users_service.max_page_size": "40"})
    assert fault == "users_service.page_size must not exceed users_service.max_page_size"


def test_as_many_ids_as_values_fit_into_filters_and_urls():
    assert load(INI, {}).max_filter_values == 200
    few = {"users_service.max_url_length": "300", "users_service.max_filter_values": "4"}
    assert load(INI | few, {})
    found = faults(INI | {"users_service.max_filter_values": "500"})
    for fault, name in zip(found, ("max_filter_length", "max_url_length"), strict=True):
        assert fault.startswith(f"users_service.{name} must be at least ")
        assert "users_service.max_filter_values = 500" in fault


@pytest.mark.parametrize(
    "url",
    [
        "secret",
        "postgresql://u:secret@localhost/users",
        "oracle://u:secret@localhost/users",
        "postgresql+psycopg://u:secret@localhost:port/users",
        "postgresql+psycopg://u:secret@localhost",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_a_database_url_that_cannot_be_used_is_not_repeated(url):
    (fault,) = faults({"users_service.database_url": url})
    assert fault.startswith("users_service.database_url (USERS_SERVICE_DATABASE_URL) ")
    assert "secret" not in fault


@pytest.mark.parametrize("granted", ["*", "users:read", "users:*, groups:read", "users:delete"])
def test_permissions_are_names_or_everything(granted):
    ini = INI | {"users_service.anonymous_permissions": granted}
    assert load(ini, {}).anonymous_permissions == set(granted.replace(",", "").split())


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "1e3", "٥", "99999999999999999999"])
def test_numbers_are_whole_and_within_bounds(value):
    (fault,) = faults(INI | {"users_service.max_page_size": value})
    assert "must be a whole number from 1 to 10000" in fault


def test_the_process_stops_with_the_faults_as_its_last_words():
    with pytest.raises(SystemExit) as stopped:
        main({}, **{"users_service.page_size": "many"})
    assert str(stopped.value).splitlines()[0] == "The settings have faults:"
    assert len(str(stopped.value).splitlines()) == 3
    assert gc.isenabled()  # which is not there while the application is made


def test_every_setting_says_what_it_is():
    assert all(field.metadata["doc"] for field in fields(Settings))


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", set()),
        ("API.example.com., *.Example.org", {"api.example.com", "*.example.org"}),
        ("localhost:6543 [::1] 127.0.0.1", {"localhost:6543", "[::1]", "127.0.0.1"}),
        ("[0:0::1]:80", {"[::1]:80"}),
    ],
)
def test_allowed_hosts_have_one_spelling(text, hosts):
    assert load(INI | {"users_service.allowed_hosts": text}, {}).allowed_hosts == hosts


@pytest.mark.parametrize(
    "host",
    ["*", "*.", "*.*.com", "a.*", "*.a:80", "*.[::1]", "http://a", "a/b", "a:99999", "::1", "ä.de"],
)
def test_an_allowed_host_that_is_none_is_a_fault(host):
    (fault,) = faults(INI | {"users_service.allowed_hosts": f"api.example.com {host}"})
    assert fault.startswith("users_service.allowed_hosts (USERS_SERVICE_ALLOWED_HOSTS) has ")
    assert repr(host) in fault


@pytest.mark.parametrize(
    ("time", "memory"), [(1, 47_104), (2, 19_456), (3, 12_288), (4, 9_216), (5, 7_168), (9, 7_168)]
)
def test_hashing_passwords_for_less_than_is_safe_is_a_fault(time, memory):
    ini = INI | {"users_service.argon2_time": str(time)}
    assert load(ini | {"users_service.argon2_memory": str(memory)}, {}).argon2_memory == memory
    (fault,) = faults(ini | {"users_service.argon2_memory": str(memory - 1)})
    assert fault == (
        f"users_service.argon2_memory must be at least {memory} with users_service.argon2_time"
        f" = {time}: less is not safe"
    )


def test_the_ui_is_on_and_offers_all_languages_by_default():
    settings = load(INI, {})
    assert settings.ui is True
    assert settings.ui_languages == ("en", "de", "es", "fr", "it", "zh-Hans", "fa", "ur")
    assert settings.ui_title == ""


@pytest.mark.parametrize(
    ("text", "languages"), [("de", ("de",)), ("ur, en,ur", ("ur", "en")), ("zh-Hans", ("zh-Hans",))]
)
def test_languages_of_the_ui_keep_their_order(text, languages):
    assert load(INI | {"users_service.ui_languages": text}, {}).ui_languages == languages


@pytest.mark.parametrize("language", ["xx", "zh", "EN", "../en", "*", "zh-Hant"])
def test_a_language_that_the_ui_has_not_is_a_fault(language):
    (fault,) = faults(INI | {"users_service.ui_languages": f"en {language}"})
    assert fault.startswith(
        f"users_service.ui_languages (USERS_SERVICE_UI_LANGUAGES) has {language!r}"
    )
    assert "zh-Hans" in fault


@pytest.mark.parametrize("title", ["Example", "x" * 80, "کاربران\u200cما", "R&D <users> 👩‍💻"])
def test_a_title_of_the_ui_is_any_line(title):
    assert load(INI | {"users_service.ui_title": f" {title} "}, {}).ui_title == title


@pytest.mark.parametrize(
    "title", ["x" * 81, "a\tb", "a\nb", "a\0b", "a\x85b", "a\u2028b", "a\udcffb"]
)
def test_a_title_that_is_no_line_is_a_fault(title):
    (fault,) = faults(INI | {"users_service.ui_title": title})
    assert fault == (
        "users_service.ui_title (USERS_SERVICE_UI_TITLE) must have at most 80 characters, and no "
        "control characters"
    )


MAILED = {
    "users_service.smtp_url": "smtp+starttls://users:p%40ss@mail.example.com",
    "users_service.mail_from": "Users <users@example.com>",
    "users_service.sign_up": "true",
    "users_service.sign_up_link": "https://app.example.com/sign-up#{code}",
}


def test_a_mail_server_has_the_usual_port_of_its_scheme_and_its_password_is_not_shown():
    server = load(INI | MAILED, {}).smtp_url
    assert (server.host, server.port, server.user, server.password) == (
        "mail.example.com",
        587,
        "users",
        "p@ss",
    )
    assert "p@ss" not in repr(server)
    ports = [load(INI | {"users_service.smtp_url": f"{s}://h"}, {}) for s in ("smtp", "smtps")]
    assert [settings.smtp_url.port for settings in ports] == [25, 465]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smtp_url", "mail.example.com"),
        ("smtp_url", "http://mail.example.com"),
        ("smtp_url", "smtp://"),
        ("smtp_url", "smtp://mail.example.com:99999"),
        ("smtp_url", "smtp://mail.example.com/path?query"),
        ("smtp_url", "smtp://users:secret@mail.example.com"),
        ("mail_from", "nobody"),
        ("mail_from", "Users <users>"),
        ("sign_up_link", "https://app.example.com/sign-up"),
        ("sign_up_link", "https://app.example.com/{code}/{code}"),
        ("sign_up_link", "app.example.com/{code}"),
        ("sign_up_link", "javascript:{code}"),
        ("code_lifetime", "10"),
    ],
)
def test_what_mail_cannot_be_sent_by_is_a_fault(name, value):
    (fault,) = faults(INI | MAILED | {f"users_service.{name}": value})
    assert fault.startswith(f"users_service.{name} ")
    assert "secret" not in fault


def test_a_password_for_a_mail_server_on_this_machine_may_be_sent_as_it_is():
    url = "smtp://users:secret@127.0.0.1:1025"
    assert load(INI | {"users_service.smtp_url": url}, {}).smtp_url.password == "secret"


def test_what_is_done_by_mail_needs_a_server_a_sender_and_a_link():
    names = ("sign_up", "password_reset", "email_change")
    found = faults(INI | {f"users_service.{name}": "true" for name in names})
    assert len(found) == 9
    for name, link in zip(names, ("sign_up_link", "reset_link", "email_link"), strict=True):
        for needed in ("smtp_url", "mail_from", link):
            assert f"users_service.{name} = true needs users_service.{needed}" in found
