"""Notices of chat told by IRC and by EventSub: each ``notice_type`` is the event of its ``msg-id``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

import pytest

from collectors.eventsub_events.differences import told_by_both
from dashboard.events import UserNotice
from tests.chat_both import (
    Said,
    assert_equal,
    emote,
    eventsub_event,
    eventsub_events,
    irc_events,
    parsed,
    words,
)

_COMMON = {column.name for column in fields(UserNotice)}
NOTICE = "channel.chat.notification"


@dataclass
class Both:
    """One notice, as each of the two tells it."""

    notice_type: str
    msg_id: str
    kind: str
    detail: dict[str, Any] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    unequal: set[str] = field(default_factory=set)
    """Fields that only this notice has unequal (see IN_SOME_CASES)."""


GIFTER = {
    "gifter_is_anonymous": False,
    "gifter_user_id": "55",
    "gifter_user_name": "Giver",
    "gifter_user_login": "giver",
}
RECIPIENT = {"recipient_user_id": "9", "recipient_user_name": "Lucky", "recipient_user_login": "lucky"}
RECIPIENT_TAGS = {
    "msg-param-recipient-id": "9",
    "msg-param-recipient-user-name": "lucky",
    "msg-param-recipient-display-name": "Lucky",
}
PRIOR_TAGS = {
    "msg-param-prior-gifter-anonymous": "false",
    "msg-param-prior-gifter-id": "55",
    "msg-param-prior-gifter-user-name": "giver",
    "msg-param-prior-gifter-display-name": "Giver",
}

CASES = [
    Both(
        "sub",
        "sub",
        "subscriptions",
        {"sub_tier": "1000", "is_prime": True, "duration_months": 1},
        {
            "msg-param-sub-plan": "Prime",
            "msg-param-multimonth-duration": "1",
            "msg-param-cumulative-months": "1",
            "msg-param-months": "0",
            "msg-param-should-share-streak": "0",
            "msg-param-was-gifted": "false",
        },
        unequal={"cumulative_months", "is_streak_shared", "was_gifted"},
    ),
    Both(
        "resub",
        "resub",
        "subscriptions",
        {
            "cumulative_months": 9,
            "duration_months": 6,
            "streak_months": 7,
            "sub_tier": "3000",
            "is_prime": False,
            "is_gift": True,
            **GIFTER,
        },
        {
            "msg-param-sub-plan": "3000",
            "msg-param-cumulative-months": "9",
            "msg-param-multimonth-duration": "6",
            "msg-param-streak-months": "7",
            "msg-param-should-share-streak": "1",
            "msg-param-was-gifted": "true",
            "msg-param-anon-gift": "false",
            "msg-param-gifter-id": "55",
            "msg-param-gifter-login": "giver",
            "msg-param-gifter-name": "Giver",
            "msg-param-gift-months": "3",
            "msg-param-goal-current-contributions": "881",
        },
    ),
    Both(
        "resub",
        "resub",
        "subscriptions",
        {
            "cumulative_months": 65,
            "duration_months": 0,
            "streak_months": None,
            "sub_tier": "1000",
            "is_prime": False,
            "is_gift": False,
            "gifter_is_anonymous": None,
            "gifter_user_id": None,
            "gifter_user_name": None,
            "gifter_user_login": None,
        },
        {
            "msg-param-sub-plan": "1000",
            "msg-param-cumulative-months": "65",
            "msg-param-multimonth-duration": "0",
            "msg-param-should-share-streak": "0",
            "msg-param-was-gifted": "false",
        },
    ),
    Both(
        "sub_gift",
        "subgift",
        "sub_gifts",
        {
            "duration_months": 6,
            "cumulative_total": 12,
            "sub_tier": "2000",
            "community_gift_id": "77",
            **RECIPIENT,
        },
        {
            "msg-param-gift-months": "6",
            "msg-param-sender-count": "12",
            "msg-param-sub-plan": "2000",
            "msg-param-community-gift-id": "77",
            "msg-param-months": "13",
            **RECIPIENT_TAGS,
        },
    ),
    Both(
        "community_sub_gift",
        "submysterygift",
        "mystery_gifts",
        {"id": "77", "total": 20, "sub_tier": "1000", "cumulative_total": 100},
        {
            "msg-param-community-gift-id": "77",
            "msg-param-mass-gift-count": "20",
            "msg-param-sub-plan": "1000",
            "msg-param-sender-count": "100",
        },
    ),
    Both(
        "gift_paid_upgrade",
        "giftpaidupgrade",
        "paid_upgrades",
        GIFTER,
        {"msg-param-sender-login": "giver", "msg-param-sender-name": "Giver"},
    ),
    Both(
        "gift_paid_upgrade",
        "anongiftpaidupgrade",
        "paid_upgrades",
        {
            "gifter_is_anonymous": True,
            "gifter_user_id": None,
            "gifter_user_name": None,
            "gifter_user_login": None,
        },
    ),
    Both(
        "prime_paid_upgrade",
        "primepaidupgrade",
        "paid_upgrades",
        {"sub_tier": "1000"},
        {"msg-param-sub-plan": "1000"},
    ),
    Both(
        "pay_it_forward",
        "communitypayforward",
        "pay_forwards",
        GIFTER,
        PRIOR_TAGS,
    ),
    Both(
        "pay_it_forward",
        "standardpayforward",
        "pay_forwards",
        GIFTER | RECIPIENT,
        PRIOR_TAGS | RECIPIENT_TAGS,
    ),
    Both(
        "raid",
        "raid",
        "raids",
        {
            "user_id": "22",
            "user_name": "Calm Tom",
            "user_login": "calm_tom",
            "viewer_count": 538,
            "profile_image_url": "https://cdn/a-%s.png",
        },
        {"msg-param-viewerCount": "538", "msg-param-profileImageURL": "https://cdn/a-%s.png"},
    ),
    Both("unraid", "unraid", "other_notices", {}),
    Both("announcement", "announcement", "announcements", {"color": "PURPLE"}, {"msg-param-color": "PURPLE"}),
    Both(
        "bits_badge_tier",
        "bitsbadgetier",
        "bits_badge_tiers",
        {"tier": 1000},
        {"msg-param-threshold": "1000"},
    ),
    Both(
        "charity_donation",
        "charitydonation",
        "other_notices",
        {"charity_name": "Seas", "amount": {"value": 2550, "decimal_places": 2, "currency": "EUR"}},
        {
            "msg-param-charity-name": "Seas",
            "msg-param-donation-amount": "2550",
            "msg-param-exponent": "2",
            "msg-param-donation-currency": "EUR",
        },
    ),
    Both("modiversary", "modiversary", "other_notices", {"months": 48}),
    Both(
        "watch_streak",
        "viewermilestone",
        "milestones",
        {"streak_count": 15, "channel_points_awarded": 450},
        {
            "msg-param-category": "watch-streak",
            "msg-param-value": "15",
            "msg-param-copoReward": "450",
            "msg-param-id": "m1",
        },
    ),
]


def said(case: Both, *, is_shared: bool = False) -> Said:
    """The notice, with a text that its user added, perhaps out of a shared chat."""
    name = f"shared_chat_{case.notice_type}" if is_shared else case.notice_type
    tags = {"msg-id": case.msg_id, "system-msg": "Calm Tom did it", "flags": "", "turbo": "0"} | case.tags
    told = {
        "chatter_is_anonymous": False,
        "system_message": "Calm Tom did it",
        "notice_type": name,
        name: case.detail,
    }
    if is_shared:
        tags |= {
            "msg-id": "sharedchatnotice",
            "source-msg-id": case.msg_id,
            "source-room-id": "112233",
            "source-id": "s1",
            "source-only": "1",
        }
        told |= {
            "source_broadcaster_user_id": "112233",
            "source_broadcaster_user_login": "streamer33",
            "source_broadcaster_user_name": "Streamer33",
            "source_message_id": "s1",
            "is_source_only": True,
        }
    return Said(
        parts=[words("hello "), emote("Kappa", "25")],
        badges=[("vip", "1", ""), ("subscriber", "6", "9")],
        source_badges=[("subscriber", "3", "4")] if is_shared else None,
        irc_tags=tags,
        fields=told,
    )


@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.msg_id)
def test_a_notice_is_the_same_event(case: Both, is_shared: bool) -> None:
    notice = said(case, is_shared=is_shared)
    irc, eventsub = irc_events(notice, "USERNOTICE"), eventsub_events(notice, NOTICE)
    for event in [*irc, *eventsub]:
        for name in case.unequal:
            setattr(event, name, None)
    assert_equal(irc, eventsub)
    [event] = eventsub
    assert (event.kind, event.event_id, event.system_message) == (
        case.kind,
        notice.message_id,
        "Calm Tom did it",
    )
    assert (event.text, event.emotes, event.emote_names) == ("hello Kappa", "25:6-10", "Kappa")
    assert event.msg_id == ("sharedchatnotice" if is_shared else case.msg_id)
    assert (event.source_room_id, event.is_source_only) == (("112233", True) if is_shared else (None, None))


def test_every_field_of_a_kind_is_compared_at_least_once() -> None:
    told: dict[str, set[str]] = {}
    there: dict[str, list[str]] = {}
    for case in CASES:
        [event] = eventsub_events(said(case), NOTICE)
        columns = [column.name for column in fields(event) if column.name not in _COMMON]
        there[event.kind] = told_by_both(event.kind, columns)
        told.setdefault(event.kind, set()).update(
            name for name in columns if getattr(event, name) is not None and name not in case.unequal
        )
    assert {kind: set(names) - told[kind] for kind, names in there.items()} == {kind: set() for kind in there}


@pytest.mark.parametrize("case", CASES[3:5], ids=lambda case: case.msg_id)
def test_an_anonymous_gift_has_the_account_that_chat_shows(case: Both) -> None:
    notice = said(case)
    notice.badges = []
    notice.color = ""
    notice.user_id, notice.login, notice.name = "274598607", "ananonymousgifter", "AnAnonymousGifter"
    event = eventsub_event(notice) | {
        "chatter_is_anonymous": True,
        "chatter_user_id": None,
        "chatter_user_login": None,
        "chatter_user_name": None,
        case.notice_type: (case.detail or {}) | {"cumulative_total": None},
    }
    irc, eventsub = irc_events(notice, "USERNOTICE"), parsed(NOTICE, event)
    assert_equal(irc, eventsub)
    assert (eventsub[0].is_anonymous, eventsub[0].sender_total) == (True, None)


def test_a_notice_without_words_has_none() -> None:
    # Twitch's fragments are [] or null when there is no text.
    notice = said(CASES[1])
    for fragments in ([], None):
        event = eventsub_event(notice) | {"message": {"text": "", "fragments": fragments}}
        [resub] = parsed(NOTICE, event)
        assert (resub.kind, resub.text, resub.emotes) == ("subscriptions", None, None)


def test_an_unheard_of_notice_is_kept_whole() -> None:
    notice = said(Both("brand_new", "brand_new", "other_notices", {"depth": {"metres": 4}}))
    [event] = eventsub_events(notice, NOTICE)
    assert (event.kind, event.msg_id) == ("other_notices", "brand_new")
    assert json.loads(event.tags)["brand_new"] == {"depth": {"metres": 4}}


def test_raw_fields_stay_without_the_objects_of_other_types() -> None:
    event = eventsub_event(said(CASES[3])) | {"sub": None, "resub": None}
    [gift] = parsed(NOTICE, event)
    raw = json.loads(gift.tags)
    assert raw["sub_gift"]["community_gift_id"] == "77"
    assert raw["broadcaster_user_name"] == "Röom"
    assert "resub" not in raw
