"""Keeps the crowds, baselines and tests of the last questions, so that a filter costs no reading."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.analytics.account_ages import Baseline
from dashboard.analytics.timebins import DAY_US
from dashboard.events import Instant
from dashboard.insights.chatters_analysis import cohort_lines
from dashboard.insights.chatters_baseline import BASELINE_KINDS, read_baseline
from dashboard.insights.chatters_cache import Kept, Marks
from dashboard.insights.chatters_chat import AFTER_US, CHAT_KINDS, WATCHED_KINDS, CrowdChat, read_chat_of
from dashboard.insights.chatters_compare import Came, Pair, came_of
from dashboard.insights.chatters_crowd import LIST_KINDS, UNKNOWN, Closed, Crowd, read_closed, read_crowd
from dashboard.insights.chatters_evidence import Met
from dashboard.insights.chatters_model import CohortLine, Trait
from dashboard.insights.chatters_services import ServiceAccounts
from dashboard.insights.chatters_tested import Tested, run_test
from dashboard.insights.live_sources import Ledger

_MOST_PEOPLE: Final = 400_000
"""So many people together are kept in memory: about 300 bytes each."""
_MOST_BASELINES: Final = 50
_MOST_PAIRS: Final = 4
_MET_US: Final = 30 * DAY_US
_LISTS: Final = ("chatters", "chatter_polls", "speakers", "speaker_polls")
_POLLS: Final = ("chatter_polls", "speaker_polls")


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A test with its cohorts in words."""

    tested: Tested
    cohorts: tuple[CohortLine, ...]
    verdict: str


class ChattersReader:
    """Reads crowds and tests them; safe to share between threads.

    Args:
        lake: The store.
        ledger: The state: what the collectors and jobs said.
        services: Knows service accounts.
        now: The wall clock.
    """

    def __init__(
        self, lake: Marks, ledger: Ledger, services: ServiceAccounts, *, now: Callable[[], Instant]
    ) -> None:
        self._lake = lake
        self._ledger = ledger
        self._services = services
        self._now = now
        self._crowds: Kept[Crowd] = Kept(lake, LIST_KINDS, size=_MOST_PEOPLE, weight=len)
        self._chats: Kept[CrowdChat] = Kept(
            lake, CHAT_KINDS, size=_MOST_PEOPLE, weight=lambda chat: len(chat.user_id)
        )
        self._baselines: Kept[Baseline] = Kept(lake, BASELINE_KINDS, size=_MOST_BASELINES)
        self._lock = threading.Lock()
        self._tests: OrderedDict[Hashable, Known] = OrderedDict()
        self._came: OrderedDict[Hashable, Came] = OrderedDict()

    def closed(self, capture_ids: Sequence[str]) -> list[Closed]:
        """Of these captures those that are complete in the lake, oldest first."""
        return read_closed(self._lake, capture_ids) if capture_ids else []

    def test(self, captures: Sequence[Closed], traits: frozenset[Trait] = frozenset()) -> Known:
        """The crowd of captures, tested.

        Args:
            captures: At least one, all of one source.
            traits: Only accounts with these.
        """
        crowd = self._crowd(captures)
        ids = tuple(crowd.capture_ids)
        chat = self._chats.get(
            ids,
            lambda: read_chat_of(self._lake, self._ledger, crowd, now=self._now()),
            until_at=crowd.as_of + AFTER_US,
            watch=WATCHED_KINDS,
            fits=lambda chat: chat.user_id == crowd.user_id,
        )
        baseline = self._baselines.get(ids, lambda: read_baseline(self._lake, crowd), watch=_POLLS)
        with self._lock:
            known = self._tests.get((ids, traits))
        if known is None or not _is_of(known.tested, crowd, chat, baseline):
            tested = run_test(crowd, chat, baseline, traits)
            met = self._met(crowd) if tested.analysis.cohorts else {}
            known = Known(tested, *cohort_lines(tested, met))
        with self._lock:
            self._tests[ids, traits] = known
            self._tests.move_to_end((ids, traits))
            people = sum(len(kept.tested.crowd) for kept in self._tests.values())
            while people > _MOST_PEOPLE and len(self._tests) > 1:
                people -= len(self._tests.popitem(last=False)[1].tested.crowd)
        return known

    def came(self, pair: Pair) -> Came:
        """Who came between two captures, tested by themselves."""
        key = (*pair.before.crowd.capture_ids, *pair.after.crowd.capture_ids)
        with self._lock:
            came = self._came.get(key)
        if came is None or not came.is_of(pair):
            came = came_of(pair)
        with self._lock:
            self._came[key] = came
            self._came.move_to_end(key)
            while len(self._came) > _MOST_PAIRS:
                self._came.popitem(last=False)
        return came

    def _crowd(self, captures: Sequence[Closed]) -> Crowd:
        key = (tuple(capture.capture_id for capture in captures), frozenset(self._services.both().items()))
        end = max(capture.closed_at for capture in captures)

        def read() -> Crowd:
            return read_crowd(self._lake, captures, self._services)

        crowd = self._crowds.get(key, read, until_at=end, watch=_LISTS)
        # Ages that are still on their way are told later than the list.
        return self._crowds.get(key, read) if (crowd.created_s == UNKNOWN).any() else crowd

    def _met(self, crowd: Crowd) -> Met:
        since = Instant(crowd.as_of - _MET_US)
        frame = self._lake.query("chatters_channels", rooms=list(crowd.rooms), since_at=since, **crowd.params)
        met: Met = {}
        for user_id, room in zip(frame["user_id"].tolist(), frame["room_login"].tolist(), strict=True):
            met.setdefault(room, set()).add(user_id)
        return met


def _is_of(tested: Tested, crowd: Crowd, chat: CrowdChat, baseline: Baseline) -> bool:
    return tested.crowd is crowd and tested.chat is chat and tested.baseline is baseline
