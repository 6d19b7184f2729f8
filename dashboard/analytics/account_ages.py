"""Unusual cohorts: more of a room's accounts were created within a few days than is usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dashboard.analytics.account_baseline import FIRST_DAY, Baseline, Days, default_baseline, mixed
from dashboard.analytics.account_bins import (
    AgeCurve,
    Bins,
    Grain,
    cumulative_curve,
    expected_counts,
    histogram,
)

__all__ = [
    "AgeAnalysis", "AgeCurve", "Baseline", "Bins", "Cohort", "Days", "Grain", "cumulative_curve",
    "default_baseline", "expected_counts", "find_cohorts", "histogram", "mixed",
]  # fmt: skip

LEAST_ACCOUNTS: Final = 100
"""Below this a handful of accounts of one day is no finding whatever the arithmetic says."""
LEAST_COHORT: Final = 5
WINDOWS: Final = (1, 3, 7)
"""Lengths in days that are looked at."""
LEVEL: Final = 0.03
"""Rooms without any wave that may show a cohort, as a share."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Accounts created within a few days, more than chance and the baseline explain."""

    start_day: int
    end_day: int
    """Inclusive."""
    observed: int
    expected: float
    p: float
    q: float
    """How many such cohorts a clean room would show by chance, per cohort reported."""
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


def find_cohorts(
    created_days: Days, baseline: Baseline | None = None, *, as_of_day: int, n_unknown: int = 0
) -> AgeAnalysis:
    """Finds the accounts that were created together.

    Args:
        created_days: Creation day of each account of known age, in any order.
        baseline: What is usual; without one the shipped default.
        as_of_day: The day of the capture; a later creation day counts as unknown.
        n_unknown: Accounts of the room whose age is not known.

    Returns:
        The cohorts and a verdict in words.
    """
    usual = baseline or default_baseline(as_of_day)
    days = created_days[(created_days >= FIRST_DAY) & (created_days <= as_of_day + 1)]
    unknown = n_unknown + len(created_days) - len(days)
    n = len(days)
    is_enough = n >= LEAST_ACCOUNTS
    cohorts = _search(days, usual) if is_enough else ()
    verdict = (
        "No unusual cohort." if is_enough else f"Too few accounts: {n} of known age, {LEAST_ACCOUNTS} needed."
    )
    return AgeAnalysis(n, unknown, is_enough, cohorts, verdict, usual.name, usual.sample_count)


def _search(days: Days, baseline: Baseline) -> tuple[Cohort, ...]:
    return ()
