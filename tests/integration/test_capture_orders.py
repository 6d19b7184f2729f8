"""Who may order a capture of what, stop it and watch it; and how long it waits for a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.errors import AccessDenied, JobBusy, JobError
from dashboard.events import Instant, now_us
from dashboard.job_handle import Room
from dashboard.jobs.capture_orders import CHATTERS_SCOPE, CaptureOrders, open_capture_orders, watch
from dashboard.jobs.capture_queue import plan_captures
from dashboard.storage.accounts import open_accounts
from dashboard.storage.audit import open_audit
from dashboard.storage.captures import open_captures
from dashboard.storage.job_runs import JobRuns
from dashboard.storage.state import State
from dashboard.storage.tokens import UserToken, open_vault
from tests.jobs_helpers import settings_for

OWNER = Access("1", "anna", rooms=frozenset({"anna", "open"}))
MODERATOR = Access("2", "ben", rooms=frozenset({"ben", "anna", "open"}))
STRANGER = Access("3", "cleo", rooms=frozenset({"cleo", "open"}))
IDS = {"open": "50", "anna": "1", "far": "60"}
SECOND = 1_000_000


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[CaptureOrders]:
    settings = settings_for(tmp_path, public_channels="open")
    asked: list[str] = []

    def find_rooms(logins: object) -> list[Room]:
        asked.extend(logins)  # type: ignore[call-overload]
        return [Room(IDS[login], login) for login in logins if login in IDS]  # type: ignore[attr-defined]

    with closing(open_vault(settings)) as vault:
        for user_id, login in (("1", "anna"), ("2", "ben")):
            token = SecretStr(f"token-{login}")
            in_an_hour = Instant(now_us() + 3_600_000_000)
            scopes = frozenset({CHATTERS_SCOPE})
            vault.save(UserToken(user_id, login, login, scopes, token, token, in_an_hour))
    with closing(open_accounts(settings)) as accounts:
        for user_id, login in (("1", "anna"), ("2", "ben"), ("3", "cleo")):
            accounts.note_login(user_id, login, login)
        accounts.set_moderated("2", ["anna"])
    orders = open_capture_orders(settings, find_rooms)
    yield orders
    orders.close()


def listed(orders: CaptureOrders, access: Access) -> list[tuple[str, str, bool]]:
    return [(room.room_login, room.role, room.can_list_connected) for room in orders.rooms(access)]


def test_everybody_may_capture_what_is_theirs_to_see(orders: CaptureOrders, tmp_path: Path) -> None:
    assert listed(orders, OWNER) == [("anna", "owner", True), ("open", "public", False)]
    assert listed(orders, MODERATOR) == [
        ("ben", "owner", True),
        ("anna", "moderator", True),
        ("open", "public", False),
    ]
    assert listed(orders, STRANGER) == [("cleo", "owner", False), ("open", "public", False)]
    assert "Grant it" in str(orders.rooms(STRANGER)[0].why_not)
    assert listed(orders, NOBODY) == []
    with closing(State(tmp_path)) as state:
        state.follow(["far", "nowhere"])
    assert listed(orders, LOCAL) == [("anna", "owner", True), ("ben", "owner", True), ("far", "local", False)]
    assert orders.rooms(LOCAL)[-1].why_not == "Nobody who owns or moderates it has logged in."


def test_what_may_not_be_captured_is_refused_whatever_the_page_sends(orders: CaptureOrders) -> None:
    with pytest.raises(AccessDenied, match="You can't capture this channel"):
        orders.ask("1", "connected", STRANGER)
    with pytest.raises(AccessDenied):
        orders.ask("1", "spoke", NOBODY, 600)
    with pytest.raises(JobError, match="Only its owner and its moderators"):
        orders.ask("50", "connected", STRANGER)
    with pytest.raises(JobError, match="Look back 1 to 1440 minutes"):
        orders.ask("50", "spoke", STRANGER)
    with pytest.raises(JobError, match="who is connected, or who spoke"):
        orders.ask("1", "everything", OWNER)


def test_an_order_starts_the_worker_once_and_is_noted(orders: CaptureOrders, tmp_path: Path) -> None:
    first = orders.ask("1", "connected", OWNER)
    again = orders.ask("1", "connected", MODERATOR)
    assert (first.capture_id, first.asked_by) == (again.capture_id, "1")
    spoke = orders.ask("1", "spoke", MODERATOR, 600)
    assert (spoke.source, spoke.window_s, spoke.asked_by) == ("spoke", 600, "2")
    with pytest.raises(JobBusy):
        orders.ask("1", "spoke", OWNER, 1200)
    with closing(JobRuns(tmp_path)) as runs:
        assert [(run.name, run.state, run.requested_by) for run in runs.recent(9)] == [
            ("capture", "requested", "1")
        ]
    with closing(open_audit(settings_for(tmp_path))) as audit:
        noted = [(entry.action, entry.user_login, entry.detail) for entry in audit.recent()]
    assert noted == [
        ("capture asked", "ben", "anna, spoke in the last 10 min"),
        ("capture asked", "anna", "anna, connected"),
    ]


def test_who_may_see_and_stop_a_capture(orders: CaptureOrders, tmp_path: Path) -> None:
    theirs = orders.ask("1", "connected", OWNER)
    public = orders.ask("50", "spoke", STRANGER, 600)
    for access in (OWNER, MODERATOR, LOCAL):
        assert orders.get(theirs.capture_id, access) == theirs
    for access in (STRANGER, NOBODY):
        with pytest.raises(AccessDenied):
            orders.get(theirs.capture_id, access)
        with pytest.raises(AccessDenied):
            orders.cancel(theirs.capture_id, access)
        with pytest.raises(AccessDenied):
            next(watch(str(tmp_path), "", theirs.capture_id, access))
    # Who speaks in a public channel may be seen by all, but stopped only by who asked.
    assert orders.get(public.capture_id, OWNER) == public
    with pytest.raises(AccessDenied, match="Somebody else asked"):
        orders.cancel(public.capture_id, OWNER)
    orders.cancel(public.capture_id, STRANGER)
    assert orders.get(public.capture_id, STRANGER).state == "cancelled"
    orders.cancel(theirs.capture_id, MODERATOR)
    assert orders.get(theirs.capture_id, OWNER).state == "cancelled"
    with pytest.raises(JobError, match="no longer in the list"):
        orders.get("gone", LOCAL)


def test_a_moderator_of_yesterday_is_a_stranger(orders: CaptureOrders, tmp_path: Path) -> None:
    theirs = orders.ask("1", "connected", OWNER)
    with closing(open_accounts(settings_for(tmp_path))) as accounts:
        accounts.set_moderated("2", [])
    with pytest.raises(AccessDenied):
        orders.get(theirs.capture_id, MODERATOR)
    assert ("anna", "moderator", True) not in listed(orders, MODERATOR)


def test_watching_tells_each_change_and_ends_with_the_capture(orders: CaptureOrders, tmp_path: Path) -> None:
    asked = orders.ask("1", "connected", OWNER)
    seen = []
    with closing(open_captures(settings_for(tmp_path))) as captures:
        steps = iter(
            [
                lambda: captures.start(asked.capture_id),
                lambda: captures.listed(
                    asked.capture_id, cursor="", page_count=1, listed_count=9, told_count=9
                ),
                lambda: captures.complete(asked.capture_id, known_count=9, unknown_count=0),
            ]
        )
        for capture in watch(str(tmp_path), "", asked.capture_id, OWNER, sleep=lambda _: next(steps)()):
            seen.append((capture.state, capture.listed_count, capture.known_count))
    assert seen == [("asked", 0, 0), ("listing", 0, 0), ("listing", 9, 0), ("complete", 9, 9)]


def test_nobody_watches_for_ever_where_no_worker_runs(orders: CaptureOrders, tmp_path: Path) -> None:
    asked = orders.ask("1", "connected", OWNER)
    watching = watch(str(tmp_path), "", asked.capture_id, OWNER, sleep=lambda _: None, waits_s=0)
    assert next(watching) == asked
    with pytest.raises(JobError, match="No worker has taken it"):
        next(watching)
    # One that is at another capture will come to this one.
    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            orders.cancel(asked.capture_id, OWNER)

    with closing(JobRuns(tmp_path)) as runs:
        assert runs.claim("w", names=["capture"]) is not None
    states = [c.state for c in watch(str(tmp_path), "", asked.capture_id, OWNER, sleep=look, waits_s=0)]
    assert (states, len(looks)) == (["asked", "cancelled"], 3)


class TestQueue:
    """When the worker begins by itself."""

    def plan(self, tmp_path: Path, after_s: float = 0) -> str | None:
        settings = settings_for(tmp_path)
        with closing(open_captures(settings)) as captures, closing(JobRuns(tmp_path)) as runs:
            return plan_captures("capture", captures, runs, Instant(now_us() + int(after_s * SECOND)))

    def end(self, tmp_path: Path, state: str) -> None:
        with closing(JobRuns(tmp_path)) as runs:
            run = runs.claim("w", names=["capture"])
            assert run is not None
            if state == "lost":
                runs.mark_lost(Instant(now_us() + SECOND))
            else:
                runs.finish(run.run_id, state)

    def test_nothing_waits(self, orders: CaptureOrders, tmp_path: Path) -> None:
        assert self.plan(tmp_path) is None

    def test_what_a_dead_worker_left_is_gone_on_with_at_once(
        self, orders: CaptureOrders, tmp_path: Path
    ) -> None:
        orders.ask("1", "connected", OWNER)
        assert self.plan(tmp_path) is None, "asked for already"
        self.end(tmp_path, "lost")
        assert self.plan(tmp_path) is not None

    def test_a_worker_that_dies_of_it_again_and_again_waits(
        self, orders: CaptureOrders, tmp_path: Path
    ) -> None:
        orders.ask("1", "connected", OWNER)
        self.end(tmp_path, "lost")
        for _ in range(2):
            assert self.plan(tmp_path) is not None
            self.end(tmp_path, "lost")
        assert self.plan(tmp_path) is None
        assert self.plan(tmp_path, 61) is not None

    def test_after_a_failure_a_minute_passes(self, orders: CaptureOrders, tmp_path: Path) -> None:
        orders.ask("1", "connected", OWNER)
        self.end(tmp_path, "failed")
        assert self.plan(tmp_path) is None
        assert self.plan(tmp_path, 61) is not None

    def test_who_stops_the_run_stops_its_captures(self, orders: CaptureOrders, tmp_path: Path) -> None:
        asked = orders.ask("1", "connected", OWNER)
        self.end(tmp_path, "cancelled")
        assert self.plan(tmp_path) is None
        assert orders.get(asked.capture_id, OWNER).state == "cancelled"
