"""The Jobs page's parts, as functions from values to components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.events import Instant
from dashboard.insights.jobs import JobCard, JobsOverview, RunLine, RunLog
from dashboard.ui import components, ids, text

Component = Any

FILTERS = [("All", "all"), ("Failed", "failed"), ("Done", "ok"), ("Cancelled", "cancelled")]
WORDS = {
    "running": "running",
    "waiting": "waiting",
    "requested": "waiting",
    "ok": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "lost": "lost",
    "never": "not yet run",
    "blocked": "can't run",
    "off": "stopped",
}
BY = {"clock": "by the clock", "local": "by you", "command line": "by command"}
START_WORKER = "Start it with python app.py (everything) or python app.py work (only the worker)."


def skeleton() -> list[Component]:
    """The table before its data: rows of the right height."""
    return [html.Li(html.Span(className="bone bone-line"), className="job-row") for _ in range(6)]


def notice(overview: JobsOverview) -> Component:
    """Says so when nobody does the jobs; nothing when somebody does."""
    if overview.is_worker_running:
        return None
    if overview.worker_seen_at is None:
        title = "The worker has not run yet: nothing is done by the clock."
    else:
        ago = text.span((overview.now - overview.worker_seen_at) / 1e6)
        title = f"The worker has been silent for {ago}: nothing is done by the clock."
    return components.notice(title, f"{START_WORKER} What was missed is done once when it starts.")


def summary(overview: JobsOverview) -> str:
    """One sentence over the table."""
    if not overview.is_worker_running:
        return "The worker is not running"
    parts = []
    if overview.running_count:
        parts.append(f"{overview.running_count} under way")
    if overview.failed_count:
        parts.append(f"{overview.failed_count} failed the last time")
    return ", ".join(parts) or "All quiet"


def table(overview: JobsOverview, is_admin: bool, tz: ZoneInfo) -> list[Component]:
    """One row a job.

    Args:
        overview: All jobs.
        is_admin: Whether whoever looks may start and cancel them, and read what they did.
        tz: The viewer's time zone.

    Returns:
        Items of a list; every row has the same four cells.
    """
    return [_row(card, overview, is_admin, tz) for card in overview.cards]


def _row(card: JobCard, overview: JobsOverview, is_admin: bool, tz: ZoneInfo) -> html.Li:
    name = html.Div([html.H3(card.title), html.P(card.description, className="muted")], className="job-name")
    when = html.Div([html.Span(_sentence(card.rhythm)), _next(card, overview, tz)], className="job-when")
    state = html.Div(_state(card, overview, is_admin, tz), className="job-state")
    action = html.Div(_action(card, is_admin), className="job-action")
    return html.Li([name, when, state, action], className=f"job-row is-{card.state}", key=card.name)


def _next(card: JobCard, overview: JobsOverview, tz: ZoneInfo) -> Component:
    if card.done_by != "worker" or card.next_at is None:
        words = {"collector": "by the collector", "upkeep": "by the worker itself"}.get(card.done_by, "")
        return html.Small(words, className="muted")
    if not overview.is_worker_running:
        return html.Small("when the worker runs", className="muted")
    left_s = (card.next_at - overview.now) / 1e6
    if left_s < 3600:
        return html.Small(f"next in {text.span(max(1, left_s))}", className="muted")
    return html.Small(f"next {_clock(card.next_at, overview.now, tz)}", className="muted")


def _clock(at: Instant, now: Instant, tz: ZoneInfo) -> str:
    moment, today = text.local(at, tz), text.local(now, tz)
    days = (moment.date() - today.date()).days
    day = {0: "at", 1: "tomorrow at", -1: "yesterday at"}.get(days, f"{moment.day} {moment:%b},")
    return f"{day} {moment:%H:%M}"


def _state(card: JobCard, overview: JobsOverview, is_admin: bool, tz: ZoneInfo) -> list[Component]:
    if card.state in ("running", "waiting"):
        return _under_way(card, is_admin)
    parts: list[Component] = [html.Div([_pill(card.state), *_past(card, overview)], className="job-result")]
    if card.why_not:
        parts.append(_obstacle(card))
    elif card.last_text and (is_admin or card.state == "ok"):
        shown = card.last_text if is_admin else ""
        parts.append(html.P(shown, className="job-words", title=shown))
    if card.is_late and card.last_good_at is not None:
        since = _clock(card.last_good_at, overview.now, tz)
        parts.append(html.P(f"Not done since {since}: that time is missing.", className="job-late"))
    return parts


def _under_way(card: JobCard, is_admin: bool) -> list[Component]:
    is_counted = bool(card.total) and card.done is not None
    share: Any = {"value": str(card.done), "max": str(card.total)} if is_counted else {}
    words = "Waiting for the worker" if card.state == "waiting" else ""
    if is_admin and card.text:
        words = card.text
    if card.is_stopping:
        words = "Stopping"
    count = f"{card.done:,} of {card.total:,}" if is_counted else ""
    return [
        html.Div([_pill(card.state), html.Span(count, className="muted")], className="job-result"),
        html.Progress(**share, **components.aria(label=f"{card.title}: progress")),
        html.P(words, className="job-words", title=words),
    ]


def _past(card: JobCard, overview: JobsOverview) -> list[Component]:
    parts: list[Component] = []
    if card.last_at is not None:
        words = f"{text.span(max(0, overview.now - card.last_at) / 1e6)} ago"
        if card.last_duration_s is not None:
            words += f", took {_took(card.last_duration_s)}"
        parts.append(html.Span(words, className="muted"))
    if card.run_count:
        failed = f", {card.failed_count:,} failed" if card.failed_count else ""
        runs = "1 run" if card.run_count == 1 else f"{card.run_count:,} runs"
        parts.append(html.Span(f"{runs} since its start{failed}", className="muted"))
    return parts


def _took(seconds: float) -> str:
    return (
        f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else f"{seconds:.1f} s"
        if seconds < 10
        else text.span(seconds)
    )


def _obstacle(card: JobCard) -> html.P:
    cure = dcc.Link(card.cure, href=card.href) if card.href and len(card.cure) < 20 else card.cure
    extra = dcc.Link("Show me how", href=card.href) if card.href and len(card.cure) >= 20 else None
    return html.P([card.why_not, " ", cure, " ", extra], className="job-words")


def _pill(state: str) -> html.Span:
    return html.Span(WORDS[state], className=f"pill job-pill is-{state}")


def _action(card: JobCard, is_admin: bool) -> Component:
    if not is_admin or card.done_by != "worker":
        return None
    if card.state in ("running", "waiting"):
        return html.Button(
            "Cancel",
            className="button",
            type="button",
            disabled=card.is_stopping,
            **components.data(jobcancel=card.run_id),
            **components.aria(label=f"Cancel {card.title}"),
        )
    return html.Button(
        "Run now",
        className="button",
        type="button",
        disabled=not card.is_startable,
        **components.data(jobrun=card.name),
        **components.aria(label=f"Run {card.title} now"),
    )


def history(lines: Sequence[RunLine], opened: RunLog | None, now: Instant, tz: ZoneInfo) -> list[Component]:
    """The runs, each a button that opens its log.

    Args:
        lines: Newest first.
        opened: The run whose log is shown.
        now: The wall clock.
        tz: The viewer's time zone.

    Returns:
        Items of a list, or a sentence when there are none.
    """
    if not lines:
        return [html.Li("No runs of this kind yet.", className="blank muted")]
    return [
        _run(line, opened if opened and opened.run_id == line.run_id else None, now, tz) for line in lines
    ]


def _run(line: RunLine, opened: RunLog | None, now: Instant, tz: ZoneInfo) -> html.Li:
    is_open = opened is not None
    when = text.day_clock(line.at, tz, now=now)
    took = "" if line.duration_s is None else _took(line.duration_s)
    button = html.Button(
        [
            components.icon("chevron-down" if is_open else "chevron-right"),
            html.B(line.title),
            _pill(line.state),
            html.Span(line.words, className="run-words"),
            html.Span(took, className="muted run-took"),
            html.Time(when, className="muted"),
        ],
        className="run-button",
        type="button",
        **components.data(joblog="" if is_open else line.run_id),
        **components.aria(expanded=str(is_open).lower()),
    )
    return html.Li([button, _log(opened, line, tz) if opened else None], key=line.run_id)


def _log(opened: RunLog, line: RunLine, tz: ZoneInfo) -> html.Div:
    by = BY.get(line.by, f"by user {line.by}" if line.by else "")
    attempt = f", attempt {line.attempt}" if line.attempt > 1 else ""
    rows = [
        html.Div([html.Time(text.clock(at, tz, seconds=True)), html.Span(words)], className="log-line")
        for at, words in opened.lines
    ]
    return html.Div(
        [
            html.P(f"Asked for {by}{attempt}.", className="muted"),
            html.P(line.error, className="run-error") if line.error else None,
            html.Div(
                rows or html.P("It wrote nothing down.", className="muted"),
                className="run-log",
                tabIndex="0",
                role="log",
                **components.aria(label=f"Log of {line.title}"),
            ),
        ],
        className="run-open",
    )


def reports(files: Sequence[tuple[str, str]]) -> list[Component]:
    """The daily reports that one may read.

    Args:
        files: Channel and day, newest first.

    Returns:
        Links, or what to expect when there are none.
    """
    if not files:
        words = (
            "No report yet. One is made a channel and day, just after the day is over where the channel is."
        )
        return [html.Li(words, className="blank muted")]
    return [
        html.Li(
            html.A(
                [html.B(room), html.Time(_day(day))],
                href=f"/reports/{room}/{day}.html",
                target="_blank",
                rel="noopener",
            ),
            key=f"{room} {day}",
        )
        for room, day in files
    ]


def _day(day: str) -> str:
    from datetime import date

    parsed = date.fromisoformat(day)
    return f"{parsed:%a} {parsed.day} {parsed:%b} {parsed.year}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def frame() -> list[Component]:
    """The page's cards with skeletons in them."""
    return [
        html.Div(id=ids.JOBS_NOTICE),
        html.P(id=ids.JOBS_MESSAGE, className="jobs-message", **components.aria(live="polite")),
        components.card(
            "All jobs",
            html.Ul(skeleton(), id=ids.JOBS_TABLE, className="job-table"),
            side=html.Span(id=ids.JOBS_SUMMARY, className="muted"),
        ),
        components.card(
            "Daily reports",
            html.Ul(
                html.Li(html.Span(className="bone bone-line")), id=ids.JOBS_REPORTS, className="report-list"
            ),
        ),
        html.Div(
            components.card(
                "History",
                components.chips(ids.JOBS_FILTER, FILTERS, "all", "Which runs"),
                html.Ul(
                    html.Li(html.Span(className="bone bone-line")), id=ids.JOBS_HISTORY, className="run-list"
                ),
            ),
            id=ids.JOBS_HISTORY_CARD,
        ),
    ]
