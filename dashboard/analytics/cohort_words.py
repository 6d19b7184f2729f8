"""Cohorts in plain language, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from dashboard.analytics.arrivals import Share, Synchrony
from dashboard.analytics.name_shapes import NameShape

if TYPE_CHECKING:
    from dashboard.analytics.account_ages import AgeAnalysis, Cohort

MOST_TOLD: Final = 3
"""Cohorts that a verdict names; the others are counted."""


@dataclass(frozen=True, slots=True)
class CohortEvidence:
    """What is known about the accounts of one cohort besides their age; ``None`` is not known."""

    silent: Share | None = None
    silent_others: Share | None = None
    arrivals: Synchrony | None = None
    follows: Synchrony | None = None
    names: NameShape | None = None


def verdict_words(analysis: AgeAnalysis, evidence: Sequence[CohortEvidence | None] = ()) -> str:
    """Says what was found, for a moderator in a hurry.

    Args:
        analysis: Of the room.
        evidence: For each of its cohorts, in their order; may be shorter.
    """
    if not analysis.cohorts:
        return analysis.verdict
    lines = []
    for index, cohort in enumerate(analysis.cohorts[:MOST_TOLD]):
        told = evidence[index] if index < len(evidence) else None
        lines.append(cohort_words(cohort) + (evidence_words(told) if told else "") + ".")
    more = _more(len(analysis.cohorts), "And ")
    return " ".join([*lines, f"{more}."] if more else lines)


def analysis_words(
    n: int, n_unknown: int, cohorts: Sequence[Cohort], baseline: str, least_accounts: int
) -> str:
    """The verdict on creation days alone.

    Args:
        n: Accounts of known age.
        n_unknown: Accounts of unknown age.
        cohorts: What was found.
        baseline: Where the baseline comes from.
        least_accounts: Below this there is no answer.
    """
    unknown = f"; the age of {n_unknown:,} more is not known" if n_unknown else ""
    if n < least_accounts:
        return (
            f"Too few accounts for a verdict: {n:,} of known age, {least_accounts} are needed{unknown}. "
            "Among so few, a handful created on one day says nothing."
        )
    against = f"{n:,} accounts of known age against {baseline}{unknown}."
    if not cohorts:
        return f"No unusual cohort: no days stand out among {against}"
    told = "; ".join(cohort_words(cohort) for cohort in cohorts[:MOST_TOLD])
    return f"{told}{_more(len(cohorts), '; and ')}. Of {against}"


def _more(count: int, lead: str) -> str:
    left = count - MOST_TOLD
    return f"{lead}{left:,} more {'cohort' if left == 1 else 'cohorts'}" if left > 0 else ""


def cohort_words(cohort: Cohort) -> str:
    """``31 accounts created on 2026-11-02, 2.1 expected (q = 1e-18)``."""
    start, end = day_words(cohort.start_day), day_words(cohort.end_day)
    when = f"on {start}" if start == end else f"from {start} to {end}"
    expected = f"{count_words(cohort.expected)} expected (q = {q_words(cohort.q)})"
    return f"{cohort.observed:,} accounts created {when}, {expected}"


def evidence_words(evidence: CohortEvidence) -> str:
    """What else is known, each part led by a semicolon; empty when there is nothing."""
    parts = []
    if evidence.silent and evidence.silent.total:
        part = f"{evidence.silent.count:,} of {evidence.silent.total:,} have not spoken"
        if evidence.silent_others and evidence.silent_others.share is not None:
            part += f" ({percent_words(evidence.silent_others.share)} of the others have not)"
        parts.append(part)
    parts += _together(evidence.arrivals, "came")
    parts += _together(evidence.follows, "followed")
    names = evidence.names
    if names and names.pattern and names.share is not None and names.p is not None and names.p <= 0.05:
        usual = (
            ""
            if names.usual_share is None
            else f" ({percent_words(names.usual_share)} is usual in this room)"
        )
        parts.append(f"{names.match_count:,} of {names.name_count:,} logins {names.pattern}{usual}")
    return "".join(f"; {part}" for part in parts)


def _together(synchrony: Synchrony | None, verb: str) -> list[str]:
    if synchrony is None or synchrony.p is None or synchrony.p > 0.05:
        return []
    together = synchrony.together
    return [f"{together.count:,} of {together.total:,} {verb} within {synchrony.window_s} s"]


def day_words(day: int) -> str:
    """A day as ISO date."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def count_words(value: float) -> str:
    """An expected count: two figures, never 0."""
    if value < 0.1:
        return "fewer than 0.1"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def percent_words(share: float) -> str:
    """``53 %``, ``0.4 %``; 100 % and 0 % only when it is all or none."""
    percent = share * 100
    if 0 < percent < 1:
        return f"{max(percent, 0.1):.1f} %"
    return f"{min(percent, 99.9):.1f} %" if 99 < percent < 100 else f"{percent:.0f} %"


def q_words(q: float) -> str:
    """``1e-18``, ``0.012``."""
    if q < 1e-300:
        return "below 1e-300"
    return f"{q:.0e}".replace("e-0", "e-") if q < 0.001 else f"{q:.2g}"
