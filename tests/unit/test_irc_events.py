"""Chat lines turned into events: real lines in, whole values out."""

from __future__ import annotations

import json
from dataclasses import asdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.irc_events import to_events
from dashboard.errors import ParseError
from dashboard.events import (
    KINDS,
    Bits,
    ChatMessage,
    Event,
    Instant,
    Moderation,
    Notice,
    RoomState,
    UserListChange,
    arrow_schema,
    synthetic_id,
)

NOW = Instant(1_800_000_000_000_000)


def one(line: str, **more: object) -> Event:
    [event] = to_events(line, NOW, **more)  # type: ignore[arg-type]
    return event


def message(
    tags: str = "", text: str = "hello", source: str = "viewer!viewer@viewer.tmi.twitch.tv"
) -> ChatMessage:
    head = f"@{tags} " if tags else ""
    event = to_events(f"{head}:{source} PRIVMSG #Room :{text}", NOW)[0]
    assert isinstance(event, ChatMessage)
    return event


def test_a_chat_message_is_read_whole() -> None:
    line = (
        "@badge-info=subscriber/27;badges=vip/1,subscriber/24;client-nonce=abc;color=#FF0000;"
        "custom-reward-id=reward;display-name=Riot\\sGames;emote-only=1;emotes=25:0-4,12-16/1902:6-10;first-msg=0;"
        "flags=0-4:P.3;id=5b4f63a9;mod=0;msg-id=highlighted-message;"
        "reply-parent-display-name=Parent;reply-parent-msg-body=what\\:\\sever;reply-parent-msg-id=p1;"
        "reply-parent-user-id=11;reply-parent-user-login=parent;reply-thread-parent-display-name=Top;"
        "reply-thread-parent-msg-id=t1;reply-thread-parent-user-id=12;reply-thread-parent-user-login=top;"
        "returning-chatter=1;room-id=36029255;source-badge-info=subscriber/5;source-badges=moderator/1;"
        "source-id=s1;source-only=0;source-room-id=999;subscriber=1;tmi-sent-ts=1673925983585;turbo=1;"
        "user-id=36029255;user-type=mod;vip=1 "
        ":riotgames!riotgames@riotgames.tmi.twitch.tv PRIVMSG #RiotGames :Kappa Keepo Kappa"
    )
    assert one(line) == ChatMessage(
        event_id="5b4f63a9",
        source="irc",
        room_login="riotgames",
        sent_at=Instant(1_673_925_983_585_000),
        received_at=NOW,
        room_id="36029255",
        source_room_id="999",
        source_message_id="s1",
        user_id="36029255",
        user_login="riotgames",
        user_display_name="Riot Games",
        color="#FF0000",
        badges="vip/1,subscriber/24",
        badge_info="subscriber/27",
        is_subscriber=True,
        is_vip=True,
        is_mod=False,
        is_turbo=True,
        user_type="mod",
        source_badges="moderator/1",
        source_badge_info="subscriber/5",
        is_source_only=False,
        text="Kappa Keepo Kappa",
        is_action=False,
        is_first_message=False,
        is_returning_chatter=True,
        emotes="25:0-4,12-16/1902:6-10",
        emote_names="Kappa Keepo Kappa",
        flags="0-4:P.3",
        bits=None,
        reply_parent_message_id="p1",
        reply_parent_user_id="11",
        reply_parent_user_login="parent",
        reply_parent_display_name="Parent",
        reply_parent_text="what; ever",
        thread_parent_message_id="t1",
        thread_parent_user_id="12",
        thread_parent_user_login="top",
        thread_parent_display_name="Top",
        custom_reward_id="reward",
        msg_id="highlighted-message",
        other_tags='{"emote-only":"1"}',
    )


def test_a_message_without_tags_tells_nothing_it_does_not_know() -> None:
    event = message(text="1 JOIN :2")
    told = {key: value for key, value in asdict(event).items() if value is not None}
    assert told == {
        "event_id": synthetic_id("chat_messages", "room", NOW, "viewer", "1 JOIN :2"),
        "source": "irc",
        "room_login": "room",
        "sent_at": NOW,
        "received_at": NOW,
        "user_login": "viewer",
        "text": "1 JOIN :2",
        "is_action": False,
    }


def test_empty_tags_are_not_told() -> None:
    event = message(
        "badges=;badge-info=;color=;display-name=;emotes=;flags=;id=;mod=;room-id=;user-id=;user-type="
    )
    assert event == message("badges=")
    assert event.color is None
    assert event.is_vip is False  # the badges are told, and VIP is not among them


