from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from dash import Patch, no_update

from callbacks import live
from dashboard.config import Settings
from dashboard.services import Services
from dashboard.ui import ids
from tests.browser.fakes import FakeLive, FakeState

REQUEST = {
    "page": "p1",
    "seq": 7,
    "room": "mothlight",
    "span_s": 1800,
    "filter": "all",
    "is_paused": False,
    "theme": "dark",
    "tz": "Europe/Berlin",
}


@pytest.fixture
def services(tmp_path: Path) -> Any:
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    return Services(settings=settings, store=None, state=FakeState(), live=FakeLive())  # type: ignore[arg-type]


def changed(answer: dict[str, Any]) -> set[str]:
    return {name for name, value in answer.items() if value is not no_update}


def wire(cursor: Any) -> Any:
    return json.loads(json.dumps(cursor))


def test_first_answer_fills_every_part(services: Services) -> None:
    answer = live.refresh(services, REQUEST, None)
    assert set(live.OUTPUTS) - changed(answer) == {"location"}
    assert answer["root"] == "live is-live"
    assert answer["cursor"]["seq"] == 7
    assert answer["fresh"]["is_expected"] is True


def test_second_answer_has_only_what_moves(services: Services) -> None:
    first = live.refresh(services, REQUEST, None)
    second = live.refresh(services, REQUEST | {"seq": 8}, wire(first["cursor"]))
    assert changed(second) <= {
        "cursor",
        "fresh",
        "news",
        "tile_velocity",
        "chart",
        "tile_uptime",
        "collect_table",
    }
    assert second["chart"] is no_update or isinstance(second["chart"], Patch)


def test_cursor_of_another_page_load_counts_for_nothing(services: Services) -> None:
    first = live.refresh(services, REQUEST, None)
    again = live.refresh(services, REQUEST | {"page": "p2"}, wire(first["cursor"]))
    assert changed(again) == changed(first)


def test_known_error_says_what_is_safe_and_keeps_the_cursor(services: Services) -> None:
    first = live.refresh(services, REQUEST, None)
    services.live.mode = "error"  # type: ignore[attr-defined]
    failed = live.refresh(services, REQUEST | {"seq": 8}, wire(first["cursor"]))
    assert changed(failed) == {"cursor", "notice"}
    assert "took longer than 30 s" in str(failed["notice"])
    assert failed["cursor"]["retry_ms"] == live.RETRY_AFTER_ERROR_MS
    services.live.mode = "live"  # type: ignore[attr-defined]
    healed = live.refresh(services, REQUEST | {"seq": 9}, wire(failed["cursor"]))
    assert healed["notice"] == []
    assert healed["cursor"]["retry_ms"] == 0


def test_unknown_error_is_logged_and_not_shown(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    services.live.mode = "crash"  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR):
        failed = live.refresh(services, REQUEST, None)
    assert "secret" not in str(failed["notice"])
    reference = caplog.messages[0].split("[")[1].rstrip("]")
    assert f"Reference {reference}" in str(failed["notice"])


def test_no_room_leads_to_the_first_followed_one(services: Services) -> None:
    assert live.refresh(services, REQUEST | {"room": ""}, None)["location"] == "/live/mothlight"


def test_no_room_at_all_says_what_to_do(services: Services) -> None:
    services.state.logins, services.live.rooms_known = [], False  # type: ignore[attr-defined]
    answer = live.refresh(services, REQUEST | {"room": ""}, None)
    assert answer["location"] is no_update
    assert answer["root"] == "live is-none"
    assert "No channel yet" in str(answer["notice"])


def test_room_without_data_fills_no_tiles(services: Services) -> None:
    answer = live.refresh(services, REQUEST | {"room": "nobody"}, None)
    assert answer["root"] == "live is-empty"
    assert all(answer[f"tile_{metric}"] is no_update for metric in ids.TILE_METRICS)
    assert "not collected" in str(answer["notice"])


def test_silent_channel_is_fresh_while_its_collector_reports(services: Services) -> None:
    services.live.is_quiet = True  # type: ignore[attr-defined]
    assert live.refresh(services, REQUEST, None)["fresh"]["age_ms"] < 1000
    services.state.is_running = False  # type: ignore[attr-defined]
    assert live.refresh(services, REQUEST, None)["fresh"]["age_ms"] >= 40_000


def test_stopping_unfollows(services: Services) -> None:
    said = live.stop_one(services, {"login": "quietfox", "at": 1})
    assert services.state.followed() == ["mothlight"]
    assert said.children == "Stopped quietfox. What was collected stays."
    assert live.stop_one(services, None) is no_update


def test_cancel_without_a_press_does_nothing(services: Services) -> None:
    assert live.stop_typed(services, None, "quietfox") == (no_update, no_update)
    assert services.state.followed() == ["mothlight", "quietfox"]
