"""The EventSub page in a real Chromium, with a real state behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from dashboard.config import Settings
from dashboard.events import Instant, now_us
from dashboard.storage.eventsub_state import EventSubState, Revocation, Subscription
from dashboard.storage.state import State

pytestmark = pytest.mark.browser

MINUTE = 60_000_000


@dataclass
class Place:
    """The app, and the state that it shows."""

    url: str
    state: State
    known: EventSubState


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    from app import create_dash_app, create_services

    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    server = create_waitress(
        create_dash_app(settings, create_services(settings)).server, host="127.0.0.1", port=0, threads=8
    )

    def serve() -> None:
        with suppress(OSError):  # Its socket is closed under it at the end.
            server.run()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    place = Place(f"http://127.0.0.1:{server.effective_port}", State(tmp_path), EventSubState(tmp_path))
    yield place
    server.close()
    thread.join(5)
    place.state.close()
    place.known.close()


@pytest.fixture
def open_at(chromium: Any, place: Place) -> Iterator[Callable[..., Any]]:
    contexts = []

    def opener(width: int = 1440, theme: str = "dark") -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, timezone_id="Europe/Berlin"
        )
        contexts.append(context)
        page = context.new_page()
        page.errors = []
        page.on("console", lambda m: page.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(place.url + "/eventsub")
        return page

    yield opener
    for context in contexts:
        context.close()


def row(number: int, name: str, status: str = "enabled", **more: Any) -> Subscription:
    values: dict[str, Any] = {
        "key": f"websocket:{name}:{number}",
        "eventsub_type": name,
        "version": "1",
        "room_login": "mothlight",
        "room_id": "101",
        "transport": "websocket",
        "status": status,
        "condition": {"broadcaster_user_id": "101"},
        "user_id": "101",
        "subscription_id": f"id-{number}",
        "cost": 0,
    }
    return Subscription(**(values | more))


def fill(place: Place) -> None:
    now = now_us()
    place.known.replace_subscriptions(
        [
            row(1, "stream.online"),
            row(2, "channel.cheer"),
            row(3, "channel.raid", condition={"to_broadcaster_user_id": "101"}, cost=1),
            row(4, "channel.raid", condition={"from_broadcaster_user_id": "101"}, cost=1),
            row(5, "channel.poll.begin", "failed", subscription_id=None, error="POST: subscription missing"),
            row(6, "channel.hype_train.begin", room_login="quietfox", room_id="102"),
            row(
                7,
                "channel.follow",
                "impossible",
                room_login="quietfox",
                subscription_id=None,
                needs_scope="moderator:read:followers",
                error="quietfox or one of its moderators has to log in and grant moderator:read:followers.",
            ),
            row(8, "channel.ban", "stopped", subscription_id=None),
        ]
    )
    place.known.touch({"id-2": (Instant(now - 5 * MINUTE), 12)})
    place.known.revoke(
        Revocation("m1", "gone", "channel.goal.begin", "authorization_revoked", {}, "websocket", now)
    )
    place.state.follow(["mothlight", "quietfox"])
    place.state.write_status(
        "eventsub",
        {
            "transport": "websocket",
            "stopped_at": None,
            "people": ["mothlight"],
            "unusable": {},
            "error": None,
            "rooms": ["mothlight"],
            "connections": [
                {
                    "transport": "websocket",
                    "is_connected": True,
                    "connected_at": now,
                    "heard_at": now - 3_000_000,
                    "error": None,
                    "handover_count": 1,
                    "loss_count": 0,
                    "subscription_count": 6,
                    "user_login": "mothlight",
                }
            ],
            "totals": [{"user_login": "mothlight", "total": 5, "total_cost": 2, "max_total_cost": 10}],
        },
    )
    place.state.write_status(
        "eventsub-webhook",
        {
            "counts": {"accepted": 1200, "repeated": 3, "bad_signature": 2},
            "last_at": now - 2 * MINUTE,
            "error": None,
        },
    )


def says(page: Any, selector: str, words: str) -> None:
    """Waits until a part of the page has these words (the page's rules forbid evaluating text)."""
    page.locator(selector, has_text=words).wait_for(timeout=60_000)


def rows_are(page: Any, count: int) -> None:
    """Waits until the table has so many rows."""
    for _ in range(600):
        if page.locator(".eventsub-table tbody tr").count() == count:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.locator('.eventsub-table tbody tr').count()} rows, not {count}")


