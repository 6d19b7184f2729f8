"""What EventSub tells beyond chat: follows, subscriptions, bits, trains, goals, moderation, polls, points.

Every field that Twitch's schema names has a column; lists are JSON text. What a later Twitch adds
is in ``other_fields`` until it has a column, and the whole message as it came in ``notifications``.

``sent_at`` is when Twitch sent the message, except for follows, where Twitch tells the instant itself.
The event id is Twitch's message id; a follow has :func:`follow_id`, as Helix lists follows too.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/ and
https://dev.twitch.tv/docs/eventsub/eventsub-reference/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dashboard.events_base import Event, Instant
from dashboard.events_eventsub_base import (
    EventSubEvent,
    EventSubModeratorEvent,
    EventSubUserEvent,
    Notification,
    follow_id,
)
from dashboard.events_eventsub_live import AdBreak, CreatorGoal, HypeTrain, Poll, Prediction, Redemption

__all__ = [
    "KINDS_EVENTSUB",
    "AdBreak",
    "BitsUse",
    "ChannelRaid",
    "ChannelUpdate",
    "Cheer",
    "CreatorGoal",
    "EventSubEvent",
    "Follow",
    "HypeTrain",
    "ModAction",
    "Notification",
    "Poll",
    "Prediction",
    "Redemption",
    "ShieldMode",
    "SubscriptionChange",
    "SuspiciousUser",
    "follow_id",
]


@dataclass(slots=True, kw_only=True)
class Follow(EventSubUserEvent):
    """One row per follow; told by EventSub at once and by Helix in its lists, and counted once."""

    kind: ClassVar[str] = "follows"

    followed_at: Instant | None = None


@dataclass(slots=True, kw_only=True)
class ChannelUpdate(EventSubEvent):
    """One row per change of a channel's title, category, language or labels; all of them as they are then."""

    kind: ClassVar[str] = "channel_updates"

    title: str | None = None
    language: str | None = None
    category_id: str | None = None
    category_name: str | None = None
    content_labels: str | None = None
    """JSON list, ``["MatureGame"]``."""
    is_mature: bool | None = None
    """Of version 1, before there were labels."""


@dataclass(slots=True, kw_only=True)
class SubscriptionChange(EventSubUserEvent):
    """One row per subscription begun, ended, given or renewed, whether it was shown in chat or not.

    Apart from chat's ``subscriptions`` and ``sub_gifts``, which tell the same happening as chat saw it.
    """

    kind: ClassVar[str] = "subscription_changes"

    action: str
    """``start``, ``end``, ``gift`` or ``message`` (a renewal shared in chat)."""
    tier: str | None = None
    """``1000``, ``2000`` or ``3000``; Prime is 1000."""
    is_gift: bool | None = None
    """Whether the subscription was a gift to the user."""
    gift_count: int | None = None
    cumulative_gift_count: int | None = None
    """Given in this channel so far; None for anonymous givers and who does not share it."""
    is_anonymous: bool | None = None
    text: str | None = None
    emotes: str | None = None
    """JSON list of ``{"id", "begin", "end"}`` as Twitch counts positions here."""
    cumulative_months: int | None = None
    streak_months: int | None = None
    duration_months: int | None = None


@dataclass(slots=True, kw_only=True)
class Cheer(EventSubUserEvent):
    """One row per cheer as the channel's owner is told; chat's own are in ``bits``."""

    kind: ClassVar[str] = "cheers"

    bits: int | None = None
    is_anonymous: bool | None = None
    text: str | None = None


@dataclass(slots=True, kw_only=True)
class BitsUse(EventSubUserEvent):
    """One row per use of bits: cheers, power-ups, combos."""

    kind: ClassVar[str] = "bits_uses"

    bits: int | None = None
    bits_type: str | None = None
    """``cheer``, ``power_up``, ``custom_power_up`` or ``combo``."""
    text: str | None = None
    fragments: str | None = None
    """JSON list of the text's parts: words, cheermotes, emotes."""
    power_up_type: str | None = None
    """``message_effect``, ``celebration`` or ``gigantify_an_emote``."""
    power_up_emote_id: str | None = None
    power_up_emote_name: str | None = None
    power_up_effect_id: str | None = None
    custom_power_up: str | None = None
    """JSON object with its title and reward id."""


