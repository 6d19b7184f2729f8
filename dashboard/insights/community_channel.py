"""One channel on the map, and a few side by side: overlaps, partners, intersections."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dashboard.analytics.communities import questions
from dashboard.analytics.communities.inputs import Floats, Presence
from dashboard.analytics.communities.intersections import MOST, compare_channels
from dashboard.analytics.communities.model import ISOLATE, MapCommunity, MapRun
from dashboard.insights.community_model import Comparison, LiveNow, Overlap, Partner, Partners


def node_of(run: MapRun, channel_id: str) -> int:
    """The place of a channel on the map; -1 when it is not there."""
    try:
        return run.nodes.channels.ids.index(channel_id)
    except ValueError:
        return -1


def name_of(run: MapRun, node: int) -> str:
    """What a channel is called."""
    return run.nodes.channels.names[node] or run.nodes.channels.logins[node]


def community_of(run: MapRun, number: int) -> MapCommunity | None:
    """The community of an index; None for an isolate."""
    return None if number == ISOLATE else run.communities[number]


def label_of(run: MapRun, node: int) -> str:
    """What a channel's community is called; empty for an isolate."""
    community = community_of(run, int(run.nodes.community[node]))
    return community.label if community else ""


def overlaps_of(run: MapRun, node: int) -> list[Overlap]:
    """Every overlap of a channel above the threshold, the strongest in the run's measure first."""
    near, channels = questions.channel_overlaps(run, node), run.nodes.channels
    order = np.argsort(-_weights(near, run.params.measure), kind="stable")
    drawn = run.edges.is_drawn
    return [
        Overlap(
            channel_id=channels.ids[int(near.other[at])],
            login=channels.logins[int(near.other[at])],
            name=name_of(run, int(near.other[at])),
            community=label_of(run, int(near.other[at])),
            shared=float(near.shared[at]),
            jaccard=float(near.jaccard[at]),
            containment=float(near.ours_there[at]),
            containment_back=float(near.theirs_here[at]),
            lift=float(near.lift[at]),
            is_drawn=bool(drawn[near.row[at]]),
        )
        for at in order.tolist()
    ]


def _weights(near: questions.ChannelOverlaps, measure: str) -> Floats:
    weights: Floats = {
        "shared": near.shared,
        "jaccard": near.jaccard,
        "containment": np.fmax(near.ours_there, near.theirs_here),
        "lift": near.lift,
    }[measure]
    # Scores of an imported table know nothing but their own strength.
    return near.shared if np.isnan(weights).any() else weights


def strength(overlap: Overlap, measure: str) -> float:
    """How strong an overlap is in a measure; where that is unknown, as the source gave it."""
    if measure == "containment":
        value = max(overlap.containment, overlap.containment_back)
    else:
        value = float(getattr(overlap, measure))
    return overlap.shared if math.isnan(value) else value


def compare(run: MapRun, presence: Presence | None, channel_ids: Sequence[str]) -> Comparison:
    """Two to four channels side by side: who is in exactly which of them.

    Args:
        run: The map, restricted to what may be seen.
        presence: Who was seen where; None leaves only the pairs.
        channel_ids: Those to compare; ones that are not on the map are left out.

    Returns:
        The intersections by size, and every pair's measures.
    """
    nodes = [node for node in (node_of(run, one) for one in dict.fromkeys(channel_ids)) if node >= 0][:MOST]
    channels, pairs = run.nodes.channels, []
    for place, first in enumerate(nodes):
        by_id = {overlap.channel_id: overlap for overlap in overlaps_of(run, first)}
        for second in nodes[place + 1 :]:
            overlap = by_id.get(channels.ids[second]) or _nothing(run, second)
            pairs.append((name_of(run, first), name_of(run, second), overlap))
    ids = tuple(channels.ids[node] for node in nodes)
    is_counted = presence is not None and len(ids) > 1 and set(ids) <= set(presence.channels.ids)
    exact = compare_channels(presence, ids) if presence is not None and is_counted else None
    return Comparison(
        channels=tuple(
            (channels.ids[node], name_of(run, node), int(channels.chatters[node])) for node in nodes
        ),
        n_chatters=exact.n_people if exact else 0,
        intersections=exact.groups if exact else (),
        pairs=tuple(pairs),
    )


def _nothing(run: MapRun, node: int) -> Overlap:
    channels, unknown = run.nodes.channels, math.nan
    return Overlap(
        channels.ids[node], channels.logins[node], name_of(run, node), label_of(run, node),
        unknown, unknown, unknown, unknown, unknown, False,
    )  # fmt: skip


def partners(run: MapRun, node: int, live: Mapping[str, LiveNow], *, limit: int = 12) -> Partners:
    """Whom a channel could raid or play with: more in common than chance gives, of a near size, live first.

    Args:
        run: The map, restricted to what may be seen.
        node: The channel.
        live: What is known of the rooms now, by login.
        limit: At most so many.

    Returns:
        Best first.
    """
    channels = run.nodes.channels
    rooms = {
        channel_id: room
        for channel_id, login in zip(channels.ids, channels.logins, strict=True)
        if (room := live.get(login.lower())) is not None and room.is_live
    }
    viewers = {channel_id: room.viewer_count or 0 for channel_id, room in rooms.items()}
    own = max(1, int(channels.chatters[node]))
    found = []
    for one in questions.partners(run, node, live=viewers, limit=len(channels)):
        if one.lift <= 1:
            continue  # Chance alone gives as much; where it is unknown, the overlap itself has to do.
        other, size = one.node, max(1, int(channels.chatters[one.node]))
        room = rooms.get(channels.ids[other])
        found.append(
            Partner(
                channel_id=channels.ids[other],
                name=name_of(run, other),
                community=label_of(run, other),
                game=(room.game_name if room and room.game_name else channels.games[other]),
                chatters=size,
                shared=int(one.shared),
                lift=one.lift,
                new_people=one.new_people,
                size_ratio=size / own,
                is_live=room is not None,
                live_viewers=room.viewer_count if room else None,
                score=one.score,
            )
        )
    found.sort(key=lambda partner: (not partner.is_live, -partner.score))
    near = questions.channel_overlaps(run, node)
    return Partners(
        name=name_of(run, node),
        chatters=int(channels.chatters[node]),
        partners=tuple(found[:limit]),
        considered=len(near.other),
        live_known=sum(channels.ids[int(other)] in rooms for other in near.other),
    )
