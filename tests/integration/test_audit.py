"""The audit log on SQLite and Postgres, and its lines of JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboard.access import Access
from dashboard.config import Settings
from dashboard.events import Instant
from dashboard.logs import configure_audit, hide
from dashboard.storage.accounts import Accounts, open_accounts
from dashboard.storage.audit import CAPTURE_ASKED, AuditLog, open_audit
from dashboard.storage.tokens import UserToken, open_vault

PERSON = Access("11", "eleven", "Eleven")


@pytest.fixture
def settings(tmp_path: Path, state_url: str) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, sandbox=True, database_url=state_url)


@pytest.fixture
def audit(settings: Settings) -> Iterator[AuditLog]:
    audit = open_audit(settings)
    yield audit
    audit.close()


@pytest.fixture
def accounts(settings: Settings) -> Iterator[Accounts]:
    accounts = open_accounts(settings)
    yield accounts
    accounts.close()


def test_entries_are_kept_apart_newest_first(audit: AuditLog, accounts: Accounts) -> None:
    accounts.note_login("12", "twelve", "Twelve")
    audit.note(CAPTURE_ASKED, PERSON, "alpha, connected", address="192.0.2.1")
    audit.write("capture finished", user_id="12", detail="\x00" + "x" * 400)
    audit.write("renames detected", detail="3 in alpha")
    newest, middle, oldest = audit.recent()
    assert (oldest.action, oldest.user_id, oldest.user_login, oldest.detail, oldest.address) == (
        "capture asked",
        "11",
        "eleven",
        "alpha, connected",
        "192.0.2.1",
    )
    assert (middle.user_login, len(middle.detail)) == ("twelve", 300)
    assert (newest.user_id, newest.user_login) == ("", "")
    assert [entry.action for entry in audit.recent(user_id="11")] == ["capture asked"]


def test_each_entry_is_one_line_of_json_on_standard_output(
    audit: AuditLog, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(["hunter2-hunter2"])
    audit.note("export", PERSON, "accounts as CSV\nof “ä” with hunter2-hunter2")
    audit.note("login", PERSON)
    first, second = capsys.readouterr().out.splitlines()
    told = json.loads(first)
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "event": "audit",
        "action": "export",
        "user_id": "11",
        "user_login": "eleven",
        "address": "",
        "detail": "accounts as CSV\nof “ä” with **********",
    }
    assert json.loads(second)["action"] == "login"


def test_a_command_whose_answer_is_on_standard_output_sends_them_elsewhere(
    audit: AuditLog, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    configure_audit(stream)
    try:
        audit.note("grant", PERSON)
    finally:
        configure_audit()
    assert capsys.readouterr().out == ""
    assert json.loads(stream.getvalue())["action"] == "grant"


def test_a_login_that_expires_is_noted_once(
    audit: AuditLog, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [Instant(1_000_000_000)]
    monkeypatch.setattr("dashboard.storage.accounts.now_us", lambda: now[0])
    accounts.note_login("11", "eleven", "Eleven")
    short = accounts.open_session("11", life_s=60, address="192.0.2.1", agent="Firefox")
    accounts.open_session("11", life_s=100)
    long = accounts.open_session("11", life_s=3600)
    now[0] = Instant(now[0] + 61_000_000)
    assert accounts.find_session(short) is None
    assert accounts.find_session(short) is None
    assert [(entry.action, entry.user_login, entry.address, entry.detail) for entry in audit.recent()] == [
        ("login expired", "eleven", "192.0.2.1", "its time was over")
    ]
    assert accounts.find_session(long) is not None
    now[0] = Instant(now[0] + 60_000_000)
    accounts.open_session("11", life_s=3600)
    assert len(audit.recent()) == 2
    assert len(accounts.sessions("11")) == 2
    assert accounts.end_expired() == 0


def test_a_login_that_is_ended_for_another_reason_says_which(
    audit: AuditLog, accounts: Accounts, settings: Settings
) -> None:
    for user_id in ("11", "12"):
        accounts.note_login(user_id, f"login{user_id}", "")
        accounts.open_session(user_id, life_s=60)
    assert accounts.close_sessions_except(["12"]) == 1
    vault = open_vault(settings)
    vault.save(
        UserToken("12", "login12", "12", frozenset(), SecretStr("a" * 30), SecretStr("b" * 30), Instant(1))
    )
    session_id = accounts.open_session("12", life_s=60)
    vault.mark_invalid("12", "Twitch refused it")
    assert accounts.find_session(session_id) is None
    assert [(entry.user_login, entry.detail) for entry in audit.recent()] == [
        ("login12", "the grant was taken back at Twitch"),
        ("login12", "the grant was taken back at Twitch"),
        ("login11", "taken off the list of those who may log in"),
    ]
    vault.close()
