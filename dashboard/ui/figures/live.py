"""The chart of the Live page: velocity and viewers, what happened, what was not observed.

Places on the time axis are whole milliseconds since the epoch: plotly shows such numbers on the
clock of the browser (and only dates written as text as they stand). Times in words are made
here, for the time zone that the browser names.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboard.events import Instant
from dashboard.insights.live_model import GapSpan, LiveSeries, Marker
from dashboard.ui import text, theme

VELOCITY: Final = 0
VIEWERS: Final = 1
GAPS: Final = 2
LANE: Final = 3

LANE_TOP: Final = 0.17
"""Share of the height that belongs to the lane of events."""
VIEWER_HOLD_S: Final = 180
"""Twitch's count is looked at each minute; samples further apart are not joined by a line."""
SLOTS: Final = 48
"""Marks closer than a 48th of the range are drawn as one."""
LABEL_ROOM: Final = 270
"""Width in px for which labels are placed: that of a phone's chart."""
LABEL_HALF_SHARE: Final = 0.08
"""How far a label reaches to each side; dots under it are named in its hover instead."""
LABEL_LENGTH: Final = 16
IMPORTANCE: Final = ("raid", "game", "stream", "gift", "bits", "sub", "announcement", "milestone")
TIME_TICKS: Final = 8
TIME_FORMATS: Final = (
    {"dtickrange": [None, 59_999], "value": "%H:%M:%S"},
    {"dtickrange": [60_000, 86_399_999], "value": "%H:%M"},
    {"dtickrange": [86_400_000, None], "value": "%-d %b"},
)
"""How times stand at the axis, by the milliseconds between two: no two ticks say the same."""


def live_figure(series: LiveSeries, *, theme_name: theme.Theme, tz: ZoneInfo) -> go.Figure:
    """How fast the chat was and how many watched, with everything that happened beside it.

    Args:
        series: What to draw.
        theme_name: ``dark`` or ``light``.
        tz: The viewer's time zone.

    Returns:
        Four traces in fixed places (:data:`VELOCITY`, :data:`VIEWERS`, :data:`GAPS`,
        :data:`LANE`), so that an update can name what it changes.
    """
    colors = theme.COLORS[theme_name]
    figure = go.Figure(
        data=[
            velocity_trace(series, colors),
            viewers_trace(series, colors),
            gap_trace(series, colors),
            lane_trace(series, theme_name),
        ],
        layout={"template": theme.template(theme_name), "uirevision": f"{series.bin_s}"},
    )
    figure.update_layout(**_axes(series, colors))
    figure.update_layout(shapes=shapes(series, theme_name), annotations=label_chips(series, tz, theme_name))
    return figure


def blank_figure() -> go.Figure:
    """Stands in for the chart until the first answer: plotly's own axes would show numbers."""
    hidden = {"visible": False}
    clear = "rgba(0,0,0,0)"
    return go.Figure(layout={"xaxis": hidden, "yaxis": hidden, "paper_bgcolor": clear, "plot_bgcolor": clear})


def x_ms(at: int) -> int:
    """Where an instant stands on the axis."""
    return at // 1000


def first_x(series: LiveSeries) -> int:
    """Where the velocity line begins: the middle of the first bin."""
    return x_ms(series.bin_at[0] if series.bin_at else series.start_at) + series.bin_s * 500


def velocity_trace(series: LiveSeries, colors: dict[str, str]) -> go.Scatter:
    """Messages per minute, at the middle of each bin; ``None`` breaks the line."""
    return go.Scatter(
        name="messages / min",
        x0=first_x(series),
        dx=series.bin_s * 1000,
        y=[value_of(value) for value in series.velocity],
        mode="lines",
        connectgaps=False,
        line={"color": colors["accent"], "width": 2},
        hovertemplate="%{y:,.0f} messages per minute<extra></extra>",
    )


def value_of(value: float | None) -> float | None:
    """A velocity as it is drawn and sent: one decimal is all that can be seen."""
    return None if value is None else round(value, 1)


def viewers_points(series: LiveSeries) -> tuple[list[int], list[int | None]]:
    """Samples of the viewer count, with a break where samples are missing."""
    x: list[int] = []
    y: list[int | None] = []
    previous: Instant | None = None
    for at, viewers in zip(series.viewers_at, series.viewers, strict=True):
        if previous is not None and at - previous > VIEWER_HOLD_S * 1_000_000:
            x.append(x_ms(Instant(previous + 1)))
            y.append(None)
        x.append(x_ms(at))
        y.append(viewers)
        previous = at
    return x, y


