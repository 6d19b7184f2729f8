"""What is known of the EventSub subscriptions, what people want of them, and what Twitch took away.

The collector owns the list of subscriptions; pages only write wishes, which the collector carries
out within seconds. Whoever receives notifications (collector or web server) adds when the last one came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from dashboard.events import Instant, now_us
from dashboard.storage.state_db import METADATA, StateDatabase

CREATE, DELETE, CREATE_ALL, RETRY = "create", "delete", "create_all", "retry"
_LONGEST_ERROR = 300
_WISHES_KEPT = 200

_SUBSCRIPTIONS = Table(
    "eventsub_subscriptions",
    METADATA,
    Column("key", String(160), primary_key=True),
    Column("eventsub_type", String(80), nullable=False),
    Column("version", String(10), nullable=False),
    Column("room_login", String(25), nullable=False),
    Column("room_id", String(20), nullable=False),
    Column("transport", String(10), nullable=False),
    Column("status", String(60), nullable=False),
    Column("condition", JSON, nullable=False),
    Column("user_id", String(20)),
    Column("subscription_id", String(64)),
    Column("cost", Integer),
    Column("created_at", BigInteger),
    Column("error", String(_LONGEST_ERROR)),
    Column("needs_scope", String(80)),
)
_LAST_EVENTS = Table(
    "eventsub_last_events",
    METADATA,
    Column("subscription_id", String(64), primary_key=True),
    Column("last_event_at", BigInteger, nullable=False),
    Column("event_count", BigInteger, nullable=False),
)
_CHOICES = Table(
    "eventsub_choices",
    METADATA,
    Column("eventsub_type", String(80), primary_key=True),
    Column("room_login", String(25), primary_key=True),
    Column("is_wanted", Boolean, nullable=False),
)
_WISHES = Table(
    "eventsub_wishes",
    METADATA,
    Column("wish_id", Integer, primary_key=True, autoincrement=True),
    Column("action", String(20), nullable=False),
    Column("eventsub_type", String(80), nullable=False),
    Column("room_login", String(25), nullable=False),
    Column("wished_by", String(64), nullable=False),
    Column("wished_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("result", Text),
)
_REVOCATIONS = Table(
    "eventsub_revocations",
    METADATA,
    Column("message_id", String(80), primary_key=True),
    Column("subscription_id", String(64), nullable=False),
    Column("eventsub_type", String(80), nullable=False),
    Column("status", String(60), nullable=False),
    Column("condition", JSON, nullable=False),
    Column("transport", String(10), nullable=False),
    Column("revoked_at", BigInteger, nullable=False),
    Index("eventsub_revocations_at", "revoked_at"),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription, wanted or there; ``key`` stays the same when it is made anew."""

    key: str
    eventsub_type: str
    version: str
    room_login: str
    room_id: str
    transport: str
    """``websocket``, ``webhook`` or ``conduit``."""
    status: str
    """Twitch's own (``enabled``, …), or ``creating``, ``lost``, ``failed``, ``impossible``, ``stopped``."""
    condition: dict[str, str] = field(default_factory=dict)
    user_id: str | None = None
    """Whose token it needs; None: the application's."""
    subscription_id: str | None = None
    cost: int | None = None
    created_at: Instant | None = None
    error: str | None = None
    """Why it is not enabled, and what to do."""
    needs_scope: str | None = None
    """The scope somebody would have to grant."""
    last_event_at: Instant | None = None
    event_count: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for on the page."""

    wish_id: int
    action: str
    eventsub_type: str
    room_login: str
    wished_by: str
    wished_at: Instant
    done_at: Instant | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Revocation:
    """A subscription that Twitch ended, with its word for why."""

    message_id: str
    subscription_id: str
    eventsub_type: str
    status: str
    condition: dict[str, str]
    transport: str
    revoked_at: Instant


class EventSubState:
    """The state behind the EventSub page; safe to share between threads and processes.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        self._database = StateDatabase(data_dir, url)

    def subscriptions(self) -> list[Subscription]:
        """All of them, by room, type and key, with when the last event came."""
        last = _LAST_EVENTS.c
        query = (
            select(
                _SUBSCRIPTIONS, last.last_event_at, func.coalesce(last.event_count, 0).label("event_count")
            )
            .outerjoin(_LAST_EVENTS, last.subscription_id == _SUBSCRIPTIONS.c.subscription_id)
            .order_by(_SUBSCRIPTIONS.c.room_login, _SUBSCRIPTIONS.c.eventsub_type, _SUBSCRIPTIONS.c.key)
        )
        with self._database.read() as con:
            return [Subscription(**row) for row in con.execute(query).mappings()]

    def replace_subscriptions(self, rows: Sequence[Subscription]) -> None:
        """Makes the list what the collector says it is; last events of what is gone are forgotten."""
        values = [_columns(row) for row in rows]
        kept = {row.subscription_id for row in rows}
        with self._database.write() as con:
            con.execute(delete(_SUBSCRIPTIONS))
            if values:
                con.execute(insert(_SUBSCRIPTIONS), values)
            for gone in set(con.scalars(select(_LAST_EVENTS.c.subscription_id))) - kept:
                con.execute(delete(_LAST_EVENTS).where(_LAST_EVENTS.c.subscription_id == gone))

    def touch(self, seen: Mapping[str, tuple[Instant, int]]) -> None:
        """Adds notifications to the subscriptions they came from.

        Args:
            seen: By subscription id: when the newest came, and how many since the last call.
        """
        table = _LAST_EVENTS
        with self._database.write() as con:
            for key, (at, count) in seen.items():
                change = update(table).where(table.c.subscription_id == key)
                values = {"last_event_at": at, "event_count": table.c.event_count + count}
                if not con.execute(change.values(**values)).rowcount:
                    row = {"subscription_id": key, "last_event_at": at, "event_count": count}
                    con.execute(insert(table).values(**row))

    def wish(self, action: str, by: str, *, eventsub_type: str = "", room_login: str = "") -> int:
        """Writes down what somebody wants; the collector does it.

        Returns:
            The wish's number.
        """
        values = {
            "action": action,
            "eventsub_type": eventsub_type,
            "room_login": room_login,
            "wished_by": by,
            "wished_at": now_us(),
        }
        with self._database.write() as con:
            number = con.execute(insert(_WISHES).values(**values)).inserted_primary_key
            oldest = int(number[0]) - _WISHES_KEPT if number else 0
            con.execute(delete(_WISHES).where(_WISHES.c.wish_id <= oldest, _WISHES.c.done_at.is_not(None)))
        return int(number[0]) if number else 0

    def open_wishes(self) -> list[Wish]:
        """What nobody has done yet, oldest first."""
        query = select(_WISHES).where(_WISHES.c.done_at.is_(None)).order_by(_WISHES.c.wish_id)
        with self._database.read() as con:
            return [Wish(**row) for row in con.execute(query).mappings()]

    def recent_wishes(self, limit: int = 5) -> list[Wish]:
        """The newest wishes, newest first."""
        query = select(_WISHES).order_by(_WISHES.c.wish_id.desc()).limit(limit)
        with self._database.read() as con:
            return [Wish(**row) for row in con.execute(query).mappings()]

    def fulfil(self, wish: Wish, result: str) -> None:
        """Marks a wish as done and keeps what it means for the future: a deleted type stays deleted."""
        with self._database.write() as con:
            if wish.action == CREATE_ALL:
                con.execute(delete(_CHOICES).where(_CHOICES.c.is_wanted.is_(False)))
            elif wish.action in (CREATE, DELETE):
                pair = {"eventsub_type": wish.eventsub_type, "room_login": wish.room_login}
                con.execute(delete(_CHOICES).filter_by(**pair))
                con.execute(insert(_CHOICES).values(**pair, is_wanted=wish.action == CREATE))
            done = {"done_at": now_us(), "result": result[:_LONGEST_ERROR]}
            con.execute(update(_WISHES).where(_WISHES.c.wish_id == wish.wish_id).values(**done))

    def choices(self) -> dict[tuple[str, str], bool]:
        """By type and room: whether somebody asked for it by hand (True) or deleted it (False)."""
        with self._database.read() as con:
            rows = con.execute(select(_CHOICES)).mappings()
            return {(row["eventsub_type"], row["room_login"]): row["is_wanted"] for row in rows}

    def drop_room(self, room_login: str, reason: str) -> None:
        """Forgets what was asked for by hand of a channel that can't be had, and keeps why."""
        asked = (_WISHES.c.room_login == room_login) & (_WISHES.c.action == CREATE)
        with self._database.write() as con:
            con.execute(delete(_CHOICES).where(_CHOICES.c.room_login == room_login))
            con.execute(update(_WISHES).where(asked).values(result=reason[:_LONGEST_ERROR]))

    def revoke(self, revocation: Revocation) -> bool:
        """Writes down that Twitch ended a subscription; False if it was known."""
        with self._database.write() as con:
            try:
                with con.begin_nested():
                    con.execute(insert(_REVOCATIONS).values(**asdict(revocation)))
            except IntegrityError:
                return False
            change = update(_SUBSCRIPTIONS).where(
                _SUBSCRIPTIONS.c.subscription_id == revocation.subscription_id
            )
            con.execute(change.values(status=revocation.status, error=why_revoked(revocation.status)))
        return True

    def revocations(self, limit: int = 20, *, since: int = 0) -> list[Revocation]:
        """What Twitch ended, newest first."""
        table = _REVOCATIONS
        query = select(table).where(table.c.revoked_at >= since).order_by(table.c.revoked_at.desc())
        with self._database.read() as con:
            return [Revocation(**row) for row in con.execute(query.limit(limit)).mappings()]

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()


