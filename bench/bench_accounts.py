"""How often clean rooms show an unusual cohort, and how often a wave is found: the published calibration.

Rooms are drawn from real ages where there are some (``STREAMLENS_RECORDED_DIR``, default
``../shared/data``, every CSV in its folder ``accounts``), the baseline is estimated from another file:
another language's accounts; and once more with the rough shape that ships with the project. Without such
files the rooms are made up, and say so.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt

from dashboard.account_file import day_of, read_accounts
from dashboard.analytics.account_ages import Baseline, default_baseline, find_cohorts
from dashboard.analytics.arrivals import share_of

Days = npt.NDArray[np.int64]
Draw = Callable[[Days, int, np.random.Generator], Days]

SIZES = (300, 1_000, 5_000, 20_000)
WAVES = ((1_000, 10, 1), (5_000, 20, 1), (5_000, 30, 3))
"""Chatters, accounts of the wave among them, days it is spread over."""
QUICK = {"rounds": 4}
_AS_OF = day_of(date(2018, 9, 1))
"""The recorded ages were looked up in the summer of 2018."""
_JITTER_DAYS = 7


def _again(days: Days, n: int, chance: np.random.Generator) -> Days:
    """With replacement: the same account may come several times, so days have clumps."""
    return chance.choice(days, n)


def _once(days: Days, n: int, chance: np.random.Generator) -> Days:
    return chance.choice(days, n, replace=False)


def _smooth(days: Days, n: int, chance: np.random.Generator) -> Days:
    """From the smoothed density: each account moved by some days."""
    moved = chance.choice(days, n) + np.rint(chance.normal(0, _JITTER_DAYS, n)).astype(np.int64)
    return np.minimum(moved, days.max())


_DRAWS: dict[str, Draw] = {
    "with replacement": _again,
    "without replacement": _once,
    "from the smoothed density": _smooth,
}


def recorded_days() -> dict[str, Days]:
    """Creation days by file; three made-up languages where there is no file."""
    root = os.environ.get("STREAMLENS_RECORDED_DIR", str(Path(__file__).resolve().parents[2] / "shared/data"))
    files = sorted((Path(root) / "accounts").glob("*.csv"))
    found = {path.stem: read_accounts(path, as_of_day=_AS_OF).days for path in files}
    return found if len(found) > 1 else {f"made up {k}": _made_up(k) for k in range(3)}


def _made_up(seed: int) -> Days:
    chance = np.random.default_rng(seed)
    return (_AS_OF - chance.gamma(3.0 + 0.3 * seed, 500, 7_000)).astype(np.int64)


def _share(flags: list[bool]) -> dict[str, Any]:
    told = share_of(sum(flags), len(flags))
    return {
        "rooms": told.total,
        "count": told.count,
        "share": round(told.share or 0.0, 4),
        "interval_95": [round(told.low, 4), round(told.high, 4)],
    }


def _pairs(rooms: dict[str, Days]) -> Iterator[tuple[str, Days, str, Baseline]]:
    usual = {name: Baseline.from_created_days(days, as_of_day=_AS_OF) for name, days in rooms.items()}
    for room, other in itertools.permutations(rooms, 2):
        yield room, rooms[room], other, usual[other]
    for room, days in rooms.items():
        yield room, days, "shipped", default_baseline(_AS_OF)


def _with_wave(
    room: Days, size: int, length: int, is_dense: bool, chance: np.random.Generator
) -> tuple[Days, int]:
    """Some accounts of a room changed into a wave, on a day that has many accounts or on any day."""
    low, high = int(np.quantile(room, 0.02)), int(room.max()) - length + 1
    start = min(int(chance.choice(room)), high) if is_dense else int(chance.integers(low, high))
    return np.concatenate([room[size:], start + np.arange(size) % length]), start


def run(rounds: int = 20) -> dict[str, Any]:
    """Draws the rooms and looks for cohorts in them.

    Args:
        rounds: Rooms for each pair of files, size and way of drawing.

    Returns:
        ``clean``: the share of rooms with any cohort; ``power``: the share of waves found; ``speed``.
    """
    rooms = recorded_days()
    clean: list[dict[str, Any]] = []
    power: list[dict[str, Any]] = []
    for kind in ("another language", "shipped"):
        pairs = [pair for pair in _pairs(rooms) if (pair[2] == "shipped") == (kind == "shipped")]
        for how, draw in _DRAWS.items():
            fits = [pair for pair in pairs if how != "without replacement" or len(pair[1]) >= 5_000]
            for n in SIZES:
                used = [pair for pair in fits if how != "without replacement" or len(pair[1]) >= n]
                if used:
                    clean.append({"baseline": kind, "drawn": how, "n": n, **_clean(used, draw, n, rounds)})
            for n, size, length in WAVES:
                at = {"baseline": kind, "drawn": how, "n": n, "wave": size, "days": length}
                power.append({**at, **_power(fits, draw, (n, size, length), rounds)})
    return {"rooms_from": {k: len(v) for k, v in rooms.items()}, "clean": clean, "power": power, **_speed()}


def _clean(pairs: list[tuple[str, Days, str, Baseline]], draw: Draw, n: int, rounds: int) -> dict[str, Any]:
    chance = np.random.default_rng([n, len(pairs)])
    flags = [
        bool(find_cohorts(draw(days, n, chance), baseline, as_of_day=_AS_OF).cohorts)
        for _, days, _, baseline in pairs
        for _ in range(rounds)
    ]
    return _share(flags)


def _power(
    pairs: list[tuple[str, Days, str, Baseline]], draw: Draw, wave: tuple[int, int, int], rounds: int
) -> dict[str, Any]:
    n, size, length = wave
    chance = np.random.default_rng([n, size, length])
    flags = []
    for _, days, _, baseline in pairs:
        for index in range(rounds):
            room, start = _with_wave(draw(days, n, chance), size, length, bool(index % 2), chance)
            found = find_cohorts(room, baseline, as_of_day=_AS_OF).cohorts
            flags.append(any(c.start_day < start + length and c.end_day >= start for c in found))
    return _share(flags)


def _speed() -> dict[str, float]:
    """Seconds for 100,000 accounts with a wave among them (the best of three)."""
    room = (_AS_OF - np.random.default_rng(1).gamma(2.0, 700, 99_000)).astype(np.int64)
    room = np.append(room, np.repeat(_AS_OF - np.array([400, 401, 900, 1500]), 250))
    usual = default_baseline(_AS_OF)
    took = []
    for _ in range(3):
        started = time.perf_counter()
        find_cohorts(room, usual, as_of_day=_AS_OF)
        took.append(time.perf_counter() - started)
    return {"analysis_of_100000_s": round(min(took), 3)}


def main() -> None:
    """Prints the tables."""
    result = run()
    for name in ("clean", "power"):
        for row in result[name]:
            print(name, *row.values())
    print(result["analysis_of_100000_s"], "s for 100,000 accounts")


if __name__ == "__main__":
    main()
