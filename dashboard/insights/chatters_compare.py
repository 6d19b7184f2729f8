"""Two captures of one channel beside each other: who came, who left, how the ages differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from dashboard.analytics.account_ages import histogram
from dashboard.analytics.timebins import MINUTE_US
from dashboard.errors import JobError
from dashboard.events import Instant
from dashboard.insights.chatters_analysis import age_curve, cohort_lines
from dashboard.insights.chatters_crowd import UNKNOWN, Crowd, Flags, Numbers
from dashboard.insights.chatters_model import AgeCurve, CaptureLine, CohortLine, Grain
from dashboard.insights.chatters_people_model import ComparedAges, Comparison, RaidMark, Side
from dashboard.insights.chatters_tested import Tested, run_test
from dashboard.insights.live_sources import Lake, records, whole, words

AROUND_US: Final = 30 * MINUTE_US
"""The viewer curve begins so long before the first capture and ends so long after the second."""
_SAME_RAID_US: Final = 2 * MINUTE_US
_MANY: Final = 1_000
"""Fewer people than that are spread too thinly over bars of a month."""
SIDES: Final[tuple[Side, ...]] = ("came", "left", "stayed")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two crowds of one channel and one source, each with its test; the earlier one first."""

    before: Tested
    after: Tested

    def flags(self, side: Side) -> tuple[Tested, Flags]:
        """Who came, left or stayed, and the crowd in which they stand."""
        where, other = (self.before, self.after) if side == "left" else (self.after, self.before)
        there = set(other.crowd.user_id)
        is_there = np.array([user_id in there for user_id in where.crowd.user_id], dtype=np.bool_)
        return where, where.chosen & (is_there if side == "stayed" else ~is_there)


@dataclass(frozen=True, slots=True, eq=False)
class Came:
    """Who came between two captures, tested by themselves."""

    pair: Pair
    tested: Tested
    cohorts: tuple[CohortLine, ...]
    verdict: str

    def is_of(self, pair: Pair) -> bool:
        """Whether it was made of these very tests."""
        return self.pair.before is pair.before and self.pair.after is pair.after


def require_alike(before: CaptureLine, after: CaptureLine) -> None:
    """Stops here unless two captures can be compared.

    Raises:
        JobError: They are of two channels, or of two sources.
    """
    if before.room_id != after.room_id:
        raise JobError("Two captures can be compared when they are of one channel.")
    if before.source != after.source:
        raise JobError(
            f"“{before.source_words}” and “{after.source_words}” are not the same people: "
            "compare two captures of one source."
        )


def came_of(pair: Pair) -> Came:
    """Tests who came, by themselves."""
    _, those = pair.flags("came")
    tested = run_test(pair.after.crowd, pair.after.chat, pair.after.baseline, among=those)
    return Came(pair, tested, *cohort_lines(tested, {}))


def compare(
    lake: Lake,
    came: Came,
    before: CaptureLine,
    after: CaptureLine,
    grain: Grain | None = None,
    *,
    now: Instant,
) -> Comparison:
    """Compares two captures.

    Args:
        lake: The store: viewers and raids.
        came: Their people, and the test of those who came.
        before: The line of the earlier one.
        after: The line of the later one.
        grain: How wide the bins of the ages are; None lets the number of people who came and left decide.
        now: The wall clock: the viewer curve does not go beyond it.
    """
    pair = came.pair
    groups = {side: pair.flags(side) for side in SIDES}
    days = {side: _days(*group) for side, group in groups.items()}
    counts = {side: int(those.sum()) for side, (_, those) in groups.items()}
    start = Instant(pair.before.crowd.captures[0].started_at - AROUND_US)
    as_of = pair.after.crowd.as_of
    end = Instant(max(as_of, min(as_of + AROUND_US, now)))
    viewers = lake.query(
        "chatters_viewers", window=(start, end), room=after.room_login, start_at=start, end_at=end
    )
    raids = lake.query(
        "chatters_raids", window=(start, end), room=after.room_login, start_at=start, end_at=end
    )
    return Comparison(
        before=before,
        after=after,
        came_count=counts["came"],
        left_count=counts["left"],
        stayed_count=counts["stayed"],
        came_unknown_count=counts["came"] - len(days["came"]),
        left_unknown_count=counts["left"] - len(days["left"]),
        stayed_unknown_count=counts["stayed"] - len(days["stayed"]),
        ages=_ages(days, grain or _grain_for(counts)),
        came_curve=_came_curve(came.tested, pair.before),
        came_median_age_days=_median_age(pair.after.crowd, days["came"]),
        left_median_age_days=_median_age(pair.after.crowd, days["left"]),
        stayed_median_age_days=_median_age(pair.after.crowd, days["stayed"]),
        words=_words(counts, pair, days),
        came_verdict=came.verdict,
        came_cohorts=came.cohorts,
        start_at=start,
        end_at=end,
        viewers_at=tuple(Instant(at) for at in viewers["sent_at"].tolist()),
        viewers=tuple(int(count) for count in viewers["viewer_count"].tolist()),
        raids=_raids(records(raids)),
        notes=_notes(before, after),
    )


