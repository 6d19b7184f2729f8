"""What happened, on the Account page: one's own, and for admins everybody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callbacks.account import fill_audit
from dashboard.access import LOCAL, Access
from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Instant
from dashboard.insights import account
from dashboard.insights.account import AccountInsights
from dashboard.storage.accounts import open_accounts
from dashboard.storage.audit import AuditEntry, open_audit
from dashboard.storage.tokens import open_vault
from dashboard.ui import audit_view

UTC = ZoneInfo("UTC")
NOW = Instant(1_700_000_000_000_000)
ONE = Access("11", "eleven", "Eleven")
ADMIN = Access("12", "twelve", "Twelve", is_admin=True)


@pytest.fixture
def insights(tmp_path: Path) -> Iterator[AccountInsights]:
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    audit, accounts, vault = open_audit(settings), open_accounts(settings), open_vault(settings)
    audit.note("login", ONE, address="192.0.2.1")
    audit.note("export", ADMIN, "accounts as CSV")
    audit.write("renames detected", detail="3 in alpha")
    yield AccountInsights(settings, vault, accounts, audit)
    for part in (audit, accounts, vault):
        part.close()


def actions(entries: tuple[AuditEntry, ...]) -> list[str]:
    return [entry.action for entry in entries]


def test_everybody_sees_their_own_and_admins_all(insights: AccountInsights) -> None:
    own = insights.audit(ONE, is_everybodys=True)
    assert (actions(own.entries), own.is_everybodys, own.may_choose) == (["login"], False, False)
    everything = ["renames detected", "export", "login"]
    page = insights.audit(ADMIN)
    assert (actions(page.entries), page.is_everybodys, page.may_choose) == (everything, True, True)
    assert actions(insights.audit(ADMIN, is_everybodys=False).entries) == ["export"]
    local = insights.audit(LOCAL, is_everybodys=False)
    assert (actions(local.entries), local.may_choose) == (everything, False)
    assert insights.audit(Access("")).entries == (), "what nobody in particular did is not anybody's own"


def test_older_ones_come_when_asked_for(insights: AccountInsights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "AUDIT_FIRST", 2)
    monkeypatch.setattr(account, "AUDIT_MORE", 3)
    for number in range(5):
        insights.note("login", ONE, "192.0.2.1", str(number))
    first = insights.audit(ONE)
    assert (len(first.entries), first.has_older) == (2, True)
    more = insights.audit(ONE, older_count=1)
    assert (len(more.entries), more.has_older) == (5, True)
    assert not insights.audit(ONE, older_count=2).has_older
    assert len(insights.audit(ONE, older_count=-5).entries) == 2


def test_the_list_says_whose_it_is_and_how_much(insights: AccountInsights) -> None:
    everybodys = str(audit_view.entries(insights.audit(ADMIN), UTC, NOW))
    assert "Everybody's log, the newest 3 entries; that is all of the last 365 days." in everybodys
    assert "twelve · accounts as CSV" in everybodys
    own = str(audit_view.entries(insights.audit(ONE), UTC, NOW))
    assert "Your log, the newest 1 entry;" in own
    assert "eleven" not in own
    assert "Nothing in the last 365 days." in str(audit_view.entries(insights.audit(Access("13")), UTC, NOW))


def test_the_callback_asks_as_who_is_logged_in(insights: AccountInsights) -> None:
    services: Any = SimpleNamespace(account=insights, current_access=lambda: ONE)
    shown, no_older, no_choice = fill_audit(services, {"tz": "UTC"}, audit_view.EVERYBODY, None)
    assert "twelve" not in str(shown)
    assert (no_older, no_choice) == (True, True)
    services.current_access = lambda: ADMIN
    _, _, no_choice = fill_audit(services, None, audit_view.EVERYBODY, 1)
    assert not no_choice


def test_a_log_that_cannot_be_read_says_so() -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StorageError("The state database does not answer.")

    services: Any = SimpleNamespace(account=SimpleNamespace(audit=fail), current_access=lambda: ONE)
    shown, no_older, _ = fill_audit(services, {}, audit_view.OWN, 0)
    assert "does not answer" in str(shown)
    assert no_older
