"""The Chatters page in a browser: from the button to the file over the sandbox, and every state's look."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from waitress.server import create_server as create_waitress

from collectors.audience import TwitchAccess
from dashboard.config import Settings
from dashboard.jobs.schedule import Worker
from dashboard.jobs.works import works
from dashboard.sandbox.audience import Wave
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from dashboard.services import Services
from dashboard.storage.tokens import open_vault
from dashboard.ui import chatters_text
from tests.browser.chatters_fakes import FakeChatters
from tests.browser.conftest import Watched
from tests.browser.fakes import FakeLive, FakeState
from tests.jobs_helpers import grant, settings_for

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
expect.set_options(timeout=30_000)

pytestmark = pytest.mark.browser

WARN = "rgb(246, 189, 69)"


def visit(chromium: Any, url: str, width: int, height: int, theme: str, **options: Any) -> Watched:
    """A tab under the page's own policy, which notes every error and everything that leaves the machine."""
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        timezone_id="Europe/Berlin",
        **options,
    )
    page = context.new_page()
    watched = Watched(page, [], [])
    page.on("console", lambda m: watched.errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    home = url.partition("/chatters")[0]
    page.on(
        "request",
        lambda r: None if r.url.startswith((home, "data:", "blob:")) else watched.foreign.append(r.url),
    )
    page.goto(url)
    return watched


# ---- With fakes: every state ------------------------------------------------------------------


@dataclass
class Faked:
    url: str
    chatters: FakeChatters


@pytest.fixture(scope="module")
def faked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faked]:
    from app import create_dash_app

    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("faked"), sandbox=True)
    chatters: Any = FakeChatters()
    services = Services(settings, None, FakeState(), FakeLive(), chatters=chatters)  # type: ignore[arg-type]
    server = create_waitress(create_dash_app(settings, services).server, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield Faked(f"http://127.0.0.1:{server.effective_port}/chatters", chatters)
    server.close()


@pytest.mark.parametrize(("width", "height", "theme"), [(1440, 900, "light"), (390, 844, "dark")])
def test_the_verdict_and_the_picture_are_in_the_first_screen(
    width: int, height: int, theme: str, chromium: Any, faked: Faked, shoot: Any
) -> None:
    faked.chatters.mode = "loaded"
    watched = visit(chromium, faked.url, width, height, theme)
    page = watched.page
    expect(page.locator(".chatters-verdict.is-unusual h2")).to_have_text("2 unusual cohorts")
    expect(page.locator(".chatters-chart .bars .point").first).to_be_attached()
    bar = page.locator(".rail").bounding_box()
    room = bar["y"] if width < 640 else height
    for part in (".chatters-verdict", ".chatters-chart"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= room, part
    shoot(page, f"chatters-{width}-{theme}")
    page.locator("#chatters-table-box").scroll_into_view_if_needed()
    expect(page.locator(".chatters-table .ag-row").first).to_be_visible()
    shoot(page, f"chatters-{width}-{theme}-full", full_page=True)
    sizes = page.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert sizes[0] <= sizes[1]
    assert watched.errors == []
    assert watched.foreign == []
    page.context.close()


def test_every_state_says_what_there_is(chromium: Any, faked: Faked, shoot: Any) -> None:
    faked.chatters.mode = "empty"
    watched = visit(chromium, faked.url, 390, 844, "light")
    for mode, said in (
        ("empty", "No capture of mothlight yet"),
        ("failed", "Twitch does not answer."),
        ("none", "No channel of yours yet"),
        ("error", "took longer than 30 s"),
        ("capturing", "age known of 830 of 1,412"),
    ):
        faked.chatters.mode = mode
        watched.page.reload()
        expect(watched.page.get_by_text(said)).to_be_visible()
        shoot(watched.page, f"chatters-{mode}")
    assert watched.errors == []
    watched.page.context.close()


def test_keys_search_the_table_and_open_an_account(chromium: Any, faked: Faked) -> None:
    faked.chatters.mode = "loaded"
    watched = visit(chromium, faked.url, 1440, 900, "dark")
    page = watched.page
    expect(page.locator(".chatters-verdict.is-unusual")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#chatters-search")).to_be_focused()
    expect(page.locator("#chatters-table-words")).to_have_text("1,398 accounts")
    expect(page.locator(".chatters-table .ag-row").first).to_be_visible()
    page.keyboard.insert_text("lucky")
    expect(page.locator(".chatters-table .ag-row").first).to_contain_text("lucky")
    page.locator(".chatters-table .ag-row .cell-login").first.focus()
    page.keyboard.press("Enter")
    drawer = page.locator(".chatters-drawer")
    expect(drawer).to_contain_text("old_2 → old_3")
    expect(drawer).to_contain_text("many renames")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    assert watched.errors == []
    page.context.close()


def test_a_brush_zooms_and_a_button_leads_back(chromium: Any, faked: Faked) -> None:
    faked.chatters.mode = "loaded"
    watched = visit(chromium, faked.url, 1440, 900, "dark")
    page = watched.page
    expect(page.locator(".chatters-chart .bars .point").first).to_be_attached()
    box = page.locator(".chatters-chart .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 90, steps=6)
    page.mouse.up()
    expect(page.locator("#chatters-root.is-zoomed")).to_be_visible()
    expect(page.locator("#chatters-grain input:checked")).to_have_value("week")
    page.get_by_role("button", name="All dates").click()
    expect(page.locator("#chatters-root.is-zoomed")).to_have_count(0)
    expect(page.locator("#chatters-grain input:checked")).to_have_value("month")
    assert watched.errors == []
    page.context.close()


# ---- With the sandbox: from the button to the file --------------------------------------------


@dataclass
class Real:
    url: str
    wave: Wave


class Sandbox:
    """The sandbox in a thread, an hour and more into the first channel's stream, with the wave in it."""

    def __init__(self) -> None:
        self.world = World(7, 12)
        self._ready, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._behind_s = self._find_stream()

    def _find_stream(self) -> float:
        login, now = self.world.channels[0].login, time.time()
        for minutes in range(0, 14 * 1440, 10):
            stream = self.world.stream_at(login, now - minutes * 60)
            if stream is not None and now - minutes * 60 - stream.started_s > 3600:
                return minutes * 60.0
        raise AssertionError("the first channel was never live for an hour")

    def clock(self) -> float:
        return time.time() - self._behind_s

    def wave(self) -> Wave:
        here = set(self.world.audience.wave_people(0, self.clock()))
        epochs = {int(self.clock() // (28 * 86_400)) - back for back in range(3)}
        waves = [wave for epoch in epochs for wave in self.world.audience.waves(epoch)]
        return max(waves, key=lambda wave: len(here & set(wave.people)))

    async def _serve(self) -> None:
        async with SandboxServer(self.world, http_port=0, clock=self.clock) as self.server:
            self.port = urlsplit(self.server.urls["helix"]).port
            self._ready.set()
            while not self._over.is_set():
                await asyncio.sleep(0.05)

    def __enter__(self) -> Sandbox:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    from app import create_dash_app, create_services

    with Sandbox() as sandbox:
        settings = settings_for(tmp_path_factory.mktemp("real"), sandbox.server)
        vault = open_vault(settings)
        grant(sandbox.server, vault, sandbox.world.channels[0].login)
        vault.close()
        services = replace(create_services(settings), live=FakeLive())  # type: ignore[arg-type]
        server = create_waitress(
            create_dash_app(settings, services).server, host="127.0.0.1", port=0, threads=8
        )
        threading.Thread(target=server.run, daemon=True).start()
        worker = Worker(
            settings,
            lambda settings, vault: TwitchAccess(settings, vault),
            works_by_name={"capture": works()["capture"]},
        )
        stop = threading.Event()
        thread = threading.Thread(target=_work, args=(worker, stop), daemon=True)
        thread.start()
        yield Real(f"http://127.0.0.1:{server.effective_port}/chatters", sandbox.wave())
        stop.set()
        thread.join(5)
        worker.stop()
        server.close()
        services.store.close()


def _work(worker: Worker, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        worker._retried_s = float("inf")  # nothing by the clock: only what the test asks for
        worker.look()
        worker.beat()


def test_from_a_capture_to_the_planted_cohort_its_accounts_and_a_file(
    chromium: Any, real: Real, shoot: Callable[..., None], tmp_path: Path
) -> None:
    watched = visit(chromium, real.url, 1440, 900, "dark", accept_downloads=True)
    page = watched.page
    page.locator(".empty").get_by_role("button", name="Capture").click()
    verdict = page.locator(".chatters-verdict.is-unusual")
    expect(verdict).to_be_visible(timeout=60_000)
    first_day = int(real.wave.first_day_s // 86_400)
    year = str(chatters_text.day_of(first_day).year)
    expect(page.locator(".cohort").first).to_contain_text(year)
    shoot(page, "chatters-sandbox", full_page=True)

    bars = page.locator(".chatters-chart .bars .point path")
    fills = bars.evaluate_all("paths => paths.map(path => getComputedStyle(path).fill)")
    box = bars.nth(fills.index(WARN)).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("button", name="Show all")).to_be_visible()
    rows = page.locator(".chatters-table .ag-row")
    expect(rows.first).to_contain_text(f"{chatters_text.day_of(first_day):%b %Y}")

    rows.first.locator(".cell-login").click()
    expect(page.locator(".chatters-drawer")).to_contain_text("Connected to chat")
    page.keyboard.press("Escape")
    expect(page.locator(".chatters-drawer")).to_have_count(0)

    page.locator(".exports summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Accounts, CSV").click()
    text = Path(download.value.path()).read_text()
    head, *lines = text.splitlines()
    assert head.startswith("twitch_user_id,login,display_name,created_at,seen_count,first_seen,last_seen")
    listed = page.locator("#chatters-table-words span").inner_text().split(" ")[0]
    assert len(lines) == int(listed.replace(",", ""))
    assert watched.errors == []
    assert watched.foreign == []
    page.context.close()
