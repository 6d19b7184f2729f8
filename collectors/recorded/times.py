"""Times as recordings write them, turned into instants.

A time without a zone is taken as UTC: Twitch's own times, rustlog's and justlog's are. Chatty's
logs name their zone in the header, see :mod:`collectors.recorded.chatty`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from dashboard.events import Instant

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

STAMP = (
    r"\d{4}[-/]\d\d[-/]\d\d[T_ ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
    r"|\d{16}|\d{13}|\d{10}(?:\.\d{1,6})?"
)
"""Regular expression of the times that may stand in front of a line."""

_DATE_TIME = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T_ ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r" ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_EPOCH = re.compile(r"(\d{10})(?:\.(\d{1,6})\d*)?|(\d{13})(?:\.0+)?|(\d{16})", re.ASCII)
_START = datetime(1970, 1, 1, tzinfo=UTC)
# Twitch opened in 2011 and Justin.tv in 2007: anything earlier is a field that was never set.
_EARLIEST = Instant(1_167_609_600 * SECOND)
_LATEST = Instant(4_102_444_800 * SECOND)


@lru_cache(maxsize=4_096)
def parse_instant(text: str) -> Instant | None:
    """Reads a time in ISO form or as a Unix time in seconds, milliseconds or microseconds.

    Args:
        text: Like ``2019-04-30_08:56:59``, ``2021-02-12T04:24:32.5580482Z`` or ``1568505600501``.

    Returns:
        The instant, or ``None`` if the text is no time between 2007 and 2100.
    """
    text = text.strip()
    if match := _EPOCH.fullmatch(text):
        seconds, fraction, milliseconds, microseconds = match.groups()
        if seconds:
            return _plausible(int(seconds) * SECOND + int((fraction or "").ljust(6, "0")))
        return _plausible(int(milliseconds) * 1_000 if milliseconds else int(microseconds))
    if match := _DATE_TIME.fullmatch(text):
        *parts, fraction, zone = match.groups()
        try:
            at = datetime(*(int(part or 0) for part in parts), tzinfo=parse_zone(zone))  # type: ignore[arg-type,misc]
        except (ValueError, OverflowError):
            return None
        return _plausible(to_instant(at) + int((fraction or "")[:6].ljust(6, "0")))
    return None


def parse_zone(text: str | None) -> tzinfo:
    """A zone from its offset, ``+0800`` or ``+08:00``; anything else is UTC.

    Raises:
        ValueError: The offset is a day or more.
    """
    if not text or text[0] not in "+-":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def to_instant(at: datetime) -> Instant:
    """A datetime with a zone as an instant, without going through a float."""
    return Instant((at - _START) // timedelta(microseconds=1))


def to_text(at: Instant) -> str:
    """An instant for people, in UTC to the second."""
    return (_START + timedelta(microseconds=at)).strftime("%Y-%m-%d %H:%M:%S UTC")


def _plausible(at: int) -> Instant | None:
    return Instant(at) if _EARLIEST <= at < _LATEST else None
