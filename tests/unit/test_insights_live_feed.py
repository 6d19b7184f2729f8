from __future__ import annotations

from typing import Any

import pytest

from dashboard.analytics.observation import Gap
from dashboard.analytics.sessions import StreamRow
from dashboard.insights.live_feed import event_item, feed_items, gap_item, markers, span_words, stream_items
from dashboard.insights.live_log import RoomEvent
from dashboard.insights.live_model import FeedItem, Marker

S = 1_000_000


def event(kind: str, second: float = 0, **values: Any) -> RoomEvent:
    at = round(second * S)
    return RoomEvent(**{"kind": kind, "event_id": f"{kind}-{at}", "at": at, "user_name": "marlow", **values})


@pytest.mark.parametrize(
    ("made", "category", "title", "text"),
    [
        (event("raids", amount=1), "raid", "Raid", "marlow brought 1 viewer"),
        (event("raids", amount=12_345), "raid", "Raid", "marlow brought 12,345 viewers"),
        (event("subscriptions", plan="3000", months=2), "sub", "Sub", "marlow, tier 3, 2 months"),
        (event("subscriptions", plan="Prime", months=1), "sub", "Sub", "marlow, Prime"),
        (event("subscriptions"), "sub", "Sub", "marlow"),
        (event("mystery_gifts", amount=5, is_anonymous=True), "gift", "Gifts", "anonymous gave 5 subs"),
        (event("mystery_gifts", amount=1, plan="2000"), "gift", "Gifts", "marlow gave 1 sub, tier 2"),
        (event("sub_gifts", other_name="dust", plan="1000"), "gift", "Gift", "marlow gave a sub to dust"),
        (
            event("sub_gifts", other_name="d", months=3),
            "gift",
            "Gift",
            "marlow gave a sub to d, 3 months",
        ),
        (
            event("pay_forwards", detail="fox", other_name="dust"),
            "gift",
            "Forward",
            "marlow passed on fox's gift to dust",
        ),
        (
            event("pay_forwards", is_anonymous=True),
            "gift",
            "Forward",
            "marlow passed on an anonymous gift to the community",
        ),
        (
            event("paid_upgrades", detail="prime", plan="1000"),
            "sub",
            "Upgrade",
            "marlow went on from Prime to tier 1",
        ),
        (
            event("paid_upgrades", detail="gift", other_name="fox"),
            "sub",
            "Upgrade",
            "marlow goes on paying for fox's gift",
        ),
        (event("bits", amount=1500), "bits", "Bits", "marlow, 1,500"),
        (event("bits_badge_tiers", amount=1000), "milestone", "Badge", "marlow, bits badge 1,000"),
        (
            event("milestones", detail="watch-streak", amount=15),
            "milestone",
            "Milestone",
            "marlow, watch streak 15",
        ),
        (event("moderation", detail="ban"), "moderation", "Ban", "marlow banned"),
        (
            event("moderation", detail="timeout", amount=1),
            "moderation",
            "Timeout",
            "marlow timed out for 1 s",
        ),
        (event("moderation", detail="delete_message"), "moderation", "Deleted", "a message of marlow"),
        (
            event("moderation", detail="clear_user_messages"),
            "moderation",
            "Removed",
            "all messages of marlow",
        ),
        (
            event("announcements", text="x" * 200),
            "announcement",
            "Announcement",
            "marlow: " + "x" * 151 + "…",
        ),
    ],
)
def test_an_event_in_words(made: RoomEvent, category: str, title: str, text: str) -> None:
    assert event_item(made) == FeedItem(f"{made.kind}:{made.event_id}", made.at, category, title, text)  # type: ignore[arg-type]


def test_single_gifts_of_a_bomb_are_part_of_its_line() -> None:
    bomb = event("mystery_gifts", 10, amount=2, origin_id="o", community_gift_id="c")
    events = [
        bomb,
        event("sub_gifts", 10.1, origin_id="o"),
        event("sub_gifts", 10.2, origin_id="other", community_gift_id="c"),
        event("sub_gifts", 10.3, origin_id="other"),
    ]

    items = feed_items(events, [], [], until=99 * S, limit=9)

    assert [item.item_id for item in items] == [
        "sub_gifts:sub_gifts-10300000",
        "mystery_gifts:mystery_gifts-10000000",
    ]