def test_the_page_shows_what_there_is_and_what_is_missing(
    place: Place, open_at: Callable[..., Any], shoot: Callable[..., None]
) -> None:
    fill(place)
    for width, theme in ((1440, "dark"), (1440, "light"), (390, "dark"), (390, "light")):
        page = open_at(width, theme)
        page.wait_for_selector(".eventsub-table")
        shoot(page, f"eventsub-{width}-{theme}", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.errors == []
    text = page.inner_text("#main")
    for words in (
        "5 of 6 enabled",
        "Raids in",
        "Raids out",
        "5 min ago",
        "12 in all",
        "2 of 10 points (mothlight)",
        "moderator:read:followers",
        "Ended by Twitch: authorization revoked.",
        "Deleted here.",
        "1,200",
        "POST: subscription missing",
        "moved 1×",
    ):
        assert words in text, words
    assert page.get_attribute(".eventsub-missing a", "href") == "/login?purpose=moderator&next=/eventsub"


def test_filters_narrow_the_table(place: Place, open_at: Callable[..., Any]) -> None:
    fill(place)
    page = open_at()
    page.wait_for_selector(".eventsub-table")
    assert page.locator(".eventsub-table tbody tr").count() == 6
    page.locator(".chip", has_text="Not enabled").click()
    rows_are(page, 1)
    assert "Poll starts" in page.inner_text(".eventsub-table")
    page.locator(".chip").nth(1).click()
    rows_are(page, 5)


def test_deleting_asks_first_and_writes_a_wish(place: Place, open_at: Callable[..., Any]) -> None:
    fill(place)
    page = open_at()
    page.wait_for_selector(".eventsub-table")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Delete Cheers of mothlight").click()
    page.wait_for_timeout(500)
    assert asked == [
        "Delete “Cheers” of mothlight? What was received stays. "
        "It is not made again until somebody creates it."
    ]
    assert place.known.open_wishes() == [], "nothing without a yes"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete Cheers of mothlight").click()
    page.wait_for_selector("#eventsub-message .good")
    (wish,) = place.known.open_wishes()
    assert (wish.action, wish.eventsub_type, wish.room_login) == ("delete", "channel.cheer", "mothlight")
    says(page, "#eventsub-summary", "being carried out")


def test_creating_and_trying_again_write_wishes(place: Place, open_at: Callable[..., Any]) -> None:
    fill(place)
    page = open_at()
    page.wait_for_selector(".eventsub-table")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_selector("#eventsub-message .bad")
    says(page, "#eventsub-message", "Choose what to subscribe to.")
    page.click("#eventsub-type")
    page.get_by_text("Chat messages · channel.chat.message", exact=True).click()
    page.fill("#eventsub-login", "no such login!")
    page.get_by_role("button", name="Create", exact=True).click()
    says(page, "#eventsub-message", "is no login")
    page.fill("#eventsub-login", "https://twitch.tv/QuietFox")
    page.get_by_role("button", name="Create", exact=True).click()
    says(page, "#eventsub-message", "for quietfox")
    page.get_by_role("button", name="Try failed again").click()
    says(page, "#eventsub-message", "try again")
    page.get_by_role("button", name="Create all that are possible").click()
    says(page, "#eventsub-message", "possible")
    wishes = [(wish.action, wish.eventsub_type, wish.room_login) for wish in place.known.open_wishes()]
    assert wishes == [
        ("create", "channel.chat.message", "quietfox"),
        ("retry", "", ""),
        ("create_all", "", ""),
    ]


def test_without_a_collector_and_without_a_login_it_says_what_to_do(
    place: Place, open_at: Callable[..., Any], shoot: Callable[..., None]
) -> None:
    page = open_at()
    page.wait_for_selector("#eventsub-notice .notice")
    text = page.inner_text("#main")
    assert "No collector is running." in text
    assert "No channel is followed yet" in text
    shoot(page, "eventsub-empty")
    place.state.follow(["mothlight"])
    place.state.write_status("eventsub", {"transport": "websocket", "stopped_at": None})
    says(page, "#main", "Nothing is subscribed to yet")
    assert page.get_attribute("#eventsub-table a.button", "href") == "/login?next=/eventsub&more=1"
    place.state.write_status("eventsub", {"transport": None, "stopped_at": None})
    says(page, "#main", "EventSub is off")
    assert page.errors == []
