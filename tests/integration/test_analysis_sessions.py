"""Analysis sessions on SQLite and Postgres: they end, they are kept, nobody sees another's."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Instant
from dashboard.job_handle import Room
from dashboard.jobs.state_upkeep import StateUpkeep
from dashboard.storage import analysis_sessions
from dashboard.storage.accounts import open_accounts
from dashboard.storage.analysis_sessions import AnalysisSessions, open_sessions
from dashboard.storage.audit import AuditLog
from dashboard.storage.captures import open_captures
from dashboard.storage.state_db import StateDatabase

T0 = 1_790_000_000_000_000
HOUR_US = 3_600_000_000
Clock = Callable[[float], Instant]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time to so many hours after the start, and gives it."""
    now = [Instant(T0)]
    monkeypatch.setattr(analysis_sessions, "now_us", lambda: now[0])

    def set_to(hours: float) -> Instant:
        now[0] = Instant(T0 + round(hours * HOUR_US))
        return now[0]

    return set_to


@pytest.fixture
def sessions(tmp_path: Path, state_url: str, clock: Clock) -> Iterator[AnalysisSessions]:
    sessions = AnalysisSessions(tmp_path, state_url, most_saved=2)
    yield sessions
    sessions.close()


@pytest.fixture
def rows(tmp_path: Path, state_url: str) -> Iterator[Callable[[], list[Any]]]:
    """What is left of sessions in the database, past the code under test."""
    database = StateDatabase(tmp_path, state_url)

    def ask() -> list[Any]:
        with database.read() as con:
            return [
                *con.exec_driver_sql("select session_id, name from analysis_sessions").all(),
                *con.exec_driver_sql("select session_id, capture_id from analysis_session_captures").all(),
            ]

    yield ask
    database.close()


def test_one_is_made_with_captures_in_order(sessions: AnalysisSessions) -> None:
    made = sessions.create("7", "  Raid of\n Monday ", ["c2", "c1", "c2"])
    assert str(uuid.UUID(made.session_id)) == made.session_id
    assert (made.owner_id, made.name, made.capture_ids) == ("7", "Raid of Monday", ("c2", "c1"))
    assert (made.created_at, made.expires_at, made.is_saved) == (T0, T0 + 24 * HOUR_US, False)
    assert sessions.get(made.session_id, "7") == made
    assert sessions.of_owner("7") == [made]
    more = sessions.add_captures(made.session_id, "7", ["c1", "c3"])
    assert more is not None
    assert more.capture_ids == ("c2", "c1", "c3")
    less = sessions.remove_captures(made.session_id, "7", ["c2", "unknown"])
    assert less is not None
    assert less.capture_ids == ("c1", "c3")


def test_a_session_ends_a_day_after_its_last_use(
    sessions: AnalysisSessions, clock: Clock, rows: Callable[[], list[Any]]
) -> None:
    made = sessions.create("7", "Raid", ["c1", "c2"])
    clock(20)
    used = sessions.get(made.session_id, "7")
    assert used is not None
    assert used.expires_at == T0 + 44 * HOUR_US
    clock(43.9)
    assert sessions.get(made.session_id, "7") is not None
    clock(67.9)
    assert len(rows()) == 3
    assert sessions.get(made.session_id, "7") is None
    assert rows() == [], "an expired one is gone from the database too"


@pytest.mark.parametrize("how", ["list", "create", "change", "purge"])
def test_whoever_comes_next_clears_away_what_is_over(
    sessions: AnalysisSessions, clock: Clock, rows: Callable[[], list[Any]], how: str
) -> None:
    over = sessions.create("7", "over", ["c1"])
    clock(12)
    other = sessions.create("8", "other")
    now = clock(24)
    if how == "list":
        assert sessions.of_owner("8") == [other]
    elif how == "create":
        assert sessions.create("9").owner_id == "9"
    elif how == "change":
        assert sessions.rename(over.session_id, "7", "too late") is None
    else:
        assert sessions.purge(now) == 1
        assert sessions.purge(now) == 0
    assert over.session_id not in str(rows())
    assert other.session_id in str(rows())


def test_nothing_of_an_expired_one_lies_on_the_disk(tmp_path: Path, clock: Clock) -> None:
    sessions = AnalysisSessions(tmp_path)
    sessions.create("7", "telltale-name", ["telltale-capture"])
    sessions.purge(clock(25))
    sessions.close()  # The last one to close takes the log into the file.
    content = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"analysis_sessions" in content
    assert b"telltale" not in content


