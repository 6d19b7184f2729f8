"""Subs, gifts, raids and the rest that Twitch celebrates in chat, as the same events that IRC gives.

Each ``notice_type`` has a small function that reads its own object; one that is not known (yet) becomes
an ``OtherNotice``. What came is kept whole in ``tags``, without the objects of the other types, which
are null. A notice out of a shared chat has its true kind behind ``shared_chat_``.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/#channelchatnotification
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from collectors.eventsub_events.person import emotes_of, person, unwrapped
from collectors.eventsub_events.values import Room, Told, flag, text, told, whole
from collectors.irc_notices import ANONYMOUS_GIFTER_ID
from dashboard.events import (
    Announcement,
    BitsBadgeTier,
    Event,
    Milestone,
    MysteryGift,
    OtherNotice,
    PaidUpgrade,
    PayForward,
    Raid,
    SubGift,
    Subscription,
)
from dashboard.eventsub_message import EventSubMessage

Common = dict[str, Any]
Builder = Callable[[Told, Told, Common], Event]

_SHARED = "shared_chat_"
_ANONYMOUS = {
    "user_id": ANONYMOUS_GIFTER_ID,
    "user_login": "ananonymousgifter",
    "user_display_name": "AnAnonymousGifter",
}


def chat_notice(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """One notice as the event of its type.

    Args:
        message: It came in.
        event: What it tells.
        room: Where it was shown.

    Returns:
        Exactly one event, under the id that IRC has for it.
    """
    told_type = text(event.get("notice_type")) or ""
    name = told_type.removeprefix(_SHARED)
    detail = event.get(told_type)
    build, msg_id = _BUILDERS.get(name, (_other, name or None))
    common = _common(message, event, room)
    common["msg_id"] = "sharedchatnotice" if told_type != name else msg_id
    return [build(event, told(detail), common)]


def _common(message: EventSubMessage, event: Told, room: Room) -> Common:
    content = told(event.get("message"))
    written, _ = unwrapped(text(content.get("text")) or "")
    emotes, names = emotes_of(content.get("fragments"), written)
    kept = {key: value for key, value in event.items() if value is not None}
    return {
        "event_id": text(event.get("message_id")) or message.message_id,
        "source": "eventsub",
        "room_login": room.login,
        "sent_at": message.sent_at,
        "received_at": message.received_at,
        "room_id": room.room_id,
        "system_message": text(event.get("system_message")),
        "text": written or None,
        "emotes": emotes,
        "emote_names": names,
        "tags": orjson.dumps(kept).decode(),
        **person(event),
    }


def _gifter(detail: Told, prefix: str = "gifter") -> Common:
    return {
        f"{prefix}_id": text(detail.get("gifter_user_id")),
        f"{prefix}_login": text(detail.get("gifter_user_login")),
        f"{prefix}_display_name": text(detail.get("gifter_user_name")),
    }


def _recipient(detail: Told) -> Common:
    return {
        "recipient_id": text(detail.get("recipient_user_id")),
        "recipient_login": text(detail.get("recipient_user_login")),
        "recipient_display_name": text(detail.get("recipient_user_name")),
    }


def _plan(detail: Told) -> str | None:
    if detail.get("is_prime") is True:
        return "Prime"
    # Twitch's own examples call it sub_plan, as it once was.
    return text(detail.get("sub_tier")) or text(detail.get("sub_plan"))


def _giver(event: Told, detail: Told, common: Common) -> Common:
    """Who gives, with the total; Twitch's chat shows anonymous gifts under an account of its own."""
    is_anonymous = flag(event.get("chatter_is_anonymous"))
    if is_anonymous and common["user_id"] is None:
        common |= _ANONYMOUS
    # As in IRC: who gives has given at least one, so 0 is "not told".
    total = None if is_anonymous else whole(detail.get("cumulative_total")) or None
    return {**common, "is_anonymous": is_anonymous, "sender_total": total}


def _subscription(event: Told, detail: Told, common: Common) -> Event:
    streak = whole(detail.get("streak_months"))
    return Subscription(
        **common,
        plan=_plan(detail),
        cumulative_months=whole(detail.get("cumulative_months")),
        streak_months=streak,
        # Twitch tells the streak only of those who share it; a first sub has none to share.
        is_streak_shared=streak is not None if "streak_months" in detail else None,
        multi_month_duration=whole(detail.get("duration_months")),
        was_gifted=flag(detail.get("is_gift")),
        is_gifter_anonymous=flag(detail.get("gifter_is_anonymous")),
        **_gifter(detail),
    )


