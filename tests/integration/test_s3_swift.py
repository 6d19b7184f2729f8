"""Sync and restore against a real S3 server that checks signatures (OpenStack Swift)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import RemoteStorageError, StorageError
from dashboard.events import Instant, now_us
from dashboard.storage import s3_upload, sync
from dashboard.storage.catalog import Catalog
from dashboard.storage.compaction import Compactor
from dashboard.storage.ingest import Ingest
from dashboard.storage.lake import LakePaths
from dashboard.storage.restore import Wanted, restore
from dashboard.storage.state import State
from dashboard.storage.store import Store
from dashboard.storage.sync import read_manifest, sync_once
from dashboard.storage.sync_manifest import MANIFEST
from tests.s3_servers import BUCKET, S3Server
from tests.storage_events import DAY, T0, message, messages, observation

ROOT = Path(__file__).resolve().parents[2]


def ids_in(data_dir: Path, view: str = "chat_messages") -> Counter[str]:
    store = Store(data_dir)
    try:
        return Counter(row[0] for row in store.sql(f"select event_id from {view}", max_rows=1_000_000).rows)
    finally:
        store.close()


def ids(*numbers: int) -> Counter[str]:
    return Counter(f"m{number}" for number in numbers)


def put(data_dir: Path, *events: Any) -> None:
    with Ingest(data_dir) as ingest:
        ingest.put(list(events))


def fill(data_dir: Path) -> None:
    """Two days of chat and a ledger, a raw file, a reject, a report, a followed channel."""
    put(data_dir, *messages(1, 500), *messages(501, 600, room="beta"), observation("joined", 0))
    put(data_dir, *[message(number, at=T0 + DAY + number) for number in range(601, 701)])
    for name, text in {
        "raw/eventsub/channel.follow/2023-11-14.jsonl": '{"a":1}\n{"a":2}\n',
        "rejects/2023-11-14.jsonl": '{"line":"?"}\n',
        "reports/2023-11-14/alpha.html": "<p>report</p>",
    }.items():
        path = data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    state = State(data_dir)
    state.follow(["alpha"], by="me")
    state.close()


def sync_all(settings: Any) -> Any:
    return sync_once(settings, everything=True)


def app(*args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    Path(env["DATA_DIR"]).mkdir(exist_ok=True)
    command = [sys.executable, str(ROOT / "app.py"), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, cwd=env["DATA_DIR"])


class TestALostDisk:
    def test_comes_back_whole_and_goes_on(self, swift: S3Server, tmp_path: Path) -> None:
        here = tmp_path / "here"
        fill(here)
        Compactor(here).run(everything=True)
        put(here, message(701))
        (here / "state" / "secret.key").write_text("key")
        settings = swift.settings(here)
        summary = sync_all(settings)
        assert (summary.live_count, summary.synced_count, summary.oldest_unsynced_at) == (4, 4, None)
        before = {view: ids_in(here, view) for view in ("chat_messages", "observations")}
        assert sum(before["chat_messages"].values()) == 701
        files = {file.path for file in read_manifest(settings).files}  # type: ignore[union-attr]
        assert not [name for name in swift.names() if "secret" in name or "catalog" in name]
        shutil.rmtree(here)

        back = restore(settings, wanted=Wanted(with_state=True))

        assert (back.file_count, back.row_count, back.damaged, back.is_adopted) == (4, 702, [], True)
        assert {view: ids_in(here, view) for view in before} == before
        assert (here / "raw/eventsub/channel.follow/2023-11-14.jsonl").read_text() == '{"a":1}\n{"a":2}\n'
        assert (here / "rejects/2023-11-14.jsonl").read_text() == '{"line":"?"}\n'
        assert (here / "reports/2023-11-14/alpha.html").read_text() == "<p>report</p>"
        assert State(here).followed() == ["alpha"]
        assert (here / "state/state.sqlite").stat().st_mode & 0o077 == 0
        put(here, message(702))
        again = sync_all(settings)
        # The new event and the state: nothing that was there is sent again.
        assert (again.live_count, again.synced_count) == (5, 5)
        assert again.sequence > summary.sequence
        manifest = read_manifest(settings)
        assert manifest is not None
        assert {file.path for file in manifest.files} > files

    def test_by_the_command_line_and_the_range_can_be_queried(self, swift: S3Server, tmp_path: Path) -> None:
        here, there = tmp_path / "here", tmp_path / "there"
        fill(here)
        done = app("sync", "--json", env=swift.environment(here))
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["ok"], told["synced_count"]) == (True, 3)

        args = ["--to", str(there), "--from-date", "2023-11-15", "--kinds", "chat_messages", "--json"]
        done = app("restore", *args, env=swift.environment(here))

        assert done.returncode == 0, done.stderr
        assert (json.loads(done.stdout)["row_count"], json.loads(done.stdout)["is_adopted"]) == (100, False)
        asked = app(
            "query", "select count(*) n from chat_messages", "--format", "json", env=swift.environment(there)
        )
        assert json.loads(asked.stdout) == [{"n": 100}]
        # A part of the lake must not take the place of the whole.
        with pytest.raises(RemoteStorageError, match="holds the lake of another data folder"):
            sync_all(swift.settings(there))

    def test_nothing_to_restore_is_said(self, swift: S3Server, tmp_path: Path) -> None:
        with pytest.raises(RemoteStorageError, match=r"there is nothing to restore at http.*streamlens"):
            restore(swift.settings(tmp_path))

    def test_a_folder_with_events_is_not_touched_without_a_word(
        self, swift: S3Server, tmp_path: Path
    ) -> None:
        fill(tmp_path / "a")
        sync_all(swift.settings(tmp_path / "a"))
        put(tmp_path / "b", message(9001))
        with pytest.raises(StorageError, match=r"holds 1 events already. Say --merge"):
            restore(swift.settings(tmp_path / "b"))
        assert ids_in(tmp_path / "b") == ids(9001)

    def test_merging_loses_nothing_and_doubles_nothing(self, swift: S3Server, tmp_path: Path) -> None:
        fill(tmp_path / "a")
        sync_all(swift.settings(tmp_path / "a"))
        mine = tmp_path / "b"
        # Some of the same messages, and some of its own; a raw file that went another way.
        put(mine, *messages(491, 510), message(9001), message(9002, at=T0 + DAY))
        raw = mine / "raw/eventsub/channel.follow/2023-11-14.jsonl"
        raw.parent.mkdir(parents=True)
        raw.write_text('{"b":9}\n')

        back = restore(swift.settings(mine), merge=True)

        assert back.duplicate_count == 10  # 491 to 500 in alpha; 501 to 510 are beta's on the other side
        assert ids_in(mine) == ids(*range(1, 701), 9001, 9002) + ids(*range(501, 511))
        assert raw.read_text() == '{"b":9}\n'
        assert raw.with_name(raw.name + ".restored").read_text() == '{"a":1}\n{"a":2}\n'
        after = sync_all(swift.settings(mine))
        assert after.live_count == after.synced_count
        shutil.rmtree(mine)
        restore(swift.settings(mine))
        assert sum(ids_in(mine).values()) == 712

    def test_a_lost_catalogue_comes_back_without_the_files(self, swift: S3Server, tmp_path: Path) -> None:
        fill(tmp_path)
        settings = swift.settings(tmp_path)
        sync_all(settings)
        for path in (tmp_path / "state").glob("catalog.sqlite*"):
            path.unlink()
        sent: list[int] = []
        back = restore(settings, on_progress=lambda done, total, text: sent.append(done))
        assert (back.file_count, back.row_count, back.is_adopted) == (3, 701, True)
        assert max(sent, default=0) == 0  # what is on the disk is checked, not fetched
        assert ids_in(tmp_path) == ids(*range(1, 701))

    def test_a_damaged_object_is_left_out_and_told(self, swift: S3Server, tmp_path: Path) -> None:
        fill(tmp_path / "a")
        sync_all(swift.settings(tmp_path / "a"))
        (name,) = [n for n in swift.names() if "chat_messages/date=2023-11-15" in n]
        good = swift.body(name)
        key = f"streamlens/{name}"
        swift.client().put_object(Bucket=BUCKET, Key=key, Body=good[:-10] + b"x" * 10)

        back = app("restore", env=swift.environment(tmp_path / "b", S3_READ_TIMEOUT_S="5"))

        assert back.returncode == 1
        assert f"1 objects on S3 are damaged or gone and were left out:\n    {name}" in back.stdout
        assert ids_in(tmp_path / "b") == ids(*range(1, 601))
        swift.client().put_object(Bucket=BUCKET, Key=key, Body=good)
        again = restore(swift.settings(tmp_path / "b"))
        assert (again.file_count, again.known_count, again.is_adopted) == (1, 2, True)
        assert ids_in(tmp_path / "b") == ids(*range(1, 701))


class TestSync:
    def test_a_second_run_sends_nothing(self, swift: S3Server, tmp_path: Path) -> None:
        fill(tmp_path)
        settings = swift.settings(tmp_path, database_url="sqlite:///:memory:")
        first = sync_all(settings)
        second = sync_all(settings)
        assert first.uploaded_count == 3 + 3 + 2  # lake, other files, a manifest for each
        assert (second.uploaded_count, second.uploaded_bytes, second.sequence) == (0, 0, first.sequence)

    def test_layout_mirrors_the_lake_and_hashes_are_told(self, swift: S3Server, tmp_path: Path) -> None:
        put(tmp_path, *messages(1, 5))
        settings = swift.settings(tmp_path)
        sync_all(settings)
        (file,) = read_manifest(settings).files  # type: ignore[union-attr]
        local = tmp_path / "lake" / file.path
        assert (file.kind, file.date, file.row_count) == ("chat_messages", "2023-11-14", 5)
        assert file.sha256 == hashlib.sha256(local.read_bytes()).hexdigest()
        head = swift.client().head_object(Bucket=BUCKET, Key=f"streamlens/lake/{file.path}")
        assert head["Metadata"]["sha256"] == file.sha256

    def test_compacted_files_take_the_place_of_small_ones(
        self, swift: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = swift.settings(tmp_path)
        for first in range(1, 50, 10):
            put(tmp_path, *messages(first, first + 9))
        sync_all(settings)
        small = {file.name for file in read_manifest(settings).files}  # type: ignore[union-attr]
        assert len(small) == 5
        Compactor(tmp_path).run(everything=True)
        sync_all(settings)
        (large,) = read_manifest(settings).files  # type: ignore[union-attr]
        assert large.row_count == 50
        # For an hour: a reader may still use the manifest that it has read.
        assert {name for name in swift.names() if name.startswith("lake/")} == small | {large.name}
        monkeypatch.setattr(sync, "GRACE_S", 0)
        assert sync_all(settings).deleted_count == 5
        assert [name for name in swift.names() if name.startswith("lake/")] == [large.name]

    def test_small_files_that_were_merged_before_they_went_up_never_do(
        self, swift: S3Server, tmp_path: Path
    ) -> None:
        for first in range(1, 50, 10):
            put(tmp_path, *messages(first, first + 9))
        Compactor(tmp_path).run(everything=True, grace_s=0)
        sync_all(swift.settings(tmp_path))
        assert len([name for name in swift.names() if name.startswith("lake/")]) == 1

    def test_what_is_past_its_time_goes_from_s3_too(
        self, swift: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = swift.settings(tmp_path)
        put(tmp_path, *messages(1, 5), observation("joined", 0))
        sync_all(settings)
        Compactor(tmp_path).retain({"chat_messages": 30})
        monkeypatch.setattr(sync, "GRACE_S", 0)
        sync_all(settings)
        assert [name.split("/")[1] for name in swift.names() if name.startswith("lake/")] == [
            "kind=observations"
        ]

    def test_a_micro_batch_waits_a_moment_for_its_fellows(self, swift: S3Server, tmp_path: Path) -> None:
        settings = swift.settings(tmp_path)
        put(tmp_path, *messages(1, 5))
        young = sync_once(settings)
        assert (young.synced_count, young.oldest_unsynced_at is not None) == (0, True)
        assert read_manifest(settings).files == ()  # type: ignore[union-attr]
        with_age(tmp_path, timedelta(seconds=11))
        old = sync_once(settings)
        assert (old.synced_count, old.oldest_unsynced_at) == (1, None)

    def test_half_a_line_stays_until_it_is_whole(self, swift: S3Server, tmp_path: Path) -> None:
        settings = swift.settings(tmp_path)
        raw = tmp_path / "raw" / "eventsub" / "x" / "2023-11-14.jsonl"
        raw.parent.mkdir(parents=True)
        raw.write_bytes(b'{"a":1}\n{"a"')
        sync_all(settings)
        assert swift.body("raw/eventsub/x/2023-11-14.jsonl") == b'{"a":1}\n'
        raw.write_bytes(b'{"a":1}\n{"a":2}\n')
        # By itself it goes up a minute later; asked for, at once.
        assert sync_once(settings).uploaded_count == 0
        sync_all(settings)
        assert swift.body("raw/eventsub/x/2023-11-14.jsonl") == b'{"a":1}\n{"a":2}\n'

    def test_an_emptied_bucket_is_filled_again(self, swift: S3Server, tmp_path: Path) -> None:
        settings = swift.settings(tmp_path)
        fill(tmp_path)
        sync_all(settings)
        before = swift.names()
        swift.clear()
        sync_all(settings)
        assert swift.names() == before

    def test_a_lost_object_is_found_missing_once_a_day_and_sent_again(
        self, swift: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = swift.settings(tmp_path)
        fill(tmp_path)
        sync_all(settings)
        lost = next(name for name in swift.names() if name.startswith("lake/"))
        swift.client().delete_object(Bucket=BUCKET, Key=f"streamlens/{lost}")
        stranger = "streamlens/lake/kind=raids/date=2023-01-01/0-1-a.parquet"
        swift.client().put_object(Bucket=BUCKET, Key=stranger, Body=b"from a kill in between")
        sync_all(settings)
        assert lost not in swift.names()
        monkeypatch.setattr(sync, "_AUDIT_EVERY_S", 0)
        sync_all(settings)
        assert lost in swift.names()
        assert stranger.removeprefix("streamlens/") in swift.names()  # perhaps somebody is just at it
        monkeypatch.setattr(sync, "GRACE_S", -5)
        sync_all(settings)
        assert stranger.removeprefix("streamlens/") not in swift.names()

    def test_another_place_gets_everything(self, swift: S3Server, tmp_path: Path) -> None:
        fill(tmp_path)
        sync_all(swift.settings(tmp_path))
        sync_all(swift.settings(tmp_path, s3_prefix="elsewhere"))
        assert swift.names("elsewhere/") == swift.names()

    def test_there_and_back_again(self, swift: S3Server, tmp_path: Path) -> None:
        """Another prefix for a while, or another address of the same server, is no foreign lake."""
        put(tmp_path, *messages(1, 5))
        sync_all(swift.settings(tmp_path))
        sync_all(swift.settings(tmp_path, s3_prefix="elsewhere"))
        put(tmp_path, message(6))
        assert sync_all(swift.settings(tmp_path)).synced_count == 2
        by_name = swift.url.replace("127.0.0.1", "localhost")
        put(tmp_path, message(7))
        assert sync_all(swift.settings(tmp_path, s3_endpoint_url=by_name)).synced_count == 3

    def test_two_copies_of_a_folder_do_not_overwrite_each_other(
        self, swift: S3Server, tmp_path: Path
    ) -> None:
        put(tmp_path / "a", *messages(1, 5))
        sync_all(swift.settings(tmp_path / "a"))
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        put(tmp_path / "a", message(6))
        sync_all(swift.settings(tmp_path / "a"))
        put(tmp_path / "b", message(7))
        with pytest.raises(RemoteStorageError, match="the lake of another copy of this data folder"):
            sync_all(swift.settings(tmp_path / "b"))
        restore(swift.settings(tmp_path / "b"), merge=True)
        sync_all(swift.settings(tmp_path / "b"))
        assert ids_in(tmp_path / "b") == ids(*range(1, 8))

    def test_a_manifest_that_was_written_but_not_noted_is_recognised(
        self, swift: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = swift.settings(tmp_path)
        put(tmp_path, *messages(1, 5))
        with monkeypatch.context() as patch:
            patch.setattr("dashboard.storage.sync_ledger.SyncLedger.published", _die)
            with pytest.raises(_Killed):
                sync_all(settings)
        assert MANIFEST in swift.names()
        assert sync_all(settings).synced_count == 1


class _Killed(BaseException):
    """As a kill: nothing is tidied up."""


def _die(*_: Any) -> None:
    raise _Killed


def with_age(data_dir: Path, age: timedelta) -> None:
    """Makes every file of the lake look as if it had come in so long ago."""
    import sqlite3

    back_us = int(age.total_seconds() * 1e6)
    con = sqlite3.connect(LakePaths(data_dir).catalog)
    con.execute("update files set created_at = created_at - ?", (back_us,))
    con.execute("update additions set created_at = created_at - ?", (back_us,))
    con.commit()
    con.close()


class TestBigFiles:
    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3_upload, "LARGEST_PUT_BYTES", 5 << 20)
        monkeypatch.setattr(s3_upload, "PART_BYTES", 5 << 20)  # the least that S3 takes

    def big_file(self, data_dir: Path) -> tuple[str, bytes]:
        body = os.urandom(12 << 20)
        path = data_dir / "raw" / "big.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return "raw/big.bin", body

    def test_go_up_in_parts_and_come_back_as_they_were(self, swift: S3Server, tmp_path: Path) -> None:
        name, body = self.big_file(tmp_path)
        sync_all(swift.settings(tmp_path))
        etag = swift.client().head_object(Bucket=BUCKET, Key=f"streamlens/{name}")["ETag"]
        assert etag.endswith('-3"')
        restore(swift.settings(tmp_path), to=tmp_path / "back")
        assert (tmp_path / "back" / name).read_bytes() == body

    def test_a_half_upload_is_resumed_with_the_parts_that_are_missing(
        self, swift: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name, body = self.big_file(tmp_path)
        settings = swift.settings(tmp_path)
        sent: list[int] = []
        put_part = s3_upload.Uploader._put_part

        def watched(self: Any, path: Path, content: Any, number: int, target: Any) -> str:
            sent.append(number)
            if number == 3 and len(sent) <= 3:
                raise RemoteStorageError("cut off")
            return put_part(self, path, content, number, target)

        monkeypatch.setattr(s3_upload.Uploader, "_put_part", watched)
        with pytest.raises(RemoteStorageError, match="cut off"):
            sync_all(settings)
        assert name not in swift.names()
        sync_all(settings)
        assert sorted(sent) == [1, 2, 3, 3]
        assert swift.body(name) == body
        assert swift.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []

    def test_a_half_upload_of_something_else_is_thrown_away(
        self, swift: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = swift.client()
        client.create_multipart_upload(Bucket=BUCKET, Key="streamlens/raw/gone.bin")
        other = client.create_multipart_upload(Bucket=BUCKET, Key="not-ours/raw/gone.bin")
        monkeypatch.setattr(sync, "_FORGOTTEN_UPLOAD_S", -5)
        sync_all(swift.settings(tmp_path))
        left = client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        assert [upload["UploadId"] for upload in left] == [other["UploadId"]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"aws_secret_access_key": "hunter2"}, "the secret does not belong to the access key"),
            ({"s3_bucket": "no-such-bucket"}, "there is no bucket no-such-bucket"),
        ],
    )
    def test_are_told_in_words_and_kept_for_the_page(
        self, swift: S3Server, tmp_path: Path, values: dict[str, str], words: str
    ) -> None:
        put(tmp_path, *messages(1, 5))
        with pytest.raises(RemoteStorageError) as caught:
            sync_all(swift.settings(tmp_path, **values))
        told = str(caught.value)
        assert told.startswith(f"S3: {words}")
        assert told.endswith("Nothing local is lost.")
        assert "hunter2" not in told
        row = State(tmp_path).read_status("s3")
        assert row is not None
        assert (row.payload["error"], row.payload["live_count"]) == (told, 1)

    def test_a_wrong_clock(self, swift: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import botocore.auth

        real = botocore.auth.get_current_datetime
        monkeypatch.setattr(
            botocore.auth, "get_current_datetime", lambda *a, **k: real(*a, **k) - timedelta(hours=2)
        )
        with pytest.raises(RemoteStorageError, match="clock is too far off"):
            sync_all(swift.settings(tmp_path))

    def test_success_clears_the_error(self, swift: S3Server, tmp_path: Path) -> None:
        with pytest.raises(RemoteStorageError):
            sync_all(swift.settings(tmp_path, aws_secret_access_key="hunter2"))
        before = now_us()
        sync_all(swift.settings(tmp_path))
        row = State(tmp_path).read_status("s3")
        assert row is not None
        assert row.payload["error"] is None
        assert row.payload["success_at"] >= before


def test_the_age_of_the_oldest_unsynced_event(swift: S3Server, tmp_path: Path) -> None:
    settings = swift.settings(tmp_path)
    put(tmp_path, *messages(1, 5))
    sync_all(settings)
    with_age(tmp_path, timedelta(hours=3))
    put(tmp_path, message(6))
    with_age(tmp_path, timedelta(hours=1))
    # Merging must not make old events look young.
    Compactor(tmp_path).run(everything=True)
    from dashboard.storage.sync_ledger import SyncLedger

    ledger = SyncLedger(LakePaths(tmp_path).catalog)
    ledger.remember(synced_through_at=now_us() - 3 * 3600 * 1_000_000)
    oldest = ledger.state().oldest_unsynced_at
    assert oldest is not None
    assert abs((now_us() - oldest) / 1e6 - 3600) < 30
    # After two days without S3 the record of what came in does not reach back: the upper bound is told.
    through = Instant(now_us() - 48 * 3600 * 1_000_000)
    ledger.remember(synced_through_at=through)
    assert ledger.state().oldest_unsynced_at == through
    ledger.close()
    catalog = Catalog(LakePaths(tmp_path).catalog)
    assert len(catalog.live("chat_messages")) == 1
    catalog.close()
