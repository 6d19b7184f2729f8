"""``python app.py jobs``: listed, done now, and refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dashboard.cli import Parts, build_cli
from dashboard.storage.job_runs import JobRuns


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SANDBOX", "true")

    def nothing(*args: Any) -> Any:
        raise AssertionError("not this one")

    cli = build_cli(Parts(tmp_path, nothing, nothing, nothing, nothing))

    def run(*args: str) -> Result:
        return CliRunner().invoke(cli, ["jobs", *args])

    return run


def test_list_tells_rhythm_state_and_obstacles(call: Any) -> None:
    answer = call("list")
    assert answer.exit_code == 0
    assert "every 15 min" in answer.output
    assert "There is no S3 bucket." in answer.output
    told = json.loads(call("list", "--json").output)
    assert [job["state"] for job in told["jobs"] if job["name"] == "sync"] == ["blocked"]


def test_run_does_it_here_and_now(call: Any, tmp_path: Path) -> None:
    answer = call("run", "report", "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout.splitlines()[-1])
    assert (told["ok"], told["state"], told["text"]) == (True, "ok", "No report was missing")
    runs = JobRuns(tmp_path)
    run = runs.last("report")
    assert run is not None
    assert (run.state, run.requested_by, run.run_id) == ("ok", "command line", told["run_id"])
    # It was no worker: the page must not think that one has stopped.
    from dashboard.storage.state import State

    assert State(tmp_path).read_status("worker") is None


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["run", "nonsense"], 1, "There is no job “nonsense” to start. There are"),
        (["run", "compaction"], 1, "There is no job “compaction” to start"),
        (["run", "sync"], 1, "There is no S3 bucket."),
        (["run", "report", "--param", "day"], 2, "write NAME=VALUE"),
        (
            ["run", "report", "--param", "day=yesterday", "--param", "room=alpha"],
            1,
            "write the day as YYYY-MM-DD",
        ),
    ],
)
def test_what_can_not_be_done_is_said(call: Any, args: list[str], code: int, words: str) -> None:
    answer = call(*args)
    assert answer.exit_code == code
    assert words in answer.output
    assert "Traceback" not in answer.output


def test_a_run_that_goes_on_elsewhere_is_not_done_twice(call: Any, tmp_path: Path) -> None:
    runs = JobRuns(tmp_path)
    runs.request("report")
    runs.claim("another worker")
    answer = call("run", "report")
    assert answer.exit_code == 1
    assert "asked for or running already" in answer.output
