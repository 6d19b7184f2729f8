"""A run cut anew: by its own edges in a moment, or from the people behind it when some are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dashboard.analytics.communities.analyse import analyse
from dashboard.analytics.communities.inputs import Floats, Presence
from dashboard.analytics.communities.model import MapParams, MapRun
from dashboard.analytics.communities.recut import QUICK_SEEDS, recut


def warm_up() -> None:
    """Loads what the first cut needs; without it that one would wait for seconds."""
    import community
    import igraph
    import networkx
    import scipy.sparse

    del community, igraph, networkx, scipy


def has_ages(presence: Presence | None) -> bool:
    """Whether it is known when accounts were made, of anybody."""
    return (
        presence is not None
        and presence.created_days is not None
        and bool((presence.created_days >= 0).any())
    )


def cut_run(run: MapRun, params: MapParams, presence: Presence | None) -> MapRun:
    """The run as it would be under other settings; every channel stays where it is.

    Args:
        run: As it was made.
        params: What is wanted.
        presence: The people behind it, after the filters of the run; needed to leave young accounts out.

    Returns:
        A run of the same id.
    """
    if presence is None or params.young_days == run.params.young_days or not has_ages(presence):
        return recut(run, params, seed=run.seed)
    # The people are those whom the run's filters left: only the young ones go now.
    wanted = replace(
        params,
        without_services=False,
        lurker_rule=0,
        lurker_statistics=False,
        with_layout=False,
        seeds=min(params.seeds, QUICK_SEEDS),
    )
    made = analyse(
        presence, wanted, run_id=run.run_id, created_at=run.created_at, seed=run.seed, previous=run
    )
    return replace(
        made,
        nodes=replace(made.nodes, radius=_radii_of(run, made)),
        params=replace(params, seeds=wanted.seeds),
        changes=None,
    )


def _radii_of(run: MapRun, made: MapRun) -> Floats:
    """The discs as they were: sizes are of all, and the places are made for them."""
    radii = dict(zip(run.nodes.channels.ids, run.nodes.radius.tolist(), strict=True))
    pairs = zip(made.nodes.channels.ids, made.nodes.radius.tolist(), strict=True)
    return np.array([radii.get(channel_id, radius) for channel_id, radius in pairs], dtype=np.float64)