def test_a_saved_one_stays_and_can_be_named_anew(sessions: AnalysisSessions, clock: Clock) -> None:
    made = sessions.create("7", "Raid", ["c1"])
    saved = sessions.save(made.session_id, "7")
    assert saved is not None
    assert (saved.name, saved.is_saved, saved.expires_at) == ("Raid", True, None)
    clock(24 * 400)
    again = sessions.get(made.session_id, "7")
    assert again is not None
    assert (again.capture_ids, again.expires_at) == (("c1",), None)
    named = sessions.rename(made.session_id, "7", "x" * 200)
    assert named is not None
    assert named.name == "x" * 80
    assert sessions.delete(made.session_id, "7")
    assert not sessions.delete(made.session_id, "7")
    assert sessions.of_owner("7") == []


def test_only_so_many_are_saved_by_one_person(sessions: AnalysisSessions) -> None:
    first, second, third = (sessions.create("7", name) for name in ("one", "two", "three"))
    sessions.save(first.session_id, "7")
    sessions.save(second.session_id, "7", "second")
    with pytest.raises(StorageError, match="You have saved 2 sessions, and 2 is the most"):
        sessions.save(third.session_id, "7")
    still = sessions.get(third.session_id, "7")
    assert still is not None
    assert not still.is_saved
    assert sessions.save(second.session_id, "7", "again") is not None, "one that is saved may be saved again"
    theirs = sessions.create("8")
    assert sessions.save(theirs.session_id, "8") is not None
    sessions.delete(first.session_id, "7")
    assert sessions.save(third.session_id, "7") is not None


def test_somebody_elses_session_is_none(sessions: AnalysisSessions) -> None:
    mine = sessions.create("7", "mine", ["c1"])
    for session_id, who in ((mine.session_id, "8"), (mine.session_id, ""), ("' or 1=1 --", "7"), ("", "7")):
        assert sessions.get(session_id, who) is None
        assert sessions.save(session_id, who) is None
        assert sessions.rename(session_id, who, "theirs") is None
        assert sessions.add_captures(session_id, who, ["c9"]) is None
        assert sessions.remove_captures(session_id, who, ["c1"]) is None
        assert not sessions.delete(session_id, who)
    assert sessions.of_owner("8") == []
    assert sessions.delete_all("8") == 0
    assert sessions.get(mine.session_id, "7") == mine


def test_there_is_an_end_to_how_much_one_person_keeps(
    sessions: AnalysisSessions, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis_sessions, "MOST_UNSAVED", 3)
    monkeypatch.setattr(analysis_sessions, "MOST_CAPTURES", 4)
    saved = sessions.create("7", "saved")
    sessions.save(saved.session_id, "7")
    made = []
    for number in range(5):
        clock(number / 100)
        made.append(sessions.create("7", str(number)).session_id)
    kept = {session.session_id for session in sessions.of_owner("7")}
    assert kept == {saved.session_id, *made[2:]}
    full = sessions.add_captures(made[-1], "7", ["c1", "c2", "c3", "c4"])
    assert full is not None
    with pytest.raises(StorageError, match="4 captures at most"):
        sessions.add_captures(made[-1], "7", ["one more"])
    assert sessions.delete_all("7") == 4


def test_that_one_ended_is_in_the_audit_log_without_its_name(
    sessions: AnalysisSessions, clock: Clock, tmp_path: Path, state_url: str
) -> None:
    audit = AuditLog(StateDatabase(tmp_path, state_url))
    kept, left = sessions.create("7", "kept"), sessions.create("7", "secret plan")
    sessions.save(kept.session_id, "7")
    clock(30)
    assert sessions.of_owner("8") == []
    assert sessions.of_owner("9") == []
    (entry,) = audit.recent()
    assert (entry.action, entry.user_id, entry.detail) == ("session expired", "7", left.session_id)
    audit.close()


def test_the_upkeep_ends_what_nobody_asks_for(
    tmp_path: Path, state_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True, database_url=state_url)
    accounts, sessions, captures = open_accounts(settings), open_sessions(settings), open_captures(settings)
    upkeep = StateUpkeep(settings)
    monkeypatch.setattr("dashboard.storage.accounts.now_us", lambda: Instant(T0))
    accounts.note_login("7", "seven", "Seven")
    accounts.open_session("7", life_s=60)
    old, kept = (captures.ask(Room(room, "x"), "connected", by="7") for room in ("1", "2"))
    for capture in (old, kept):
        captures.complete(capture.capture_id)
    saved = sessions.create("7", "saved", [kept.capture_id])
    sessions.save(saved.session_id, "7")
    sessions.create("7", "left", [old.capture_id])

    monkeypatch.setattr("dashboard.storage.accounts.now_us", lambda: Instant(T0 + 61_000_000))
    upkeep.run(Instant(captures.recent()[0].asked_at + 40 * 24 * HOUR_US))

    assert accounts.sessions("7") == []
    assert [session.name for session in sessions.of_owner("7")] == ["saved"]
    assert [capture.capture_id for capture in captures.recent()] == [kept.capture_id]
    for part in (accounts, sessions, captures, upkeep):
        part.close()
