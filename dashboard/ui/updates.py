"""What the browser has already, and so what still has to be sent.

The browser keeps a small *cursor*: for each part of the page a checksum of what it shows, and
for the chart and the feed where they end. It comes back with every request, the server keeps
nothing, so any process can answer. A cursor that doesn't fit (another range, another theme,
anything unexpected) means the part is sent whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from dash import Patch, no_update

from dashboard.events import Instant
from dashboard.insights.live_model import FeedItem, LiveSeries
from dashboard.ui import components, theme
from dashboard.ui.figures import live as figures

BLOCK_BINS: Final = 12
"""Bins checked together; one changed bin sends its block again."""
MAX_DROPPED_BINS: Final = 40
"""A chart that moved further (a tab that was asleep) is sent whole."""
FEED_LIMIT: Final = 60

Cursor = dict[str, Any]


def digest(value: object) -> int:
    """A checksum of a value by its text: the same text, the same number, in every process."""
    return crc32(repr(value).encode())


def only_if_new(cursor: Cursor, part: str, key: object, build: Callable[[], Any]) -> Any:
    """A part of the page if its data changed, else nothing.

    Args:
        cursor: Read and brought up to date under ``part``.
        part: Name of the part.
        key: Everything that the part is made from.
        build: Makes the part.

    Returns:
        What ``build`` gives, or ``dash.no_update``.
    """
    now = digest(key)
    if cursor.get(part) == now:
        return no_update
    cursor[part] = now
    return build()


def only_changed(cursor: Mapping[str, Any], parts: Mapping[str, Any]) -> tuple[dict[str, Any], Cursor]:
    """Of all parts of a page those that are not what the browser shows: focus and scrolling stay in the rest.

    Args:
        cursor: What the browser shows already, as it was returned with the last answer.
        parts: Every part, as it is now.

    Returns:
        The parts to send, and the cursor to send with them.
    """
    marks = {name: digest(str(part)) for name, part in parts.items()}
    before = cursor.get("marks") or {}
    return {name: parts[name] for name in parts if marks[name] != before.get(name)}, {"marks": marks}


def chart_update(
    cursor: Cursor, series: LiveSeries, *, theme_name: theme.Theme, tz: ZoneInfo, key: str
) -> Any:
    """The chart, or the bins of it that the browser doesn't have yet.

    Args:
        cursor: Read and brought up to date under ``chart``.
        series: What the chart should show now.
        theme_name: ``dark`` or ``light``.
        tz: The viewer's time zone.
        key: Room and range; another one than before sends the chart whole.

    Returns:
        A figure, a ``Patch``, or ``dash.no_update``.
    """
    known = cursor.get("chart")
    state = chart_state(series, theme_name, tz, key)
    cursor["chart"] = state
    try:
        patch = _chart_patch(known, state, series, theme_name, tz)
    except (KeyError, TypeError, ValueError, AttributeError):
        patch = None
    return figures.live_figure(series, theme_name=theme_name, tz=tz) if patch is None else patch


def chart_state(series: LiveSeries, theme_name: theme.Theme, tz: ZoneInfo, key: str) -> Cursor:
    """What the browser has once it shows the series: its entry in the cursor."""
    return {
        "key": f"{key}/{theme_name}/{tz}/{series.bin_s}",
        "first_at": series.bin_at[0] if series.bin_at else 0,
        "bins": len(series.bin_at),
        "blocks": _blocks(series),
        "viewers": digest((series.viewers_at, series.viewers)),
        "events": digest((series.markers, series.gaps)),
        "usual": digest((series.usual_low, series.usual_high)),
        "range": figures.axis_range(series),
    }


def _blocks(series: LiveSeries, end: int | None = None) -> dict[str, int]:
    """Checksum of each block of bins; blocks are counted from the epoch, so they don't slide."""
    blocks: dict[str, list[float | None]] = {}
    for at, value in list(zip(series.bin_at, series.velocity, strict=True))[:end]:
        blocks.setdefault(_block(at, series.bin_s), []).append(figures.value_of(value))
    return {name: digest(values) for name, values in blocks.items()}


