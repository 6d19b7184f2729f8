"""Which fields of a chat event one transport tells and the other does not; all others are equal.

The same message gives the same event whether it came over IRC or over EventSub: same kind, same
``event_id``, and equal in every field but these. ``None`` stands where a transport does not tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

IRC, EVENTSUB, BOTH = "irc", "eventsub", "both"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, and who tells it."""

    field: str
    told_by: str
    """``irc``, ``eventsub``, or ``both`` where the two tell it, each in its own way."""
    why: str


def _only(told_by: str, names: str, why: str) -> tuple[Difference, ...]:
    return tuple(Difference(name, told_by, why) for name in names.split())


_ALWAYS = (
    Difference("source", BOTH, "says which of the two it was"),
    Difference("sent_at", BOTH, "IRC tells when chat took it, EventSub when the notification was sent"),
    Difference("received_at", BOTH, "ours"),
)
_PERSON = (*_ALWAYS, *_only(IRC, "is_turbo", "a badge shows it only of those who chose that badge"))
_NOTICE = (
    *_PERSON,
    *_only(IRC, "flags", "what AutoMod thought of the words"),
    Difference("tags", BOTH, "the raw tags of the one, the raw fields of the other"),
)
_GOAL = (
    *_NOTICE,
    *_only(
        IRC,
        "goal_contribution_type goal_current_contributions goal_target_contributions "
        "goal_user_contributions goal_description",
        "EventSub tells of goals in notifications of their own",
    ),
)
_GIFT_IRC = "goes by msg-param tags that EventSub has no field for"

DIFFERENCES: Final[dict[str, tuple[Difference, ...]]] = {
    "chat_messages": (
        *_PERSON,
        *_only(IRC, "flags", "what AutoMod thought of the words"),
        *_only(IRC, "is_first_message is_returning_chatter", "EventSub has no field for it"),
        Difference("other_tags", BOTH, "what has no column, under each one's own names"),
    ),
    "bits": _PERSON,
    "subscriptions": (
        *_GOAL,
        *_only(
            IRC,
            "plan_name legacy_months multi_month_tenure gift_months gift_month_being_redeemed",
            _GIFT_IRC,
        ),
    ),
    "sub_gifts": (*_GOAL, *_only(IRC, "plan_name recipient_months origin_id fun_string", _GIFT_IRC)),
    "mystery_gifts": (*_GOAL, *_only(IRC, "origin_id", _GIFT_IRC)),
    "pay_forwards": _NOTICE,
    "paid_upgrades": (*_NOTICE, *_only(IRC, "promo_name promo_gift_total", _GIFT_IRC)),
    "bits_badge_tiers": _NOTICE,
    "raids": _NOTICE,
    "announcements": _NOTICE,
    "milestones": (*_NOTICE, *_only(IRC, "milestone_id", "EventSub has no field for it")),
    "other_notices": (
        *_NOTICE,
        *_only(EVENTSUB, "modiversary_months", "IRC says it in the text only"),
    ),
    "moderation": (
        *_ALWAYS,
        *_only(IRC, "target_text", "EventSub names the deleted message by its id"),
        *_only(IRC, "duration_s reason", "EventSub tells them to moderators only (mod_actions)"),
        *_only(IRC, "source_room_id source_message_id", "EventSub does not say where it was done"),
        *_only(EVENTSUB, "room_display_name target_user_display_name", "IRC names people by login"),
        Difference("target_user_id", BOTH, "IRC tells it of bans and timeouts, EventSub of deletions too"),
    ),
}
"""By kind. ``one_tap_gifts`` and ``room_states`` come over IRC only."""

IN_SOME_CASES: Final[tuple[Difference, ...]] = (
    Difference(
        "source_room_id",
        IRC,
        "during a shared chat IRC tells the source of messages written in this very room too "
        "(and source_message_id, source_badges, source_badge_info, is_source_only with it)",
    ),
    Difference("is_subscriber", IRC, "of founders: their badge is told, and IRC's own tag wavers"),
    Difference("cumulative_months", IRC, "of a first sub"),
    Difference("is_streak_shared", IRC, "of a first sub"),
    Difference("was_gifted", IRC, "of a first sub"),
    Difference("emotes", BOTH, "the order of different emotes; their positions are equal"),
    Difference("event_id", BOTH, "of bans, timeouts and a cleared chat: neither transport gives them an id"),
    Difference("action", BOTH, "a ban or a timeout over IRC is clear_user_messages over EventSub"),
)
"""Differences that only some events of a kind have."""


def told_by_both(kind: str, names: list[str]) -> list[str]:
    """The fields, out of some, that an event has equal whichever transport told it.

    Args:
        kind: Of the event.
        names: Of its fields.

    Returns:
        Those that :data:`DIFFERENCES` does not name, in their order.
    """
    apart = {difference.field for difference in DIFFERENCES.get(kind, ())}
    return [name for name in names if name not in apart]
