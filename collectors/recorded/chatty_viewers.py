"""Chatty's viewer statistics: half an hour of viewer counts in one line of a log."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from collectors.recorded.times import to_instant
from dashboard.events import Instant

_STATS = re.compile(
    r"Viewerstats \((\d\d?):(\d\d)-(\d\d?):(\d\d)\):"
    r" avg:([\d,]+) min:([\d,]+) max:([\d,]+) \[(\d+)/([^\]]+)\]"
)
_COUNT = re.compile(r"_|[+-]?\d[\d,]*")


def parse_viewer_stats(text: str, written_at: datetime) -> list[tuple[Instant, int]]:
    """The samples in a line like ``Viewerstats (07:04-07:35): avg:73 min:66 max:86 [16/70-2+17…]``.

    Args:
        text: The line without its time.
        written_at: When Chatty wrote it, with the log's zone; the window is the last one before.

    Returns:
        When and how many viewers, oldest first.

    Raises:
        ValueError: The counts don't give the number, the average, the least and the most that the line names.

    Source:
        The first number is a count, the others are differences to the one before; ``_`` says that the
        stream was offline, after which comes a whole count again.

    Caveats:
        Chatty tells the minutes of the first and the last sample only. It asks every two minutes or so,
        therefore the samples are spread evenly: each time is right to about a minute.
    """
    match = _STATS.fullmatch(text)
    if match is None:
        raise ValueError("viewer statistics in an unknown form")
    first_hour, first_minute, last_hour, last_minute, *numbers, history = match.groups()
    average, least, most, size = (int(number.replace(",", "")) for number in numbers)
    counts = _counts(history)
    if len(counts) != size or min(counts) != least or max(counts) != most or sum(counts) // size != average:
        raise ValueError("viewer statistics that contradict their own average, minimum, maximum or number")
    last = _latest(written_at, int(last_hour), int(last_minute))
    first = _latest(last, int(first_hour), int(first_minute))
    return [(_between(first, last, index, size), count) for index, count in enumerate(counts)]


def _counts(history: str) -> list[int]:
    if _COUNT.sub("", history):
        raise ValueError("viewer statistics with something else than numbers")
    counts: list[int] = []
    is_whole = True
    for token in _COUNT.findall(history):
        if token == "_":
            is_whole = True
            continue
        number = int(token.replace(",", ""))
        counts.append(number if is_whole else counts[-1] + number)
        is_whole = False
    if not counts:
        raise ValueError("viewer statistics without a count")
    return counts


def _latest(before: datetime, hour: int, minute: int) -> datetime:
    """The last time of day ``hour:minute`` that is not after ``before``."""
    at = before.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at <= before else at - timedelta(days=1)


def _between(first: datetime, last: datetime, index: int, size: int) -> Instant:
    if size == 1:
        return to_instant(first)
    # To the second, down: more would pretend to a precision that the line does not have.
    return to_instant(first + timedelta(seconds=int((last - first).total_seconds()) * index // (size - 1)))
