"""Overlaps by sparse product against pairwise sets, at ten times that size, and the whole analysis."""

from __future__ import annotations

import multiprocessing
import resource
import time
from typing import Any, Final

import numpy as np

from dashboard.analytics.communities.analyse import analyse
from dashboard.analytics.communities.build import channels_of, presence_from_indices
from dashboard.analytics.communities.inputs import Ints, Presence
from dashboard.analytics.communities.overlaps import Overlaps, overlaps
from dashboard.analytics.communities.params import MapParams

QUICK = {"channel_count": 150, "large_channel_count": 1000}

_COMMUNITY: Final = 50
"""Channels of a community; six in ten of a channel's people come from its community's own."""
_PEOPLE_EACH: Final = 600
"""People for each channel: of them all the pool is made, so that each is in about five channels."""


def run(
    channel_count: int = 1000, chatters_each: int = 3000, large_channel_count: int = 10_000
) -> dict[str, Any]:
    """Times overlaps both ways with the same counts, the large case in a process of its own, and a map.

    Args:
        channel_count: Channels of the comparison and of the map.
        chatters_each: Chatters of each channel, about.
        large_channel_count: Channels of the large case.
    """
    presence = _presence(channel_count, chatters_each)
    started = time.perf_counter()
    found = overlaps(presence)
    product_s = time.perf_counter() - started
    sets_s, is_same = _by_sets(presence, found)
    started = time.perf_counter()
    result = analyse(presence, MapParams(with_layout=False), run_id="bench", created_at=0)
    pipeline_s = time.perf_counter() - started
    return {
        "channels": channel_count,
        "pairs": presence.n_pairs,
        "overlaps_s": round(product_s, 2),
        "pairwise_sets_s": round(sets_s, 1),
        "times_faster": round(sets_s / product_s, 1),
        "same_counts": is_same,
        "pipeline_without_layout_s": round(pipeline_s, 1),
        "pipeline_steps_s": dict(result.statistics.seconds),
        "communities": result.statistics.n_communities,
        "large": _in_own_process(large_channel_count, chatters_each),
    }


def _presence(channel_count: int, chatters_each: int) -> Presence:
    channels = channels_of([str(place) for place in range(channel_count)])
    rows, people, pool = _pairs(channel_count, chatters_each)
    return presence_from_indices(channels, rows, people, np.arange(pool).astype(object))


def _pairs(channel_count: int, chatters_each: int) -> tuple[Ints, Ints, int]:
    """Sorted pairs, each once: most people from the channel's community, regulars again and again."""
    random = np.random.default_rng(7)
    pool = channel_count * max(_PEOPLE_EACH, chatters_each // 5)
    each = _COMMUNITY * pool // channel_count
    rows, people = [], []
    for channel in range(channel_count):
        chosen = np.zeros(0, dtype=np.int64)
        while len(chosen) < chatters_each:
            count = chatters_each - len(chosen)
            home = random.random(count) < 0.6
            own = channel // _COMMUNITY * each + (each * random.random(count) ** 1.4).astype(np.int64)
            anywhere = (pool * random.random(count)).astype(np.int64)
            chosen = np.unique(np.concatenate([chosen, np.where(home, own, anywhere) % pool]))
        people.append(chosen)
        rows.append(np.full(len(chosen), channel, dtype=np.int64))
    return np.concatenate(rows), np.concatenate(people), pool


def _by_sets(presence: Presence, found: Overlaps) -> tuple[float, bool]:
    """The time of pairwise set intersections, and whether they count the same."""
    count = len(presence.channels)
    bounds = np.searchsorted(presence.channel_index, np.arange(count + 1))
    people = [set(presence.chatter_index[bounds[n] : bounds[n + 1]].tolist()) for n in range(count)]
    counts = np.zeros((count, count), dtype=np.int64)
    started = time.perf_counter()
    for one in range(count):
        own = people[one]
        for other in range(one + 1, count):
            counts[one, other] = len(own & people[other])
    took_s = time.perf_counter() - started
    product = np.zeros((count, count), dtype=np.int64)
    product[found.source, found.target] = found.shared.astype(np.int64)
    return took_s, bool(np.array_equal(counts, product))


def _in_own_process(channel_count: int, chatters_each: int) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_large, (channel_count, chatters_each))


def _large(channel_count: int, chatters_each: int) -> dict[str, Any]:
    rows, people, pool = _pairs(channel_count, chatters_each)
    channels = channels_of([str(place) for place in range(channel_count)])
    ids = np.arange(pool).astype(object)
    started = time.perf_counter()
    presence = presence_from_indices(channels, rows, people, ids)
    built_s = time.perf_counter() - started
    found = overlaps(presence, min_shared=MapParams().min_shared)
    return {
        "channels": channel_count,
        "pairs": presence.n_pairs,
        "chatters": pool,
        "overlaps": len(found),
        "overlaps_of_any_size": found.n_overlaps,
        "seconds": round(time.perf_counter() - started, 1),
        "of_them_building_s": round(built_s, 1),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }
