from __future__ import annotations

import numpy as np

from dashboard.analytics.observation import Gap, Observed, StateChange, observed_time
from dashboard.analytics.timebins import merge_spans

S = 1_000_000


def change(state: str, second: int, collector: str = "irc", reason: str | None = None) -> StateChange:
    return StateChange(collector, state, second * S, reason)


def test_a_stretch_runs_from_joined_to_lost_and_the_gap_to_the_next_joined() -> None:
    changes = [change("joined", 0), change("lost", 100, reason="connection closed"), change("joined", 128)]

    observed = observed_time(changes, until=200 * S)

    assert observed.stretches == ((0, 100 * S), (128 * S, 200 * S))
    assert observed.gaps == (Gap(100 * S, 128 * S, "connection closed"),)
    assert observed.seconds(90 * S, 140 * S) == 22.0
    assert observed.seconds(100 * S, 128 * S) == 0.0
    assert not observed.is_assumed


def test_leaving_by_our_own_will_is_not_a_gap() -> None:
    observed = observed_time([change("joined", 0), change("left", 60), change("joined", 90)], until=100 * S)

    assert observed.stretches == ((0, 60 * S), (90 * S, 100 * S))
    assert observed.gaps == ()


def test_a_gap_that_lasts_has_no_end() -> None:
    observed = observed_time([change("joined", 0), change("lost", 60)], until=100 * S)

    assert observed.gaps == (Gap(60 * S, None, None),)
    assert observed.stretches == ((0, 60 * S),)


def test_a_second_collector_fills_the_gap_of_the_first() -> None:
    changes = [
        change("joined", 0),
        change("lost", 100),
        change("joined", 200),
        change("joined", 120, "import"),
        change("left", 150, "import"),
    ]

    observed = observed_time(changes, until=300 * S)

    assert observed.stretches == ((0, 100 * S), (120 * S, 150 * S), (200 * S, 300 * S))
    assert observed.gaps == (Gap(100 * S, 120 * S, None), Gap(150 * S, 200 * S, None))


def test_an_interrupted_import_hides_no_gap_of_the_live_collector() -> None:
    changes = [
        change("joined", 0, "import"),
        change("joined", 100),
        change("lost", 150, reason="connection closed"),
        change("joined", 180),
    ]

    observed = observed_time(changes, until=300 * S)

    assert observed.stretches == ((0, 150 * S), (180 * S, 300 * S))
    assert observed.gaps == (Gap(150 * S, 180 * S, "connection closed"),)


def test_a_gap_that_another_collector_saw_whole_is_none() -> None:
    changes = [
        change("joined", 0),
        change("lost", 100),
        change("joined", 0, "import"),
        change("left", 300, "import"),
    ]

    observed = observed_time(changes, until=300 * S)

    assert observed.stretches == ((0, 300 * S),)
    assert observed.gaps == ()


def test_a_collector_that_went_silent_saw_nothing_since_its_last_sign_of_life() -> None:
    observed = observed_time([change("joined", 0)], until=300 * S, last_sign_of_life={"irc": 250 * S})

    assert observed.stretches == ((0, 250 * S),)
    assert observed.gaps == (Gap(250 * S, None, "collector not running"),)


def test_without_a_ledger_the_span_of_the_messages_is_taken_and_said_so() -> None:
    observed = observed_time([], until=300 * S, messages=(10 * S, 70 * S))

    assert observed == Observed(((10 * S, 70 * S),), (), is_assumed=True)
    assert observed_time([], until=300 * S) == Observed(())


def test_changes_after_the_instant_are_left_out() -> None:
    observed = observed_time([change("joined", 0), change("lost", 100)], until=50 * S)

    assert observed.stretches == ((0, 50 * S),)
    assert observed.gaps == ()


def test_seconds_between_many_instants_at_once() -> None:
    observed = Observed(((0, 100 * S), (128 * S, 200 * S)))
    edges = np.array([-10, 0, 95, 120, 130, 190, 250], dtype=np.int64) * S

    assert observed.seconds_between(edges).tolist() == [0.0, 95.0, 5.0, 2.0, 60.0, 10.0]
    assert Observed(()).seconds_between(edges).tolist() == [0.0] * 6


def test_since_is_the_first_instant_seen_from_another_one_on() -> None:
    observed = Observed(((0, 100 * S), (128 * S, 200 * S)))

    assert observed.since(50 * S) == 50 * S
    assert observed.since(100 * S) == 128 * S
    assert observed.since(200 * S) is None


def test_spans_that_lie_close_become_one() -> None:
    assert merge_spans([(50, 60), (0, 10), (12, 20)], slack_us=2) == [(0, 20), (50, 60)]
    assert merge_spans([(0, 10), (20, 30), (40, 90)], limit=2) == [(0, 90)]
    assert merge_spans([]) == []
