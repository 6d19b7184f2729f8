"""How fast chat lines are taken apart, beside irctokens in the same run.

Run it with ``python bench/bench_parse.py``; the lines are a recorded chat where there is one
(``STREAMLENS_RECORDED_DIR``, default ``../shared/data``), else made up in the same shape.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import irctokens

from collectors.irc_events import to_events
from collectors.irc_parser import parse_line
from dashboard.events import Instant

_ROUNDS = 5
_MADE_UP = (
    "@badge-info=subscriber/{n};badges=subscriber/{n},premium/1;color=#00FFB8;display-name=Viewer{n};"
    "emotes=25:6-10;flags=;id=cf8352ea-faa1-4797-9a3b-{n:012d};mod=0;room-id=71092938;subscriber=1;"
    "tmi-sent-ts=1568505600681;turbo=0;user-id={n};user-type= "
    ":viewer{n}!viewer{n}@viewer{n}.tmi.twitch.tv PRIVMSG #channel :hello Kappa number {n} of the chat"
)


def recorded_lines() -> list[str]:
    """The xqcow recording if it is there, else 5,000 lines of the same shape."""
    root = os.environ.get("STREAMLENS_RECORDED_DIR", str(Path(__file__).resolve().parents[2] / "shared/data"))
    path = Path(root) / "irc/xqcow_2019-09-15_raw5000.irc.txt"
    if path.is_file():
        return path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    return [_MADE_UP.format(n=n) for n in range(5_000)]


def _per_second(work: Callable[[], int]) -> float:
    started = time.perf_counter()
    count = work()
    return count / (time.perf_counter() - started)


def run() -> dict[str, float]:
    """Measures the rates, alternating so that a busy machine slows all of them alike.

    Returns:
        ``parse_lines_per_s``, ``irctokens_lines_per_s``, their ``ratio`` and ``to_events_per_s``
        (the best of several rounds each).
    """
    lines = recorded_lines()
    now = Instant(1_700_000_000_000_000)

    def each(function: Callable[[str], object]) -> Callable[[], int]:
        def work() -> int:
            for line in lines:
                function(line)
            return len(lines)

        return work

    contestants: Iterable[tuple[str, Callable[[], int]]] = [
        ("parse_lines_per_s", each(parse_line)),
        ("irctokens_lines_per_s", each(irctokens.tokenise)),
        ("to_events_per_s", each(lambda line: to_events(line, now))),
    ]
    best: dict[str, float] = {}
    for _ in range(_ROUNDS):
        for name, work in contestants:
            gc.collect()
            best[name] = max(best.get(name, 0.0), _per_second(work))
    best["ratio"] = best["parse_lines_per_s"] / best["irctokens_lines_per_s"]
    return best


def main() -> None:
    """Prints the rates as one line of JSON."""
    print(json.dumps({name: round(value, 2) for name, value in run().items()}))


if __name__ == "__main__":
    main()
