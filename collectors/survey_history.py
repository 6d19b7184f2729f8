"""Surveys of the weeks before the start, as the survey would have made them.

Only the sandbox has such a past (it is a function of its seed); what comes out are the survey's own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from collectors.helix_models import Stream
from collectors.survey import Person, Tally, capture_of
from dashboard.events import Event, Instant

DAYS: Final = 21
READ_S: Final = 60
_DAY_S: Final = 86_400


class MetPerson(Protocol):
    """Somebody met in a chat."""

    login: str
    user_id: str | None
    message_count: int
    first_s: float
    last_s: float


def survey_moments(now_s: int, days: int = DAYS) -> list[int]:
    """One moment a day on the days before today, at other hours each day, oldest first."""
    midnight = now_s - now_s % _DAY_S
    return [midnight - day * _DAY_S + (day * 7 + 13) % 24 * 3600 for day in range(days, 0, -1)]


def past_surveys(
    moments_s: Sequence[int],
    *,
    streams: Callable[[float], Iterable[Stream]],
    met: Callable[[str, float, float], Iterable[MetPerson]],
    keep: Callable[[Sequence[Event]], None],
    read_s: int = READ_S,
) -> int:
    """Brings in what the survey would have seen at some moments.

    Args:
        moments_s: Unix times; one a UTC day, as the survey reads a channel once a day.
        streams: Who was live at a time.
        met: Whom one meets in a channel between two times.
        keep: Takes the rows of one channel, the closing one last.
        read_s: How long each channel was read.

    Returns:
        How many captures there are.
    """
    count = 0
    for moment_s in moments_s:
        for stream in streams(moment_s):
            tally = Tally(stream, 0.0, 0.0, Instant(moment_s * 1_000_000))
            for person in met(stream.user_login, moment_s, moment_s + read_s):
                tally.message_count += person.message_count
                tally.people[person.login] = Person(
                    person.user_id,
                    person.message_count,
                    Instant(int(person.first_s * 1_000_000)),
                    Instant(int(person.last_s * 1_000_000)),
                )
            keep(capture_of(tally, Instant((moment_s + read_s) * 1_000_000)))
            count += 1
    return count
