"""The analysis of a crowd as the page shows it: counts, picture, cohorts, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from dashboard.analytics.account_ages import AgeAnalysis, cumulative_curve, expected_counts, histogram
from dashboard.analytics.cohort_words import CohortEvidence, cohort_words, evidence_words, verdict_words
from dashboard.analytics.timebins import DAY_US
from dashboard.events import Instant
from dashboard.insights.chatters_crowd import UNKNOWN, Crowd, Flags, Numbers
from dashboard.insights.chatters_evidence import Met, evidence_of
from dashboard.insights.chatters_model import (
    AgeCurve,
    CaptureLine,
    ChattersAnalysis,
    CohortLine,
    Grain,
    Histogram,
    Selection,
    ServiceAccount,
    TopDay,
)
from dashboard.insights.chatters_tested import Tested, trait_words

TOP_DAYS: Final = 10
MOST_TOLD: Final = 3
"""So many cohorts stand in the verdict."""
_MOST_SERVICES: Final = 50


def analysis_of(
    tested: Tested,
    cohorts: Sequence[CohortLine],
    verdict: str,
    selection: Selection,
    captures: Sequence[CaptureLine],
    notes: Sequence[str],
) -> ChattersAnalysis:
    """Puts a test into the values that the page shows.

    Args:
        tested: The test.
        cohorts: From :func:`cohort_lines`.
        verdict: From there, too.
        selection: What was asked.
        captures: The lines of what was read.
        notes: What the reader has to know besides.
    """
    crowd, chat, found = tested.crowd, tested.chat, tested.analysis
    counted = {name: int((has & ~crowd.is_service).sum()) for name, has in tested.traits.items()}
    return ChattersAnalysis(
        selection=selection,
        captures=tuple(captures),
        source=crowd.source,
        account_count=int((~crowd.is_service).sum()),
        n=found.n,
        n_unknown=found.n_unknown,
        shown_count=int(shown(tested, selection).sum()),
        services=_services(crowd),
        service_count=int(crowd.is_service.sum()),
        is_enough=found.is_enough,
        verdict=verdict,
        tested_words=trait_words(selection.traits),
        cohorts=tuple(cohorts),
        histogram=_histogram(tested, selection, selection.grain),
        top_days=_top_days(tested),
        age_curve=age_curve(tested),
        trait_counts={name: counted.get(name) for name in ("silent", "spoke", "first_seen", "follows")},
        trait_missing=_trait_missing(tested),
        baseline_name=tested.baseline.name,
        baseline_sample=tested.baseline.sample_count,
        baseline_words=f"Compared with {tested.baseline.name}.",
        as_of=crowd.as_of,
        as_of_day=crowd.as_of_day,
        chat_windows=chat.windows,
        notes=(*notes, *_notes(tested)),
    )


def nothing(
    selection: Selection, captures: Sequence[CaptureLine], why: str, now: Instant
) -> ChattersAnalysis:
    """An analysis of nobody, with the reason."""
    return ChattersAnalysis(
        selection=selection,
        captures=tuple(captures),
        source=captures[0].source if captures else "",
        account_count=0,
        n=0,
        n_unknown=0,
        shown_count=0,
        services=(),
        service_count=0,
        is_enough=False,
        verdict=why,
        tested_words=trait_words(selection.traits),
        cohorts=(),
        histogram=Histogram(selection.grain, (), (), (), (), ()),
        top_days=(),
        age_curve=AgeCurve((), (), ()),
        trait_counts={},
        trait_missing={},
        baseline_name="",
        baseline_sample=0,
        baseline_words="",
        as_of=None,
        as_of_day=int(now // DAY_US),
        missing=why,
    )


def cohort_lines(tested: Tested, met: Met) -> tuple[tuple[CohortLine, ...], str]:
    """The cohorts with their evidence, and the verdict."""
    lines, told = [], []
    for number, cohort in enumerate(tested.analysis.cohorts, 1):
        evidence, findings = evidence_of(tested, number, met)
        told.append(evidence)
        lines.append(
            CohortLine(
                number=number,
                start_day=cohort.start_day,
                end_day=cohort.end_day,
                window_days=cohort.window_days,
                observed=cohort.observed,
                expected=cohort.expected,
                p=cohort.p,
                q=cohort.q,
                effect=cohort.effect,
                share=cohort.share,
                words=cohort_words(cohort) + evidence_words(evidence),
                findings=findings,
            )
        )
    return tuple(lines), _verdict(tested.analysis, told)


def _verdict(found: AgeAnalysis, told: Sequence[CohortEvidence]) -> str:
    """The strongest cohorts in words, and how many more there are."""
    more = len(found.cohorts) - MOST_TOLD
    words = verdict_words(replace(found, cohorts=found.cohorts[:MOST_TOLD]), told[:MOST_TOLD])
    return words if more <= 0 else f"{words} {more:,} more cohort{'s' if more > 1 else ''}, less strong."


def shown(tested: Tested, selection: Selection) -> Flags:
    """The accounts that the dates, the days and the cohort leave of those tested."""
    created = tested.crowd.created_day
    found = tested.chosen.copy()
    if selection.last_days is not None:
        found &= created > tested.crowd.as_of_day - selection.last_days
    if selection.start_day is not None:
        found &= created >= selection.start_day
    if selection.end_day is not None:
        found &= (created <= selection.end_day) & (created != UNKNOWN)
    if selection.cohort is not None:
        found &= tested.cohort == selection.cohort
    return found


def _histogram(tested: Tested, selection: Selection, grain: Grain) -> Histogram:
    bins = histogram(tested.days, grain)
    expected = expected_counts(tested.days, tested.baseline, bins.edges)
    keep = np.ones(len(bins.start_day), dtype=np.bool_)
    if selection.last_days is not None:
        keep = bins.end_day > tested.crowd.as_of_day - selection.last_days
    start, end = bins.start_day[keep], bins.end_day[keep]
    return Histogram(
        grain=grain,
        start_day=tuple(start.tolist()),
        end_day=tuple(end.tolist()),
        observed=tuple(bins.observed[keep].tolist()),
        expected=tuple(np.round(expected[keep], 3).tolist()),
        cohort=tuple(_cohort_of_bins(tested, start, end)),
    )


def _cohort_of_bins(tested: Tested, start: Numbers, end: Numbers) -> list[int | None]:
    marks = np.zeros(len(start), dtype=np.int64)
    for number, cohort in reversed(list(enumerate(tested.analysis.cohorts, 1))):
        marks[(start <= cohort.end_day) & (end >= cohort.start_day)] = number
    return [int(number) or None for number in marks]


def _top_days(tested: Tested) -> tuple[TopDay, ...]:
    if not len(tested.days):
        return ()
    bins = histogram(tested.days, "day")
    expected = expected_counts(tested.days, tested.baseline, bins.edges)
    # Of equal days the newer one first.
    order = np.lexsort((-bins.start_day, -bins.observed))[:TOP_DAYS]
    marks = _cohort_of_bins(tested, bins.start_day[order], bins.end_day[order])
    return tuple(
        TopDay(int(bins.start_day[at]), int(bins.observed[at]), round(float(expected[at]), 3), mark)
        for at, mark in zip(order, marks, strict=True)
        if bins.observed[at]
    )


def age_curve(tested: Tested) -> AgeCurve:
    """The cumulative age curve of those tested against the baseline's."""
    curve = cumulative_curve(tested.days, tested.baseline)
    as_of = tested.crowd.as_of_day
    age = as_of - curve.day[::-1] - 1
    at_least_zero = age >= 0
    # Created after a day is younger than it: the curve of days read from its end.
    observed, expected = (1 - curve.observed[::-1])[at_least_zero], (1 - curve.expected[::-1])[at_least_zero]
    age = age[at_least_zero]
    return AgeCurve(
        age_days=tuple(age.tolist()),
        observed=tuple(np.round(observed, 5).tolist()),
        expected=tuple(np.round(expected, 5).tolist()),
        median_age_days=float(as_of - np.median(tested.days)) if len(tested.days) else None,
        expected_median_age_days=_crossing(age, expected),
    )


