"""The settings of sign-in, tokens, mail and browsers."""

from dataclasses import dataclass
from pathlib import Path

from users_service.settings import values
from users_service.settings.signing_keys import SigningKey, signing_keys
from users_service.settings.values import MailServer, setting

DAY = 86400
LONGEST_DAYS = 36_500

# What OWASP's "Password Storage Cheat Sheet" demands of argon2id at least: KiB of memory, by the
# number of passes.
LEAST_MEMORY = {1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216, 5: 7_168}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """The settings of sign-in, tokens, mail and browsers."""

    token_lifetime: int = setting(
        values.whole(1, LONGEST_DAYS), "30", "days that a sign-in is good for"
    )
    token_idle_time: int = setting(
        values.whole(1, LONGEST_DAYS), "7", "days without use after which a sign-in ends"
    )
    token_max_lifetime: int = setting(
        values.whole(1, LONGEST_DAYS), "366", "most days that a named token is good for"
    )
    max_tokens: int = setting(
        values.whole(1, 10_000),
        "100",
        "tokens of one user; a further sign-in ends the one unused for longest",
    )
    argon2_memory: int = setting(
        values.whole(8, 1 << 22), "19456", "KiB that hashing a password takes"
    )
    argon2_time: int = setting(values.whole(1, 100), "2", "passes of hashing a password")
    argon2_parallelism: int = setting(values.whole(1, 64), "1", "lanes of hashing a password")
    password_hashers: int = setting(
        values.whole(1, 64), "1", "passwords that a process hashes at once"
    )
    password_queue: int = setting(
        values.whole(0, 1000), "4", "requests that wait for that; more get 503"
    )
    password_blocklist: Path | None = setting(  # noqa: RUF009  # it is immutable
        values.file, "", "a file of further passwords that are refused, one in each line"
    )
    sign_in_tries: int = setting(
        values.whole(1, 1_000_000), "10", "tries to sign in to an account from one address"
    )
    sign_in_window: float = setting(
        values.seconds(1, 86_400), "900", "seconds in which these tries are"
    )
    sign_in_tries_per_address: int = setting(
        values.whole(1, 1_000_000), "100", "tries to sign in from one address in the window"
    )
    sign_in_tries_per_account: int = setting(
        values.whole(1, 1_000_000),
        "100",
        "tries to sign in to an account in the window, from addresses it has not signed in from",
    )
    smtp_url: MailServer | None = setting(  # noqa: RUF009  # it is immutable
        values.mail_server, "", "the mail server: smtp://…, smtps://… or smtp+starttls://…"
    )
    mail_from: str = setting(values.address, "", "the address that mail is from")
    sign_up: bool = setting(values.flag, "false", "whether people can sign up")
    password_reset: bool = setting(values.flag, "false", "whether passwords can be reset by mail")
    email_change: bool = setting(
        values.flag, "false", "whether users can change their address, proven by mail"
    )
    sign_up_link: str = setting(
        values.link, "", "the page that takes the code of a sign-up: https://…{code}"
    )
    reset_link: str = setting(
        values.link, "", "the page that takes the code of a password reset: https://…{code}"
    )
    email_link: str = setting(
        values.link, "", "the page that takes the code of a changed address: https://…{code}"
    )
    sign_up_role: str = setting(values.text, "", "the name of the role of those who sign up")
    code_lifetime: int = setting(
        values.whole(60, 30 * DAY), "86400", "seconds that a code to prove an address is good for"
    )
    reset_lifetime: int = setting(
        values.whole(60, DAY), "600", "seconds that a code to reset a password is good for"
    )
    assertion_key: tuple[SigningKey, ...] = setting(
        signing_keys, "", "a file of Ed25519 keys for assertions to other services; the first signs"
    )
    assertion_issuer: str = setting(
        values.issuer, "", "the issuer in assertions: the https URL of this service"
    )
    cors_origins: frozenset[str] = setting(
        values.origins, "", "origins whose pages may read answers, such as https://app.example.com"
    )
    ui: bool = setting(values.flag, "true", "whether the browser UI is served at /ui/")
    ui_languages: tuple[str, ...] = setting(
        values.languages, " ".join(values.LANGUAGES), "the languages that the browser UI offers"
    )
    ui_title: str = setting(
        values.title, "", "the title of the browser UI; users_service if it is empty"
    )
