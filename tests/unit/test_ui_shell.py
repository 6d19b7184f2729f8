from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dash
import pytest
from dash import Dash

from dashboard.config import Settings
from dashboard.services import Services
from dashboard.ui import components, ids, live_view
from tests.browser.fakes import FakeLive, FakeState

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Dash:
    from app import create_dash_app

    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"), sandbox=True)
    return create_dash_app(settings, Services(settings, None, FakeState(), FakeLive()))  # type: ignore[arg-type]


def walk(component: Any) -> Any:
    yield component
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list | tuple) else [children]:
        if child is not None and not isinstance(child, str | int | float):
            yield from walk(child)


def test_every_callback_finds_its_components(app: Dash) -> None:
    client = app.server.test_client()
    assert client.get("/live").status_code == 200
    layout = client.get("/_dash-layout").get_json()
    assert app.config.suppress_callback_exceptions is False
    known = {getattr(c, "id", None) for c in walk(app.validation_layout)}
    for callback in client.get("/_dash-dependencies").get_json():
        for part in [*callback["inputs"], *callback["state"]]:
            # An id with ALL in it stands for a list whose elements a callback brings.
            assert part["id"] in known or '["ALL"]' in part["id"], part
        for output in re.findall(r"(?:\.\.|^|\.\.\.)([a-z_-]+)\.", callback["output"]):
            assert output in known, output
    assert layout


def test_each_page_load_has_its_own_nonce(app: Dash) -> None:
    def nonce() -> str:
        return next(c.data for c in walk(app.layout()) if getattr(c, "id", "") == ids.SHELL_NONCE)

    assert nonce() != nonce()


def test_home_leads_to_live(app: Dash) -> None:
    answer = app.server.test_client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/live")


def test_bootstrap_comes_from_the_installed_package(app: Dash) -> None:
    client = app.server.test_client()
    for name in (
        "css/bootstrap.min.css",
        "css/font/bootstrap-icons.min.css",
        "css/font/fonts/bootstrap-icons.woff2",
    ):
        with client.get(f"/vendor/bootstrap/{name}") as answer:
            assert answer.status_code == 200
    assert client.get("/vendor/bootstrap/../../__init__.py").status_code in (400, 404)
    assert not list((ROOT / "assets").rglob("*bootstrap*"))


def test_address_is_not_echoed_into_the_page(app: Dash) -> None:
    page = app.server.test_client().get("/live/%3Cscript%3Ealert(1)%3C/script%3E").get_data(as_text=True)
    assert "alert(1)" not in page


def test_page_links_to_nothing_outside(app: Dash) -> None:
    html = app.server.test_client().get("/live").get_data(as_text=True)
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]*", html) == []


def test_rail_shows_only_pages_that_exist(app: Dash) -> None:
    links = [c for c in walk(app.layout()) if getattr(c, "class_name", "") == "rail-link"]
    known = {page["relative_path"] for page in dash.page_registry.values()}
    assert links[0].href == "/live"
    assert {link.href for link in links} <= known
    assert "/not-found" not in {link.href for link in links}


def test_no_style_is_written_in_python() -> None:
    for folder in ("pages", "callbacks", "dashboard/ui"):
        for path in (ROOT / folder).rglob("*.py"):
            assert "style=" not in path.read_text(), path


def test_ids_are_written_once() -> None:
    for folder in ("pages", "callbacks"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(r"(\bid=|(Input|Output|State)\()[\"']", path.read_text()), path


def test_tile_keeps_its_boxes_from_skeleton_to_reading() -> None:
    reading = FakeLive()._readings(1_700_000_000_000_000)["velocity"]  # type: ignore[arg-type]
    skeleton, body = components.tile_skeleton(), components.tile_body(reading)
    assert [c.className for c in skeleton] == [c.className for c in body] == [
        "tile-value",
        "tile-note trend-up",
        "spark",
    ] or [c.className.split()[0] for c in skeleton] == [c.className.split()[0] for c in body]


def test_sparkline_carries_its_points_and_its_holes() -> None:
    drawn = components.sparkline((1.0, 2.5, None, 1234.56))
    assert drawn.to_plotly_json()["props"]["data-spark"] == "1,2.5,,1235"
    assert "data-spark" not in components.sparkline((1.0, None)).to_plotly_json()["props"]


def test_rooms_are_sorted_live_first_with_viewers() -> None:
    rooms = FakeLive().rooms(now=1_700_000_000_000_000)  # type: ignore[arg-type]
    options = live_view.room_options(list(reversed(rooms)), "elsewhere")
    assert [option["value"] for option in options] == ["elsewhere", "mothlight", "quietfox", "oldbarn"]
    assert options[1]["label"].children[3].children == "1,412"
