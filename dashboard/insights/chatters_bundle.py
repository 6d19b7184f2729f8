"""The evidence bundle: one HTML file with the verdict, the charts and the tables, and nothing from outside.

It needs no script and no network, is dark or light as the reader's system is, and can be printed. It holds
what the person who took it could see, as of one moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from dashboard.analytics.cohort_words import count_words, day_words, percent_words, q_words
from dashboard.events import Instant
from dashboard.insights.chatters_bundle_svg import age_svg, histogram_svg
from dashboard.insights.chatters_export import iso
from dashboard.insights.chatters_model import ChattersAnalysis, CohortLine, Finding
from dashboard.insights.chatters_people_model import MANY_RENAMES, AccountTable

MOST_ACCOUNTS: Final = 2_000
"""In the table; those of cohorts come first. All of them are in the exports."""
_ACCOUNT_HEAD: Final = (
    "Login",
    "Name",
    "Twitch user id",
    "Created (UTC)",
    "Age, days",
    "Seen",
    "First seen (UTC)",
    "Last seen (UTC)",
    "Messages",
    "Renames",
    "Cohort",
    "Evidence",
)
_TRAITS: Final = {
    "silent": "have not spoken",
    "spoke": "spoke",
    "first_seen": "first seen in this capture",
    "follows": "follow",
}
_STYLE: Final = """
:root { color-scheme: light dark; --bg:#fbfbfd; --card:#fff; --line:#dcdce6; --text:#16161d; --muted:#5c5c6e;
  --bar:#9a86cf; --odd:#b45309; --usual:#0b6aa8; --warn:#8a5a00; }
@media (prefers-color-scheme: dark) { :root { --bg:#0f0f15; --card:#17171f; --line:#2b2b39; --text:#ededf2;
  --muted:#a5a5b8; --bar:#7d66bd; --odd:#f2a33c; --usual:#6cc3ff; --warn:#f2c14e; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--bg); color:var(--text); font:15px/1.5 system-ui,sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 16px 64px; }
h1 { font-size: 22px; line-height: 1.35; margin: 6px 0 10px; } h2 { font-size: 17px; margin: 0 0 10px; }
p { margin: 4px 0; } .muted { color: var(--muted); font-size: 14px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px;
  margin-top: 16px; overflow-wrap: anywhere; }
.note { border-left: 3px solid var(--warn); } .odd-one { border-left: 3px solid var(--odd); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px;
  margin-top: 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 14px; }
.tile b { display:block; font-size: 22px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); font-size: 13px; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
td, th { text-align: left; padding: 5px 12px 5px 0; border-top: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 500; border-top: 0; white-space: nowrap; }
td { overflow-wrap: normal; } td bdi { white-space: nowrap; }
.num { text-align: right; } .when, .num { white-space: nowrap; }
ul { margin: 0; padding-left: 18px; } li { margin: 3px 0; }
svg { display: block; width: 100%; height: 200px; overflow: visible; }
svg .bar { fill: var(--bar); } svg .odd { fill: var(--odd); }
polyline { fill: none; stroke-width: 1.6; vector-effect: non-scaling-stroke; }
.usual { stroke: var(--usual); } .seen { stroke: var(--bar); }
.marks { position: relative; height: 20px; } .marks b { position: absolute; transform: translateX(-50%);
  background: var(--odd); color: var(--card); border-radius: 8px; padding: 0 6px; font-size: 12px;
  line-height: 18px; }
.axis { position: relative; height: 22px; margin: 2px 0 6px; color: var(--muted); font-size: 12px; }
.axis span { position: absolute; border-left: 1px solid var(--line); padding-left: 4px; white-space: nowrap; }
.key i { display: inline-block; width: 12px; height: 10px; border-radius: 3px; margin-right: 6px;
  background: var(--bar); }
.key i.odd { background: var(--odd); }
.key i.usual { background: var(--usual); height: 3px; vertical-align: middle; }
@media print { :root { --bg:#fff; --card:#fff; --line:#ccc; --text:#000; --muted:#444; --bar:#9a86cf;
  --odd:#b45309; --usual:#0b6aa8; } main { max-width: none; padding: 0; } table { font-size: 9px; }
  section { border-radius: 0; } tr, .tile, svg { break-inside: avoid; } .wide { overflow: visible; } }
"""


def bundle_html(analysis: ChattersAnalysis, table: AccountTable, made_at: Instant) -> str:
    """The evidence on one page.

    Args:
        analysis: What was found.
        table: The accounts of the same selection.
        made_at: The wall clock.

    Returns:
        A whole page; whatever people chose as a name is escaped.
    """
    rooms = ", ".join(dict.fromkeys(line.room_login for line in analysis.captures)) or "no channel"
    title = f"Chatters of {rooms}, {(iso(analysis.as_of) or '')[:16].replace('T', ' ')} UTC".replace(
        ",  UTC", ""
    )
    body = [
        _head(analysis, rooms, made_at),
        _notes(analysis),
        _tiles(analysis),
        _section("When the accounts were created", histogram_svg(analysis.histogram, analysis.cohorts)),
        *(_cohort(cohort) for cohort in analysis.cohorts),
        _top_days(analysis),
        _section("How old the accounts are", age_svg(analysis.age_curve)),
        _captures(analysis),
        _method(analysis),
        _services(analysis),
        _accounts(table),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(analysis: ChattersAnalysis, rooms: str, made_at: Instant) -> str:
    sources = ", ".join(dict.fromkeys(line.source_words for line in analysis.captures))
    about = f"Chatters of {rooms}" + (f", {sources}" if sources else "")
    as_of = f"As of {_when(iso(analysis.as_of))} UTC. " if analysis.as_of is not None else ""
    tested = (
        f"Tested: {analysis.tested_words}; {analysis.n:,} of known age, {analysis.n_unknown:,} of unknown."
    )
    return (
        f'<p class="muted">{escape(about)}</p><h1>{escape(analysis.verdict)}</h1>'
        f'<p class="muted">{escape(as_of + tested)} Made {_when(iso(made_at))} UTC with StreamLens.</p>'
    )


def _notes(analysis: ChattersAnalysis) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in analysis.notes)
    return f'<section class="note"><h2>What to know first</h2><ul>{items}</ul></section>' if items else ""


def _tiles(analysis: ChattersAnalysis) -> str:
    tiles = [
        ("Accounts", f"{analysis.account_count:,}", "each once, without service accounts"),
        ("Of known age", f"{analysis.n:,}", f"{analysis.n_unknown:,} not known yet"),
        (
            "Unusual cohorts",
            str(len(analysis.cohorts)),
            "" if analysis.is_enough else "too few accounts to tell",
        ),
    ]
    for name, count in analysis.trait_counts.items():
        missing = analysis.trait_missing.get(name, "")
        shown = "–" if count is None else f"{count:,}"
        tiles.append((_TRAITS.get(name, name).capitalize(), shown, missing))
    boxes = "".join(
        f'<div class="tile"><span>{escape(name)}</span><b>{escape(value)}</b>'
        f"<span>{escape(note)}</span></div>"
        for name, value, note in tiles
    )
    return f'<div class="tiles">{boxes}</div>'


def _cohort(cohort: CohortLine) -> str:
    when = day_words(cohort.start_day)
    if cohort.end_day != cohort.start_day:
        when += f" to {day_words(cohort.end_day)}"
    rows = "".join(_finding(found) for found in cohort.findings)
    evidence = _table(("Evidence", "In the cohort", "Of the others", "Details"), rows) if rows else ""
    return (
        f'<section class="odd-one"><h2>Unusual cohort {cohort.number}: created {escape(when)}</h2>'
        f"<p>{escape(cohort.words)}</p>"
        f'<p class="muted">{cohort.observed:,} accounts, {count_words(cohort.expected)} expected, '
        f"{cohort.effect:,.1f} times as many; p = {q_words(cohort.p)}, q = {q_words(cohort.q)}; "
        f"{percent_words(cohort.share)} of the accounts of known age.</p>{evidence}</section>"
    )


def _finding(found: Finding) -> str:
    rest = "" if found.rest_share is None else percent_words(found.rest_share)
    words = found.words or f"not known: {found.missing or 'no figure'}"
    label = f"<b>{escape(found.label)}</b>" if found.is_notable else escape(found.label)
    return _row((label, escape(words), rest, escape(", ".join(found.details))))


def _top_days(analysis: ChattersAnalysis) -> str:
    rows = "".join(
        _row(
            (
                day_words(top.day),
                f"{top.observed:,}",
                count_words(top.expected),
                "" if top.cohort is None else f"cohort {top.cohort}",
            ),
            "when",
            "num",
            "num",
        )
        for top in analysis.top_days
    )
    head = ("Day", "Accounts", "Expected", "")
    return _section("Days with most accounts", _table(head, rows, "when", "num", "num") if rows else "")


def _captures(analysis: ChattersAnalysis) -> str:
    rows = "".join(
        _row(
            (
                escape(line.room_login),
                escape(line.source_words),
                _when(iso(line.started_at)),
                _when(iso(line.finished_at)),
                f"{line.listed_count:,}",
                f"{line.unknown_count:,}",
                line.capture_id,
            ),
            "",
            "",
            "when",
            "when",
            "num",
            "num",
        )
        for line in analysis.captures
    )
    head = ("Channel", "Who", "Begun (UTC)", "Finished (UTC)", "Listed", "Age not known", "Capture")
    return _section("Captures", _table(head, rows, "", "", "", "", "num", "num") if rows else "")


def _method(analysis: ChattersAnalysis) -> str:
    lines = [
        f"{analysis.baseline_words} The baseline is made of {analysis.baseline_sample:,} accounts.",
        "An unusual cohort is a number of accounts created within 1, 3 or 7 days that is far above what the "
        "baseline lets expect. q is the share of false findings to be expected among those as clear as this.",
        "It says something about the crowd and nothing certain about any one account: people also come "
        "together for good reasons.",
    ]
    lines += [
        f"{window.room_login}: who spoke is known {window.words}; "
        f"chat was read for {window.observed_s / 60:,.0f} min."
        for window in analysis.chat_windows
    ]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return _section("How to read this", f"<ul>{items}</ul>")


def _services(analysis: ChattersAnalysis) -> str:
    if not analysis.services:
        return ""
    names = ", ".join(f"<bdi>{escape(one.user_login)}</bdi>" for one in analysis.services)
    return _section("Services of chats, not counted", f"<p>{names}</p>")


def _accounts(table: AccountTable) -> str:
    order = sorted(
        range(table.row_count), key=lambda row: (table.cohort[row] is None, table.cohort[row] or 0)
    )
    shown = order[:MOST_ACCOUNTS]
    rows = "".join(_account(table, row) for row in shown)
    words = table.words or f"{table.row_count:,} accounts"
    if len(shown) < table.row_count:
        words += f"; {len(shown):,} of {table.row_count:,} are listed here, those of cohorts first"
    if not rows:
        return _section("Accounts", f'<p class="muted">{escape(words)}</p>')
    listed = _table(_ACCOUNT_HEAD, rows, "", "", "", "", "num", "num", "", "", "num", "num", "num")
    return _section("Accounts", f'<p class="muted">{escape(words)}.</p>{listed}')


def _account(table: AccountTable, row: int) -> str:
    renames = table.rename_count[row]
    cells = (
        f"<bdi>{escape(table.user_login[row])}</bdi>",
        f"<bdi>{escape(table.user_display_name[row])}</bdi>",
        escape(table.user_id[row]),
        _second(table.created_s[row]),
        _number(table.age_days[row]),
        _number(table.seen_count[row]),
        _second(table.first_seen_s[row]),
        _second(table.last_seen_s[row]),
        _number(table.message_count[row]),
        f"<b>{renames:,}</b>" if renames >= MANY_RENAMES else f"{renames:,}",
        "" if table.cohort[row] is None else str(table.cohort[row]),
        escape(table.evidence[row]),
    )
    return _row(cells, "", "", "", "when", "num", "num", "when", "when", "num", "num", "num")


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _table(head: Sequence[str], rows: str, *classes: str) -> str:
    cells = "".join(
        f'<th class="{name}">{escape(words)}</th>' if name else f"<th>{escape(words)}</th>"
        for words, name in _with_classes(head, classes)
    )
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(cells: Sequence[str], *classes: str) -> str:
    """A row of cells that are HTML already."""
    inside = "".join(
        f'<td class="{name}">{cell}</td>' if name else f"<td>{cell}</td>"
        for cell, name in _with_classes(cells, classes)
    )
    return f"<tr>{inside}</tr>"


def _with_classes(cells: Sequence[str], classes: Sequence[str]) -> Iterable[tuple[str, str]]:
    return zip(cells, (*classes, *[""] * (len(cells) - len(classes))), strict=True)


def _when(text: str | None) -> str:
    return "–" if text is None else text.replace("T", " ").removesuffix("Z")


def _second(at_s: int | None) -> str:
    return _when(None if at_s is None else iso(at_s * 1_000_000))


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:,}"
