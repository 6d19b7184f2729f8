"""EventSub notifications as events: the raw row, each kind's fields, and the ids that others share."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from structlog.testing import capture_logs

import collectors.eventsub_parse as eventsub_parse
from collectors.audience_parse import parse_follow
from collectors.eventsub_parse import StreamMemory, parse_notification
from collectors.helix_models import Stream
from collectors.helix_watch import Memory, observe
from dashboard.events import Instant, StreamChange
from dashboard.events_eventsub import EventSubEvent, ModAction, Notification, follow_id
from dashboard.eventsub_message import EventSubMessage, from_webhook
from dashboard.job_handle import Room
from tests.chat_both import HEADERS, NOW, SENT_AT, Said, eventsub_event, parsed, words

ROOM = {"broadcaster_user_id": "1337", "broadcaster_user_login": "Room", "broadcaster_user_name": "Röom"}
USER = {"user_id": "22", "user_login": "tom", "user_name": "Tom"}
MOD = {"moderator_user_id": "31", "moderator_user_login": "mod", "moderator_user_name": "Mod"}
AT = "2024-09-10T03:13:30.123456789Z"
AT_US = 1_725_938_010_123_456


def told(event: Any) -> dict[str, Any]:
    """What an event tells of its own."""
    common = {"event_id", "source", "room_login", "sent_at", "received_at", "room_id", "room_display_name"}
    common |= {"eventsub_type", "eventsub_version"}
    return {name: value for name, value in asdict(event).items() if value is not None and name not in common}


def message(name: str, event: Any, **condition: str) -> EventSubMessage:
    body = {
        "subscription": {"id": "s1", "type": name, "version": "1", "condition": condition},
        "event": event,
    }
    return from_webhook(HEADERS, json.dumps(body).encode(), NOW)


def test_the_raw_row_comes_first_and_is_verbatim() -> None:
    came = message("channel.cheer", ROOM | USER | {"bits": 5, "message": "pogchamp", "is_anonymous": False})
    raw, cheer = parse_notification(came)
    assert raw == Notification(
        event_id=HEADERS["Twitch-Eventsub-Message-Id"],
        source="eventsub",
        room_login="room",
        sent_at=SENT_AT,
        received_at=NOW,
        room_id="1337",
        eventsub_type="channel.cheer",
        transport="webhook",
        body=came.body,
        eventsub_version="1",
        subscription_id="s1",
        message_type="notification",
        user_id="22",
        user_login="tom",
    )
    assert isinstance(cheer, EventSubEvent)
    assert (cheer.event_id, cheer.room_login, cheer.room_id) == (raw.event_id, "room", "1337")
    assert (cheer.eventsub_type, cheer.eventsub_version) == ("channel.cheer", "1")
    assert cheer.room_display_name == "Röom"


CONTRIBUTION = {"user_id": "1", "user_login": "a", "user_name": "A", "type": "bits", "total": 50}


@pytest.mark.parametrize(
    ("name", "event", "kind", "expected"),
    [
        (
            "channel.update",
            {"title": "T", "language": "de", "category_id": "9", "category_name": "C"}
            | {"content_classification_labels": ["MatureGame"]},
            "channel_updates",
            {"title": "T", "language": "de", "category_id": "9", "category_name": "C"}
            | {"content_labels": '["MatureGame"]'},
        ),
        (
            "channel.subscription.gift",
            USER | {"total": 2, "tier": "1000", "cumulative_total": 284, "is_anonymous": False},
            "subscription_changes",
            {"action": "gift", "gift_count": 2, "tier": "1000", "cumulative_gift_count": 284}
            | {"is_anonymous": False, "user_id": "22", "user_login": "tom", "user_display_name": "Tom"},
        ),
        (
            "channel.subscription.gift",
            {"user_id": None, "user_login": None, "user_name": None, "total": 2, "tier": "1000"}
            | {"cumulative_total": None, "is_anonymous": True},
            "subscription_changes",
            {"action": "gift", "gift_count": 2, "tier": "1000", "is_anonymous": True},
        ),
        (
            "channel.hype_train.begin",
            {"id": "t1", "total": 137, "progress": 7, "goal": 500, "level": 2, "type": "regular"}
            | {"top_contributions": [CONTRIBUTION], "started_at": AT, "expires_at": AT}
            | {"is_shared_train": False, "all_time_high_level": 4, "all_time_high_total": 2845},
            "hype_trains",
            {"action": "begin", "train_id": "t1", "total_points": 137, "level_points": 7}
            | {"level_goal_points": 500, "level": 2, "train_type": "regular", "is_shared": False}
            | {"top_contributions": json.dumps([CONTRIBUTION], separators=(",", ":"))}
            | {"started_at": AT_US, "expires_at": AT_US, "all_time_high_level": 4}
            | {"all_time_high_points": 2845},
        ),
        (
            "channel.poll.end",
            {"id": "p1", "title": "?", "choices": [], "status": "completed", "started_at": AT}
            | {"channel_points_voting": {"is_enabled": True, "amount_per_vote": 10}, "ended_at": AT}
            | {"bits_voting": {"is_enabled": False, "amount_per_vote": 0}},
            "polls",
            {"action": "end", "poll_id": "p1", "title": "?", "choices": "[]", "status": "completed"}
            | {"has_channel_points_voting": True, "channel_points_per_vote": 10, "started_at": AT_US}
            | {"has_bits_voting": False, "bits_per_vote": 0, "ended_at": AT_US},
        ),
        # Numbers and flags written as text, as in some of Twitch's own examples.
        (
            "channel.ad_break.begin",
            {"duration_seconds": "60", "started_at": AT, "is_automatic": "false"}
            | {"requester_user_id": 7, "requester_user_login": "r", "requester_user_name": "R"},
            "ad_breaks",
            {"duration_s": 60, "started_at": AT_US, "is_automatic": False, "requester_id": "7"}
            | {"requester_login": "r", "requester_display_name": "R"},
        ),
        (
            "channel.channel_points_automatic_reward_redemption.add",
            USER
            | {"id": "r1", "reward": {"type": "x", "channel_points": 100, "emote": {"id": "e", "name": "E"}}}
            | {"redeemed_at": AT},
            "redemptions",
            {"action": "add", "is_automatic": True, "redemption_id": "r1", "reward_type": "x", "cost": 100}
            | {"reward_emote_id": "e", "reward_emote_name": "E", "redeemed_at": AT_US}
            | {"user_id": "22", "user_login": "tom", "user_display_name": "Tom"},
        ),
    ],
)
def test_fields_go_into_their_columns(
    name: str, event: dict[str, Any], kind: str, expected: dict[str, Any]
) -> None:
    [parsed_event] = parsed(name, ROOM | event)
    assert (parsed_event.kind, told(parsed_event)) == (kind, expected)


def test_what_has_no_column_or_another_type_is_kept_as_other_fields() -> None:
    event = ROOM | {"id": "g1", "target_amount": "many", "mood": {"now": "good"}, "nothing": None, "type": ""}
    [goal] = parsed("channel.goal.begin", event)
    assert (goal.goal_id, goal.target_amount, goal.goal_type) == ("g1", None, None)
    assert json.loads(goal.other_fields) == {"target_amount": "many", "mood": {"now": "good"}}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"action": "emoteonly"}, {"action": "emoteonly"}),
        ({"action": "slow", "slow": {"wait_time_seconds": 30}}, {"action": "slow", "slow_s": 30}),
        (
            {"action": "followers", "followers": {"follow_duration_minutes": 10}},
            {"action": "followers", "follow_duration_min": 10},
        ),
        (
            {"action": "timeout", "timeout": {"user_id": "22", "reason": "no", "expires_at": AT}},
            {"action": "timeout", "user_id": "22", "reason": "no", "ends_at": AT_US},
        ),
        (
            {"action": "delete", "delete": {"user_id": "22", "message_id": "m1", "message_body": "bad"}},
            {"action": "delete", "user_id": "22", "target_message_id": "m1", "target_text": "bad"},
        ),
        (
            {"action": "add_blocked_term"}
            | {"automod_terms": {"action": "add", "list": "blocked", "terms": ["x"], "from_automod": False}},
            {"action": "add_blocked_term", "terms_action": "add", "terms_list": "blocked", "terms": '["x"]'}
            | {"is_from_automod": False},
        ),
        (
            {"action": "deny_unban_request"}
            | {"unban_request": {"user_id": "22", "is_approved": False, "moderator_message": "no"}},
            {"action": "deny_unban_request", "user_id": "22", "is_approved": False, "moderator_text": "no"},
        ),
        (
            {"action": "warn", "warn": {"user_id": "22", "reason": "stop", "chat_rules_cited": ["Be kind"]}},
            {"action": "warn", "user_id": "22", "reason": "stop", "chat_rules_cited": '["Be kind"]'},
        ),
        (
            {"action": "raid", "raid": {"user_id": "5", "viewer_count": 12}},
            {"action": "raid", "user_id": "5", "viewer_count": 12},
        ),
        (
            {"action": "shared_chat_ban", "shared_chat_ban": {"user_id": "22"}}
            | {"source_broadcaster_user_id": "8", "source_broadcaster_user_login": "other"},
            {
                "action": "shared_chat_ban",
                "user_id": "22",
                "source_room_id": "8",
                "source_room_login": "other",
            },
        ),
        # Details under a name that no act has are not lost.
        (
            {"action": "brand_new", "brand_new": {"user_id": "22"}},
            {"action": "brand_new", "other_fields": '{"brand_new":{"user_id":"22"}}'},
        ),
        (
            {"action": "ban", "ban": {"user_id": "22"}, "warn": {"reason": "x"}},
            {"action": "ban", "user_id": "22", "other_fields": '{"warn":{"reason":"x"}}'},
        ),
        ({"action": None}, {"action": "unknown"}),
    ],
)
def test_acts_of_moderators_have_their_details(event: dict[str, Any], expected: dict[str, Any]) -> None:
    [act] = parsed("channel.moderate", ROOM | MOD | event, version="2")
    assert isinstance(act, ModAction)
    who = {"moderator_id": "31", "moderator_login": "mod", "moderator_display_name": "Mod"}
    assert told(act) == who | expected


@pytest.mark.parametrize(
    ("name", "event", "action"),
    [
        ("channel.ban", {"is_permanent": True, "ends_at": None}, "ban"),
        ("channel.ban", {"is_permanent": False, "ends_at": AT}, "timeout"),
        ("channel.ban", {"ends_at": AT}, "timeout"),
        ("channel.ban", {}, "ban"),
        ("channel.unban", {}, "unban"),
        ("channel.moderator.add", {}, "mod"),
        ("channel.moderator.remove", {}, "unmod"),
        ("channel.vip.add", {}, "vip"),
        ("channel.vip.remove", {}, "unvip"),
        ("channel.warning.send", {}, "warn"),
        ("channel.warning.acknowledge", {}, "acknowledge_warning"),
        ("channel.unban_request.create", {}, "unban_request"),
        ("channel.unban_request.resolve", {}, "resolve_unban_request"),
    ],
)
def test_bans_and_roles_are_acts_too(name: str, event: dict[str, Any], action: str) -> None:
    [act] = parsed(name, ROOM | USER | MOD | event)
    assert (act.kind, act.action, act.user_id, act.moderator_id) == ("mod_actions", action, "22", "31")


def test_a_raid_belongs_to_the_room_that_it_was_subscribed_for() -> None:
    event = {
        f"{side}_broadcaster_user_{part}": f"{side}{part}"
        for side in ("from", "to")
        for part in ("id", "login", "name")
    } | {"viewers": 9001}
    [coming] = parsed("channel.raid", event, condition={"to_broadcaster_user_id": "toid"})
    [leaving] = parsed(
        "channel.raid", event, condition={"from_broadcaster_user_id": "fromid", "to_broadcaster_user_id": ""}
    )
    assert (coming.direction, coming.room_login, coming.room_id) == ("in", "tologin", "toid")
    assert (leaving.direction, leaving.room_login, leaving.room_id) == ("out", "fromlogin", "fromid")
    for raid in (coming, leaving):
        assert (raid.from_room_login, raid.to_room_display_name, raid.viewer_count) == (
            "fromlogin",
            "toname",
            9001,
        )


def test_a_stream_starts_once_whoever_tells_it() -> None:
    stream = Stream(stream_id="9001", user_id="1337", user_login="room", started_at=Instant(AT_US))
    polled, _ = observe(Memory(), [stream], ["room"], now=NOW, interval_s=60)
    [by_helix] = [event for event in polled if isinstance(event, StreamChange)]
    [by_eventsub] = parsed("stream.online", ROOM | {"id": "9001", "type": "live", "started_at": AT})
    for name in ("event_id", "action", "room_login", "room_id", "sent_at", "stream_id", "started_at"):
        assert getattr(by_eventsub, name) == getattr(by_helix, name), name
    assert (by_eventsub.stream_type, by_eventsub.room_display_name) == ("live", "Röom")


def test_the_end_of_a_stream_has_the_id_of_its_start() -> None:
    memory = StreamMemory()
    parse_notification(message("stream.online", ROOM | {"id": "9001", "started_at": AT}), memory)
    _, end = parse_notification(message("stream.offline", ROOM), memory)
    assert isinstance(end, StreamChange)
    assert (end.action, end.stream_id, end.sent_at) == ("end", "9001", SENT_AT)
    # As the poller makes it, had it seen the stream until that very instant.
    stream = Stream(stream_id="9001", user_id="1337", user_login="room")
    _, seen = observe(Memory(), [stream], ["room"], now=SENT_AT, interval_s=60)
    _, missed = observe(seen, [], ["room"], now=Instant(SENT_AT + 60_000_000), interval_s=60)
    over, _ = observe(missed, [], ["room"], now=Instant(SENT_AT + 120_000_000), interval_s=60)
    assert [event.event_id for event in over if isinstance(event, StreamChange)] == [end.event_id]


def test_an_end_without_its_start_has_no_stream() -> None:
    memory = StreamMemory()
    for _ in range(2):
        _, end = parse_notification(message("stream.offline", ROOM), memory)
        assert isinstance(end, StreamChange)
        assert (end.action, end.stream_id) == ("end", None)
    [told_id] = parsed("stream.offline", ROOM | {"id": "9001"})
    assert told_id.stream_id == "9001"


def test_a_follow_is_the_one_that_helix_lists() -> None:
    [follow] = parsed("channel.follow", ROOM | USER | {"followed_at": AT}, version="2")
    # Helix tells it to the second.
    assert follow.event_id == follow_id("1337", "22", Instant(1_725_938_010_000_000))
    assert (follow.sent_at, follow.followed_at) == (AT_US, AT_US)
    assert follow_id("1337", "22", Instant(1_725_938_011_000_000)) != follow.event_id
    listed = parse_follow(USER | {"followed_at": "2024-09-10T03:13:30Z"}, Room("1337", "room"), NOW)
    assert listed is not None
    assert listed.event_id == follow.event_id
    [odd] = parsed("channel.follow", ROOM | USER | {"followed_at": "just now"})
    assert (odd.sent_at, odd.other_fields) == (SENT_AT, '{"followed_at":"just now"}')


@pytest.mark.parametrize(
    ("event", "room_login", "room_id"),
    [
        ({"broadcaster_id": "5", "broadcaster_login": "giver"}, "giver", "5"),
        ({"user_id": "5", "user_login": "tom"}, "", "1337"),
        ([{"data": {"user_id": "5"}}], "", "1337"),
    ],
)
def test_types_without_events_of_their_own_are_kept_raw(event: Any, room_login: str, room_id: str) -> None:
    [raw] = parse_notification(message("some.new.type", event, broadcaster_user_id="1337"))
    assert isinstance(raw, Notification)
    assert (raw.room_login, raw.room_id, raw.eventsub_type) == (room_login, room_id, "some.new.type")


@pytest.mark.parametrize("login", [None, "", "not a login", 7])
def test_without_a_room_there_is_the_raw_row_only(login: Any) -> None:
    [raw] = parse_notification(message("channel.cheer", ROOM | {"broadcaster_user_login": login, "bits": 5}))
    assert raw.room_login == ""
    assert raw.room_id == "1337"


def test_the_person_a_moderator_acted_on_stands_in_the_raw_row() -> None:
    event = ROOM | MOD | {"action": "ban", "ban": {"user_id": "22", "user_login": "tom"}}
    raw = parse_notification(message("channel.moderate", event))[0]
    assert isinstance(raw, Notification)
    assert (raw.user_id, raw.user_login) == ("22", "tom")


def test_a_revocation_is_kept_raw() -> None:
    body = {"subscription": {"id": "s1", "type": "channel.cheer", "status": "authorization_revoked"}}
    headers = HEADERS | {"Twitch-Eventsub-Message-Type": "revocation"}
    [raw] = parse_notification(from_webhook(headers, json.dumps(body).encode(), NOW))
    assert isinstance(raw, Notification)
    assert (raw.message_type, raw.eventsub_type) == ("revocation", "channel.cheer")


def test_whatever_goes_wrong_the_raw_row_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Any:
        raise RuntimeError("secret words")

    monkeypatch.setitem(eventsub_parse._BUILDERS, "channel.chat.message", breaks)
    with capture_logs() as logs:
        [raw] = parse_notification(message("channel.chat.message", eventsub_event(Said(parts=[words("x")]))))
    assert raw.kind == "notifications"
    assert [(entry["type"], entry["error"]) for entry in logs] == [("channel.chat.message", "RuntimeError")]
    assert "secret words" not in str(logs)
