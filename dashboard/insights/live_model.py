"""What the Live page shows, as values: no drawing, no formatting, no SQL.

Instants are :data:`dashboard.events.Instant` (µs since the epoch, UTC). ``None`` means
"not known" and always comes with a reason in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.events import Instant


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of a tile, with everything that makes it honest."""

    metric: str
    """Key of its ``MetricSpec``: viewers, velocity, unique_chatters, engagement, retention, uptime, game."""
    value: float | None
    text: str | None = None
    """For readings that are words (the game)."""
    window_s: int | None = None
    sample_count: int = 0
    as_of: Instant | None = None
    usual: float | None = None
    """The stream's own usual: median of this stream's earlier minutes (see the MetricSpec)."""
    usual_low: float | None = None
    usual_high: float | None = None
    usual_sample_count: int = 0
    missing: str | None = None
    """Why there is no value, or no comparison, in words for the person at the screen."""
    spark: tuple[float | None, ...] = ()
    """The last points of the same metric, one a minute, oldest first; ``None`` where not observed."""
    note: str | None = None
    """A remark on the value, as in ``4 pts down since the raid``."""
    note_points: float | None = None
    """The change that the note speaks of; negative is down."""


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """The state of a room at one instant."""

    room_login: str
    status: str
    """``live``, ``offline``, ``recorded`` (the newest data is old: its own clock is shown) or ``empty``."""
    clock_at: Instant
    """What "now" means here: the wall clock, or the last instant of a recording."""
    fresh_at: Instant | None
    """When the newest event of this room was received."""
    title: str | None = None
    game_name: str | None = None
    language: str | None = None
    started_at: Instant | None = None
    is_start_told: bool = False
    """Whether Twitch told the start; otherwise it is the first message seen."""
    observed_since_at: Instant | None = None
    is_observed_assumed: bool = False
    """There is no ledger of what was seen: the span of the messages is taken for it."""
    is_history_complete: bool = True
    """False in the first moments on a very long stream, while its older part is still being read."""
    readings: dict[str, Reading] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened, for the lane under the chart."""

    at: Instant
    category: str
    """raid, sub, gift, bits, game, stream, announcement."""
    label: str
    """Short, as in ``raid +263`` or ``5 gifts``."""


@dataclass(frozen=True, slots=True)
class GapSpan:
    """A stretch in which the room was not observed; ``ended_at`` is None while it lasts."""

    started_at: Instant
    ended_at: Instant | None
    reason: str


@dataclass(frozen=True, slots=True)
class LiveSeries:
    """The chart: velocity in bins, viewers as sampled, and what was not observed."""

    start_at: Instant
    end_at: Instant
    bin_s: int
    bin_at: tuple[Instant, ...]
    """Start of each bin, oldest first, without holes."""
    velocity: tuple[float | None, ...]
    """Messages per minute of observed time in the bin; ``None`` where nothing was observed."""
    viewers_at: tuple[Instant, ...]
    viewers: tuple[int, ...]
    usual_low: float | None
    usual_high: float | None
    gaps: tuple[GapSpan, ...]
    markers: tuple[Marker, ...]


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One line of the activity feed, newest first."""

    item_id: str
    at: Instant
    category: str
    """raid, sub, gift, bits, game, stream, announcement, milestone, moderation, gap."""
    title: str
    """One word: Raid, Sub, Gifts, Bits…"""
    text: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """One bar of a top list."""

    name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class TopLists:
    """Who wrote most and which emotes were used most in the window."""

    window_s: int
    message_count: int
    chatter_count: int
    chatters: tuple[Ranked, ...]
    emotes: tuple[Ranked, ...]
    emote_message_count: int
    emotes_missing: str | None = None
    """Why there are no emotes, when the source cannot tell them (logs without tags)."""
    as_of: Instant | None = None
    """The room's clock when the lists were made; they are made anew every few seconds."""


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """One entry of the channel switcher."""

    room_login: str
    is_live: bool
    last_message_at: Instant | None
    viewer_count: int | None
    game_name: str | None
    is_followed: bool