def viewers_trace(series: LiveSeries, colors: dict[str, str]) -> go.Scatter:
    """Twitch's own viewer count on the right scale."""
    x, y = viewers_points(series)
    return go.Scatter(
        name="viewers",
        x=x,
        y=y,
        yaxis="y2",
        mode="lines" if len(x) > 1 else "markers",
        connectgaps=False,
        line={"color": colors["info"], "width": 1.5},
        hovertemplate="%{y:,} viewers<extra></extra>",
    )


def gap_points(series: LiveSeries) -> tuple[list[int | None], list[float | None]]:
    """Corners of one rectangle a gap, over the full height; ``None`` parts them."""
    x: list[int | None] = []
    y: list[float | None] = []
    for gap in series.gaps:
        left = x_ms(max(gap.started_at, series.start_at))
        right = x_ms(min(gap.ended_at or series.end_at, series.end_at))
        x += [left, left, right, right, left, None]
        y += [0, 1, 1, 0, 0, None]
    return x, y


def gap_trace(series: LiveSeries, colors: dict[str, str]) -> go.Scatter:
    """What was not observed, hatched."""
    x, y = gap_points(series)
    return go.Scatter(
        name="not observed",
        x=x,
        y=y,
        yaxis="y4",
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillpattern={
            "shape": "/",
            "size": 6,
            "solidity": 0.25,
            "fgcolor": colors["edge"],
            "bgcolor": "rgba(0,0,0,0)",
        },
        fillcolor=colors["edge"],
        hoverinfo="skip",
    )


