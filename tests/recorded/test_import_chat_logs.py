"""Every recorded chat log is imported; the counts are made a second time here, by other means."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest

from collectors.recorded import Recording, open_recording
from dashboard.events import ChatMessage, Event, Moderation, Subscription, UserListChange, ViewerSample

CHATTY_LOGS = [
    *(f"cheflethalplays{number}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10)),
    "hsdogdog1",
    "hsdogdog2",
    "reckful1",
    "tidesoftime1",
]


def read(path: Path) -> tuple[list[Event], Recording]:
    recording = open_recording(path)
    return [event for batch in recording.events() for event in batch], recording


def moment(event: Event) -> datetime:
    return datetime.fromtimestamp(event.sent_at // 1_000_000, UTC)


def test_the_xqcow_capture(recorded_dir: Path) -> None:
    events, recording = read(recorded_dir / "irc" / "xqcow_2019-09-15_raw5000.irc.txt")
    # INDEX.md: 5,000 lines, 4,933 PRIVMSG (one of them with bits), 58 CLEARCHAT, 9 USERNOTICE, 1,215 users.
    assert Counter(event.kind for event in events) == {
        "chat_messages": 4_933,
        "moderation": 58,
        "subscriptions": 9,
        "bits": 1,
    }
    people = {e.user_id for e in events if isinstance(e, ChatMessage | Subscription)}
    assert len(people) == 1_215
    assert len({(e.kind, e.event_id) for e in events}) == 5_001
    times = [event.sent_at for event in events if event.kind != "bits"]
    assert sum(later < earlier for earlier, later in pairwise(times)) == 715
    assert (max(times) - min(times)) // 1_000_000 == 463
    assert recording.rejects == []


def test_the_admiralbulldog_log(recorded_dir: Path) -> None:
    path = recorded_dir / "chatlogs" / "admiralbulldog" / "chat_admiralbulldog_4_30.log"
    text = path.read_bytes().decode()
    assert text.count(" PRIVMSG #admiralbulldog :") == 28_844
    events, recording = read(path)
    messages = [event for event in events if isinstance(event, ChatMessage)]
    assert Counter(event.kind for event in events) == {"chat_messages": 28_844, "user_list": 2}
    assert len({message.user_login for message in messages}) == 3_171
    assert len({message.event_id for message in messages}) == 28_844
    assert (moment(messages[0]), moment(messages[-1])) == (
        datetime(2019, 4, 30, 8, 56, 59, tzinfo=UTC),
        datetime(2019, 4, 30, 12, 11, 4, tzinfo=UTC),
    )
    # The tail is not chat: days later other programs wrote into the same file.
    others = [
        line
        for line in re.findall(r"(?m)^(?:[\d_:-]{19} ;;; )?(.*?)\r*$", text)
        if line and not re.match(r":\S+ (?:PRIVMSG|JOIN|\d{3}) ", line)
    ]
    assert [line for line, _ in recording.rejects] == [line[:4_096] for line in others]
    assert len(others) == 117


def test_the_admiralbulldog_table_is_the_log_without_commands_and_bot(recorded_dir: Path) -> None:
    folder = recorded_dir / "chatlogs" / "admiralbulldog"
    log, _ = read(folder / "chat_admiralbulldog_4_30.log")
    table, recording = read(folder / "admiralbulldog_4_30.csv")
    with (folder / "admiralbulldog_4_30.csv").open(newline="") as file:
        assert len(table) == sum(1 for _ in csv.DictReader(file)) == 26_323
    assert recording.rejects == []
    # Its author left out commands, the channel's own bot and all after 12:05:19, of that second one message.
    end = datetime(2019, 4, 30, 12, 5, 19, tzinfo=UTC)
    kept = [
        event
        for event in log
        if isinstance(event, ChatMessage)
        and moment(event) <= end
        and not event.text.startswith("!")
        and event.user_login != "admiralbullbot"
    ]
    assert len(kept) == 26_324
    # The same messages have the same ids in both files: importing both stores them once.
    missing = {event.event_id for event in kept} - {event.event_id for event in table}
    assert {event.event_id for event in table} < {event.event_id for event in kept}
    assert [(e.user_login, e.text) for e in kept if e.event_id in missing] == [
        ("ashesraise", "FeelsBadMan bye chat")
    ]


def test_the_admiralbulldog_counts_per_second(recorded_dir: Path) -> None:
    folder = recorded_dir / "chatlogs" / "admiralbulldog"
    table, _ = read(folder / "admiralbulldog_4_30.csv")
    counts = Counter(moment(event).strftime("%Y-%m-%d %H:%M:%S") for event in table)
    with (folder / "admiralbulldog_4_30_mps.csv").open(newline="") as file:
        published = {second: int(count) for second, count in list(csv.reader(file))[1:]}
    # The published counts begin one second late, therefore 26,321 of 26,323.
    assert counts.pop("2019-04-30 08:56:59") == 2
    assert sum(published.values()) == 26_321
    assert counts == Counter({second: count for second, count in published.items() if count})


def test_all_chatty_logs_are_there(recorded_dir: Path) -> None:
    names = {path.stem for path in (recorded_dir / "chatlogs" / "chatty").glob("*.log")}
    assert names == set(CHATTY_LOGS)


@pytest.mark.parametrize("name", CHATTY_LOGS)
def test_chatty_log(recorded_dir: Path, name: str) -> None:
    path = recorded_dir / "chatlogs" / "chatty" / f"{name}.log"
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    events, recording = read(path)
    kinds = Counter(event.kind for event in events)
    assert recording.rejects == []
    assert {event.room_login for event in events} == {name.rstrip("0123456789")}
    said = re.findall(r"(?m)^\[[\d:]{8}\] <([^>]+)>\*? ", text)
    assert kinds["chat_messages"] == len(said)
    assert {e.user_login for e in events if isinstance(e, ChatMessage)} == {
        name.lstrip("@%+~&^").lower() for name in said
    }
    assert sum(e.is_action is True for e in events if isinstance(e, ChatMessage)) == len(
        re.findall(r"(?m)^\[[\d:]{8}\] <[^>]+>\* ", text)
    )
    assert sum(e.is_mod is True for e in events if isinstance(e, ChatMessage)) == sum(
        "@" in name for name in said
    )
    lists = re.findall(r"(?m)^\[[\d:]{8}\] (?:UN)?MOD: (.*)$", text)
    assert kinds["user_list"] == sum(line.count(",") + 1 for line in lists)
    bans = ", ".join(re.findall(r"(?m)^\[[\d:]{8}\] BAN: (.*)$", text))
    assert kinds["moderation"] == len([ban for ban in bans.split(", ") if ban])
    assert sum(e.duration_s or 0 for e in events if isinstance(e, Moderation)) == sum(
        int(seconds) for seconds in re.findall(r"\((\d+)s\)", bans)
    )
    assert kinds["subscriptions"] == text.count("[Notification] ")
    assert kinds["streams"] == text.count("~Stream offline~")
    assert len({(e.kind, e.event_id) for e in events}) == len(events)
    assert all(isinstance(e, UserListChange | Moderation) or e.sent_at for e in events)


@pytest.mark.parametrize("name", CHATTY_LOGS)
def test_chatty_viewers_equal_the_decoded_table(recorded_dir: Path, name: str) -> None:
    events, _ = read(recorded_dir / "chatlogs" / "chatty" / f"{name}.log")
    # The table has the logs' local time, +0800, cut down to seconds.
    local = timezone(timedelta(hours=8))
    samples = [
        (moment(e).astimezone(local).replace(tzinfo=None).isoformat(), e.viewer_count)
        for e in events
        if isinstance(e, ViewerSample)
    ]
    with (recorded_dir / "viewers" / "chatty_viewers_2016.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source_log"] == f"{name}.log"]
    assert samples == [(row["approx_time"], int(row["viewers"])) for row in rows]
    assert rows
    assert all(e.title and e.game_name for e in events if isinstance(e, ViewerSample))


def test_unit_lines_of_other_clients_are_read_or_rejected(recorded_dir: Path) -> None:
    paths = sorted((recorded_dir / "irc" / "unit_lines").glob("*.irc.txt"))
    assert len(paths) == 7
    for path in paths:
        events, recording = read(path)
        assert events
        # Placeholders for rooms, and lines whose room was left out.
        assert len(recording.rejects) == {"TwitchLib.Client": 1, "tmi.js": 4}.get(path.name[:-8], 0)
