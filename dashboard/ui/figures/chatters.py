"""The charts of the Chatters page: when the accounts were made, and what would be usual.

Days are dates written as text, because plotly shows those as they stand; instants (the viewer
curve) are whole milliseconds, which it shows on the clock of the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.insights.chatters_model import AgeCurve, CohortLine, Grain, Histogram
from dashboard.ui import chatters_text, theme

BARS: Final = 0
COHORTS: Final = 1
EXPECTED: Final = 2
MARKS: Final = 3

DAY_MS: Final = 86_400_000
BAR_SHARE: Final = 0.92
"""Of its bin that a bar fills."""
LABELS: Final = 3
"""So many cohorts get their words on the chart; all of them are marked."""
LABEL_SHARE: Final = 0.27
"""Width of a label as a share of the chart, on a phone."""
HEADROOM: Final = 1.3
"""The highest bar leaves room for a label."""
HOVER_FORMATS: Final[dict[Grain, str]] = {
    "day": "%-d %b %Y",
    "week": "week from %-d %b %Y",
    "month": "%b %Y",
    "year": "%Y",
}
AGE_TICKS: Final = (
    (1, "1 d"),
    (7, "1 wk"),
    (30, "1 mo"),
    (365, "1 y"),
    (1826, "5 y"),
    (5479, "15 y"),
)

Days = NDArray[np.int64]


def iso(day: int) -> str:
    """A day as plotly takes it, in every time zone the same."""
    return chatters_text.day_of(day).isoformat()


def middle(start_day: int, end_day: int) -> str:
    """The middle of the days from one to another, inclusive."""
    half_days = start_day + end_day + 1
    return iso(half_days // 2) + (" 12:00" if half_days % 2 else "")


def blank_figure() -> go.Figure:
    """Stands in for a chart until the first answer: plotly's own axes would show numbers."""
    hidden = {"visible": False}
    clear = "rgba(0,0,0,0)"
    return go.Figure(layout={"xaxis": hidden, "yaxis": hidden, "paper_bgcolor": clear, "plot_bgcolor": clear})


def histogram_figure(
    histogram: Histogram,
    cohorts: Sequence[CohortLine],
    *,
    theme_name: theme.Theme,
    picked: tuple[int, int] | None = None,
    is_narrow: bool = False,
) -> go.Figure:
    """Accounts by creation date, what would be expected, and the unusual cohorts marked.

    Args:
        histogram: What to draw.
        cohorts: Those of the analysis; the ones outside of the picture are left out.
        theme_name: ``dark`` or ``light``.
        picked: First and last day whose accounts are listed below; their bars are outlined.
        is_narrow: A phone: no brush, so that a finger can scroll the page.

    Returns:
        Four traces in fixed places (:data:`BARS`, :data:`COHORTS`, :data:`EXPECTED`, :data:`MARKS`).
    """
    colors = theme.COLORS[theme_name]
    by_number = {cohort.number: cohort for cohort in cohorts}
    figure = go.Figure(
        data=[
            _bars(histogram, by_number, colors, picked),
            _cohort_bars(histogram, by_number, colors, picked),
            _expected(histogram, colors),
            _marks(histogram, by_number, colors),
        ],
        layout={"template": theme.template(theme_name)},
    )
    top = max((*histogram.observed, *histogram.expected, 1))
    figure.update_layout(
        hovermode="x",
        hoverdistance=40,
        dragmode=False if is_narrow else "zoom",
        bargap=0,
        margin={"l": 36, "r": 12, "t": 8, "b": 24},
        xaxis={
            "type": "date",
            "range": _range(histogram),
            "hoverformat": HOVER_FORMATS[histogram.grain],
            "nticks": 4 if is_narrow else 6,
            "tickangle": 0,
            "showspikes": False,
        },
        yaxis={
            "range": [0, top * HEADROOM],
            "nticks": 5,
            "tickformat": ",d" if top >= 4 else ",.2~f",
            "fixedrange": True,
        },
        annotations=_labels(histogram, by_number, colors),
    )
    return figure


def _range(histogram: Histogram) -> list[str]:
    if not histogram.start_day:
        return ["2020-01-01", "2020-02-01"]
    return [iso(histogram.start_day[0]), iso(histogram.end_day[-1] + 1)]