def _raids(rows: Iterable[dict[str, Any]]) -> tuple[RaidMark, ...]:
    """Each raid once: chat and EventSub tell of it within moments."""
    found: list[RaidMark] = []
    for row in rows:
        mark = RaidMark(
            Instant(int(row["sent_at"])), words(row["from_login"]) or "?", whole(row["viewer_count"])
        )
        same = [at for at, known in enumerate(found) if _is_same(known, mark)]
        if not same:
            found.append(mark)
        elif (mark.viewer_count or 0) > (found[same[-1]].viewer_count or 0):
            found[same[-1]] = replace(found[same[-1]], viewer_count=mark.viewer_count)
    return tuple(found)


def _is_same(known: RaidMark, mark: RaidMark) -> bool:
    return known.from_login == mark.from_login and mark.at - known.at <= _SAME_RAID_US


def _days(tested: Tested, those: Flags) -> Numbers:
    created = tested.crowd.created_day[those]
    return created[created != UNKNOWN]


def _grain_for(counts: dict[Side, int]) -> Grain:
    return "month" if counts["came"] + counts["left"] >= _MANY else "year"


def _ages(days: dict[Side, Numbers], grain: Grain) -> ComparedAges:
    bins = histogram(np.concatenate([days[side] for side in SIDES]), grain)
    counts = {
        side: tuple(np.histogram(days[side], bins.edges)[0].tolist()) if len(bins.start_day) else ()
        for side in SIDES
    }
    return ComparedAges(
        start_day=tuple(bins.start_day.tolist()),
        end_day=tuple(bins.end_day.tolist()),
        came=counts["came"],
        left=counts["left"],
        stayed=counts["stayed"],
    )


def _came_curve(came: Tested, before: Tested) -> AgeCurve:
    """Who came beside the people of the first capture, in the place of the baseline.

    Those are counted as they are: a baseline is smoothed, and would draw a wave in the first list anew.
    """
    if not len(before.days) or not len(came.days):
        return AgeCurve((), (), ())
    curve, as_of = age_curve(came), came.crowd.as_of_day
    ages = np.sort(as_of - before.days)
    shares = np.searchsorted(ages, np.array(curve.age_days), side="right") / len(ages)
    return replace(
        curve,
        expected=tuple(np.round(shares, 5).tolist()),
        expected_median_age_days=float(as_of - np.median(before.days)),
    )


def _median_age(crowd: Crowd, days: Numbers) -> float | None:
    return float(crowd.as_of_day - np.median(days)) if len(days) else None


def _words(counts: dict[Side, int], pair: Pair, days: dict[Side, Numbers]) -> str:
    text = f"{counts['came']:,} came, {counts['left']:,} left, {counts['stayed']:,} stayed."
    came, stayed = _median_age(pair.after.crowd, days["came"]), _median_age(pair.after.crowd, days["stayed"])
    if came is not None and stayed is not None:
        text += f" Half of the accounts that came are younger than {_span(came)};"
        text += f" of those that stayed, {_span(stayed)}."
    return text


def _span(days: float) -> str:
    """An age as the page writes it elsewhere, so that one median never stands there as two numbers."""
    if days < 1:
        return "a day"
    if days < 60:
        return "1 day" if int(days) == 1 else f"{int(days)} days"
    months = max(2, int(days / 30.4375))
    if months < 24:
        return f"{months} months"
    years, rest = divmod(months, 12)
    return f"{years} y {rest} m" if rest else f"{years} y"


def _notes(before: CaptureLine, after: CaptureLine) -> tuple[str, ...]:
    notes = ["Joins and leaves show late on Twitch: who came or left in the last minutes can be missing."]
    if before.source == "spoke":
        notes = ["Who “left” did not speak again in the time of the second list; they may still watch."]
        if before.window_s != after.window_s:
            notes.append("The two lists look back over stretches of different length.")
    return tuple(notes)
