"""What is taken out of a comparison of two captures: its figures as CSV and JSON, and one side's people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from dashboard.events import Instant
from dashboard.insights.chatters_export import (
    accounts_object,
    as_csv,
    capture_facts,
    cohort_facts,
    iso,
    span_facts,
)
from dashboard.insights.chatters_people_model import AccountTable, Comparison, Side

COMPARISON_COLUMNS: Final = (
    "section",
    "key",
    "start",
    "end",
    "came",
    "left",
    "stayed",
    "value",
    "words",
)
"""Of the figures in CSV: one row each, told apart by ``section``. Ages are in days, times in UTC."""
_SIDES: Final[tuple[Side, ...]] = ("came", "left", "stayed")


def comparison_csv(found: Comparison) -> Iterator[bytes]:
    """Every figure of a comparison, one row each: counts, ages, cohorts of who came, viewers, raids."""
    rows = chain(_counts(found), _ages(found), _cohorts(found), _moments(found))
    yield from as_csv(COMPARISON_COLUMNS, ([row.get(name) for name in COMPARISON_COLUMNS] for row in rows))


def comparison_json(found: Comparison, made_at: Instant) -> Iterator[bytes]:
    """Every figure of a comparison as one JSON object.

    Args:
        found: The comparison.
        made_at: The wall clock.
    """
    ages, curve = found.ages, found.came_curve
    bins = zip(ages.start_day, ages.end_day, ages.came, ages.left, ages.stayed, strict=True)
    told = _about(found, made_at) | {
        "created": [
            span_facts(start, end) | {"came": came, "left": left, "stayed": stayed}
            for start, end, came, left, stayed in bins
        ],
        "came_age_curve": {
            "age_days": list(curve.age_days),
            "came_share": list(curve.observed),
            "first_capture_share": list(curve.expected),
        },
        "came_cohorts": [cohort_facts(cohort) for cohort in found.came_cohorts],
        "viewers": [
            {"at": iso(at), "viewer_count": viewers}
            for at, viewers in zip(found.viewers_at, found.viewers, strict=True)
        ],
        "raids": [
            {"at": iso(raid.at), "from_login": raid.from_login, "viewer_count": raid.viewer_count}
            for raid in found.raids
        ],
    }
    yield json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def side_json(table: AccountTable, found: Comparison, side: Side, made_at: Instant) -> Iterator[bytes]:
    """The people of one side as one JSON object: what was compared, then ``accounts``.

    Args:
        table: The people.
        found: The comparison.
        side: Which side they are.
        made_at: The wall clock.
    """
    yield from accounts_object(_about(found, made_at) | {"side": side}, table)


def _about(found: Comparison, made_at: Instant) -> dict[str, Any]:
    return {
        "made_at": iso(made_at),
        "first": capture_facts(found.before),
        "second": capture_facts(found.after),
        "words": found.words,
        "came_verdict": found.came_verdict,
        "sides": {
            side: {
                "count": getattr(found, f"{side}_count"),
                "age_unknown": getattr(found, f"{side}_unknown_count"),
                "median_age_days": getattr(found, f"{side}_median_age_days"),
            }
            for side in _SIDES
        },
        "notes": list(found.notes),
    }


def _counts(found: Comparison) -> Iterator[dict[str, Any]]:
    yield {"section": "words", "words": found.words}
    yield {"section": "verdict", "key": "came", "words": found.came_verdict}
    for name, line in (("first", found.before), ("second", found.after)):
        yield {
            "section": "capture",
            "key": name,
            "start": iso(line.started_at),
            "end": iso(line.finished_at),
            "value": line.listed_count,
            "words": f"{line.room_login}: {line.source_words}",
        }
    for key in ("count", "unknown_count", "median_age_days"):
        yield {"section": "accounts", "key": key} | {side: getattr(found, f"{side}_{key}") for side in _SIDES}


def _ages(found: Comparison) -> Iterator[dict[str, Any]]:
    ages = found.ages
    for start, end, *sides in zip(
        ages.start_day, ages.end_day, ages.came, ages.left, ages.stayed, strict=True
    ):
        yield {"section": "created", **span_facts(start, end), **dict(zip(_SIDES, sides, strict=True))}


def _cohorts(found: Comparison) -> Iterator[dict[str, Any]]:
    for cohort in found.came_cohorts:
        yield {
            "section": "came_cohort",
            "key": cohort.number,
            **span_facts(cohort.start_day, cohort.end_day),
            "came": cohort.observed,
            "words": cohort.words,
        }


def _moments(found: Comparison) -> Iterator[dict[str, Any]]:
    for at, viewers in zip(found.viewers_at, found.viewers, strict=True):
        yield {"section": "viewers", "start": iso(at), "value": viewers}
    for raid in found.raids:
        yield {
            "section": "raid",
            "key": raid.from_login,
            "start": iso(raid.at),
            "value": raid.viewer_count,
        }
