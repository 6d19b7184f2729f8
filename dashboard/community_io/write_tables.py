"""A map as tables for spreadsheets and as JSON for programs; the same bytes for the same map."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from dashboard.analytics.communities.inputs import UNKNOWN
from dashboard.analytics.communities.model import ISOLATE, MapRun
from dashboard.community_io.plain import to_plain
from dashboard.community_io.words import moment, statement

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

NODE_COLUMNS: Final = (
    "id", "label", "login", "size", "community", "community_key", "stability", "torn_between", "torn_share",
    "game", "language", "content", "viewers", "observed_minutes", "degree", "strength", "inside_share",
    "tags", "x", "y",
)  # fmt: skip
EDGE_COLUMNS: Final = (
    "source", "target", "weight", "source_login", "target_login", "shared", "jaccard", "containment_ab",
    "containment_ba", "lift", "p_value", "in_backbone", "is_drawn",
)  # fmt: skip


def nodes_csv(run: MapRun) -> str:
    """``graph_nodes.csv``: a line a channel, largest first; Gephi reads it as a node table."""
    nodes, channels = run.nodes, run.nodes.channels
    rows = []
    for place, channel_id in enumerate(channels.ids):
        community, torn = int(nodes.community[place]), int(nodes.torn[place])
        told = run.communities[community] if community != ISOLATE else None
        rows.append(
            (
                channel_id,
                _safe(channels.names[place]),
                channels.logins[place],
                _known(channels.chatters[place]),
                _safe(told.label) if told else "",
                told.key if told else "",
                _number(nodes.stability[place]),
                _safe(run.communities[torn].label) if torn != ISOLATE else "",
                _number(nodes.torn_share[place]) if torn != ISOLATE else "",
                _safe(channels.games[place]),
                channels.languages[place],
                nodes.content[place],
                _known(channels.viewers[place]),
                _known(channels.observed_minutes[place]),
                int(nodes.degree[place]),
                _number(nodes.strength[place]),
                _number(nodes.inside_share[place]),
                _safe("|".join(channels.tags[place])),
                _number(nodes.x[place]),
                _number(nodes.y[place]),
            )
        )
    return _csv(NODE_COLUMNS, rows)


def edges_csv(run: MapRun) -> str:
    """``graph_edges.csv``: a line an overlap, strongest first; Gephi reads it as an edge table."""
    edges, channels = run.edges, run.nodes.channels
    weights = edge_weights(run)
    rows = (
        (
            channels.ids[source],
            channels.ids[target],
            _number(weights[place]),
            channels.logins[source],
            channels.logins[target],
            _number(edges.shared[place]),
            _number(edges.jaccard[place]),
            _number(edges.containment_ab[place]),
            _number(edges.containment_ba[place]),
            _number(edges.lift[place]),
            _number(edges.p_value[place]),
            str(bool(edges.in_backbone[place])).lower(),
            str(bool(edges.is_drawn[place])).lower(),
        )
        for place, (source, target) in enumerate(
            zip(edges.source.tolist(), edges.target.tolist(), strict=True)
        )
    )
    return _csv(EDGE_COLUMNS, rows)


def edge_weights(run: MapRun) -> list[float]:
    """What each overlap weighs in the measure that the communities were found with."""
    edges = run.edges
    if run.params.measure == "containment":
        pairs = zip(edges.containment_ab.tolist(), edges.containment_ba.tolist(), strict=True)
        chosen = [max(one, two) for one, two in pairs]
    else:
        column = {"shared": edges.shared, "jaccard": edges.jaccard, "lift": edges.lift}[run.params.measure]
        chosen = column.tolist()
    shared = edges.shared.tolist()
    # An imported map knows nothing but what its source gave.
    return [value if math.isfinite(value) else other for value, other in zip(chosen, shared, strict=True)]


def results_json(run: MapRun, *, preset: str = "") -> str:
    """``analysis_results.json``: when, with which settings, who is where, what the communities are called."""
    channels = run.nodes.channels
    places = {
        channels.logins[place]: run.communities[community].key if community != ISOLATE else None
        for place, community in enumerate(run.nodes.community.tolist())
    }
    told: dict[str, Any] = {
        "timestamp": moment(run.created_at),
        "run_id": run.run_id,
        "seed": run.seed,
        "statement": statement(run),
        "config": {"preset": preset or None, **run.params.as_dict()},
        "partition": dict(sorted(places.items())),
        "labels": {community.key: community.label for community in run.communities},
        "communities": [to_plain(community) for community in run.communities],
        "statistics": _without_seconds(to_plain(run.statistics)),
        "quality": to_plain(run.quality),
        "changes": to_plain(run.changes) if run.changes else None,
    }
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _without_seconds(statistics: dict[str, Any]) -> dict[str, Any]:
    """How long it took is no property of the map: the same map is the same file."""
    return {name: value for name, value in statistics.items() if name != "seconds"}


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def _safe(text: str) -> str:
    """With a ``'`` in front where a spreadsheet would take the text for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _number(value: float) -> str:
    """The shortest text that is read back as the same number; empty where it can't be told."""
    if not math.isfinite(value):
        return ""
    plain = float(value)
    return str(int(plain)) if plain == int(plain) and abs(plain) < 1e15 else repr(plain)


def _known(value: int) -> str:
    return "" if value == UNKNOWN else str(int(value))
