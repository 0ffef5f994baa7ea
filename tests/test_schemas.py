"""What the house's field types let pass."""

import email_validator
from hypothesis import given, settings
from hypothesis import strategies as st

from users_service.addresses import PLAIN

WORDS = st.text("abzABZ019", min_size=1, max_size=66)
LOCAL_PARTS = st.lists(WORDS, min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from(["", ".", "+", "-", "_", "..", "%"]).map(
        lambda by: by.join(words)
    )
)
DOMAINS = st.lists(WORDS | st.sampled_from(["com", "test", "x-y", "-x"]), max_size=6).map(".".join)


@settings(derandomize=True, max_examples=2000, deadline=None)
@given(local=LOCAL_PARTS, domain=DOMAINS)
def test_an_address_that_is_taken_for_plain_is_one_for_the_library_too(local, domain):
    address = f"{local}@{domain}"
    if PLAIN.fullmatch(address):
        email_validator.validate_email(address, check_deliverability=False, strict=True)


def test_most_addresses_are_plain():
    for address in ("ada@example.com", "Ada.Lovelace+x@mail.example.co", "a_b-c@x.test"):
        assert PLAIN.fullmatch(address)
