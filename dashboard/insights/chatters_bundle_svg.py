"""The pictures of the evidence bundle: SVG inside the page, labels as text beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape
from typing import Final

from dashboard.analytics.cohort_words import day_words
from dashboard.insights.chatters_model import AgeCurve, CohortLine, Histogram

_WIDTH: Final = 900.0
_HEIGHT: Final = 200.0
_NARROWEST: Final = 1.5
_MOST_POINTS: Final = 1_200
_MOST_LABELS: Final = 8
_LAST_LABEL: Final = 0.9
"""Further to the right a label would stand out of the picture."""
_EPOCH: Final = date(1970, 1, 1)
_AGES: Final = (
    (1, "1 day"),
    (7, "1 week"),
    (30, "1 month"),
    (365, "1 year"),
    (1826, "5 years"),
    (3652, "10 years"),
)


def histogram_svg(histogram: Histogram, cohorts: Sequence[CohortLine]) -> str:
    """Accounts by creation date as bars, what was expected as a line, the cohorts marked by their numbers.

    Args:
        histogram: What to draw.
        cohorts: Those found; the ones outside of the picture have no mark.

    Returns:
        HTML; empty when there is nothing to draw.
    """
    if not histogram.start_day or not any(histogram.observed):
        return ""
    first, last = histogram.start_day[0], histogram.end_day[-1] + 1
    top = max((*histogram.observed, *histogram.expected))

    def x(day: float) -> float:
        return (day - first) / (last - first) * _WIDTH

    def y(count: float) -> float:
        return _HEIGHT - count / top * (_HEIGHT - 8)

    bars: dict[bool, list[str]] = {False: [], True: []}
    for index, count in enumerate(histogram.observed):
        if count:
            left, right = x(histogram.start_day[index]), x(histogram.end_day[index] + 1)
            width = max(_NARROWEST, (right - left) * 0.9)
            bars[histogram.cohort[index] is not None].append(
                f"M{left:.1f},{y(count):.1f}h{width:.1f}V{_HEIGHT:.0f}h-{width:.1f}z"
            )
    step = math.ceil(len(histogram.expected) / _MOST_POINTS)
    line = " ".join(
        f"{x((histogram.start_day[i] + histogram.end_day[i] + 1) / 2):.1f},{y(histogram.expected[i]):.1f}"
        for i in range(0, len(histogram.expected), step)
    )
    words = (
        f"{histogram.count:,} accounts by creation date, {day_words(first)} to {day_words(last - 1)}; "
        f"the highest bar is {max(histogram.observed):,}"
    )
    marks = [
        (x((cohort.start_day + cohort.end_day + 1) / 2) / _WIDTH, str(cohort.number))
        for cohort in cohorts
        if cohort.end_day >= first and cohort.start_day < last
    ]
    return (
        f'<div class="marks" aria-hidden="true">{_placed("b", marks)}</div>'
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(words)}"><path class="bar" d="{"".join(bars[False])}"/>'
        f'<path class="bar odd" d="{"".join(bars[True])}"/>'
        f'<polyline class="usual" points="{line}"/></svg>'
        f'<div class="axis" aria-hidden="true">{_placed("span", _dates(first, last))}</div>'
        f'<p class="muted key"><i class="bar"></i>accounts created in a {histogram.grain} &nbsp; '
        '<i class="bar odd"></i>in an unusual cohort &nbsp; <i class="usual"></i>expected from the baseline. '
        f"{escape(words)}.</p>"
    )


def age_svg(curve: AgeCurve) -> str:
    """The share of the accounts that are at most so old, beside the baseline's.

    Args:
        curve: Shares by age.

    Returns:
        HTML; empty when there is nothing to draw.
    """
    if len(curve.age_days) < 2:
        return ""
    last = math.log1p(curve.age_days[-1]) or 1.0

    def place(age: float) -> float:
        return min(1.0, math.log1p(age) / last)

    def points(shares: Iterable[float]) -> str:
        pairs = zip(curve.age_days, shares, strict=True)
        return " ".join(f"{place(age) * _WIDTH:.1f},{_HEIGHT - share * _HEIGHT:.1f}" for age, share in pairs)

    ages = [(place(age), words) for age, words in _AGES if place(age) < _LAST_LABEL]
    median = (
        "" if curve.median_age_days is None else f" Half are younger than {curve.median_age_days:,.0f} days"
    )
    if median and curve.expected_median_age_days is not None:
        median += f"; {curve.expected_median_age_days:,.0f} days would be usual"
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none" role="img" '
        'aria-label="Share of the accounts by age, and what is usual">'
        f'<polyline class="usual" points="{points(curve.expected)}"/>'
        f'<polyline class="seen" points="{points(curve.observed)}"/></svg>'
        f'<div class="axis" aria-hidden="true">{_placed("span", ages)}</div>'
        '<p class="muted key"><i class="seen"></i>share of these accounts that are at most so old, 0 to 100 %'
        f' &nbsp; <i class="usual"></i>of the baseline.{escape(median)}{"." if median else ""}</p>'
    )


def _placed(tag: str, places: Iterable[tuple[float, str]]) -> str:
    return "".join(f'<{tag} style="left:{share:.2%}">{escape(words)}</{tag}>' for share, words in places)


def _dates(first: int, last: int) -> list[tuple[float, str]]:
    """Round dates under a picture, a few at most: years, months or days."""
    days = last - first
    start, end = _EPOCH + timedelta(days=first), _EPOCH + timedelta(days=last)
    if days > 730:
        step = math.ceil((end.year - start.year + 1) / _MOST_LABELS)
        found = [(date(year, 1, 1), str(year)) for year in range(start.year, end.year + 1, step)]
    elif days > 62:
        months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
        step = math.ceil(len(months) / _MOST_LABELS)
        firsts = [date(month // 12, month % 12 + 1, 1) for month in months[::step]]
        found = [(day, f"{day:%b %Y}") for day in firsts]
    else:
        step = math.ceil(days / _MOST_LABELS)
        some = [start + timedelta(days=offset) for offset in range(0, days, step)]
        found = [(day, f"{day.day} {day:%b}") for day in some]
    places = (((day - _EPOCH).days, words) for day, words in found)
    return [((day - first) / days, words) for day, words in places if 0 <= day - first < days * _LAST_LABEL]
