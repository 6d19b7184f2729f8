from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from dash import Patch, no_update
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.events import Instant
from dashboard.insights.live_model import FeedItem, GapSpan, LiveSeries, Marker
from dashboard.ui import updates
from dashboard.ui.figures import live as figures

UTC = ZoneInfo("UTC")
S = 1_000_000


def window(first: int, values: list[float | None], end_s: float = 0.0) -> LiveSeries:
    """A series of 10 s bins from the ``first`` one after the epoch."""
    return LiveSeries(
        start_at=Instant(first * 10 * S),
        end_at=Instant(int(((first + len(values)) * 10 - 5 + end_s) * S)),
        bin_s=10,
        bin_at=tuple(Instant((first + i) * 10 * S) for i in range(len(values))),
        velocity=tuple(values),
        viewers_at=(Instant(first * 10 * S),),
        viewers=(100,),
        usual_low=None,
        usual_high=None,
        gaps=(),
        markers=(),
    )


def send(cursor: dict[str, Any], series: LiveSeries, key: str = "room/1800") -> Any:
    return updates.chart_update(cursor, series, theme_name="dark", tz=UTC, key=key)


def over_the_wire(cursor: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(cursor))  # type: ignore[no-any-return]


def apply(target: Any, patch: Patch) -> Any:
    """What Dash's renderer does with a patch, for the operations used here."""
    result = copy.deepcopy(target)
    for step in patch.to_plotly_json()["operations"]:
        *path, last = step["location"] or [None]
        place = result
        for part in path:
            place = place[part]
        value = step["params"].get("value")
        if step["operation"] == "Assign":
            place[last] = value
        elif step["operation"] == "Extend":
            place[last].extend(value)
        elif step["operation"] == "Delete":
            del place[last]
        elif step["operation"] == "Merge":
            place[last].update(value)
        elif step["operation"] == "Prepend":
            (result if last is None else place[last]).insert(0, value)
        else:
            raise AssertionError(step["operation"])
    return result


def as_json(figure: Any) -> Any:
    drawn = json.loads(figure.to_json())
    trace = drawn["data"][figures.VELOCITY]
    return drawn | {"velocity": [trace["x0"], trace["y"]]}


def test_first_time_sends_the_whole_chart_then_nothing() -> None:
    cursor: dict[str, Any] = {}
    series = window(1000, [10.0, 20.0, 30.0])
    assert list(send(cursor, series).data[figures.VELOCITY].y) == [10.0, 20.0, 30.0]
    assert send(over_the_wire(cursor), series) is no_update


def test_a_new_bin_is_sent_and_an_old_one_dropped() -> None:
    cursor: dict[str, Any] = {}
    # Bin 1019 is the last of its block, so no other block changes when it goes.
    send(cursor, window(1019, [10.0] * 30))
    patch = send(over_the_wire(cursor), window(1020, [10.0] * 29 + [50.0]))
    velocity = [
        s for s in patch.to_plotly_json()["operations"] if s["location"][:2] == ["data", figures.VELOCITY]
    ]
    assert velocity == [
        {"operation": "Extend", "location": ["data", 0, "y"], "params": {"value": [50.0]}},
        {"operation": "Delete", "location": ["data", 0, "y", 0], "params": {}},
        {"operation": "Assign", "location": ["data", 0, "x0"], "params": {"value": 10_205_000}},
    ]


def test_another_range_room_or_theme_sends_the_chart_whole() -> None:
    cursor: dict[str, Any] = {}
    series = window(1000, [10.0] * 30)
    send(cursor, series)
    assert not isinstance(send(over_the_wire(cursor), series, key="room/3600"), Patch)
    light = updates.chart_update(over_the_wire(cursor), series, theme_name="light", tz=UTC, key="room/3600")
    assert not isinstance(light, Patch)


def test_a_cursor_that_makes_no_sense_sends_the_chart_whole() -> None:
    series = window(1000, [10.0] * 30)
    good: dict[str, Any] = {}
    send(good, series)
    for broken in (
        {},
        {"key": good["chart"]["key"]},
        good["chart"] | {"first_at": "x"},
        good["chart"] | {"bins": 99},
    ):
        assert not isinstance(send({"chart": broken}, series), Patch)
    assert not isinstance(send({"chart": [1, 2]}, series), Patch)


def test_a_tab_that_slept_gets_the_chart_whole() -> None:
    cursor: dict[str, Any] = {}
    send(cursor, window(1000, [10.0] * 180))
    assert not isinstance(send(over_the_wire(cursor), window(1100, [10.0] * 180)), Patch)


def test_markers_and_gaps_are_sent_only_when_they_change() -> None:
    cursor: dict[str, Any] = {}
    series = window(1000, [10.0] * 60)
    send(cursor, series)
    raid = replace(series, markers=(Marker(Instant(10_300 * S), "raid", "raid +9"),))
    first = send(cursor, raid).to_plotly_json()["operations"]
    assert [s["location"] for s in first if s["location"][0] == "layout"] == [
        ["layout", "shapes"],
        ["layout", "annotations"],
    ]
    assert send(cursor, raid) is no_update
    gap = replace(raid, gaps=(GapSpan(Instant(10_100 * S), None, "cut"),))
    assert isinstance(send(cursor, gap), Patch)


