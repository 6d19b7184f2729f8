"""What the Jobs page is told: late jobs, dead workers, obstacles, and nothing that one may not see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.access import LOCAL, Access
from dashboard.config import Settings
from dashboard.errors import AccessDenied, JobBusy, JobError
from dashboard.events import Instant, now_us
from dashboard.insights.jobs import JobCard, JobsInsights
from dashboard.jobs.orders import watch
from dashboard.storage.job_runs import JobRuns
from dashboard.storage.state import State
from tests.unit.test_jobs_needs import CHATTERS, Vault, token

MINUTE = 60_000_000
GUEST = Access("5", rooms=frozenset({"alpha"}))


class Bench:
    def __init__(self, folder: Path) -> None:
        self.now = now_us()
        self.runs, self.state = JobRuns(folder), State(folder)
        self.vault = Vault(token("1", CHATTERS))
        self.settings = Settings(_env_file=None, data_dir=folder, sandbox=True)
        self.insights = JobsInsights(
            self.settings, self.runs, self.state, self.vault, now=lambda: Instant(self.now)
        )

    def card(self, name: str) -> JobCard:
        return next(card for card in self.insights.overview().cards if card.name == name)

    def finished(self, name: str, state: str, text: str = "", error: str = "") -> str:
        run_id = self.runs.request(name)
        self.runs.claim("w", run_id=run_id)
        self.runs.log(run_id, f"alpha: log of {name}")
        self.runs.finish(run_id, state, error, text=text)
        return run_id


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.runs.close()
    bench.state.close()


def test_an_hour_without_helix_is_shown_as_missing_and_over_when_it_is(bench: Bench) -> None:
    bench.finished("chatters", "ok", "9 chatters in 1 chat")
    assert not bench.card("chatters").is_late
    for _ in range(3):
        bench.finished("chatters", "failed", error="Twitch does not answer. GET /chat/chatters: no answer")
    bench.now += 60 * MINUTE
    card = bench.card("chatters")
    assert (card.state, card.is_late) == ("failed", True)
    assert card.last_text.startswith("Twitch does not answer")
    assert card.last_good_at is not None
    assert bench.now - card.last_good_at > 59 * MINUTE
    bench.now = now_us()
    bench.finished("chatters", "ok", "9 chatters in 1 chat")
    bench.now = now_us()
    card = bench.card("chatters")
    assert (card.state, card.is_late) == ("ok", False)


@pytest.mark.parametrize(
    ("age_s", "payload", "expected"),
    [(0, {}, True), (20, {}, False), (0, {"stopped_at": 1}, False)],
)
def test_whether_the_worker_runs(bench: Bench, age_s: int, payload: dict[str, Any], expected: bool) -> None:
    assert not bench.insights.overview().is_worker_running
    bench.state.write_status("worker", payload)
    bench.now = now_us() + age_s * 1_000_000
    assert bench.insights.overview().is_worker_running is expected


def test_the_stream_status_is_the_collectors_own(bench: Bench) -> None:
    assert bench.card("stream_status").why_not == "The collector is not running."
    helix = {"last_poll_at": bench.now - MINUTE, "live_count": 2, "channel_count": 5, "poll_count": 7}
    bench.state.write_status("collector", {"helix": helix | {"failed_poll_count": 1, "error": None}})
    bench.now = now_us()
    card = bench.card("stream_status")
    assert (card.state, card.last_text, card.run_count, card.failed_count) == (
        "ok",
        "2 of 5 channels live",
        7,
        1,
    )
    bench.state.write_status("collector", {"helix": helix | {"error": "Helix is down"}})
    card = bench.card("stream_status")
    assert (card.state, card.last_text, card.is_startable) == ("failed", "Helix is down", False)


def test_upkeep_is_summed_up(bench: Bench) -> None:
    bench.state.write_status(
        "job:compaction", {"run_count": 720, "last_at": bench.now, "duration_s": 0.2, "text": "Nothing"}
    )
    card = bench.card("compaction")
    assert (card.state, card.run_count, card.last_duration_s, card.is_startable) == ("ok", 720, 0.2, False)
    assert bench.runs.recent(5) == []


def test_names_and_logs_are_for_admins(bench: Bench) -> None:
    run_id = bench.finished("followers", "failed", error="alpha: no answer")
    bench.vault._tokens = [token("1", CHATTERS, error="gone")]
    seen = bench.insights.page(LOCAL, "all", run_id)
    assert [line.title for line in seen.runs] == ["Followers"]
    assert seen.opened is not None
    assert [line for _, line in seen.opened.lines] == ["alpha: log of followers"]
    guest = bench.insights.page(GUEST, "all", run_id)
    assert (guest.runs, guest.opened, guest.is_admin) == ((), None, False)
    told = " ".join(f"{card.last_text} {card.text} {card.why_not}" for card in guest.overview.cards)
    assert "alpha" not in told
    assert "login1" not in told
    assert "login1" in next(card.why_not for card in seen.overview.cards if card.name == "chatters")


def test_orders_are_for_admins_and_once_at_a_time(bench: Bench) -> None:
    orders = bench.insights.orders
    with pytest.raises(AccessDenied):
        orders.start("followers", GUEST)
    with pytest.raises(JobError, match="There is no job “nonsense”"):
        orders.start("nonsense", LOCAL)
    with pytest.raises(JobError, match="There is no job “compaction” to start"):
        orders.start("compaction", LOCAL)
    with pytest.raises(JobError, match="Copy to S3: There is no S3 bucket"):
        orders.start("sync", LOCAL)
    run_id = orders.start("followers", LOCAL)
    with pytest.raises(JobBusy):
        orders.start("followers", LOCAL)
    with pytest.raises(AccessDenied):
        orders.cancel(run_id, GUEST)
    assert bench.card("followers").state == "waiting"
    orders.cancel(run_id, LOCAL)
    assert bench.card("followers").state == "cancelled"


def test_a_watch_ends_with_the_run(bench: Bench, tmp_path: Path) -> None:
    run_id = bench.runs.request("clips")
    steps = iter(
        [
            lambda: bench.runs.claim("w"),
            lambda: bench.runs.progress(run_id, 1, 2, "half"),
            lambda: None,
            lambda: bench.runs.finish(run_id, "ok", text="done"),
        ]
    )
    seen = [(run.state, run.text) for run in watch(str(tmp_path), "", run_id, sleep=lambda s: next(steps)())]
    assert seen == [("requested", ""), ("running", ""), ("running", "half"), ("ok", "done")]


def test_a_watch_says_when_no_worker_comes(bench: Bench, tmp_path: Path) -> None:
    run_id = bench.runs.request("clips")
    with pytest.raises(JobError, match="No worker has taken it"):
        list(watch(str(tmp_path), "", run_id, sleep=lambda s: None, waits_s=0))


def test_a_job_that_runs_all_the_time_does_not_crowd_the_others_out(bench: Bench) -> None:
    bench.finished("clips", "ok", "3 clips")
    for _ in range(45):
        bench.finished("sync", "ok", "Nothing new")
    bench.finished("sync", "failed", error="S3: no answer")
    names = [run.name for run in bench.insights.history()]
    assert names == [*["sync"] * 6, "clips"]
    assert [run.error for run in bench.insights.history("failed")] == ["S3: no answer"]
