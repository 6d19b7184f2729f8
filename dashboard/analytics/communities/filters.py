"""Who counts for a map: the filters, in a fixed order, each with how many it took away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np

from dashboard.analytics.communities.build import taken
from dashboard.analytics.communities.inputs import Bools, Channels, EdgeList, Ints, Presence
from dashboard.analytics.communities.lurkers import channel_counts, lurkers
from dashboard.analytics.communities.params import MapParams

_DAY_US: Final = 86_400_000_000

LeftOut = tuple[tuple[str, int], ...]


def filtered(
    presence: Presence,
    params: MapParams,
    *,
    service_logins: Collection[str] = (),
    as_of_day: int | None = None,
) -> tuple[Presence, LeftOut]:
    """The presence that counts under these settings.

    First people go (service accounts, lurkers, young accounts), then channels by category and language,
    then pairs seen too rarely, then channels that are left with too few chatters, then chatters in too few
    channels; so each figure says what that filter took from what the ones before had left.

    Args:
        presence: Who was seen where.
        params: The settings.
        service_logins: Logins of known service accounts, lower-case.
        as_of_day: The day at which accounts are young or old; the end of the period where left out.

    Returns:
        What is left, and by filter how many chatters, channels or pairs it took.
    """
    left_out: list[tuple[str, int]] = []
    gone = {
        "service accounts": _services(presence, params, service_logins),
        "lurkers": lurkers(presence, rule=params.lurker_rule, with_statistics=params.lurker_statistics),
        "young accounts": _young(presence, params, as_of_day),
    }
    keep_chatter = np.ones(presence.n_chatters, dtype=bool)
    for name, mask in gone.items():
        left_out.append((name, int((mask & keep_chatter).sum())))
        keep_chatter &= ~mask
    keep_channel = fitting(presence.channels, params)
    left_out.append(("channels of other categories or languages", int((~keep_channel).sum())))
    keep_pair = keep_chatter[presence.chatter_index] & keep_channel[presence.channel_index]
    rare = _rare(presence, params) & keep_pair
    left_out.append(("pairs seen too rarely", int(rare.sum())))
    presence = narrowed(presence, keep_pair & ~rare, keep_channel)
    keep_channel = _large_enough(presence.channels.chatters, params)
    left_out.append(("channels with too few chatters", int((~keep_channel).sum())))
    presence = narrowed(presence, keep_channel[presence.channel_index], keep_channel)
    alone = channel_counts(presence) < params.min_chatter_channels
    left_out.append(("chatters in too few channels", int(alone.sum())))
    if alone.any():
        everywhere = np.ones(len(presence.channels), dtype=bool)
        presence = narrowed(presence, ~alone[presence.chatter_index], everywhere)
    return presence, tuple((name, count) for name, count in left_out if count)


def filtered_edges(edges: EdgeList, params: MapParams) -> tuple[EdgeList, LeftOut]:
    """Imported edges between channels that count under these settings.

    Caveats:
        Filters on people need people: they do nothing here. A channel whose chatters nobody told stays.
    """
    told = fitting(edges.channels, params)
    known = np.where(edges.channels.chatters < 0, np.iinfo(np.int64).max, edges.channels.chatters)
    large = _large_enough(known, params)
    keep = told & large
    left_out = (
        ("channels of other categories or languages", int((~told).sum())),
        ("channels with too few chatters", int((told & ~large).sum())),
    )
    chosen = np.flatnonzero(keep)
    places = np.full(len(keep), -1, dtype=np.int64)
    places[chosen] = np.arange(len(chosen))
    both = keep[edges.source] & keep[edges.target]
    published = edges.published
    return replace(
        edges,
        channels=taken(edges.channels, chosen),
        source=places[edges.source[both]],
        target=places[edges.target[both]],
        shared=edges.shared[both],
        x=None if edges.x is None else edges.x[chosen],
        y=None if edges.y is None else edges.y[chosen],
        published=None if published is None else tuple(published[place] for place in chosen.tolist()),
    ), tuple((name, count) for name, count in left_out if count)


def fitting(channels: Channels, params: MapParams) -> Bools:
    """Which channels have one of the wanted categories and languages."""
    keep = np.ones(len(channels), dtype=bool)
    for wanted, column in ((params.games, channels.games), (params.languages, channels.languages)):
        if wanted:
            folded = {word.casefold() for word in wanted}
            keep &= np.array([word.casefold() in folded for word in column], dtype=bool)
    return keep


def narrowed(presence: Presence, keep_pair: Bools, keep_channel: Bools) -> Presence:
    """The presence with these pairs and channels only; chatters of no pair go, counts are made anew."""
    channels = np.flatnonzero(keep_channel)
    places = np.full(len(keep_channel), -1, dtype=np.int64)
    places[channels] = np.arange(len(channels))
    seen = np.zeros(presence.n_chatters, dtype=bool)
    seen[presence.chatter_index[keep_pair]] = True
    people = np.flatnonzero(seen)
    people_places = np.cumsum(seen) - 1
    rows = places[presence.channel_index[keep_pair]]
    counted = np.bincount(rows, minlength=len(channels)).astype(np.int64)

    def of_pairs(column: Ints | None) -> Ints | None:
        return None if column is None else column[keep_pair]

    logins = presence.chatter_logins
    return replace(
        presence,
        channels=replace(taken(presence.channels, channels), chatters=counted),
        channel_index=rows,
        chatter_index=people_places[presence.chatter_index[keep_pair]].astype(np.int64),
        chatter_ids=presence.chatter_ids[people],
        chatter_logins=None if logins is None else logins[people],
        message_counts=of_pairs(presence.message_counts),
        sightings=of_pairs(presence.sightings),
        most_at_once=None if presence.most_at_once is None else presence.most_at_once[people],
        created_days=None if presence.created_days is None else presence.created_days[people],
    )


def _services(presence: Presence, params: MapParams, service_logins: Collection[str]) -> Bools:
    if not params.without_services or not service_logins:
        return np.zeros(presence.n_chatters, dtype=bool)
    known = {login.lower() for login in service_logins}
    logins = presence.chatter_ids if presence.chatter_logins is None else presence.chatter_logins
    return np.array([str(login).lower() in known for login in logins.tolist()], dtype=bool)


def _young(presence: Presence, params: MapParams, as_of_day: int | None) -> Bools:
    """Accounts younger than wanted; one whose age nobody told is kept."""
    if not params.young_days or presence.created_days is None:
        return np.zeros(presence.n_chatters, dtype=bool)
    day = presence.until_at // _DAY_US if as_of_day is None else as_of_day
    return (presence.created_days >= 0) & (day - presence.created_days < params.young_days)


def _rare(presence: Presence, params: MapParams) -> Bools:
    if params.min_sightings <= 1 or presence.sightings is None:
        return np.zeros(presence.n_pairs, dtype=bool)
    return presence.sightings < params.min_sightings


def _large_enough(chatters: Ints, params: MapParams) -> Bools:
    keep = chatters >= params.min_channel_chatters
    if params.max_channels and keep.sum() > params.max_channels:
        order = np.argsort(-np.where(keep, chatters, -1), kind="stable")
        keep = np.zeros(len(keep), dtype=bool)
        keep[order[: params.max_channels]] = True
    return keep
