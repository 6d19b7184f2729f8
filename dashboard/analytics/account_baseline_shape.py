"""The default baseline's shape: rough public knowledge about Twitch's growth, nobody's accounts."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_YEAR_WEIGHTS: Final = {
    2007: 1, 2008: 2, 2009: 4, 2010: 6, 2011: 12, 2012: 22, 2013: 40, 2014: 55, 2015: 65, 2016: 72,
    2017: 78, 2018: 85, 2019: 90, 2020: 130, 2021: 115, 2022: 95, 2023: 90, 2024: 90, 2025: 90, 2026: 90,
}  # fmt: skip
"""How many of today's accounts were made in a year, against 2019 = 90: rounded by hand."""


def rough_shape(first_day: int, last_day: int) -> npt.NDArray[np.float64]:
    """Share of accounts by creation day, from yearly weights.

    Args:
        first_day: Days since 1970-01-01.
        last_day: The newest day; inclusive.
    """
    days = np.arange(first_day, max(last_day, first_day) + 1)
    middles = [
        float((np.datetime64(f"{year}-07-01") - np.datetime64("1970-01-01")).astype(int))
        for year in _YEAR_WEIGHTS
    ]
    shape: npt.NDArray[np.float64] = np.interp(days, middles, list(_YEAR_WEIGHTS.values()))
    return shape / shape.sum()
