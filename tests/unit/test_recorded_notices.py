"""Twitch's sentences about subs, gifts and raids, read back into events."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.recorded.notices import notice_from_text
from dashboard.events import Instant, UserNotice

COMMON: dict[str, Any] = {
    "event_id": "e",
    "source": "import",
    "room_login": "quietriver",
    "sent_at": Instant(1),
    "received_at": Instant(2),
}
ALWAYS = {*COMMON, "kind", "system_message", "msg_id", "tags"}


def told(notice: UserNotice | None) -> dict[str, Any]:
    assert notice is not None
    fields = {name: getattr(notice, name) for name in type(notice).__dataclass_fields__ if name not in ALWAYS}
    return {"kind": notice.kind, "msg_id": notice.msg_id} | {k: v for k, v in fields.items() if v is not None}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Kettle subscribed at Tier 2. They've subscribed for 1,2",  # cut in the middle: the rest is text
            {"kind": "subscriptions", "msg_id": "sub", "plan": "2000", "text": "They've subscribed for 1,2"},
        ),
        ("Kettle subscribed with Prime. ", {"kind": "subscriptions", "msg_id": "sub", "plan": "Prime"}),
        (
            "Kettle subscribed at Tier 1. They've subscribed for 22 months, currently on a 9 month streak! a",
            {
                "kind": "subscriptions",
                "msg_id": "resub",
                "plan": "1000",
                "cumulative_months": 22,
                "streak_months": 9,
                "is_streak_shared": True,
                "text": "a",
            },
        ),
        ("Kettle just subscribed!", {"kind": "subscriptions", "msg_id": "sub"}),
        (
            "Kettle subscribed for 8 months in a row! [LUL]",
            {"kind": "subscriptions", "msg_id": "resub", "legacy_months": 8, "text": "LUL"},
        ),
        (
            "Kettle gifted a Tier 1 sub to Moss! They have given 1,093 Gift Subs in the channel!",
            {
                "kind": "sub_gifts",
                "msg_id": "subgift",
                "is_anonymous": False,
                "plan": "1000",
                "recipient_login": "moss",
                "recipient_display_name": "Moss",
                "sender_total": 1093,
            },
        ),
        (
            "Kettle gifted a Tier 3 sub to 緑の鍋! This is their first Gift Sub in the channel!",
            {
                "kind": "sub_gifts",
                "msg_id": "subgift",
                "is_anonymous": False,
                "plan": "3000",
                "recipient_display_name": "緑の鍋",
                "sender_total": 1,
            },
        ),
        (
            "Kettle gifted 6 months of Tier 1 to Moss. They've gifted 72 months in the channel!",
            {
                "kind": "sub_gifts",
                "msg_id": "subgift",
                "is_anonymous": False,
                "plan": "1000",
                "gift_months": 6,
                "recipient_login": "moss",
                "recipient_display_name": "Moss",
            },
        ),
        (
            "An anonymous user gifted a Tier 1 sub to Moss! ",
            {
                "kind": "sub_gifts",
                "msg_id": "subgift",
                "is_anonymous": True,
                "plan": "1000",
                "recipient_login": "moss",
                "recipient_display_name": "Moss",
            },
        ),
        (
            "Kettle is gifting 5 Tier 1 Subs to my community! They've gifted a total of 90 in the channel!",
            {
                "kind": "mystery_gifts",
                "msg_id": "submysterygift",
                "is_anonymous": False,
                "gift_count": 5,
                "plan": "1000",
                "sender_total": 90,
            },
        ),
        (
            "Kettle is paying forward the Gift they got from an anonymous gifter to the community! ",
            {
                "kind": "pay_forwards",
                "msg_id": "communitypayforward",
                "is_to_community": True,
                "is_prior_gifter_anonymous": True,
            },
        ),
        (
            "Kettle is paying forward the Gift they got from Moss to Fern!",
            {
                "kind": "pay_forwards",
                "msg_id": "standardpayforward",
                "is_to_community": False,
                "is_prior_gifter_anonymous": False,
                "prior_gifter_login": "moss",
                "prior_gifter_display_name": "Moss",
                "recipient_login": "fern",
                "recipient_display_name": "Fern",
            },
        ),
        (
            "Kettle is continuing the Gift Sub they got from Moss! ",
            {
                "kind": "paid_upgrades",
                "msg_id": "giftpaidupgrade",
                "upgraded_from": "gift",
                "gifter_login": "moss",
                "gifter_display_name": "Moss",
            },
        ),
        (
            "Kettle converted from a Prime sub to a Tier 1 sub!",
            {"kind": "paid_upgrades", "msg_id": "primepaidupgrade", "upgraded_from": "prime", "plan": "1000"},
        ),
        ("1,589 raiders from Moss have joined! ", {"kind": "raids", "msg_id": "raid", "viewer_count": 1589}),
        (
            "Kettle watched 10 consecutive streams and sparked a watch streak! why",
            {
                "kind": "milestones",
                "msg_id": "viewermilestone",
                "category": "watch-streak",
                "value": 10,
                "text": "why",
            },
        ),
        (
            "Kettle just earned a new 1.25M Bits badge!",
            {"kind": "bits_badge_tiers", "msg_id": "bitsbadgetier", "threshold": 1_250_000},
        ),
        (
            "Kettle redeemed heart for 5 Bits ",
            {
                "kind": "one_tap_gifts",
                "msg_id": "onetapgiftredeemed",
                "gift_id": "heart",
                "bits_spent": 5,
                "giver_display_name": "Kettle",
            },
        ),
    ],
)
def test_sentences(sentence: str, expected: dict[str, Any]) -> None:
    assert told(notice_from_text(sentence, COMMON)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "welcome 12 raiders from Moss have joined!",
        "redeemed heart for 5 Bits",
        "somebody gifted a sub to me",
        "he just subscribed!! wow",
        "",
    ],
)
def test_what_people_say_about_it_stays_chat(text: str) -> None:
    assert notice_from_text(text, COMMON) is None
