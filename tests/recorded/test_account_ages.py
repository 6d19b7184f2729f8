"""Calibration, small: clean rooms of real ages stay clean, waves are found. ``make bench`` has all of it."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dashboard.account_file import day_of, read_accounts
from dashboard.analytics.account_ages import Baseline, default_baseline, find_cohorts

AS_OF = day_of(date(2018, 9, 1))
Rooms = dict[str, npt.NDArray[np.int64]]


@pytest.fixture(scope="module")
def rooms(recorded_dir: Path) -> Rooms:
    files = sorted((recorded_dir / "accounts").glob("*.csv"))
    if len(files) < 2:
        pytest.skip("needs account ages of two languages")
    return {path.name: read_accounts(path, as_of_day=AS_OF).days for path in files}


def baselines(rooms: Rooms) -> dict[str, Baseline]:
    return {name: Baseline.from_created_days(days, as_of_day=AS_OF) for name, days in rooms.items()}


@pytest.mark.parametrize("n", [300, 1_000, 5_000, 20_000])
def test_clean_rooms_stay_clean(rooms: Rooms, n: int) -> None:
    chance = np.random.default_rng(n)
    usual = baselines(rooms)
    flags = []
    for name, other in permutations(rooms, 2):
        for baseline in (usual[other], default_baseline(AS_OF)):
            for _ in range(5):
                room = chance.choice(rooms[name], n)
                flags.append(bool(find_cohorts(room, baseline, as_of_day=AS_OF).cohorts))

    # 60 rooms at 5 %: 3 expected, more than 7 in one run of a hundred.
    assert sum(flags) <= 7


@pytest.mark.parametrize(("n", "size", "length"), [(1_000, 10, 1), (5_000, 20, 1), (5_000, 40, 3)])
def test_waves_are_found_where_they_are(rooms: Rooms, n: int, size: int, length: int) -> None:
    chance = np.random.default_rng(size)
    usual = baselines(rooms)
    hits = []
    for name, other in permutations(rooms, 2):
        for _ in range(4):
            room = chance.choice(rooms[name], n)
            start = int(chance.integers(np.quantile(room, 0.1), np.quantile(room, 0.98)))
            room = np.append(room[size:], start + np.arange(size) % length)
            found = find_cohorts(room, usual[other], as_of_day=AS_OF).cohorts
            hits.append(any(start - 2 <= c.start_day and c.end_day <= start + length + 1 for c in found))

    assert np.mean(hits) >= 0.8
