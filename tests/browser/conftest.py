"""A real server on a free port, a real Chromium, and a room that can be steered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from dashboard.config import Settings
from dashboard.services import Services
from tests.browser.fakes import FakeLive, FakeState

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = Path(__file__).parent / "screenshots"
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--no-first-run",
    "--disable-dev-shm-usage",
]


@dataclass
class Site:
    """The app under test, with the handles of its fakes."""

    url: str
    live: FakeLive
    state: FakeState


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests; without it they are skipped."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The web application with fakes behind it, in this process."""
    from app import create_dash_app

    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"), sandbox=True)
    live, state = FakeLive(), FakeState()
    services = Services(settings=settings, store=None, state=state, live=live)  # type: ignore[arg-type]
    server = create_waitress(create_dash_app(settings, services).server, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.effective_port}", live, state)
    server.close()


@pytest.fixture
def site(served: Site) -> Site:
    """The site with its fakes as new."""
    vars(served.live).update(vars(FakeLive()))
    vars(served.state).update(vars(FakeState()))
    return served


@dataclass
class Watched:
    """A page and everything that went wrong on it."""

    page: Any
    errors: list[str]
    foreign: list[str]


@pytest.fixture
def open_page(chromium: Any, site: Site) -> Iterator[Callable[..., Watched]]:
    """Opens pages that note console errors and every request that leaves the machine."""
    contexts = []

    def opener(
        path: str = "/live/mothlight", *, width: int = 1440, height: int = 900, theme: str = "dark"
    ) -> Watched:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            timezone_id="Europe/Berlin",
            # Waiting for a condition evaluates text in the page; the policy itself has tests of its own.
            bypass_csp=True,
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
            lambda r: (
                None if r.url.startswith((site.url, "data:", "blob:")) else watched.foreign.append(r.url)
            ),
        )
        page.goto(site.url + path)
        return watched

    yield opener
    for context in contexts:
        context.close()


@pytest.fixture
def shoot() -> Callable[..., None]:
    """Saves a picture of a page under ``tests/browser/screenshots``."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def shooter(page: Any, name: str, *, full_page: bool = False) -> None:
        page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=full_page)

    return shooter
