"""The quality report of a map: what was counted, for how long, what was left out, how it was cut."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashboard.insights.community_model import QualityPanel
from dashboard.ui import community_words as words
from dashboard.ui import text

Component = Any


def quality(panel: QualityPanel, tz: ZoneInfo) -> Component:
    """How good the data is, always in full."""
    report = panel.report
    seen = {
        "speakers": "People who wrote in chat. Who watches and does not write is not counted.",
        "connected": "People connected to chat, whether they write or not.",
        "imported": "An imported table; whom it counts it does not say.",
    }[report.seen_as]
    rows = [
        ("Counted", seen),
        ("When", words.period(report, tz) or "unknown"),
        ("Sources", "; ".join(report.sources) or "unknown"),
        ("Channels", words.whole(report.n_channels)),
        ("Observed", _observed(panel)),
    ]
    if report.has_chatters:
        rows += [
            (
                "Chatters",
                f"{words.whole(report.n_chatters)} people, "
                f"{words.whole(report.n_pairs)} pairs with a channel",
            ),
            ("A channel", _per_channel(panel)),
            (
                "In one channel only",
                f"{words.percent(report.one_channel_share, 1)}: they tie nothing together",
            ),
            ("In 2 or more", words.percent(report.two_channels_share, 1)),
            ("In 3 or more", words.percent(report.three_channels_share, 1)),
            ("Seen again (2+)", words.percent(report.repeat_share, 1)),
            ("Seen often (3+)", words.percent(report.frequent_share, 1)),
        ]
    left = ", ".join(
        f"{count:,} {words.LEFT_OUT.get(name, name)}" for name, count in report.left_out if count
    )
    mended = _mended(panel)
    rows += [("Left out", left or "nobody")]
    rows += [("Mended", mended)] if mended else []
    rows += _analysis(panel)
    if panel.hidden_count:
        rows.append(("Not open to you", f"{panel.hidden_count} channels of this run"))
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in rows], className="quality")


def _analysis(panel: QualityPanel) -> list[tuple[str, str]]:
    statistics, params = panel.statistics, panel.params
    overlaps = (
        f"{statistics.n_overlaps:,} pairs with anybody in common, "
        f"{statistics.n_edges:,} above the threshold, "
        f"{statistics.n_backbone:,} in the backbone, {statistics.n_drawn:,} drawn"
    )
    if statistics.edges_dropped:
        overlaps += f"; {statistics.edges_dropped:,} of the weakest are in no table and no file"
    threshold = (
        f"at least {params.min_shared} shared; backbone by {params.backbone}, α {params.backbone_alpha:g}"
    )
    seeds = (
        f"they agree with it {words.number(statistics.seed_agreement_mean)} on average, "
        f"{words.number(statistics.seed_agreement_min)} at least"
    )
    found = (
        f"{params.algorithm}, resolution {params.resolution:g}, "
        f"consensus of {statistics.seeds} seeds ({seeds})"
    )
    other = (
        f"{statistics.other_algorithm}: {statistics.other_communities} communities, "
        f"modularity {words.number(statistics.other_modularity)}, "
        f"agreement {words.number(statistics.agreement)}"
    )
    return [
        ("Overlaps", overlaps),
        ("Threshold", threshold),
        ("Communities", found),
        ("Cross-check", other),
    ]


def _observed(panel: QualityPanel) -> str:
    report = panel.report
    if report.observed_hours != report.observed_hours:
        return "unknown"
    least, most = report.least_observed_minutes, report.most_observed_minutes
    return (
        f"{words.number(report.observed_hours, 1)} h in all; "
        f"a channel {_minutes(report.median_observed_minutes)} in the middle, "
        f"{_minutes(least)} to {_minutes(most)}"
    )


def _minutes(value: float) -> str:
    return "unknown" if value != value else text.span(value * 60)


def _per_channel(panel: QualityPanel) -> str:
    report = panel.report
    return (
        f"{words.whole(round(report.chatters_average))} chatters on average, "
        f"{words.whole(report.chatters_median)} in the middle, "
        f"{words.whole(report.chatters_min)} to {words.whole(report.chatters_max)}"
    )


def _mended(panel: QualityPanel) -> str:
    mended = panel.report.mended
    told = (
        (mended.case_duplicates, "channels that differed in case only were merged"),
        (mended.self_loops, "self-loops were dropped"),
        (mended.repeated_edges, "edges stood there twice"),
        (mended.bad_weights, "edges had no usable weight"),
        (mended.nodes_without_row, "channels were named by edges only"),
    )
    return "; ".join(f"{count:,} {what}" for count, what in told if count)