_REVOKED = {
    "user_removed": "The account behind it no longer exists.",
    "authorization_revoked": "Its owner took the permission back; it returns after a new login.",
    "notification_failures_exceeded": "This server did not answer too often; it is made anew.",
    "version_removed": "Twitch no longer offers this version.",
    "moderator_removed": "The account that read it is no longer a moderator there.",
}


def why_revoked(status: str) -> str:
    """Twitch's word for a revocation, as a sentence."""
    return _REVOKED.get(status, f"Twitch ended it: {status}.")


def revocation_of(
    message_id: str, subscription: Mapping[str, Any], *, transport: str, at: Instant
) -> Revocation:
    """A revocation message's subscription as what the state keeps; missing parts are empty."""
    condition = subscription.get("condition")
    return Revocation(
        message_id=message_id[:80],
        subscription_id=str(subscription.get("id") or "")[:64],
        eventsub_type=str(subscription.get("type") or "")[:80],
        status=str(subscription.get("status") or "unknown")[:60],
        condition=condition if isinstance(condition, dict) else {},
        transport=transport,
        revoked_at=at,
    )


def _columns(row: Subscription) -> dict[str, Any]:
    skipped: Collection[str] = ("last_event_at", "event_count")
    values = {name: value for name, value in asdict(row).items() if name not in skipped}
    if row.error:
        values["error"] = row.error[:_LONGEST_ERROR]
    return values
