"""Exports: real Parquet in, CSV and JSON out."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from dashboard.config import Settings
from dashboard.errors import JobCancelled, StorageError
from dashboard.events import Instant, now_us
from dashboard.storage.compaction import Compactor
from dashboard.storage.exports import export_day, export_due
from dashboard.storage.ingest import Ingest
from tests.storage_events import T0, message, messages, observation

DAY = "2023-11-14"


def settings(data_dir: Path) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, sandbox=True)


def put(data_dir: Path, *events: Any) -> None:
    with Ingest(data_dir) as ingest:
        ingest.put(list(events))


def rows(data_dir: Path, name: str) -> list[dict[str, str]]:
    with (data_dir / "exports" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def records(data_dir: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((data_dir / "exports" / f"{name}.json").read_text(encoding="utf-8"))


def test_a_file_a_channel_and_kind_in_the_order_of_time(tmp_path: Path) -> None:
    put(tmp_path, message(2), message(1), message(3, room="beta"), observation("joined", 0))
    summary = export_day(settings(tmp_path), DAY)
    assert (summary.file_count, summary.row_count) == (6, 4)
    assert [row["event_id"] for row in rows(tmp_path, f"alpha/{DAY}/chat_messages")] == ["m1", "m2"]
    first = records(tmp_path, f"alpha/{DAY}/chat_messages")[0]
    assert (first["event_id"], first["sent_at"]) == ("m1", "2023-11-14T22:13:20.001000Z")
    assert [r["room_login"] for r in records(tmp_path, f"beta/{DAY}/chat_messages")] == ["beta"]
    assert rows(tmp_path, f"alpha/{DAY}/observations")[0]["state"] == "joined"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_what_a_spreadsheet_would_run_is_quoted_in_csv_only(tmp_path: Path, text: str) -> None:
    put(tmp_path, message(1, text=text, user_display_name="=evil()", bits=-5))
    export_day(settings(tmp_path), DAY)
    (row,) = rows(tmp_path, f"alpha/{DAY}/chat_messages")
    assert (row["text"], row["user_display_name"], row["bits"]) == ("'" + text, "'=evil()", "-5")
    (record,) = records(tmp_path, f"alpha/{DAY}/chat_messages")
    assert (record["text"], record["bits"]) == (text, -5)


def test_quotes_commas_newlines_and_emoji_survive(tmp_path: Path) -> None:
    text = 'she said "hi", then\nleft 👋 \\ ; \u2028'
    put(tmp_path, message(1, text=text))
    export_day(settings(tmp_path), DAY)
    assert rows(tmp_path, f"alpha/{DAY}/chat_messages")[0]["text"] == text
    assert records(tmp_path, f"alpha/{DAY}/chat_messages")[0]["text"] == text


def test_a_day_is_a_utc_day(tmp_path: Path) -> None:
    midnight = T0 - T0 % 86_400_000_000 + 86_400_000_000
    put(tmp_path, message(1, at=midnight - 1), message(2, at=midnight))
    export_day(settings(tmp_path), DAY)
    assert [r["event_id"] for r in records(tmp_path, f"alpha/{DAY}/chat_messages")] == ["m1"]


def test_events_that_came_twice_are_written_once(tmp_path: Path) -> None:
    put(tmp_path, *messages(1, 5))
    catalogued = tmp_path / "journal" / "other"
    with Ingest(tmp_path, catalogued.name) as ingest:  # another writer knows nothing of the first
        ingest.put(messages(4, 6))
    export_day(settings(tmp_path), DAY)
    assert [r["event_id"] for r in records(tmp_path, f"alpha/{DAY}/chat_messages")] == [
        f"m{number}" for number in range(1, 7)
    ]


def test_only_what_changed_is_written_again(tmp_path: Path) -> None:
    put(tmp_path, message(1), message(2, room="beta"))
    assert export_due(settings(tmp_path)).dates == []  # too long ago to be looked at by itself
    assert export_day(settings(tmp_path), DAY).file_count == 4
    assert export_due(settings(tmp_path)).dates == []
    Compactor(tmp_path).run(everything=True)
    again = export_day(settings(tmp_path), DAY)
    assert (again.file_count, again.unchanged_count) == (0, 4)
    put(tmp_path, _late(3))
    late = export_due(settings(tmp_path))
    assert (late.dates, late.file_count, late.row_count) == ([DAY], 2, 2)
    assert export_due(settings(tmp_path)).dates == []


def _late(number: int) -> Any:
    event = message(number)
    event.received_at = Instant(now_us())
    return event


def test_a_file_that_somebody_deleted_is_written_again(tmp_path: Path) -> None:
    put(tmp_path, message(1))
    export_day(settings(tmp_path), DAY)
    (tmp_path / f"exports/alpha/{DAY}/chat_messages.csv").unlink()
    assert export_day(settings(tmp_path), DAY).file_count == 2


def test_exports_go_with_their_events(tmp_path: Path) -> None:
    put(tmp_path, message(1), observation("joined", 0))
    export_day(settings(tmp_path), DAY)
    Compactor(tmp_path).retain({"chat_messages": 30})
    assert export_due(settings(tmp_path)).removed_count == 2
    left = [path.name for path in (tmp_path / "exports" / "alpha" / DAY).iterdir()]
    assert sorted(left) == ["observations.csv", "observations.json"]


def test_some_channels_only(tmp_path: Path) -> None:
    put(tmp_path, message(1), message(2, room="beta"))
    assert export_day(settings(tmp_path), DAY, ["beta"]).file_count == 2
    assert not (tmp_path / "exports" / "alpha").exists()


def test_a_channel_named_like_a_path_stays_inside(tmp_path: Path) -> None:
    put(tmp_path, message(1, room="../../evil"), message(2, room=".."))
    export_day(settings(tmp_path), DAY)
    names = {path.name for path in (tmp_path / "exports").iterdir()}
    assert names == {".index", "_%2E%2E%2F%2E%2E%2Fevil", "_%2E%2E"}
    assert not list(tmp_path.parent.glob("evil*"))


def test_stopping_leaves_whole_files_and_goes_on_later(tmp_path: Path) -> None:
    put(tmp_path, message(1), message(2, room="beta"), message(3, room="gamma"))
    asked = iter([False, True])
    with pytest.raises(JobCancelled):
        export_day(settings(tmp_path), DAY, is_cancelled=lambda: next(asked))
    rest = export_day(settings(tmp_path), DAY)
    assert (rest.file_count, rest.unchanged_count) == (4, 2)


@pytest.mark.parametrize("date", ["yesterday", "14.11.2023", "2023-11-14/../.."])
def test_what_is_no_day_is_told(tmp_path: Path, date: str) -> None:
    with pytest.raises(StorageError, match="is not a day"):
        export_day(settings(tmp_path), date)


def test_nothing_happened_that_day(tmp_path: Path) -> None:
    assert export_day(settings(tmp_path), "2020-01-01").file_count == 0
