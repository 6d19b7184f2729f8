"""Recordings through the real ingest into a lake: counted there, and a second time nothing is added."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from collectors.recorded import ImportSummary, import_files
from dashboard.storage.ingest import Ingest


def stored(data_dir: Path) -> Counter[str]:
    return Counter(
        {
            folder.name.removeprefix("kind="): sum(
                pq.ParquetFile(file).metadata.num_rows for file in folder.glob("**/*.parquet")
            )
            for folder in (data_dir / "lake").glob("kind=*")
        }
    )


def importing(data_dir: Path, *paths: Path, speed: float | None = None) -> ImportSummary:
    with Ingest(data_dir, "import", dedupe_against_lake=True) as ingest:
        return import_files(paths, ingest=ingest, speed=speed)


@pytest.mark.parametrize(
    "name",
    [
        "irc/xqcow_2019-09-15_raw5000.irc.txt",
        "chatlogs/chatty/cheflethalplays1.log",
        "chatlogs/vod_json/rayrabenstein/2026-02-16_18-21-00_2699532306/verbose_chat.json.gz",
        "chatlogs/admiralbulldog/chat_admiralbulldog_4_30.log",
    ],
)
def test_twice_is_once(recorded_dir: Path, tmp_path: Path, name: str) -> None:
    first = importing(tmp_path, recorded_dir / name)
    assert stored(tmp_path) == Counter(first.counts)
    second = importing(tmp_path, recorded_dir / name)
    assert (first.duplicate_count, second.duplicate_count) == (0, first.event_count)
    assert second.counts == first.counts
    assert stored(tmp_path) == Counter(first.counts)


def test_a_paced_import_stores_the_same(recorded_dir: Path, tmp_path: Path) -> None:
    path = recorded_dir / "chatlogs" / "chatty" / "reckful1.log"
    summary = importing(tmp_path, path, speed=1_000)
    assert stored(tmp_path) == Counter(summary.counts)
    assert importing(tmp_path, path).duplicate_count == summary.event_count
