"""Dates, q-values and counts of the Chatters page, as a person reads them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from dashboard.insights.chatters_model import Grain

EPOCH: Final = date(1970, 1, 1)


def day_of(day: int) -> date:
    """The date of a day counted from 1970-01-01."""
    return EPOCH + timedelta(days=day)


def day_words(day: int) -> str:
    """A date as in ``2 Nov 2026``."""
    moment = day_of(day)
    return f"{moment.day} {moment:%b} {moment.year}"


def days_words(start_day: int, end_day: int) -> str:
    """One day or several: ``2 Nov 2026``, ``2–4 Nov 2026``, ``30 Oct – 2 Nov 2026``."""
    start, end = day_of(start_day), day_of(end_day)
    if start == end:
        return day_words(start_day)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}–{day_words(end_day)}"
    year = "" if start.year == end.year else f" {start.year}"
    return f"{start.day} {start:%b}{year} – {day_words(end_day)}"


def bin_words(grain: Grain, start_day: int, end_day: int) -> str:
    """The name of one bar: ``2 Nov 2026``, ``the week from 2 Nov 2026``, ``November 2026``, ``2026``."""
    start = day_of(start_day)
    if grain == "day":
        return day_words(start_day)
    if grain == "week":
        return f"the week from {day_words(start_day)}"
    return f"{start:%B} {start.year}" if grain == "month" else f"{start.year}"


def q_words(q: float) -> str:
    """A q-value as in ``q = 1e-18`` or ``q = 0.012``."""
    if q <= 0:
        return "q < 1e-300"
    if q >= 0.001:
        return f"q = {q:.3f}"
    mantissa, exponent = f"{q:.0e}".split("e")
    return f"q = {mantissa}e{int(exponent)}"


def expected_words(expected: float) -> str:
    """A count that is no whole number: ``2.1``, ``0.04``, ``1,203``."""
    if expected >= 10:
        return f"{expected:,.0f}"
    if expected >= 0.095:
        return f"{expected:.1f}"
    return f"{expected:.2f}" if expected >= 0.005 else "0"


def accounts_words(count: int) -> str:
    """``1 account``, ``1,412 accounts``."""
    return "1 account" if count == 1 else f"{count:,} accounts"


def times_words(effect: float) -> str:
    """How much more than expected: ``15×``, ``2.4×``."""
    return f"{effect:.1f}×" if effect < 10 else f"{effect:,.0f}×"


def age_words(age_days: int | float | None) -> str:
    """An age in one unit or two: ``today``, ``12 days``, ``5 months``, ``3 y 2 m``.

    Args:
        age_days: Whole days; None is not known.
    """
    if age_days is None:
        return "not known yet"
    days = int(age_days)
    if days < 1:
        return "less than a day"
    if days < 60:
        return "1 day" if days == 1 else f"{days} days"
    months = max(2, int(days / 30.4375))
    if months < 24:
        return f"{months} months"
    years, rest = divmod(months, 12)
    return f"{years} y {rest} m" if rest else f"{years} y"


def share_words(share: float | None) -> str:
    """A share in percent: ``97 %``, ``0.4 %``; a dash when it is not known."""
    if share is None:
        return "–"
    percent = share * 100
    return f"{percent:.1f} %" if 0 < percent < 1 else f"{percent:.0f} %"
