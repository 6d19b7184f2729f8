"""Times as Twitch writes them, for everybody who reads Twitch."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboard.events_base import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_US = 1_000_000_000_000_000  # 2001-09-09; Twitch is younger
_LATEST_US = 4_102_444_800_000_000  # 2100-01-01: keeps a broken clock from opening odd date folders
_FRACTION_AT = 19
"""Where the fraction begins in ``2023-07-19T14:56:51.634234626Z``."""


def parse_instant(text: object) -> Instant | None:
    """Reads a time as Twitch writes it (RFC 3339, up to nanoseconds).

    Args:
        text: ``2023-07-19T14:56:51.634234626Z``; another offset than Z is taken into account.

    Returns:
        The instant, cut off to µs; ``None`` for anything that is no time between 2001-09 and 2099.
    """
    if not isinstance(text, str) or len(text) <= _FRACTION_AT:
        return None
    try:
        moment = datetime.fromisoformat(text if text[-1] != "z" else text.upper())
        since = moment - _EPOCH
    except (ValueError, TypeError):  # TypeError: without an offset, so of no certain instant
        return None
    instant = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return Instant(instant) if _EARLIEST_US <= instant < _LATEST_US else None