value = st.none() | st.integers(0, 500).map(float)


@settings(max_examples=25, deadline=None)
@given(
    first=st.lists(value, min_size=60, max_size=70),
    moves=st.lists(
        st.tuples(st.integers(0, 14), st.lists(value, max_size=4), st.integers(0, 200)), max_size=4
    ),
)
def test_patched_chart_always_equals_the_whole_chart(
    first: list[float | None], moves: list[tuple[int, list[float | None], int]]
) -> None:
    cursor: dict[str, Any] = {}
    start, values = 1000, list(first)
    shown = as_json(send(cursor, window(start, values)))
    for dropped, added, changed in moves:
        values = [*values[dropped:], *added]
        start += dropped
        spot = len(values) - 1 - changed % len(values)
        values[spot] = float(changed)
        cursor = over_the_wire(cursor)
        series = window(start, values)
        answer = send(cursor, series)
        if answer is no_update:
            continue
        shown = (
            apply({k: shown[k] for k in ("data", "layout")}, answer)
            if isinstance(answer, Patch)
            else as_json(answer)
        )
        trace = shown["data"][figures.VELOCITY]
        assert trace["x0"] == figures.first_x(series)
        assert trace["y"] == values
        assert shown["layout"]["xaxis"]["range"] == figures.axis_range(series)


def items(*names: str) -> list[FeedItem]:
    return [FeedItem(name, Instant(S), "sub", "Sub", name) for name in names]


def feed(cursor: dict[str, Any], *names: str, paused: bool = False, key: str = "room/all") -> tuple[Any, int]:
    return updates.feed_update(
        cursor, items(*names), key=key, is_paused=paused, tz=UTC, now=Instant(S), empty="nothing"
    )


def said(children: Any) -> list[str]:
    return [child.children[0 + 1].children for child in children]


def test_feed_comes_whole_then_only_new_lines() -> None:
    cursor: dict[str, Any] = {}
    children, waiting = feed(cursor, "b", "a")
    assert (said(children), waiting) == (["b", "a"], 0)
    assert feed(over_the_wire(cursor), "b", "a") == (no_update, 0)
    patch, _ = feed(cursor, "d", "c", "b", "a")
    steps = patch.to_plotly_json()["operations"]
    assert [s["operation"] for s in steps] == ["Prepend", "Prepend"]
    assert said([s["params"]["value"] for s in steps]) == ["c", "d"]


def test_paused_feed_counts_and_then_shows_all_that_waited() -> None:
    cursor: dict[str, Any] = {}
    feed(cursor, "a")
    assert feed(cursor, "b", "a", paused=True) == (no_update, 1)
    assert feed(cursor, "c", "b", "a", paused=True) == (no_update, 2)
    patch, waiting = feed(cursor, "c", "b", "a")
    assert len(patch.to_plotly_json()["operations"]) == 2
    assert waiting == 0


def test_feed_stays_as_long_as_its_limit() -> None:
    cursor: dict[str, Any] = {}
    names = [f"n{i}" for i in range(updates.FEED_LIMIT)]
    feed(cursor, *names)
    patch, _ = feed(cursor, *["new", *names][: updates.FEED_LIMIT])
    assert [s["operation"] for s in patch.to_plotly_json()["operations"]] == ["Prepend", "Delete"]
    assert cursor["feed"]["count"] == updates.FEED_LIMIT


def test_a_line_that_comes_late_in_between_sends_the_feed_whole() -> None:
    cursor: dict[str, Any] = {}
    feed(cursor, "c", "a")
    children, _ = feed(cursor, "c", "b", "a")
    assert said(children) == ["c", "b", "a"]


def test_empty_feed_says_so_once_and_gives_way_to_the_first_line() -> None:
    cursor: dict[str, Any] = {}
    assert feed(cursor) == (["nothing"], 0)
    assert feed(cursor) == (no_update, 0)
    assert said(feed(cursor, "a")[0]) == ["a"]


def test_another_filter_sends_the_feed_whole_even_while_paused() -> None:
    cursor: dict[str, Any] = {}
    feed(cursor, "b", "a")
    children, _ = feed(cursor, "a", paused=True, key="room/raids")
    assert said(children) == ["a"]


def test_only_if_new_builds_once() -> None:
    cursor: dict[str, Any] = {}
    assert updates.only_if_new(cursor, "part", (1, "a"), lambda: "built") == "built"
    assert updates.only_if_new(over_the_wire(cursor), "part", (1, "a"), lambda: "built") is no_update
    assert updates.only_if_new(cursor, "part", (2, "a"), lambda: "again") == "again"
