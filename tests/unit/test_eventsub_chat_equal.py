"""Chat told by IRC and by EventSub: the same message is the same event, field by field."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.eventsub_events.differences import BOTH, DIFFERENCES, EVENTSUB, IRC, told_by_both
from collectors.irc_events import to_events
from dashboard.events import KINDS, ChatMessage, Moderation
from tests.chat_both import (
    NOW,
    SENT_AT,
    Part,
    Said,
    assert_equal,
    cheermote,
    emote,
    eventsub_events,
    irc_events,
    mention,
    parsed,
    words,
)

SHARED_TAGS = {"source-room-id": "112233", "source-id": "s1", "source-only": "0"}
SHARED_FIELDS = {
    "source_broadcaster_user_id": "112233",
    "source_broadcaster_user_login": "streamer33",
    "source_broadcaster_user_name": "Streamer33",
    "source_message_id": "s1",
    "is_source_only": False,
}


FULL = Said(
    parts=[mention("Other"), words(" hi "), emote("Kappa", "25"), words(" "), emote("Keepo", "1902")],
    badges=[("moderator", "1", ""), ("vip", "1", ""), ("subscriber", "12", "16")],
    source_badges=[("subscriber", "3", "4")],
    irc_tags=SHARED_TAGS
    | {
        "bits": "100",
        "first-msg": "0",
        "flags": "0-3:P.3",
        "returning-chatter": "0",
        "turbo": "0",
        "custom-reward-id": "r1",
        "msg-id": "highlighted-message",
        "reply-parent-msg-id": "p1",
        "reply-parent-user-id": "31",
        "reply-parent-user-login": "other",
        "reply-parent-display-name": "Other",
        "reply-parent-msg-body": "what; is it?",
        "reply-thread-parent-msg-id": "t1",
        "reply-thread-parent-user-id": "32",
        "reply-thread-parent-user-login": "first",
        "reply-thread-parent-display-name": "First",
    },
    fields=SHARED_FIELDS
    | {
        "cheer": {"bits": 100},
        "channel_points_custom_reward_id": "r1",
        "message_type": "channel_points_highlighted",
        "reply": {
            "parent_message_id": "p1",
            "parent_message_body": "what; is it?",
            "parent_user_id": "31",
            "parent_user_name": "Other",
            "parent_user_login": "other",
            "thread_message_id": "t1",
            "thread_user_id": "32",
            "thread_user_name": "First",
            "thread_user_login": "first",
        },
    },
)


def test_a_message_with_everything_is_the_same_event() -> None:
    irc, eventsub = irc_events(FULL), eventsub_events(FULL)
    assert_equal(irc, eventsub)
    chat, bits = eventsub
    assert (chat.kind, bits.kind, chat.event_id) == ("chat_messages", "bits", bits.event_id)
    for event in eventsub:
        # No field is left out of the comparison by being None on both sides.
        for name in told_by_both(event.kind, [field.name for field in fields(event)]):
            assert getattr(event, name) is not None, name
    assert isinstance(chat, ChatMessage)
    assert (chat.emotes, chat.emote_names) == ("25:10-14/1902:16-20", "Kappa Keepo")
    assert (chat.badges, chat.badge_info) == ("moderator/1,vip/1,subscriber/12", "subscriber/16")
    assert (chat.source_badges, chat.source_badge_info) == ("subscriber/3", "subscriber/4")
    assert (chat.is_subscriber, chat.is_vip, chat.is_mod, chat.user_type) == (True, True, True, "mod")
    assert (chat.sent_at, chat.received_at) == (SENT_AT, NOW)


def test_what_has_no_column_is_kept() -> None:
    chat = eventsub_events(FULL)[0]
    assert isinstance(chat, ChatMessage)
    others = json.loads(chat.other_tags or "")
    assert (others["message_type"], others["broadcaster_user_name"]) == ("channel_points_highlighted", "Röom")
    assert others["source_broadcaster_user_login"] == "streamer33"
    assert [part["text"] for part in others["fragments"]] == ["@Other", "Kappa", "Keepo"]
    assert others["fragments"][1]["emote"]["emote_set_id"] == "0"


@pytest.mark.parametrize(
    ("parts", "emotes", "names"),
    [
        pytest.param([words("plain")], None, None, id="no emote"),
        pytest.param([emote("Kappa", "25")], "25:0-4", "Kappa", id="emote alone"),
        pytest.param(
            [emote("Kappa", "25"), words(" x "), emote("Keepo", "1902"), words(" "), emote("Kappa", "25")],
            "25:0-4,14-18/1902:8-12",
            "Kappa Keepo Kappa",
            id="repeated",
        ),
        # One code point each, though UTF-16 has two for them.
        pytest.param([words("🎉😀 "), emote("Kappa", "25")], "25:3-7", "Kappa", id="emoji"),
        # A family is seven code points: four people and three joiners.
        pytest.param([words("👩‍👩‍👧‍👦 "), emote("Kappa", "25")], "25:8-12", "Kappa", id="joined emoji"),
        # e and the accent apart: five code points and a space.
        pytest.param([words("cafe\u0301 "), emote("Kappa", "25")], "25:6-10", "Kappa", id="combining"),
        pytest.param([words("🇩🇪👍🏽 "), emote("Kappa", "25")], "25:5-9", "Kappa", id="flag and skin"),
        pytest.param([words("日本語 "), emote("Kappa", "25")], "25:4-8", "Kappa", id="CJK"),
        pytest.param([words("  "), emote("Kappa", "25"), words("  ")], "25:2-6", "Kappa", id="spaces around"),
        pytest.param([words("\u200b"), emote(":)", "1")], "1:1-2", ":)", id="zero width"),
        pytest.param(
            [mention("Calm"), words(" "), emote("chanHi", "emotesv2_a1")],
            "emotesv2_a1:6-11",
            "chanHi",
            id="mention",
        ),
        pytest.param([words("x\U000e0000")], None, None, id="invisible tag"),
    ],
)
@pytest.mark.parametrize("is_action", [False, True])
def test_texts_and_positions_are_the_same(
    parts: list[Part], emotes: str | None, names: str | None, is_action: bool
) -> None:
    said = Said(parts=parts, is_action=is_action)
    irc, eventsub = irc_events(said), eventsub_events(said)
    assert_equal(irc, eventsub)
    [chat] = eventsub
    assert isinstance(chat, ChatMessage)
    assert (chat.emotes, chat.emote_names, chat.is_action, chat.text) == (emotes, names, is_action, said.text)


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(words)
_EMOTE = st.sampled_from([("Kappa", "25"), (":)", "1"), ("chanHi", "emotesv2_a1")]).map(lambda it: emote(*it))


@given(parts=st.lists(_TEXT | _EMOTE | st.just(mention("Other")), max_size=8), is_action=st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_text_is_the_same(parts: list[Part], is_action: bool) -> None:
    said = Said(parts=parts, is_action=is_action)
    assert_equal(irc_events(said), eventsub_events(said))


def test_in_a_shared_chat_irc_names_the_room_itself_as_source() -> None:
    tags = {"source-room-id": "1337", "source-id": "db25007f", "source-only": "0"}
    said = Said(parts=[words("x")], badges=[("vip", "1", "")], irc_tags=tags)
    [irc], [eventsub] = irc_events(said), eventsub_events(said)
    assert (irc.source_room_id, irc.source_message_id) == (irc.room_id, "db25007f")
    # EventSub is silent about it, so that nothing but these is unequal.
    irc.source_room_id = irc.source_message_id = irc.is_source_only = None
    assert_equal([irc], [eventsub])


def test_cheermotes_are_no_emotes() -> None:
    parts = [cheermote("Cheer", 100), words(" go "), emote("Kappa", "25"), words(" "), cheermote("Party", 1)]
    said = Said(
        parts=parts, irc_tags={"bits": "101"}, fields={"cheer": {"bits": 101}, "message_type": "text"}
    )
    irc, eventsub = irc_events(said), eventsub_events(said)
    assert_equal(irc, eventsub)
    assert [event.bits for event in eventsub] == [101, 101]
    assert eventsub[0].emotes == "25:12-16"


@pytest.mark.parametrize(
    ("message_type", "msg_id"),
    [
        ("text", None),
        ("channel_points_highlighted", "highlighted-message"),
        ("channel_points_sub_only", "skip-subs-mode-message"),
        ("user_intro", "user-intro"),
        ("power_ups_message_effect", "animated-message"),
        ("power_ups_gigantified_emote", "gigantified-emote-message"),
        ("a_new_one", "a_new_one"),
    ],
)
def test_kinds_of_messages_have_one_name(message_type: str, msg_id: str | None) -> None:
    said = Said(parts=[words("x")], irc_tags={"msg-id": msg_id or ""}, fields={"message_type": message_type})
    assert_equal(irc_events(said), eventsub_events(said))


@pytest.mark.parametrize(
    "badges",
    [
        [],
        [("broadcaster", "1", "")],
        [("vip", "1", "")],
        [("moderator", "1", ""), ("partner", "1", "")],
        [("predictions", "blue-1", "Yes"), ("subscriber", "2012", "15"), ("premium", "1", "")],
    ],
)
def test_badges_tell_the_same(badges: list[tuple[str, str, str]]) -> None:
    said = Said(parts=[words("x")], badges=badges)
    assert_equal(irc_events(said), eventsub_events(said))


def test_of_a_founder_nothing_is_told_about_subscribing() -> None:
    [chat] = eventsub_events(Said(parts=[words("x")], badges=[("founder", "0", "15")]))
    assert (chat.is_subscriber, chat.badge_info) == (None, "founder/15")


@pytest.mark.parametrize(
    ("badges", "user_type"),
    [
        ([("staff", "1", ""), ("moderator", "1", "")], "staff"),
        ([("admin", "1", "")], "admin"),
        ([("global_mod", "1", "")], "global_mod"),
        ([("lead_moderator", "1", "")], "mod"),
        ([], None),
    ],
)
def test_who_works_for_twitch_shows_in_the_badges(
    badges: list[tuple[str, str, str]], user_type: str | None
) -> None:
    [chat] = eventsub_events(Said(parts=[words("x")], badges=badges))
    assert chat.user_type == user_type


def test_marks_of_an_action_may_stand_in_the_parts_too() -> None:
    said = Said(parts=[words("\x01ACTION hi "), emote("Kappa", "25"), words("\x01")])
    [chat] = eventsub_events(said)
    assert isinstance(chat, ChatMessage)
    assert (chat.text, chat.is_action, chat.emotes) == ("hi Kappa", True, "25:3-7")


def test_parts_that_leave_words_out_are_found_in_the_text() -> None:
    fields = {
        "message": {"text": "a Kappa b Kappa", "fragments": [emote("Kappa", "25"), emote("Kappa", "25")]}
    }
    [chat] = eventsub_events(Said(fields=fields))
    assert (chat.emotes, chat.emote_names) == ("25:2-6,10-14", "Kappa Kappa")


def test_a_deleted_message_is_deleted_once() -> None:
    tags = "login=bad;room-id=1337;target-msg-id=m1;tmi-sent-ts=1725938011176"
    line = f"@{tags} :tmi.twitch.tv CLEARMSG #room :words"
    told = {
        "broadcaster_user_id": "1337",
        "broadcaster_user_login": "room",
        "broadcaster_user_name": "Room",
        "target_user_id": "5",
        "target_user_login": "bad",
        "target_user_name": "Bad",
        "message_id": "m1",
    }
    irc, eventsub = to_events(line, NOW), parsed("channel.chat.message_delete", told)
    assert_equal(irc, eventsub)
    [event] = eventsub
    assert isinstance(event, Moderation)
    assert (event.action, event.target_message_id, event.target_user_id) == ("delete_message", "m1", "5")
    assert (event.target_user_display_name, event.room_display_name) == ("Bad", "Room")
    [later] = to_events(line.replace("1725938011176", "1725938019999"), NOW)
    assert later.event_id == event.event_id
    [elsewhere] = to_events(line.replace("target-msg-id=m1", "target-msg-id=m2"), NOW)
    assert elsewhere.event_id != event.event_id


def test_a_cleared_chat_and_cleared_people_are_told_apart() -> None:
    room = {"broadcaster_user_id": "1337", "broadcaster_user_login": "room", "broadcaster_user_name": "Room"}
    [cleared] = parsed("channel.chat.clear", room)
    assert (cleared.action, cleared.target_user_id, cleared.room_id) == ("clear_chat", None, "1337")
    people = {"target_user_id": "5", "target_user_login": "bad", "target_user_name": "Bad"}
    [banned] = parsed("channel.chat.clear_user_messages", room | people)
    assert isinstance(banned, Moderation)
    # Twitch tells neither whether it was a ban or a timeout, nor how long.
    assert (banned.action, banned.duration_s, banned.target_user_id) == ("clear_user_messages", None, "5")


def test_the_table_names_only_fields_that_there_are() -> None:
    for kind, differences in DIFFERENCES.items():
        names = [difference.field for difference in differences]
        assert len(names) == len(set(names)), kind
        assert set(names) <= {field.name for field in fields(KINDS[kind])}, kind
        assert {difference.told_by for difference in differences} <= {IRC, EVENTSUB, BOTH}
