"""The daily report as one HTML file that needs nothing else: styles and pictures are inside."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from dashboard.insights.report import DayReport, Ranked, StreamReport

_STYLE: Final = """
:root { color-scheme: light dark; --bg:#fbfbfd; --card:#fff; --line:#dcdce6; --text:#16161d; --muted:#5c5c6e;
  --accent:#6d3fd1; --info:#0b6aa8; --warn:#8a5a00; --bar:#e9e4f8; }
@media (prefers-color-scheme: dark) { :root { --bg:#0f0f15; --card:#17171f; --line:#2b2b39; --text:#ededf2;
  --muted:#a5a5b8; --accent:#a98bff; --info:#6cc3ff; --warn:#f2c14e; --bar:#2a2440; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--bg); color:var(--text); font:15px/1.5 system-ui,sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 17px; margin: 0 0 12px; }
p { margin: 4px 0; } .muted { color: var(--muted); } time { white-space: nowrap; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 20px;
  margin-top: 16px; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px;
  margin-top: 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 14px; }
.tile b { display:block; font-size: 22px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); font-size: 13px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
@media (max-width: 640px) { .two { grid-template-columns: 1fr; gap: 0; } }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
td, th { text-align: left; padding: 6px 8px 6px 0; border-top: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 500; border-top: 0; }
.num { text-align: right; white-space: nowrap; width: 1%; padding-right: 16px; }
ul { margin: 0; padding-left: 18px; } li { margin: 3px 0; } .note { border-left: 3px solid var(--warn); }
svg { display:block; width:100%; height:160px; } .rank td:first-child { width: 55%; }
.facts td:first-child { width: 32%; }
.axis { position: relative; height: 22px; margin: 2px 24px 6px 0; color: var(--muted); font-size: 12px; }
.axis time { position: absolute; border-left: 1px solid var(--line); padding-left: 4px; }
.key i { display:inline-block; width:10px; height:10px; border-radius:3px; margin-right:6px; }
"""


_LONGEST_STEP_US: Final = 5 * 60_000_000
"""Viewers are counted once a minute; what lies further apart is not joined."""


def report_html(report: DayReport) -> str:
    """The report to read in a browser, on paper or in a mail.

    Args:
        report: Everything it says.

    Returns:
        A whole page; names and titles that people chose are escaped.
    """
    zone = ZoneInfo(report.time_zone)

    def clock(at: int) -> str:
        return datetime.fromtimestamp(at / 1e6, UTC).astimezone(zone).strftime("%H:%M")

    day = datetime.fromisoformat(report.day)
    title = f"{report.room_login} · {day.day} {day:%B} {day.year}"
    made = datetime.fromtimestamp(report.made_at / 1e6, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="muted">{escape(day.strftime("%A"))}, {escape(report.time_zone)}. Made {made}.</p>',
        _notes(report),
        f'<div class="tiles">{"".join(_tiles(report))}</div>',
        _chart(report, clock),
        *(_stream(stream, clock) for stream in report.streams),
        _moments(report, clock),
        '<div class="two">',
        _ranking("Top chatters", report.chatters, "message", ""),
        _ranking("Top emotes", report.emotes, "use", "people"),
        "</div>",
        _coverage(report, clock),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>"
    )


def _notes(report: DayReport) -> str:
    if not report.notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return f'<section class="note"><h2>What to know first</h2><ul>{items}</ul></section>'


def _tiles(report: DayReport) -> list[str]:
    numbers = report.numbers
    chatters, returning = numbers["chatter_count"], numbers["returning_chatter_count"]
    share = f"{returning / chatters:.0%}" if returning is not None and chatters else None
    tiles = [
        ("Live", _span(numbers["live_s"]), _plural(numbers["stream_count"], "stream")),
        ("Viewers, average", _number(numbers["viewers_average"]), _peak(numbers["viewers_peak"])),
        ("Hours watched", _number(numbers["hours_watched"]), _covered(numbers)),
        ("Messages", _number(numbers["message_count"]), f"chat read {report.observed_share:.0%} of the time"),
        ("Chatters", _number(chatters), "different people who wrote"),
        ("Returning", share or "–", "seen in the 30 days before"),
        ("Follows", _number(numbers["follow_count"]), ""),
        ("Subs", _number(numbers["subscription_count"]), _besides(numbers["gift_count"])),
        ("Bits", _number(numbers["bits"]), ""),
        ("Raids", _number(numbers["raid_count"]), _raiders(numbers["raid_viewer_count"])),
    ]
    return [
        f'<div class="tile"><span>{escape(name)}</span><b>{escape(value)}</b>'
        f"<span>{escape(note)}</span></div>"
        for name, value, note in tiles
    ]


def _stream(stream: StreamReport, clock: Callable[[int], str]) -> str:
    rows = [
        ("Viewers, average", _number(stream.viewers_average), stream.comparisons.get("viewers_average", "")),
        ("Viewers, peak", _number(stream.viewers_peak), stream.comparisons.get("viewers_peak", "")),
        ("Hours watched", _number(stream.hours_watched), f"over {stream.coverage:.0%} of the stream"),
        ("Messages", _number(stream.message_count), _rate(stream)),
        ("Chatters", _number(stream.chatter_count), stream.comparisons.get("chatters", "")),
    ]
    cells = "".join(
        f'<tr><td>{escape(name)}</td><td class="num">{escape(value)}</td>'
        f'<td class="muted">{escape(note)}</td></tr>'
        for name, value, note in rows
    )
    cut = " It went on over midnight; this is the part of this day." if stream.is_cut else ""
    when = f"{clock(stream.started_at)} to {clock(stream.ended_at)}, {_span(stream.duration_s)}."
    return (
        f"<section><h2>{escape(stream.title or 'Stream')}</h2>"
        f'<p class="muted">{escape(stream.game or "no category")} · {when}{cut}</p>'
        f'<table class="facts">{cells}</table></section>'
    )


def _rate(stream: StreamReport) -> str:
    words = stream.comparisons.get("messages_per_hour", "")
    return f"per hour: {words}" if words else ""


def _moments(report: DayReport, clock: Callable[[int], str]) -> str:
    if report.usual_messages_per_min is None:
        return ""
    usual = f"Usual here: {report.usual_messages_per_min:,.0f} messages a minute."
    if not report.moments:
        return f"<section><h2>Best moments</h2><p>No minute stood out. {escape(usual)}</p></section>"
    rows = "".join(
        f"<tr><td><time>{clock(moment.at)}</time></td>"
        f'<td class="num">{moment.messages_per_min:,.0f} a minute</td>'
        f"<td>{moment.ratio:.1f}× usual</td></tr>"
        for moment in report.moments
    )
    return (
        f'<section><h2>Best moments</h2><table class="facts">{rows}</table><p class="muted">{escape(usual)} '
        "Each is the end of the fastest 60 s. Chat answers some seconds after what happened.</p></section>"
    )


def _ranking(title: str, rows: Sequence[Ranked], unit: str, people: str) -> str:
    if not rows:
        return f'<section><h2>{title}</h2><p class="muted">None seen.</p></section>'
    cells = "".join(
        f'<tr><td>{escape(row.name)}</td><td class="num">{row.count:,}</td>{_people(row, people)}</tr>'
        for row in rows
    )
    head = f'<tr><th></th><th class="num">{unit}s</th>{"<th></th>" if people else ""}</tr>'
    return f'<section><h2>{title}</h2><table class="rank">{head}{cells}</table></section>'


def _people(row: Ranked, word: str) -> str:
    if not word:
        return ""
    words = "" if row.people is None else "1 person" if row.people == 1 else f"{row.people:,} {word}"
    return f'<td class="muted">{words}</td>'


def _coverage(report: DayReport, clock: Callable[[int], str]) -> str:
    lines = [f"Chat was read for {report.observed_share:.0%} of the time that counts."]
    lines += [
        f"{clock(gap.started_at)} to {clock(gap.ended_at)} not seen: {gap.reason}" for gap in report.gaps[:20]
    ]
    if len(report.gaps) > 20:
        lines.append(f"and {len(report.gaps) - 20} shorter gaps more")
    lines.append(
        "Only people who are logged in and write can be counted as chatters. Viewers are Twitch's own count."
    )
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<section><h2>Coverage</h2><ul>{items}</ul></section>"


def _chart(report: DayReport, clock: Callable[[int], str]) -> str:
    """Messages a minute as an area and viewers as a line, each on a scale of its own."""
    if len(report.chart) < 2:
        return ""
    first, last = report.chart[0][0], max(report.chart[-1][0], report.chart[0][0] + 1)
    width, height = 900.0, 150.0
    top = max((rate for _, rate in report.chart if rate is not None), default=0) or 1
    most = max((count for _, count in report.viewers), default=0) or 1

    def x(at: int) -> float:
        return (at - first) / (last - first) * width

    areas, run = [], list[str]()
    for at, rate in (*report.chart, (last, None)):
        if rate is not None:
            run.append(f"{x(at):.1f},{height - rate / top * (height - 10):.1f}")
        elif run:
            begin, end = run[0].split(",")[0], run[-1].split(",")[0]
            areas.append(f"M{begin},{height} L{' L'.join(run)} L{end},{height} Z")
            run = []
    line, before = "", 0
    for at, count in report.viewers:
        # Without this the line would cross the time that nobody looked at.
        pen = "L" if at - before <= _LONGEST_STEP_US else "M"
        line, before = f"{line}{pen}{x(at):.1f},{height - count / most * (height - 10):.1f} ", at
    label = f"Messages a minute, up to {top:,.0f}; viewers, up to {most:,.0f}"
    return (
        f'<section><h2>The day</h2><svg viewBox="0 0 {width:.0f} {height + 4:.0f}" '
        'preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(label)}">'
        f'<path d="{" ".join(areas)}" fill="var(--accent)" fill-opacity=".28" stroke="var(--accent)" '
        'vector-effect="non-scaling-stroke"/>'
        f'<path d="{line.strip()}" fill="none" stroke="var(--info)" stroke-width="1.5" '
        f'vector-effect="non-scaling-stroke"/></svg>{_axis(first, last, clock)}'
        '<p class="muted key"><i style="background:var(--accent)"></i>'
        f"messages a minute, up to {top:,.0f} &nbsp; "
        f'<i style="background:var(--info)"></i>viewers, up to {most:,.0f} &nbsp; '
        f"{clock(first)} to {clock(last)}; nothing is drawn where nobody looked</p></section>"
    )


def _axis(first: int, last: int, clock: Callable[[int], str]) -> str:
    """Round times under the picture, seven at most."""
    steps = [minutes * 60_000_000 for minutes in (5, 10, 15, 30, 60, 120, 180, 240, 360)]
    step = next((step for step in steps if (last - first) / step <= 7), steps[-1])
    times = range(-(-first // step) * step, last + 1, step)
    marks = "".join(
        f'<time style="left:{(at - first) / (last - first):.2%}">{clock(at)}</time>' for at in times
    )
    return f'<div class="axis" aria-hidden="true">{marks}</div>'


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _span(seconds: float | None) -> str:
    if not seconds:
        return "–"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _plural(count: int | None, word: str) -> str:
    return f"{count or 0} {word}{'' if count == 1 else 's'}"


def _besides(gift_count: int | None) -> str:
    return f"{gift_count:,} {'gift' if gift_count == 1 else 'gifts'} besides" if gift_count else ""


def _raiders(people_count: int | None) -> str:
    return f"{people_count:,} {'person' if people_count == 1 else 'people'} with them" if people_count else ""


def _peak(peak: int | None) -> str:
    return "" if peak is None else f"peak {peak:,}"


def _covered(numbers: dict[str, Any]) -> str:
    live, covered = numbers["live_s"] or 0, numbers["viewers_covered_s"] or 0
    return f"over {min(1.0, covered / live):.0%} of the time live" if live else ""


def report_json(report: DayReport) -> str:
    """The same as JSON."""
    return json.dumps(report.as_dict(), ensure_ascii=False, indent=1)
