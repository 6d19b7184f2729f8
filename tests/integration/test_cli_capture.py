"""``python app.py capture`` in one process, with the sandbox behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app import find_rooms, open_twitch
from dashboard.cli_capture import capture_command
from dashboard.storage.captures import open_captures
from dashboard.storage.tokens import open_vault
from tests.auth_site import SandboxThread
from tests.jobs_helpers import grant, settings_for


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as sandbox:
        yield sandbox


@pytest.fixture
def command() -> click.Command:
    return capture_command(open_twitch, find_rooms)


def run(command: click.Command, sandbox: SandboxThread, data_dir: Path, *words: str) -> Result:
    environment = {
        "DATA_DIR": str(data_dir),
        "SANDBOX": "true",
        "TWITCH_API_URL": sandbox.server.urls["helix"],
        "TWITCH_AUTH_URL": sandbox.server.urls["oauth"],
        "TWITCH_IRC_URL": sandbox.server.urls["irc"],
    }
    return CliRunner(env=environment).invoke(command, list(words), catch_exceptions=False)


def test_everybody_in_a_chat_is_listed_and_the_end_is_one_line_of_json(
    sandbox: SandboxThread, tmp_path: Path, command: click.Command
) -> None:
    settings = settings_for(tmp_path, sandbox.server)
    with closing(open_vault(settings)) as vault:
        grant(sandbox.server, vault, sandbox.world.channels[1].login)
    answer = run(command, sandbox, tmp_path, sandbox.world.channels[1].login, "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout.splitlines()[-1])
    assert (told["ok"], told["state"], told["source"], told["window_s"]) == (
        True,
        "complete",
        "connected",
        None,
    )
    assert told["people"] == told["ages_known"] > 50
    with closing(open_captures(settings)) as captures:
        assert [c.capture_id for c in captures.recent()] == [told["capture_id"]]


def test_what_can_not_be_done_is_said_with_what_to_do(
    sandbox: SandboxThread, tmp_path: Path, command: click.Command
) -> None:
    with closing(open_vault(settings_for(tmp_path, sandbox.server))) as vault:
        grant(sandbox.server, vault, sandbox.world.channels[1].login)
    stranger = sandbox.world.channels[3].login
    answer = run(command, sandbox, tmp_path, stranger)
    assert answer.exit_code == 1
    assert f"python app.py collect {stranger}" in answer.stderr
    answer = run(command, sandbox, tmp_path, sandbox.world.channels[1].login, "--source", "spoke")
    assert answer.exit_code == 1
    assert "was not collected in that time" in answer.output
    assert run(command, sandbox, tmp_path, "two words").exit_code == 2
