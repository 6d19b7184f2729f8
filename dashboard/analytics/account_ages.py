"""Unusual cohorts: more of a room's accounts were created within a few days than is usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.account_baseline import FIRST_DAY, Baseline, Days, default_baseline, mixed
from dashboard.analytics.account_bins import (
    AgeCurve,
    Bins,
    Grain,
    cumulative_curve,
    expected_counts,
    histogram,
)
from dashboard.analytics.account_windows import Windows, room_windows
from dashboard.analytics.cohort_words import analysis_words
from dashboard.analytics.compound_tail import Floats, least_counts, upper_tail

__all__ = [
    "AgeAnalysis", "AgeCurve", "Baseline", "Bins", "Cohort", "Days", "Grain", "cumulative_curve",
    "default_baseline", "expected_counts", "find_cohorts", "histogram", "mixed",
]  # fmt: skip

LEAST_ACCOUNTS: Final = 100
"""Below this a handful of accounts of one day is no finding whatever the arithmetic says."""
LEAST_COHORT: Final = 5
"""Fewer accounts are no cohort."""
LEAST_EFFECT: Final = 1.5
LEVEL: Final = 0.03
"""Largest q that is reported; of rooms without any wave no larger share shows a cohort."""

_OVERLAP: Final = {1: 1.0, 3: 0.5, 7: 0.3}
"""Windows of 3 and 7 days overlap: of their false alarms so many are of their own."""
_SPECIAL_SPREAD: Final = 0.1
"""A day that stands out in the baseline too comes with another strength in another room."""
_HOPELESS: Final = 400
"""So far above the level no step of the counts brings it down: the sum need not be made."""
_BINS_PER_E: Final = 8
_MOST_COHORTS: Final = 50


@dataclass(frozen=True, slots=True)
class Cohort:
    """Accounts created within a few days, more than chance and the baseline explain."""

    start_day: int
    end_day: int
    """Inclusive."""
    observed: int
    expected: float
    p: float
    """How often chance gives so many in this one window."""
    q: float
    """False cohorts to expect among those this strong, by chance, per cohort reported: all windows of
    the room are counted in."""
    window_days: int
    """Length of the window that found it: 1, 3 or 7."""
    effect: float
    """Observed ÷ expected."""
    share: float
    """Observed ÷ all accounts of known age."""


@dataclass(frozen=True, slots=True)
class AgeAnalysis:
    """What the creation days of a room show."""

    n: int
    """Accounts of known age."""
    n_unknown: int
    is_enough: bool
    """False: too few accounts for any answer."""
    cohorts: tuple[Cohort, ...]
    """Strongest first."""
    verdict: str
    baseline_name: str = ""
    baseline_count: int = 0
    """Accounts the baseline was estimated from; 0 for the shipped shape."""


def find_cohorts(
    created_days: Days, baseline: Baseline | None = None, *, as_of_day: int, n_unknown: int = 0
) -> AgeAnalysis:
    """Finds the accounts that were created together.

    Args:
        created_days: Creation day of each account of known age, in any order; one per account.
        baseline: What is usual, from other rooms; without one the shipped default.
        as_of_day: The day of the capture; a later creation day counts as unknown.
        n_unknown: Accounts of the room whose age is not known.

    Returns:
        The cohorts and a verdict in words; none below 100 accounts of known age, and the verdict says so.

    Source:
        Windows of 1, 3 and 7 days; over-dispersed upper tails (``compound_tail``); Benjamini and Hochberg
        (1995) with the attainable levels of counts (Heyse 2011) over all windows, and the strongest cohort
        must pass alone.

    Caveats:
        Age alone shows that accounts were made together, not by whom or what for: a game's launch or a
        gift for new accounts does that too.
    """
    usual = baseline or default_baseline(as_of_day)
    days = created_days[(created_days >= FIRST_DAY) & (created_days <= as_of_day + 1)]
    unknown = n_unknown + len(created_days) - len(days)
    n = len(days)
    is_enough = n >= LEAST_ACCOUNTS
    cohorts = _search(days, usual, as_of_day) if is_enough else ()
    verdict = analysis_words(n, unknown, cohorts, usual.name, LEAST_ACCOUNTS)
    return AgeAnalysis(n, unknown, is_enough, cohorts, verdict, usual.name, usual.sample_count)


@dataclass(frozen=True, slots=True)
class _Find:
    """Windows that touch each other, the strongest in front."""

    start: int
    end: int
    p: float
    width: int

    def touches(self, start: int, end: int) -> bool:
        return start <= self.end + 1 and end >= self.start - 1

    def overlaps(self, start: int, end: int) -> bool:
        return start <= self.end and end >= self.start


def _search(days: Days, baseline: Baseline, as_of_day: int) -> tuple[Cohort, ...]:
    windows = room_windows(days, baseline, as_of_day)
    far = windows.expected + 3 * np.sqrt(
        windows.expected * (1 + windows.clump) + windows.spread * windows.expected**2
    )
    is_candidate = (windows.observed >= LEAST_COHORT) & (windows.observed > far)
    at = np.flatnonzero(is_candidate & (windows.observed > LEAST_EFFECT * windows.expected))
    times = baseline.standing_out(windows.start_day[at], windows.days[at])
    spread = windows.spread[at] + np.where(times > 1, _SPECIAL_SPREAD, 0.0)
    p = upper_tail(windows.observed[at], windows.expected[at] * times, windows.clump, spread)
    bins = _bins(windows)
    # Where accounts come in clumps, how big they are is a guess too: stricter by as much.
    strict = max(1.0, windows.clump)
    finds: list[_Find] = []
    levels: list[float] = []
    for index in np.argsort(p, kind="stable"):
        start = int(windows.start_day[at[index]])
        width = int(windows.days[at[index]])
        end = start + width - 1
        if any(find.overlaps(start, end) for find in finds):
            continue
        level = strict * _false_windows(float(p[index]), bins, windows.clump)
        touched = next((k for k, find in enumerate(finds) if find.touches(start, end)), None)
        if level > LEVEL * (len(finds) + (touched is None)) or len(finds) >= _MOST_COHORTS:
            break
        if touched is None:
            finds.append(_Find(start, end, float(p[index]), width))
            levels.append(level)
        else:
            old = finds[touched]
            finds[touched] = _Find(min(start, old.start), max(end, old.end), old.p, old.width)
    # q never falls with p: that of a cohort is the least that lets it in.
    q = np.array(levels) / np.arange(1, len(levels) + 1)
    q = np.minimum.accumulate(q[::-1])[::-1]
    return tuple(_cohort(find, float(value), days, windows) for find, value in zip(finds, q, strict=True))


def _cohort(find: _Find, q: float, days: Days, windows: Windows) -> Cohort:
    inside = days[(days >= find.start) & (days <= find.end)]
    start, end = int(inside.min()), int(inside.max())
    is_day = (windows.days == 1) & (windows.start_day >= start) & (windows.start_day <= end)
    if find.end - find.start + 1 == find.width:
        is_day = (windows.days == find.width) & (windows.start_day == find.start)
    expected = float(windows.expected[is_day].sum())
    observed = len(inside)
    return Cohort(
        start, end, observed, expected, find.p, q, find.width, observed / expected, observed / len(days)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """Windows with about the same expected count, together: for sums over all of them."""

    weight: Floats
    expected: Floats
    spread: Floats


def _bins(windows: Windows) -> _Bins:
    keys = np.floor(np.log(windows.expected) * _BINS_PER_E).astype(np.int64)
    keys = (keys - keys.min()) * 8 + windows.days
    _, place = np.unique(keys, return_inverse=True)
    count = np.bincount(place)
    overlap = np.array([_OVERLAP.get(width, 0.0) for width in range(8)], dtype=np.float64)
    weight: Floats = np.bincount(place, overlap[windows.days]).astype(np.float64)
    expected = np.bincount(place, windows.expected) / count
    spread = np.bincount(place, windows.spread * windows.expected**2) / count / expected**2
    return _Bins(weight, expected, spread)


def _false_windows(p: float, bins: _Bins, clump: float) -> float:
    """How many windows of a clean room come out this strong: a count can't take every value of p."""
    highest = p * float(bins.weight.sum())
    if highest > _HOPELESS * LEVEL:
        return highest
    least = least_counts(p, bins.expected, clump, bins.spread, at_least=LEAST_COHORT)
    return float((bins.weight * upper_tail(least, bins.expected, clump, bins.spread)).sum())
