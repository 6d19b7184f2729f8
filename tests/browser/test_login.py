"""Login in a real browser, through the sandbox's own consent page."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from tests.auth_site import SandboxThread, Site, open_site
from tests.browser.fakes import FakeLive, FakeState

pytestmark = pytest.mark.browser


@dataclass
class Closed:
    """A served installation with a login."""

    url: str
    site: Site
    own: str
    other: str


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with SandboxThread() as sandbox:
        (user_id, own), (_, other) = sandbox.person(0), sandbox.person(1)
        values: dict[str, Any] = {
            "login": "required",
            "allowed_user_ids": (user_id,),
            "public_channels": ("mothlight", "quietfox"),
            "port": port,
            "live": FakeLive(),
            "state": FakeState(),
        }
        with open_site(sandbox, tmp_path_factory.mktemp("browser-login"), **values) as site:
            server = create_waitress(site.app.server, host="127.0.0.1", port=port, threads=8)
            threading.Thread(target=server.run, daemon=True).start()
            yield Closed(f"http://localhost:{port}", site, own, other)
            server.close()


@dataclass
class Tab:
    page: Any
    errors: list[str]
    foreign: list[str]


@pytest.fixture
def tab(chromium: Any, closed: Closed) -> Iterator[Callable[..., Tab]]:
    """Opens tabs of one new browser; notes errors, and requests to anybody but us and the login."""
    closed.site.auth.accounts.close_sessions_except([])
    closed.site.auth.limit._full_at.clear()
    for token in closed.site.auth.vault.all():
        closed.site.auth.vault.forget(token.user_id)
    contexts: list[Any] = []

    def opener(*, width: int = 1440, theme: str = "dark") -> Tab:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        made = Tab(page, [], [])
        known = (closed.url, closed.site.settings.sandbox_url, "data:", "blob:")
        page.on("console", lambda m: made.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: made.errors.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(known) else made.foreign.append(r.url))
        return made

    yield opener
    for context in contexts:
        context.close()


def through_twitch(page: Any, login: str, action: str = "allow") -> None:
    page.click("text=Continue at Twitch")
    page.wait_for_selector("text=Log in to the sandbox")
    page.fill("input[name=other]", login)
    page.click(f"button[value={action}]")


def enter(page: Any, closed: Closed, path: str = "/account") -> None:
    page.goto(closed.url + path)
    through_twitch(page, closed.own)
    page.wait_for_url(closed.url + path)


@pytest.mark.parametrize(("width", "theme"), [(1440, "dark"), (390, "light")])
def test_the_way_in_and_out(
    closed: Closed, tab: Callable[..., Tab], shoot: Callable[..., None], width: int, theme: str
) -> None:
    opened = tab(width=width, theme=theme)
    page = opened.page
    page.goto(f"{closed.url}/live/mothlight")
    assert page.url == f"{closed.url}/login?next=/live/mothlight"
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"login-{theme}-{width}", full_page=True)
    page.keyboard.press("Tab")
    through_twitch(page, closed.own)
    page.wait_for_url(f"{closed.url}/live/mothlight")
    page.wait_for_selector("text=Hollow Knight")
    page.goto(f"{closed.url}/account")
    page.wait_for_selector(".card-grants")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"account-{theme}-{width}", full_page=True)
    assert "this one" in page.inner_text(".card-sessions")
    page.click("text=Log out everywhere")
    page.wait_for_url(f"{closed.url}/login?why=everywhere")
    assert "You are logged out everywhere." in page.inner_text("main")
    page.goto(f"{closed.url}/account")
    assert "/login" in page.url
    assert [e for e in opened.errors if "favicon" not in e and "404" not in e] == []
    assert opened.foreign == []


def test_every_page_lives_with_the_content_policy(closed: Closed, tab: Callable[..., Tab]) -> None:
    import dash

    opened = tab()
    enter(opened.page, closed)
    opened.errors.clear()
    pages = [page["relative_path"] for page in dash.page_registry.values() if page.get("rail_icon")]
    assert "/live" in pages
    for path in pages:
        opened.page.goto(closed.url + path)
        opened.page.wait_for_selector("main h1")
        opened.page.wait_for_timeout(700)
    broken = [error for error in opened.errors if "Content Security Policy" in error or "CSP" in error]
    assert broken == []
    assert opened.foreign == []


def test_a_chart_can_be_saved(closed: Closed, tab: Callable[..., Tab]) -> None:
    """Plotly draws the picture through data: and blob: addresses, which the policy has to let pass."""
    opened = tab()
    enter(opened.page, closed, "/live/mothlight")
    opened.page.wait_for_selector(".modebar-btn", state="attached")
    opened.page.hover(".js-plotly-plot")
    with opened.page.expect_download(timeout=60_000) as saved:
        opened.page.locator(".modebar-btn").first.click()
    assert saved.value.suggested_filename.endswith(".png")


def test_a_no_at_twitch(closed: Closed, tab: Callable[..., Tab]) -> None:
    page = tab().page
    page.goto(f"{closed.url}/login")
    through_twitch(page, closed.own, "deny")
    page.wait_for_selector("text=Not logged in")
    page.click("text=Try again")
    page.wait_for_url(f"{closed.url}/login")


def test_not_on_the_list(closed: Closed, tab: Callable[..., Tab], shoot: Callable[..., None]) -> None:
    page = tab().page
    page.goto(f"{closed.url}/login")
    through_twitch(page, closed.other)
    page.wait_for_selector("text=You are not on the list")
    assert page.inner_text("#user-id") == closed.site.sandbox.person(1)[0]
    shoot(page, "login-not-on-the-list")
    page.goto(f"{closed.url}/live")
    assert "/login" in page.url


def test_a_wrong_state(closed: Closed, tab: Callable[..., Tab]) -> None:
    page = tab().page
    page.goto(f"{closed.url}/login")
    page.click("text=Continue at Twitch")
    page.wait_for_selector("text=Log in to the sandbox")
    page.evaluate("document.querySelector('input[name=state]').value = 'made-up'")
    page.click("button[value=allow]")
    page.wait_for_selector("text=Start again")
    page.goto(f"{closed.url}/live")
    assert "/login" in page.url


def test_a_session_that_ends_leads_to_the_login_and_back(closed: Closed, tab: Callable[..., Tab]) -> None:
    page = tab().page
    enter(page, closed, "/live/mothlight")
    page.wait_for_selector("text=Hollow Knight")
    closed.site.auth.accounts.close_sessions(closed.site.sandbox.person(0)[0])
    page.wait_for_url("**/login?why=ended&next=*", timeout=60_000)
    assert "Your session is over." in page.inner_text("main")
    through_twitch(page, closed.own)
    page.wait_for_url(f"{closed.url}/live/mothlight")


def test_more_is_granted_and_taken_back(closed: Closed, tab: Callable[..., Tab]) -> None:
    page = tab().page
    enter(page, closed)
    page.click("[aria-label='Grant: Clips']")
    assert page.is_checked("#grant-clips")
    assert not page.is_checked("#grant-moderator")
    through_twitch(page, closed.own)
    page.wait_for_url(f"{closed.url}/account")
    page.click(".grant-purpose summary")
    assert "clips of a live stream" in page.inner_text(".card-grants")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("text=Take back")
    page.wait_for_selector("text=No account is logged in.")
    assert closed.site.auth.vault.all() == []
    page.reload()
    page.wait_for_selector(".card-sessions")


def test_a_channel_of_others(closed: Closed, tab: Callable[..., Tab], shoot: Callable[..., None]) -> None:
    page = tab().page
    enter(page, closed, "/live/oldbarn")
    page.wait_for_selector("text=Not one of your channels")
    shoot(page, "live-not-yours")
    page.fill("#live-collect-input", "oldbarn")
    page.click("#live-collect-start")
    page.wait_for_selector(".toasts .notice", timeout=60_000)
    assert "You can't see oldbarn here" in page.inner_text(".toasts")
    assert "oldbarn" not in closed.site.services.state.followed()


def test_keys_are_made_and_revoked_and_noted(
    closed: Closed, tab: Callable[..., Tab], shoot: Callable[..., None]
) -> None:
    page = tab().page
    enter(page, closed)
    page.wait_for_selector("text=You have no key yet.")
    page.fill("#account-keys-name", "my tool")
    page.click("text=Make a key")
    page.wait_for_selector("text=Copy this key now.")
    key = page.inner_text(".key-text code")
    assert key.startswith("sl_")
    shoot(page, "account-key", full_page=True)
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("[aria-label='Revoke the key my tool']")
    page.wait_for_selector(".key-list .is-ended, :text('You have no key yet.')")
    entries = closed.site.auth.audit.recent(2)
    assert [(entry.action, entry.user_login) for entry in entries] == [
        ("key revoked", closed.own),
        ("key created", closed.own),
    ]
    assert key not in str(entries)
