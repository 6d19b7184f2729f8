"""When an answer about a crowd is made anew: a moment later, and only for what matters to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.insights.chatters_cache import Kept
from dashboard.storage.ingest import Ingest
from tests.chatters_lake import MIN, T0, ChattersLake

KINDS = ("chat_messages", "chatters")


class Counter:
    """Answers how often it was asked; each time takes as long as it is told to."""

    def __init__(self, lake: ChattersLake) -> None:
        self.clock = 1_000.0
        self.takes_s = 0.5
        self.count = 0
        self.kept: Kept[int] = Kept(lake.store, KINDS, size=2, monotonic=lambda: self.clock)

    def make(self) -> int:
        self.count += 1
        self.clock += self.takes_s
        return self.count


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[ChattersLake]:
    with Ingest(tmp_path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(tmp_path, ingest)
        yield lake
        lake.close()


def test_an_answer_is_made_anew_for_what_matters_and_not_in_the_same_moment(lake: ChattersLake) -> None:
    counter = Counter(lake)

    def ask() -> int:
        return counter.kept.get("a", counter.make, until_at=T0, watch=("chat_messages",))

    assert ask() == 1
    counter.clock += 1_000
    assert ask() == 1, "nothing is new"
    lake.say("1", T0 + MIN)
    lake.capture("c1", ["1"])
    assert ask() == 2, "older than ten minutes: rows may have gone"
    counter.clock += 11
    lake.say("1", T0 + 2 * MIN)
    lake.capture("c2", ["1"])
    assert ask() == 2, "neither the later message nor the list matters"
    lake.say("1", T0)
    assert ask() == 3, "this message does"
    lake.say("1", T0 - MIN)
    counter.clock += 9.9
    assert ask() == 3, "made a moment ago: 20 times half a second"
    counter.clock += 0.2
    assert ask() == 4


def test_an_answer_that_does_not_fit_is_made_anew_and_few_are_kept(lake: ChattersLake) -> None:
    counter = Counter(lake)
    assert counter.kept.get("a", counter.make) == 1
    assert counter.kept.get("a", counter.make, fits=lambda value: value == 1) == 1
    assert counter.kept.get("a", counter.make, fits=lambda value: value == 7) == 2
    assert [counter.kept.get(key, counter.make) for key in ("b", "c", "b", "a")] == [3, 4, 3, 5]
