"""What is done by mail: sign-ups, password resets, changes of address, and the codes for them."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.auth.world import PASSWORD, World, as_holder
from tests.client import API, Client, sources
from tests.engines import on_one_engine
from tests.mailbox import Mailbox, code_in, recipients
from tests.service import MAIL
from users_service.auth import composer
from users_service.models.base import Base
from users_service.models.tables import codes, outbox, roles, users
from users_service.outbox import Worker

NEW = "a wholly new sentence"
UNKNOWN = "4rG8kZq1XwNv0cTbY7LmPe2SdhU"


class MailedWorld(World):
    """The stored world, with mail: `mail` sends it, and returns what has arrived."""

    def __init__(self, service: Any, app: Any, mailbox: Mailbox) -> None:
        super().__init__(service, app)
        self.mailbox = mailbox

    def post(self, kind: str, caller: str | None = None, **attributes: Any) -> Any:
        document = {"data": {"type": kind, "attributes": attributes}}
        return self.client(caller).post(f"{API}/auth/{kind}", document)

    def mail(self) -> list[EmailMessage]:
        settings = self.app.registry["settings"]
        seen = len(self.mailbox.received)
        Worker(
            self.service.engine,
            settings.smtp_url,
            settings.mail_from,
            composer(settings),
            deadline=settings.retry_deadline,
            stop=Event(),
        ).send_once()
        return self.mailbox.received[seen:]

    def code(self, kind: str, caller: str | None = None, **attributes: Any) -> str:
        """Ask for a mail, and return the code in it."""
        answer = self.post(kind, caller, **attributes)
        assert answer.status_int == 202, answer.text
        (message,) = self.mail()
        return code_in(message)

    def sign_in(self, email: str, password: str) -> int:
        attributes = {"email": email, "password": password}
        document = {"data": {"type": "tokens", "attributes": attributes}}
        status: int = Client(self.app).post(f"{API}/tokens", document).status_int
        return status

    def row(self, name: str) -> Any:
        """The row of a user, by its name or its address."""
        with self.service.engine.connect() as connection:
            found = users.c.email == name if "@" in name else users.c.id == self.ids[name]
            return connection.execute(select(users).where(found)).one_or_none()

    def change(self, table: Any, *conditions: Any, **values: Any) -> None:
        with self.service.engine.begin() as connection:
            connection.execute(update(table).where(*conditions).values(values))

    def stored(self) -> str:
        """All that the database holds, as text."""
        with self.service.engine.connect() as connection:
            tables = Base.metadata.sorted_tables
            return str([connection.execute(select(table)).all() for table in tables])


@pytest.fixture
def mailed(service, app_with) -> Iterator[MailedWorld]:
    with Mailbox().running() as mailbox:
        settings = MAIL | {"smtp_url": mailbox.url, "sign_up_role": "Reader"}
        app = app_with(anonymous_permissions="", **settings)
        yield MailedWorld(service, app, mailbox)


def sign_up(mailed: MailedWorld, email: str = "ada@example.com", **more: Any) -> Any:
    return mailed.post("sign-ups", **{"email": email, "name": "Ada", "password": NEW} | more)


def refused_code(answer: Any) -> bool:
    return sources(answer) == [("/data/attributes/code", "invalid_code")]


# Signing up


@pytest.mark.asvs("6.4.1")
def test_a_sign_up_becomes_a_user_when_its_code_comes_back(mailed):
    etag = mailed.service.client.get(f"{API}/roles/{mailed.ids['role reader']}").headers["ETag"]
    assert sign_up(mailed).status_int == 202
    (message,) = mailed.mail()
    assert recipients([message]) == ["ada@example.com"]
    assert message["From"] == "Users <users@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "within 24 hours" in message.get_content()
    assert mailed.row("ada@example.com") is None
    code = code_in(message)
    assert f"https://app.example.com/sign-up#{code}" in message.get_content().splitlines()
    assert mailed.post("verifications", code=code).status_int == 204
    user = mailed.row("ada@example.com")
    assert (user.name, user.is_active, user.role_id) == ("Ada", True, mailed.ids["role reader"])
    assert abs(user.verification_time - datetime.now(UTC)) < timedelta(minutes=1)
    assert mailed.sign_in("ada@example.com", NEW) == 201
    assert refused_code(mailed.post("verifications", code=code))
    role = mailed.service.client.get(f"{API}/roles/{mailed.ids['role reader']}")
    assert role.headers["ETag"] != etag  # it has one user more


def test_who_signs_up_gets_no_role_if_there_is_none_of_the_name(mailed, caplog):
    mailed.change(roles, roles.c.name == "reader", name="renamed", name_key="renamed")
    code = mailed.code("sign-ups", email="ada@example.com", name="Ada", password=NEW)
    assert mailed.post("verifications", code=code).status_int == 204
    assert mailed.row("ada@example.com").role_id is None
    assert "sign_up_role" in caplog.text


def test_who_signs_up_with_a_known_address_learns_nothing_and_its_owner_gets_a_mail(mailed):
    before = mailed.row("self")
    known = sign_up(mailed, "SELF@example.com")
    unknown = sign_up(mailed, "nobody@example.com")
    own = {"X-Request-ID"}
    assert known.status_int == unknown.status_int == 202
    assert known.body == unknown.body
    assert {n: v for n, v in known.headers.items() if n not in own} == {
        n: v for n, v in unknown.headers.items() if n not in own
    }
    told, asked = mailed.mail()
    assert recipients([told, asked]) == ["SELF@example.com", "nobody@example.com"]
    assert "app.example.com" not in told.get_content()
    assert mailed.row("self") == before


def test_of_two_sign_ups_with_one_address_the_first_code_makes_the_user(mailed):
    first = mailed.code("sign-ups", email="ada@example.com", name="Ada", password=NEW)
    second = mailed.code("sign-ups", email="ADA@example.com", name="Eve", password=PASSWORD)
    assert mailed.post("verifications", code=second).status_int == 204
    assert refused_code(mailed.post("verifications", code=first))
    assert mailed.sign_in("ada@example.com", PASSWORD) == 201
    assert mailed.sign_in("ada@example.com", NEW) == 401


@on_one_engine
@pytest.mark.parametrize(
    ("attributes", "pointer", "code"),
    [
        ({"password": "password1"}, "/data/attributes/password", "weak_password"),
        ({"password": "ada@example.com"}, "/data/attributes/password", "weak_password"),
        ({"password": "short"}, "/data/attributes/password", "invalid_value"),
        ({"email": "ada@"}, "/data/attributes/email", "invalid_value"),
        ({"name": "\u200b"}, "/data/attributes/name", "invalid_value"),
        ({"role": "admin"}, "/data/attributes/role", "unknown_field"),
    ],
)
def test_a_faulty_sign_up_is_refused_and_nothing_is_stored(mailed, attributes, pointer, code):
    assert sources(sign_up(mailed, **attributes)) == [(pointer, code)]
    assert mailed.mail() == []


# Resetting a password


@pytest.mark.asvs("6.4.3")
def test_a_code_sets_a_new_password_once_and_ends_all_tokens(mailed):
    holder = mailed.client("self")
    assert holder.get(API).status_int == 200
    assert mailed.post("password-resets", email="SELF@EXAMPLE.com").status_int == 202
    (message,) = mailed.mail()
    assert recipients([message]) == ["self@example.com"]  # as it is stored
    assert "within 10 minutes" in message.get_content()
    code = code_in(message)
    weak = mailed.post("passwords", code=code, password="self@example.com")
    assert sources(weak) == [("/data/attributes/password", "weak_password")]
    assert mailed.post("passwords", code=code, password=NEW).status_int == 204
    assert holder.get(API).status_int == 401
    assert mailed.sign_in("self@example.com", PASSWORD) == 401
    assert mailed.sign_in("self@example.com", NEW) == 201
    assert mailed.row("self").verification_time is not None
    assert refused_code(mailed.post("passwords", code=code, password=PASSWORD))


def test_nobody_learns_whether_there_is_an_account_to_reset(mailed):
    mailed.change(users, users.c.id == mailed.ids["other"], password_hash=None)
    emails = ["nobody@example.com", "inactive@example.com", "other@example.com"]
    answers = [mailed.post("password-resets", email=email) for email in emails]
    assert [answer.status_int for answer in answers] == [202, 202, 202]
    assert mailed.mail() == []
    with mailed.service.engine.connect() as connection:
        open_rows = select(func.count()).where(outbox.c.done_time.is_(None))
        assert connection.scalar(open_rows.select_from(outbox)) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"password_hash": "another"},
        {"password_hash": None},
        {"email": "moved@example.com", "email_key": "moved@example.com"},
    ],
)
def test_a_code_does_not_outlive_what_it_was_made_for(mailed, change):
    code = mailed.code("password-resets", email="self@example.com")
    mailed.change(users, users.c.id == mailed.ids["self"], **change)
    before = mailed.row("self")
    assert refused_code(mailed.post("passwords", code=code, password=NEW))
    assert mailed.row("self") == before


def test_another_code_is_void_once_one_has_set_the_password(mailed):
    first = mailed.code("password-resets", email="self@example.com")
    second = mailed.code("password-resets", email="self@example.com")
    assert mailed.post("passwords", code=second, password=NEW).status_int == 204
    assert refused_code(mailed.post("passwords", code=first, password=PASSWORD))


def test_a_code_that_is_used_by_many_at_once_is_taken_once(mailed):
    code = mailed.code("sign-ups", email="ada@example.com", name="Ada", password=NEW)
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(mailed.post, "verifications", code=code) for _ in range(8)]
        statuses = sorted(each.result().status_int for each in tries)
    assert statuses == [204] + [422] * 7
    reset = mailed.code("password-resets", email="ada@example.com")
    passwords = [f"{NEW} {number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(mailed.post, "passwords", code=reset, password=p) for p in passwords]
        statuses = [each.result().status_int for each in tries]
    assert sorted(statuses) == [204, 422, 422, 422]
    assert mailed.sign_in("ada@example.com", passwords[statuses.index(204)]) == 201
    asked = {"email": "new@example.com", "current_password": PASSWORD}
    change = mailed.code("emails", "self", **asked)
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(mailed.post, "verifications", code=change) for _ in range(4)]
        statuses = sorted(each.result().status_int for each in tries)
    assert statuses == [204, 422, 422, 422]


@pytest.mark.asvs("6.4.1", "6.4.3")
def test_a_code_expires_and_is_good_for_its_own_purpose_alone(mailed):
    sign_up_code = mailed.code("sign-ups", email="ada@example.com", name="Ada", password=NEW)
    reset_code = mailed.code("password-resets", email="self@example.com")
    assert refused_code(mailed.post("passwords", code=sign_up_code, password=NEW))
    assert refused_code(mailed.post("verifications", code=reset_code))
    mailed.change(codes, expiration_time=datetime.now(UTC))
    assert refused_code(mailed.post("verifications", code=sign_up_code))
    assert refused_code(mailed.post("passwords", code=reset_code, password=NEW))


# Changing one's address


def test_a_user_changes_its_address_by_a_code_that_proves_the_new_one(mailed):
    holder = mailed.client("self")
    asked = {"email": "new@example.com", "current_password": PASSWORD}
    code = mailed.code("emails", "self", **asked)
    assert mailed.row("self").email == "self@example.com"
    assert mailed.post("verifications", code=code).status_int == 204
    user = mailed.row("self")
    assert (user.email, user.email_key) == ("new@example.com", "new@example.com")
    assert user.verification_time is not None
    assert holder.get(API).status_int == 200
    (told,) = mailed.mail()
    assert recipients([told]) == ["self@example.com"]
    assert "was changed" in told["Subject"]
    assert "new@example.com" not in told.get_content()
    changed = {"attributes": {"email": "third@example.com"}}
    data = mailed.ref("users", "self") | changed
    admin = mailed.client("administrator")
    assert admin.patch(f"{API}/users/{data['id']}", {"data": data}).status_int == 200
    assert mailed.row("self").verification_time is None


def test_a_changed_address_voids_the_codes_for_others(mailed):
    asked = {"current_password": PASSWORD}
    first = mailed.code("emails", "self", email="first@example.com", **asked)
    second = mailed.code("emails", "self", email="second@example.com", **asked)
    assert mailed.post("emails", "self", email="third@example.com", **asked).status_int == 202
    assert mailed.post("verifications", code=second).status_int == 204
    assert refused_code(mailed.post("verifications", code=first))
    assert recipients(mailed.mail()) == ["self@example.com"]  # who is told of the change
    assert mailed.row("self").email == "second@example.com"


def test_a_user_proves_the_address_that_it_has(mailed):
    asked = {"email": "self@example.com", "current_password": PASSWORD}
    code = mailed.code("emails", "self", **asked)
    assert mailed.post("verifications", code=code).status_int == 204
    assert mailed.row("self").verification_time is not None
    assert mailed.mail() == []


def test_a_change_of_address_needs_the_caller_its_password_and_all_its_permissions(mailed):
    asked = {"email": "new@example.com", "current_password": PASSWORD}
    assert mailed.post("emails", **asked).status_int == 401
    wrong = mailed.post("emails", "self", **asked | {"current_password": NEW})
    assert sources(wrong) == [("/data/attributes/current_password", "wrong_password")]
    narrowed = as_holder(mailed.token("administrator", ["self:update"]), mailed.app)
    document = {"data": {"type": "emails", "attributes": asked}}
    refused = narrowed.post(f"{API}/auth/emails", document)
    assert [error["code"] for error in refused.json["errors"]] == ["exceeds_permissions"]
    reading = as_holder(mailed.token("self", ["self:read"]), mailed.app)
    assert reading.post(f"{API}/auth/emails", document).status_int == 403
    assert mailed.mail() == []


def test_an_address_of_somebody_else_is_not_given(mailed):
    asked = {"email": "other@example.com", "current_password": PASSWORD}
    assert mailed.post("emails", "self", **asked).status_int == 202
    (told,) = mailed.mail()
    assert "app.example.com" not in told.get_content()
    code = mailed.code("emails", "self", **asked | {"email": "late@example.com"})
    mailed.change(
        users,
        users.c.id == mailed.ids["other"],
        email="late@example.com",
        email_key="late@example.com",
    )
    assert refused_code(mailed.post("verifications", code=code))


@pytest.mark.parametrize("sent", [True, False])
def test_a_new_password_ends_a_change_of_address_that_was_asked_for_before(mailed, sent):
    asked = {"email": "thief@example.com", "current_password": PASSWORD}
    assert mailed.post("emails", "self", **asked).status_int == 202
    code = code_in(mailed.mail()[0]) if sent else UNKNOWN
    reset = mailed.post("password-resets", email="self@example.com")
    assert reset.status_int == 202
    mailed.change(users, users.c.id == mailed.ids["self"], password_hash="another")
    assert [m for m in mailed.mail() if "thief" in m["To"]] == []
    assert refused_code(mailed.post("verifications", code=code))


def test_who_has_signed_in_by_the_cookie_may_use_codes_too(mailed):
    cookie = {
        "Cookie": f"users_service={mailed.tokens['self']}",
        "X-Requested-With": "users_service",
    }
    client = mailed.client(None)

    def post(kind: str, **attributes: Any) -> int:
        document = {"data": {"type": kind, "attributes": attributes}}
        return client.post(f"{API}/auth/{kind}", document, headers=cookie).status_int

    change = mailed.code("emails", "self", email="new@example.com", current_password=PASSWORD)
    assert post("verifications", code=change) == 204
    mailed.mail()
    reset = mailed.code("password-resets", email="new@example.com")
    assert post("passwords", code=reset, password=NEW) == 204
    assert post("passwords", code=reset, password=NEW) == 422  # the cookie has ended


# All of them


KINDS = {
    "sign-ups": {"email": "ada@example.com", "name": "Ada", "password": NEW},
    "verifications": {"code": UNKNOWN},
    "password-resets": {"email": "ada@example.com"},
    "passwords": {"code": UNKNOWN, "password": NEW},
    "emails": {"email": "ada@example.com", "current_password": PASSWORD},
}


@on_one_engine
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_on_is_not_there(world, app_with, kind):
    client = as_holder(world.tokens["self"], app_with(anonymous_permissions=""))
    document = {"data": {"type": kind, "attributes": KINDS[kind]}}
    assert client.post(f"{API}/auth/{kind}", document).status_int == 404
    assert client.post(f"{API}/auth/{kind}", body=b"{").status_int == 404
    ways = client.get(API).json["meta"]["authentication"]
    assert ways == {
        "sign_in": True,
        "sign_up": False,
        "password_reset": False,
        "email_change": False,
    }


@on_one_engine
def test_the_entry_document_says_what_is_on(mailed):
    ways = mailed.client("self").get(API).json["meta"]["authentication"]
    assert ways == dict.fromkeys(("sign_in", "sign_up", "password_reset", "email_change"), True)


@on_one_engine
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_never_stored(mailed, kind):
    answer = mailed.post(kind, "self" if kind == "emails" else None, **KINDS[kind])
    assert answer.status_int in (202, 422)
    assert answer.headers["Cache-Control"] == "no-store"


def test_mail_to_one_recipient_and_from_one_address_is_bounded(service, app_with):
    settings = MAIL | {"sign_in_tries": "3", "sign_in_tries_per_address": "5"}
    client = Client(app_with(anonymous_permissions="", **settings))

    def ask(email: str) -> Any:
        document = {"data": {"type": "password-resets", "attributes": {"email": email}}}
        return client.post(f"{API}/auth/password-resets", document)

    answers = [ask("ada@example.com") for _ in range(4)]
    assert [answer.status_int for answer in answers] == [202, 202, 202, 429]
    assert int(answers[-1].headers["Retry-After"]) == 300
    assert [ask(f"{n}@example.com").status_int for n in range(3)] == [202, 202, 429]


@pytest.mark.asvs("16.2.5", "14.2.4")
def test_no_code_is_stored_logged_or_shown(mailed, caplog):
    caplog.set_level(logging.DEBUG)
    answers = [sign_up(mailed), mailed.post("password-resets", email="self@example.com")]
    asked = {"email": "new@example.com", "current_password": PASSWORD}
    answers.append(mailed.post("emails", "self", **asked))
    found = [code_in(message) for message in mailed.mail()]
    assert len(set(found)) == 3
    stored = [mailed.stored()]
    answers.append(mailed.post("passwords", code=found[1], password="short"))
    answers.append(mailed.post("verifications", code=found[0]))
    answers.append(mailed.post("verifications", code=found[0]))
    stored.append(mailed.stored())
    # The mail server logs here too, what it has received.
    logged = [record.getMessage() for record in caplog.records if record.name != "mail.log"]
    assert any("was sent" in text for text in logged)
    for text in [*stored, *logged, *(answer.text for answer in answers)]:
        for secret in [*found, NEW, PASSWORD]:
            assert secret not in text
