"""How the Live page behaves: states, updates, pause, keys, and what it asks of the network."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dashboard.events import Instant
from tests.browser.fakes import feed_item

pytestmark = pytest.mark.browser

FILLED = ".is-live #live-tile-velocity .tile-value"


def answers(page: Any) -> list[dict[str, Any]]:
    """Collects the answers to the page's updates from now on."""
    seen: list[dict[str, Any]] = []

    def note(response: Any) -> None:
        if "_dash-update-component" in response.url and "live-cursor" in (response.request.post_data or ""):
            seen.append(response.json().get("response", {}))

    page.on("response", note)
    return seen


def test_root_leads_to_the_first_followed_channel(open_page: Any) -> None:
    page = open_page("/").page
    page.wait_for_url("**/live/mothlight")
    page.wait_for_selector(FILLED)
    assert page.title() == "mothlight live · StreamLens"
    assert page.locator("h1").inner_text() == "mothlight"


def test_first_visit_says_what_to_do(site: Any, open_page: Any, shoot: Any) -> None:
    site.state.logins, site.live.rooms_known, site.state.is_running = [], False, False
    watched = open_page("/")
    watched.page.wait_for_selector(".is-none .empty")
    assert "No channel yet" in watched.page.locator(".empty").inner_text()
    assert not watched.page.locator(".tiles").is_visible()
    assert watched.page.locator("#live-collect-start").is_visible()
    shoot(watched.page, "none-desktop-dark")
    assert watched.errors == []


def test_unknown_channel_is_empty_not_zero(open_page: Any, shoot: Any) -> None:
    watched = open_page("/live/nobody", width=390, height=844, theme="light")
    watched.page.wait_for_selector(".is-empty .empty")
    assert "Nothing from nobody yet" in watched.page.locator(".empty").inner_text()
    assert not watched.page.locator(".tiles").is_visible()
    shoot(watched.page, "empty-phone-light")


def test_loading_keeps_the_layout(site: Any, open_page: Any, shoot: Any) -> None:
    site.live.delay_s = 2.0
    page = open_page().page
    page.wait_for_selector(".is-loading .tile .bone")
    before = page.evaluate(
        "[...document.querySelectorAll('.tile,.sl-card')].slice(0,9).map(e=>e.getBoundingClientRect().top)"
    )
    shoot(page, "loading-desktop-dark")
    page.wait_for_selector(FILLED)
    site.live.delay_s = 0
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    after = page.evaluate(
        "[...document.querySelectorAll('.tile,.sl-card')].slice(0,9).map(e=>e.getBoundingClientRect().top)"
    )
    assert before == after


def test_error_keeps_the_data_and_goes_when_it_is_over(site: Any, open_page: Any, shoot: Any) -> None:
    page = open_page().page
    page.wait_for_selector(FILLED)
    site.live.mode = "error"
    page.wait_for_selector(".live-notice .notice")
    assert "took longer than 30 s" in page.locator(".live-notice").inner_text()
    assert "Everything collected so far is safe" in page.locator(".live-notice").inner_text()
    assert page.locator("#live-tile-viewers .tile-value").inner_text() == "1,412"
    shoot(page, "error-desktop-dark")
    site.live.mode = "live"
    page.wait_for_selector(".live-notice .notice", state="detached", timeout=60_000)


def test_unexpected_error_tells_no_details(site: Any, open_page: Any) -> None:
    site.live.mode = "crash"
    page = open_page().page
    page.wait_for_selector(".live-notice .notice")
    words = page.locator(".live-notice").inner_text()
    assert "secret" not in words
    assert re.search(r"Reference [0-9a-f]{8}", words)


