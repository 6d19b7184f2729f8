"""The baseline of an installation: creation days of other channels' people, each person once."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashboard.analytics.account_ages import Baseline, default_baseline, mixed
from dashboard.insights.chatters_crowd import Crowd
from dashboard.insights.live_sources import Lake

BASELINE_KINDS: Final = ("chatter_polls", "speaker_polls", "accounts")
NEWEST_LISTS: Final = 4
"""Of each other channel so many of its newest lists are taken."""


def read_baseline(lake: Lake, crowd: Crowd) -> Baseline:
    """What is usual, as far as other channels tell it; the shipped default fills in while they are few.

    Args:
        lake: The store.
        crowd: Its channels are left out, and its people wherever else they were met: a wave must not
            become its own measure.
    """
    days, room_count = read_other_days(lake, crowd)
    default = default_baseline(crowd.as_of_day)
    if not len(days):
        return default
    name = f"{len(days):,} accounts of {room_count:,} other channel{'s' if room_count != 1 else ''}"
    try:
        own = Baseline.from_created_days(days, as_of_day=crowd.as_of_day, name=name)
    except ValueError:  # None of them is a possible day.
        return default
    return mixed(default, own)


def read_other_days(lake: Lake, crowd: Crowd) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """Creation days of the people of other channels, and how many channels those are."""
    frame = lake.query("chatters_baseline", rooms=list(crowd.rooms), lists=NEWEST_LISTS, **crowd.params)
    if not len(frame):
        return np.zeros(0, dtype=np.int64), 0
    days = np.repeat(
        frame["day"].to_numpy(np.int64, na_value=0), frame["account_count"].to_numpy(np.int64, na_value=0)
    )
    return days, int(frame["room_count"].iloc[0])