@pytest.mark.parametrize(
    ("tags", "is_vip"),
    [
        ("", None),
        ("vip=1", True),
        ("vip=0;badges=vip/1", False),
        ("badges=vip/1,subscriber/3", True),
        ("badges=subscriber/3,vip/1", True),
        ("badges=subscriber/3", False),
        ("badges=nonvip/1", False),
    ],
)
def test_vips_are_known_by_tag_or_badge(tags: str, is_vip: bool | None) -> None:
    assert message(tags).is_vip is is_vip


def test_where_and_when() -> None:
    line = ":viewer!viewer@viewer.tmi.twitch.tv PRIVMSG #room :hi"
    event = one(line, source="import", sent_at=Instant(5))
    assert (event.source, event.sent_at, event.received_at) == ("import", 5, NOW)
    stamped = one(f"@tmi-sent-ts=1568505600501 {line}", sent_at=Instant(5))
    assert stamped.sent_at == 1_568_505_600_501_000


IMPOSSIBLE = [
    "",
    "yesterday",
    "-5",
    "1",
    "9" * 30,
    "99999999999999",
    "１５６８５０５６００５０１",
    "1_568_505_600_501",
]


@pytest.mark.parametrize("stamp", IMPOSSIBLE)
def test_impossible_times_are_not_told(stamp: str) -> None:
    assert message(f"tmi-sent-ts={stamp}").sent_at == NOW


@pytest.mark.parametrize(
    ("raw", "text", "is_action"),
    [
        ("\x01ACTION waves\x01", "waves", True),
        ("\x01ACTION cut off", "cut off", True),
        ("\x01ACTION  two\x01", " two", True),
        ("\x01ACTION\x01", "", True),
        ("ACTION waves", "ACTION waves", False),
        ("/me waves", "/me waves", False),
    ],
)
def test_me_messages_are_unwrapped(raw: str, text: str, is_action: bool) -> None:
    event = message("emotes=25:0-4", raw)
    assert (event.text, event.is_action) == (text, is_action)
    # Positions count from the unwrapped text.
    assert message("emotes=25:0-4", "\x01ACTION Kappa\x01").emote_names == "Kappa"


@pytest.mark.parametrize(
    ("emotes", "text", "names"),
    [
        ("1902:6-10/25:0-4,12-16", "Kappa Keepo Kappa", "Kappa Keepo Kappa"),
        ("25:1-5/25:9-13", "😂Kappa😂 &Kappa", "Kappa Kappa"),
        ("300196486_TK:0-7", "pajaM_TK", "pajaM_TK"),
        ("25:0-4/26:0-99/27:9-8/28:-1-2/29/:/30:a-b/31:2", "Kappa", "Kappa"),
        ("25:04", "Kappa", None),
        ("25:4-0", "Kappa", None),
        ("84608:0-15", "foo bar", None),
        ("25:2-4", "foo bar", None),  # never across words
        ("", "Kappa", None),
    ],
)
def test_emotes_by_name(emotes: str, text: str, names: str | None) -> None:
    event = message(f"emotes={emotes}", text)
    assert event.emote_names == names
    assert event.emotes == (emotes or None)


def test_a_cheer_is_a_message_and_bits() -> None:
    line = (
        "@badges=bits/100;bits=245;color=;display-name=Undone;emotes=;id=331ec583;mod=0;room-id=111448817;"
        "subscriber=0;tmi-sent-ts=1567881553759;user-id=452974274 "
        ":undone!undone@undone.tmi.twitch.tv PRIVMSG #pajlada :cheer245 can I join?"
    )
    chat, bits = to_events(line, NOW)
    assert isinstance(chat, ChatMessage)
    assert chat.bits == 245
    assert bits == Bits(
        event_id="331ec583",
        source="irc",
        room_login="pajlada",
        sent_at=Instant(1_567_881_553_759_000),
        received_at=NOW,
        room_id="111448817",
        user_id="452974274",
        user_login="undone",
        user_display_name="Undone",
        badges="bits/100",
        is_subscriber=False,
        is_vip=False,
        is_mod=False,
        bits=245,
        text="cheer245 can I join?",
    )
    assert message("bits=many").bits is None


def test_jtv_and_servers_speak_too() -> None:
    assert message(source="jtv!jtv@jtv.tmi.twitch.tv").user_login == "jtv"
    assert message(source="tmi.twitch.tv").user_login is None
    # Before 2015 jtv told the streamer in private; the room is the streamer's.
    assert one(":jtv!jtv@jtv.tmi.twitch.tv PRIVMSG dallas :ronni is now hosting you.").room_login == "dallas"


def test_text_without_its_colon() -> None:
    assert message(text="x").text == one(":viewer!v@v PRIVMSG #room x").text == "x"  # type: ignore[attr-defined]
    assert one(":viewer!v@v PRIVMSG #room a b c").text == "a b c"  # type: ignore[attr-defined]


