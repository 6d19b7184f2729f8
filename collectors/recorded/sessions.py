"""Which stretches of time a recording covers, for the ledger of gaps."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.events import Event, Instant, Observation, UserListChange, synthetic_id


@dataclass(slots=True)
class _Stretch:
    joined_at: Instant
    first_at: Instant
    last_at: Instant
    room_id: str | None


class Sessions:
    """Writes ``joined`` at the first and ``left`` at the last event of each stretch, for each room.

    Follows the order of the file, so that the ledger is the same at every speed. Events that lie before
    the stretch's first one (viewer statistics, files that run backwards) add a ``joined`` of their own at
    the stretch's end. An import that is interrupted leaves its stretch open until the file is imported
    again: a ``left`` in the middle could never be taken back.

    Args:
        longest_silence_us: After so long without any event the recording counts as interrupted.
    """

    def __init__(self, longest_silence_us: int) -> None:
        self._longest_silence_us = longest_silence_us
        self._stretches: dict[str, _Stretch] = {}

    def follow(self, events: list[Event]) -> list[Event]:
        """The same events with the ledger's own in between."""
        found: list[Event] = []
        for event in events:
            stretch = self._stretches.get(event.room_login)
            at = event.sent_at
            if stretch is not None and at - stretch.last_at > self._longest_silence_us:
                found += _end(event.room_login, stretch, event.received_at)
                stretch = None
            if stretch is None:
                stretch = self._stretches[event.room_login] = _Stretch(at, at, at, event.room_id)
                found.append(_observation(event.room_login, stretch, "joined", at, event.received_at))
            else:
                stretch.last_at = max(stretch.last_at, at)
                stretch.first_at = min(stretch.first_at, at)
            found.append(event)
        return found

    def end(self, received_at: Instant) -> list[Event]:
        """What remains to be written when the file has ended."""
        found: list[Event] = []
        for room_login, stretch in self._stretches.items():
            found += _end(room_login, stretch, received_at)
        self._stretches.clear()
        return found


def _end(room_login: str, stretch: _Stretch, received_at: Instant) -> list[Event]:
    found: list[Event] = []
    if stretch.first_at < stretch.joined_at:
        found.append(_observation(room_login, stretch, "joined", stretch.first_at, received_at))
    found.append(_observation(room_login, stretch, "left", stretch.last_at, received_at))
    return found


def _observation(
    room_login: str, stretch: _Stretch, state: str, at: Instant, received_at: Instant
) -> Observation:
    return Observation(
        event_id=synthetic_id(Observation.kind, "import", room_login, state, at),
        source="import",
        room_login=room_login,
        room_id=stretch.room_id,
        sent_at=at,
        received_at=received_at,
        collector="import",
        state=state,
        reason="recording",
    )


def identity_of(event: Event) -> str | None:
    """Who is behind an event, the same way as everywhere: the id, else ``@`` and the login."""
    if isinstance(event, UserListChange):
        return None
    user_id = getattr(event, "user_id", None)
    if user_id is not None:
        return str(user_id)
    login = getattr(event, "user_login", None)
    return f"@{login}" if login else None
