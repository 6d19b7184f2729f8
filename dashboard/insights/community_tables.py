"""The map as tables, and what changed from run to run."""

from __future__ import annotations

from typing import Any, Final

from dashboard.analytics.communities.content import language_name
from dashboard.analytics.communities.inputs import UNKNOWN
from dashboard.analytics.communities.model import MapRun
from dashboard.insights import community_channel as channel_parts
from dashboard.insights.community_model import RunLine, TableColumns, TimelinePoint

_TABLE_ROWS: Final = 20_000


def table_of(run: MapRun, what: str) -> TableColumns:
    """The channels of a map, or its overlaps, as rows."""
    if what == "overlaps":
        return TableColumns(overlap_rows(run), len(run.edges))
    return TableColumns(channel_rows(run)[:_TABLE_ROWS], len(run.nodes))


def channel_rows(run: MapRun) -> list[dict[str, Any]]:
    """One row a channel, the largest first."""
    nodes, channels, rows = run.nodes, run.nodes.channels, []
    for node in range(len(nodes)):
        torn = channel_parts.community_of(run, int(nodes.torn[node]))
        rows.append(
            {
                "row": channels.ids[node],
                "login": channels.logins[node],
                "name": channels.names[node] or channels.logins[node],
                "community": channel_parts.label_of(run, node),
                "chatters": int(channels.chatters[node]),
                "stability": _known(nodes.stability[node], 3),
                "torn": torn.label if torn else "",
                "game": channels.games[node],
                "language": language_name(channels.languages[node]),
                "degree": int(nodes.degree[node]),
                "inside": _known(nodes.inside_share[node], 3),
                "minutes": _count(channels.observed_minutes[node]),
            }
        )
    return rows


def overlap_rows(run: MapRun) -> list[dict[str, Any]]:
    """One row an overlap above the threshold, the strongest first."""
    edges, channels = run.edges, run.nodes.channels
    names = [name or login for name, login in zip(channels.names, channels.logins, strict=True)]
    return [
        {
            "row": f"{channels.ids[int(edges.source[edge])]}/{channels.ids[int(edges.target[edge])]}",
            "first": names[int(edges.source[edge])],
            "second": names[int(edges.target[edge])],
            "shared": _known(edges.shared[edge], 2),
            "jaccard": _known(edges.jaccard[edge], 4),
            "there": _known(edges.containment_ab[edge], 4),
            "back": _known(edges.containment_ba[edge], 4),
            "lift": _known(edges.lift[edge], 2),
            "drawn": bool(edges.is_drawn[edge]),
        }
        for edge in range(min(len(edges), _TABLE_ROWS))
    ]


def _known(value: float, digits: int) -> float | None:
    return None if value != value else round(float(value), digits)


def _count(value: int) -> int | None:
    return None if int(value) == UNKNOWN else int(value)


def timeline_point(line: RunLine, run: MapRun) -> TimelinePoint:
    """One run with its figures and what was different from the run before."""
    changes, labels = run.changes, {community.key: community.label for community in run.communities}

    def named(key: str) -> str:
        return labels.get(key, key)

    return TimelinePoint(
        line=line,
        statistics=run.statistics,
        kept=len(changes.kept) if changes else 0,
        births=tuple(named(key) for key in changes.births) if changes else (),
        deaths=tuple(label for _, label in changes.deaths) if changes else (),
        splits=tuple((named(key), tuple(map(named, parts))) for key, parts in changes.splits)
        if changes
        else (),
        merges=tuple((tuple(map(named, parts)), named(key)) for parts, key in changes.merges)
        if changes
        else (),
        migrations=tuple((move.login, move.from_label, move.to_label) for move in changes.migrations)
        if changes
        else (),
        entered=len(changes.channels_entered) if changes else 0,
        left=len(changes.channels_left) if changes else 0,
        has_previous=changes is not None,
    )
