"""What chat tells of the people of a capture: who spoke, who was silent, who follows, when they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.timebins import DAY_US, HOUR_US, MINUTE_US
from dashboard.events import Instant
from dashboard.insights.channel_day import read_observed, read_streams
from dashboard.insights.chatters_crowd import UNKNOWN, Aligned, Closed, Crowd, Flags, Numbers
from dashboard.insights.chatters_model import ChatWindow
from dashboard.insights.live_sources import Lake, Ledger

CHAT_KINDS: Final = (
    "chat_messages",
    "follows",
    "followers",
    "user_list",
    "suspicious_users",
    "observations",
    "streams",
    "viewer_samples",
)
WATCHED_KINDS: Final = ("chat_messages", "follows", "followers", "user_list", "suspicious_users")
AFTER_US: Final = 15 * MINUTE_US
"""Chat goes on being looked at for so long after a list: who just came has had no time to speak."""
BEFORE_US: Final = 3 * HOUR_US
"""Without a known start of the stream, chat is looked at from so long before the list."""
_LEAST_OBSERVED_S: Final = 300
_LEAST_OBSERVED: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class CrowdChat:
    """The same rows as the :class:`Crowd` it was made for."""

    user_id: list[str]
    windows: tuple[ChatWindow, ...]
    message_count: Numbers
    """In the windows."""
    first_spoke_at: Numbers
    """In the windows; :data:`UNKNOWN` for who did not speak."""
    first_message_at: Numbers
    """As far back as messages are kept."""
    last_message_at: Numbers
    wrote_before: Flags
    """Whether they wrote before the capture, in the same channels."""
    followed_at: Numbers
    is_follow_known: bool
    """Whether anything is known of who follows these channels."""
    is_follow_complete: bool
    """Whether the whole list of followers was read."""
    joined_at: Numbers
    join_count: int
    """How many arrivals Twitch told at all in the windows."""
    label: list[str | None]
    """Twitch's own: ``active_monitoring``, ``restricted``."""
    is_label_known: bool
    """Whether Twitch told any label in these channels."""

    @property
    def is_observed(self) -> bool:
        """Whether it can be said who was silent: chat of every one of the channels was read."""
        return bool(self.windows) and all(window.is_observed for window in self.windows)

    @property
    def until_at(self) -> Instant:
        """What is sent later does not matter here."""
        return max(window.end_at for window in self.windows)


def read_chat_of(lake: Lake, ledger: Ledger, crowd: Crowd, *, now: Instant) -> CrowdChat:
    """Reads what chat tells of a crowd.

    Args:
        lake: The store.
        ledger: Says whether the collector is alive, and which lists of followers are complete.
        crowd: The people.
        now: The wall clock.
    """
    rooms, cuts = crowd.cuts()
    windows = tuple(
        window_of(lake, ledger, [c for c in crowd.captures if c.room_login == room], now=now)
        for room in rooms
    )
    start, end = min(w.start_at for w in windows), max(w.end_at for w in windows)
    index, by_login = Aligned(crowd.who), Aligned(crowd.login_who)
    wrote = lake.query(
        "chatters_messages",
        rooms=rooms,
        cuts=cuts,
        starts=[window.start_at for window in windows],
        ends=[window.end_at for window in windows],
        until_at=end,
        **crowd.params,
    )
    follows = lake.query("chatters_follows", rooms=rooms, **crowd.params)
    joins = lake.query("chatters_joins", window=(start, end), rooms=rooms, start_at=start, end_at=end)
    labels = lake.query("chatters_suspicious", rooms=rooms, until_at=end)
    return CrowdChat(
        user_id=crowd.user_id,
        windows=windows,
        message_count=index.column(wrote, "message_count", 0),
        first_spoke_at=index.column(wrote, "window_first_at", UNKNOWN),
        first_message_at=index.column(wrote, "first_at", UNKNOWN),
        last_message_at=index.column(wrote, "last_at", UNKNOWN),
        wrote_before=index.column(wrote, "is_earlier", 0) == 1,
        followed_at=index.column(follows, "followed_at", UNKNOWN),
        is_follow_known=len(follows) > 0 or len(lake.query("chatters_has_follows", rooms=rooms)) > 0,
        is_follow_complete=all(_has_all_followers(ledger, lake, room) for room in rooms),
        joined_at=by_login.column(joins, "joined_at", UNKNOWN),
        join_count=len(joins),
        label=index.words(labels, "low_trust_status"),
        is_label_known=len(labels) > 0,
    )


def window_of(lake: Lake, ledger: Ledger, captures: list[Closed], *, now: Instant) -> ChatWindow:
    """The stretch of chat that goes with captures of one channel.

    Args:
        lake: The store.
        ledger: Says whether the collector is alive.
        captures: Of one channel, oldest first.
        now: The wall clock.

    Returns:
        From the start of the stream that was on (else from three hours before, or from the beginning of
        what was listened to) to a quarter of an hour after the newest list, and how much of it was read.
    """
    room = captures[0].room_login
    first = min(min(c.started_at, c.cut_at) for c in captures)
    closed = max(c.closed_at for c in captures)
    end = Instant(max(closed, min(closed + AFTER_US, now)))
    spans = read_streams(lake, room, Instant(first - 2 * DAY_US), end)
    on_air = [span for span in spans if span.started_at <= first <= span.ended_at + AFTER_US]
    start = Instant(on_air[-1].started_at if on_air else first - BEFORE_US)
    observed = read_observed(lake, ledger, room, until=Instant(min(end, now)), now=now)
    observed_s = observed.seconds(start, end)
    told = "from the start of the stream" if on_air else "from 3 h before the list"
    after = round((end - closed) / MINUTE_US)
    until = f"to {after} min after the list" if after else "to the end of the list"
    is_enough = observed_s >= min(_LEAST_OBSERVED_S, (end - start) / 1e6 * _LEAST_OBSERVED)
    return ChatWindow(
        room_login=room,
        start_at=start,
        end_at=end,
        observed_s=observed_s if is_enough else 0.0,
        words=f"{told} {until}",
    )


def _has_all_followers(ledger: Ledger, lake: Lake, room: str) -> bool:
    """Whether the job that lists followers came to its end once for a channel."""
    frame = lake.query("chatters_room_id", room=room)
    room_id = frame["room_id"].iloc[0] if len(frame) else None
    row = ledger.read_status(f"followers:{room_id}") if isinstance(room_id, str) else None
    return row is not None and isinstance(row.payload.get("known_to_at"), int)


def traits_of(crowd: Crowd, chat: CrowdChat) -> dict[str, Flags]:
    """By trait, who has it; a trait that can't be known is missing."""
    found: dict[str, Flags] = {"first_seen": ~crowd.was_listed_before & ~chat.wrote_before}
    if crowd.source == "spoke":
        found["spoke"] = np.ones(len(crowd), dtype=np.bool_)
    elif chat.is_observed:
        found["spoke"] = chat.message_count > 0
        found["silent"] = chat.message_count == 0
    if chat.is_follow_known:
        found["follows"] = chat.followed_at != UNKNOWN
    return found