def _crossing(
    age: Numbers, share: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]
) -> float | None:
    """The age at which half of them are younger."""
    if not len(age):
        return None
    return float(np.interp(0.5, np.asarray(share), age))


def _services(crowd: Crowd) -> tuple[ServiceAccount, ...]:
    at = np.flatnonzero(crowd.is_service)[:_MOST_SERVICES]
    found = [ServiceAccount(crowd.user_id[i], crowd.user_login[i], str(crowd.service[i])) for i in at]
    return tuple(sorted(found, key=lambda account: account.user_login))


def _trait_missing(tested: Tested) -> dict[str, str]:
    missing: dict[str, str] = {}
    if tested.crowd.source == "spoke":
        missing["silent"] = "Everybody in this list spoke."
    elif not tested.chat.is_observed:
        why = "This chat was not read at that time: who spoke is not known, so nobody is called silent."
        missing |= {"silent": why, "spoke": why}
    if not tested.chat.is_follow_known:
        missing["follows"] = "Who follows this channel was not read."
    return missing


def _notes(tested: Tested) -> list[str]:
    notes = []
    first_seen = tested.traits["first_seen"]
    if len(first_seen) and first_seen.all():
        notes.append("No earlier list or message of this channel that is kept has any of them.")
    chat = tested.chat
    if chat.is_follow_known and not chat.is_follow_complete:
        notes.append("Only follows since the start of collection are known: others may follow, too.")
    for window in chat.windows:
        length_s = (window.end_at - window.start_at) / 1e6
        if window.is_observed and window.observed_s < 0.95 * length_s and tested.crowd.source == "connected":
            read, all_of = round(window.observed_s / 60), round(length_s / 60)
            notes.append(f"Chat of {window.room_login} was read for {read:,} of {all_of:,} min of that time.")
    return notes
