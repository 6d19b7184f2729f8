"""The checks of this machine: settings, address, folder, disk, lake, journal; and that all are asked."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard import health
from dashboard.config import Settings
from dashboard.config_rules import CURES
from dashboard.events import ChatMessage, Instant
from dashboard.health import (
    Check,
    check_data_folder,
    check_disk_space,
    check_journal,
    check_lake,
    check_settings,
    check_web_address,
    run_checks,
    size_in_words,
)
from dashboard.storage.batch import batches_of
from dashboard.storage.ingest import Ingest
from dashboard.storage.journal import Journal
from dashboard.storage.lake import LakePaths

GB = 1024**3


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower() in Settings.model_fields or name == "STREAMLENS_CONFIG":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def message(number: int) -> ChatMessage:
    at = Instant(1_700_000_000_000_000 + number)
    return ChatMessage(
        event_id=f"m{number}", source="irc", room_login="a", sent_at=at, received_at=at, text="hi"
    )


class TestSettings:
    def test_where_the_data_comes_from(self) -> None:
        assert check_settings(settings()) == Check(
            "Settings", "ok", "the sandbox stands in for Twitch; set TWITCH_CHANNELS to read real chat"
        )
        assert (
            check_settings(settings(twitch_channels="a,b")).detail == "Twitch, following a, b from the start"
        )
        assert check_settings(settings(sandbox=False)).detail == (
            "Twitch; channels are followed on the Live page, or by TWITCH_CHANNELS"
        )

    def test_a_misspelt_name(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("TWITCH_CHANELS=a\n", encoding="utf-8")
        assert check_settings(settings()) == Check(
            "Settings",
            "warn",
            "not settings: TWITCH_CHANELS (meant TWITCH_CHANNELS?)",
            "Correct the name in .env or the environment.",
        )


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", "ok"), ("::1", "ok"), ("localhost", "ok"), ("0.0.0.0", "warn"), ("lens.example", "warn")],
)
def test_web_address(host: str, status: str) -> None:
    check = check_web_address(settings(host=host))
    assert check.status == status
    assert check.detail.startswith(f"http://{host}:5000")
    assert ("HOST=127.0.0.1" in check.cure) == (status == "warn")


class TestFolder:
    def test_it_is_made_and_left_empty(self, tmp_path: Path) -> None:
        folder = tmp_path / "a" / "b"
        assert check_data_folder(settings(data_dir=folder)) == Check(
            "Data folder", "ok", f"{folder} is writable"
        )
        assert list(folder.iterdir()) == []

    def test_it_can_not_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        check = check_data_folder(settings(data_dir=tmp_path / "file" / "data"))
        assert (check.status, check.cure) == ("fail", CURES["data_dir"])
        assert check.detail == f"{tmp_path}/file/data: Not a directory"

    @pytest.mark.parametrize(("free", "status"), [(50 * GB, "ok"), (1 * GB, "warn"), (GB // 10, "fail")])
    def test_disk_space(
        self, free: int, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def usage(path: Path) -> SimpleNamespace:
            asked.append(path)
            return SimpleNamespace(free=free)

        monkeypatch.setattr(shutil, "disk_usage", usage)
        check = check_disk_space(settings(data_dir=tmp_path / "not" / "yet"))
        assert (check.status, asked) == (status, [tmp_path])
        assert check.detail.startswith(size_in_words(free))

    @pytest.mark.parametrize(
        ("size", "words"),
        [(12, "12 bytes"), (1500, "1.5 kB"), (2e6, "2.0 MB"), (83.9e9, "83.9 GB"), (5e12, "5.0 TB")],
    )
    def test_sizes(self, size: float, words: str) -> None:
        assert size_in_words(size) == words


class TestLake:
    def test_nothing_collected_yet(self, tmp_path: Path) -> None:
        assert check_lake(settings(data_dir=tmp_path)) == Check("Lake", "ok", "nothing collected yet")
        assert list(tmp_path.iterdir()) == [], "looking makes nothing"

    def test_counts_and_a_lost_file(self, tmp_path: Path) -> None:
        with Ingest(tmp_path) as ingest:
            ingest.put([message(1), message(2)])
        (file,) = (tmp_path / "lake").rglob("*.parquet")
        size = size_in_words(file.stat().st_size)
        assert check_lake(settings(data_dir=tmp_path)).detail == f"2 events in 1 files, {size}"
        file.unlink()
        check = check_lake(settings(data_dir=tmp_path))
        assert check.status == "fail"
        assert check.detail == f"1 of 1 files are gone, for example {file.relative_to(tmp_path / 'lake')}"


class TestJournal:
    def test_nothing_left(self, tmp_path: Path) -> None:
        with Ingest(tmp_path) as ingest:
            ingest.put([message(1)])
        _age(tmp_path)
        check = check_journal(settings(data_dir=tmp_path))
        assert check == Check("Journal", "ok", "everything acknowledged is in the lake")

    def test_left_by_a_kill(self, tmp_path: Path) -> None:
        journal = Journal(LakePaths(tmp_path).journal / "collect")
        payload = batches_of([message(1)])[1]
        journal.append(payload)
        journal.close()
        check = check_journal(settings(data_dir=tmp_path))
        assert check.status == "ok", "somebody may be writing it right now"
        _age(tmp_path)
        check = check_journal(settings(data_dir=tmp_path))
        assert check.status == "warn"
        size = size_in_words(len(payload) + 12)  # and the frame's header
        assert check.detail == (
            f"{size} of collect not in the lake yet, left by a process that was killed; nothing is lost"
        )
        with Ingest(tmp_path):
            pass
        _age(tmp_path)
        assert check_journal(settings(data_dir=tmp_path)).status == "ok"


def _age(data_dir: Path) -> None:
    for path in data_dir.rglob("*.journal"):
        os.utime(path, (time.time() - 60, time.time() - 60))


class TestAll:
    def test_every_check_is_asked_in_order(self, tmp_path: Path) -> None:
        unused = {"sandbox_port": 9, "data_dir": tmp_path}  # nobody listens on the discard port
        checks = run_checks(settings(**unused))
        assert {check.name: check.status for check in checks} == {
            "Settings": "ok",
            "Web address": "ok",
            "Data folder": "ok",
            "Disk space": checks[3].status,
            "Lake": "ok",
            "Journal": "ok",
            "State database": "ok",
            "Twitch chat": "off",
            "Chat token": "off",
            "Twitch API": "off",
            "Clock": "off",
            "S3": "off",
        }
        assert checks[7].detail == "the sandbox is not running at the moment; `python app.py` starts it"

    async def test_a_check_that_hangs_or_breaks_hides_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def hangs(_: Settings) -> Check:
            await asyncio.sleep(60)
            raise AssertionError

        async def breaks(_: Settings) -> Check:
            raise RuntimeError("token=hunter2")

        monkeypatch.setattr(health, "_TIMEOUT_S", 0.05)
        monkeypatch.setattr("dashboard.health_twitch.check_chat", hangs)
        monkeypatch.setattr("dashboard.health_twitch.check_api", breaks)
        checks = {check.name: check for check in await health.check_all(settings())}
        assert checks["Twitch chat"].detail == "no answer within 0.05 s"
        assert checks["Twitch API"] == Check(
            "Twitch API", "fail", "the check itself failed (RuntimeError)", "Please report this."
        )
        assert checks["S3"].status == "off"
