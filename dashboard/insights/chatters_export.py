"""What is taken out of the Chatters page as CSV and JSON: the accounts, and the figures about them.

Instants are ISO 8601 in UTC, days are dates. In CSV a text that a spreadsheet would take for a formula gets
an apostrophe in front. Rows are written in blocks, so that 100,000 accounts take no more memory than the
table they come from.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

import numpy as np

from dashboard.analytics.cohort_words import day_words
from dashboard.events import Instant
from dashboard.insights.chatters_model import CaptureLine, ChattersAnalysis, CohortLine
from dashboard.insights.chatters_people_model import MANY_RENAMES, AccountTable

ACCOUNT_COLUMNS: Final = (
    "twitch_user_id",
    "login",
    "display_name",
    "created_at",
    "seen_count",
    "first_seen",
    "last_seen",
    "age_days",
    "message_count",
    "rename_count",
    "is_often_renamed",
    "cohort",
    "evidence",
)
"""Of the accounts, in CSV and JSON alike. Empty (null) is not known."""
AGGREGATE_COLUMNS: Final = (
    "section",
    "key",
    "start",
    "end",
    "observed",
    "expected",
    "of_count",
    "share",
    "low",
    "high",
    "p",
    "q",
    "cohort",
    "words",
)
"""Of the figures in CSV: one row each, told apart by ``section``."""
# Also the wide forms, which some spreadsheets take for the narrow ones.
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
_BLOCK: Final = 2_000


def accounts_csv(table: AccountTable) -> Iterator[bytes]:
    """The accounts with a header, one row each, in the order of the table."""
    yield from as_csv(ACCOUNT_COLUMNS, _rows(table))


def accounts_json(table: AccountTable, analysis: ChattersAnalysis, made_at: Instant) -> Iterator[bytes]:
    """The accounts as one JSON object: what was asked, then ``accounts``.

    Args:
        table: The accounts.
        analysis: What they were selected from.
        made_at: The wall clock.
    """
    yield from accounts_object(_about(analysis, made_at), table)


def accounts_object(about: dict[str, Any], table: AccountTable) -> Iterator[bytes]:
    """One JSON object: facts about accounts, then the accounts themselves.

    Args:
        about: The facts.
        table: The accounts.
    """
    head = about | {"words": table.words, "account_count": table.row_count}
    yield (json.dumps(head, ensure_ascii=False)[:-1] + ', "accounts": [\n').encode()
    before = ""
    for rows in _blocks(_rows(table)):
        lines = (json.dumps(dict(zip(ACCOUNT_COLUMNS, row, strict=True)), ensure_ascii=False) for row in rows)
        yield (before + ",\n".join(lines)).encode()
        before = ",\n"
    yield b"\n]}\n"


def aggregates_csv(analysis: ChattersAnalysis) -> Iterator[bytes]:
    """Every figure of the analysis, one row each: counts, histogram, cohorts, evidence, days, curve."""
    rows = chain(_counts(analysis), _bins(analysis), _cohorts(analysis), _days(analysis), _curve(analysis))
    yield from as_csv(AGGREGATE_COLUMNS, ([row.get(name) for name in AGGREGATE_COLUMNS] for row in rows))


def aggregates_json(analysis: ChattersAnalysis, made_at: Instant) -> Iterator[bytes]:
    """Every figure of the analysis as one JSON object.

    Args:
        analysis: What was found.
        made_at: The wall clock.
    """
    histogram = analysis.histogram
    bins = zip(
        histogram.start_day,
        histogram.end_day,
        histogram.observed,
        histogram.expected,
        histogram.cohort,
        strict=False,
    )
    told = _about(analysis, made_at) | {
        "grain": histogram.grain,
        "histogram": [
            span_facts(start, end) | {"observed": observed, "expected": expected, "cohort": cohort}
            for start, end, observed, expected, cohort in bins
        ],
        "cohorts": [cohort_facts(cohort) for cohort in analysis.cohorts],
        "top_days": [
            {"day": day_words(top.day), "observed": top.observed, "expected": top.expected}
            | {"cohort": top.cohort}
            for top in analysis.top_days
        ],
        "age_curve": _curve_columns(analysis),
        "traits": {
            name: {"count": count, "missing": analysis.trait_missing.get(name)}
            for name, count in analysis.trait_counts.items()
        },
        "service_accounts": [
            {"twitch_user_id": one.user_id, "login": one.user_login, "listed_by": one.listed_by}
            for one in analysis.services
        ],
    }
    yield json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def iso(at: Instant | int | None) -> str | None:
    """An instant as ISO 8601 in UTC, to the second."""
    if at is None:
        return None
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def safe_cell(value: Any) -> Any:
    """A value for a cell of CSV: no text begins as a formula does."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def as_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """CSV with a header, in blocks; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for block in _blocks(rows):
        writer.writerows([safe_cell(value) for value in row] for row in block)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _blocks(rows: Iterable[Iterable[Any]]) -> Iterator[list[Iterable[Any]]]:
    block: list[Iterable[Any]] = []
    for row in rows:
        block.append(row)
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block


def _rows(table: AccountTable) -> Iterator[tuple[Any, ...]]:
    """In the order of :data:`ACCOUNT_COLUMNS`."""
    return zip(
        table.user_id,
        table.user_login,
        table.user_display_name,
        _times(table.created_s),
        table.seen_count,
        _times(table.first_seen_s),
        _times(table.last_seen_s),
        table.age_days,
        table.message_count,
        table.rename_count,
        (count >= MANY_RENAMES for count in table.rename_count),
        table.cohort,
        table.evidence,
        strict=True,
    )


