"""The daily reports: of each channel's last days that have none yet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from dashboard.analytics.timebins import DAY_US
from dashboard.errors import JobError, QueryError
from dashboard.insights.channel_day import Day, zone_of
from dashboard.insights.report import daily_report
from dashboard.insights.report_html import report_html, report_json
from dashboard.jobs.context import JobContext
from dashboard.jobs.times import local_day
from dashboard.storage.report_files import ReportFiles

CAUGHT_UP_DAYS: Final = 7
"""After a longer pause older days can be asked for by hand: ``--param day=…``."""


def daily_reports(context: JobContext) -> str:
    """Makes the reports that are missing.

    Params:
        ``day`` makes that day's report anew; ``room`` only that channel's.
    """
    files = ReportFiles(context.settings.data_dir)
    wanted = _wanted(context, files)
    made = 0
    for number, day in enumerate(wanted):
        context.handle.check()
        context.handle.progress(number, len(wanted), f"{day.room_login}, {day.day}")
        try:
            report = daily_report(context.store, context.state, day, now=context.now())
        except QueryError as error:
            context.failed(f"{day.room_login}, {day.day}", error)
            continue
        if report is None:
            context.handle.log(f"{day.room_login}, {day.day}: nothing is known of that day")
            continue
        files.write(day.room_login, day.day.isoformat(), json=report_json(report), html=report_html(report))
        context.handle.log(f"{day.room_login}, {day.day}: made")
        made += 1
    return f"{made} report{'' if made == 1 else 's'} made" if made else "No report was missing"


def _wanted(context: JobContext, files: ReportFiles) -> list[Day]:
    rooms = context.state.followed()
    if room := context.params.get("room"):
        rooms = [str(room).lower()]
    asked = _asked_day(context)
    found = []
    for login in rooms:
        zone = zone_of(context.settings, login)
        last = local_day(context.now(), zone) - timedelta(days=1)
        if asked is not None:
            found += [Day(login, asked, zone)]
            continue
        days = [last - timedelta(days=back) for back in range(CAUGHT_UP_DAYS)][::-1]
        # One that was made by hand before its day was over is made again.
        found += [
            wanted
            for wanted in (Day(login, day, zone) for day in days)
            if not files.has(login, wanted.day.isoformat(), made_after=wanted.span[1])
        ]
    return found if asked is not None else _with_data(context, found)


def _with_data(context: JobContext, days: list[Day]) -> list[Day]:
    """Those that have messages or viewer counts: one question for all instead of ten for each."""
    if not days:
        return []
    start_at = min(day.span[0] for day in days)
    end_at = max(day.span[1] for day in days)
    frame = context.store.query("day_rooms", window=(start_at, end_at), start_at=start_at, end_at=end_at)
    known = set(zip(frame["room_login"], frame["day_number"], strict=True))
    return [day for day in days if any((day.room_login, number) in known for number in _utc_days(day))]


def _utc_days(day: Day) -> range:
    start_at, end_at = day.span
    return range(start_at // DAY_US, (end_at - 1) // DAY_US + 1)


def _asked_day(context: JobContext) -> date | None:
    text = context.params.get("day")
    if not text:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise JobError(f"day={text}: write the day as YYYY-MM-DD.") from None