def test_updates_send_only_what_is_new(site: Any, open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(FILLED)
    page.wait_for_timeout(1200)
    seen, first = answers(page), page.locator("#live-tile-velocity .tile-value").inner_text()
    page.wait_for_timeout(3500)
    assert len(seen) >= 2
    for answer in seen:
        assert "live-tile-viewers" not in answer  # 1,412 all the time
        assert "live-header" not in answer
        figure = answer.get("live-chart", {}).get("figure")
        assert figure is None or "operations" in figure  # a patch, not the whole chart
    assert max(len(json.dumps(answer)) for answer in seen) < 8_000
    assert page.locator("#live-tile-velocity .tile-value").inner_text() != first


def test_chart_patched_for_a_while_equals_the_chart_sent_whole(site: Any, open_page: Any) -> None:
    site.live.clock_at = Instant(1_700_000_000_000_000)
    page = open_page().page
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    for _ in range(4):
        site.live.clock_at = Instant(site.live.clock_at + 23_000_000)
        first_ms = (site.live.clock_at // 1_000_000 - 1800) // 10 * 10_000 + 5000
        page.wait_for_function(
            f"document.querySelector('#live-chart .js-plotly-plot').data[0].x0 === {first_ms}"
        )
    read = """() => { const g = document.querySelector('#live-chart .js-plotly-plot');
        return g.data.map(t => [t.x0 ?? null, t.x ?? null, t.y, t.text ?? null])
            .concat([g.layout.shapes, g.layout.annotations]
                .map(all => all.map(s => [s.x0 ?? s.x, s.text ?? null]))); }"""
    patched = page.evaluate(read)
    page.reload()
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    assert page.evaluate(read) == patched


def test_one_question_at_a_time(site: Any, open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(FILLED)
    site.live.delay_s = 2.5
    page.wait_for_timeout(300)
    before = site.live.calls
    page.wait_for_timeout(6000)
    assert site.live.calls - before <= 3
    site.live.delay_s = 0


def test_hidden_tab_asks_nothing_and_catches_up(site: Any, open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(FILLED)
    hide = """h => { Object.defineProperty(document, 'hidden', {value: h, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')); }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(1200)
    before = site.live.calls
    page.wait_for_timeout(2500)
    assert site.live.calls == before
    page.evaluate(hide, False)
    page.wait_for_timeout(600)
    assert site.live.calls > before


def test_pause_counts_and_resume_shows(site: Any, open_page: Any, shoot: Any) -> None:
    page = open_page().page
    page.wait_for_selector("#live-feed li.cat-raid")
    lines = page.locator("#live-feed li").count()
    page.locator("#live-feed-pause").click()
    site.live.extra = [feed_item(2), feed_item(1)]
    page.wait_for_function("document.getElementById('live-feed-pause').innerText === 'Resume · 2 new'")
    assert page.locator("#live-feed li").count() == lines
    shoot(page, "paused-desktop-dark")
    page.locator("#live-feed-pause").click()
    page.wait_for_function("document.querySelector('#live-feed li').innerText.includes('raider2')")
    assert page.locator("#live-feed li").count() == lines + 2
    assert page.locator("#live-feed-pause").inner_text() == "Pause"


def test_filter_shows_only_its_kind(open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector("#live-feed li.cat-sub")
    page.get_by_text("Raids", exact=True).click()
    page.wait_for_function("document.querySelectorAll('#live-feed li:not(.cat-raid)').length === 0")
    assert page.locator("#live-feed li.cat-raid").count() == 4


def test_range_picker_sends_the_chart_anew(open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    page.keyboard.press("3")
    page.wait_for_function("document.querySelector('#live-chart .js-plotly-plot').data[0].dx === 60000")


def test_theme_toggle_is_kept_and_redraws_the_chart(open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    page.keyboard.press("t")
    page.wait_for_function(
        "document.querySelector('#live-chart .js-plotly-plot').data[0].line.color === '#6a45e0'"
    )
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_keys_reach_everything(open_page: Any, shoot: Any) -> None:
    page = open_page().page
    page.wait_for_selector(FILLED)
    page.keyboard.press("?")
    assert page.locator("#shell-keys").is_visible()
    shoot(page, "keys-desktop-dark")
    page.keyboard.press("Escape")
    assert not page.locator("#shell-keys").is_visible()
    page.keyboard.press("/")
    page.wait_for_selector(".dash-dropdown-search:focus")
    page.keyboard.type("quiet", delay=40)
    page.wait_for_function("document.querySelectorAll('.dash-dropdown-content .room-option').length === 1")
    shoot(page, "switcher-desktop-dark")
    page.keyboard.press("Enter")
    page.wait_for_url("**/live/quietfox")
    page.wait_for_selector("h1:text-is('quietfox')")


def test_definition_opens_with_the_keyboard(open_page: Any, shoot: Any) -> None:
    page = open_page().page
    page.wait_for_selector(FILLED)
    page.keyboard.press("Tab")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('hint')"):
            break
    tip = page.locator(".hint:focus + .hint-body")
    assert tip.is_visible()
    assert "Twitch's own count" in tip.inner_text()
    assert "Usual: 1,295" in tip.inner_text()
    outline = page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "2px" in outline
    shoot(page, "definition-desktop-dark")
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_stale_says_since_when(site: Any, open_page: Any, shoot: Any) -> None:
    site.state.is_running, site.live.is_quiet = False, True
    page = open_page().page
    page.wait_for_selector(".fresh.is-stale")
    assert page.locator(".fresh").inner_text().startswith("stale since ")
    assert "No collector is running" in page.locator("#live-collect-table").inner_text()
    shoot(page, "stale-desktop-dark", full_page=True)


def test_recording_shows_its_own_clock(site: Any, open_page: Any, shoot: Any) -> None:
    site.live.mode, site.live.clock_at = "recorded", Instant(1_525_120_000_000_000)
    site.state.logins = []
    watched = open_page(theme="light")
    watched.page.wait_for_selector(".is-recorded #live-tile-velocity .tile-value")
    watched.page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    assert watched.page.locator(".badge-state").inner_text() == "RECORDING"
    assert "ends 30 Apr 2018, 22:26" in watched.page.locator(".live-about").inner_text()
    assert watched.page.locator(".fresh").inner_text() == "recording"
    ticks = watched.page.locator("#live-chart .xaxislayer-above text").all_text_contents()
    assert {"22:05", "22:20"} <= set(ticks)  # the viewer's clock, as in the feed
    shoot(watched.page, "recorded-desktop-light")
    assert watched.errors == []


def test_stop_button_of_a_channel_unfollows_it(site: Any, open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector("[data-stop=quietfox]")
    page.locator("[data-stop=quietfox]").click()
    page.wait_for_selector("[data-stop=quietfox]", state="detached")
    assert site.state.logins == ["mothlight"]
    assert "Stopped quietfox" in page.locator("#live-collect-result").inner_text()


def test_charts_own_buttons_send_nothing_anywhere(open_page: Any) -> None:
    page = open_page().page
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    page.locator("#live-chart .nsewdrag").first.hover(force=True)
    names = page.locator("#live-chart .modebar-btn").evaluate_all("all => all.map(b => b.dataset.title)")
    assert len(names) == 4
    assert not any("loud" in (name or "") or "link" in (name or "").lower() for name in names)
