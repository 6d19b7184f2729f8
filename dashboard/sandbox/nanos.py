"""Times as EventSub writes them: RFC 3339 with nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime


def nanos(seconds: float, salt: int = 0) -> str:
    """A time with nine places behind the point.

    Args:
        seconds: Unix time; microseconds are told exactly.
        salt: What the last three places are made of, as a float doesn't hold them.

    Returns:
        ``2023-07-19T14:56:51.634234626Z``
    """
    whole_us = round(seconds * 1_000_000)
    moment = datetime.fromtimestamp(whole_us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{whole_us % 1_000_000:06d}{salt % 1000:03d}Z"
