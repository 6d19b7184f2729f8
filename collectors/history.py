"""A first impression: the hours before the start, as the collectors would have seen them.

Only the sandbox has such a past (it is a function of its seed). It comes in as raw lines and
answers of Get Streams, through the same parser and the same watcher as live data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from collectors.helix_models import Stream
from collectors.helix_watch import Memory, leave, observe
from collectors.irc_events import to_events
from dashboard.events import Event, Instant, Observation, now_us, synthetic_id

SAMPLE_EVERY_S = 60
_BATCH = 500


class Ingests(Protocol):
    """The part of the ingest that is used."""

    def put(self, events: Sequence[Event]) -> None:
        """Takes events over."""


def import_history(
    logins: Sequence[str],
    *,
    start_s: int,
    end_s: int,
    lines: Callable[[str, float, float], Iterable[str]],
    streams: Callable[[float], Iterable[Stream]],
    ingest: Ingests,
) -> int:
    """Brings in what happened in some channels before now.

    Args:
        logins: The channels.
        start_s: Unix time of the beginning.
        end_s: Unix time of the end.
        lines: Raw IRC lines of a channel between two times, oldest first.
        streams: The answer of Get Streams at a time.
        ingest: Where the events go.

    Returns:
        How many events were handed on.
    """
    count = 0
    for login in logins:
        batch = [_observation(login, "joined", start_s)]
        for line in lines(login, start_s, end_s):
            batch += to_events(line, now_us())
            if len(batch) >= _BATCH:
                ingest.put(batch)
                count += len(batch)
                batch = []
        batch.append(_observation(login, "left", end_s))
        ingest.put(batch)
        count += len(batch)
    samples = _samples(logins, start_s, end_s, streams)
    ingest.put(samples)
    return count + len(samples)


def _samples(
    logins: Sequence[str], start_s: int, end_s: int, streams: Callable[[float], Iterable[Stream]]
) -> list[Event]:
    memory = Memory()
    found: list[Event] = []
    for moment_s in range(start_s, end_s, SAMPLE_EVERY_S):
        now = Instant(moment_s * 1_000_000)
        events, memory = observe(memory, streams(moment_s), logins, now=now, interval_s=SAMPLE_EVERY_S)
        found += events
    events, _ = leave(memory, now=Instant(end_s * 1_000_000), interval_s=SAMPLE_EVERY_S)
    return found + events


def _observation(login: str, state: str, at_s: int) -> Event:
    at = Instant(at_s * 1_000_000)
    return Observation(
        event_id=synthetic_id("observations", "import", login, at, state),
        source="import",
        room_login=login,
        sent_at=at,
        received_at=now_us(),
        collector="import",
        state=state,
        reason="history of the sandbox",
    )
