"""The rarer events of one room, kept up to date by reading only what is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from dashboard.analytics.observation import StateChange
from dashboard.analytics.sessions import StreamRow
from dashboard.analytics.timebins import DAY_US, HOUR_US
from dashboard.events import Instant
from dashboard.insights.live_sources import ChangeReader, Lake, records, whole, words

LOG_US: Final = 2 * DAY_US
"""How far back a room's log reaches from its clock."""
MOST_EVENTS: Final = 5_000
EVENT_KINDS: Final = (
    "raids",
    "subscriptions",
    "sub_gifts",
    "mystery_gifts",
    "pay_forwards",
    "paid_upgrades",
    "one_tap_gifts",
    "bits",
    "bits_badge_tiers",
    "announcements",
    "milestones",
    "moderation",
)
CHAT_COLLECTORS: Final = ("irc", "import")
"""Whose observations say that chat was seen."""


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """Something that happened, of any kind, in the one shape of ``live_events.sql``."""

    kind: str
    event_id: str
    at: int
    user_name: str | None = None
    user_id: str | None = None
    is_anonymous: bool = False
    amount: int | None = None
    plan: str | None = None
    months: int | None = None
    detail: str | None = None
    other_name: str | None = None
    text: str | None = None
    origin_id: str | None = None
    community_gift_id: str | None = None


class _Dated(Protocol):
    @property
    def at(self) -> int: ...


Row = TypeVar("Row", bound=_Dated)


class RoomLog(Generic[Row]):
    """Rows of some kinds of one room over the last two days of its clock.

    Args:
        lake: The store.
        room: Login.
        query: Name of the query.
        kinds: What the query reads.
        build: Makes a value of a row.
        params: More parameters for the query.
        sets_clock: The first rows of an empty log are read whatever time they are of: they can set the
            room's clock.
    """

    def __init__(
        self,
        lake: Lake,
        room: str,
        *,
        query: str,
        kinds: tuple[str, ...],
        build: Callable[[dict[str, Any]], Row],
        params: dict[str, Any] | None = None,
        sets_clock: bool = False,
    ) -> None:
        self._lake = lake
        self._room = room
        self._query = query
        self._build = build
        self._params = params or {}
        self._sets_clock = sets_clock
        self._changes = ChangeReader(lake, kinds)
        self._since: int | None = None
        self._rows: dict[tuple[str, str], Row] = {}
        self._sorted: tuple[Row, ...] | None = None
        self.version = 0
        """Changes whenever the rows do."""
        self.last_received_at: int | None = None

    @property
    def since_at(self) -> int:
        """The log is complete from here on."""
        return self._since or 0

    @property
    def rows(self) -> tuple[Row, ...]:
        """Oldest first."""
        if self._sorted is None:
            self._sorted = tuple(sorted(self._rows.values(), key=lambda row: row.at))
        return self._sorted

    def sync(self, clock_at: int, now: int) -> None:
        """Reads what is new, or everything when the clock has gone where the log does not reach.

        Args:
            clock_at: The room's clock as far as it is known.
            now: The wall clock.
        """
        wanted = clock_at - LOG_US
        changes = self._changes.take()
        until = max(now, clock_at) + HOUR_US
        if self._since is None or not self._since - DAY_US <= wanted <= self._since + LOG_US:
            self._since = wanted
            self._keep(lambda row: False)
            self._read(wanted, until)
            return
        for start, end in changes:
            if self._sets_clock and not self._rows:
                self._read(start, end)
            elif end >= self._since:
                self._read(max(start, self._since), end)
        if wanted > self._since + DAY_US:
            self._since = wanted
            self._keep(lambda row: row.at >= wanted)

    def before(self, before_at: int, *, span_us: int) -> list[Row]:
        """Older rows than the log holds, read for this once.

        Args:
            before_at: Only rows before it.
            span_us: How far back to look.

        Returns:
            Oldest first.
        """
        return sorted((row for _, row in self._fetch(before_at - span_us, before_at - 1)), key=lambda r: r.at)

    def _read(self, start_at: int, end_at: int) -> None:
        found = dict(self._fetch(start_at, end_at))
        if not found:
            return
        self._rows.update(found)
        self.version += 1
        self._sorted = None
        if len(self._rows) > 2 * MOST_EVENTS:
            oldest = self.rows[-MOST_EVENTS].at
            self._since = max(self._since or 0, oldest)
            self._keep(lambda row: row.at >= oldest)

    def _keep(self, is_kept: Callable[[Row], bool]) -> None:
        self._rows = {key: row for key, row in self._rows.items() if is_kept(row)}
        self._sorted = None
        self.version += 1

    def _fetch(self, start_at: int, end_at: int) -> list[tuple[tuple[str, str], Row]]:
        frame = self._lake.query(
            self._query,
            window=(Instant(start_at), Instant(end_at)),
            room=self._room,
            start_at=Instant(start_at),
            end_at=Instant(end_at),
            **self._params,
        )
        found = []
        for record in records(frame):
            received_at = int(record["received_at"])
            self.last_received_at = max(self.last_received_at or 0, received_at)
            key = str(record.get("kind") or record.get("action")), str(record["event_id"])
            found.append((key, self._build(record)))
        return found


