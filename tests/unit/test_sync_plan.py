"""The sync's decisions, the manifest as bytes, the plain files beside the lake: pure parts."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import RemoteStorageError
from dashboard.events import Instant
from dashboard.storage import s3_upload
from dashboard.storage.s3_upload import content_of
from dashboard.storage.sync_files import local_files, whole_lines
from dashboard.storage.sync_ledger import LiveLake, LiveLakeFile, LocalFile, OtherUpload
from dashboard.storage.sync_manifest import LakeFile, Manifest, OtherFile, from_bytes, to_bytes
from dashboard.storage.sync_plan import dates_between, files_to_upload, is_due, orphans, publication

S = 1_000_000
NOW = Instant(1_000 * S)
HASH = "a" * 64


def lake_file(
    name: str, *, kind: str = "raids", date: str = "2026-01-01", level: int = 1, sha256: str = HASH
) -> LakeFile:
    path = f"kind={kind}/date={date}/{name}.parquet"
    at = Instant(0)
    return LakeFile(path, kind, date, level, 10, 100, at, at, at, ("alpha",), ("event_id", "text"), sha256)


def live(file: LakeFile, *, age_s: float = 100) -> LiveLakeFile:
    return LiveLakeFile(file, Instant(int(NOW - age_s * S)))


def lake(*files: LiveLakeFile) -> LiveLake:
    return LiveLake(list(files), NOW)


def manifest(*files: LakeFile) -> Manifest:
    return Manifest("lake", 7, NOW, files)


class TestWhatGoesUp:
    def test_only_what_is_not_there(self) -> None:
        new = lake_file("new", sha256="")
        assert files_to_upload(lake(live(lake_file("old")), live(new)), NOW) == [new]

    def test_a_young_micro_batch_waits_but_not_a_young_merged_file(self) -> None:
        young, merged = lake_file("a", level=0, sha256=""), lake_file("b", level=1, sha256="")
        assert files_to_upload(lake(live(young, age_s=9), live(merged, age_s=0)), NOW) == [merged]
        assert files_to_upload(lake(live(young, age_s=10)), NOW) == [young]
        assert files_to_upload(lake(live(young, age_s=0)), NOW, 0) == [young]

    def test_a_clock_that_was_set_back_makes_nothing_wait_for_ever(self) -> None:
        young = lake_file("a", level=0, sha256="")
        assert files_to_upload(lake(live(young, age_s=-500)), NOW) == [young]


class TestPublication:
    def test_all_there(self) -> None:
        files = [lake_file("a"), lake_file("b", date="2026-01-02")]
        plan = publication(lake(*map(live, files)), None, NOW)
        assert (plan.files, plan.is_complete, plan.through_at) == (tuple(files), True, NOW)

    def test_while_a_day_is_incomplete_its_former_picture_stays(self) -> None:
        small = [lake_file("a", level=0), lake_file("b", level=0)]
        merged = lake_file("c", sha256="")
        other = lake_file("d", date="2026-01-02")
        plan = publication(lake(live(merged), live(other)), manifest(*small), NOW)
        assert (plan.files, plan.is_complete) == ((*small, other), False)

    def test_of_a_new_day_what_is_there_counts(self) -> None:
        there, missing = lake_file("a"), lake_file("b", sha256="")
        plan = publication(lake(live(there), live(missing)), manifest(), NOW)
        assert (plan.files, plan.is_complete) == ((there,), False)

    def test_without_young_micro_batches_it_is_complete_up_to_them(self) -> None:
        young = live(lake_file("a", level=0, sha256=""), age_s=4)
        plan = publication(lake(live(lake_file("b")), young), None, NOW)
        assert (plan.files, plan.is_complete) == ((lake_file("b"),), True)
        assert plan.through_at == NOW - 4 * S - 1

    def test_a_day_that_is_past_its_time_is_not_named(self) -> None:
        assert publication(lake(), manifest(lake_file("a")), NOW).files == ()


class TestManifest:
    def test_comes_back_as_it_was_and_is_the_same_each_time(self) -> None:
        told = replace(
            manifest(lake_file("a"), replace(lake_file("b"), rooms=None)),
            others=(OtherFile("raw/eventsub/channel.follow/2026-01-01.jsonl", 5, HASH),),
        )
        assert from_bytes(to_bytes(told)) == told
        assert to_bytes(told) == to_bytes(told)

    @pytest.mark.parametrize(
        "path",
        [
            "lake/kind=raids/date=2026-01-01/../../../../../home/x.parquet",
            "lake/kind=raids/date=2026-01-01/..parquet",
            "/etc/passwd",
            "lake/kind=raids/date=2026-01-02/other-day.parquet",
            "lake/kind=raids/date=2026-01-01/.hidden.parquet",
        ],
    )
    def test_a_path_that_leads_elsewhere_is_refused(self, path: str) -> None:
        assert "can't be read" in self.refusal(lambda record: record["files"][0].update(path=path))

    def test_a_year_of_three_figures_is_no_reason_to_lose_the_rest(self) -> None:
        # What a broken clock of a recording gives; %Y does not fill it up with zeros.
        told = manifest(lake_file("a", date="970-01-01"))
        assert from_bytes(to_bytes(told)) == told

    @pytest.mark.parametrize("path", ["raw/../../x", "state/../x", "raw//x", "keys/x", "raw/x\ny"])
    def test_so_is_one_outside_the_lake(self, path: str) -> None:
        other = {"path": path, "bytes": 1, "sha256": HASH}
        assert "can't be read" in self.refusal(lambda record: record["others"].append(other))

    def test_a_newer_format_is_named(self) -> None:
        words = self.refusal(lambda record: record.update(format="streamlens-manifest-9"))
        assert "'streamlens-manifest-9'" in words or "streamlens-manifest-9" in words

    def test_noise_is_told(self) -> None:
        with pytest.raises(RemoteStorageError, match="can't be read"):
            from_bytes(b"noise")

    def refusal(self, change: Any) -> str:
        record = json.loads(gzip.decompress(to_bytes(manifest(lake_file("a")))))
        change(record)
        with pytest.raises(RemoteStorageError) as caught:
            from_bytes(gzip.compress(json.dumps(record).encode()))
        return str(caught.value)


class TestOtherFiles:
    def known(self, *, size: int = 100, age_s: float = 30) -> OtherUpload:
        at = Instant(int(NOW - age_s * S))
        return OtherUpload(OtherFile("raw/a.jsonl", size, HASH), "etag", size, 1, at)

    def test_an_unchanged_one_stays(self) -> None:
        assert not is_due(LocalFile("raw/a.jsonl", 100, 1), self.known(age_s=9999), NOW)

    def test_a_growing_one_goes_up_once_a_minute_a_large_one_more_seldom(self) -> None:
        grown = LocalFile("raw/a.jsonl", 101, 2)
        assert not is_due(grown, self.known(age_s=59), NOW)
        assert is_due(grown, self.known(age_s=61), NOW)
        large = LocalFile("raw/a.jsonl", 100_000_000, 2)
        assert not is_due(large, self.known(age_s=259), NOW)
        assert is_due(large, self.known(age_s=261), NOW)
        assert is_due(grown, self.known(age_s=0), NOW, 0)
        assert is_due(grown, None, NOW)

    def test_only_the_named_folders_and_no_hidden_or_linked_files(self, tmp_path: Path) -> None:
        for name in (
            "raw/eventsub/a/1.jsonl",
            "raw/.half.tmp",
            "exports/.index/2026-01-01.json",
            "exports/alpha/2026-01-01/raids.csv",
            "raw/odd\nname.jsonl",
            "state/secret.key",
            "journal/collect/1.journal",
            "cache/x",
        ):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        (tmp_path / "raw" / "link").symlink_to(tmp_path / "state" / "secret.key")
        assert [file.name for file in local_files(tmp_path)] == [
            "raw/eventsub/a/1.jsonl",
            "exports/alpha/2026-01-01/raids.csv",
        ]

    def test_whole_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"one\ntwo\nthr")
        assert whole_lines(path, 11) == 8
        assert whole_lines(path, 6) == 4
        assert whole_lines(path, 3) == 3  # a first line without an end is better than nothing
        assert whole_lines(path.rename(tmp_path / "a.bin"), 11) == 11


def test_orphans_are_old_and_unknown() -> None:
    found = [("old", Instant(1)), ("young", Instant(9)), ("known", Instant(1))]
    assert orphans(found, {"known"}, Instant(5)) == ["old"]


def test_dates_between_includes_both_ends() -> None:
    files = [lake_file("a", date=f"2026-01-0{day}") for day in range(1, 6)]
    assert [f.date[-1] for f in dates_between(files, "2026-01-02", "2026-01-04")] == ["2", "3", "4"]
    assert dates_between(files, None, None) == files


class TestContent:
    def test_a_small_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_bytes(b"hello world")
        content = content_of(path, 5)
        assert (content.byte_count, content.sha256) == (5, hashlib.sha256(b"hello").hexdigest())
        assert content.etag == hashlib.md5(b"hello").hexdigest()

    def test_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.touch()
        assert content_of(path).etag == hashlib.md5(b"").hexdigest()

    def test_a_big_file_has_the_etag_of_its_parts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_upload, "LARGEST_PUT_BYTES", 8 << 20)
        path = tmp_path / "a"
        body = bytes(range(256)) * (80 << 10)  # 20 MiB
        path.write_bytes(body)
        content = content_of(path)
        parts = [hashlib.md5(body[: 16 << 20]).digest(), hashlib.md5(body[16 << 20 :]).digest()]
        assert content.part_md5s == tuple(parts)
        assert content.etag == hashlib.md5(b"".join(parts)).hexdigest() + "-2"

    def test_one_that_became_shorter(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_bytes(b"abc")
        with pytest.raises(OSError, match="became shorter"):
            content_of(path, 5)
