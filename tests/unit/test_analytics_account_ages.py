"""Unusual cohorts, the baseline and the histogram on rooms whose answer is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.account_ages import (
    LEAST_ACCOUNTS,
    Baseline,
    cumulative_curve,
    default_baseline,
    expected_counts,
    find_cohorts,
    histogram,
    mixed,
)

TODAY = 20_000
EVEN = np.repeat(np.arange(18_000, 19_000), 2)
"""Two accounts a day for a thousand days."""


def even_baseline(per_day: int = 5) -> Baseline:
    return Baseline.from_created_days(np.repeat(np.arange(18_000, 19_000), per_day), as_of_day=TODAY)


def test_a_wave_of_one_day_is_found_at_its_day() -> None:
    room = np.append(EVEN, [18_400] * 20)

    analysis = find_cohorts(room, even_baseline(), as_of_day=TODAY, n_unknown=7)

    (cohort,) = analysis.cohorts
    assert (cohort.start_day, cohort.end_day, cohort.window_days, cohort.observed) == (18_400, 18_400, 1, 22)
    assert cohort.expected == pytest.approx(2.0, rel=0.05)
    assert cohort.effect == pytest.approx(11, rel=0.05)
    assert cohort.share == pytest.approx(22 / 2020)
    assert cohort.p < cohort.q < 1e-6
    assert (analysis.n, analysis.n_unknown, analysis.is_enough) == (2020, 7, True)
    assert analysis.verdict.startswith("22 accounts created on 2020-05-18, 2.0 expected (q = ")
    assert analysis.verdict.endswith("against 5,000 accounts; the age of 7 more is not known.")


def test_a_wave_of_three_days_is_one_cohort_of_three_days() -> None:
    room = np.append(EVEN, [18_400, 18_401, 18_402] * 12)

    (cohort,) = find_cohorts(room, even_baseline(), as_of_day=TODAY).cohorts

    assert (cohort.start_day, cohort.end_day, cohort.observed) == (18_400, 18_402, 42)


def test_windows_that_touch_are_one_cohort() -> None:
    room = np.append(EVEN, np.repeat(np.arange(18_400, 18_410), 20))

    cohorts = find_cohorts(room, even_baseline(), as_of_day=TODAY).cohorts

    assert len(cohorts) == 1
    assert cohorts[0].start_day <= 18_402
    assert cohorts[0].end_day >= 18_406
    assert cohorts[0].end_day - cohorts[0].start_day < 14


def test_two_waves_are_two_cohorts_the_stronger_first() -> None:
    room = np.concatenate([EVEN, [18_400] * 20, [18_420] * 60])

    first, second = find_cohorts(room, even_baseline(), as_of_day=TODAY).cohorts

    assert (first.start_day, second.start_day) == (18_420, 18_400)
    assert first.q < second.q


def test_an_even_room_has_no_cohort() -> None:
    analysis = find_cohorts(EVEN, even_baseline(), as_of_day=TODAY)

    assert analysis.cohorts == ()
    assert analysis.verdict == (
        "No unusual cohort: no days stand out among 2,000 accounts of known age against 5,000 accounts."
    )


def test_too_few_accounts_get_no_answer() -> None:
    analysis = find_cohorts(np.full(LEAST_ACCOUNTS - 1, 18_400), even_baseline(), as_of_day=TODAY)

    assert (analysis.is_enough, analysis.cohorts) == (False, ())
    assert analysis.verdict.startswith("Too few accounts for a verdict: 99 of known age, 100 are needed.")


@pytest.mark.parametrize("accounts", [[], [TODAY + 2] * 300, [13_000] * 300])
def test_nobody_of_known_age(accounts: list[int]) -> None:
    analysis = find_cohorts(np.array(accounts, dtype=np.int64), as_of_day=TODAY, n_unknown=4)

    assert (analysis.n, analysis.n_unknown, analysis.is_enough) == (0, 4 + len(accounts), False)


def test_a_room_of_one_day_is_a_cohort() -> None:
    (cohort,) = find_cohorts(np.full(200, 18_400), even_baseline(), as_of_day=TODAY).cohorts

    assert (cohort.start_day, cohort.end_day, cohort.observed) == (18_400, 18_400, 200)
    assert cohort.expected < 1


def test_accounts_younger_than_an_old_baseline_are_no_wave() -> None:
    # As many accounts a day after the baseline's end as before it.
    room = np.arange(18_000, 20_000)

    assert find_cohorts(room, even_baseline(), as_of_day=TODAY).cohorts == ()
    (cohort,) = find_cohorts(np.append(room, [19_700] * 12), even_baseline(), as_of_day=TODAY).cohorts
    assert cohort.start_day == cohort.end_day == 19_700


def test_a_language_that_came_later_is_no_wave() -> None:
    # The room has four times as many in its last half; the baseline knows of no such step.
    room = np.concatenate([np.arange(18_000, 18_500), np.repeat(np.arange(18_500, 19_000), 4)])

    assert find_cohorts(room, even_baseline(), as_of_day=TODAY).cohorts == ()


def test_a_special_day_that_the_baseline_has_too_is_no_wave() -> None:
    room = np.append(EVEN, [18_400] * 14)
    usual = np.append(np.repeat(np.arange(18_000, 19_000), 5), [18_400] * 35)

    assert find_cohorts(room, even_baseline(), as_of_day=TODAY).cohorts
    assert not find_cohorts(room, Baseline.from_created_days(usual, as_of_day=TODAY), as_of_day=TODAY).cohorts


def test_a_day_that_is_high_in_the_baseline_too_weighs_less() -> None:
    # 12 of 5 is too little to be a special day of the baseline for sure, but the room's 15 of 2 may be it.
    room = np.append(EVEN, [18_400] * 13)
    usual = np.append(np.repeat(np.arange(18_000, 19_000), 5), [18_400] * 7)

    (alone,) = find_cohorts(room, even_baseline(), as_of_day=TODAY).cohorts
    both = find_cohorts(room, Baseline.from_created_days(usual, as_of_day=TODAY), as_of_day=TODAY).cohorts

    assert alone.q < 0.0001
    assert not both or both[0].q > 20 * alone.q


def test_a_baseline_needs_accounts() -> None:
    with pytest.raises(ValueError, match="known creation day"):
        Baseline.from_created_days(np.array([TODAY + 5]), as_of_day=TODAY)


def test_the_baseline_adds_up_and_is_smooth() -> None:
    usual = even_baseline()

    share = usual.on(18_000, 18_999)
    assert share.sum() == pytest.approx(1, rel=1e-6)
    assert share.max() / share.min() < 1.05
    assert usual.on(19_300, 19_301) == pytest.approx([0.001, 0.001], rel=0.05)


def test_own_data_takes_the_place_of_the_shipped_shape() -> None:
    shipped = default_baseline(TODAY)
    few = Baseline.from_created_days(EVEN[:500], as_of_day=TODAY, name="500 accounts")
    many = even_baseline(100)

    assert mixed(shipped, None) is shipped
    half = mixed(shipped, few)
    assert (half.name, half.sample_count) == ("500 accounts", 500)
    assert half.on(15_000, 15_000)[0] == pytest.approx(shipped.on(15_000, 15_000)[0] / 2)
    assert mixed(shipped, many).on(18_500, 18_500)[0] == pytest.approx(0.001, rel=0.02)


def test_the_shipped_shape_ends_at_the_day_asked() -> None:
    usual = default_baseline(TODAY)

    assert (usual.last_day, usual.sample_count) == (TODAY, 0)
    assert usual.density.sum() == pytest.approx(1)


def test_histogram_by_day_week_month_and_year() -> None:
    days = np.array([19_783, 19_783, 19_785, 19_814])  # 2024-03-01 (Friday), 03-03, 04-01

    by_day = histogram(days, "day")
    assert (by_day.start_day[0], by_day.end_day[-1], by_day.observed.sum()) == (19_783, 19_814, 4)
    assert list(by_day.observed[:4]) == [2, 0, 1, 0]
    by_week = histogram(days, "week")
    assert (by_week.start_day[0], by_week.end_day[0]) == (19_779, 19_785)  # Monday to Sunday
    assert list(by_week.observed) == [3, 0, 0, 0, 0, 1]
    by_month = histogram(days, "month")
    assert list(by_month.start_day) == [19_783, 19_814]
    assert list(by_month.end_day) == [19_813, 19_843]
    assert list(by_month.observed) == [3, 1]
    by_year = histogram(days, "year")
    assert (list(by_year.start_day), list(by_year.end_day)) == ([19_723], [20_088])
    assert len(histogram(days[:0], "week").observed) == 0


def test_expected_counts_are_the_baselines_share_of_the_room() -> None:
    edges = np.array([18_000, 18_100, 18_500, 19_000])

    assert expected_counts(EVEN, even_baseline(), edges) == pytest.approx([200, 800, 1000], rel=0.01)


def test_cumulative_curve() -> None:
    curve = cumulative_curve(np.array([18_000, 18_499, 18_499, 18_999]), even_baseline(), point_count=3)

    assert list(curve.day) == [18_000, 18_500, 18_999]
    assert list(curve.observed) == [0.25, 0.75, 1.0]
    assert curve.expected == pytest.approx([0.001, 0.501, 1.0], rel=0.02)
