"""Real chat lines: counts of a capture, and the lines that other clients test themselves with."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import irctokens

from collectors.irc_events import to_events
from dashboard.errors import ParseError
from dashboard.events import Event, Instant, Subscription, UserEvent

NOW = Instant(1_800_000_000_000_000)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def test_xqcow_capture_has_its_published_counts(recorded_dir: Path) -> None:
    lines = _lines(recorded_dir / "irc/xqcow_2019-09-15_raw5000.irc.txt")
    events: list[Event] = [event for line in lines for event in to_events(line, NOW)]

    # One of the 4,933 messages is a cheer and so also a Bits event.
    assert Counter(event.kind for event in events) == {
        "chat_messages": 4_933,
        "moderation": 58,
        "subscriptions": 9,
        "bits": 1,
    }
    assert len({event.user_id for event in events if isinstance(event, UserEvent)}) == 1_215
    assert len({(event.kind, event.event_id) for event in events}) == 5_001
    assert {(event.room_login, event.room_id) for event in events} == {("xqcow", "71092938")}

    sent_at = [event.sent_at for event in events if event.kind != "bits"]
    assert (min(sent_at), max(sent_at)) == (1_568_505_600_501_000, 1_568_506_063_952_000)
    assert sum(later < earlier for earlier, later in pairwise(sent_at)) == 715


def test_xqcow_resub_is_read_whole(recorded_dir: Path) -> None:
    lines = _lines(recorded_dir / "irc/xqcow_2019-09-15_raw5000.irc.txt")
    events = [event for line in lines for event in to_events(line, NOW)]
    resub = [event for event in events if event.kind == "subscriptions"][1]
    assert isinstance(resub, Subscription)
    assert (resub.user_login, resub.user_id, resub.msg_id) == ("hayai_ow", "201829463", "resub")
    assert (resub.plan, resub.plan_name) == ("Prime", "Channel Subscription (xqcow)")
    assert (resub.cumulative_months, resub.streak_months, resub.is_streak_shared) == (5, 1, True)
    assert resub.legacy_months == 0
    assert resub.was_gifted is None
    assert resub.text == "love the streams man keep it up looking like ellen degeneres"
    assert resub.system_message == (
        "Hayai_ow subscribed with Twitch Prime. They've subscribed for 5 months, "
        "currently on a 1 month streak!"
    )


def test_lines_of_other_clients(recorded_dir: Path) -> None:
    kinds: Counter[str] = Counter()
    commands: Counter[str] = Counter()
    rejected = []
    for path in sorted((recorded_dir / "irc/unit_lines").glob("*.irc.txt")):
        for line in _lines(path):
            commands[irctokens.tokenise(line).command] += 1
            try:
                kinds.update(event.kind for event in to_events(line, NOW))
            except ParseError as error:
                rejected.append((path.name.split(".irc")[0], line, str(error)))

    assert rejected == [
        (
            "TwitchLib.Client",
            "@broadcaster-lang=;r9k=0;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #{TWITCH_CHANNEL}",
            "“#{TWITCH_CHANNEL}” is not a room",
        ),
        ("tmi.js", ":tmi.twitch.tv CLEARCHAT", "the line names no room"),
        ("tmi.js", "@slow=0 :tmi.twitch.tv ROOMSTATE", "the line names no room"),
        ("tmi.js", "@slow=150 :tmi.twitch.tv ROOMSTATE", "the line names no room"),
        ("tmi.js", "@slow=300 :tmi.twitch.tv ROOMSTATE", "the line names no room"),
    ]
    # Another parser's count of the commands; five NOTICEs are to "*", about the client's own login.
    assert kinds["chat_messages"] == commands["PRIVMSG"] == 212
    assert kinds["moderation"] == commands["CLEARCHAT"] + commands["CLEARMSG"] - 1 == 33
    assert kinds["room_states"] == commands["ROOMSTATE"] - 4 == 15
    assert kinds["notices"] == commands["NOTICE"] + commands["HOSTTARGET"] - 5 == 130
    others = ("chat_messages", "bits", "moderation", "room_states", "notices", "user_list")
    assert sum(count for kind, count in kinds.items() if kind not in others) == commands["USERNOTICE"] == 80
    assert kinds == {
        "chat_messages": 212,
        "notices": 130,
        "bits": 57,
        "moderation": 33,
        "subscriptions": 26,
        "user_list": 26,
        "room_states": 15,
        "sub_gifts": 12,
        "paid_upgrades": 9,
        "other_notices": 9,
        "announcements": 8,
        "mystery_gifts": 6,
        "raids": 6,
        "bits_badge_tiers": 2,
        "milestones": 2,
    }