CLEARCHAT = ":tmi.twitch.tv CLEARCHAT #dallas"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (CLEARCHAT, {"action": "clear_chat"}),
        (f"{CLEARCHAT} :ronni", {"action": "ban", "target_user_login": "ronni"}),
        (
            f"@ban-duration=600;room-id=3;target-user-id=8;tmi-sent-ts=1568505600739 {CLEARCHAT} ronni",
            {
                "action": "timeout",
                "duration_s": 600,
                "target_user_login": "ronni",
                "target_user_id": "8",
                "room_id": "3",
                "sent_at": 1_568_505_600_739_000,
            },
        ),
        (
            f"@ban-duration=soon;ban-reason=rude\\swords {CLEARCHAT} :ronni",
            {"action": "timeout", "target_user_login": "ronni", "reason": "rude words"},
        ),
        (
            "@login=ronni;room-id=;target-msg-id=abc-123;tmi-sent-ts=1568505600739 "
            ":tmi.twitch.tv CLEARMSG #dallas :HeyGuys you",
            {
                "action": "delete_message",
                "target_message_id": "abc-123",
                "target_text": "HeyGuys you",
                "target_user_login": "ronni",
                "sent_at": 1_568_505_600_739_000,
            },
        ),
    ],
)
def test_moderation(line: str, told: dict[str, object]) -> None:
    event = one(line)
    assert isinstance(event, Moderation)
    common = {"source": "irc", "room_login": "dallas", "sent_at": NOW, "received_at": NOW}
    values = {key: value for key, value in asdict(event).items() if value is not None}
    assert values.pop("event_id").startswith("x-")
    assert values == common | told


def test_the_same_ban_has_the_same_id_whenever_it_is_received() -> None:
    line = f"@target-user-id=8;tmi-sent-ts=1568505600739 {CLEARCHAT} :ronni"
    [later] = to_events(line, Instant(NOW + 5))
    assert later.event_id == one(line).event_id
    assert one(line.replace("739", "740")).event_id != one(line).event_id
    assert one(line.replace("=8", "=9")).event_id != one(line).event_id


def test_room_states() -> None:
    whole = one(
        "@broadcaster-lang=en;emote-only=0;followers-only=-1;r9k=1;rituals=0;room-id=408892348;slow=30;"
        "subs-only=1 "
        ":tmi.twitch.tv ROOMSTATE #clippy"
    )
    assert whole == RoomState(
        event_id=whole.event_id,
        source="irc",
        room_login="clippy",
        sent_at=NOW,
        received_at=NOW,
        room_id="408892348",
        is_emote_only=False,
        followers_only_min=-1,
        is_unique_chat=True,
        slow_s=30,
        is_subs_only=True,
        language="en",
        has_rituals=False,
    )
    change = one("@room-id=40286300;slow=5 :tmi.twitch.tv ROOMSTATE #randers")
    assert isinstance(change, RoomState)
    assert (change.slow_s, change.is_emote_only, change.followers_only_min) == (5, None, None)


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        (":ronni!ronni@ronni.tmi.twitch.tv JOIN #dallas", [("join", "ronni")]),
        (":ronni!ronni@ronni.tmi.twitch.tv PART #dallas", [("part", "ronni")]),
        (
            ":me.tmi.twitch.tv 353 me = #dallas :ronni fred wilma",
            [("names", "ronni"), ("names", "fred"), ("names", "wilma")],
        ),
        (":me.tmi.twitch.tv 366 me #dallas :End of /NAMES list", []),
        (":jtv MODE #dallas +o ronni", [("mod", "ronni")]),
        (":jtv MODE #dallas -o ronni", [("unmod", "ronni")]),
        (":jtv MODE #dallas +o-o ronni fred", [("mod", "ronni"), ("unmod", "fred")]),
    ],
)
def test_user_lists(line: str, changes: list[tuple[str, str]]) -> None:
    assert to_events(line, NOW) == [
        UserListChange(
            event_id=synthetic_id("user_list", "dallas", NOW, action, login),
            source="irc",
            room_login="dallas",
            sent_at=NOW,
            received_at=NOW,
            action=action,
            user_login=login,
        )
        for action, login in changes
    ]


