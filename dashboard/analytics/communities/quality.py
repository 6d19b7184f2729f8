"""How good the data behind a map is: what was seen, how long, by how many, how often again."""

from __future__ import annotations

import numpy as np

from dashboard.analytics.communities.inputs import UNKNOWN, Channels, EdgeList, Ints, Presence, QualityReport


def quality_of(presence: Presence, left_out: tuple[tuple[str, int], ...] = ()) -> QualityReport:
    """The quality report of a presence: of what is left after the filters.

    Args:
        presence: Who was seen where.
        left_out: What the filters took, by name.
    """
    channels = presence.channels
    per_chatter = np.bincount(presence.chatter_index, minlength=presence.n_chatters)
    per_chatter = per_chatter[per_chatter > 0]
    least, median, most, hours = _observed(channels)
    average, middle, largest, smallest = _sizes(channels.chatters)
    return QualityReport(
        seen_as=presence.seen_as,
        has_chatters=True,
        n_channels=len(channels),
        n_chatters=len(per_chatter),
        n_pairs=presence.n_pairs,
        observed_hours=hours,
        least_observed_minutes=least,
        median_observed_minutes=median,
        most_observed_minutes=most,
        chatters_average=average,
        chatters_median=middle,
        chatters_max=largest,
        chatters_min=smallest,
        one_channel_share=_share(per_chatter == 1),
        two_channels_share=_share(per_chatter >= 2),
        three_channels_share=_share(per_chatter >= 3),
        one_off_share=_seen(presence.sightings, 1, 1),
        repeat_share=_seen(presence.sightings, 2, None),
        frequent_share=_seen(presence.sightings, 3, None),
        from_at=presence.from_at,
        until_at=presence.until_at,
        sources=presence.sources,
        left_out=left_out,
        channel_minutes=_minutes(channels),
    )


def quality_of_edges(edges: EdgeList, left_out: tuple[tuple[str, int], ...] = ()) -> QualityReport:
    """The quality report of imported edges: nothing is known of single chatters."""
    channels = edges.channels
    least, median, most, hours = _observed(channels)
    average, middle, largest, smallest = _sizes(channels.chatters[channels.chatters >= 0])
    unknown = float("nan")
    return QualityReport(
        seen_as="imported",
        has_chatters=False,
        n_channels=len(channels),
        n_chatters=0,
        n_pairs=0,
        observed_hours=hours,
        least_observed_minutes=least,
        median_observed_minutes=median,
        most_observed_minutes=most,
        chatters_average=average,
        chatters_median=middle,
        chatters_max=largest,
        chatters_min=smallest,
        one_channel_share=unknown,
        two_channels_share=unknown,
        three_channels_share=unknown,
        one_off_share=unknown,
        repeat_share=unknown,
        frequent_share=unknown,
        from_at=edges.from_at,
        until_at=edges.until_at,
        sources=edges.sources,
        left_out=left_out,
        mended=edges.mended,
        channel_minutes=_minutes(channels),
        is_count=edges.is_count,
    )


def _observed(channels: Channels) -> tuple[float, float, float, float]:
    minutes = channels.observed_minutes[channels.observed_minutes >= 0]
    if not len(minutes):
        return (float("nan"),) * 4
    return float(minutes.min()), float(np.median(minutes)), float(minutes.max()), float(minutes.sum()) / 60


def _sizes(chatters: Ints) -> tuple[float, float, int, int]:
    if not len(chatters):
        return float("nan"), float("nan"), 0, 0
    return float(chatters.mean()), float(np.median(chatters)), int(chatters.max()), int(chatters.min())


def _share(chosen: np.ndarray) -> float:
    return float(chosen.mean()) if len(chosen) else float("nan")


def _seen(sightings: Ints | None, least: int, most: int | None) -> float:
    if sightings is None:
        return float("nan")
    return _share((sightings >= least) & (sightings <= most if most is not None else True))


def _minutes(channels: Channels) -> tuple[tuple[str, int], ...]:
    if not (channels.observed_minutes != UNKNOWN).any():
        return ()
    order = np.argsort(-channels.chatters, kind="stable").tolist()
    return tuple((channels.logins[place], int(channels.observed_minutes[place])) for place in order)
