"""VOD chat in its three forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors.recorded import Recording, open_recording
from dashboard.errors import RecordingError
from dashboard.events import Bits, ChatMessage, Event, Instant, Raid, StreamChange, Subscription, synthetic_id

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
RECEIVED = Instant(1_800_000_000_000_000)
T18 = 1_714_845_600_000_000  # 2024-05-04 18:00:00 UTC
SECOND = 1_000_000


def read(path: Path, channel: str | None = None) -> tuple[list[Event], Recording]:
    recording = open_recording(path, channel=channel, clock=lambda: RECEIVED)
    return [event for batch in recording.events() for event in batch], recording


def older(offset_s: int, created_at: str, **changes: Any) -> dict[str, Any]:
    """A comment as Twitch's older API gave it; the downloader writes nulls as {}."""
    message = {
        "body": "hi 🌿 LUL",
        "bitsSpent": 0,
        "fragments": [{"text": "hi 🌿 ", "emote": {}}, {"text": "LUL", "emote": {"emoticon_id": "425618"}}],
        "userBadges": [{"_id": "moderator", "version": "1"}],
        "userColor": {},
        "emoticons": [{"_id": "425618", "begin": 6, "end": 10}],
    }
    return {
        "id": f"Qx{offset_s}",
        "createdAt": created_at,
        "channelId": "990001",
        "contentType": "video",
        "contentId": "2100000001",
        "contentOffsetSeconds": offset_s,
        "commenter": {
            "displayName": "MossyPebble",
            "id": "70001",
            "login": "mossypebble",
            "bio": {},
            "createdAt": "2016-03-06T22:26:34.289451Z",
        },
        "message": message,
    } | changes


def vod(
    tmp_path: Path, comments: list[dict[str, Any]], about: dict[str, Any] | None = None, folder: str = "x"
) -> Path:
    path = tmp_path / folder / "chat.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(orjson.dumps(comments))
    if about is not None:
        (path.parent / "vod.json").write_bytes(orjson.dumps(about))
    return path


def test_twitchdownloader_whole() -> None:
    events, recording = read(SAMPLES / "twitchdownloader.json")
    room: dict[str, Any] = {
        "source": "import",
        "room_login": "quietriver",
        "room_id": "990001",
        "received_at": RECEIVED,
    }
    flags = {"is_subscriber": False, "is_vip": False, "is_mod": False, "is_turbo": False}
    stream = {
        "stream_id": "v2100000001",
        "started_at": T18,
        "title": "Slow evening",
        "game_name": "Potion Craft",
    }
    lantern = {
        "event_id": "5a3e0000-0000-4000-9000-000000000002",
        "sent_at": T18 + 61_500_000,
        "user_id": "70002",
        "user_login": "lanternfish_",
        "user_display_name": "lanternfish_",
        "color": "#1E90FF",
    }
    kettlewise = {
        "event_id": "5a3e0000-0000-4000-9000-000000000003",
        "sent_at": Instant(T18 + 90_500_000),
        "user_id": "70003",
        "user_login": "kettlewise",
        "user_display_name": "Kettlewise",
        "color": "#1E90FF",
    }
    assert recording.notes == []
    assert events == [
        StreamChange(
            **room,
            **stream,
            event_id=synthetic_id("streams", "quietriver", "v2100000001", "start"),
            sent_at=Instant(T18),
            action="start",
        ),
        ChatMessage(
            **room,
            **(flags | {"is_subscriber": True}),
            event_id="5a3e0000-0000-4000-9000-000000000001",
            sent_at=Instant(T18 + 5_500_000),
            user_id="70001",
            user_login="mossypebble",
            user_display_name="MossyPebble",
            color="#1E90FF",
            badges="subscriber/12,premium/1",
            text="🌿 good evening Kappa Kappa",
            is_action=False,
            emotes="25:15-19,21-25",
            emote_names="Kappa Kappa",
        ),
        ChatMessage(**room, **flags, **lantern, text="Cheer100 for the tea", is_action=False, bits=100),
        Bits(**room, **flags, **lantern, bits=100, text="Cheer100 for the tea"),
        ChatMessage(
            **room,
            **flags,
            **kettlewise,
            text="Kettlewise subscribed at Tier 1. They've subscribed for 3 months! three already",
            is_action=False,
            msg_id="resub",
        ),
        Subscription(
            **room,
            **flags,
            **kettlewise,
            msg_id="resub",
            system_message="Kettlewise subscribed at Tier 1. They've subscribed for 3 months!",
            text="three already",
            plan="1000",
            cumulative_months=3,
        ),
        ChatMessage(
            **room,
            **flags,
            event_id="5a3e0000-0000-4000-9000-000000000004",
            sent_at=Instant(T18 + 120_500_000),
            color="#1E90FF",
            text="this account is gone",
            is_action=False,
        ),
        StreamChange(
            **room,
            **stream,
            event_id=synthetic_id("streams", "quietriver", "v2100000001", "end"),
            sent_at=Instant(T18 + 3_600 * SECOND),
            action="end",
        ),
    ]


