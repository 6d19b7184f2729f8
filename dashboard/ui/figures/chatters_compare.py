"""Two captures beside each other, as charts: who came and left by age, and the viewers meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import plotly.graph_objects as go

from dashboard.insights.chatters_people_model import ComparedAges, Comparison
from dashboard.ui import theme
from dashboard.ui.figures.chatters import BAR_SHARE, DAY_MS, iso, middle

SIDES: Final = (("came", "good"), ("left", "orange"))
"""Upwards and downwards, each with its colour."""
CLOSE: Final = 0.25
"""Captures nearer to each other than this share of the chart have their words on the outer sides."""
RAID_SHIFT: Final = 14
"""Pixels by which a raid's words stand over those of the captures."""
TIME_FORMATS: Final = (
    {"dtickrange": [None, 59_999], "value": "%H:%M:%S"},
    {"dtickrange": [60_000, 86_399_999], "value": "%H:%M"},
    {"dtickrange": [86_400_000, None], "value": "%-d %b"},
)


def compared_figure(ages: ComparedAges, *, theme_name: theme.Theme) -> go.Figure:
    """Creation dates of who came, upwards, and of who left, downwards.

    Those who stayed are many more; they are a line, drawn as high as if they were as many as came.

    Args:
        ages: What to draw.
        theme_name: ``dark`` or ``light``.

    Returns:
        Bars in the order of :data:`SIDES`, then the line.
    """
    colors = theme.COLORS[theme_name]
    x = [iso(day) for day in ages.start_day]
    widths = [
        (end - start + 1) * DAY_MS * BAR_SHARE
        for start, end in zip(ages.start_day, ages.end_day, strict=True)
    ]
    figure = go.Figure(layout={"template": theme.template(theme_name)})
    for (side, color), sign in zip(SIDES, (1, -1), strict=True):
        people = getattr(ages, side)
        figure.add_bar(
            name=side,
            x=x,
            y=[sign * number for number in people],
            offset=0,
            width=widths,
            customdata=list(people),
            marker={"color": colors[color], "line": {"width": 0}},
            hovertemplate=f"%{{customdata:,}} {side}<extra></extra>",
        )
    figure.add_scatter(
        name="stayed",
        x=[middle(start, end) for start, end in zip(ages.start_day, ages.end_day, strict=True)],
        y=_scaled(ages),
        customdata=list(ages.stayed),
        mode="lines",
        line={"color": colors["muted"], "width": 1.5},
        hovertemplate="%{customdata:,} stayed<extra></extra>",
    )
    top, bottom = max((*ages.came, *_scaled(ages), 1)), max((*ages.left, 0))
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        dragmode=False,
        margin={"l": 36, "r": 12, "t": 8, "b": 24},
        xaxis={
            "type": "date",
            "nticks": 6,
            "fixedrange": True,
            "unifiedhovertitle": {"text": "Created from %{x|%-d %b %Y} on"},
        },
        yaxis={
            "range": [-bottom * 1.1, top * 1.1],
            "fixedrange": True,
            "zeroline": True,
            "zerolinecolor": colors["line"],
            **_ticks(top, bottom),
        },
    )
    return figure


def _scaled(ages: ComparedAges) -> list[float]:
    """Those who stayed, as if they were as many as came."""
    share = sum(ages.came) / max(sum(ages.stayed), 1)
    return [round(number * share, 3) for number in ages.stayed]


def _ticks(top: float, bottom: float) -> dict[str, Any]:
    """Counts without a sign on both sides of zero."""
    step = next(size for size in _steps() if size * 4 >= top + bottom)
    values = range(-int(bottom // step), int(top // step) + 1)
    return {
        "tickvals": [value * step for value in values],
        "ticktext": [f"{abs(value) * step:,}" for value in values],
    }


def _steps() -> Iterator[int]:
    for power in count():
        yield from (size * 10**power for size in (1, 2, 5))


def viewers_figure(comparison: Comparison, *, theme_name: theme.Theme) -> go.Figure:
    """The viewer curve around two captures, with the captures and the raids at their times.

    Args:
        comparison: What to draw.
        theme_name: ``dark`` or ``light``.

    Returns:
        One line, and a dotted line with its words for each capture and raid.
    """
    colors = theme.COLORS[theme_name]
    figure = go.Figure(layout={"template": theme.template(theme_name)})
    figure.add_scatter(
        name="viewers",
        x=[at // 1000 for at in comparison.viewers_at],
        y=list(comparison.viewers),
        mode="lines" if len(comparison.viewers) > 1 else "markers",
        line={"color": colors["info"], "width": 2},
        hovertemplate="%{y:,} viewers<extra></extra>",
    )
    moments = _moments(comparison)
    figure.update_layout(
        dragmode=False,
        margin={"l": 40, "r": 12, "t": 40 if comparison.raids else 26, "b": 24},
        xaxis={
            "type": "date",
            "range": [comparison.start_at // 1000, comparison.end_at // 1000],
            "nticks": 5,
            "fixedrange": True,
            "tickformatstops": list(TIME_FORMATS),
            "unifiedhovertitle": {"text": "At %{x|%H:%M}"},
        },
        yaxis={
            "rangemode": "tozero",
            "nticks": 5,
            "tickformat": "~s",
            "fixedrange": True,
            "visible": bool(comparison.viewers),
        },
        shapes=[_line(at, colors[color], dash) for at, _, color, dash in moments],
        annotations=_all_words(moments, colors, comparison),
    )
    return figure


def _moments(comparison: Comparison) -> list[tuple[int, str, str, str]]:
    """Instant, words, colour and dash of everything that is marked."""
    captures = [
        (int(comparison.before.at), "first", "accent", "solid"),
        (int(comparison.after.at), "second", "accent", "solid"),
    ]
    raids = [
        (int(raid.at), f"raid {raid.viewer_count:+,}" if raid.viewer_count else "raid", "pink", "dot")
        for raid in comparison.raids
    ]
    return captures + raids


def _line(at: int, color: str, dash: str) -> dict[str, Any]:
    line = {"width": 1, "dash": dash, "color": color}
    return {
        "type": "line",
        "x0": at // 1000,
        "x1": at // 1000,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": line,
    }


def _all_words(
    moments: list[tuple[int, str, str, str]], colors: dict[str, str], comparison: Comparison
) -> list[dict[str, Any]]:
    """The words over the lines; those of the captures side by side, raids on a line of their own."""
    length = max(comparison.end_at - comparison.start_at, 1)
    is_close = (comparison.after.at - comparison.before.at) / length < CLOSE
    found = []
    for number, (at, words, color, _) in enumerate(moments):
        share = (at - comparison.start_at) / length
        anchor = "left" if share < 0.1 else "right" if share > 0.9 else "center"
        if number < 2 and is_close:
            anchor = ("right", "left")[number]
        found.append(_words(at, words, colors[color], anchor, 0 if number < 2 else RAID_SHIFT))
    return found


def _words(at: int, words: str, color: str, anchor: str, shift: int) -> dict[str, Any]:
    return {
        "x": at // 1000,
        "yref": "paper",
        "y": 1.0,
        "yanchor": "bottom",
        "yshift": shift,
        "xanchor": anchor,
        "text": words,
        "showarrow": False,
        "font": {"size": 11, "color": color},
    }