def lane_points(series: LiveSeries) -> list[tuple[int, str, str]]:
    """Marks of the lane: place, category that gives the colour, sentence for the hover.

    Marks that would lie on each other are drawn as one; its hover names them all.
    """
    slot_us = max((series.end_at - series.start_at) // SLOTS, 1)
    happenings = [(m.at, m.category, _plain(m.label)) for m in series.markers]
    happenings += [(g.started_at, "gap", gap_words(g)) for g in series.gaps]
    labels_at = [marker.at for marker in labelled(series)]
    reach_us = int((series.end_at - series.start_at) * LABEL_HALF_SHARE)
    happenings = sorted(
        h
        for h in happenings
        if series.start_at <= h[0] <= series.end_at and all(abs(h[0] - at) > reach_us for at in labels_at)
    )
    points = []
    for _, group in groupby(happenings, key=lambda h: h[0] // slot_us):
        marks = list(group)
        lead = min(marks, key=lambda mark: _rank(mark[1]))
        labels = [mark[2] for mark in marks]
        more = f" and {len(labels) - 4} more" if len(labels) > 4 else ""
        points.append((x_ms(Instant(lead[0])), lead[1], ", ".join(labels[:4]) + more))
    return points


def gap_words(gap: GapSpan) -> str:
    """A gap as a phrase: ``not observed for 28 s (reconnect)``."""
    reason = f" ({gap.reason})" if gap.reason else ""
    if gap.ended_at is None:
        return f"not observed since then{reason}"
    return f"not observed for {text.span((gap.ended_at - gap.started_at) / 1_000_000)}{reason}"


def lane_trace(series: LiveSeries, theme_name: theme.Theme) -> go.Scatter:
    """Everything that happened, as dots in a lane of their own."""
    points = lane_points(series)
    return go.Scatter(
        name="events",
        x=[x for x, _, _ in points],
        y=[0.5] * len(points),
        yaxis="y3",
        mode="markers",
        marker={
            "size": 8,
            "color": [category_color(c, theme_name) for _, c, _ in points],
            "line": {"width": 0},
        },
        text=[words for _, _, words in points],
        hovertemplate="%{text}<extra></extra>",
    )


def category_color(category: str, theme_name: theme.Theme) -> str:
    """The colour of a category of happening in a theme."""
    return theme.COLORS[theme_name][theme.CATEGORY_COLORS.get(category, "muted")]


def labelled(series: LiveSeries) -> list[Marker]:
    """The happenings that get their words on the chart: the weightiest that don't collide."""
    width_us = series.end_at - series.start_at
    chosen: list[Marker] = []
    newest_first = sorted(series.markers, key=lambda m: (_rank(m.category), -m.at))
    for marker in newest_first:
        is_inside = series.start_at <= marker.at <= series.end_at
        if is_inside and all(abs(marker.at - o.at) >= _apart(marker, o) * width_us for o in chosen):
            chosen.append(marker)
    return sorted(chosen, key=lambda m: m.at)


def _apart(first: Marker, second: Marker) -> float:
    """Share of the width that the middles of two labels need between them."""
    letters = len(_short(first.label)) + len(_short(second.label))
    return (letters / 2 * 6.2 + 12) / LABEL_ROOM


def _rank(category: str) -> int:
    return IMPORTANCE.index(category) if category in IMPORTANCE else len(IMPORTANCE)


def shapes(series: LiveSeries, theme_name: theme.Theme) -> list[dict[str, Any]]:
    """The usual range as a band, and a dotted line up from each labelled happening."""
    colors = theme.COLORS[theme_name]
    band = []
    if series.usual_low is not None and series.usual_high is not None:
        band.append(
            {
                "type": "rect",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "yref": "y",
                "y0": round(series.usual_low, 1),
                "y1": round(series.usual_high, 1),
                "line": {"width": 0},
                "fillcolor": theme.alpha(colors["accent"], 0.14),
                "layer": "below",
            }
        )
    return band + [
        {
            "type": "line",
            "x0": x_ms(marker.at),
            "x1": x_ms(marker.at),
            "yref": "paper",
            "y0": LANE_TOP - 0.03,
            "y1": 1,
            "line": {"width": 1, "dash": "dot", "color": colors["edge"]},
            "layer": "below",
        }
        for marker in labelled(series)
    ]


def label_chips(series: LiveSeries, tz: ZoneInfo, theme_name: theme.Theme) -> list[dict[str, Any]]:
    """The words of the labelled happenings, as chips in the lane."""
    colors = theme.COLORS[theme_name]
    width_us = max(series.end_at - series.start_at, 1)
    return [
        {
            "x": x_ms(marker.at),
            "xanchor": _anchor((marker.at - series.start_at) / width_us),
            "yref": "y3",
            "y": 0.5,
            "text": _plain(_short(marker.label)),
            "showarrow": False,
            "font": {"size": 11, "color": category_color(marker.category, theme_name)},
            "bgcolor": colors["raised"],
            "bordercolor": colors["line"],
            "borderpad": 3,
            "hovertext": _label_hover(marker, series, tz),
        }
        for marker in labelled(series)
    ]


def _label_hover(label: Marker, series: LiveSeries, tz: ZoneInfo) -> str:
    """The label in full, and everything that stands hidden under it."""
    reach_us = int((series.end_at - series.start_at) * LABEL_HALF_SHARE)
    under = [m for m in series.markers if m is not label and abs(m.at - label.at) <= reach_us]
    named = ", ".join(_plain(marker.label) for marker in under[:4])
    more = f" and {len(under) - 4} more" if len(under) > 4 else ""
    beside = f"<br>beside it: {named}{more}" if under else ""
    return f"{text.clock(label.at, tz)}: {_plain(label.label)}{beside}"


def _plain(label: str) -> str:
    """Names of games are others' words, and Plotly makes links and bold letters of what looks like HTML."""
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(label: str) -> str:
    return label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…"


def _anchor(share: float) -> str:
    return "left" if share < 0.06 else "right" if share > 0.94 else "center"


def axis_range(series: LiveSeries) -> list[int]:
    """Left and right end of the time axis; they move bin by bin."""
    step_us = series.bin_s * 1_000_000
    end = -(-series.end_at // step_us) * step_us
    start = series.start_at // step_us * step_us
    return [x_ms(Instant(start)), x_ms(Instant(end))]


def _axes(series: LiveSeries, colors: dict[str, str]) -> dict[str, Any]:
    return {
        "xaxis": {
            "type": "date",
            "range": axis_range(series),
            "nticks": TIME_TICKS,
            "anchor": "free",
            "position": 0,
            "tickformatstops": list(TIME_FORMATS),
            "unifiedhovertitle": {"text": "At %{x|%H:%M:%S}"},
        },
        "yaxis": {
            "domain": [LANE_TOP, 1],
            "rangemode": "tozero",
            "nticks": 5,
            "tickformat": "~s",
            "tickfont": {"color": colors["accent"]},
        },
        "yaxis2": {
            "domain": [LANE_TOP, 1],
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "nticks": 5,
            "showgrid": False,
            # A scale without a line on it would show numbers that nobody measured.
            "visible": bool(series.viewers),
            "tickmode": "auto",
            "tickformat": "~s",
            "tickfont": {"color": colors["info"]},
        },
        "yaxis3": {"domain": [0, LANE_TOP - 0.03], "range": [0, 1], "visible": False, "fixedrange": True},
        "yaxis4": {
            "domain": [LANE_TOP, 1],
            "overlaying": "y",
            "range": [0, 1],
            "visible": False,
            "fixedrange": True,
        },
    }
