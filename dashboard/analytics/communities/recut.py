"""The same map cut anew: other threshold, resolution, measure, without a new collection, at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dashboard.analytics.communities.assemble import communities_of, edges_of, nodes_of, statistics_of
from dashboard.analytics.communities.cutting import cut, grouped
from dashboard.analytics.communities.layout import Layout
from dashboard.analytics.communities.matching import match_communities
from dashboard.analytics.communities.model import MapRun
from dashboard.analytics.communities.overlaps import Overlaps
from dashboard.analytics.communities.params import MapParams

QUICK_SEEDS: Final = 4
"""Seeds of a cut by the sliders, so that it answers at once; the run itself has more."""
_MOST_EDGES: Final = 80_000
_QUICK_EDGES: Final = 8_000
"""Up to so many edges the other algorithm runs beside; above it would keep people waiting."""


def recut(run: MapRun, params: MapParams, *, seed: int = 0, names: Mapping[str, str] | None = None) -> MapRun:
    """The run under other settings of edges, communities and labels; every channel stays where it is.

    Args:
        run: A finished run.
        params: Measure, thresholds, backbone, algorithm, resolution, least size, labels. The settings on
            who counts need the presence and are taken over from the run.
        seed: As in the run.
        names: What people called communities, by key.

    Returns:
        A run of the same id and data; communities found again keep key, name and colour.

    Caveats:
        Edges the run did not keep can't come back: a threshold below the run's own changes nothing.
        Stability comes from ``QUICK_SEEDS`` seeds, and on large maps the other algorithm does not run.
    """
    params = _merged(run.params, params)
    found = overlaps_of_run(run)
    edges = cut(found, params)
    quick = replace(params, seeds=min(params.seeds, QUICK_SEEDS))
    grouping = grouped(
        edges, quick, seed=seed, with_other=len(edges.found) <= _QUICK_EDGES, most_edges=_MOST_EDGES
    )
    channels = run.nodes.channels
    match = match_communities(run, channels.ids, grouping.result.membership, run_id=_cut_id(run, params))
    places = Layout(np.stack([run.nodes.x, run.nodes.y], axis=1), run.nodes.radius)
    nodes = nodes_of(channels, edges, grouping.result, places)
    known = {community.key: community.label for community in run.communities if community.is_renamed}
    communities = communities_of(nodes, edges, match, params, previous=run, names={**known, **(names or {})})
    columns, dropped = edges_of(edges, params.max_edges_kept)
    return replace(
        run,
        params=params,
        nodes=nodes,
        edges=columns,
        communities=communities,
        statistics=statistics_of(channels, edges, grouping, dropped, ()),
        changes=None,
    )


def overlaps_of_run(run: MapRun) -> Overlaps:
    """The overlaps a run has kept, to cut from."""
    edges, chatters = run.edges, run.nodes.channels.chatters
    is_count = run.quality.is_count
    sizes = np.where(chatters < 0, np.nan, chatters.astype(np.float64))
    if not is_count:
        sizes[:] = np.nan
    else:  # as on import: nobody shares more people than they have
        for end in (edges.source, edges.target):
            np.fmax.at(sizes, end, np.where(np.isnan(sizes[end]), np.nan, edges.shared))
    order = np.lexsort((edges.target, edges.source))
    return Overlaps(
        source=edges.source[order],
        target=edges.target[order],
        shared=edges.shared[order],
        sizes=sizes,
        n_chatters=float(run.quality.n_chatters) if run.quality.has_chatters else float("nan"),
        n_overlaps=run.statistics.n_overlaps,
        is_count=is_count,
    )


@dataclass(frozen=True, slots=True)
class Vanished:
    """An edge that is on the one map and not on the other."""

    source_login: str
    target_login: str
    source: int
    """Places in the nodes of the map that has it."""
    target: int
    shared: float
    was_drawn: bool


def vanished_edges(before: MapRun, after: MapRun) -> tuple[Vanished, ...]:
    """The edges that go when people are left out, strongest first: what hangs on young accounts alone.

    Args:
        before: The map with everybody.
        after: The map without some (``young_days``).
    """
    left = {
        (after.nodes.channels.ids[one], after.nodes.channels.ids[other])
        for one, other in zip(after.edges.source.tolist(), after.edges.target.tolist(), strict=True)
    }
    left |= {(other, one) for one, other in left}
    channels, edges = before.nodes.channels, before.edges
    gone = []
    for row, (one, other) in enumerate(zip(edges.source.tolist(), edges.target.tolist(), strict=True)):
        if (channels.ids[one], channels.ids[other]) not in left:
            shared, is_drawn = float(edges.shared[row]), bool(edges.is_drawn[row])
            gone.append(Vanished(channels.logins[one], channels.logins[other], one, other, shared, is_drawn))
    return tuple(sorted(gone, key=lambda edge: (-edge.shared, edge.source, edge.target)))


def _merged(own: MapParams, wanted: MapParams) -> MapParams:
    """The wanted settings, with those on who counts as they were when the run was made."""
    return replace(
        wanted,
        min_channel_chatters=own.min_channel_chatters,
        min_chatter_channels=own.min_chatter_channels,
        min_sightings=own.min_sightings,
        games=own.games,
        languages=own.languages,
        max_channels=own.max_channels,
        without_services=own.without_services,
        lurker_rule=own.lurker_rule,
        lurker_statistics=own.lurker_statistics,
        young_days=own.young_days,
    )


def _cut_id(run: MapRun, params: MapParams) -> str:
    """Keys of communities that only a cut has: the same for the same cut."""
    return f"{run.run_id}/{params.measure}/{params.min_shared}/{params.min_measure}/{params.resolution}"
