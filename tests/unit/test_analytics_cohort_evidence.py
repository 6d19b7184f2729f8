"""Evidence beside age: silence, arrivals, names, and all of it in words."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.account_ages import AgeAnalysis, Cohort
from dashboard.analytics.arrivals import arrival_synchrony, share_of, silent_share
from dashboard.analytics.cohort_words import CohortEvidence, percent_words, q_words, verdict_words
from dashboard.analytics.name_shapes import edit_distances, name_shapes

SECOND = 1_000_000
RAID = [f"raid_{word}{number}" for word, number in zip("abcdefghij", range(1000, 1010), strict=True)]
PEOPLE = [
    "ninja", "shroud", "lea_plays", "oldman", "tomtom", "miracle", "zebra99", "karl", "supernova", "pixelfox",
    "mothwing", "dreamer", "jonas", "beatrix", "quokka", "vera_m", "hexagon", "norman", "wildberry", "otter",
]  # fmt: skip


def test_a_share_with_its_interval() -> None:
    # Wilson for 30 of 31, worked by hand: 0.8381 to 0.9943.
    share = share_of(30, 31)

    assert share.share == pytest.approx(0.9677, abs=1e-4)
    assert (share.low, share.high) == (pytest.approx(0.8381, abs=1e-4), pytest.approx(0.9943, abs=1e-4))
    assert share_of(0, 0).share is None
    assert (share_of(0, 9).low, share_of(9, 9).high) == (0.0, 1.0)


def test_silent_are_those_without_a_message() -> None:
    share = silent_share(np.array([0, 0, 3, 0]))

    assert (share.count, share.total, share.share) == (3, 4, 0.75)


def test_arrivals_within_a_minute_against_the_others() -> None:
    cohort = np.array([1000, 1010, 1020, 1030, 1059, 1060, 9000]) * SECOND
    others = np.arange(0, 10_000, 100) * SECOND

    found = arrival_synchrony(cohort, others)

    assert (found.together.count, found.together.total) == (5, 7)
    assert found.start_us == 1000 * SECOND
    assert (found.others.count, found.others.total) == (1, 100)
    assert found.p is not None
    assert found.p < 0.01


def test_arrivals_in_a_raid_are_nothing_special() -> None:
    crowd = np.full(50, 1000 * SECOND)

    found = arrival_synchrony(crowd[:8], crowd)

    assert found.together.share == 1.0
    assert found.p is not None
    assert found.p > 0.05


def test_too_few_arrivals_say_nothing() -> None:
    found = arrival_synchrony(np.array([1, 2, 3]), np.arange(100))

    assert (found.start_us, found.p) == (None, None)


def test_edit_distances() -> None:
    left, right = ["kitten", "abc", "a", "flaw"], ["sitting", "abc", "xyz", "lawn"]

    assert list(edit_distances(left, right)) == [3, 0, 3, 2]


def test_names_of_one_pattern_against_the_room() -> None:
    shape = name_shapes(RAID, PEOPLE)

    assert (shape.name_count, shape.match_count, shape.share) == (10, 10, 1.0)
    assert shape.pattern == "begin with “raid_”"
    assert shape.p is not None
    assert shape.p <= 0.01
    assert shape.usual_share is not None
    assert shape.usual_share < 0.5
    assert shape.similarity is not None
    assert shape.usual_similarity is not None
    assert shape.similarity > shape.usual_similarity + 0.3  # 0.8 against 0.4


def test_names_of_people_are_what_chance_gives() -> None:
    shape = name_shapes(PEOPLE[:8], PEOPLE[8:])

    assert shape.p is not None
    assert shape.p > 0.05


def test_a_form_of_letters_and_digits_is_a_pattern() -> None:
    shape = name_shapes(["anna4821", "bertil9034", "cleo1177", "dora6650", "emil2093"])

    assert (shape.pattern, shape.match_count) == ("have the form letters + 4 digits", 5)
    assert (shape.p, shape.usual_share) == (None, None)


def test_few_names_say_nothing() -> None:
    assert name_shapes(RAID[:4], PEOPLE).share is None


def analysis(*cohorts: Cohort) -> AgeAnalysis:
    return AgeAnalysis(1000, 0, True, cohorts, "No unusual cohort.")


def test_the_verdict_in_words() -> None:
    cohort = Cohort(20_759, 20_759, 31, 2.1, 1e-22, 1e-18, 1, 31 / 2.1, 0.031)
    evidence = CohortEvidence(
        silent=share_of(30, 31),
        silent_others=share_of(600, 969),
        arrivals=arrival_synchrony(np.full(20, 5), np.arange(100) * 1000 * SECOND),
        names=name_shapes(RAID, PEOPLE),
    )

    words = verdict_words(analysis(cohort), [evidence])

    assert words == (
        "31 accounts created on 2026-11-02, 2.1 expected (q = 1e-18); 30 of 31 have not spoken (62 % of the "
        "others have not); 20 of 20 came within 60 s; 10 of 10 logins begin with “raid_” "
        f"({percent_words(name_shapes(RAID, PEOPLE).usual_share or 0)} is usual in this room)."
    )
    assert "bot" not in words


def test_several_days_and_no_evidence_in_words() -> None:
    cohort = Cohort(20_759, 20_761, 1200, 40.4, 0.0, 0.0, 3, 30, 0.5)

    assert verdict_words(analysis(cohort)) == (
        "1,200 accounts created from 2026-11-02 to 2026-11-04, 40 expected (q = below 1e-300)."
    )
    assert verdict_words(analysis()) == "No unusual cohort."


def test_a_verdict_names_three_cohorts_and_counts_the_rest() -> None:
    cohort = Cohort(20_759, 20_759, 31, 2.1, 1e-22, 1e-18, 1, 31 / 2.1, 0.031)

    words = verdict_words(analysis(*[cohort] * 5))

    assert words.count("31 accounts") == 3
    assert words.endswith("(q = 1e-18). And 2 more cohorts.")


def test_q_in_words() -> None:
    assert [q_words(q) for q in (0.04, 0.0123, 2.4e-5, 1e-18)] == ["0.04", "0.012", "2e-5", "1e-18"]


def test_a_share_is_all_or_none_only_when_it_is() -> None:
    shares = (0.0, 0.0002, 0.004, 0.53, 0.985, 0.994, 0.9999, 1.0)
    told = [percent_words(share) for share in shares]
    assert told == ["0 %", "0.1 %", "0.4 %", "53 %", "98 %", "99.4 %", "99.9 %", "100 %"]
