"""Verdict, cohorts, top days and counts of the Chatters page, as functions from values to components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from dash import html

from dashboard.events import Instant
from dashboard.insights.chatters_model import ChattersAnalysis, CohortLine, Finding, TopDay
from dashboard.ui import chatters_text, components, text

Component = Any

FACTS: Final = ("silent", "names", "arrival", "follow_time", "channels", "suspicious", "renames")
"""Order of the evidence on a cohort's card."""
CAVEATS: Final = (
    "Connected is not watching: Twitch counts viewers without login too, and lists people some minutes "
    "after they came or left.",
    "An unusual date says that accounts were made together, not by whom or what for: a raid from a "
    "community that signed up for an event looks the same.",
)


def verdict_skeleton() -> list[Component]:
    """The same boxes as a verdict, empty."""
    return [
        html.Div([html.H2("Verdict"), html.Span(className="bone bone-word")], className="card-head"),
        html.P(html.Span(className="bone bone-wide"), className="verdict-words"),
        html.P(html.Span(className="bone bone-line"), className="verdict-about"),
    ]


def verdict_class(analysis: ChattersAnalysis) -> str:
    """The class of the verdict's card: its edge has the colour of what is said."""
    state = "few" if not analysis.is_enough else "unusual" if analysis.cohorts else "usual"
    return f"sl-card chatters-verdict when-data is-{state}"


def verdict_title(analysis: ChattersAnalysis) -> str:
    """The verdict in a few words."""
    if not analysis.is_enough:
        return "Too few to say"
    count = len(analysis.cohorts)
    if not count:
        return "No unusual cohort"
    return "1 unusual cohort" if count == 1 else f"{count} unusual cohorts"


def verdict(analysis: ChattersAnalysis, now: Instant, tz: ZoneInfo) -> list[Component]:
    """What the crowd looks like, in plain words, with what it was compared with.

    Args:
        analysis: Of the selection.
        now: The wall clock.
        tz: The viewer's time zone.

    Returns:
        Children of the verdict's card.
    """
    words, *more = analysis.verdict.split("\n")
    return [
        html.Div(
            [
                html.H2(verdict_title(analysis)),
                html.Span(_when(analysis, now, tz), className="muted verdict-when"),
            ],
            className="card-head",
        ),
        html.P([words, *(f" {line}" for line in more)], className="verdict-words"),
        html.P(tested(analysis), className="verdict-about muted"),
        html.Details(
            [
                html.Summary("What this can and can't say", className="muted"),
                html.Ul([html.Li(line) for line in caveats(analysis)]),
            ],
            className="verdict-more",
        ),
    ]


def _when(analysis: ChattersAnalysis, now: Instant, tz: ZoneInfo) -> str:
    if not analysis.captures:
        return ""
    count, newest = len(analysis.captures), analysis.captures[-1]
    when = text.day_clock(newest.at, tz, now=now)
    if count > 1:
        rooms = len({capture.room_login for capture in analysis.captures})
        return (
            f"{count} captures of {rooms} channels, up to {when}"
            if rooms > 1
            else f"{count} captures, up to {when}"
        )
    return f"{newest.source_words}, {when}"


def tested(analysis: ChattersAnalysis) -> str:
    """Who was tested, how many that are, of how many the age is unknown, and against what."""
    services = (
        f" {analysis.service_count:,} well-known service accounts are kept apart."
        if analysis.service_count > 1
        else " 1 well-known service account is kept apart."
        if analysis.service_count
        else ""
    )
    readers = " Who only reads is not in this list." if analysis.source == "spoke" else ""
    unknown = f"; age not known yet of {analysis.n_unknown:,}" if analysis.n_unknown else ""
    return (
        f"{chatters_text.accounts_words(analysis.account_count)}. Tested: {analysis.tested_words}, "
        f"{analysis.n:,} of known age{unknown}. {analysis.baseline_words or analysis.baseline_name}"
        f"{readers}{services}"
    )


def caveats(analysis: ChattersAnalysis) -> list[str]:
    """Everything that a reader has to know beside the verdict."""
    windows = [f"{window.room_login}: {window.words}" for window in analysis.chat_windows]
    spoke = (
        ["These are people who spoke; who only reads is not among them."]
        if analysis.source == "spoke"
        else [CAVEATS[0]]
    )
    silence = (
        ["“Silent” and “spoke” are about this stretch of chat: " + "; ".join(windows)] if windows else []
    )
    return [*analysis.notes, *spoke, *silence, *CAVEATS[1:]]