@pytest.mark.parametrize(
    ("line", "msg_id", "text"),
    [
        (
            "@msg-id=slow_off :tmi.twitch.tv NOTICE #dallas :Slow mode is off.",
            "slow_off",
            "Slow mode is off.",
        ),
        (":tmi.twitch.tv NOTICE #dallas :Hi", None, "Hi"),
        (":tmi.twitch.tv HOSTTARGET #dallas :ronni 123", "hosttarget", "ronni 123"),
        (":tmi.twitch.tv HOSTTARGET #dallas :-", "hosttarget", "-"),
        (":jtv MODE #dallas +v ronni", "irc:MODE", ":jtv MODE #dallas +v ronni"),
        ("@new=1 :x SPARKLE a #dallas :b\r\n", "irc:SPARKLE", "@new=1 :x SPARKLE a #dallas :b"),
        (
            ":tmi.twitch.tv 403 me #dallas :No such channel",
            "irc:403",
            ":tmi.twitch.tv 403 me #dallas :No such channel",
        ),
    ],
)
def test_notices_and_unknown_commands_are_kept(line: str, msg_id: str | None, text: str) -> None:
    event = one(line)
    assert isinstance(event, Notice)
    assert (event.room_login, event.msg_id, event.text) == ("dallas", msg_id, text)


@pytest.mark.parametrize(
    "line",
    [
        "PING :tmi.twitch.tv",
        ":tmi.twitch.tv PONG tmi.twitch.tv :x",
        ":tmi.twitch.tv CAP * ACK :twitch.tv/tags",
        ":tmi.twitch.tv 001 me :Welcome, GLHF!",
        ":tmi.twitch.tv RECONNECT",
        ":tmi.twitch.tv NOTICE * :Login authentication failed",
        "@display-name=me;mod=1 :tmi.twitch.tv USERSTATE #dallas",
        "@user-id=1 :tmi.twitch.tv GLOBALUSERSTATE",
        "@user-id=1 :a!a@a WHISPER me :a private word",
    ],
)
def test_lines_about_the_connection_and_whispers_give_nothing(line: str) -> None:
    assert to_events(line, NOW) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (":a!a@a PRIVMSG", "the line names no room"),
        (":a!a@a PRIVMSG #room", "PRIVMSG without a text"),
        (":a!a@a PRIVMSG #ro<om :x", "“#ro<om” is not a room"),
        (":tmi.twitch.tv JOIN #room", "JOIN: the source is 'tmi.twitch.tv' and should name a user"),
        (":me 353 me", "353: should have a room and its names"),
        (
            "@target-msg-id= :tmi.twitch.tv CLEARMSG #room :x",
            "CLEARMSG: target-msg-id is '' and should name the deleted message",
        ),
        ("SPARKLE", "unknown command SPARKLE that names no room"),
        ("sparkle #room", "“sparkle” is not a command"),
        ("@badges= :tmi.twitch.tv USERNOTICE", "the line names no room"),
    ],
)
def test_broken_lines_say_what_is_wrong(line: str, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        to_events(line, NOW)
    assert str(caught.value) == reason


def test_lone_surrogates_are_made_storable() -> None:
    event = message("new=\ud800x;emotes=25:2-6", "😂\udc00Kappa")
    assert event.text == "😂\ufffdKappa"
    assert event.emote_names == "Kappa"
    assert json.loads(event.other_tags or "") == {"new": "\ufffdx"}


def test_new_tags_are_kept_also_beside_known_sets() -> None:
    assert message("id=1;sparkle=2").other_tags == '{"sparkle":"2"}'
    assert message("id=1").other_tags is None
    assert message("id=1;sparkle=3").other_tags == '{"sparkle":"3"}'


_TAGS = st.dictionaries(
    st.sampled_from(["id", "emotes", "bits", "tmi-sent-ts", "badges", "msg-id", "ban-duration", "source-id"])
    | st.text(st.characters(exclude_characters=" ;=\0\r\n"), min_size=1, max_size=8),
    st.text(st.characters(exclude_characters=" ;\0\r\n"), max_size=12),
    max_size=5,
)
_KNOWN = "PRIVMSG USERNOTICE CLEARCHAT CLEARMSG ROOMSTATE JOIN PART MODE NOTICE HOSTTARGET 353 WHATEVER PING"
_COMMANDS = st.sampled_from(_KNOWN.split())


@settings(max_examples=300, deadline=None)
@given(
    st.text()
    | st.builds(
        lambda tags, command, room, text: (
            "@" + ";".join(f"{k}={v}" for k, v in tags.items()) + f" :a!a@a {command} {room} :{text}"
        ),
        _TAGS,
        _COMMANDS,
        st.sampled_from(["#room", "room", "*", "me = #room"]),
        st.text(st.characters(codec=None), max_size=20),
    )
)
def test_any_text_gives_events_that_can_be_stored_or_a_parse_error(line: str) -> None:
    try:
        events = to_events(line, NOW)
    except ParseError:
        return
    for event in events:
        schema = arrow_schema(KINDS[event.kind])
        pa.Table.from_pylist([asdict(event)], schema=schema).validate(full=True)
        assert event.room_login
        assert event.event_id
