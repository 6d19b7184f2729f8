"""The collectors panel from end to end: a real job process, a real state, a collector that reports."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from dashboard.config import Settings
from dashboard.services import Services
from dashboard.storage.state import State
from tests.browser.conftest import Site
from tests.browser.fakes import FakeLive

pytestmark = pytest.mark.browser


def report(state: State, ended: threading.Event) -> None:
    """A collector that joins what is followed one second later."""
    joined: list[str] = []
    while not ended.wait(0.5):
        now = time.time_ns() // 1000
        channels = {
            login: {"is_joined": login in joined, "message_count": 5, "last_message_at": now}
            for login in state.followed()
        }
        state.write_status("collector", {"channels": channels, "messages_per_s": 3.0, "drop_count": 0})
        joined = state.followed()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    from app import create_dash_app

    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    live, state = FakeLive(), State(tmp_path)
    services = Services(settings=settings, store=None, state=state, live=live)  # type: ignore[arg-type]
    server = create_waitress(create_dash_app(settings, services).server, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.effective_port}", live, state)  # type: ignore[arg-type]
    server.close()


def test_channels_typed_in_are_followed_joined_and_stopped(site: Any, open_page: Any, shoot: Any) -> None:
    ended = threading.Event()
    collector = threading.Thread(target=report, args=(site.state, ended))
    collector.start()
    try:
        watched = open_page()
        page = watched.page
        page.wait_for_selector(".is-live #live-tile-velocity .tile-value")
        page.locator("#live-collect-input").fill("https://www.twitch.tv/QuietFox, oldbarn")
        page.locator("#live-collect-start").click()
        page.wait_for_selector(".collect-progress progress", timeout=60_000)
        assert page.locator("#live-collect-cancel").is_enabled()
        page.wait_for_selector("#live-collect-result >> text=It goes on when this tab is closed")
        assert site.state.followed() == ["quietfox", "oldbarn"]
        page.wait_for_selector("[data-stop=oldbarn]")
        page.locator(".card-collect").scroll_into_view_if_needed()
        shoot(page, "collecting-desktop-dark", full_page=True)
        page.close()
        time.sleep(1.2)
        assert site.state.followed() == ["quietfox", "oldbarn"]
        assert watched.errors == []
    finally:
        ended.set()
        collector.join()


def test_without_a_collector_it_says_how_to_start_one(site: Any, open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(".is-live #live-tile-velocity .tile-value")
    page.locator("#live-collect-input").fill("quietfox")
    page.locator("#live-collect-input").press("Enter")
    page.wait_for_selector("#live-collect-result >> text=python app.py collect", timeout=30_000)
    assert site.state.followed() == ["quietfox"]


def test_a_name_that_is_none_changes_nothing(site: Any, open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(".is-live #live-tile-velocity .tile-value")
    page.locator("#live-collect-input").fill("not a login!")
    page.locator("#live-collect-start").click()
    page.wait_for_selector(".toasts .notice", timeout=60_000)
    assert "is not a Twitch login" in page.locator(".toasts").inner_text()
    assert site.state.followed() == []


def test_stop_while_it_starts_ends_the_job_and_unfollows(site: Any, open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(".is-live #live-tile-velocity .tile-value")
    page.locator("#live-collect-input").fill("quietfox")
    page.locator("#live-collect-start").click()
    page.wait_for_selector(".collect-progress progress", timeout=60_000)
    page.locator("#live-collect-cancel").click()
    page.wait_for_selector("#live-collect-result >> text=Stopped quietfox", timeout=60_000)
    assert site.state.followed() == []
    page.wait_for_selector("#live-collect-start:enabled")
