"""The instants that people write: ISO 8601 and the ways to write a day."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from dashboard.events import Instant

FORMS = "2026-03-05T10:00:00Z, 2026-03-05, 05.03.2026, 05/03/2026 or 03-05-2026"
"""For messages and descriptions: every form once."""

_DAY_US = 86_400 * 1_000_000
_DAYS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", re.ASCII),
    re.compile(r"(?P<day>\d{2})\.(?P<month>\d{2})\.(?P<year>\d{4})", re.ASCII),
    re.compile(r"(?P<day>\d{2})/(?P<month>\d{2})/(?P<year>\d{4})", re.ASCII),
    re.compile(r"(?P<month>\d{2})-(?P<day>\d{2})-(?P<year>\d{4})", re.ASCII),
)
_INSTANT = re.compile(
    r"\d{4}-?\d{2}-?\d{2}[Tt ]\d{2}(:?\d{2}(:?\d{2}([.,]\d{1,9})?)?)?( ?[Zz]|[ +-]\d{2}(:?\d{2})?)?", re.ASCII
)
_OFFSET_AS_SPACE = re.compile(r"(\d{2}:?\d{2}.*) (\d{2}(:?\d{2})?)$", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_moment(value: str) -> tuple[Instant, Instant]:
    """Turns what somebody wrote into the stretch of time that it names.

    Args:
        value: ISO 8601 (without an offset it is UTC), or a bare day as YYYY-MM-DD, DD.MM.YYYY,
            DD/MM/YYYY or MM-DD-YYYY.

    Returns:
        First and last microsecond: of a bare day the whole day in UTC, of an instant the instant twice.

    Raises:
        ValueError: It is none of these, no such day exists, or it is outside of 1970 to 9999.
    """
    text = value.strip()
    for form in _DAYS:
        if match := form.fullmatch(text):
            day = _existing(value, *(int(match[part]) for part in ("year", "month", "day")))
            return day, Instant(day + _DAY_US - 1)
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"“{value}” is not a date; write it as {FORMS}")
    at = _instant(value, text)
    return at, at


def _existing(value: str, year: int, month: int, day: int) -> Instant:
    try:
        return _as_instant(datetime(year, month, day, tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"“{value}” is not a day of the calendar from 1970 on") from None


def _instant(value: str, text: str) -> Instant:
    # A plus that was not escaped in the address arrives as a space.
    written = _OFFSET_AS_SPACE.sub(r"\1+\2", text).upper().replace(" Z", "Z").replace(",", ".")
    # Nanoseconds are cut: the lake knows microseconds.
    written = re.sub(r"(\.\d{6})\d+", r"\1", written)
    try:
        at = datetime.fromisoformat(written)
        return _as_instant(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"“{value}” is not an instant of the calendar from 1970 on") from None


def _as_instant(at: datetime) -> Instant:
    microseconds = (at - _EPOCH) // timedelta(microseconds=1)
    if microseconds < 0:
        raise ValueError("before 1970")
    return Instant(microseconds)
