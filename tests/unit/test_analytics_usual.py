from __future__ import annotations

import numpy as np

from dashboard.analytics.usual import Usual, usual_range


def test_median_and_the_middle_four_fifths() -> None:
    values = np.array([0.0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])

    assert usual_range(values) == Usual(50.0, 10.0, 90.0, 11, None)


def test_minutes_that_were_not_observed_do_not_count() -> None:
    values = np.array([np.nan] * 20 + [5.0] * 4)

    assert usual_range(values) == Usual(None, None, None, 4, "usual needs 10 min, has 4")
