"""From presence or edges to a finished map, in six steps that tell how far they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from time import perf_counter

import numpy as np

from dashboard.analytics.communities.assemble import (
    communities_of,
    edges_of,
    nodes_of,
    sizes_on_map,
    statistics_of,
)
from dashboard.analytics.communities.cutting import Cut, cut, grouped, largest_first
from dashboard.analytics.communities.filters import filtered, filtered_edges
from dashboard.analytics.communities.inputs import Channels, EdgeList, Floats, Ints, Presence, QualityReport
from dashboard.analytics.communities.layout import Layout, disc_radii, layout
from dashboard.analytics.communities.matching import changes_between, match_communities
from dashboard.analytics.communities.model import STEPS, MapRun
from dashboard.analytics.communities.overlaps import Overlaps, overlaps, overlaps_of_edges
from dashboard.analytics.communities.params import MapParams
from dashboard.analytics.communities.quality import quality_of, quality_of_edges
from dashboard.analytics.communities.scores import strengths

Progress = Callable[[str, float], None]
"""Told the step's name (one of ``STEPS``) and how much of it is done, 0 … 1. It may raise, to cancel."""


class _Clock:
    """Tells progress and keeps how long each step took."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._started = perf_counter()
        self.seconds: list[tuple[str, float]] = []

    def at(self, step: str) -> Callable[[float], None]:
        self.seconds.append((step, perf_counter()))
        if self._progress is not None:
            self._progress(step, 0.0)

        def tell(share: float) -> None:
            if self._progress is not None:
                self._progress(step, share)

        return tell

    def done(self) -> tuple[tuple[str, float], ...]:
        ends = [at for _, at in self.seconds[1:]] + [perf_counter()]
        if self._progress is not None:
            self._progress(STEPS[-1], 1.0)
        return tuple((step, round(end - at, 3)) for (step, at), end in zip(self.seconds, ends, strict=True))


def analyse(
    source: Presence | EdgeList,
    params: MapParams,
    *,
    run_id: str,
    created_at: int,
    seed: int = 0,
    previous: MapRun | None = None,
    names: Mapping[str, str] | None = None,
    service_logins: Collection[str] = (),
    as_of_day: int | None = None,
    progress: Progress | None = None,
) -> MapRun:
    """A map of the communities in what was seen.

    Args:
        source: Who was seen where, or edges that somebody else counted.
        params: The settings.
        run_id: Of this run; keys of new communities are made from it.
        created_at: Instant of the analysis.
        seed: Other seeds try the channels in another order; the map should hardly differ.
        previous: The run before: positions start from it, communities are matched with it.
        names: What people called communities, by key.
        service_logins: Known service accounts.
        as_of_day: The day at which accounts are young; the end of the period where left out.
        progress: Told the steps and how far each is.

    Returns:
        The map; with ``statistics.is_enough`` false when there is too little for one.
    """
    clock = _Clock(progress)
    tell = clock.at("aggregate")
    if isinstance(source, Presence):
        source, left_out = filtered(source, params, service_logins=service_logins, as_of_day=as_of_day)
        quality = quality_of(source, left_out)
        tell(1.0)
        tell = clock.at("overlap")
        found = overlaps(source, min_shared=params.min_shared, progress=tell)
    else:
        source, left_out = filtered_edges(source, params)
        quality = quality_of_edges(source, left_out)
        tell(1.0)
        tell = clock.at("overlap")
        found = overlaps_of_edges(source, min_shared=params.min_shared)
    channels, found = largest_first(source.channels, found)
    return _mapped(
        channels, found, quality, params,
        run_id=run_id, created_at=created_at, seed=seed, previous=previous, names=names or {}, clock=clock,
    )  # fmt: skip


def _mapped(
    channels: Channels,
    found: Overlaps,
    quality: QualityReport,
    params: MapParams,
    *,
    run_id: str,
    created_at: int,
    seed: int,
    previous: MapRun | None,
    names: Mapping[str, str],
    clock: _Clock,
) -> MapRun:
    edges = cut(found, params)
    grouping = grouped(edges, params, seed=seed, progress=clock.at("communities"))
    membership = grouping.result.membership
    clock.at("labels")
    match = match_communities(previous, channels.ids, membership, run_id=run_id)
    clock.at("layout")
    places = _laid_out(channels, edges, membership, params, previous)
    clock.at("compare")
    nodes = nodes_of(channels, edges, grouping.result, places)
    communities = communities_of(nodes, edges, match, params, previous=previous, names=names)
    columns, dropped = edges_of(edges, params.max_edges_kept)
    changes = None
    if previous is not None:
        labels = [community.label for community in communities]
        changes = changes_between(previous, match, labels, channels.ids, channels.logins, membership)
    return MapRun(
        run_id=run_id,
        created_at=created_at,
        seed=seed,
        params=params,
        nodes=nodes,
        edges=columns,
        communities=communities,
        statistics=statistics_of(channels, edges, grouping, dropped, clock.done()),
        quality=quality,
        changes=changes,
    )


def _laid_out(
    channels: Channels, edges: Cut, membership: Ints, params: MapParams, previous: MapRun | None
) -> Layout:
    shown = edges.is_drawn
    one, other = edges.found.source, edges.found.target
    sizes = sizes_on_map(channels, strengths(one, other, edges.weight, len(channels)))
    start, radius = _before(channels, previous)
    if not params.with_layout:
        points = np.zeros((len(channels), 2)) if start is None else np.nan_to_num(start)
        return Layout(points, disc_radii(sizes))
    return layout(
        one[shown],
        other[shown],
        edges.pull[shown],
        membership,
        sizes,
        iterations=params.layout_iterations,
        start=start,
        start_radius=radius,
    )


def _before(channels: Channels, previous: MapRun | None) -> tuple[Floats | None, Floats | None]:
    """Where each channel was in the run before, NaN for new ones."""
    if previous is None:
        return None, None
    old = previous.nodes
    places = {key: place for place, key in enumerate(old.channels.ids)}
    at = np.array([places.get(key, -1) for key in channels.ids], dtype=np.int64)
    known = at >= 0
    start, radius = np.full((len(at), 2), np.nan), np.full(len(at), np.nan)
    start[known, 0], start[known, 1] = old.x[at[known]], old.y[at[known]]
    radius[known] = old.radius[at[known]]
    return start, radius
