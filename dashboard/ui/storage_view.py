"""The Storage page's parts, as functions from values to components."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.events import Instant
from dashboard.insights.storage import (
    CopyPanel,
    JobState,
    JournalLine,
    KindLine,
    StorageOverview,
)
from dashboard.ui import components, ids, text

Component = Any

DOCS = "/docs/s3.md"
WORDS = {
    "good": "up to date",
    "running": "sending",
    "late": "behind",
    "failing": "failing",
    "empty": "nothing to send yet",
    "off": "not set up",
}
_EXAMPLE = "S3_BUCKET=my-bucket\nS3_REGION=eu-central-1\nAWS_ACCESS_KEY_ID=…\nAWS_SECRET_ACCESS_KEY=…"
SAFE = "Nothing on this machine is lost; it is tried again twice a minute."


def frame() -> list[Component]:
    """The page before its data: every card at its place, yesterday ready to be exported."""
    return [
        html.Div(id=ids.STORAGE_NOTICE),
        components.card(
            "Copy on S3",
            html.Div(_bones(3), id=ids.STORAGE_COPY),
            html.P(id=ids.STORAGE_SYNC_SAID, className="storage-said", role="status"),
            side=html.Button(
                "Sync now", id=ids.STORAGE_SYNC, className="button", type="button", disabled=True
            ),
        ),
        components.card("On this disk", html.Div(_bones(6), id=ids.STORAGE_KINDS)),
        html.Div(
            [
                components.card("Not in the lake yet", html.Div(_bones(2), id=ids.STORAGE_WAITING)),
                components.card("Exports", _export_form(), html.Div(_bones(1), id=ids.STORAGE_EXPORTS)),
            ],
            className="storage-pair",
        ),
    ]


def _bones(count: int) -> list[Component]:
    return [html.Div(html.Span(className="bone bone-line"), className="storage-bone") for _ in range(count)]


def _export_form() -> html.Div:
    today = datetime.now(UTC).date()
    return html.Div(
        [
            html.P("A UTC day as CSV and JSON, a file a channel and kind.", className="muted storage-small"),
            html.Div(
                [
                    dcc.DatePickerSingle(
                        id=ids.STORAGE_DAY,
                        display_format="YYYY-MM-DD",
                        date=str(today - timedelta(days=1)),
                        max_date_allowed=str(today),
                        first_day_of_week=1,
                        clearable=False,
                    ),
                    html.Button("Export day", id=ids.STORAGE_EXPORT, className="button", type="button"),
                ],
                className="storage-export",
            ),
            html.P(id=ids.STORAGE_EXPORT_SAID, className="storage-said", role="status"),
        ]
    )


def summary(overview: StorageOverview) -> str:
    """One sentence beside the heading."""
    if not overview.kinds:
        return f"No events yet; {size(overview.free_bytes)} free"
    return (
        f"{text.count(overview.row_count)} events in {size(overview.byte_count)}, "
        f"{size(overview.free_bytes)} free"
    )


def copy(panel: CopyPanel, sync: JobState, now: Instant, tz: ZoneInfo) -> Component:
    """Where the copy is, what of the lake it has, how far it is behind, and what is wrong.

    Args:
        panel: As the insight says.
        sync: The run that is asked for or under way, or the last one.
        now: The wall clock.
        tz: The viewer's time zone.

    Returns:
        The card's contents; without a bucket how to set one up.
    """
    if panel.state == "off":
        return _how_to()
    share = panel.synced_bytes / panel.live_bytes if panel.live_bytes else 1.0
    percent = 100 if panel.synced_count == panel.live_count else min(99, int(share * 100))
    files = f"{panel.synced_count:,} of {panel.live_count:,} files"
    facts = [
        ("Where", panel.place, f"at {panel.server}"),
        ("Synced", f"{percent} %", f"{files}, {size(panel.synced_bytes)} of {size(panel.live_bytes)}"),
        ("Oldest event not on S3", *_waiting(panel)),
        ("Last success", *_ago(panel.success_at, now, tz)),
        ("Speed", f"{size(panel.bytes_per_s)}/s" if panel.bytes_per_s else "–", "of the last transfer"),
    ]
    return html.Div(
        [
            html.Div(
                [_pill(panel.state), html.Span(_under_way(sync, now), className="muted storage-small")],
                className="storage-state",
            ),
            html.Progress(value=str(percent), max="100", **components.aria(label="Share of the lake on S3")),
            html.Dl([_fact(*fact) for fact in facts], className="storage-facts"),
            _error(panel, now, tz) if panel.error else None,
        ]
    )


def _how_to() -> html.Div:
    return html.Div(
        [
            html.P(
                [
                    html.Strong("Everything is on this machine only. "),
                    "With a bucket, a lost disk comes back whole: the lake goes up within a minute, and "
                    "python app.py restore brings it back.",
                ]
            ),
            html.P("Put this into .env (or the environment), and start StreamLens again:", className="muted"),
            html.Pre(_EXAMPLE, className="storage-example"),
            html.P(
                [
                    "Rights, other servers than AWS, reading the bucket directly: ",
                    html.A("the manual of S3", href=DOCS),
                    ".",
                ],
                className="muted",
            ),
        ],
        className="storage-off",
    )


def _pill(state: str) -> html.Span:
    return html.Span(WORDS[state], className=f"pill storage-pill is-{state}")


def _for_worker(job: JobState, now: Instant) -> str:
    """A worker that runs takes an order within a second or two."""
    waited_s = (now - job.at) / 1e6 if job.at is not None else 0
    if waited_s < 20:
        return "waiting for the worker"
    return f"waiting for the worker for {text.span(waited_s)}; is it running? python app.py work starts it"


def _under_way(sync: JobState, now: Instant) -> str:
    if sync.state == "requested":
        return _for_worker(sync, now)
    if sync.state == "running" and sync.total:
        return f"{size(sync.done or 0)} of {size(sync.total)}: {sync.words}"
    return ""


def _waiting(panel: CopyPanel) -> tuple[str, str]:
    if panel.waiting_s is None:
        return ("none", "") if panel.live_count else ("–", "")
    return text.span(max(1, panel.waiting_s)), "old"


def _ago(at: Instant | None, now: Instant, tz: ZoneInfo) -> tuple[str, str]:
    if at is None:
        return "never", ""
    return f"{text.span(max(1, (now - at) / 1e6))} ago", text.day_clock(at, tz, now=now)


def _fact(name: str, value: str, note: str) -> html.Div:
    return html.Div(
        [
            html.Dt(name),
            html.Dd([html.Span(value, title=value), html.Small(note) if note else None]),
        ]
    )


def _error(panel: CopyPanel, now: Instant, tz: ZoneInfo) -> Component:
    since = "" if panel.error_at is None else f"Last seen {_ago(panel.error_at, now, tz)[0]}. "
    # The message ends with what is safe; the notice has a place of its own for that.
    words = panel.error.removesuffix(" Nothing local is lost.")
    title, _, cure = words.removeprefix("S3: ").partition(". ")
    # An address stays as it is written.
    head = title if title.startswith("http") else f"{title[:1].upper()}{title[1:]}"
    return components.notice(head, f"{cure} {since}{SAFE}".strip())


def kinds(lines: Sequence[KindLine], tz: ZoneInfo, now: Instant) -> Component:
    """One row a kind: events, files, size, first and last, how long it stays.

    Args:
        lines: In the order shown.
        tz: The viewer's time zone.
        now: The wall clock.

    Returns:
        A table, or a sentence when nothing is stored yet.
    """
    if not lines:
        return html.P(
            "No events yet. They appear here as soon as a channel is collected.", className="muted blank"
        )
    names = ("Kind", "Events", "Files", "Size", "First", "Last", "Kept")
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in names]))
    return html.Table([head, html.Tbody([_kind(line, tz, now) for line in lines])], className="storage-table")


def _kind(line: KindLine, tz: ZoneInfo, now: Instant) -> html.Tr:
    kind = line.on_disk
    kept = f"{line.retention_days} days" if line.retention_days else "for ever"
    cells = (
        ("Events", f"{kind.row_count:,}"),
        ("Files", f"{kind.file_count:,}"),
        ("Size", size(kind.byte_count)),
        ("First", text.day_clock(kind.first_at, tz, now=now)),
        ("Last", text.day_clock(kind.last_at, tz, now=now)),
        ("Kept", kept),
    )
    name = kind.kind.replace("_", " ")
    return html.Tr(
        [
            html.Th(name, scope="row", title=kind.kind),
            *(html.Td(value, **components.data(name=label)) for label, value in cells),
        ],
        key=kind.kind,
    )


def waiting(overview: StorageOverview) -> Component:
    """Journals that are not in the lake yet, and lines that nobody could understand."""
    rejects = overview.rejects
    # Each job leaves an empty journal behind, and those tell nobody anything.
    told = [line for line in overview.journals if line.is_running or line.byte_count or line.damaged_count]
    rows = [_journal(line) for line in told]
    if not rows:
        note = "nobody is writing" if overview.journals else "nobody has written yet"
        rows = [_fact("Journals", "empty", note)]
    note = f"{_files(rejects.file_count)}, the newest {rejects.newest}" if rejects.file_count else ""
    value = size(rejects.byte_count) if rejects.file_count else "none"
    rows.append(_fact("Lines not understood", value, note))
    return html.Dl(rows, className="storage-facts is-narrow")


def _journal(line: JournalLine) -> html.Div:
    if line.damaged_count:
        note = f"{line.damaged_count} damaged segments set aside"
    elif line.is_running:
        note = "being written"
    else:
        note = "its writer died; the worker brings it in when it starts"
    return _fact(f"Journal “{line.writer}”", size(line.byte_count) if line.byte_count else "empty", note)


def exports(overview: StorageOverview) -> Component:
    """What was exported, and how the last run went."""
    found, job = overview.exports, overview.export
    if found.file_count:
        value, note = (
            _files(found.file_count),
            f"{size(found.byte_count)} in exports/ of the data folder",
        )
    else:
        value, note = "none yet", ""
    state = {
        "": "never",
        "requested": _for_worker(job, overview.now),
        "running": "under way",
        "ok": "done",
        "failed": "failed",
        "cancelled": "cancelled",
        "lost": "lost its worker; it is done again",
    }.get(job.state, job.state)
    progress = (
        f"{job.done:,} of {job.total:,} files" if job.is_open and job.total and job.done is not None else ""
    )
    facts = [_fact("Written", value, note), _fact("Last run", state, progress or job.words)]
    return html.Dl(facts, className="storage-facts is-narrow")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def size(byte_count: float | None) -> str:
    """Bytes as people read them, in powers of a thousand."""
    value = float(byte_count or 0)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 else f"{value:,.0f} {unit}"
        value /= 1000
    return f"{value:.1f} TB" if value < 9.95 else f"{value:,.0f} TB"
