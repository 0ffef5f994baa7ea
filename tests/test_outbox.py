"""The worker that sends mail: each once, and none lost, whatever happens to it or to the server."""

import os
import signal
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import delete, func, select, update

from tests.engines import on_one_engine
from tests.mailbox import Mailbox, code_in, recipients
from tests.server import ROOT
from tests.service import MAIL
from users_service.auth import digest
from users_service.models.tables import codes, outbox
from users_service.outbox import put

PROGRAM = Path(sys.executable).parent / "users-service"
DATA = {"name": "Ada", "password_hash": "a hash"}


class Outbox:
    """The outbox of a service, and workers on it, which are processes of their own."""

    def __init__(self, service, mailbox: Mailbox) -> None:
        self.engine, self.mailbox = service.engine, mailbox
        self.environ = {
            f"USERS_SERVICE_{name.upper()}": value
            for name, value in (MAIL | {"smtp_url": mailbox.url}).items()
        } | {"USERS_SERVICE_DATABASE_URL": service.url}

    def put(self, count: int = 1, domain: str = "example.com") -> list[str]:
        """Put sign-ups into the outbox; return their addresses."""
        emails = [f"user{number}@{domain}" for number in range(count)]
        with self.engine.begin() as connection:
            for email in emails:
                put(connection, "sign_up", email, data=DATA)
        return emails

    def command(self, *options: str) -> list[str | Path]:
        return [PROGRAM, "outbox", "run", ROOT / "production.ini", *options]

    def run_once(self, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command("--once"),
            env=os.environ | self.environ | environ,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def send(self) -> str:
        """Run a worker once, and return what it says."""
        done = self.run_once()
        assert done.returncode == 0, done.stderr
        return done.stderr

    @contextmanager
    def running(self):
        """A worker until the block ends."""
        process = subprocess.Popen(
            self.command(), env=os.environ | self.environ, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def received(self) -> list[str]:
        return sorted(recipients(self.mailbox.received))

    def row(self):
        with self.engine.connect() as connection:
            return connection.execute(select(outbox)).one()

    def open_rows(self) -> int:
        with self.engine.connect() as connection:
            found = select(func.count()).select_from(outbox).where(outbox.c.done_time.is_(None))
            return connection.execute(found).scalar_one()

    def let_time_pass(self, **values: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(outbox).values(values))


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def sending(service, mailbox):
    return Outbox(service, mailbox)


def past() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_two_workers_at_once_send_each_mail_once_with_a_code_that_is_stored(sending, mailbox):
    emails = sending.put(20)
    with mailbox.running():
        workers = [
            subprocess.Popen(sending.command("--once"), env=os.environ | sending.environ)
            for _ in range(2)
        ]
        assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    assert sending.received() == sorted(emails)
    with sending.engine.connect() as connection:
        stored = set(connection.execute(select(codes.c.digest)).scalars())
        assert stored == {digest(code_in(message)) for message in mailbox.received}
        assert set(connection.execute(select(outbox.c.data)).scalars()) == {None}
    assert sending.open_rows() == 0
    with mailbox.running():
        sending.send()
    assert sending.received() == sorted(emails)


def test_a_worker_waits_for_the_server_and_ends_when_it_is_told_to(sending, mailbox):
    emails = sending.put(3)
    arrived = threading.Event()
    mailbox.on["after DATA"] = lambda: len(mailbox.received) == 3 and arrived.set()
    with sending.running() as worker:
        said = worker.stderr.readline()
        assert "The mail server does not answer" in said
        with mailbox.running():
            assert arrived.wait(30)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=30) == 0
    assert sending.received() == emails


def test_once_says_in_a_sentence_that_the_server_is_away_and_keeps_the_mail(sending, mailbox):
    emails = sending.put(2)
    done = sending.run_once()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "The mail server does not answer" in done.stderr
    with mailbox.running():
        sending.send()
    assert sending.received() == emails


@on_one_engine
@pytest.mark.parametrize("point", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_worker_that_is_killed_loses_nothing(sending, mailbox, point):
    assert len(killed_at(point, sending, mailbox)) == 3 + (point == "DATA")


def test_a_worker_that_is_killed_when_the_server_has_a_mail_sends_it_again(sending, mailbox):
    assert len(killed_at("after DATA", sending, mailbox)) == 4


def killed_at(point, sending, mailbox) -> list[str]:
    """Kill a worker at a command of the server, and let another one send the rest.

    :returns: the ids of the messages that have arrived.
    """
    emails = sending.put(3)
    with mailbox.running(), sending.running() as worker:
        mailbox.on[point] = worker.kill
        worker.wait(timeout=30)
        mailbox.on.clear()
        sending.let_time_pass(claim_time=past())
        sending.send()
    assert sorted(set(recipients(mailbox.received))) == emails
    ids = [message["Message-ID"] for message in mailbox.received]
    assert len(set(ids)) == 3
    stored = {digest(code_in(message)) for message in mailbox.received}
    with sending.engine.connect() as connection:
        assert stored <= set(connection.execute(select(codes.c.digest)).scalars())
    return ids


@on_one_engine
def test_once_waits_for_what_a_killed_worker_has_left(sending, mailbox):
    sending.put()
    claim_time = datetime.now(UTC) + timedelta(seconds=1.5)
    sending.let_time_pass(claim_time=claim_time)
    with mailbox.running():
        sending.send()
    assert len(mailbox.received) == 1
    assert datetime.now(UTC) >= claim_time


def test_what_is_refused_for_now_is_tried_again_later(sending, mailbox):
    sending.put()
    with mailbox.running():
        for command, answer in (("RCPT", "450 later"), ("DATA", "554 no")):
            mailbox.answers[command] = [answer]
            assert f"refuses {'the recipient' if command == 'RCPT' else 'what'}" in sending.send()
            row = sending.row()
            assert row.done_time is None
            assert row.due_time > datetime.now(UTC) + timedelta(seconds=20)
            sending.send()
            assert mailbox.received == []
            sending.let_time_pass(due_time=past())
        assert sending.row().tries == 2
        sending.send()
    assert len(mailbox.received) == 1


@on_one_engine
@pytest.mark.parametrize("days", [0, 2])
def test_a_mail_is_given_up_if_its_recipient_is_refused_or_after_a_day(sending, mailbox, days):
    sending.put(domain="example.org")
    sending.let_time_pass(creation_time=datetime.now(UTC) - timedelta(days=days))
    mailbox.answers["DATA" if days else "RCPT"] = ["550 <user0@example.org> is unknown"]
    with mailbox.running():
        said = sending.send()
    assert "given up" in said
    assert "example.org" in said
    assert "user0" not in said
    assert sending.open_rows() == 0
    assert mailbox.received == []


@on_one_engine
def test_a_server_that_takes_no_mail_at_all_is_away(sending, mailbox):
    sending.put()
    mailbox.answers["MAIL"] = ["530 sign in first"]
    with mailbox.running():
        done = sending.run_once()
        assert (done.returncode, "530" in done.stderr) == (1, True)
        sending.send()
    assert len(mailbox.received) == 1


@on_one_engine
def test_addresses_beyond_ascii_are_sent_to(sending, mailbox):
    with sending.engine.begin() as connection:
        put(connection, "sign_up", "josé@bücher.example", data=DATA)
        put(connection, "sign_up", "jose@bücher.example", data=DATA)
    with mailbox.running():
        sending.send()
    assert sending.received() == ["jose@xn--bcher-kva.example", "josé@xn--bcher-kva.example"]


@on_one_engine
def test_a_mail_whose_user_is_deleted_or_that_was_sent_is_gone(sending, mailbox):
    sending.put(2)
    with mailbox.running():
        sending.send()
    purge = [PROGRAM, "purge", ROOT / "production.ini"]
    done = subprocess.run(
        purge, env=os.environ | sending.environ, capture_output=True, text=True, timeout=60
    )
    assert "2 mails that are done" in done.stdout
    with sending.engine.begin() as connection:
        assert connection.execute(delete(outbox)).rowcount == 0


@on_one_engine
def test_without_a_server_the_command_says_what_to_set(sending):
    sending.environ = {name: value for name, value in sending.environ.items() if "DATABASE" in name}
    done = sending.run_once()
    assert done.returncode == 1
    assert "users_service.smtp_url" in done.stderr


# Encrypted, and signed in


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


@on_one_engine
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_is_signed_in_to_over_tls_with_a_certificate_that_is_trusted(
    service, certificate, scheme
):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    tried = []

    def authenticate(_server, _session, _envelope, _mechanism, data):
        tried.append((data.login, data.password))
        return AuthResult(success=True)

    tls = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context}
    required = {"auth_required": True, "authenticator": authenticate}
    mailbox = Mailbox(**tls, **required, auth_require_tls=scheme != "smtps")
    sending = Outbox(service, mailbox)
    url = f"{scheme}://users:p%40ss@127.0.0.1:{mailbox.port}"
    sending.environ["USERS_SERVICE_SMTP_URL"] = url
    sending.put()
    with mailbox.running():
        refused = sending.run_once()
        assert refused.returncode == 1
        assert "certificate" in refused.stderr
        assert tried == []
        trusted = sending.run_once(SSL_CERT_FILE=str(certificate[0]))
    assert trusted.returncode == 0, trusted.stderr
    assert tried == [(b"users", b"p@ss")]
    assert len(mailbox.received) == 1
    assert "p@ss" not in refused.stderr + trusted.stderr


@on_one_engine
def test_a_server_without_starttls_gets_no_mail_that_is_to_be_encrypted(sending, mailbox):
    sending.environ["USERS_SERVICE_SMTP_URL"] = f"smtp+starttls://127.0.0.1:{mailbox.port}"
    sending.put()
    with mailbox.running():
        assert sending.run_once().returncode == 1
    assert mailbox.received == []