def _times(column: Sequence[int | None]) -> list[str | None]:
    """A whole column at once: one by one they would be most of the time that an export takes."""
    texts = np.datetime_as_string(np.array([0 if at is None else at for at in column], "datetime64[s]"))
    return [None if at is None else f"{text}Z" for at, text in zip(column, texts.tolist(), strict=True)]


def _about(analysis: ChattersAnalysis, made_at: Instant) -> dict[str, Any]:
    return {
        "made_at": iso(made_at),
        "as_of": iso(analysis.as_of),
        "source": analysis.source,
        "captures": [capture_facts(line) for line in analysis.captures],
        "selection": analysis.selection.to_payload(),
        "verdict": analysis.verdict,
        "tested": analysis.tested_words,
        "is_enough": analysis.is_enough,
        "missing": analysis.missing,
        "account_count_in_captures": analysis.account_count,
        "n": analysis.n,
        "n_unknown": analysis.n_unknown,
        "shown_count": analysis.shown_count,
        "service_count": analysis.service_count,
        "baseline": {
            "name": analysis.baseline_name,
            "account_count": analysis.baseline_sample,
            "words": analysis.baseline_words,
        },
        "notes": list(analysis.notes),
    }


def capture_facts(line: CaptureLine) -> dict[str, Any]:
    """What is told of a capture."""
    return {
        "capture_id": line.capture_id,
        "room_id": line.room_id,
        "room_login": line.room_login,
        "source": line.source_words,
        "window_s": line.window_s,
        "started_at": iso(line.started_at),
        "finished_at": iso(line.finished_at),
        "listed_count": line.listed_count,
        "known_count": line.known_count,
        "unknown_count": line.unknown_count,
    }


def cohort_facts(cohort: CohortLine) -> dict[str, Any]:
    """What is told of a cohort, with its evidence."""
    return {
        "number": cohort.number,
        **span_facts(cohort.start_day, cohort.end_day),
        "window_days": cohort.window_days,
        "observed": cohort.observed,
        "expected": cohort.expected,
        "p": cohort.p,
        "q": cohort.q,
        "effect": cohort.effect,
        "share": cohort.share,
        "words": cohort.words,
        "evidence": [
            {
                "key": found.key,
                "label": found.label,
                "words": found.words,
                "count": found.count,
                "of_count": found.of_count,
                "share": found.share,
                "low": found.low,
                "high": found.high,
                "rest_count": found.rest_count,
                "rest_of_count": found.rest_of_count,
                "rest_share": found.rest_share,
                "is_notable": found.is_notable,
                "missing": found.missing,
                "details": list(found.details),
            }
            for found in cohort.findings
        ],
    }


def span_facts(start_day: int, end_day: int) -> dict[str, Any]:
    """First and last day as dates."""
    return {"start": day_words(start_day), "end": day_words(end_day)}


def _counts(analysis: ChattersAnalysis) -> Iterator[dict[str, Any]]:
    yield {"section": "verdict", "words": analysis.verdict}
    counts = {
        "accounts": analysis.account_count,
        "tested": analysis.n,
        "age_unknown": analysis.n_unknown,
        "shown": analysis.shown_count,
        "service_accounts": analysis.service_count,
        "baseline_accounts": analysis.baseline_sample,
    }
    for key, count in counts.items():
        yield {"section": "count", "key": key, "observed": count}
    for key, known in analysis.trait_counts.items():
        yield {"section": "trait", "key": key, "observed": known, "words": analysis.trait_missing.get(key)}


def _bins(analysis: ChattersAnalysis) -> Iterator[dict[str, Any]]:
    bins = analysis.histogram
    for index, (start, end) in enumerate(zip(bins.start_day, bins.end_day, strict=True)):
        yield {
            "section": "histogram",
            "key": bins.grain,
            **span_facts(start, end),
            "observed": bins.observed[index],
            "expected": bins.expected[index],
            "cohort": bins.cohort[index],
        }


def _cohorts(analysis: ChattersAnalysis) -> Iterator[dict[str, Any]]:
    for cohort in analysis.cohorts:
        yield {
            "section": "cohort",
            "key": f"{cohort.window_days} days",
            **span_facts(cohort.start_day, cohort.end_day),
            "observed": cohort.observed,
            "expected": cohort.expected,
            "of_count": analysis.n,
            "share": cohort.share,
            "p": cohort.p,
            "q": cohort.q,
            "cohort": cohort.number,
            "words": cohort.words,
        }
        for found in cohort.findings:
            yield {
                "section": "evidence",
                "key": found.key,
                "observed": found.count,
                "of_count": found.of_count,
                "share": found.share,
                "low": found.low,
                "high": found.high,
                "cohort": cohort.number,
                "words": found.words or found.missing,
            }


def _days(analysis: ChattersAnalysis) -> Iterator[dict[str, Any]]:
    for top in analysis.top_days:
        numbers = {"observed": top.observed, "expected": top.expected, "cohort": top.cohort}
        yield {"section": "top_day", **span_facts(top.day, top.day), **numbers}


def _curve(analysis: ChattersAnalysis) -> Iterator[dict[str, Any]]:
    curve = analysis.age_curve
    for age, observed, expected in zip(curve.age_days, curve.observed, curve.expected, strict=True):
        # Shares of the accounts that are at most so old.
        yield {"section": "age_curve", "key": age, "observed": observed, "expected": expected}


def _curve_columns(analysis: ChattersAnalysis) -> dict[str, Any]:
    curve = analysis.age_curve
    return {
        "age_days": list(curve.age_days),
        "observed_share": list(curve.observed),
        "expected_share": list(curve.expected),
        "median_age_days": curve.median_age_days,
        "expected_median_age_days": curve.expected_median_age_days,
    }
