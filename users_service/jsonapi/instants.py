"""Reads instants and days: the timestamps and dates of RFC 3339 §5.6, and nothing else.

Python's own `fromisoformat` reads more, such as week dates and offsets without a colon, and less,
such as leap seconds.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))",
    re.IGNORECASE,
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# The minutes in UTC that can have a second 60: month, day, hour and minute (RFC 3339 §5.7).
LEAPS = {(6, 30, 23, 59), (12, 31, 23, 59)}

FORM = (
    "Must be an instant as RFC 3339 writes it, such as 2026-01-31T12:00:00Z or "
    "2026-01-31T13:00:00+01:00"
)


def parse_instant(text: str) -> datetime:
    """Return an instant in UTC.

    Digits of a second beyond microseconds are cut off. A leap second is the first second of the
    next day, as the clocks of computers count. The offset `-00:00` is UTC (RFC 3339 §4.3).

    :param text: a timestamp (RFC 3339 §5.6).
    :raises ValueError: if it is none, or if it is before the year 1 or after the year 9999 in UTC.
    """
    match = TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{FORM}.")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, sign, hours, minutes = match.groups()[6:]
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59), microsecond, zone)
        moment = local.astimezone(UTC)
        if second < 60:
            return moment
        if second == 60 and (moment.month, moment.day, moment.hour, moment.minute) in LEAPS:
            return moment + timedelta(seconds=1)
    except OverflowError:
        raise ValueError("Must be within the years 0001 to 9999 in UTC.") from None
    except ValueError:
        pass
    raise ValueError("There is no such date or time.")


def parse_instant_or_date(text: str) -> datetime:
    """Return an instant in UTC; of a date alone, the start of that day in UTC.

    :param text: a timestamp or a full-date (RFC 3339 §5.6).
    :raises ValueError: as `parse_instant`.
    """
    if DATE.fullmatch(text):
        return parse_instant(f"{text}T00:00:00Z")
    if not TIMESTAMP.fullmatch(text):
        raise ValueError(f"{FORM}, or a date such as 2026-01-31, for its start in UTC.")
    return parse_instant(text)


def parse_date(text: str) -> date:
    """Return a day.

    :param text: a full-date (RFC 3339 §5.6).
    :raises ValueError: if it is none, or not within the years 0001 to 9999.
    """
    if not DATE.fullmatch(text):
        raise ValueError("Must be a date as RFC 3339 writes it, such as 2026-01-31.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("There is no such date.") from None
