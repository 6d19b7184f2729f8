"""When EventSub saw which room: what is lost between two connections never comes again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from collectors.eventsub_book import ENABLED, FAILED
from dashboard.events import Instant, Observation, synthetic_id
from dashboard.storage.eventsub_state import Subscription

COLLECTOR = "eventsub"
_NO_GAP = {ENABLED, FAILED}


def observed_rooms(rows: Iterable[Subscription]) -> dict[str, bool]:
    """By room: whether all that can be had of it is coming in.

    Args:
        rows: The wanted subscriptions.

    Returns:
        True with at least one enabled and none still to be made or taken away; one that was refused
        stands in the way of none.
    """
    statuses: dict[str, set[str]] = {}
    for row in rows:
        statuses.setdefault(row.room_login, set()).add(row.status)
    return {room: ENABLED in seen and seen <= _NO_GAP for room, seen in statuses.items()}


class Ledger:
    """Turns what is seen now into what changed."""

    def __init__(self) -> None:
        self.joined: set[str] = set()
        """Logins of the rooms that are seen."""

    def changes(
        self,
        observed: Mapping[str, bool],
        followed: Collection[str],
        *,
        now: Instant,
        lost_at: Mapping[str, Instant],
        reasons: Mapping[str, str],
    ) -> list[Observation]:
        """What to write into the ledger.

        Args:
            observed: As :func:`observed_rooms` says.
            followed: Rooms that are wanted at all.
            now: The time.
            lost_at: By room, when Twitch was last heard before it was lost; a loss counts also when the room
                is seen again by now.
            reasons: By room, why it was lost.

        Returns:
            ``joined``, ``lost`` and ``left``, in their order.
        """
        wanted = set(followed)
        events = []
        for room in sorted(self.joined | set(observed)):
            is_seen = observed.get(room, False)
            if room in self.joined and (room in lost_at or not is_seen):
                self.joined.discard(room)
                if room in wanted:
                    at, reason = lost_at.get(room, now), reasons.get(room)
                    events.append(_told(room, "lost", at, now, reason or "subscriptions ended"))
                else:
                    events.append(_told(room, "left", now, now, "not followed any more"))
            if is_seen and room not in self.joined:
                self.joined.add(room)
                events.append(_told(room, "joined", now, now, None))
        return events

    def leave_all(self, now: Instant) -> list[Observation]:
        """What to write at a clean stop."""
        events = [_told(room, "left", now, now, "collector stopped") for room in sorted(self.joined)]
        self.joined.clear()
        return events


def lost_without_a_word(rooms: Sequence[str], last_at: Instant, now: Instant) -> list[Observation]:
    """What a collector that died left open.

    Args:
        rooms: That it saw.
        last_at: Its last sign of life.
        now: The time.

    Returns:
        One ``lost`` a room.
    """
    reason = "the collector stopped without a word"
    return [_told(room, "lost", last_at, now, reason) for room in rooms]


def _told(room: str, state: str, at: Instant, now: Instant, reason: str | None) -> Observation:
    return Observation(
        event_id=synthetic_id("observations", COLLECTOR, room, at, state),
        source="eventsub",
        room_login=room,
        sent_at=at,
        received_at=now,
        collector=COLLECTOR,
        state=state,
        reason=reason,
    )
