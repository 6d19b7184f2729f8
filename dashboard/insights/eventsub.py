"""EventSub at a glance: how notifications come, what is subscribed to, and what stands in the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard.access import Access
from dashboard.errors import ConfigError, JobError
from dashboard.events import Instant, now_us
from dashboard.eventsub_types import CALLBACK_PATH, CHATTER, MODERATOR, NO_SUCH_ROOM, OWNER, TYPES
from dashboard.insights.live_sources import Ledger, Status
from dashboard.storage.eventsub_state import (
    CREATE,
    CREATE_ALL,
    DELETE,
    RETRY,
    EventSubState,
    Revocation,
    Subscription,
    Wish,
)

__all__ = [
    "Connection",
    "Cost",
    "Deliveries",
    "EventSubInsights",
    "Missing",
    "Overview",
    "Revocation",
    "Subscription",
]

COLLECTOR_STATUS: Final = "eventsub"
WEBHOOK_STATUS: Final = "eventsub-webhook"
_SILENT_AFTER_US: Final = 15 * 1_000_000
_WEEK_US: Final = 7 * 86_400 * 1_000_000
_ROWS: Final = 400
_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
FILTERS: Final = ("all", "enabled", "trouble")
_REFUSED: Final = ("bad_signature", "too_old", "malformed", "too_large", "not_stored")


@dataclass(frozen=True, slots=True)
class Connection:
    """One WebSocket."""

    user_login: str
    """Whose token it works with; empty for the application's."""
    is_connected: bool
    heard_at: Instant | None
    subscription_count: int
    handover_count: int
    loss_count: int
    error: str | None
    shard: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a token's subscriptions cost of what they may."""

    user_login: str
    total: int
    cost: int
    max_cost: int


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What the webhook got since its process started, by result."""

    callback: str
    counts: Mapping[str, int]
    last_at: Instant | None
    error: str | None

    @property
    def refused_count(self) -> int:
        """Deliveries that were not taken."""
        return sum(self.counts.get(name, 0) for name in _REFUSED)


@dataclass(frozen=True, slots=True)
class Missing:
    """Types that wait for somebody's permission."""

    who: str
    scope: str
    rooms: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the page shows."""

    now: Instant
    transport: str | None
    """``websocket``, ``webhook``, ``conduit``; None when EventSub is off."""
    is_running: bool
    """Whether the collector speaks."""
    error: str | None
    people: tuple[str, ...]
    unusable: Mapping[str, str]
    connections: tuple[Connection, ...]
    costs: tuple[Cost, ...]
    deliveries: Deliveries | None
    rows: tuple[Subscription, ...]
    """Wanted ones; after the filter."""
    row_count: int
    enabled_count: int
    trouble_count: int
    missing: tuple[Missing, ...]
    stopped: tuple[Subscription, ...]
    revocations: tuple[Revocation, ...]
    rooms: tuple[str, ...]
    is_waiting: bool
    """Whether a wish is not carried out yet."""
    dropped: tuple[Wish, ...] = ()
    """Of the last wishes those for channels that Twitch does not know."""


class EventSubInsights:
    """Answers the EventSub page.

    Args:
        state: Reports of the collector and of the webhook.
        known: Subscriptions, wishes, revocations.
        public_url: How Twitch reaches this server.
        now: The clock.
    """

    def __init__(
        self,
        state: Ledger,
        known: EventSubState,
        *,
        public_url: str = "",
        now: Callable[[], Instant] = now_us,
    ) -> None:
        self._state = state
        self._known = known
        self._public_url = public_url
        self._now = now

    def overview(self, access: Access, *, show: str = "all", room: str = "") -> Overview:
        """How EventSub is doing.

        Args:
            access: Who asks.
            show: ``all``, ``enabled`` or ``trouble``.
            room: Only this channel; empty for every one.

        Returns:
            The overview; lists by channel and type, revocations newest first (of a week).

        Raises:
            AccessDenied: Not an admin.
            StorageError: The state does not answer.
        """
        access.require_admin()
        now = self._now()
        status = self._state.read_status(COLLECTOR_STATUS)
        told: dict[str, Any] = status.payload if status else {}
        listed = self._known.subscriptions()
        wanted = [row for row in listed if row.status not in ("impossible", "stopped")]
        enabled = [row for row in wanted if row.status == "enabled"]
        shown = {"enabled": enabled, "trouble": [row for row in wanted if row.status != "enabled"]}
        rows = [row for row in shown.get(show, wanted) if room in ("", row.room_login)]
        return Overview(
            now=now,
            transport=told.get("transport"),
            is_running=_is_speaking(status, now),
            error=told.get("error"),
            people=tuple(told.get("people", ())),
            unusable=told.get("unusable") or {},
            connections=tuple(_connection(one) for one in told.get("connections", ())),
            costs=tuple(_cost(one) for one in told.get("totals", ()) if one.get("total") is not None),
            deliveries=self._deliveries(told.get("transport")),
            rows=tuple(rows[:_ROWS]),
            row_count=len(wanted),
            enabled_count=len(enabled),
            trouble_count=len(wanted) - len(enabled),
            missing=_missing(listed),
            stopped=tuple(row for row in listed if row.status == "stopped"),
            revocations=tuple(self._known.revocations(20, since=now - _WEEK_US)),
            rooms=tuple(dict.fromkeys([*self._state.followed(), *(row.room_login for row in listed)])),
            is_waiting=bool(self._known.open_wishes()),
            dropped=tuple(
                wish
                for wish in self._known.recent_wishes()
                if wish.result == NO_SUCH_ROOM and wish.wished_at >= now - _WEEK_US
            ),
        )

    def is_running(self) -> bool:
        """Whether there is a collector that carries wishes out."""
        return _is_speaking(self._state.read_status(COLLECTOR_STATUS), self._now())

    def create(self, access: Access, eventsub_type: str, room: str) -> str:
        """Asks for a type of a channel.

        Returns:
            The channel's login as it was understood.

        Raises:
            AccessDenied: Not an admin.
            ConfigError: There is no such type, or this can be no login.
            JobError: It is known already that somebody has to permit it first.
        """
        access.require_admin()
        if eventsub_type not in TYPES:
            raise ConfigError("Choose what to subscribe to.")
        if not room.strip():
            raise ConfigError("Write the name of the channel.")
        login = room.strip().lower().removeprefix("#").rsplit("/", 1)[-1]
        if not _LOGIN.fullmatch(login):
            raise ConfigError(f"“{room[:40]}” is no login. It has letters, digits and _, at most 25.")
        for row in self._known.subscriptions():
            is_meant = (row.eventsub_type, row.room_login) == (eventsub_type, login)
            if is_meant and row.status == "impossible":
                raise JobError(f"Not possible yet for {login}. {row.error or ''}".strip())
        self._known.wish(CREATE, access.user_id, eventsub_type=eventsub_type, room_login=login)
        return login

    def delete(self, access: Access, key: str) -> Subscription:
        """Asks to end a subscription; it stays ended until somebody creates it again.

        Returns:
            What is ended; of a type with several directions all of them.

        Raises:
            AccessDenied: Not an admin.
            JobError: It is gone already.
        """
        access.require_admin()
        row = self.find(access, key)
        self._known.wish(DELETE, access.user_id, eventsub_type=row.eventsub_type, room_login=row.room_login)
        return row

    def find(self, access: Access, key: str) -> Subscription:
        """One subscription by its key.

        Raises:
            AccessDenied: Not an admin.
            JobError: There is none.
        """
        access.require_admin()
        for row in self._known.subscriptions():
            if row.key == key:
                return row
        raise JobError("This subscription is gone already.")

    def create_all(self, access: Access) -> None:
        """Asks for everything that is possible, what was deleted by hand too.

        Raises:
            AccessDenied: Not an admin.
        """
        access.require_admin()
        self._known.wish(CREATE_ALL, access.user_id)

    def retry(self, access: Access) -> None:
        """Asks to try what failed again at once.

        Raises:
            AccessDenied: Not an admin.
        """
        access.require_admin()
        self._known.wish(RETRY, access.user_id)

    def _deliveries(self, transport: str | None) -> Deliveries | None:
        status = self._state.read_status(WEBHOOK_STATUS)
        if status is None and transport != "webhook":
            return None
        told: dict[str, Any] = status.payload if status else {}
        callback = f"{self._public_url}{CALLBACK_PATH}" if self._public_url else CALLBACK_PATH
        return Deliveries(callback, told.get("counts") or {}, told.get("last_at"), told.get("error"))


def _is_speaking(status: Status | None, now: Instant) -> bool:
    return (
        status is not None
        and now - status.updated_at <= _SILENT_AFTER_US
        and not status.payload.get("stopped_at")
    )


def _connection(told: Mapping[str, Any]) -> Connection:
    shard = told.get("shard_id")
    return Connection(
        user_login=str(told.get("user_login") or ""),
        is_connected=bool(told.get("is_connected")),
        heard_at=told.get("heard_at"),
        subscription_count=int(told.get("subscription_count") or 0),
        handover_count=int(told.get("handover_count") or 0),
        loss_count=int(told.get("loss_count") or 0),
        error=told.get("error"),
        shard=f"{shard} of {told.get('shard_count')}" if shard else "",
    )


def _cost(told: Mapping[str, Any]) -> Cost:
    return Cost(
        str(told.get("user_login") or ""),
        int(told.get("total") or 0),
        int(told.get("total_cost") or 0),
        int(told.get("max_total_cost") or 0),
    )


def _missing(rows: Sequence[Subscription]) -> tuple[Missing, ...]:
    """What nobody permits yet, by who would have to and the scope."""
    grouped: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for row in rows:
        if row.status != "impossible":
            continue
        kind = TYPES.get(row.eventsub_type)
        who = kind.who if kind and row.needs_scope else row.error or ""
        rooms, titles = grouped.setdefault((who, row.needs_scope or ""), ({}, {}))
        rooms[row.room_login] = None
        titles[kind.title if kind else row.eventsub_type] = None
    return tuple(
        Missing(_WHO.get(who, who), scope, tuple(rooms), tuple(titles))
        for (who, scope), (rooms, titles) in grouped.items()
    )


_WHO = {
    OWNER: "The channel's owner has to log in and grant it.",
    MODERATOR: "The owner or a moderator has to log in and grant it.",
    CHATTER: "Somebody who reads chat has to log in and grant it.",
}
