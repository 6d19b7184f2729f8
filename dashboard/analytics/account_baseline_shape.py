"""The default baseline's shape: rough public knowledge about Twitch's growth, nobody's accounts.

What it is built from, all of it rounded by hand and none of it taken from a list of accounts: Twitch opened
in June 2011 on the accounts of Justin.tv (2007); its published yearly average of viewers grew from about
0.1 million (2012) over 0.35 (2014), 0.6 (2016), 1.1 (2018) and 1.3 (2019) to 2.1 (2020) and 2.8 (2021) and
then fell a little; in the spring of 2020 people stayed at home and accounts came in a rush.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_KNOTS: Final = (
    ("2007-01-01", 1), ("2009-01-01", 3), ("2011-06-01", 9), ("2012-07-01", 22), ("2013-07-01", 38),
    ("2014-07-01", 55), ("2015-07-01", 65), ("2016-07-01", 70), ("2017-07-01", 76), ("2018-07-01", 85),
    ("2019-07-01", 88), ("2020-03-01", 95), ("2020-04-10", 170), ("2020-07-01", 130), ("2021-01-01", 130),
    ("2022-01-01", 100), ("2023-01-01", 92), ("2025-01-01", 90),
)  # fmt: skip
"""How many of a chat's accounts were created around a day, against each other; a straight line between."""


def rough_shape(first_day: int, last_day: int) -> npt.NDArray[np.float64]:
    """Share of accounts by creation day.

    Args:
        first_day: Days since 1970-01-01.
        last_day: The newest day; inclusive.
    """
    at = np.array([day for day, _ in _KNOTS], dtype="datetime64[D]").astype(np.int64)
    days = np.arange(first_day, max(last_day, first_day) + 1)
    shape: npt.NDArray[np.float64] = np.interp(days, at, [weight for _, weight in _KNOTS])
    return shape / shape.sum()