def stream_log(lake: Lake, room: str) -> RoomLog[StreamRow]:
    """Viewer samples, starts and ends of a room's streams."""
    kinds = ("viewer_samples", "streams")
    return RoomLog(lake, room, query="live_stream", kinds=kinds, build=stream_row, sets_clock=True)


def event_log(lake: Lake, room: str) -> RoomLog[RoomEvent]:
    """Raids, subs, gifts, bits, announcements, moderation… of a room."""
    params = {"limit": MOST_EVENTS}
    return RoomLog(lake, room, query="live_events", kinds=EVENT_KINDS, build=_room_event, params=params)


class ObservationLog:
    """The collectors' ledger of one room (it is short, so it is read whole)."""

    def __init__(self, lake: Lake, room: str) -> None:
        self._lake = lake
        self._room = room
        self._changes = ChangeReader(lake, ("observations",))
        self._is_cold = True
        self.rows: tuple[StateChange, ...] = ()
        self.version = 0

    def sync(self) -> None:
        """Reads the ledger again if it has grown."""
        if not self._changes.take() and not self._is_cold:
            return
        self._is_cold = False
        self.version += 1
        frame = self._lake.query("live_observations", room=self._room)
        self.rows = tuple(
            StateChange(row["collector"], row["state"], int(row["sent_at"]), words(row["reason"]))
            for row in records(frame)
            if row["collector"] in CHAT_COLLECTORS
        )

    def is_joined_live(self, *, heard_at: int | None) -> bool:
        """Whether a collector reads the room's chat at this moment.

        Args:
            heard_at: The collector was last heard of then, and not since; ``None``: it is well.

        Returns:
            True when its newest word is that it joined.
        """
        own = sorted((c.at, c.state == "joined") for c in self.rows if c.collector == "irc")
        return bool(own) and own[-1][1] and heard_at is None


def stream_row(row: dict[str, Any]) -> StreamRow:
    """A row of the query ``live_stream`` as a value."""
    return StreamRow(
        at=int(row["sent_at"]),
        action=row["action"],
        viewer_count=whole(row["viewer_count"]),
        stream_id=words(row["stream_id"]),
        started_at=whole(row["started_at"]),
        game_name=words(row["game_name"]),
        title=words(row["title"]),
        language=words(row["language"]),
        source=row["source"],
    )


def _room_event(row: dict[str, Any]) -> RoomEvent:
    return RoomEvent(
        kind=row["kind"],
        event_id=row["event_id"],
        at=int(row["sent_at"]),
        user_name=words(row["user_name"]),
        user_id=words(row["user_id"]),
        is_anonymous=bool(row["is_anonymous"]),
        amount=whole(row["amount"]),
        plan=words(row["plan"]),
        months=whole(row["months"]),
        detail=words(row["detail"]),
        other_name=words(row["other_name"]),
        text=words(row["text"]),
        origin_id=words(row["origin_id"]),
        community_gift_id=words(row["community_gift_id"]),
    )
