"""What Helix and the survey tell: audiences counted and listed, clips, and the days made from all of it.

A list of people (chatters of a room, people met in the survey) comes in many rows. They belong to a
capture: it counts only when the row that closes it is there (``chatter_polls``, ``survey_captures``),
which is written last. Whoever reads the rows joins them with it by ``capture_id``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dashboard.events_base import Event, Instant


@dataclass(slots=True, kw_only=True)
class AudienceCount(Event):
    """One row per look at a channel's totals; what that look did not ask for is NULL."""

    kind: ClassVar[str] = "audience_counts"

    follower_count: int | None = None
    subscriber_count: int | None = None
    subscriber_points: int | None = None
    """Twitch's own weighting of subscribers by tier."""


@dataclass(slots=True, kw_only=True)
class Follower(Event):
    """One row per person who followed long before the first look at a channel's list.

    ``follows`` has what happened since (and in the week before); this is the stock before it, all of it
    under the day of that first look, because years of follows as events would be a file a day.
    """

    kind: ClassVar[str] = "followers"

    user_id: str
    user_login: str | None = None
    user_display_name: str | None = None
    followed_at: Instant | None = None


@dataclass(slots=True, kw_only=True)
class Subscriber(Event):
    """One row per subscriber of a channel and UTC day on which they were listed.

    ``sent_at`` is the first instant of that day, so that looking again adds nothing.
    """

    kind: ClassVar[str] = "subscribers"

    user_id: str
    user_login: str | None = None
    user_display_name: str | None = None
    tier: str | None = None
    """``1000``, ``2000`` or ``3000``."""
    plan_name: str | None = None
    is_gift: bool | None = None
    gifter_id: str | None = None
    gifter_login: str | None = None
    gifter_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class ChatterPoll(Event):
    """One row per complete list of the people connected to a chat; it closes its ``chatters``."""

    kind: ClassVar[str] = "chatter_polls"

    capture_id: str
    chatter_count: int
    """How many rows the list has."""
    page_count: int | None = None
    told_count: int | None = None
    """Twitch's own total; people come and go while the pages are read, so the two can differ."""
    duration_s: float | None = None
    known_count: int | None = None
    """Of the people in the list, whose creation date was known when it was closed."""


@dataclass(slots=True, kw_only=True)
class Chatter(Event):
    """One row per person in a list of people connected to a chat, whether they write or not."""

    kind: ClassVar[str] = "chatters"

    capture_id: str
    user_id: str
    user_login: str | None = None
    user_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class Clip(Event):
    """One row per clip and UTC day on which it was looked at.

    ``sent_at`` is the first instant of that day, ``created_at`` tells when the clip was made.
    """

    kind: ClassVar[str] = "clips"

    clip_id: str
    url: str | None = None
    title: str | None = None
    creator_id: str | None = None
    creator_display_name: str | None = None
    view_count: int | None = None
    created_at: Instant | None = None
    duration_s: float | None = None
    video_id: str | None = None
    vod_offset_s: int | None = None
    """Where in the recording it begins; Twitch tells it some minutes after the clip was made."""
    game_id: str | None = None
    language: str | None = None
    thumbnail_url: str | None = None
    is_featured: bool | None = None


@dataclass(slots=True, kw_only=True)
class ChannelDay(Event):
    """One row per channel, local day and computation of it; the newest ``computed_at`` counts.

    ``sent_at`` is the start of the local day. Rates and shares divide by what was observed; what can't
    be told is NULL.
    """

    kind: ClassVar[str] = "channel_days"

    day: str
    """``YYYY-MM-DD`` in ``time_zone``."""
    time_zone: str
    computed_at: Instant
    message_count: int | None = None
    chatter_count: int | None = None
    observed_s: float | None = None
    """How much of the day somebody read the chat."""
    live_s: float | None = None
    """How much of the day the channel was live, as far as Twitch was asked."""
    viewers_covered_s: float | None = None
    """How much of that has a viewer count behind it."""
    viewers_average: float | None = None
    viewers_peak: int | None = None
    hours_watched: float | None = None
    """Over the covered time only."""
    follow_count: int | None = None
    subscription_count: int | None = None
    gift_count: int | None = None
    bits: int | None = None
    raid_count: int | None = None
    raid_viewer_count: int | None = None
    new_chatter_count: int | None = None
    """Not seen in the 30 days before."""
    returning_chatter_count: int | None = None
    history_day_count: int | None = None
    """How many of those 30 days have messages at all."""
    stream_count: int | None = None
    games: str | None = None
    """JSON list of ``{"game", "live_s"}``, the longest first."""


@dataclass(slots=True, kw_only=True)
class SurveyCapture(Event):
    """One row per channel and UTC day whose chat the survey has read to its end; it closes its people."""

    kind: ClassVar[str] = "survey_captures"

    capture_id: str
    person_count: int
    chatter_count: int
    """Of them, how many wrote."""
    message_count: int
    observed_s: float
    started_at: Instant | None = None
    stream_id: str | None = None
    viewer_count: int | None = None
    game_id: str | None = None
    game_name: str | None = None
    language: str | None = None
    room_display_name: str | None = None
    title: str | None = None
    tags: str | None = None
    """JSON list of the streamer's own tags."""


@dataclass(slots=True, kw_only=True)
class SurveyPresence(Event):
    """One row per person met in a channel during its survey; some only joined and never wrote."""

    kind: ClassVar[str] = "survey_presence"

    capture_id: str
    user_login: str
    user_id: str | None = None
    """Only chat messages tell it."""
    message_count: int = 0
    first_at: Instant | None = None
    last_at: Instant | None = None


KINDS_HELIX: tuple[type[Event], ...] = (
    AudienceCount,
    Follower,
    Subscriber,
    ChatterPoll,
    Chatter,
    Clip,
    ChannelDay,
    SurveyCapture,
    SurveyPresence,
)
