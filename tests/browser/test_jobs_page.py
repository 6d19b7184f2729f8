"""The Jobs page over a real state, with a worker in the test's own process."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from dashboard.access import LOCAL, Access
from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Instant, now_us
from dashboard.jobs.context import JobContext
from dashboard.jobs.schedule import Worker
from dashboard.services import Services
from dashboard.storage.job_runs import JobRuns
from dashboard.storage.report_files import ReportFiles
from dashboard.storage.state import State
from tests.browser.conftest import Watched
from tests.browser.fakes import FakeLive

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = pytest.mark.browser


@dataclass
class JobsSite:
    url: str
    settings: Settings
    runs: JobRuns
    state: State
    worker: Worker
    access: Access = LOCAL
    broken: bool = False
    works_on: threading.Event = None  # type: ignore[assignment]


async def _slow(context: JobContext) -> str:
    for step in range(600):
        context.handle.progress(step, 600, f"Chatters of room{step}")
        context.handle.log(f"step {step} of <b>many</b>")
        await asyncio.sleep(0.1)
    return "all of them"


@pytest.fixture(scope="module")
def jobs_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobsSite]:
    from app import create_dash_app, create_services

    folder = tmp_path_factory.mktemp("jobs")
    settings = Settings(_env_file=None, data_dir=folder, sandbox=True, survey_channel_count=0)
    worker = Worker(settings, works_by_name={"followers": _slow, "clips": lambda context: "12 clips"})
    site = JobsSite("", settings, worker.runs, worker.state, worker)
    site.works_on = threading.Event()
    services: Services = create_services(settings)
    jobs: Any = services.jobs
    real_page = jobs.page

    def page(*args: Any) -> Any:
        if site.broken:
            raise StorageError("The state database does not answer (OperationalError).")
        return real_page(*args)

    jobs.page = page
    services = replace(services, live=FakeLive(), current_access=lambda: site.access)  # type: ignore[arg-type]
    server = create_waitress(create_dash_app(settings, services).server, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            if site.works_on.is_set():
                worker._retried_s = float("inf")  # nothing by the clock: only what the test asks for
                worker.look()
                worker.beat()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.effective_port}"
    seed(site)
    yield site
    stop.set()
    thread.join(5)
    worker.stop()
    server.close()


def seed(site: JobsSite) -> None:
    """A history with every kind of end, and two reports."""
    runs = site.runs
    for name, state, text, error in (
        ("clips", "ok", "84 clips of 2 of 2 channels", ""),
        (
            "report",
            "failed",
            "",
            "Partly done. mothlight, 2026-03-01: <i>the query</i> took longer than 30 s",
        ),
        ("tokens", "cancelled", "Stopped as asked.", ""),
        ("channel_days", "failed", "", "Twitch does not answer."),
    ):
        run_id = runs.request(name, by="clock", due_at=Instant(now_us()))
        runs.claim("w", run_id=run_id)
        runs.log(run_id, f"mothlight: first line of {name} <b>bold</b>")
        runs.finish(run_id, state, error, text=text)
    files = ReportFiles(site.settings.data_dir)
    for room in ("mothlight", "quietfox"):
        files.write(room, "2026-03-01", json="{}", html="<!doctype html><title>r</title><p>Report</p>")


@pytest.fixture
def jobs_page(chromium: Any, jobs_site: JobsSite) -> Iterator[Callable[..., Watched]]:
    contexts = []
    jobs_site.access, jobs_site.broken = LOCAL, False
    jobs_site.works_on.set()

    def opener(width: int = 1440, height: int = 900, theme: str = "dark") -> Watched:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, timezone_id="Europe/Berlin"
        )
        contexts.append(context)
        page = context.new_page()
        watched = Watched(page, [], [])
        page.on(
            "console", lambda m: watched.errors.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith((jobs_site.url, "data:")) else watched.foreign.append(r.url),
        )
        page.goto(jobs_site.url + "/jobs")
        page.wait_for_selector("[data-jobrun], .job-pill")
        return watched

    yield opener
    for context in contexts:
        context.close()


def row(page: Any, title: str) -> Any:
    return page.locator(".job-row", has=page.get_by_role("heading", name=title, exact=True))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_page_is_filled_and_quiet(
    width: int, height: int, theme: str, jobs_page: Any, shoot: Any
) -> None:
    watched = jobs_page(width, height, theme)
    page = watched.page
    page.wait_for_selector(".run-button")
    page.locator(".run-button", has_text="Daily report").first.click()
    page.wait_for_selector(".run-log")
    page.wait_for_timeout(400)
    shoot(page, f"jobs-{width}-{theme}", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".job-row").count() == 15
    assert "failed" in row(page, "Daily report").inner_text()
    assert "The survey is off." in row(page, "Survey").inner_text()
    assert row(page, "Chatters").locator("a", has_text="Log in").get_attribute("href") == "/account"
    assert row(page, "Chatters").get_by_role("button").is_disabled()
    assert watched.errors == []
    assert watched.foreign == []


def test_run_now_shows_progress_survives_leaving_and_is_cancelled(
    jobs_page: Any, jobs_site: JobsSite
) -> None:
    watched = jobs_page()
    page = watched.page
    followers = row(page, "Followers")
    followers.get_by_role("button", name="Run Followers now").click()
    followers.get_by_role("button", name="Cancel Followers").wait_for()
    expect(followers.locator(".job-result")).to_contain_text(re.compile(r"[1-9]\d? of 600"))
    assert "Chatters of room" in followers.inner_text()
    page.click(".rail a[href='/live']")
    page.wait_for_selector(".live")
    page.wait_for_timeout(1500)
    page.click(".rail a[href='/jobs']")
    cancel = row(page, "Followers").get_by_role("button", name="Cancel Followers")
    cancel.wait_for()
    assert [run.state for run in jobs_site.runs.recent(9, name="followers")] == ["running"]
    cancel.click()
    row(page, "Followers").get_by_role("button", name="Run Followers now").wait_for()
    assert "cancelled" in row(page, "Followers").inner_text()
    expect(page.locator("#jobs-message")).to_have_text(
        "Followers: cancelled. Stopped as asked. What was stored whole stays."
    )
    assert len(jobs_site.runs.recent(9, name="followers")) == 1, "coming back started nothing"
    assert watched.errors == []


def test_a_quick_run_tells_its_end(jobs_page: Any) -> None:
    page = jobs_page().page
    row(page, "Top clips").get_by_role("button").click()
    expect(page.locator("#jobs-message")).to_have_text("Top clips: done. 12 clips")
    expect(row(page, "Top clips")).to_contain_text("12 clips")


def test_history_is_filtered_and_a_log_opens_escaped(jobs_page: Any) -> None:
    page = jobs_page().page
    page.wait_for_selector(".run-button")
    page.get_by_text("Failed", exact=True).click()
    expect(page.locator(".run-button")).to_have_count(2)
    page.locator(".run-button", has_text="Daily report").click()
    page.wait_for_selector(".run-log")
    assert page.locator(".run-log").inner_text().endswith("first line of report <b>bold</b>")
    assert "<i>the query</i>" in page.locator(".run-error").inner_text()
    opened = page.locator(".run-button[aria-expanded=true]")
    assert opened.count() == 1
    opened.focus()
    page.wait_for_timeout(4500)
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true", "focus stays"
    page.keyboard.press("Enter")
    expect(page.locator(".run-log")).to_have_count(0)


def test_without_a_worker_the_page_says_so(jobs_page: Any, jobs_site: JobsSite, shoot: Any) -> None:
    jobs_site.works_on.clear()
    jobs_site.state.write_status("worker", {"pid": 1, "stopped_at": now_us()})
    page = jobs_page().page
    page.wait_for_selector("#jobs-notice .notice")
    assert "nothing is done by the clock" in page.locator("#jobs-notice").inner_text()
    assert "when the worker runs" in row(page, "Top clips").inner_text()
    shoot(page, "jobs-no-worker")


def test_an_error_is_told_and_the_page_keeps_what_it_shows(jobs_page: Any, jobs_site: JobsSite) -> None:
    page = jobs_page().page
    jobs_site.broken = True
    page.wait_for_selector("#jobs-notice .notice")
    assert "does not answer" in page.locator("#jobs-notice").inner_text()
    assert page.locator(".job-row").count() == 15
    jobs_site.broken = False
    expect(page.locator("#jobs-notice .notice")).to_have_count(0)


def test_who_is_no_admin_sees_neither_buttons_nor_names(
    jobs_page: Any, jobs_site: JobsSite, shoot: Any
) -> None:
    jobs_site.access = Access("5", "quietfox", "quietfox", rooms=frozenset({"quietfox"}))
    watched = jobs_page()
    page = watched.page
    page.wait_for_selector(".report-list a")
    page.wait_for_timeout(500)
    shoot(page, "jobs-no-admin", full_page=True)
    assert page.locator("[data-jobrun], [data-jobcancel]").count() == 0
    assert page.locator(".run-button").count() == 0
    assert [link.get_attribute("href") for link in page.locator(".report-list a").all()] == [
        "/reports/quietfox/2026-03-01.html"
    ]
    assert "mothlight" not in page.locator("main").inner_text()
    # Asking past the page does not help either.
    page.evaluate("dash_clientside.set_props('shell-jobs-order', {data: {run: 'clips', at: Date.now()}})")
    expect(page.locator("#jobs-message")).to_contain_text("ADMIN_USER_IDS")
    answer = page.request.get(f"{jobs_site.url}/reports/mothlight/2026-03-01.html")
    assert answer.status == 403