def test_gifts_of_old_recordings_without_ids_follow_their_giver_for_a_minute() -> None:
    events = [
        event("mystery_gifts", 10, amount=2, user_id="7"),
        event("sub_gifts", 11, user_id="7"),
        event("sub_gifts", 12, user_id="8"),
        event("sub_gifts", 71, user_id="7"),
    ]

    assert [item.at // S for item in feed_items(events, [], [], until=99 * S, limit=9)] == [71, 12, 10]


def test_the_feed_is_newest_first_cut_and_ends_at_the_clock() -> None:
    events = [event("bits", second, amount=second) for second in range(10)]

    items = feed_items(events, [], [Gap(0, 4 * S, None)], until=6 * S, limit=4)

    assert [item.text for item in items] == [
        "marlow, 6",
        "marlow, 5",
        "marlow, 4",
        "collector reconnected, 4 s not seen",
    ]


def test_a_filter_finds_a_raid_behind_a_flood_of_bans() -> None:
    events = [event("raids", 1), *[event("moderation", 2 + i, detail="ban") for i in range(500)]]

    items = feed_items(events, [], [], until=600 * S, limit=60, categories={"raid"})

    assert [(item.category, item.at) for item in items] == [("raid", 1 * S)]
    assert feed_items(events, [], [], until=600 * S, limit=60, categories={"bits"}) == []


def test_changes_of_a_stream_each_once() -> None:
    def row(
        minute: int, action: str = "sample", game: str | None = "A", title: str | None = "x"
    ) -> StreamRow:
        return StreamRow(
            at=minute * 60 * S, action=action, game_name=game, title=title, started_at=0, stream_id="s"
        )

    rows = [
        row(0, "start"),
        row(1, "start"),
        row(1),
        row(2, game="B"),
        row(3, game="B"),
        row(4, game=None),
        row(5, game="A", title="y"),
        # A poll's end and EventSub's are one.
        row(133, "end"),
        row(134, "end"),
    ]

    assert [(i.at // (60 * S), i.title, i.text) for i in stream_items(rows)] == [
        (0, "Stream", "started"),
        (2, "Game", "B (was A)"),
        (5, "Game", "A (was B)"),
        (5, "Title", "“y”"),
        (134, "Stream", "ended after 2 h 14 min"),
    ]


def test_a_gap_is_told_when_it_is_over_and_while_it_lasts() -> None:
    assert gap_item(Gap(0, 28 * S, "x")).text == "collector reconnected, 28 s not seen"
    assert gap_item(Gap(0, 28 * S, "x")).at == 28 * S
    assert (
        gap_item(Gap(5 * S, None, "timeout")).text == "collector lost the room, nothing seen since (timeout)"
    )
    assert gap_item(Gap(5 * S, None, None)).item_id != gap_item(Gap(5 * S, 9 * S, None)).item_id


def test_markers_count_subs_by_minute_and_leave_out_small_cheers() -> None:
    events = [
        event("raids", 5, amount=263),
        event("subscriptions", 61),
        event("subscriptions", 62),
        event("bits", 63, amount=99),
        event("bits", 64, amount=100),
        event("mystery_gifts", 130, amount=5, origin_id="o"),
        event("sub_gifts", 131, origin_id="o"),
        event("moderation", 132, detail="ban"),
    ]

    assert markers(events, [], start_at=10 * S) == [
        Marker(60 * S, "sub", "2 subs"),  # type: ignore[arg-type]
        Marker(64 * S, "bits", "100 bits"),  # type: ignore[arg-type]
        Marker(130 * S, "gift", "5 gifts"),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "1 s"),
        (28, "28 s"),
        (60, "1 min"),
        (600, "10 min"),
        (3600, "1 h"),
        (8040, "2 h 14 min"),
        (1_209_600, "14 days"),
    ],
)
def test_lengths_in_words(seconds: float, words: str) -> None:
    assert span_words(seconds) == words
