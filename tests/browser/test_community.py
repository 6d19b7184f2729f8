"""The Community page in a real Chromium, over invented runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from bench.map_runs import map_run
from dashboard.config import Settings
from dashboard.errors import QueryTimeout
from dashboard.insights.community import CommunityInsights
from dashboard.services import Services
from tests.browser.fakes import FakeLive, FakeState
from tests.community_fakes import FakeJobs, FakeNames, FakeOrders, FakeRuns, presence_of

pytestmark = pytest.mark.browser

RUN = map_run(160, 520, n_communities=8, seed=5)
WAIT_MS = 60_000


@dataclass
class MapSite:
    """The app over runs that a test can change."""

    url: str
    runs: FakeRuns
    names: FakeNames
    orders: FakeOrders


@pytest.fixture(scope="module")
def map_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapSite]:
    from app import create_dash_app

    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"), sandbox=True)
    runs, names, orders = FakeRuns([RUN]), FakeNames(), FakeOrders()
    community = CommunityInsights(runs, names, presence_of, orders, FakeJobs())
    services = Services(settings, None, FakeState(), FakeLive(), community=community)  # type: ignore[arg-type]
    server = create_waitress(create_dash_app(settings, services).server, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield MapSite(f"http://127.0.0.1:{server.effective_port}", runs, names, orders)
    server.close()


@pytest.fixture
def site(map_served: MapSite) -> MapSite:
    map_served.runs.kept = [RUN]
    map_served.runs.error = None
    map_served.names.kept.clear()
    return map_served


def drawn(page: Any) -> Any:
    """Waits until the map is there and rests."""
    page.wait_for_selector("#community-map[data-still]", timeout=WAIT_MS)
    return page


def colours_in_the_middle(page: Any) -> int:
    """How many different colours the middle of the map has."""
    return int(
        page.evaluate(
            """() => {
              const canvas = document.querySelector("#community-map canvas"), g = canvas.getContext("2d");
              const w = canvas.width, h = canvas.height, seen = new Set();
              const data = g.getImageData(w / 4, h / 4, w / 2, h / 2).data;
              for (let i = 0; i < data.length; i += 4) {
                seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
              }
              return seen.size;
            }"""
        )
    )


def test_the_map_is_drawn_says_what_it_counts_and_asks_nobody_else(
    site: MapSite, open_page: Callable[..., Any], shoot: Callable[..., None]
) -> None:
    watched = open_page("/community")
    page = drawn(watched.page)
    assert colours_in_the_middle(page) > 200
    assert "people who wrote in chat" in page.inner_text("#community-statement")
    assert "not viewers" in page.inner_text("#community-statement")
    facts = page.inner_text("#community-facts")
    assert "Modularity" in facts
    assert "0.71" in facts
    assert page.evaluate("StreamLensMap.page.stats().names.filter((name) => name[0] === 'c').length") >= 5
    shoot(page, "community-dark-1440")
    page.click("#shell-theme-toggle")
    page.wait_for_function("document.documentElement.dataset.theme === 'light'")
    assert watched.errors == []
    assert watched.foreign == []


def test_search_flies_and_opens_the_drawer_with_all_four_measures(
    site: MapSite, open_page: Callable[..., Any], shoot: Callable[..., None]
) -> None:
    watched = open_page("/community")
    page = drawn(watched.page)
    before = page.evaluate("StreamLensMap.page.view()")
    page.keyboard.press("/")
    page.keyboard.type("lanternherb")
    page.wait_for_selector(".map-hit[aria-selected=true]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#community-drawer.is-open h2:text('Lanternherb')", timeout=WAIT_MS)
    drawn(page)
    after = page.evaluate("StreamLensMap.page.view()")
    assert after["k"] > before["k"]
    spot = page.evaluate("StreamLensMap.page.where('1002')")
    box = page.query_selector("#community-map").bounding_box()
    assert box["x"] < spot["x"] < box["x"] + box["width"]
    heads = [head.inner_text() for head in page.query_selector_all(".drawer-table th")]
    assert heads == ["With", "Shared", "Jaccard", "There / back", "Lift"]
    shoot(page, "community-drawer-1440")
    page.click(".drawer-close")
    page.wait_for_selector("#community-drawer:not(.is-open)", state="attached", timeout=WAIT_MS)
    assert watched.errors == []


def test_a_press_on_a_channel_chooses_it_and_a_drag_moves_the_map(
    site: MapSite, open_page: Callable[..., Any]
) -> None:
    page = drawn(open_page("/community").page)
    spot = page.evaluate("StreamLensMap.page.where('1000')")
    page.mouse.click(spot["x"], spot["y"])
    page.wait_for_selector("#community-drawer.is-open h2:text('Mothlight')", timeout=WAIT_MS)
    page.click(".drawer-close")
    # With nothing chosen and nothing pointed at, the regions have their names again.
    page.mouse.move(5, 5)
    page.wait_for_function(
        "StreamLensMap.page.stats().names.some((name) => name[0] === 'c')", timeout=WAIT_MS
    )
    page.mouse.move(spot["x"], spot["y"])
    page.mouse.down()
    page.mouse.move(spot["x"] - 40, spot["y"] - 60, steps=4)
    page.mouse.move(spot["x"] - 90, spot["y"] - 90, steps=4)
    page.mouse.up()
    drawn(page)
    moved = page.evaluate("StreamLensMap.page.where('1000')")
    assert moved["x"] < spot["x"] - 60
    assert moved["y"] < spot["y"] - 60


def test_the_legend_hides_a_community_and_the_address_brings_everything_back(
    site: MapSite, open_page: Callable[..., Any]
) -> None:
    page = drawn(open_page("/community").page)
    row = page.locator(".map-legend-row").first
    key = row.get_attribute("data-key")
    row.click()
    page.wait_for_function("StreamLensMap.page.hidden().length === 1")
    assert page.locator(".map-legend-row").first.get_attribute("aria-pressed") == "false"
    page.evaluate("StreamLensMap.page.select('1001', true)")
    page.wait_for_selector("#community-drawer.is-open", timeout=WAIT_MS)
    drawn(page)
    page.wait_for_function(
        """() => {
          const told = new URLSearchParams(location.search), view = StreamLensMap.page.view();
          return told.get("c") === "1001" && Math.abs(told.get("k") - view.k) < 0.001 &&
            document.querySelector("#community-map").dataset.still;
        }""",
        timeout=WAIT_MS,
    )
    view, path = page.evaluate("[StreamLensMap.page.view(), location.pathname + location.search]")
    again = drawn(open_page(path).page)
    assert again.evaluate("StreamLensMap.page.hidden()") == [key]
    assert again.evaluate("StreamLensMap.page.selected()") == "1001"
    assert again.evaluate("StreamLensMap.page.view().k") == pytest.approx(view["k"], rel=0.01)
    again.wait_for_selector("#community-drawer.is-open h2:text('Quietfish')", timeout=WAIT_MS)


def test_the_list_is_the_way_for_the_keyboard(site: MapSite, open_page: Callable[..., Any]) -> None:
    page = drawn(open_page("/community").page)
    page.focus(".map-list-head")
    page.keyboard.press("Enter")
    page.wait_for_selector(".map-list-row")
    listed = page.locator(".map-list-row").count() + page.locator(".map-list-body .map-text-button").count()
    assert listed >= 8
    page.keyboard.press("Tab")
    chosen = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("Enter")
    page.wait_for_function(f"StreamLensMap.page.selected() === '{chosen}'")
    page.focus(".map-stage")
    before = page.evaluate("StreamLensMap.page.view().k")
    page.keyboard.press("-")
    page.wait_for_function(f"StreamLensMap.page.view().k < {before}", timeout=WAIT_MS)


def test_sliders_cut_the_map_anew_and_can_be_put_back(site: MapSite, open_page: Callable[..., Any]) -> None:
    watched = open_page("/community?shared=20")
    page = drawn(watched.page)
    edges = page.evaluate("StreamLensMap.page.stats().m")
    assert "Cut anew" in page.text_content("#community-cut")
    page.click(".community-controls summary")
    page.click("[data-communityreset]")
    page.wait_for_function(f"StreamLensMap.page.stats().m > {edges}", timeout=WAIT_MS)
    page.wait_for_function("!location.search.includes('shared')", timeout=WAIT_MS)
    assert watched.errors == []


def test_without_a_run_the_page_says_what_to_do_and_errors_say_what_is_safe(
    site: MapSite, open_page: Callable[..., Any], shoot: Callable[..., None]
) -> None:
    site.runs.kept = []
    page = open_page("/community").page
    page.wait_for_selector("#community-empty .empty [data-communityrun]", timeout=WAIT_MS)
    assert not page.is_visible(".community-stage")
    shoot(page, "community-empty-1440")
    site.runs.error = QueryTimeout("The query for the runs took longer than 30 s and was stopped.")
    site.runs.kept = [replace(RUN, run_id="other")]
    page.reload()
    page.wait_for_selector("#community-notice .notice-bad", timeout=WAIT_MS)
    assert "is safe" in page.inner_text("#community-notice")


def test_on_a_phone_the_map_fills_and_the_drawer_comes_from_below(
    site: MapSite, open_page: Callable[..., Any], shoot: Callable[..., None]
) -> None:
    page = drawn(open_page("/community", width=390, height=844).page)
    box = page.query_selector("#community-map").bounding_box()
    assert box["width"] == 390
    assert box["height"] > 420
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    shoot(page, "community-phone")
    page.evaluate("StreamLensMap.page.select('1002', true)")
    page.wait_for_selector("#community-drawer.is-open", timeout=WAIT_MS)
    drawer = page.query_selector("#community-drawer").bounding_box()
    assert drawer["x"] == 0
    assert drawer["y"] > 300
    drawn(page)
    shoot(page, "community-phone-drawer")