def _sub_gift(event: Told, detail: Told, common: Common) -> Event:
    return SubGift(
        **_giver(event, detail, common),
        **_recipient(detail),
        plan=_plan(detail),
        gift_months=whole(detail.get("duration_months")),
        community_gift_id=text(detail.get("community_gift_id")),
    )


def _mystery_gift(event: Told, detail: Told, common: Common) -> Event:
    return MysteryGift(
        **_giver(event, detail, common),
        gift_count=whole(detail.get("total")),
        plan=_plan(detail),
        community_gift_id=text(detail.get("id")),
    )


def _gift_upgrade(event: Told, detail: Told, common: Common) -> Event:
    is_anonymous = flag(detail.get("gifter_is_anonymous"))
    if is_anonymous and common["msg_id"] == "giftpaidupgrade":
        common["msg_id"] = "anongiftpaidupgrade"
    return PaidUpgrade(
        **common,
        upgraded_from="anonymous_gift" if is_anonymous else "gift",
        gifter_login=text(detail.get("gifter_user_login")),
        gifter_display_name=text(detail.get("gifter_user_name")),
    )


def _prime_upgrade(event: Told, detail: Told, common: Common) -> Event:
    return PaidUpgrade(**common, upgraded_from="prime", plan=_plan(detail))


def _pay_forward(event: Told, detail: Told, common: Common) -> Event:
    recipient = _recipient(detail)
    is_to_community = recipient["recipient_id"] is None
    if not is_to_community and common["msg_id"] == "communitypayforward":
        common["msg_id"] = "standardpayforward"
    return PayForward(
        **common,
        **recipient,
        is_to_community=is_to_community,
        is_prior_gifter_anonymous=flag(detail.get("gifter_is_anonymous")),
        **_gifter(detail, "prior_gifter"),
    )


def _raid(event: Told, detail: Told, common: Common) -> Event:
    return Raid(
        **common,
        viewer_count=whole(detail.get("viewer_count")),
        profile_image_url=text(detail.get("profile_image_url")),
    )


def _announcement(event: Told, detail: Told, common: Common) -> Event:
    return Announcement(**common, announcement_color=text(detail.get("color")))


def _bits_badge_tier(event: Told, detail: Told, common: Common) -> Event:
    return BitsBadgeTier(**common, threshold=whole(detail.get("tier")))


def _watch_streak(event: Told, detail: Told, common: Common) -> Event:
    return Milestone(
        **common,
        category="watch-streak",
        value=whole(detail.get("streak_count")),
        reward_points=whole(detail.get("channel_points_awarded")),
    )


def _charity(event: Told, detail: Told, common: Common) -> Event:
    amount = told(detail.get("amount"))
    # Twitch's description says decimal_place, its messages decimal_places.
    places = amount.get("decimal_places", amount.get("decimal_place"))
    return OtherNotice(
        **common,
        charity_name=text(detail.get("charity_name")),
        donation_amount=whole(amount.get("value")),
        donation_decimal_places=whole(places),
        donation_currency=text(amount.get("currency")),
    )


def _modiversary(event: Told, detail: Told, common: Common) -> Event:
    return OtherNotice(**common, modiversary_months=whole(detail.get("months")))


def _other(event: Told, detail: Told, common: Common) -> Event:
    return OtherNotice(**common)


_BUILDERS: dict[str, tuple[Builder, str]] = {
    "sub": (_subscription, "sub"),
    "resub": (_subscription, "resub"),
    "sub_gift": (_sub_gift, "subgift"),
    "community_sub_gift": (_mystery_gift, "submysterygift"),
    "gift_paid_upgrade": (_gift_upgrade, "giftpaidupgrade"),
    "prime_paid_upgrade": (_prime_upgrade, "primepaidupgrade"),
    "pay_it_forward": (_pay_forward, "communitypayforward"),
    "raid": (_raid, "raid"),
    "unraid": (_other, "unraid"),
    "announcement": (_announcement, "announcement"),
    "bits_badge_tier": (_bits_badge_tier, "bitsbadgetier"),
    "charity_donation": (_charity, "charitydonation"),
    "modiversary": (_modiversary, "modiversary"),
    "watch_streak": (_watch_streak, "viewermilestone"),
}
"""By EventSub's ``notice_type``: how to read it, and IRC's word for it (tag ``msg-id``)."""
