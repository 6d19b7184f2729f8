"""One small recording of each format, whole events out of it."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from collectors.recorded import Recording, open_recording
from dashboard.errors import RecordingError
from dashboard.events import (
    Bits,
    ChatMessage,
    Event,
    Instant,
    Moderation,
    Notice,
    StreamChange,
    Subscription,
    UserListChange,
    ViewerSample,
    synthetic_id,
)

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
RECEIVED = Instant(1_800_000_000_000_000)
T18 = 1_714_845_600_000_000  # 2024-05-04 18:00:00 UTC
SECOND = 1_000_000


def read(path: Path, channel: str | None = None) -> tuple[list[Event], Recording]:
    recording = open_recording(path, channel=channel, clock=lambda: RECEIVED)
    return [event for batch in recording.events() for event in batch], recording


def written(tmp_path: Path, text: str | bytes, name: str = "log.bin") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def message(login: str, text: str, at: int, **told: object) -> ChatMessage:
    values: dict[str, object] = {
        "event_id": synthetic_id("chat_messages", "quietriver", at, login, text),
        "source": "import",
        "room_login": "quietriver",
        "sent_at": at,
        "received_at": RECEIVED,
        "user_login": login,
        "text": text,
    }
    return ChatMessage(**(values | told))  # type: ignore[arg-type]


# Raw chat lines


def test_tagged_lines_keep_their_own_time_and_id_and_the_order_of_the_file() -> None:
    events, recording = read(SAMPLES / "irc_tagged.log")
    assert recording.format == "raw IRC lines"
    assert recording.rejects == []
    assert [(event.kind, event.sent_at - T18) for event in events] == [
        ("room_states", 250_000),  # has no time: that of the first line that has one
        ("chat_messages", 250_000),
        ("chat_messages", 1_900_000),
        ("chat_messages", 1_500_000),
        ("chat_messages", 60_200_000),
        ("subscriptions", 90_000_000),
        ("moderation", 120_000_000),
    ]
    assert events[1].event_id == "5a3e0000-0000-4000-8000-000000000001"
    action = events[4]
    assert isinstance(action, ChatMessage)
    assert (action.text, action.is_action, action.user_id) == ("turns it up", True, "70002")
    assert {event.source for event in events} == {"import"}


def test_several_lines_under_one_stamp_and_strange_lines() -> None:
    events, recording = read(SAMPLES / "irc_stamped.log")
    hi = synthetic_id("chat_messages", "quietriver", T18 + 2 * SECOND, "mossypebble", "hi")
    assert [(e.kind, e.sent_at - T18, e.event_id) for e in events[1:]] == [
        ("chat_messages", 2 * SECOND, hi),
        ("chat_messages", 2 * SECOND, synthetic_id(hi, 1)),
        (
            "chat_messages",
            2 * SECOND,
            synthetic_id("chat_messages", "quietriver", T18 + 2 * SECOND, "lanternfish_", "hello"),
        ),
    ]
    joined = events[0]
    assert isinstance(joined, UserListChange)
    assert (joined.action, joined.user_login, joined.sent_at) == ("join", "justinfan77", T18 + SECOND)
    assert recording.rejects == [("parser: nothing to do", "not a chat line")]


@pytest.mark.parametrize(
    ("prefix", "at"),
    [
        ("[2019-04-30T08:56:59Z] ", 1_556_614_619_000_000),
        ("[2019-04-30T08:56:59.25+02:00] ", 1_556_607_419_250_000),
        ("2019-04-30 08:56:59,125 < ", 1_556_614_619_125_000),
        ("1556614619125 ", 1_556_614_619_125_000),
        ("[1556614619.5] >> ", 1_556_614_619_500_000),
        ("< 2019/04/30 08:56:59 | ", 1_556_614_619_000_000),
        ("2019-04-30_08:56:59 ;;; ", 1_556_614_619_000_000),
    ],
)
def test_stamps(tmp_path: Path, prefix: str, at: int) -> None:
    line = f"{prefix}:kettle!kettle@kettle.tmi.twitch.tv PRIVMSG #quietriver :is 10:30 fine?"
    events, _ = read(written(tmp_path, line))
    assert events == [message("kettle", "is 10:30 fine?", at, is_action=False)]


def test_chat_lines_without_any_time_are_refused_with_the_cure(tmp_path: Path) -> None:
    path = written(tmp_path, ":a!a@a.tmi.twitch.tv PRIVMSG #b :hi\n")
    with pytest.raises(RecordingError, match="put a time in front of each line") as caught:
        open_recording(path)
    assert str(path) in str(caught.value)


def test_a_clock_gone_mad_is_not_believed(tmp_path: Path) -> None:
    times = ["1556614619125", "9999999999999", "0", ""]
    lines = [f"@id=m{i};tmi-sent-ts={at} :a!a@a PRIVMSG #b :hi" for i, at in enumerate(times)]
    events, _ = read(written(tmp_path, "\n".join(lines)))
    assert [event.sent_at for event in events] == [1_556_614_619_125_000] * 4


def test_recent_messages_are_the_same_events_as_the_raw_lines() -> None:
    recent, recording = read(SAMPLES / "recent_messages.json")
    raw, _ = read(SAMPLES / "irc_tagged.log")
    assert recording.format == "recent-messages JSON"
    assert [(e.kind, e.event_id, e.sent_at) for e in recent] == [
        (e.kind, e.event_id, e.sent_at) for e in raw[1:4]
    ]
    assert recording.position == recording.total_bytes


@pytest.mark.parametrize(
    "wrap", [lambda lines: lines, lambda lines: {"messages": [{"raw": x} for x in lines]}]
)
def test_lists_of_raw_lines_in_json(tmp_path: Path, wrap: object) -> None:
    line = "@id=abc;rm-received-ts=1556614619125 :kettle!k@k PRIVMSG #quietriver :hi"
    events, _ = read(written(tmp_path, orjson.dumps(wrap([line]))))  # type: ignore[operator]
    assert [(e.event_id, e.sent_at) for e in events] == [("abc", 1_556_614_619_125_000)]


def test_encodings_line_ends_and_gzip_make_no_difference(tmp_path: Path) -> None:
    lines = (SAMPLES / "irc_tagged.log").read_text().splitlines()
    expected, _ = read(SAMPLES / "irc_tagged.log")
    variants = {
        "crlf with a BOM": b"\xef\xbb\xbf" + "\r\n".join(lines).encode(),
        "cr": "\r".join(lines).encode(),
        "mixed": ("\r\n".join(lines[:3]) + "\n" + "\r".join(lines[3:])).encode(),
        "utf-16": "\n".join(lines).encode("utf-16"),
        "packed": gzip.compress("\n".join(lines).encode()),
        "BOM in the middle": ("\n".join(lines[:3]) + "\n\ufeff" + "\n".join(lines[3:])).encode(),
    }
    for name, content in variants.items():
        events, recording = read(written(tmp_path, content))
        assert (events, recording.rejects) == (expected, []), name


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    events, _ = read(written(tmp_path, b"2019-04-30_08:56:59 :a!a@a PRIVMSG #quietriver :caf\xe9\n"))
    assert isinstance(events[0], ChatMessage)
    assert events[0].text == "caf\ufffd"


def test_packed_data_that_ends_early_gives_what_is_there(tmp_path: Path) -> None:
    lines = "".join(f"[{1_556_614_619 + i}] :a!a@a PRIVMSG #b :{i * 7919}\n" for i in range(20_000))
    packed = gzip.compress(lines.encode())
    events, recording = read(written(tmp_path, packed[: len(packed) // 2]))
    assert 1_000 < len(events) < 20_000
    assert recording.rejects[-1] == ("", "the packed data ends early")
    assert recording.notes == ["The packed data ends early: the rest of the recording is missing."]


# Chatty


def test_chatty_log_whole() -> None:
    events, recording = read(SAMPLES / "chatty_quietriver.log")
    start = 1_714_859_880_000_000  # 2024-05-04 23:58:00 +0200
    room = {"source": "import", "room_login": "quietriver", "received_at": RECEIVED}

    def own_id(kind: str, at: int, *parts: object) -> dict[str, object]:
        return room | {"event_id": synthetic_id(kind, "quietriver", at, *parts), "sent_at": at}

    mod = {
        "badges": "moderator/1",
        "is_subscriber": False,
        "is_mod": True,
        "is_vip": False,
        "is_turbo": False,
    }
    none = {"badges": None, "is_subscriber": False, "is_mod": False, "is_vip": False, "is_turbo": False}
    welcome = message(
        "mossypebble", "welcome", start + 5 * SECOND, user_display_name="MossyPebble", is_action=False, **mod
    )
    again = message(
        "mossypebble", "welcome", start + 5 * SECOND, user_display_name="MossyPebble", is_action=False, **mod
    )
    again.event_id = synthetic_id(welcome.event_id, 1)
    minute = 60 * SECOND
    on = {"title": "Slow evening (cosy)", "game_name": "Potion Craft"}
    expected: list[Event] = [
        Notice(**own_id("notices", start, None, "Joining #quietriver.."), text="Joining #quietriver.."),
        Notice(
            **own_id("notices", start + SECOND, None, "You have joined #quietriver"),
            text="You have joined #quietriver",
        ),
        *(
            UserListChange(
                **own_id("user_list", start + SECOND, "mod", login), action="mod", user_login=login
            )
            for login in ("mossypebble", "lanternfish_")
        ),
        welcome,
        again,
        message(
            "kettlewise",
            "waves",
            start + 119 * SECOND,
            user_display_name="Kettlewise",
            is_action=True,
            **(none | {"is_subscriber": True, "is_turbo": True}),
        ),
        # The day has changed, and a localized name hides its login.
        message(
            "緑の鍋", "こんばんは", start + 124 * SECOND, user_display_name="緑の鍋", is_action=False, **none
        ),
        Moderation(
            **own_id("moderation", start + 150 * SECOND, "timeout", "spamcannon", 600, "no links"),
            action="timeout",
            target_user_login="spamcannon",
            duration_s=600,
            reason="no links",
        ),
        Moderation(
            **own_id("moderation", start + 150 * SECOND, "ban", "spamcannon2", None, None),
            action="ban",
            target_user_login="spamcannon2",
        ),
        Subscription(
            **own_id(
                "usernotice",
                start + 3 * minute,
                "Kettlewise subscribed for 3 months in a row! [three already]",
            ),
            user_login="kettlewise",
            user_display_name="Kettlewise",
            msg_id="resub",
            system_message="Kettlewise subscribed for 3 months in a row!",
            text="three already",
            legacy_months=3,
        ),
        ViewerSample(**own_id("viewer_samples", start), viewer_count=998, **on),
        ViewerSample(**own_id("viewer_samples", start + 2 * minute), viewer_count=1020, **on),
        ViewerSample(**own_id("viewer_samples", start + 4 * minute), viewer_count=997, **on),
        StreamChange(**own_id("streams", start + 4 * minute + 30 * SECOND, "end"), action="end", **on),
    ]
    assert events[: len(expected)] == expected
    assert len(events) == len(expected)
    assert recording.rejects == []


# Text logs and tables


def test_rustlog_text_whole() -> None:
    events, recording = read(SAMPLES / "rustlog_text.log")
    room = {"source": "import", "room_login": "quietriver", "received_at": RECEIVED}
    sentence = "Kettlewise subscribed at Tier 1. They've subscribed for 3 months! three already"
    assert events == [
        message("mossypebble", "good evening: all of you", T18, is_action=False),
        Moderation(
            **room,
            event_id=synthetic_id("moderation", "quietriver", T18 + 2 * SECOND, "timeout", "spamcannon", 600),
            sent_at=Instant(T18 + 2 * SECOND),
            action="timeout",
            target_user_login="spamcannon",
            duration_s=600,
        ),
        Moderation(
            **room,
            event_id=synthetic_id("moderation", "quietriver", T18 + 3 * SECOND, "ban", "spamcannon", None),
            sent_at=Instant(T18 + 3 * SECOND),
            action="ban",
            target_user_login="spamcannon",
        ),
        Subscription(
            **room,
            event_id=synthetic_id("usernotice", "quietriver", T18 + 9 * SECOND, "kettlewise", sentence),
            sent_at=Instant(T18 + 9 * SECOND),
            user_login="kettlewise",
            msg_id="resub",
            system_message="Kettlewise subscribed at Tier 1. They've subscribed for 3 months!",
            text="three already",
            plan="1000",
            cumulative_months=3,
        ),
        message("kettlewise", "thanks", T18 + 10 * SECOND, is_action=False),
    ]
    assert recording.rejects == []


def test_text_log_of_one_channel_needs_its_name(tmp_path: Path) -> None:
    path = written(tmp_path, "[2024-05-04 18:00:00 UTC] Kettlewise: hi\n")
    with pytest.raises(RecordingError, match="--channel NAME"):
        open_recording(path)
    events, _ = read(path, channel="#QuietRiver")
    assert events == [message("kettlewise", "hi", T18, user_display_name="Kettlewise", is_action=False)]


def test_csv_whole() -> None:
    events, recording = read(SAMPLES / "messages.csv")
    hi = message("kettlewise", "hi", T18 + SECOND, is_action=False)
    hi_again = message("kettlewise", "hi", T18 + SECOND, is_action=False)
    hi_again.event_id = synthetic_id(hi.event_id, 1)
    first = 'first line\nsecond line, with "quotes"'
    assert events == [
        message("mossypebble", first, T18, user_display_name="MossyPebble", is_action=False),
        hi,
        hi_again,
    ]
    assert recording.rejects == [("yesterday,kettlewise,quietriver,lost", "“yesterday” is not a time")]


def test_csv_with_other_column_names_and_bits(tmp_path: Path) -> None:
    header = "id;Timestamp;User ID;display_name;user_login;Room;body;bits"
    table = f"{header}\nq-1;1714845600500;7;Kettle;kettle;quietriver;Cheer50;50\n"
    events, _ = read(written(tmp_path, table))
    told = {"event_id": "q-1", "user_id": "7", "user_display_name": "Kettle"}
    at = T18 + 500_000
    expected = message("kettle", "Cheer50", at, is_action=False, bits=50, **told)
    assert events == [
        expected,
        Bits(
            event_id="q-1",
            source="import",
            room_login="quietriver",
            sent_at=Instant(at),
            received_at=RECEIVED,
            user_id="7",
            user_login="kettle",
            user_display_name="Kettle",
            bits=50,
            text="Cheer50",
        ),
    ]


def test_csv_without_a_channel_needs_its_name(tmp_path: Path) -> None:
    path = written(tmp_path, "time,user,text\n2024-05-04T18:00:00+00,kettle,\x01ACTION nods\x01\n")
    with pytest.raises(RecordingError, match="--channel NAME"):
        open_recording(path)
    events, _ = read(path, channel="quietriver")
    assert events == [message("kettle", "nods", T18, is_action=True)]


def test_numbered_rows_of_a_csv_are_not_ids_of_messages(tmp_path: Path) -> None:
    table = "id,time,user,text,channel\n0,2024-05-04 18:00:00,kettle,hi,quietriver\n"
    events, _ = read(written(tmp_path, table))
    assert events == [message("kettle", "hi", T18, is_action=False)]
