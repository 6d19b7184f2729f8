"""What a channel stages, as EventSub tells it: hype trains, goals, polls, predictions, redemptions, ads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dashboard.events_base import Instant
from dashboard.events_eventsub_base import EventSubEvent, EventSubUserEvent


@dataclass(slots=True, kw_only=True)
class HypeTrain(EventSubEvent):
    """One row per start, step and end of a hype train; ``train_id`` holds them together."""

    kind: ClassVar[str] = "hype_trains"

    action: str
    """``begin``, ``progress`` or ``end``."""
    train_id: str | None = None
    train_type: str | None = None
    """``regular``, ``golden_kappa`` or ``treasure``."""
    level: int | None = None
    total_points: int | None = None
    level_points: int | None = None
    """Towards the next level."""
    level_goal_points: int | None = None
    all_time_high_level: int | None = None
    all_time_high_points: int | None = None
    started_at: Instant | None = None
    expires_at: Instant | None = None
    ended_at: Instant | None = None
    cooldown_ends_at: Instant | None = None
    top_contributions: str | None = None
    """JSON list of ``{"user_id", "user_login", "user_name", "type", "total"}``."""
    last_contribution: str | None = None
    """JSON object of the same form; of version 1."""
    is_shared: bool | None = None
    shared_participants: str | None = None
    """JSON list of the channels that share it."""
    is_golden_kappa: bool | None = None
    """Of version 1."""


@dataclass(slots=True, kw_only=True)
class CreatorGoal(EventSubEvent):
    """One row per start, step and end of a goal that the channel set itself."""

    kind: ClassVar[str] = "goals"

    action: str
    """``begin``, ``progress`` or ``end``."""
    goal_id: str | None = None
    goal_type: str | None = None
    """``follow``, ``subscription``, ``subscription_count``, ``new_subscription``, ``new_bit``…"""
    description: str | None = None
    current_amount: int | None = None
    target_amount: int | None = None
    is_achieved: bool | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None


@dataclass(slots=True, kw_only=True)
class Poll(EventSubEvent):
    """One row per start, step and end of a poll, with the votes as they were then."""

    kind: ClassVar[str] = "polls"

    action: str
    """``begin``, ``progress`` or ``end``."""
    poll_id: str | None = None
    title: str | None = None
    choices: str | None = None
    """JSON list of ``{"id", "title", "votes", "bits_votes", "channel_points_votes"}``."""
    status: str | None = None
    """``completed``, ``archived`` or ``terminated``."""
    has_bits_voting: bool | None = None
    bits_per_vote: int | None = None
    has_channel_points_voting: bool | None = None
    channel_points_per_vote: int | None = None
    started_at: Instant | None = None
    ends_at: Instant | None = None
    ended_at: Instant | None = None


@dataclass(slots=True, kw_only=True)
class Prediction(EventSubEvent):
    """One row per start, step, lock and end of a prediction, with the points as they were then."""

    kind: ClassVar[str] = "predictions"

    action: str
    """``begin``, ``progress``, ``lock`` or ``end``."""
    prediction_id: str | None = None
    title: str | None = None
    outcomes: str | None = None
    """JSON list of ``{"id", "title", "color", "users", "channel_points", "top_predictors"}``."""
    winning_outcome_id: str | None = None
    status: str | None = None
    """``resolved`` or ``canceled``."""
    started_at: Instant | None = None
    locks_at: Instant | None = None
    locked_at: Instant | None = None
    ended_at: Instant | None = None


@dataclass(slots=True, kw_only=True)
class Redemption(EventSubUserEvent):
    """One row per redemption of channel points, and per change of its status."""

    kind: ClassVar[str] = "redemptions"

    action: str
    """``add`` or ``update``."""
    is_automatic: bool | None = None
    """Whether the reward is one of Twitch's own (highlight a message, unlock an emote)."""
    redemption_id: str | None = None
    status: str | None = None
    """``unfulfilled``, ``fulfilled``, ``canceled`` or ``unknown``."""
    user_input: str | None = None
    reward_id: str | None = None
    reward_title: str | None = None
    reward_prompt: str | None = None
    reward_type: str | None = None
    """Of an automatic one: ``send_highlighted_message``…"""
    cost: int | None = None
    """Channel points."""
    text: str | None = None
    emotes: str | None = None
    """JSON list of ``{"id", "begin", "end"}``; of version 1."""
    fragments: str | None = None
    """JSON list of the text's parts; of version 2."""
    reward_emote_id: str | None = None
    reward_emote_name: str | None = None
    redeemed_at: Instant | None = None


@dataclass(slots=True, kw_only=True)
class AdBreak(EventSubEvent):
    """One row per ad break begun."""

    kind: ClassVar[str] = "ad_breaks"

    duration_s: int | None = None
    is_automatic: bool | None = None
    started_at: Instant | None = None
    requester_id: str | None = None
    requester_login: str | None = None
    requester_display_name: str | None = None
