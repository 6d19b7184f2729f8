"""Edges that others counted: one table of two columns of channels and one of weights, put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dashboard.analytics.communities.build import channels_of, taken
from dashboard.analytics.communities.inputs import UNKNOWN, Channels, EdgeList, Floats, Ints, Mended


def edges_from_table(
    source: Sequence[str],
    target: Sequence[str],
    weight: Sequence[float] | Floats,
    *,
    nodes: Channels | None = None,
    is_count: bool = True,
    published: Sequence[str] | None = None,
    from_at: int = 0,
    until_at: int = 0,
    sources: Sequence[str] = (),
) -> EdgeList:
    """A map's edges from a table of anybody's, with what had to be put right counted.

    Channels that differ in upper and lower case only are one (Twitch's logins know no case); edges from a
    channel to itself go; of two edges between the same channels, either way round, the heavier one counts.

    Args:
        source: Key of one end of each row.
        target: Key of the other end.
        weight: Shared people, or another measure of theirs.
        nodes: What is known of the channels, by ``ids`` = the keys of the edges.
        is_count: Whether the weight is a number of people.
        published: The community of each node in the source.
        from_at: Start of the period, where known.
        until_at: Its end.
        sources: In words.

    Raises:
        ValueError: Columns of different length.
    """
    if not len(source) == len(target) == len(weight):
        raise ValueError(f"{len(source)} sources, {len(target)} targets and {len(weight)} weights")
    known = [str(key) for key in (nodes.ids if nodes is not None else ())]
    spelled = [*known, *map(str, source), *map(str, target)]
    places: dict[str, int] = {}
    for key in spelled:
        places.setdefault(key.strip().lower(), len(places))
    n_known = len({key.strip().lower() for key in known})
    codes = np.array([places[key.strip().lower()] for key in spelled], dtype=np.int64)
    ends = codes[len(known) :].reshape(2, len(source))
    low, high, weights, mended = _each_pair_once(ends, np.asarray(weight, dtype=np.float64), len(places))
    mended = replace(
        mended,
        case_duplicates=len({key.strip() for key in spelled}) - len(places),
        nodes_without_row=len(places) - n_known if nodes is not None else 0,
    )
    first = _first_places(codes[: len(known)], n_known)
    return EdgeList(
        channels=_joined(nodes, codes[: len(known)], first, list(places)),
        source=low,
        target=high,
        shared=weights,
        is_count=is_count,
        mended=mended,
        from_at=from_at,
        until_at=until_at,
        sources=tuple(sources),
        published=_words(published, first, len(places)),
    )


def _each_pair_once(ends: Ints, weights: Floats, count: int) -> tuple[Ints, Ints, Floats, Mended]:
    is_bad = ~np.isfinite(weights) | (weights <= 0)
    is_loop = ends[0] == ends[1]
    fine = ~is_bad & ~is_loop
    low, high = ends.min(axis=0)[fine], ends.max(axis=0)[fine]
    pair, place = np.unique(low * count + high, return_inverse=True)
    most = np.zeros(len(pair))
    np.maximum.at(most, place, weights[fine])
    mended = Mended(
        self_loops=int(is_loop.sum()),
        repeated_edges=int(fine.sum()) - len(pair),
        bad_weights=int((is_bad & ~is_loop).sum()),
    )
    return pair // max(count, 1), pair % max(count, 1), most, mended


def _first_places(codes: Ints, count: int) -> Ints:
    """For each known channel the first row that tells of it."""
    first = np.full(count, UNKNOWN, dtype=np.int64)
    for row, code in enumerate(codes.tolist()):
        if first[code] == UNKNOWN:
            first[code] = row
    return first


def _joined(nodes: Channels | None, codes: Ints, first: Ints, keys: list[str]) -> Channels:
    """The channels of the nodes' table, each once, then those that only edges name."""
    if nodes is None:
        return channels_of(keys)
    rest = channels_of(keys[len(first) :])
    own = taken(nodes, first)
    most = np.full(len(first), UNKNOWN, dtype=np.int64)
    np.maximum.at(most, codes, nodes.chatters)  # the spelling with more chatters is the live one
    return Channels(
        ids=tuple(keys),
        logins=(*(login.lower() for login in own.logins), *rest.logins),
        names=own.names + rest.names,
        games=own.games + rest.games,
        languages=own.languages + rest.languages,
        tags=own.tags + rest.tags,
        viewers=np.concatenate([own.viewers, rest.viewers]),
        observed_minutes=np.concatenate([own.observed_minutes, rest.observed_minutes]),
        chatters=np.concatenate([most, rest.chatters]),
    )


def _words(values: Sequence[str] | None, first: Ints, count: int) -> tuple[str, ...] | None:
    if values is None:
        return None
    return tuple(str(values[row]) for row in first.tolist()) + ("",) * (count - len(first))
