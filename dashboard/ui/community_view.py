"""The Community page's frame, its figures beside the title, and its controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.analytics.communities.model import MapCommunity, MapRun
from dashboard.analytics.communities.params import MapParams
from dashboard.insights.community import STEPS
from dashboard.insights.community_model import (
    SHARED_STEPS,
    MapView,
    RunLine,
)
from dashboard.ui import community_words as words
from dashboard.ui import components, ids

Component = Any

PANELS = [
    ("Communities", "communities"),
    ("Table", "channels"),
    ("Overlaps", "overlaps"),
    ("Compare", "compare"),
    ("Raid or play with", "partners"),
    ("Over time", "timeline"),
    ("Quality", "quality"),
]
YOUNG = [("All", 0), ("≥ 7 d", 7), ("≥ 30 d", 30), ("≥ 90 d", 90), ("≥ 1 y", 365)]
LITTLE = "Too little data for a map: fewer than three channels have an overlap above the threshold."
RUN_WORDS = "It reads what is collected; nothing is asked of Twitch."


def header() -> html.Header:
    """Title, figures, choice of the run, and the button for a new one."""
    picker = dcc.Dropdown(
        id=ids.COMMUNITY_RUN,
        options=[],
        clearable=False,
        searchable=False,
        placeholder="No analysis yet",
        className="switcher",
    )
    run = html.Button(
        "Run analysis",
        className="button button-main community-run",
        type="button",
        title=RUN_WORDS,
        **components.data(communityrun="1"),
    )
    return html.Header(
        [
            html.Div(
                [html.H1("Community"), html.Div(id=ids.COMMUNITY_FACTS, className="community-facts")],
                className="community-title",
            ),
            html.Div(
                [html.Div(picker, className="switcher-box"), run],
                className="community-side",
            ),
        ],
        className="community-head",
    )


def steps() -> html.Div:
    """The six steps of an analysis; a class says which one it is at."""
    cancel = html.Button("Cancel", className="button", type="button", **components.data(communitycancel="1"))
    return html.Div(
        [
            html.Ol([html.Li(name) for _, name in STEPS], className="steps-list"),
            html.Div(
                [
                    html.Span(
                        id=ids.COMMUNITY_STEPS_TEXT, className="muted", **components.aria(live="polite")
                    ),
                    cancel,
                ],
                className="steps-foot",
            ),
        ],
        id=ids.COMMUNITY_STEPS,
        className="steps",
    )


def controls() -> html.Details:
    """Sliders that cut the map anew, without a new collection."""
    shared = {index: str(value) for index, value in enumerate(SHARED_STEPS) if index in (0, 3, 6, 9, 13)}
    rows = [
        _control(
            "Edges weigh by",
            components.segments(ids.COMMUNITY_MEASURE, words.MEASURES, MapParams().measure, "Measure"),
        ),
        _control("At least so many shared chatters", _slider(ids.COMMUNITY_SHARED, 0, 13, 1, 2, shared)),
        _control(
            "Resolution: fewer, larger … more, smaller",
            _slider(
                ids.COMMUNITY_RESOLUTION,
                0.25,
                4,
                0.25,
                MapParams().resolution,
                {0.25: "¼", 1: "1", 2: "2", 3: "3", 4: "4"},
            ),
        ),
        _control(
            "Smallest community, in channels",
            _slider(ids.COMMUNITY_SIZE, 2, 30, 1, 2, {2: "2", 10: "10", 20: "20", 30: "30"}),
        ),
        _control(
            "Accounts by age",
            components.segments(ids.COMMUNITY_YOUNG, YOUNG, 0, "Least age of an account"),
        ),
        html.P(id=ids.COMMUNITY_CUT, className="muted community-cut", **components.aria(live="polite")),
        html.Button(
            "As it was made", className="button", type="button", **components.data(communityreset="1")
        ),
    ]
    return html.Details(
        [html.Summary([components.icon("sliders"), html.Span("Adjust")], className="button"), html.Div(rows)],
        className="community-controls",
    )


def _control(label: str, part: Component) -> html.Div:
    return html.Div([html.Div(label, className="control-label"), part], className="control")


def _slider(
    component_id: str, least: float, most: float, step: float, value: float, marks: dict[Any, str]
) -> dcc.Slider:
    return dcc.Slider(
        id=component_id,
        min=least,
        max=most,
        step=step,
        value=value,
        marks=marks,
        included=False,
        allow_direct_input=False,
        updatemode="mouseup",
    )


def empty(is_admin: bool, is_sandbox: bool) -> html.Div:
    """Nothing has been analysed yet: what to do, with the button for it."""
    lines: list[Component] = [
        html.P("The map shows which channels share their chatters, and which belong together.")
    ]
    if is_admin:
        source = (
            "The sandbox has made-up channels enough for one at once."
            if is_sandbox
            else "It takes what is collected: followed channels, and the survey of the largest "
            "(SURVEY_CHANNEL_COUNT)."
        )
        button = html.Button(
            "Run analysis",
            className="button button-main",
            type="button",
            **components.data(communityrun="1"),
        )
        lines += [html.P(source), button]
    else:
        lines.append(html.P("Somebody who manages this installation has to run the first analysis."))
    return components.empty_state("No map yet", *lines, glyph="share")


def facts(run: MapRun) -> list[Component]:
    """How far the map is to be believed, beside the title."""
    statistics = run.statistics
    other = {"leiden": "Leiden", "louvain": "Louvain"}
    name, second = other[run.params.algorithm], other[statistics.other_algorithm]
    return [
        _fact(
            "modularity",
            "Modularity",
            words.number(statistics.modularity),
            f"How much more weight lies within communities than chance would put there: 0 none, near 1 "
            f"nearly all. Here: {words.modularity(statistics.modularity)}.",
        ),
        _fact(
            "stability",
            "Stability",
            words.percent(statistics.stability),
            f"How often {statistics.seeds} runs from different starts agree where a channel belongs, as a "
            f"mean over the channels.",
        ),
        _fact(
            "agreement", f"{second} agrees", words.number(statistics.agreement), _agreement(name, second, run)
        ),
    ]


def _agreement(name: str, second: str, run: MapRun) -> str:
    if run.statistics.agreement != run.statistics.agreement:
        return f"{name} made this map. {second} did not run beside it: the sliders shall answer at once."
    return (
        f"{name} made this map. {second} ran beside it: {words.agreement(run.statistics)}. Adjusted Rand "
        f"index, 1 is the same, 0 is chance."
    )


def _fact(key: str, name: str, value: str, what: str) -> html.Div:
    tip = components.tooltip(
        f"community-fact-{key}", f"What is {name}?", [html.Strong(name), html.Span(what)]
    )
    return html.Div([html.Span(name, className="muted"), html.B(value), tip], className="community-fact")


def statement(view: MapView, tz: ZoneInfo) -> list[Component]:
    """Who was counted, for how long, and who was not."""
    statistics = view.run.statistics
    belonging = statistics.n_channels - statistics.n_isolates
    counts = (
        f"{words.whole(statistics.n_channels)} channels: "
        f"{words.whole(belonging)} in {statistics.n_communities} communities, "
        f"{words.whole(statistics.n_isolates)} in none; {words.whole(statistics.n_drawn)} of "
        f"{words.whole(statistics.n_edges)} overlaps drawn."
    )
    hidden = f" {view.hidden_count} channels of this run are not open to you." if view.hidden_count else ""
    return [html.Strong(words.statement(view.run.quality, tz)), html.Span(f" {counts}{hidden}")]


def run_options(lines: Sequence[RunLine], tz: ZoneInfo) -> list[dict[str, str]]:
    """The kept runs, as choices."""
    return [
        {
            "label": f"{words.day_and_clock(line.created_at, tz)} · {line.n_channels} channels"
            + (f" · {line.preset}" if line.preset and line.preset != "default" else ""),
            "value": line.run_id,
        }
        for line in lines
    ]


def cut_words(view: MapView) -> str:
    """What the sliders did."""
    if view.query.young_days and not view.has_ages:
        return "This run does not know when accounts were made, so none is left out by age."
    parts = []
    if view.query.young_days:
        gone = "no drawn overlap vanishes" if not len(view.vanished) else (
            "1 drawn overlap vanishes, dashed" if len(view.vanished) == 1
            else f"{len(view.vanished):,} drawn overlaps vanish, dashed"
        )  # fmt: skip
        parts.append(f"Without accounts younger than {view.query.young_days} days {gone}.")
    if not view.run.statistics.is_enough:
        parts.append(LITTLE)
    return " ".join(parts) or ("As it was made." if view.query.is_as_made else "Cut anew; positions stay.")


def swatch(community: MapCommunity) -> html.I:
    """The community's colour."""
    return html.I(className=f"map-dot map-colour-{community.colour % 12}", **components.aria(hidden="true"))


def rename_dialog() -> html.Dialog:
    """Asks for a community's name."""
    return html.Dialog(
        [
            html.H2("Rename the community", id="community-rename-title"),
            html.P(
                "The name stays in the next runs, as long as the community is found again.", className="muted"
            ),
            dcc.Input(id=ids.COMMUNITY_RENAME_TEXT, type="text", className="field", maxLength=60),
            html.Div(
                [
                    html.Button(
                        "Save", className="button button-main", **components.data(communityrenamed="save")
                    ),
                    html.Button(
                        "Its own name again", className="button", **components.data(communityrenamed="own")
                    ),
                    html.Button("Cancel", className="button", **components.data(communityrenamed="no")),
                ],
                className="drawer-buttons",
            ),
        ],
        id="community-rename-dialog",
        className="keys",
        **components.aria(labelledby="community-rename-title"),
    )
