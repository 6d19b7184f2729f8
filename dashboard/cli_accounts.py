"""``accounts``: unusual cohorts in a file of account ages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli_output import errors_said_plainly, say

if TYPE_CHECKING:
    from dashboard.account_file import AccountFile
    from dashboard.analytics.account_ages import AgeAnalysis, Baseline, Cohort

_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_READABLE)
@click.option(
    "--baseline", "baseline_file", type=_READABLE, help="Accounts of other rooms, in the same form."
)
@click.option("--as-of", help="Day the ages were looked up (YYYY-MM-DD).  [default: today]")
@click.option("--baseline-as-of", help="The same for the baseline's ages.  [default: as --as-of]")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def accounts(
    file: Path, baseline_file: Path | None, as_of: str | None, baseline_as_of: str | None, as_json: bool
) -> None:
    """Find unusual cohorts in a CSV of account ages.

    A cohort is many accounts created within a few days, more than is usual.

    FILE has a column created_at (ISO date or time, or month/day/year), or days (age in days, with
    --as-of). What is usual comes from --baseline; without it from a rough shape that ships with the
    project.
    """
    with errors_said_plainly(as_json):
        from dashboard.account_file import read_accounts
        from dashboard.analytics.account_ages import find_cohorts

        day = _day("--as-of", as_of)
        room = read_accounts(file, as_of_day=day)
        baseline = _baseline(baseline_file, _day("--baseline-as-of", baseline_as_of or as_of))
        analysis = find_cohorts(room.days, baseline, as_of_day=day, n_unknown=room.unknown_count)
        problems = [*room.problems, *_out_of_time(analysis, room, day)]
        if not as_json:
            for problem in problems:
                click.echo(f"{file.name}, {problem}", err=True)
        say(_summary(analysis, room, day, problems), as_json, _words(analysis, room))


def _day(option: str, text: str | None) -> int:
    from dashboard.account_file import day_of

    if text is None:
        return day_of(datetime.now(UTC).date())
    try:
        return day_of(date.fromisoformat(text))
    except ValueError:
        raise click.UsageError(f"{option} {text}: give a day such as 2026-11-02.") from None


def _baseline(path: Path | None, as_of_day: int) -> Baseline | None:
    from dashboard.account_file import read_accounts
    from dashboard.analytics.account_ages import Baseline
    from dashboard.errors import RecordingError

    if path is None:
        return None
    told = read_accounts(path, as_of_day=as_of_day)
    try:
        name = f"{len(told.days):,} accounts of {path.name}"
        return Baseline.from_created_days(told.days, as_of_day=as_of_day, name=name)
    except ValueError:
        raise RecordingError(
            f"{path.name} has no account of known age up to {_iso(as_of_day)}, so it is no baseline. "
            "Give another file, or none: then a rough shape that ships with the project is used."
        ) from None


def _out_of_time(analysis: AgeAnalysis, room: AccountFile, as_of_day: int) -> list[str]:
    count = analysis.n_unknown - room.unknown_count
    told = f"{count:,} created after {_iso(as_of_day)} or before Twitch was there: age not known"
    return [told] if count else []


def _summary(analysis: AgeAnalysis, room: AccountFile, as_of_day: int, problems: list[str]) -> dict[str, Any]:
    return {
        "ok": True,
        "n": analysis.n,
        "n_unknown": analysis.n_unknown,
        "cohorts": [_cohort(cohort) for cohort in analysis.cohorts],
        "verdict": analysis.verdict,
        "is_enough": analysis.is_enough,
        "as_of": _iso(as_of_day),
        "baseline": {"name": analysis.baseline_name, "n": analysis.baseline_count},
        "n_duplicates": room.duplicate_count,
        "problems": problems,
    }


def _cohort(cohort: Cohort) -> dict[str, Any]:
    return {
        "start": _iso(cohort.start_day),
        "end": _iso(cohort.end_day),
        "observed": cohort.observed,
        "expected": cohort.expected,
        "p": cohort.p,
        "q": cohort.q,
        "window_days": cohort.window_days,
        "effect": cohort.effect,
        "share": cohort.share,
    }


def _words(analysis: AgeAnalysis, room: AccountFile) -> str:
    lines = [analysis.verdict]
    if room.duplicate_count:
        lines.append(f"{room.duplicate_count:,} rows named an account a second time and were left out.")
    return "\n".join(lines)


def _iso(day: int) -> str:
    from dashboard.analytics.cohort_words import day_words

    return day_words(day)