def cohorts_skeleton() -> list[Component]:
    """One card before the first answer."""
    return [html.Div([html.Span(className="bone bone-line")], className="sl-card cohort is-bone")]


def cohorts(found: Sequence[CohortLine], picked: int | None) -> list[Component]:
    """One card a cohort, the most unusual one first.

    Args:
        found: The cohorts.
        picked: Number of the one whose accounts are listed.

    Returns:
        Cards; none when there is no cohort.
    """
    return [_cohort(cohort, cohort.number == picked) for cohort in found]


def _cohort(cohort: CohortLine, is_picked: bool) -> html.Article:
    days = chatters_text.days_words(cohort.start_day, cohort.end_day)
    by_key = {finding.key: finding for finding in cohort.findings}
    facts = [by_key[key] for key in FACTS if key in by_key]
    known = [_fact(finding) for finding in facts if finding.missing is None]
    unknown = [finding for finding in facts if finding.missing is not None]
    show = html.Button(
        "Accounts listed below" if is_picked else f"List the {cohort.observed:,} accounts",
        className="button",
        type="button",
        **components.data(chatterspick=str(cohort.number)),
        **components.aria(pressed=str(is_picked).lower()),
    )
    return html.Article(
        [
            html.Div([html.H3(days), html.Span(chatters_text.q_words(cohort.q))], className="cohort-head"),
            html.Div(
                [
                    html.Span([html.B(f"{cohort.observed:,}"), html.Small("created then")]),
                    html.Span(
                        [html.B(chatters_text.expected_words(cohort.expected)), html.Small("expected")]
                    ),
                    html.Span([html.B(chatters_text.times_words(cohort.effect)), html.Small("the usual")]),
                    html.Span([html.B(chatters_text.share_words(cohort.share)), html.Small("of the crowd")]),
                ],
                className="cohort-numbers",
            ),
            html.Dl(known, className="cohort-facts") if known else None,
            _unknown(unknown),
            show,
        ],
        className="sl-card cohort",
        key=str(cohort.number),
        **components.aria(label=f"Unusual cohort {cohort.number}: {days}"),
    )


def _fact(finding: Finding) -> html.Div:
    details = ", ".join(detail for detail in finding.details[:4] if detail not in finding.words)
    return html.Div(
        [
            html.Dt(finding.label),
            html.Dd([finding.words, html.Small(details) if details else None]),
        ],
        className="is-notable" if finding.is_notable else "",
    )


def _unknown(findings: Sequence[Finding]) -> Component:
    """What is not known about the cohort, and why, in one line that opens."""
    if not findings:
        return None
    names = ", ".join(finding.label[:1].lower() + finding.label[1:] for finding in findings)
    rows = [html.Li([html.B(finding.label), ": ", finding.missing]) for finding in findings]
    return html.Details(
        [html.Summary(f"Not known: {names}", className="muted"), html.Ul(rows)], className="cohort-unknown"
    )


def top_days(days: Sequence[TopDay]) -> list[Component]:
    """The days on which most accounts were made, each a button that lists them.

    Args:
        days: Most accounts first.

    Returns:
        Items of a list.
    """
    if not days:
        return [html.Li("No account of known age.", className="muted blank")]
    top = max(day.observed for day in days)
    return [_top_day(day, top) for day in days]


def _top_day(day: TopDay, top: int) -> html.Li:
    words = chatters_text.day_words(day.day)
    button = html.Button(
        [
            html.Span(words),
            html.Progress(value=str(day.observed), max=str(max(top, 1)), **components.aria(hidden="true")),
            html.B(f"{day.observed:,}"),
            html.Small(f"{chatters_text.expected_words(day.expected)} expected", className="muted"),
        ],
        className="top-day is-cohort" if day.cohort is not None else "top-day",
        type="button",
        title=f"List the accounts created on {words}",
        **components.data(chattersstart=str(day.day), chattersend=str(day.day)),
    )
    return html.Li(button, key=str(day.day))


def curve_words(analysis: ChattersAnalysis) -> str:
    """The median ages in a sentence."""
    curve = analysis.age_curve
    if curve.median_age_days is None or curve.expected_median_age_days is None:
        return ""
    return (
        f"Half of these accounts are younger than {chatters_text.age_words(curve.median_age_days)}; "
        f"usual is {chatters_text.age_words(curve.expected_median_age_days)}."
    )
