"""USERNOTICEs: each ``msg-id`` with its own fields, and everything else kept."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

import pytest

from collectors.irc_events import to_events
from dashboard.events import Event, Instant, Subscription, UserNotice

NOW = Instant(1_800_000_000_000_000)
_COMMON = {field.name for field in fields(UserNotice)}


def notice(tags: str, text: str | None = None) -> Event:
    end = "" if text is None else f" :{text}"
    [event] = to_events(f"@{tags} :tmi.twitch.tv USERNOTICE #room{end}", NOW)
    return event


def told(event: Event) -> dict[str, object]:
    """The fields of its own kind that are told."""
    return {k: v for k, v in asdict(event).items() if k not in _COMMON and v is not None}


def test_a_resub_is_read_whole() -> None:
    tags = (
        "badge-info=subscriber/9;badges=vip/1,subscriber/6;color=#1E90FF;display-name=Calm\\sTom;"
        "emotes=25:0-4;flags=6-9:P.3;id=db25007f;login=calm_tom;mod=0;msg-id=resub;msg-param-anon-gift=false;"
        "msg-param-cumulative-months=9;msg-param-gift-month-being-redeemed=2;msg-param-gift-months=3;"
        "msg-param-gifter-id=55;msg-param-gifter-login=giver;msg-param-gifter-name=Giver;"
        "msg-param-goal-contribution-type=SUB_POINTS;msg-param-goal-current-contributions=881;"
        "msg-param-goal-description=day\\slee;msg-param-goal-target-contributions=900;"
        "msg-param-goal-user-contributions=1;msg-param-months=0;msg-param-multimonth-duration=6;"
        "msg-param-multimonth-tenure=4;msg-param-should-share-streak=1;msg-param-streak-months=7;"
        "msg-param-sub-plan-name=Channel\\sSubscription\\s(room);msg-param-sub-plan=3000;"
        "msg-param-was-gifted=true;room-id=1337;subscriber=1;system-msg=Calm\\sTom\\ssubscribed;"
        "tmi-sent-ts=1725938011176;turbo=1;user-id=22;user-type=mod"
    )
    event = notice(tags, "Kappa again")
    assert event == Subscription(
        event_id="db25007f",
        source="irc",
        room_login="room",
        sent_at=Instant(1_725_938_011_176_000),
        received_at=NOW,
        room_id="1337",
        user_id="22",
        user_login="calm_tom",
        user_display_name="Calm Tom",
        color="#1E90FF",
        badges="vip/1,subscriber/6",
        badge_info="subscriber/9",
        is_subscriber=True,
        is_vip=True,
        is_mod=False,
        is_turbo=True,
        user_type="mod",
        msg_id="resub",
        system_message="Calm Tom subscribed",
        text="Kappa again",
        emotes="25:0-4",
        emote_names="Kappa",
        flags="6-9:P.3",
        tags=event.tags,  # type: ignore[attr-defined]
        goal_contribution_type="SUB_POINTS",
        goal_current_contributions=881,
        goal_target_contributions=900,
        goal_user_contributions=1,
        goal_description="day lee",
        plan="3000",
        plan_name="Channel Subscription (room)",
        cumulative_months=9,
        streak_months=7,
        is_streak_shared=True,
        legacy_months=0,
        multi_month_duration=6,
        multi_month_tenure=4,
        was_gifted=True,
        is_gifter_anonymous=False,
        gifter_id="55",
        gifter_login="giver",
        gifter_display_name="Giver",
        gift_months=3,
        gift_month_being_redeemed=2,
    )
    raw = json.loads(event.tags)  # type: ignore[attr-defined]
    assert len(raw) == tags.count(";") + 1
    assert raw["msg-param-sub-plan-name"] == "Channel Subscription (room)"


GIFT = (
    "msg-param-recipient-id=9;msg-param-recipient-user-name=lucky;msg-param-recipient-display-name=Lucky;"
    "msg-param-sub-plan=1000;msg-param-sub-plan-name=Plan;msg-param-months=13;msg-param-gift-months=6;"
    "msg-param-origin-id=da\\s39;msg-param-community-gift-id=77;msg-param-fun-string=FunStringThree"
)
GIFT_TOLD = {
    "recipient_id": "9",
    "recipient_login": "lucky",
    "recipient_display_name": "Lucky",
    "plan": "1000",
    "plan_name": "Plan",
    "recipient_months": 13,
    "gift_months": 6,
    "origin_id": "da 39",
    "community_gift_id": "77",
    "fun_string": "FunStringThree",
}
PRIOR = (
    "msg-param-prior-gifter-anonymous=false;msg-param-prior-gifter-id=4;"
    "msg-param-prior-gifter-user-name=kind;msg-param-prior-gifter-display-name=Kind"
)
PRIOR_TOLD = {
    "is_prior_gifter_anonymous": False,
    "prior_gifter_id": "4",
    "prior_gifter_login": "kind",
    "prior_gifter_display_name": "Kind",
}


@pytest.mark.parametrize(
    ("msg_id", "tags", "kind", "fields_told"),
    [
        ("sub", "msg-param-sub-plan=Prime", "subscriptions", {"plan": "Prime"}),
        (
            "subgift",
            f"user-id=3;msg-param-sender-count=12;{GIFT}",
            "sub_gifts",
            GIFT_TOLD | {"is_anonymous": False, "sender_total": 12},
        ),
        # Twitch's 0 is "not told": whoever gives has given at least one.
        (
            "subgift",
            f"user-id=3;msg-param-sender-count=0;{GIFT}",
            "sub_gifts",
            GIFT_TOLD | {"is_anonymous": False},
        ),
        (
            "subgift",
            f"user-id=274598607;msg-param-sender-count=5;{GIFT}",
            "sub_gifts",
            GIFT_TOLD | {"is_anonymous": True},
        ),
        ("anonsubgift", f"user-id=3;{GIFT}", "sub_gifts", GIFT_TOLD | {"is_anonymous": True}),
        ("subgift", "msg-param-recipient-name=old", "sub_gifts", {"recipient_login": "old"}),
        (
            "submysterygift",
            "user-id=3;msg-param-mass-gift-count=20;msg-param-sender-count=100;msg-param-sub-plan=2000;"
            "msg-param-origin-id=o;msg-param-community-gift-id=c;msg-param-goal-current-contributions=7",
            "mystery_gifts",
            {
                "is_anonymous": False,
                "gift_count": 20,
                "plan": "2000",
                "sender_total": 100,
                "origin_id": "o",
                "community_gift_id": "c",
                "goal_current_contributions": 7,
            },
        ),
        (
            "anonsubmysterygift",
            "user-id=3;msg-param-mass-gift-count=5",
            "mystery_gifts",
            {"is_anonymous": True, "gift_count": 5},
        ),
        ("communitypayforward", PRIOR, "pay_forwards", PRIOR_TOLD | {"is_to_community": True}),
        (
            "standardpayforward",
            f"{PRIOR};msg-param-recipient-id=9;msg-param-recipient-user-name=lucky;"
            "msg-param-recipient-display-name=Lucky",
            "pay_forwards",
            PRIOR_TOLD
            | {
                "is_to_community": False,
                "recipient_id": "9",
                "recipient_login": "lucky",
                "recipient_display_name": "Lucky",
            },
        ),
        (
            "giftpaidupgrade",
            "msg-param-sender-login=giver;msg-param-sender-name=Giver;msg-param-promo-name=Subtember;"
            "msg-param-promo-gift-total=4003",
            "paid_upgrades",
            {
                "upgraded_from": "gift",
                "gifter_login": "giver",
                "gifter_display_name": "Giver",
                "promo_name": "Subtember",
                "promo_gift_total": 4003,
            },
        ),
        ("anongiftpaidupgrade", "", "paid_upgrades", {"upgraded_from": "anonymous_gift"}),
        (
            "primepaidupgrade",
            "msg-param-sub-plan=1000",
            "paid_upgrades",
            {"upgraded_from": "prime", "plan": "1000"},
        ),
        (
            "onetapgiftredeemed",
            "msg-param-gift-id=heart;msg-param-bits-spent=50;msg-param-user-display-name=Giver",
            "one_tap_gifts",
            {"gift_id": "heart", "bits_spent": 50, "giver_display_name": "Giver"},
        ),
        ("bitsbadgetier", "msg-param-threshold=1000", "bits_badge_tiers", {"threshold": 1000}),
        (
            "raid",
            "msg-param-viewerCount=538;msg-param-profileImageURL=https://cdn/a-%s.png",
            "raids",
            {"viewer_count": 538, "profile_image_url": "https://cdn/a-%s.png"},
        ),
        ("announcement", "msg-param-color=BLUE", "announcements", {"announcement_color": "BLUE"}),
        (
            "viewermilestone",
            "msg-param-category=watch-streak;msg-param-id=m1;msg-param-value=15;msg-param-copoReward=450",
            "milestones",
            {"category": "watch-streak", "milestone_id": "m1", "value": 15, "reward_points": 450},
        ),
        ("raid", "msg-param-viewerCount=many", "raids", {}),
        ("resub", "msg-param-cumulative-months=-1;msg-param-was-gifted=maybe", "subscriptions", {}),
        *[
            (msg_id, "msg-param-months=18", "other_notices", {})
            for msg_id in ("unraid", "ritual", "modiversary", "rewardgift", "charitydonation", "brandnew", "")
        ],
    ],
)
def test_each_kind_has_its_fields(msg_id: str, tags: str, kind: str, fields_told: dict[str, object]) -> None:
    event = notice(f"id=n1;msg-id={msg_id};login=viewer;{tags}".rstrip(";"))
    assert (event.kind, event.event_id, event.room_login) == (kind, "n1", "room")
    assert isinstance(event, UserNotice)
    assert (event.msg_id, event.user_login) == (msg_id or None, "viewer")
    assert told(event) == fields_told
    assert json.loads(event.tags or "")["id"] == "n1"


def test_a_shared_chat_notice_has_its_true_kind() -> None:
    event = notice(
        "id=n1;login=raider;msg-id=sharedchatnotice;msg-param-viewerCount=2;room-id=1;source-badges=;"
        "source-badge-info=subscriber/2;source-id=s1;source-msg-id=raid;source-only=1;source-room-id=2"
    )
    assert event.kind == "raids"
    assert told(event) == {"viewer_count": 2}
    assert isinstance(event, UserNotice)
    assert (event.msg_id, event.room_id, event.source_room_id, event.source_message_id) == (
        "sharedchatnotice",
        "1",
        "2",
        "s1",
    )
    assert (event.source_badges, event.source_badge_info, event.is_source_only) == (
        None,
        "subscriber/2",
        True,
    )
    assert notice("msg-id=sharedchatnotice;source-msg-id=unheard").kind == "other_notices"


def test_a_notice_without_an_id_has_the_same_one_each_time() -> None:
    tags = "msg-id=raid;login=raider;tmi-sent-ts=1725938011176"
    [later] = to_events(f"@{tags} :tmi.twitch.tv USERNOTICE #room", Instant(NOW + 1))
    assert later.event_id == notice(tags).event_id
    assert later.event_id.startswith("x-")
    assert later.event_id != notice(tags.replace("raider", "other")).event_id
