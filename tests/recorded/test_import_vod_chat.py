"""Every recorded VOD chat is imported; what must be in it is worked out here by other means."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors.recorded import open_recording
from dashboard.events import ChatMessage, Event, MysteryGift, Raid, StreamChange, SubGift

SECOND = 1_000_000
# Twitch's sentences that are no messages of people, told by their middles only.
ANNOUNCED = re.compile(
    r"^\S+ (subscribed (at Tier|with Prime)|is paying forward the Gift|is continuing the Gift Sub"
    r"|watched \d+ consecutive|redeemed \S+ for \d+ Bits)"
    r"|^(\S+|An anonymous user) (gifted a Tier \d sub to|gifted \d+ months of Tier|is gifting \d+ Tier)"
    r"|^\d+ raiders from \S+ have joined"
)


def chats(recorded_dir: Path, channel: str) -> list[Path]:
    return sorted((recorded_dir / "chatlogs" / "vod_json" / channel).glob("*/verbose_chat.json.gz"))


def read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any], list[Event], list[str]]:
    comments = orjson.loads(gzip.decompress(path.read_bytes()))
    about = orjson.loads((path.parent / "vod.json").read_bytes())
    recording = open_recording(path)
    events = [event for batch in recording.events() for event in batch]
    assert recording.rejects == []
    return comments, about, events, recording.notes


def text_of(comment: dict[str, Any]) -> str:
    return "".join(part["text"] for part in comment["message"]["fragments"])


def start_of(about: dict[str, Any]) -> int:
    at = datetime.fromisoformat(about["created_at"].replace("Z", "").replace(" ", "T")).replace(tzinfo=UTC)
    return int(at.timestamp()) * SECOND


def check(path: Path, room_login: str, room_id: str | None) -> tuple[Counter[str], list[str]]:
    comments, about, events, notes = read(path)
    kinds = Counter(event.kind for event in events)
    announced = sum(ANNOUNCED.match(text_of(comment)) is not None for comment in comments)
    assert kinds["chat_messages"] == len(comments)
    assert sum(kinds.values()) - kinds["bits"] - kinds["streams"] == len(comments) + announced
    happened = [event for event in events if isinstance(event, ChatMessage)]
    assert [event.event_id for event in happened] == [comment["id"] for comment in comments]
    assert {(event.room_login, event.room_id) for event in events} == {(room_login, room_id)}
    start, end = start_of(about), start_of(about) + about["duration"] * SECOND
    changes = [event for event in events if isinstance(event, StreamChange)]
    assert [change.action for change in changes] == ["start", "end"]
    assert {(change.title, change.stream_id) for change in changes} == {
        (about["title"] or None, f"v{about['vod_id']}")
    }
    assert changes[0].sent_at == start
    # All within the broadcast; one goes on chatting for up to a minute and a half after its end.
    assert min(event.sent_at for event in happened) >= start - 2 * SECOND
    assert max(event.sent_at for event in happened) <= end + 90 * SECOND
    assert changes[1].sent_at >= max(event.sent_at for event in happened)
    for event, comment in zip(happened, comments, strict=True):
        assert abs(event.sent_at - start - comment["contentOffsetSeconds"] * SECOND) <= 3 * SECOND
        words = [part["text"] for part in comment["message"]["fragments"] if part.get("emote")]
        assert event.text == text_of(comment)
        assert event.emote_names == (" ".join(words) or None)
        for span in re.findall(r"(\d+)-(\d+)", (event.emotes or "").replace("emotesv2_", "")):
            assert event.text[int(span[0]) : int(span[1]) + 1] in words
    return kinds, notes


@pytest.mark.timeout(300)
def test_the_older_form_93_highlights(recorded_dir: Path) -> None:
    paths = chats(recorded_dir, "arypie")
    assert len(paths) == 93
    total: Counter[str] = Counter()
    for path in paths:
        # One of the 93 is of a friend's channel, whose owner says so in the chat.
        is_friend = path.parent.name.endswith("_1167804451")
        room = ("ray0chama", "620143443") if is_friend else ("arypie", "118034943")
        kinds, notes = check(path, *room)
        assert len(notes) == 1, path
        total += kinds
    assert total["bits"] == 189
    assert total["chat_messages"] == 129_408


@pytest.mark.timeout(300)
def test_the_newer_form_78_broadcasts(recorded_dir: Path) -> None:
    paths = chats(recorded_dir, "rayrabenstein")
    assert len(paths) == 78
    total: Counter[str] = Counter()
    for path in paths:
        # This form does not name the channel: it is known by the owner's badge, else by the folder.
        is_told = b'"setID": "broadcaster"' in gzip.decompress(path.read_bytes())
        kinds, notes = check(path, "rayrabenstein", "750251859" if is_told else None)
        assert notes == []
        total += kinds
    assert total["chat_messages"] == 134_230


def test_chat_is_copied_into_highlights_long_after_it_was_said(recorded_dir: Path) -> None:
    """Why ``createdAt`` of the older form is not believed: hours of chat within minutes."""
    for path in chats(recorded_dir, "arypie"):
        comments = orjson.loads(gzip.decompress(path.read_bytes()))
        start = start_of(orjson.loads((path.parent / "vod.json").read_bytes()))
        lasted_s = comments[-1]["contentOffsetSeconds"] - comments[0]["contentOffsetSeconds"]
        stamps = sorted(
            datetime.fromisoformat(comment["createdAt"][:19] + "+00:00").timestamp() for comment in comments
        )
        assert stamps[0] >= start / SECOND
        assert stamps[-1] - stamps[0] < max(60, 0.2 * lasted_s), path
        assert stamps[-1] - start / SECOND < 1_300, path


def test_a_deleted_account_leaves_its_message(recorded_dir: Path) -> None:
    path = recorded_dir / "chatlogs" / "vod_json" / "rayrabenstein" / "2026-02-16_18-21-00_2699532306"
    comments, _, events, _ = read(path / "verbose_chat.json.gz")
    orphans = [comment["id"] for comment in comments if comment["commenter"] is None]
    assert len(orphans) == 1
    messages = [e for e in events if isinstance(e, ChatMessage) and e.user_id is None]
    assert [(e.event_id, e.user_login, e.user_display_name) for e in messages] == [(orphans[0], None, None)]


def test_gifts_and_raids_in_one_broadcast(recorded_dir: Path) -> None:
    path = recorded_dir / "chatlogs" / "vod_json" / "arypie" / "2021-04-21_00-32-58_994969288"
    comments, _, events, _ = read(path / "verbose_chat.json.gz")
    texts = [text_of(comment) for comment in comments]
    raids = [int(text.split(" ")[0]) for text in texts if re.match(r"\d+ raiders from ", text)]
    assert [event.viewer_count for event in events if isinstance(event, Raid)] == raids
    bombs = [int(text.split(" is gifting ")[1].split(" ")[0]) for text in texts if " is gifting " in text]
    assert [event.gift_count for event in events if isinstance(event, MysteryGift)] == bombs
    gifts = [text for text in texts if re.match(r"(An anonymous user|\S+) gifted ", text)]
    found = [event for event in events if isinstance(event, SubGift)]
    assert len(found) == len(gifts) == 54
    assert [event.recipient_display_name for event in found] == [
        text.split(" to ")[1].split("!")[0] for text in gifts
    ]
