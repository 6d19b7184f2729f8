"""Who may use the EventSub page, and what its wishes are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callbacks import eventsub as callbacks
from dashboard.access import LOCAL, NOBODY, Access
from dashboard.config import Settings
from dashboard.errors import AccessDenied, ConfigError, JobError
from dashboard.events import Instant
from dashboard.insights.eventsub import EventSubInsights, Missing
from dashboard.services import Services
from dashboard.storage.eventsub_state import EventSubState, Subscription
from dashboard.storage.state import State
from dashboard.ui import eventsub_view

VIEWER = Access("7", "viewer", rooms=frozenset({"alpha"}))
NOW = Instant(1_700_000_000_000_000)


@pytest.fixture
def known(tmp_path: Path) -> Iterator[EventSubState]:
    known = EventSubState(tmp_path)
    known.replace_subscriptions(
        [
            Subscription("a", "channel.cheer", "1", "alpha", "1", "websocket", "enabled"),
            Subscription("b", "channel.ban", "1", "alpha", "1", "websocket", "failed", error="no"),
            Subscription(
                "c", "channel.follow", "2", "beta", "2", "websocket", "impossible", needs_scope="s", error="e"
            ),
            Subscription(
                "d", "channel.follow", "2", "alpha", "1", "websocket", "impossible", needs_scope="s"
            ),
        ]
    )
    yield known
    known.close()


@pytest.fixture
def insights(tmp_path: Path, known: EventSubState) -> Iterator[EventSubInsights]:
    state = State(tmp_path)
    yield EventSubInsights(state, known, now=lambda: NOW)
    state.close()


@pytest.mark.parametrize("access", [NOBODY, VIEWER])
@pytest.mark.parametrize(
    "ask",
    [
        lambda insights, access: insights.overview(access),
        lambda insights, access: insights.find(access, "a"),
        lambda insights, access: insights.create(access, "channel.cheer", "alpha"),
        lambda insights, access: insights.delete(access, "a"),
        lambda insights, access: insights.create_all(access),
        lambda insights, access: insights.retry(access),
    ],
)
def test_only_admins_see_and_change_anything(
    insights: EventSubInsights,
    known: EventSubState,
    access: Access,
    ask: Callable[[EventSubInsights, Access], object],
) -> None:
    with pytest.raises(AccessDenied):
        ask(insights, access)
    assert known.open_wishes() == []


def test_the_page_of_somebody_else_has_a_notice_and_nothing_else(
    tmp_path: Path, insights: EventSubInsights
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    services = Services(
        settings=settings,
        store=None,  # type: ignore[arg-type]
        state=None,  # type: ignore[arg-type]
        live=None,  # type: ignore[arg-type]
        eventsub=insights,
        current_access=lambda: VIEWER,
    )
    answer = callbacks.refresh(services, 1, "all", None, None, None)
    assert "Only people in ADMIN_USER_IDS may do this." in str(answer["notice"])
    assert "channel.cheer" not in str(answer)
    said = callbacks.create(services, 1, 0, "channel.cheer", "alpha")
    assert "Only people in ADMIN_USER_IDS" in str(said)
    assert "Only people in ADMIN_USER_IDS" in str(callbacks.delete(services, 1, "a"))


def test_counts_filters_and_what_is_missing(insights: EventSubInsights) -> None:
    overview = insights.overview(LOCAL)
    assert (overview.row_count, overview.enabled_count, overview.trouble_count) == (2, 1, 1)
    assert [row.key for row in overview.rows] == ["b", "a"], "by channel, then type"
    assert [row.key for row in insights.overview(LOCAL, show="trouble").rows] == ["b"]
    assert insights.overview(LOCAL, room="beta").rows == ()
    (missing,) = overview.missing
    assert (missing.scope, missing.rooms, missing.titles) == ("s", ("alpha", "beta"), ("Follows",))
    assert not overview.is_running
    assert overview.deliveries is None


def test_a_login_is_taken_in_any_form_and_nothing_else_is(
    insights: EventSubInsights, known: EventSubState
) -> None:
    assert insights.create(LOCAL, "channel.cheer", " #Alpha ") == "alpha"
    assert insights.create(LOCAL, "channel.cheer", "https://www.twitch.tv/Beta_1") == "beta_1"
    for room in ("", "two words", "a" * 26, "drop table"):
        with pytest.raises(ConfigError):
            insights.create(LOCAL, "channel.cheer", room)
    with pytest.raises(ConfigError):
        insights.create(LOCAL, "channel.no_such", "alpha")
    with pytest.raises(JobError):
        insights.delete(LOCAL, "gone")
    assert [wish.room_login for wish in known.open_wishes()] == ["alpha", "beta_1"]


def test_what_nobody_permits_is_refused_with_what_is_missing(
    insights: EventSubInsights, known: EventSubState
) -> None:
    with pytest.raises(JobError, match="Not possible yet for alpha"):
        insights.create(LOCAL, "channel.follow", "Alpha")
    with pytest.raises(ConfigError, match="name of the channel"):
        insights.create(LOCAL, "channel.follow", " ")
    with pytest.raises(ConfigError, match="Choose what"):
        insights.create(LOCAL, "", "")
    assert known.open_wishes() == []


def test_what_one_login_would_bring_stands_together() -> None:
    owner, rooms = "The channel's owner has to log in and grant it.", ("alpha", "beta")
    found = [
        Missing(owner, "channel:read:polls", rooms, ("Poll starts",)),
        Missing(owner, "channel:read:goals", rooms, ("Goal starts",)),
        Missing(owner, "channel:read:goals", ("gamma",), ("Goal ends",)),
        Missing("Twitch knows no channel of this login.", "", ("delta",), ("Bans",)),
    ]
    groups = eventsub_view._by_cure(found)
    assert [(one.rooms, one.titles, scopes) for one, scopes in groups] == [
        (rooms, ("Poll starts", "Goal starts"), ["channel:read:polls", "channel:read:goals"]),
        (("gamma",), ("Goal ends",), ["channel:read:goals"]),
        (("delta",), ("Bans",), []),
    ]


def test_wishes_change_what_is_chosen_when_they_are_done(
    insights: EventSubInsights, known: EventSubState
) -> None:
    insights.delete(LOCAL, "a")
    insights.create(LOCAL, "channel.ban", "beta")
    assert known.choices() == {}
    for wish in known.open_wishes():
        known.fulfil(wish, "Done.")
    assert known.choices() == {("channel.cheer", "alpha"): False, ("channel.ban", "beta"): True}
    insights.create_all(LOCAL)
    (wish,) = known.open_wishes()
    known.fulfil(wish, "Done.")
    assert known.choices() == {("channel.ban", "beta"): True}
    assert known.open_wishes() == []
