"""The tail against exact sums."""

from __future__ import annotations

from math import exp, factorial

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from dashboard.analytics.compound_tail import least_counts, upper_tail


def tail(count: float, mean: float, clump: float = 0.0, spread: float = 0.0) -> float:
    return float(upper_tail(np.array([count]), np.array([mean]), clump, np.array([spread]))[0])


def test_without_clumps_it_is_poisson() -> None:
    # P(X >= 3), mean 0.5: 1 - e^-0.5 (1 + 0.5 + 0.125)
    assert tail(3, 0.5) == pytest.approx(1 - exp(-0.5) * 1.625, rel=0.1)
    exact = sum(exp(-2) * 2**k / factorial(k) for k in range(12, 60))
    assert tail(12, 2) == pytest.approx(exact, rel=0.02)


def test_an_uncertain_mean_is_negative_binomial() -> None:
    assert tail(30, 8, spread=0.1) == pytest.approx(nbinom.sf(29, 10, 1 / 1.8), rel=0.03)


@pytest.mark.parametrize(("count", "mean", "clump"), [(20, 3.1, 1.08), (12, 0.7, 0.5), (40, 6.0, 4.0)])
def test_clumps_are_a_poisson_number_of_poisson_sizes(count: int, mean: float, clump: float) -> None:
    groups = np.arange(300)
    exact = (poisson.pmf(groups, mean / clump) * poisson.sf(count - 1, clump * groups)).sum()

    assert tail(count, mean, clump) == pytest.approx(exact, rel=0.05)


def test_not_more_than_expected_is_no_surprise() -> None:
    assert tail(3, 3) == 1
    assert tail(0, 0.1) == 1


def test_far_out_it_stays_a_number() -> None:
    assert tail(100_000, 0.01) == 0
    assert 0 < tail(60, 0.5) < 1e-60


def test_least_counts_are_the_smallest_that_pass() -> None:
    means = np.array([0.01, 0.7, 6.0, 80.0])
    spread = np.full(4, 0.02)

    found = least_counts(1e-5, means, 0.5, spread, at_least=5)

    assert (upper_tail(found, means, 0.5, spread) <= 1e-5).all()
    assert found[0] == 5
    assert (upper_tail(found[1:] - 1, means[1:], 0.5, spread[1:]) > 1e-5).all()