def test_the_newer_form_knows_its_channel_by_the_broadcasters_badge() -> None:
    events, _ = read(SAMPLES / "vod_2024-05-04_18-00-00_2100000001" / "verbose_chat.json")
    assert {(e.room_login, e.room_id) for e in events} == {("quietriver", "990001")}
    welcome, said, raid = events[1:4]
    assert isinstance(welcome, ChatMessage)
    assert (welcome.text, welcome.emotes, welcome.emote_names, welcome.badges, welcome.color) == (
        "welcome LUL",
        "425618:8-10",
        "LUL",
        "broadcaster/1",
        None,
    )
    assert welcome.sent_at == T18 + 3_250_000
    # What Twitch announced is a message like every comment, and the event it tells of besides.
    assert isinstance(said, ChatMessage)
    assert isinstance(raid, Raid)
    assert (said.event_id, said.msg_id) == (raid.event_id, "raid")
    assert (raid.viewer_count, raid.user_login, raid.text) == (12, "mossypebble", None)
    assert [e.action for e in events if isinstance(e, StreamChange)] == ["start", "end"]


def test_chat_of_a_highlight_is_placed_by_its_offsets_and_the_recording_says_so(tmp_path: Path) -> None:
    # All comments were copied into the highlight within a second, minutes after its creation.
    comments = [older(s, f"2024-05-04T18:02:00.{i}580482Z") for i, s in enumerate((10, 900, 3000))]
    path = vod(
        tmp_path, comments, {"vod_id": "2100000001", "duration": 3100, "created_at": "2024-05-04T18:00:00Z"}
    )
    events, recording = read(path, channel="quietriver")
    messages = [e for e in events if isinstance(e, ChatMessage)]
    assert [(e.sent_at - T18) // SECOND for e in messages] == [10, 900, 3000]
    assert messages[0].emotes == "425618:5-7"
    assert messages[0].is_mod is True
    assert [note.split(":")[0] for note in recording.notes] == ["A highlight or an upload"]
    assert events[-1].sent_at == T18 + 3_100 * SECOND


def test_a_time_told_of_one_comment_that_is_far_off_is_not_believed(tmp_path: Path) -> None:
    comments = [
        older(10, "2024-05-04T18:00:10.4Z"),
        older(20, "2024-05-04T18:00:20.5Z"),
        older(30, "2024-05-09T00:00:00Z"),
    ]
    about = {"duration": 60, "created_at": "2024-05-04T18:00:00Z"}
    events, recording = read(vod(tmp_path, comments, about), channel="quietriver")
    times = [e.sent_at - T18 for e in events if isinstance(e, ChatMessage)]
    assert times == [10_400_000, 20_500_000, 30_000_000]
    assert recording.notes == []


def test_start_from_the_comments_where_nothing_else_tells_it(tmp_path: Path) -> None:
    comments = [older(10, "2024-05-04T18:00:10.4Z"), older(20, "2024-05-04T18:00:20.9Z")]
    events, _ = read(vod(tmp_path, comments), channel="quietriver")
    assert (events[0].kind, events[0].sent_at) == ("streams", T18)


def test_start_and_channel_from_the_folders(tmp_path: Path) -> None:
    comments = [older(10, "2024-05-04T20:00:00Z"), older(900, "2024-05-04T20:00:01Z")]
    path = vod(tmp_path, comments, folder="quietriver/2024-05-04_18-00-00_2100000001")
    events, _ = read(path)
    assert (events[0].sent_at, events[0].room_login) == (T18, "quietriver")
    assert isinstance(events[0], StreamChange)
    assert events[0].stream_id == "v2100000001"


def test_without_any_start_it_is_refused_with_the_cure(tmp_path: Path) -> None:
    comments = [older(10, "2024-05-04T20:00:00Z"), older(900, "2024-05-04T20:00:01Z")]
    with pytest.raises(RecordingError, match=r"Put a vod\.json with “created_at” beside it"):
        open_recording(vod(tmp_path, comments), channel="quietriver")


def test_without_any_channel_it_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="--channel NAME"):
        open_recording(vod(tmp_path, [older(10, "2024-05-04T18:00:10.4Z")]))


def test_the_owners_comment_tells_the_channel(tmp_path: Path) -> None:
    owner = {"displayName": "QuietRiver", "id": "990001", "login": "quietriver"}
    comments = [older(10, "2024-05-04T18:00:10.4Z"), older(11, "2024-05-04T18:00:11.4Z", commenter=owner)]
    events, _ = read(vod(tmp_path, comments), channel="somebody_else")
    assert {e.room_login for e in events} == {"quietriver"}


def test_a_broken_comment_is_rejected_and_the_rest_read(tmp_path: Path) -> None:
    comments = [
        older(10, "2024-05-04T18:00:10.4Z"),
        {"id": "a", "message": {}, "contentOffsetSeconds": "soon"},
    ]
    events, recording = read(vod(tmp_path, comments), channel="quietriver")
    assert len(events) == 3
    assert [reason for _, reason in recording.rejects] == [
        "not a VOD comment: ValueError could not convert string to float: 'soon'"
    ]


def test_the_videos_description_is_not_its_chat(tmp_path: Path) -> None:
    path = vod(tmp_path, [], {"vod_id": "1", "duration": 5, "created_at": "2024-05-04T18:00:00Z"}).with_name(
        "vod.json"
    )
    with pytest.raises(RecordingError, match="describes a video but has no chat"):
        open_recording(path)