@dataclass(slots=True, kw_only=True)
class ChannelRaid(EventSubEvent):
    """One row per raid that left a channel or came to one; chat's own (incoming) are in ``raids``."""

    kind: ClassVar[str] = "channel_raids"

    direction: str
    """``in`` or ``out``, as seen from the event's room."""
    from_room_id: str | None = None
    from_room_login: str | None = None
    from_room_display_name: str | None = None
    to_room_id: str | None = None
    to_room_login: str | None = None
    to_room_display_name: str | None = None
    viewer_count: int | None = None


@dataclass(slots=True, kw_only=True)
class ModAction(EventSubModeratorEvent):
    """One row per act of moderation with the moderator's name, as moderators are told.

    A ban comes under ``channel.ban`` and under ``channel.moderate``, each with its own fields: count
    the rows of one ``eventsub_type``.
    """

    kind: ClassVar[str] = "mod_actions"

    action: str
    """Twitch's word: ``ban``, ``timeout``, ``unban``, ``delete``, ``warn``, ``slow``, ``mod``, ``vip``,
    ``shared_chat_ban``…; also ``acknowledge_warning``, ``unban_request``, ``resolve_unban_request``."""
    reason: str | None = None
    is_permanent: bool | None = None
    banned_at: Instant | None = None
    ends_at: Instant | None = None
    """When a timeout is over."""
    target_message_id: str | None = None
    target_text: str | None = None
    follow_duration_min: int | None = None
    slow_s: int | None = None
    viewer_count: int | None = None
    """Of a raid sent out."""
    terms_action: str | None = None
    """``add`` or ``remove``."""
    terms_list: str | None = None
    """``blocked`` or ``permitted``."""
    terms: str | None = None
    """JSON list."""
    is_from_automod: bool | None = None
    chat_rules_cited: str | None = None
    """JSON list."""
    unban_request_id: str | None = None
    unban_request_text: str | None = None
    unban_request_status: str | None = None
    """``approved``, ``denied`` or ``canceled``."""
    unban_request_created_at: Instant | None = None
    is_approved: bool | None = None
    moderator_text: str | None = None
    """What the moderator wrote to the one who asked to be let in again."""
    source_room_login: str | None = None
    """Where it was done, in a shared chat; ``source_room_id`` is its id."""
    source_room_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class SuspiciousUser(EventSubModeratorEvent):
    """One row per message of a suspicious account, and per change of what moderators think of one."""

    kind: ClassVar[str] = "suspicious_users"

    action: str
    """``message`` or ``update``."""
    low_trust_status: str | None = None
    """``none``, ``active_monitoring`` or ``restricted``."""
    suspicion_types: str | None = None
    """JSON list of ``manually_added``, ``ban_evader``, ``banned_in_shared_channel``…"""
    shared_ban_channel_ids: str | None = None
    """JSON list of user ids."""
    ban_evasion_evaluation: str | None = None
    """``unknown``, ``possible`` or ``likely``."""
    message_id: str | None = None
    text: str | None = None
    fragments: str | None = None
    """JSON list; Twitch leaves plain words out of it here."""


@dataclass(slots=True, kw_only=True)
class ShieldMode(EventSubEvent):
    """One row per shield mode switched on or off."""

    kind: ClassVar[str] = "shield_modes"

    action: str
    """``begin`` or ``end``."""
    moderator_id: str | None = None
    moderator_login: str | None = None
    moderator_display_name: str | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None


KINDS_EVENTSUB: tuple[type[Event], ...] = (
    Notification,
    Follow,
    ChannelUpdate,
    SubscriptionChange,
    Cheer,
    BitsUse,
    ChannelRaid,
    HypeTrain,
    CreatorGoal,
    ModAction,
    SuspiciousUser,
    ShieldMode,
    Poll,
    Prediction,
    Redemption,
    AdBreak,
)
