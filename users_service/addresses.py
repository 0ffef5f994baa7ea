"""E-mail addresses: which are valid, and how they are spelled for mail servers."""

import re

import email_validator

from users_service.texts import INVISIBLE

# By default the library refuses domains such as .local, .test and .internal, which are in use
# within private networks. Clearing this list is its documented way to accept them.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

LONGEST = 254
"""Characters of an address (RFC 5321 §4.5.3.1.3, less the brackets around it)."""

# Most addresses match this, and are valid. The others go to the library's parser, which is slow.
PLAIN = re.compile(
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)"
    r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[A-Za-z0-9]{1,63}\.)+[A-Za-z]{2,63}"
)


def fault_of(address: str) -> str | None:
    """Return why an address of at most `LONGEST` characters is not valid (RFC 5321, RFC 6531); None
    if it is."""
    if PLAIN.fullmatch(address):
        return None
    try:
        email_validator.validate_email(address, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError as error:
        return str(error)
    # The library lets those pass that are letters, marks or symbols to Unicode, such as U+3164.
    if found := re.search(f"[{INVISIBLE}]", address):
        return f"It contains an invisible character: U+{ord(found[0]):04X}."
    return None


def in_ascii(address: str) -> str:
    """Return a valid address with its domain in ASCII (RFC 5890 §2.3.2.1), and all of it if its
    local part allows: then every mail server can take it."""
    if address.isascii():
        return address
    found = email_validator.validate_email(address, check_deliverability=False)
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"
