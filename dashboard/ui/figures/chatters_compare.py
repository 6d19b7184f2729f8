"""Two captures beside each other, as charts: who came and left by age, and the viewers meanwhile."""

from __future__ import annotations

from typing import Any, Final

import plotly.graph_objects as go

from dashboard.insights.chatters_people_model import ComparedAges, Comparison
from dashboard.ui import theme
from dashboard.ui.figures.chatters import DAY_MS, iso

SIDES: Final = (("came", "good"), ("left", "orange"), ("stayed", "muted"))
"""In the order of the traces, each with its colour."""


def compared_figure(ages: ComparedAges, *, theme_name: theme.Theme) -> go.Figure:
    """Creation dates of who came, who left and who stayed, beside each other.

    Args:
        ages: What to draw.
        theme_name: ``dark`` or ``light``.

    Returns:
        Three groups of bars, in the order of :data:`SIDES`.
    """
    colors = theme.COLORS[theme_name]
    x = [iso(day) for day in ages.start_day]
    widths = [
        (end - start + 1) * DAY_MS * 0.3 for start, end in zip(ages.start_day, ages.end_day, strict=True)
    ]
    figure = go.Figure(layout={"template": theme.template(theme_name)})
    for place, (side, color) in enumerate(SIDES):
        figure.add_bar(
            name=side,
            x=x,
            y=list(getattr(ages, side)),
            offset=[width * place for width in widths],
            width=widths,
            marker={"color": colors[color], "line": {"width": 0}},
            hovertemplate=f"%{{y:,}} {side}<extra></extra>",
        )
    figure.update_layout(
        bargap=0,
        dragmode=False,
        margin={"l": 36, "r": 12, "t": 8, "b": 24},
        xaxis={
            "type": "date",
            "nticks": 6,
            "fixedrange": True,
            "unifiedhovertitle": {"text": "Created from %{x|%-d %b %Y} on"},
        },
        yaxis={"rangemode": "tozero", "nticks": 5, "tickformat": "~s", "fixedrange": True},
    )
    return figure


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
        margin={"l": 40, "r": 12, "t": 26, "b": 24},
        xaxis={
            "type": "date",
            "range": [comparison.start_at // 1000, comparison.end_at // 1000],
            "nticks": 5,
            "fixedrange": True,
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
        annotations=[_words(at, words, colors[color], comparison) for at, words, color, _ in moments],
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


def _words(at: int, words: str, color: str, comparison: Comparison) -> dict[str, Any]:
    share = (at - comparison.start_at) / max(comparison.end_at - comparison.start_at, 1)
    return {
        "x": at // 1000,
        "yref": "paper",
        "y": 1.0,
        "yanchor": "bottom",
        "xanchor": "left" if share < 0.1 else "right" if share > 0.9 else "center",
        "text": words,
        "showarrow": False,
        "font": {"size": 11, "color": color},
    }