def _block(at: int, bin_s: int) -> str:
    return str(at // (bin_s * 1_000_000) // BLOCK_BINS)


def _chart_patch(
    known: Cursor | None, state: Cursor, series: LiveSeries, theme_name: theme.Theme, tz: ZoneInfo
) -> Any:
    width_us = series.bin_s * 1_000_000
    if not known or known["key"] != state["key"] or not known["bins"] or not state["bins"]:
        return None
    dropped, misfit = divmod(state["first_at"] - known["first_at"], width_us)
    if (
        misfit
        or not 0 <= dropped <= min(MAX_DROPPED_BINS, known["bins"] - 1)
        or known["bins"] - dropped > state["bins"]
    ):
        return None
    if known == state:
        return no_update
    patch = Patch()
    _patch_velocity(patch, known, series, dropped)
    _patch_rest(patch, known, state, series, theme_name, tz)
    return patch


def _patch_velocity(patch: Patch, known: Cursor, series: LiveSeries, dropped: int) -> None:
    line = patch["data"][figures.VELOCITY]
    kept = known["bins"] - dropped
    # Compared over the bins that both have. A block that has just lost its front has no like in
    # the cursor, so it is sent; that is at most a block a move.
    now = _blocks(series, kept)
    for index in range(kept):
        block = _block(series.bin_at[index], series.bin_s)
        if known["blocks"].get(block) != now[block]:
            line["y"][index + dropped] = figures.value_of(series.velocity[index])
    fresh = [figures.value_of(value) for value in series.velocity[kept:]]
    if fresh:
        line["y"].extend(fresh)
    for _ in range(dropped):
        del line["y"][0]
    if dropped:
        line["x0"] = figures.first_x(series)


def _patch_rest(
    patch: Patch, known: Cursor, state: Cursor, series: LiveSeries, theme_name: theme.Theme, tz: ZoneInfo
) -> None:
    if known["range"] != state["range"]:
        patch["layout"]["xaxis"]["range"] = state["range"]
    if known["viewers"] != state["viewers"]:
        trace = patch["data"][figures.VIEWERS]
        trace["x"], trace["y"] = figures.viewers_points(series)
        trace["mode"] = "lines" if len(series.viewers) > 1 else "markers"
        patch["layout"]["yaxis2"]["visible"] = bool(series.viewers)
    if (
        known["usual"] != state["usual"]
        or known["events"] != state["events"]
        or known["range"] != state["range"]
    ):
        patch["layout"]["shapes"] = figures.shapes(series, theme_name)
        patch["layout"]["annotations"] = figures.label_chips(series, tz, theme_name)
    has_events = bool(series.markers or series.gaps)
    if known["events"] != state["events"] or (has_events and known["range"] != state["range"]):
        lane, gaps = figures.lane_trace(series, theme_name), figures.gap_points(series)
        patch["data"][figures.LANE].update({"x": list(lane.x), "y": list(lane.y), "text": list(lane.text)})
        patch["data"][figures.LANE]["marker"]["color"] = list(lane.marker.color)
        patch["data"][figures.GAPS].update({"x": gaps[0], "y": gaps[1]})


def feed_update(
    cursor: Cursor,
    items: Sequence[FeedItem],
    *,
    key: str,
    is_paused: bool,
    tz: ZoneInfo,
    now: Instant,
    empty: Any,
) -> tuple[Any, Any]:
    """The feed's new lines, or how many wait while it is paused.

    Args:
        cursor: Read and brought up to date under ``feed``.
        items: What the feed should show now, newest first.
        key: Room, filter and time zone; another one than before sends the feed whole.
        is_paused: Whether the person holds the feed.
        tz: The viewer's time zone.
        now: The clock of the room.
        empty: Shown when there is nothing.

    Returns:
        Children of the feed (a list, a ``Patch`` or ``no_update``) and the number that waits.
    """
    names = [digest(item.item_id) for item in items]
    known = cursor.get("feed")
    if not isinstance(known, dict) or known.get("key") != key:
        known = {}
    seen = known.get("names")
    fresh = _fresh_count(names, seen) if isinstance(seen, list) else None
    if is_paused and isinstance(seen, list):
        return no_update, sum(name not in seen for name in names)
    shown = 0 if fresh is None else int(known.get("count", 0))
    cursor["feed"] = {"key": key, "names": names[:FEED_LIMIT], "count": min(shown + (fresh or 0), FEED_LIMIT)}
    if fresh is None or not shown:
        if fresh == 0:
            return no_update, 0
        cursor["feed"]["count"] = len(items)
        return ([components.feed_item(item, tz, now) for item in items] or [empty]), 0
    if fresh == 0:
        return no_update, 0
    patch = Patch()
    for item in reversed(items[:fresh]):
        patch.prepend(components.feed_item(item, tz, now))
    for _ in range(max(0, shown + fresh - FEED_LIMIT)):
        del patch[FEED_LIMIT]
    return patch, 0


def _fresh_count(names: Sequence[int], seen: Sequence[int]) -> int | None:
    """How many lines are new at the top; ``None`` when something changed further down."""
    old = set(seen)
    fresh = next((index for index, name in enumerate(names) if name in old), len(names))
    if names and fresh == len(names) and seen:
        return None
    kept = names[fresh:]
    return fresh if list(seen[: len(kept)]) == list(kept) else None
