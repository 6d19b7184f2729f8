"""The command line as a person uses it: real processes, a data folder of their own."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LINES = """\
@badge-info=;badges=;color=#FF0000;display-name=Ann;emotes=25:0-4;id=11111111-1111-4111-8111-111111111111;\
mod=0;room-id=9;subscriber=0;tmi-sent-ts=1700000000000;turbo=0;user-id=1;user-type= \
:ann!ann@ann.tmi.twitch.tv PRIVMSG #mothlight :Kappa hello
@badge-info=;badges=;color=;display-name=Bob;emotes=;id=22222222-2222-4222-8222-222222222222;mod=0;\
room-id=9;subscriber=0;tmi-sent-ts=1700000001000;turbo=0;user-id=2;user-type= \
:bob!bob@bob.tmi.twitch.tv PRIVMSG #mothlight :hi, "Ann"
this is no line of IRC
"""


def run(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TWITCH_", "S3_", "SANDBOX"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py"), *arguments],
        env={**clean, "DATA_DIR": str(data_dir), **environment},
        cwd=data_dir,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "mothlight.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_help_names_every_command(tmp_path: Path) -> None:
    answer = run(tmp_path, "--help")
    assert answer.returncode == 0
    for command in ("import", "collect", "sandbox", "query", "compact", "check", "web", "work"):
        assert f"  {command} " in answer.stdout
    assert "Exit codes" in answer.stdout


def test_import_then_query_in_every_format(tmp_path: Path, recording: Path) -> None:
    first = run(tmp_path, "import", str(recording), "--json")
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert summary["ok"] is True
    assert summary["counts"]["chat_messages"] == 2
    assert summary["rejects"] == 1
    assert summary["users"] == 2

    again = json.loads(run(tmp_path, "import", str(recording), "--json").stdout)
    assert again["duplicates"] >= 2

    sql = "select user_display_name as who, text from chat_messages order by sent_at"
    table = run(tmp_path, "query", sql)
    assert table.returncode == 0, table.stderr
    assert "Ann" in table.stdout
    assert "2 rows" in table.stderr
    as_csv = run(tmp_path, "query", sql, "--format", "csv").stdout
    assert list(csv.reader(io.StringIO(as_csv))) == [
        ["who", "text"],
        ["Ann", "Kappa hello"],
        ["Bob", 'hi, "Ann"'],
    ]
    as_json = json.loads(run(tmp_path, "query", sql, "--format", "json").stdout)
    assert as_json == [{"who": "Ann", "text": "Kappa hello"}, {"who": "Bob", "text": 'hi, "Ann"'}]


def test_a_query_that_writes_is_refused(tmp_path: Path) -> None:
    answer = run(tmp_path, "query", "create table x (a int)")
    assert answer.returncode == 2
    assert "Only reading is possible" in answer.stderr


def test_a_misspelt_column_is_an_error_without_traceback(tmp_path: Path) -> None:
    answer = run(tmp_path, "query", "select nope from raids")
    assert answer.returncode == 1
    assert "nope" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_wrong_setting_stops_with_its_name_and_cure(tmp_path: Path) -> None:
    answer = run(tmp_path, "query", "select 1", PORT="http")
    assert answer.returncode == 78
    assert "PORT" in answer.stderr
    assert "PORT=5000" in answer.stderr


def test_a_file_of_no_known_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "picture.bin"
    path.write_bytes(bytes(range(256)))
    answer = run(tmp_path, "import", str(path), "--json")
    assert answer.returncode == 1
    assert "picture.bin" in answer.stderr
    assert json.loads(answer.stdout)["ok"] is False


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "nan"])
def test_a_speed_that_is_none_is_wrong_use(tmp_path: Path, recording: Path, speed: str) -> None:
    answer = run(tmp_path, "import", str(recording), "--speed", speed)
    assert answer.returncode == 2
    assert "--speed" in answer.stderr


def test_compact_makes_one_file_a_day(tmp_path: Path, recording: Path) -> None:
    run(tmp_path, "import", str(recording))
    answer = run(tmp_path, "compact", "--json", RETENTION_DAYS="chat_messages=0,user_list=0")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["merged_files"] >= 1
    count = run(tmp_path, "query", "select count(*) as n from chat_messages", "--format", "json")
    assert json.loads(count.stdout) == [{"n": 2}]


def test_import_refuses_a_channel_that_can_not_be_one(tmp_path: Path, recording: Path) -> None:
    answer = run(tmp_path, "import", str(recording), "--channel", "two words")
    assert answer.returncode == 2
    assert "“two words” is not a Twitch login" in answer.stderr


def test_ctrl_c_ends_an_import_with_a_code_of_its_own(tmp_path: Path, recording: Path) -> None:
    command = [sys.executable, str(ROOT / "app.py"), "import", str(recording), "--speed", "0.01"]
    environment = {**os.environ, "DATA_DIR": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "events" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        words, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Everything counted is safe" in words


@pytest.mark.parametrize(
    "arguments", [("--port", "99999"), ("--channels", "-3"), ("--speed", "0")], ids=lambda a: a[0]
)
def test_sandbox_refuses_what_it_can_not_serve(tmp_path: Path, arguments: tuple[str, str]) -> None:
    answer = run(tmp_path, "sandbox", *arguments)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