def _bars(
    histogram: Histogram,
    cohorts: dict[int, CohortLine],
    colors: dict[str, str],
    picked: tuple[int, int] | None,
) -> go.Bar:
    """How many accounts were made in each bin without a cohort.

    Arrays and one template for all of them: a bar a day over all years is thousands.
    """
    observed = np.array(
        [
            np.nan if number in cohorts else count
            for count, number in zip(histogram.observed, histogram.cohort, strict=True)
        ],
        dtype=np.float32,
    )
    start, end = _days(histogram)
    return go.Bar(
        name="accounts created",
        x=_dates(start),
        y=observed,
        offset=0,
        width=(end - start + 1) * (DAY_MS * BAR_SHARE),
        marker={"color": theme.alpha(colors["accent"], 0.75), "line": _outline(start, end, picked, colors)},
        customdata=np.column_stack([start, end, np.array(histogram.expected, dtype=np.float64)]),
        hovertemplate="%{y:,} created, %{customdata[2]:,.2~f} expected<extra></extra>",
    )


def _cohort_bars(
    histogram: Histogram,
    cohorts: dict[int, CohortLine],
    colors: dict[str, str],
    picked: tuple[int, int] | None,
) -> go.Bar:
    """The bins with a cohort in them, each with its sentence."""
    at = [index for index, number in enumerate(histogram.cohort) if number in cohorts]
    start, end = (days[at] for days in _days(histogram))
    return go.Bar(
        name="unusual cohort",
        x=_dates(start),
        y=[histogram.observed[index] for index in at],
        offset=0,
        width=(end - start + 1) * (DAY_MS * BAR_SHARE),
        marker={"color": colors["warn"], "line": _outline(start, end, picked, colors)},
        customdata=np.column_stack([start, end]),
        hovertext=[_sentence(histogram, index, cohorts) for index in at],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _days(histogram: Histogram) -> tuple[Days, Days]:
    return np.array(histogram.start_day, dtype=np.int64), np.array(histogram.end_day, dtype=np.int64)


def _dates(days: Days) -> NDArray[np.object_]:
    """Days as plotly takes them, in every time zone the same."""
    return np.datetime_as_string(days.astype("datetime64[D]")).astype(object)


def _outline(
    start: Days, end: Days, picked: tuple[int, int] | None, colors: dict[str, str]
) -> dict[str, Any]:
    """The line around the bars whose accounts are listed."""
    if picked is None:
        return {"width": 0}
    is_picked = (start <= picked[1]) & (end >= picked[0])
    return {"width": np.where(is_picked, 2, 0), "color": colors["text"]}


def _sentence(histogram: Histogram, index: int, cohorts: dict[int, CohortLine]) -> str:
    """What the hover of a bin with a cohort says."""
    cohort = cohorts[histogram.cohort[index] or 0]
    expected = chatters_text.expected_words(histogram.expected[index])
    days = chatters_text.days_words(cohort.start_day, cohort.end_day)
    return (
        f"{histogram.observed[index]:,} created, {expected} expected<br><b>Unusual: {days}</b><br>"
        f"{_against(cohort)}, {chatters_text.q_words(cohort.q)}"
    )


def _against(cohort: CohortLine) -> str:
    return f"{cohort.observed:,} against {chatters_text.expected_words(cohort.expected)} expected"


def _expected(histogram: Histogram, colors: dict[str, str]) -> go.Scatter:
    """What a crowd of this size out of the baseline would show, at the middle of each bin."""
    start, end = _days(histogram)
    middles = np.datetime_as_string(
        start.astype("datetime64[D]").astype("datetime64[h]") + (end - start + 1) * 12
    )
    return go.Scatter(
        name="expected",
        x=middles.astype(object),
        y=np.array(histogram.expected, dtype=np.float32),
        mode="lines",
        line={"color": colors["text"], "width": 1.5},
        hoverinfo="skip",
    )


def _seen(histogram: Histogram, cohorts: dict[int, CohortLine]) -> list[tuple[CohortLine, int]]:
    """The cohorts that the picture shows, the most unusual one first, each with its highest bin."""
    found: dict[int, int] = {}
    for index, number in enumerate(histogram.cohort):
        if number in cohorts and (
            number not in found or histogram.observed[index] > histogram.observed[found[number]]
        ):
            found[number] = index
    return [(cohorts[number], found[number]) for number in sorted(found)]


def _marks(histogram: Histogram, cohorts: dict[int, CohortLine], colors: dict[str, str]) -> go.Scatter:
    """A triangle over each cohort: its bar may be thinner than a pixel."""
    shown = _seen(histogram, cohorts)
    return go.Scatter(
        name="unusual cohort",
        x=[middle(histogram.start_day[i], histogram.end_day[i]) for _, i in shown],
        y=[histogram.observed[i] for _, i in shown],
        mode="markers",
        marker={
            "symbol": "triangle-down",
            "size": 9,
            "color": colors["warn"],
            "standoff": 7,
            "line": {"width": 0},
        },
        cliponaxis=False,
        hoverinfo="skip",
    )


def _labels(
    histogram: Histogram, cohorts: dict[int, CohortLine], colors: dict[str, str]
) -> list[dict[str, Any]]:
    """The weightiest cohorts in words, where they don't collide."""
    if not histogram.start_day:
        return []
    first, last = histogram.start_day[0], histogram.end_day[-1] + 1
    placed: list[float] = []
    chips = []
    for cohort, index in _seen(histogram, cohorts):
        place = (histogram.start_day[index] + histogram.end_day[index] + 1 - 2 * first) / (2 * (last - first))
        if len(placed) < LABELS and all(abs(place - other) >= LABEL_SHARE for other in placed):
            placed.append(place)
            chips.append(_chip(cohort, histogram, index, place, colors))
    return chips


def _chip(
    cohort: CohortLine, histogram: Histogram, index: int, place: float, colors: dict[str, str]
) -> dict[str, Any]:
    expected = chatters_text.expected_words(cohort.expected)
    return {
        "x": middle(histogram.start_day[index], histogram.end_day[index]),
        "y": histogram.observed[index],
        "xanchor": "left" if place < 0.14 else "right" if place > 0.86 else "center",
        "yanchor": "bottom",
        "yshift": 16,
        "text": f"{cohort.observed:,}, {expected} expected",
        "showarrow": False,
        "font": {"size": 11, "color": colors["warn"]},
        "bgcolor": colors["raised"],
        "bordercolor": colors["line"],
        "borderpad": 3,
        "hovertext": (
            f"{chatters_text.days_words(cohort.start_day, cohort.end_day)}: {_against(cohort)}, "
            f"{chatters_text.q_words(cohort.q)}"
        ),
    }


def age_curve_figure(
    curve: AgeCurve,
    *,
    theme_name: theme.Theme,
    name: str = "this crowd",
    against: str = "usual",
) -> go.Figure:
    """The share of the accounts that are at most so old, beside what it is compared with.

    Args:
        curve: What to draw.
        theme_name: ``dark`` or ``light``.
        name: Of the line itself, in the hover.
        against: Of what it is compared with.

    Returns:
        Two lines over the age in days, on a logarithmic scale: young accounts are what matters.
    """
    colors = theme.COLORS[theme_name]
    kept = [index for index, days in enumerate(curve.age_days) if days >= 1]
    x = [curve.age_days[index] for index in kept]
    figure = go.Figure(layout={"template": theme.template(theme_name)})
    lines: tuple[tuple[str, Sequence[float], str, float], ...] = (
        (against, curve.expected, colors["text"], 1.5),
        (name, curve.observed, colors["accent"], 2),
    )
    for words, values, color, width in lines:
        figure.add_scatter(
            name=words,
            x=x,
            y=[round(values[index] * 100, 2) for index in kept],
            mode="lines",
            line={"color": color, "width": width},
            customdata=[chatters_text.age_words(days) for days in x],
            hovertemplate=f"%{{y:.1f}} % of {words}<extra></extra>",
        )
    ticks = [tick for tick in AGE_TICKS if not x or tick[0] <= x[-1]]
    figure.update_layout(
        margin={"l": 40, "r": 12, "t": 8, "b": 24},
        xaxis={
            "type": "log",
            "tickvals": [days for days, _ in ticks],
            "ticktext": [words for _, words in ticks],
            "tickangle": 0,
            "unifiedhovertitle": {"text": "At most %{x:,.0f} days old"},
            "fixedrange": True,
        },
        yaxis={"range": [0, 102], "ticksuffix": " %", "nticks": 5, "fixedrange": True},
        dragmode=False,
    )
    return figure
