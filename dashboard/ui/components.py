"""The building blocks of every page, as functions from values to Dash components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import dash_bootstrap_components as dbc
from dash import html

from dashboard.events import Instant
from dashboard.insights.live_model import FeedItem, Ranked, Reading
from dashboard.ui import text

Component = Any


def aria(**values: str) -> Any:
    """The ``aria-…`` attributes of those names, to be unpacked into a component."""
    return {f"aria-{name}": value for name, value in values.items()}


def data(**values: str) -> Any:
    """The ``data-…`` attributes of those names, to be unpacked into a component."""
    return {f"data-{name}": value for name, value in values.items()}


def icon(name: str) -> html.I:
    """A Bootstrap icon that says nothing to a screen reader."""
    return html.I(className=f"bi bi-{name}", **aria(hidden="true"))


def card(title: str, *body: Component, side: Component = None, class_name: str = "") -> html.Section:
    """A framed part of a page with a heading of the second level.

    Args:
        title: The heading.
        body: What stands below it.
        side: Shown at the right of the heading (a control, or window and sample).
        class_name: Further classes.

    Returns:
        A section.
    """
    return html.Section(
        [html.Div([html.H2(title), side], className="card-head"), *body],
        className=f"sl-card {class_name}".strip(),
        **aria(label=title),
    )


def tooltip(tip_id: str, label: str, body: Sequence[Component]) -> html.Span:
    """A question mark that explains, on hover and on keyboard focus."""
    return html.Span(
        [
            html.Button("?", className="hint", type="button", **aria(label=label, describedby=tip_id)),
            html.Span(list(body), id=tip_id, className="hint-body", role="tooltip"),
        ],
        className="hint-wrap",
    )


def tile(tile_id: str, name: str, definition: str, caveat: str = "") -> html.Article:
    """The frame of a metric's tile; its reading is put in by :func:`tile_body`.

    Args:
        tile_id: Id of the part that changes.
        name: Name of the metric.
        definition: One sentence that says what is counted.
        caveat: What the number can't tell.

    Returns:
        A tile with a skeleton in it.
    """
    tip = [
        html.Strong(name),
        html.Span(definition),
        html.Span(id=f"{tile_id}-sample"),
        html.Span(caveat, className="muted") if caveat else None,
    ]
    return html.Article(
        [
            html.Div(
                [html.H2(name, className="tile-name"), tooltip(f"{tile_id}-tip", f"What is {name}?", tip)],
                className="tile-head",
            ),
            html.Div(tile_skeleton(), id=tile_id, className="tile-body"),
        ],
        className="tile",
    )


def tile_skeleton() -> list[Component]:
    """The same boxes as a reading, empty, so that nothing jumps when it comes."""
    return [
        html.Div(html.Span(className="bone bone-number"), className="tile-value"),
        html.Div(html.Span(className="bone bone-line"), className="tile-note"),
        html.Div(className="spark"),
    ]


def tile_body(reading: Reading, note: str = "") -> list[Component]:
    """A reading: number and unit, comparison in words, sparkline.

    Args:
        reading: The reading.
        note: Stands in the comparison's place where there is nothing to compare.

    Returns:
        Children of the tile's changing part, always the same boxes of the same height.
    """
    value, unit = text.reading_value(reading)
    trend, words = text.comparison(reading)
    words = words or note
    size = "tile-value is-words" if reading.text is not None else "tile-value"
    return [
        html.Div(
            [html.Span(value), html.Small(unit) if unit else None], className=size, title=reading.text or ""
        ),
        html.Div(words, className=f"tile-note trend-{trend}", title=words),
        sparkline(reading.spark),
    ]


def sparkline(points: Sequence[float | None]) -> html.Div:
    """The last minutes as a line; a script draws it so that it follows the theme.

    Args:
        points: Oldest first; ``None`` breaks the line.

    Returns:
        A box that carries its points.
    """
    if sum(point is not None for point in points) < 2:
        return html.Div(className="spark")
    line = ",".join("" if point is None else f"{point:.4g}" for point in points)
    return html.Div(className="spark", **aria(hidden="true"), **data(spark=line))


def feed_item(item: FeedItem, tz: ZoneInfo, now: Instant) -> html.Li:
    """One line of the feed: what, who, when."""
    when = text.local(item.at, tz)
    return html.Li(
        [
            html.B(item.title),
            html.Span(item.text, className="feed-text"),
            html.Time(f"{when:%H:%M}", dateTime=when.isoformat(), title=text.day_clock(item.at, tz, now=now)),
        ],
        className=f"cat-{item.category}",
        key=item.item_id,
    )


def bars(rows: Sequence[Ranked], empty: str) -> Component:
    """A ranking as bars, each with its count.

    Args:
        rows: Largest first.
        empty: What to say when there are none.

    Returns:
        An ordered list, or the sentence.
    """
    if not rows:
        return html.P(empty, className="muted blank")
    top = max(row.count for row in rows)
    return html.Ol([_bar(row, top) for row in rows], className="bars")


def _bar(row: Ranked, top: int) -> html.Li:
    share = f"{row.share * 100:.1f} % of all"
    return html.Li(
        [
            html.Span(row.name, className="bar-name", title=row.name),
            html.Progress(value=str(row.count), max=str(top), **aria(hidden="true")),
            html.Span(f"{row.count:,}", className="bar-count", title=share),
        ]
    )


def notice(title: str, safe: str, *, reference: str = "") -> html.Div:
    """Says that something failed, what is safe, and what happens next."""
    return html.Div(
        [
            icon("exclamation-triangle"),
            html.Div(
                [
                    html.Strong(title),
                    html.P(safe),
                    html.P(f"Reference {reference}", className="muted") if reference else None,
                ]
            ),
        ],
        className="notice notice-bad",
        role="alert",
    )


def empty_state(title: str, *lines: Component, glyph: str = "broadcast") -> html.Div:
    """Says that there is nothing yet and what to do next."""
    return html.Div([icon(glyph), html.H2(title), *lines], className="empty")


def closed(why: str) -> html.Div:
    """Stands for a whole page that is not for whoever looks; the style sheet hides the rest of it."""
    lines = [html.P(why), html.P("This page is about the whole installation.")]
    return html.Div(empty_state("For those who manage it", *lines, glyph="lock"), className="is-closed")


def segments(component_id: str, options: Sequence[tuple[str, Any]], value: Any, label: str) -> html.Div:
    """A choice of one out of a few, shown side by side (arrow keys move it)."""
    return _choice(component_id, options, value, label, "seg", "seg-item")


def chips(component_id: str, options: Sequence[tuple[str, Any]], value: Any, label: str) -> html.Div:
    """A filter of one out of several, as round chips (arrow keys move it)."""
    return _choice(component_id, options, value, label, "chips", "chip")


def _choice(
    component_id: str, options: Sequence[tuple[str, Any]], value: Any, label: str, box: str, item: str
) -> html.Div:
    radio = dbc.RadioItems(
        id=component_id,
        options=[{"label": name, "value": key} for name, key in options],
        value=value,
        class_name=box,
        input_class_name="choice-input",
        label_class_name=item,
        label_checked_class_name="is-on",
    )
    return html.Div(radio, role="radiogroup", **aria(label=label))
