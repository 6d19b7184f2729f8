"""The events: what StreamLens knows happened, and the schema of the lake.

One dataclass is one kind is one view of the same name in SQL. Every event says where it
came from, which room it belongs to, when it happened (``sent_at``) and when we learnt of it
(``received_at``). ``None`` always means "not told", never "no" and never zero.

Instants are whole microseconds since the Unix epoch in UTC (:data:`Instant`): building and
writing ``datetime`` objects costs 15 µs an event, more than all the rest of the ingest. In the
lake they are ``TIMESTAMPTZ``.

A new field goes at the end of its class with the default ``None``: files written before it
existed keep being read, the column is NULL there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, get_args, get_type_hints

import pyarrow as pa

from dashboard.events_accounts import KINDS_ACCOUNTS
from dashboard.events_base import Event, Goal, Instant, RoomEvent, UserEvent, UserNotice, now_us, synthetic_id
from dashboard.events_chat import (
    Announcement,
    Bits,
    BitsBadgeTier,
    ChatMessage,
    Milestone,
    Moderation,
    MysteryGift,
    Notice,
    OneTapGift,
    OtherNotice,
    PaidUpgrade,
    PayForward,
    Raid,
    RoomState,
    SubGift,
    Subscription,
    UserListChange,
)
from dashboard.events_communities import KINDS_COMMUNITIES
from dashboard.events_eventsub import KINDS_EVENTSUB
from dashboard.events_helix import KINDS_HELIX

__all__ = [
    "KINDS",
    "Announcement",
    "Bits",
    "BitsBadgeTier",
    "ChatMessage",
    "Event",
    "Goal",
    "Instant",
    "Milestone",
    "Moderation",
    "MysteryGift",
    "Notice",
    "Observation",
    "OneTapGift",
    "OtherNotice",
    "PaidUpgrade",
    "PayForward",
    "Raid",
    "RoomEvent",
    "RoomState",
    "StreamChange",
    "SubGift",
    "Subscription",
    "UserEvent",
    "UserListChange",
    "UserNotice",
    "ViewerSample",
    "arrow_schema",
    "now_us",
    "synthetic_id",
]


@dataclass(slots=True, kw_only=True)
class ViewerSample(Event):
    """One row per look at a live stream: Twitch's own viewer count and what is on."""

    kind: ClassVar[str] = "viewer_samples"

    viewer_count: int
    stream_id: str | None = None
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    language: str | None = None
    started_at: Instant | None = None


@dataclass(slots=True, kw_only=True)
class StreamChange(Event):
    """One row per start or end of a stream."""

    kind: ClassVar[str] = "streams"

    action: str
    """``start`` or ``end``."""
    stream_id: str | None = None
    started_at: Instant | None = None
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    language: str | None = None
    stream_type: str | None = None
    """``live``, ``playlist``, ``watch_party``, ``premiere`` or ``rerun``; EventSub tells it at the start."""
    room_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class Observation(Event):
    """One row per change of what a collector can see of a room: the ledger behind ``gaps``.

    ``sent_at`` is the instant from which the state holds. ``joined`` opens a stretch of
    observed time; ``lost`` ends it against our will (a gap starts), ``left`` by our will.
    """

    kind: ClassVar[str] = "observations"

    collector: str
    """``irc``, ``helix``, ``eventsub`` or ``import``."""
    state: str
    """``joined``, ``lost`` or ``left``."""
    reason: str | None = None


_CLASSES: tuple[type[Event], ...] = (
    ChatMessage,
    Subscription,
    SubGift,
    MysteryGift,
    PayForward,
    PaidUpgrade,
    OneTapGift,
    Bits,
    BitsBadgeTier,
    Raid,
    Announcement,
    Milestone,
    Moderation,
    RoomState,
    UserListChange,
    Notice,
    OtherNotice,
    ViewerSample,
    StreamChange,
    Observation,
    *KINDS_EVENTSUB,
    *KINDS_HELIX,
    *KINDS_ACCOUNTS,
    *KINDS_COMMUNITIES,
)
KINDS: dict[str, type[Event]] = {cls.kind: cls for cls in _CLASSES}
"""Every kind by name; the view ``gaps`` is made from ``observations``."""


def _arrow_type(hint: Any) -> pa.DataType:
    inner = [arg for arg in get_args(hint) if arg is not type(None)]
    base = inner[0] if inner else hint
    if base is Instant:
        return pa.timestamp("us", tz="UTC")
    return {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64()}[base]


def arrow_schema(cls: type[Event]) -> pa.Schema:
    """The columns that a kind has in the lake, in the order of its dataclass fields.

    Args:
        cls: One of the classes in :data:`KINDS`.

    Returns:
        A schema with one field a dataclass field; instants are ``timestamp[us, tz=UTC]``.
    """
    hints = get_type_hints(cls)
    return pa.schema([pa.field(f.name, _arrow_type(hints[f.name])) for f in fields(cls)])
