"""``sync``, ``restore`` and ``export`` as commands: exit codes and words."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from dashboard import cli_s3
from dashboard.config import Settings
from dashboard.errors import JobCancelled, LockedError, RemoteStorageError
from dashboard.storage import exports, restore, sync
from dashboard.storage.exports import ExportSummary
from dashboard.storage.restore import RestoreSummary
from dashboard.storage.sync import SyncSummary


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command with a bucket set, unless told otherwise."""

    def runner(command: click.Command, *args: str, bucket: str = "lens-copy") -> Any:
        settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True, s3_bucket=bucket)
        monkeypatch.setattr(cli_s3, "checked_settings", lambda: settings)
        return CliRunner().invoke(command, list(args))

    return runner


def answering(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: Any) -> list[Any]:
    """Puts a stand-in where the work is done; gives what it was called with."""
    calls: list[Any] = []

    def work(*args: Any, **values: Any) -> Any:
        calls.append((args, values))
        if isinstance(value, Exception):
            raise value
        return value() if callable(value) else value

    monkeypatch.setattr(module, name, work)
    return calls


@pytest.mark.parametrize("command", [cli_s3.sync, cli_s3.restore])
def test_without_a_bucket_the_setting_is_named(run: Any, command: click.Command) -> None:
    result = run(command, bucket="")
    assert result.exit_code == 78
    assert "S3_BUCKET: not set" in result.output


def test_sync_takes_everything_and_says_what_it_did(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done = SyncSummary(uploaded_count=3, uploaded_bytes=2_000_000, live_count=5, synced_count=5)
    calls = answering(monkeypatch, sync, "sync_once", done)
    result = run(cli_s3.sync)
    assert result.exit_code == 0
    assert "3 files (2.0 MB) went to AWS lens-copy/streamlens" in result.output
    assert "5 of 5 files of the lake are on S3" in result.output
    assert calls[0][1]["everything"] is True


def test_sync_in_json(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, sync, "sync_once", SyncSummary(sequence=7))
    told = json.loads(run(cli_s3.sync, "--json").output)
    assert (told["ok"], told["sequence"], told["target"]) == (True, 7, "AWS lens-copy/streamlens")


@pytest.mark.parametrize(
    ("error", "code"), [(RemoteStorageError("S3: no."), 1), (LockedError("Another sync"), 75)]
)
def test_failures_have_their_codes(
    run: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    answering(monkeypatch, sync, "sync_once", error)
    result = run(cli_s3.sync)
    assert (result.exit_code, str(error) in result.output) == (code, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(run: Any, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def interrupted(settings: Settings, *, is_cancelled: Callable[[], bool], **_: Any) -> SyncSummary:
        assert not is_cancelled()
        os.kill(os.getpid(), number)
        assert is_cancelled()
        raise JobCancelled("Stopped.")

    before = signal.getsignal(number)
    monkeypatch.setattr(sync, "sync_once", interrupted)
    result = run(cli_s3.sync)
    assert result.exit_code == 130
    assert signal.getsignal(number) == before


def test_restore_passes_days_kinds_and_the_state_on(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = answering(monkeypatch, restore, "restore", RestoreSummary(file_count=2, row_count=5))
    args = ["--to", str(tmp_path / "x"), "--from-date", "2026-01-01", "--to-date", "2026-01-31"]
    result = run(cli_s3.restore, *args, "--kinds", "raids, bits", "--with-state", "--merge")
    assert result.exit_code == 0
    values = calls[0][1]
    assert (values["to"], values["merge"]) == (tmp_path / "x", True)
    wanted = values["wanted"]
    assert (wanted.first_date, wanted.last_date) == ("2026-01-01", "2026-01-31")
    assert (wanted.kinds, wanted.with_state, wanted.is_everything) == (("raids", "bits"), True, False)


def test_restore_ends_with_1_and_the_names_when_something_is_damaged(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, restore, "restore", RestoreSummary(damaged=["lake/kind=raids/x.parquet"]))
    result = run(cli_s3.restore)
    assert result.exit_code == 1
    assert "1 objects on S3 are damaged or gone and were left out:\n    lake/kind=raids/x" in result.output
    assert json.loads(run(cli_s3.restore, "--json").output)["ok"] is False


@pytest.mark.parametrize(
    ("args", "words"),
    [(["--kinds", "raid"], "there is no kind “raid”"), (["--from-date", "1.1.2026"], "1.1.2026")],
)
def test_wrong_use_is_told(run: Any, args: list[str], words: str) -> None:
    result = run(cli_s3.restore, *args)
    assert (result.exit_code, words in result.output) == (2, True)


def test_export_of_what_is_due_and_of_a_day(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    due = answering(monkeypatch, exports, "export_due", ExportSummary(file_count=4, row_count=9))
    day = answering(monkeypatch, exports, "export_day", ExportSummary())
    assert "4 files with 9 events written" in run(cli_s3.export_, bucket="").output
    assert run(cli_s3.export_, "--date", "2026-01-31", "--channels", "Alpha,beta").exit_code == 0
    assert (len(due), day[0][0][1:]) == (1, ("2026-01-31", ("alpha", "beta")))
