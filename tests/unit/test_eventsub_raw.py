"""The verbatim record: one line a notification, whole after a crash, filled in from the lake."""

from __future__ import annotations

import json
from pathlib import Path

from collectors.eventsub_parse import parse_notification
from dashboard.events import Instant, now_us
from dashboard.storage.eventsub_people import names_somebody
from dashboard.storage.eventsub_raw import RawLog
from dashboard.storage.ingest import Ingest
from dashboard.storage.store import Store
from tests.eventsub_messages import content, delivery

NOON = 1_700_049_600_000_000
DAY = "2023-11-15"
"""12:00 UTC of it is :data:`NOON`."""


def lines(raw: RawLog, day: str = DAY) -> list[str]:
    return raw.path("channel.follow", day).read_text().splitlines()


def headers(raw: RawLog) -> list[dict[str, object]]:
    path = raw.path("channel.follow", DAY)
    return [json.loads(line) for line in path.with_name(f"{DAY}.headers.jsonl").read_text().splitlines()]


def test_a_line_is_the_body_as_it_came_and_beside_it_stand_the_headers(tmp_path: Path) -> None:
    raw = RawLog(tmp_path)
    spaced = json.dumps(content(1), indent=None, separators=(" , ", " :  ")).encode()
    first, second = delivery(1, at=NOON, body=spaced), delivery(2, at=NOON + 1)
    assert raw.append([first, second]) == 2
    assert raw.path("channel.follow", DAY) == tmp_path / "raw/eventsub/channel.follow" / f"{DAY}.jsonl"
    assert lines(raw) == [spaced.decode(), second.body]
    assert headers(raw)[0] == {
        "message_id": "message-1",
        "type": "channel.follow",
        "version": "2",
        "sent_at": "2023-11-15T12:00:00.000000+00:00",
        "received_at": "2023-11-15T12:00:00.050000+00:00",
        "transport": "webhook",
        "end": len(spaced) + 1,
    }


def test_a_body_of_several_lines_becomes_one_with_the_same_content(tmp_path: Path) -> None:
    raw = RawLog(tmp_path)
    raw.append([delivery(1, at=NOON, body=json.dumps(content(1), indent=2).encode())])
    (line,) = lines(raw)
    assert json.loads(line) == content(1)


def test_the_day_is_that_of_twitchs_timestamp(tmp_path: Path) -> None:
    raw = RawLog(tmp_path)
    midnight = NOON + 43_200_000_000
    raw.append([delivery(1, at=midnight - 1), delivery(2, at=midnight)])
    assert (len(lines(raw)), len(lines(raw, "2023-11-16"))) == (1, 1)


def test_a_type_that_is_no_name_of_a_folder_goes_to_unknown(tmp_path: Path) -> None:
    raw = RawLog(tmp_path)
    odd = content(1)
    odd["subscription"]["type"] = "../../etc"
    raw.append([delivery(1, at=NOON, body=json.dumps(odd).encode())])
    assert (tmp_path / "raw/eventsub/unknown" / f"{DAY}.jsonl").exists()


def test_what_a_crash_left_half_written_is_cut_off_before_the_next_line(tmp_path: Path) -> None:
    raw = RawLog(tmp_path)
    raw.append([delivery(1, at=NOON), delivery(2, at=NOON)])
    path = raw.path("channel.follow", DAY)
    with path.open("ab") as file:
        file.write(b'{"half": "a bo')
    RawLog(tmp_path).append([delivery(3, at=NOON)])
    assert [json.loads(line)["event"]["user_id"] for line in lines(raw)] == ["101", "102", "103"]
    heads = path.with_name(f"{DAY}.headers.jsonl")
    with heads.open("ab") as file:
        file.write(b'{"message_id": "message-4", "re')
    RawLog(tmp_path).append([delivery(5, at=NOON)])
    assert [header["message_id"] for header in headers(raw)] == [f"message-{n}" for n in (1, 2, 3, 5)]
    assert headers(raw)[-1]["end"] == path.stat().st_size


def test_headers_whose_bodies_a_power_cut_took_go_too(tmp_path: Path) -> None:
    raw = RawLog(tmp_path)
    raw.append([delivery(number, at=NOON) for number in range(200)])
    path = raw.path("channel.follow", DAY)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    raw.append([delivery(500, at=NOON)])
    ids = [header["message_id"] for header in headers(raw)]
    assert len(ids) == len(lines(raw))
    assert ids[-1] == "message-500"
    assert ids[:-1] == [f"message-{number}" for number in range(len(ids) - 1)]
    assert [json.loads(line)["event"]["user_id"] for line in lines(raw)][-1] == "600"


def test_what_is_missing_is_filled_in_from_the_lake_once(tmp_path: Path) -> None:
    now = now_us()
    messages = [delivery(number, at=now - 600_000_000 + number) for number in range(10)]
    with Ingest(tmp_path, "webhook") as ingest:
        for message in messages:
            ingest.put(parse_notification(message))
        ingest.flush()
    raw, store = RawLog(tmp_path), Store(tmp_path)
    raw.append(messages[:4] + messages[6:9])
    assert raw.fill_in(store, now=now) == 3
    assert raw.fill_in(store, now=now) == 0
    days = {path.stem for path in (tmp_path / "raw/eventsub/channel.follow").glob("????-??-??.jsonl")}
    kept = [line for day in days for line in lines(raw, day)]
    assert sorted(kept) == sorted(message.body for message in messages)
    assert raw.fill_in(store, now=Instant(now + 10 * 86_400_000_000)) == 0, "too long ago"
    store.close()


def test_what_just_came_is_left_to_who_writes_it(tmp_path: Path) -> None:
    with Ingest(tmp_path, "webhook") as ingest:
        ingest.put(parse_notification(delivery(1)))
        ingest.flush()
    store = Store(tmp_path)
    assert RawLog(tmp_path).fill_in(store, now=now_us()) == 0
    assert RawLog(tmp_path).fill_in(store, now=Instant(now_us() + 61_000_000)) == 1
    store.close()


def test_people_who_opted_out_are_found_however_deep() -> None:
    event = {"broadcaster_user_id": "1", "top_contributions": [{"user_id": "7", "user_login": "Seven"}]}
    assert names_somebody(event, {"7"})
    assert names_somebody(event, {"seven"})
    assert not names_somebody(event, {"8"})
    assert not names_somebody(event, set())
    assert names_somebody([{"data": {"chatter_user_id": "8"}}], {"8"})


def test_what_is_past_its_time_goes_and_the_oldest_day_to_keep_stays(tmp_path: Path) -> None:
    raw, day_us = RawLog(tmp_path), 86_400_000_000
    raw.append([delivery(1, at=NOON), delivery(2, at=NOON + day_us), delivery(3, at=NOON + 2 * day_us)])
    assert raw.retain(0, now=Instant(NOON + 90 * day_us)) == 0
    assert raw.retain(30, now=Instant(NOON + 31 * day_us)) == 1
    left = sorted(path.name for path in (tmp_path / "raw/eventsub/channel.follow").iterdir())
    assert left == [
        "2023-11-16.headers.jsonl",
        "2023-11-16.jsonl",
        "2023-11-17.headers.jsonl",
        "2023-11-17.jsonl",
    ]
    assert RawLog(tmp_path / "none").retain(30, now=Instant(NOON)) == 0
