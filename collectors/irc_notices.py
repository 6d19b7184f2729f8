"""USERNOTICEs: subs, gifts, raids and whatever else Twitch celebrates in chat.

Each ``msg-id`` has a small function that reads its own tags; one that is not known (yet) becomes an
``OtherNotice``. The raw tags are kept whole with every one of them, so nothing is lost when Twitch
adds a tag. Of a shared chat's ``sharedchatnotice`` the true kind is in ``source-msg-id``.

Source: https://dev.twitch.tv/docs/chat/irc/#usernotice-tags and the tags seen in recordings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collectors.irc_parser import nick_of
from collectors.irc_values import Line, Tags, emote_names, flag, is_vip, json_text, number
from dashboard.events import (
    Announcement,
    BitsBadgeTier,
    Event,
    Milestone,
    MysteryGift,
    OneTapGift,
    OtherNotice,
    PaidUpgrade,
    PayForward,
    Raid,
    SubGift,
    Subscription,
    synthetic_id,
)

ANONYMOUS_GIFTER_ID = "274598607"
"""User id of AnAnonymousGifter, under whose name Twitch shows anonymous gifts."""

Common = dict[str, Any]
Builder = Callable[[str, Tags, Common], Event]


def user_notice(line: Line) -> list[Event]:
    """One USERNOTICE as the event of its ``msg-id``.

    Args:
        line: With the room and perhaps a text that the user added.

    Returns:
        Exactly one event.

    Raises:
        ParseError: The line names no room.
    """
    tags = line.tags
    msg_id = tags.get("msg-id") or ""
    kind = (tags.get("source-msg-id") or "") if msg_id == "sharedchatnotice" else msg_id
    return [_BUILDERS.get(kind, _other)(kind, tags, _common(line, kind))]


def _common(line: Line, kind: str) -> Common:
    room, at, text = line.room(), line.sent_at, line.text
    get = line.tags.get
    login = get("login") or nick_of(line.origin)
    tags_json = json_text(line.tags)
    emotes = get("emotes") or None
    return {
        "event_id": get("id") or synthetic_id("usernotice", kind, room, at, login, text, tags_json),
        "source": line.source,
        "room_login": room,
        "sent_at": at,
        "received_at": line.received_at,
        "room_id": get("room-id") or None,
        "source_room_id": get("source-room-id") or None,
        "source_message_id": get("source-id") or None,
        "user_id": get("user-id") or None,
        "user_login": login,
        "user_display_name": get("display-name") or None,
        "color": get("color") or None,
        "badges": get("badges") or None,
        "badge_info": get("badge-info") or None,
        "is_subscriber": flag(get("subscriber")),
        "is_vip": is_vip(line.tags),
        "is_mod": flag(get("mod")),
        "is_turbo": flag(get("turbo")),
        "user_type": get("user-type") or None,
        "source_badges": get("source-badges") or None,
        "source_badge_info": get("source-badge-info") or None,
        "is_source_only": flag(get("source-only")),
        "msg_id": get("msg-id") or None,
        "system_message": get("system-msg") or None,
        "text": text or None,
        "emotes": emotes,
        "emote_names": emote_names(emotes, text),
        "flags": get("flags") or None,
        "tags": tags_json,
    }


def _param(tags: Tags, *names: str) -> str | None:
    """The first of the ``msg-param-…`` tags that tells something."""
    for name in names:
        value = tags.get(f"msg-param-{name}")
        if value:
            return value
    return None


def _goal(tags: Tags) -> Common:
    return {
        "goal_contribution_type": _param(tags, "goal-contribution-type"),
        "goal_current_contributions": number(_param(tags, "goal-current-contributions")),
        "goal_target_contributions": number(_param(tags, "goal-target-contributions")),
        "goal_user_contributions": number(_param(tags, "goal-user-contributions")),
        "goal_description": _param(tags, "goal-description"),
    }


def _is_anonymous(kind: str, tags: Tags) -> bool | None:
    if kind.startswith("anon"):
        return True
    user_id = tags.get("user-id")
    return user_id == ANONYMOUS_GIFTER_ID if user_id else None


def _sender_total(tags: Tags) -> int | None:
    # Somebody who gives has given at least one, so Twitch's 0 means "not told": for anonymous givers
    # and for the single gifts of a mystery gift, whose own line has the total.
    return number(_param(tags, "sender-count")) or None


def _subscription(kind: str, tags: Tags, common: Common) -> Event:
    return Subscription(
        **common,
        **_goal(tags),
        plan=_param(tags, "sub-plan"),
        plan_name=_param(tags, "sub-plan-name"),
        cumulative_months=number(_param(tags, "cumulative-months")),
        streak_months=number(_param(tags, "streak-months")),
        is_streak_shared=flag(_param(tags, "should-share-streak")),
        legacy_months=number(_param(tags, "months")),
        multi_month_duration=number(_param(tags, "multimonth-duration")),
        multi_month_tenure=number(_param(tags, "multimonth-tenure")),
        was_gifted=flag(_param(tags, "was-gifted")),
        is_gifter_anonymous=flag(_param(tags, "anon-gift")),
        gifter_id=_param(tags, "gifter-id"),
        gifter_login=_param(tags, "gifter-login"),
        gifter_display_name=_param(tags, "gifter-name"),
        gift_months=number(_param(tags, "gift-months")),
        gift_month_being_redeemed=number(_param(tags, "gift-month-being-redeemed")),
    )


def _sub_gift(kind: str, tags: Tags, common: Common) -> Event:
    is_anonymous = _is_anonymous(kind, tags)
    return SubGift(
        **common,
        **_goal(tags),
        is_anonymous=is_anonymous,
        recipient_id=_param(tags, "recipient-id"),
        recipient_login=_param(tags, "recipient-user-name", "recipient-name"),
        recipient_display_name=_param(tags, "recipient-display-name"),
        plan=_param(tags, "sub-plan"),
        plan_name=_param(tags, "sub-plan-name"),
        recipient_months=number(_param(tags, "months")),
        gift_months=number(_param(tags, "gift-months")),
        sender_total=None if is_anonymous else _sender_total(tags),
        origin_id=_param(tags, "origin-id"),
        community_gift_id=_param(tags, "community-gift-id"),
        fun_string=_param(tags, "fun-string"),
    )


def _mystery_gift(kind: str, tags: Tags, common: Common) -> Event:
    is_anonymous = _is_anonymous(kind, tags)
    return MysteryGift(
        **common,
        **_goal(tags),
        is_anonymous=is_anonymous,
        gift_count=number(_param(tags, "mass-gift-count")),
        plan=_param(tags, "sub-plan"),
        sender_total=None if is_anonymous else _sender_total(tags),
        origin_id=_param(tags, "origin-id"),
        community_gift_id=_param(tags, "community-gift-id"),
    )


def _pay_forward(kind: str, tags: Tags, common: Common) -> Event:
    return PayForward(
        **common,
        is_to_community=kind == "communitypayforward",
        is_prior_gifter_anonymous=flag(_param(tags, "prior-gifter-anonymous")),
        prior_gifter_id=_param(tags, "prior-gifter-id"),
        prior_gifter_login=_param(tags, "prior-gifter-user-name"),
        prior_gifter_display_name=_param(tags, "prior-gifter-display-name"),
        recipient_id=_param(tags, "recipient-id"),
        recipient_login=_param(tags, "recipient-user-name", "recipient-name"),
        recipient_display_name=_param(tags, "recipient-display-name"),
    )


_UPGRADED_FROM = {
    "giftpaidupgrade": "gift",
    "anongiftpaidupgrade": "anonymous_gift",
    "primepaidupgrade": "prime",
}


def _paid_upgrade(kind: str, tags: Tags, common: Common) -> Event:
    return PaidUpgrade(
        **common,
        upgraded_from=_UPGRADED_FROM[kind],
        plan=_param(tags, "sub-plan"),
        gifter_login=_param(tags, "sender-login"),
        gifter_display_name=_param(tags, "sender-name"),
        promo_name=_param(tags, "promo-name"),
        promo_gift_total=number(_param(tags, "promo-gift-total")),
    )


def _one_tap_gift(kind: str, tags: Tags, common: Common) -> Event:
    return OneTapGift(
        **common,
        gift_id=_param(tags, "gift-id"),
        bits_spent=number(_param(tags, "bits-spent")),
        giver_display_name=_param(tags, "user-display-name"),
    )


def _bits_badge_tier(kind: str, tags: Tags, common: Common) -> Event:
    return BitsBadgeTier(**common, threshold=number(_param(tags, "threshold")))


def _raid(kind: str, tags: Tags, common: Common) -> Event:
    return Raid(
        **common,
        viewer_count=number(_param(tags, "viewerCount")),
        profile_image_url=_param(tags, "profileImageURL"),
    )


def _announcement(kind: str, tags: Tags, common: Common) -> Event:
    return Announcement(**common, announcement_color=_param(tags, "color"))


def _milestone(kind: str, tags: Tags, common: Common) -> Event:
    return Milestone(
        **common,
        category=_param(tags, "category"),
        milestone_id=_param(tags, "id"),
        value=number(_param(tags, "value")),
        reward_points=number(_param(tags, "copoReward")),
    )


def _charity(kind: str, tags: Tags, common: Common) -> Event:
    return OtherNotice(
        **common,
        charity_name=_param(tags, "charity-name"),
        donation_amount=number(_param(tags, "donation-amount")),
        donation_decimal_places=number(_param(tags, "exponent")),
        donation_currency=_param(tags, "donation-currency"),
    )


def _other(kind: str, tags: Tags, common: Common) -> Event:
    return OtherNotice(**common)


_BUILDERS: dict[str, Builder] = {
    "sub": _subscription,
    "resub": _subscription,
    "subgift": _sub_gift,
    "anonsubgift": _sub_gift,
    "submysterygift": _mystery_gift,
    "anonsubmysterygift": _mystery_gift,
    "standardpayforward": _pay_forward,
    "communitypayforward": _pay_forward,
    "giftpaidupgrade": _paid_upgrade,
    "anongiftpaidupgrade": _paid_upgrade,
    "primepaidupgrade": _paid_upgrade,
    "onetapgiftredeemed": _one_tap_gift,
    "bitsbadgetier": _bits_badge_tier,
    "raid": _raid,
    "announcement": _announcement,
    "viewermilestone": _milestone,
    "charitydonation": _charity,
}
