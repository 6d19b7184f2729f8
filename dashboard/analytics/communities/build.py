"""Presence from pairs or sightings: each channel and chatter once, whatever the source repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dashboard.analytics.communities.inputs import UNKNOWN, Channels, Ints, Presence, SeenAs


def channels_of(
    ids: Sequence[str],
    *,
    logins: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    games: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    tags: Sequence[Sequence[str]] | None = None,
    viewers: Sequence[int] | Ints | None = None,
    observed_minutes: Sequence[int] | Ints | None = None,
    chatters: Sequence[int] | Ints | None = None,
) -> Channels:
    """Channels from what a source knows of them; the rest is unknown.

    Args:
        ids: The identity of each.
        logins: Lower-case; the ids where left out.
        names: As the streamer writes it; the logins where left out.
        games: Category, "" where unknown.
        languages: ISO 639-1 code, "" where unknown.
        tags: The streamer's own tags.
        viewers: Mean viewers.
        observed_minutes: How long each was looked at.
        chatters: Distinct people.

    Raises:
        ValueError: A column that is not as long as the ids.
    """
    count = len(ids)
    logins = ids if logins is None else logins
    columns = {"logins": logins, "names": names, "games": games, "languages": languages, "tags": tags}
    numbers = {"viewers": viewers, "observed_minutes": observed_minutes, "chatters": chatters}
    for name, column in [*columns.items(), *numbers.items()]:
        if column is not None and len(column) != count:
            raise ValueError(f"{name} has {len(column)} entries for {count} channels")
    empty = ("",) * count
    return Channels(
        ids=tuple(ids),
        logins=tuple(logins),
        names=tuple(logins if names is None else names),
        games=empty if games is None else tuple(games),
        languages=empty if languages is None else tuple(languages),
        tags=((),) * count if tags is None else tuple(tuple(tag.lower() for tag in own) for own in tags),
        viewers=_numbers(viewers, count),
        observed_minutes=_numbers(observed_minutes, count),
        chatters=_numbers(chatters, count),
    )


def taken(channels: Channels, order: Ints) -> Channels:
    """The channels at these places, in this order."""
    places = order.tolist()

    def of(column: tuple) -> tuple:
        return tuple(column[place] for place in places)

    return Channels(
        ids=of(channels.ids),
        logins=of(channels.logins),
        names=of(channels.names),
        games=of(channels.games),
        languages=of(channels.languages),
        tags=of(channels.tags),
        viewers=channels.viewers[order],
        observed_minutes=channels.observed_minutes[order],
        chatters=channels.chatters[order],
    )


def presence_from_pairs(
    channel_keys: Sequence[str] | npt.NDArray[np.object_],
    chatter_keys: Sequence[str] | npt.NDArray[np.object_],
    *,
    channels: Channels | None = None,
    message_counts: Sequence[int] | Ints | None = None,
    sightings: Sequence[int] | Ints | None = None,
    most_at_once: Mapping[str, int] | None = None,
    created_days: Mapping[str, int] | None = None,
    chatter_logins: Mapping[str, str] | None = None,
    seen_as: SeenAs = "speakers",
    from_at: int = 0,
    until_at: int = 0,
    sources: Sequence[str] = (),
) -> Presence:
    """Who was seen where, from one row a pair; rows of the same pair are added up.

    Args:
        channel_keys: Id of the channel of each row.
        chatter_keys: Id of the chatter of each row.
        channels: What is known of the channels; one that is named here and in no row stays, empty. Without
            it the channels are those of the rows.
        message_counts: Of each row.
        sightings: Of each row: on how many occasions.
        most_at_once: By chatter: the most channels in a single poll.
        created_days: By chatter: day of creation since 1970-01-01.
        chatter_logins: By chatter, where the keys are ids.
        seen_as: What "seen" means here.
        from_at: Start of the period.
        until_at: Its end.
        sources: In words.

    Raises:
        ValueError: Columns of different length, or a row of a channel that ``channels`` does not name.
    """
    if len(channel_keys) != len(chatter_keys):
        raise ValueError(f"{len(channel_keys)} channels for {len(chatter_keys)} chatters")
    channel_index, channels = _indexed_channels(np.asarray(channel_keys, dtype=object), channels)
    ids, chatter_index = _indexed(np.asarray(chatter_keys, dtype=object))
    presence = presence_from_indices(
        channels,
        channel_index,
        chatter_index,
        ids,
        message_counts=None if message_counts is None else np.asarray(message_counts, dtype=np.int64),
        sightings=None if sightings is None else np.asarray(sightings, dtype=np.int64),
    )
    return replace(
        presence,
        chatter_logins=None if chatter_logins is None else _looked_up(ids, chatter_logins),
        most_at_once=_days(ids, most_at_once),
        created_days=_days(ids, created_days),
        seen_as=seen_as,
        from_at=from_at,
        until_at=until_at,
        sources=tuple(sources),
    )


def presence_from_indices(
    channels: Channels,
    channel_index: Ints,
    chatter_index: Ints,
    chatter_ids: npt.NDArray[np.object_],
    *,
    message_counts: Ints | None = None,
    sightings: Ints | None = None,
) -> Presence:
    """The same where the source has numbered channels and chatters itself (fast for many millions).

    Caveats:
        Rows of a pair are added up; the chatters of each channel are counted anew.
    """
    pair = channel_index.astype(np.int64) * max(len(chatter_ids), 1) + chatter_index
    is_sorted = len(pair) < 2 or bool((pair[1:] > pair[:-1]).all())
    if is_sorted:
        unique, sums = pair, (lambda column: column)
    else:
        unique, place = np.unique(pair, return_inverse=True)

        def sums(column: Ints) -> Ints:
            return np.bincount(place, weights=column, minlength=len(unique)).astype(np.int64)

    rows = unique // max(len(chatter_ids), 1)
    counted = np.bincount(rows, minlength=len(channels)).astype(np.int64)
    return Presence(
        channels=replace(channels, chatters=counted),
        channel_index=rows,
        chatter_index=unique % max(len(chatter_ids), 1),
        chatter_ids=chatter_ids,
        message_counts=None if message_counts is None else sums(message_counts),
        sightings=None if sightings is None else sums(sightings),
    )


def presence_from_sightings(
    channel_keys: Sequence[str] | npt.NDArray[np.object_],
    chatter_keys: Sequence[str] | npt.NDArray[np.object_],
    poll_at: Sequence[int] | Ints,
    *,
    channels: Channels | None = None,
    created_days: Mapping[str, int] | None = None,
    chatter_logins: Mapping[str, str] | None = None,
    seen_as: SeenAs = "connected",
    from_at: int = 0,
    until_at: int = 0,
    sources: Sequence[str] = (),
) -> Presence:
    """Who was seen where, from polls: one row for each chatter found in a channel at an instant.

    Args:
        channel_keys: Id of the channel of each row.
        chatter_keys: Id of the chatter of each row.
        poll_at: Instant of the poll of each row; channels polled together share it.
        channels: What is known of the channels.
        created_days: By chatter.
        chatter_logins: By chatter, where the keys are ids.
        seen_as: What "seen" means here.
        from_at: Polls before are left out, unless 0.
        until_at: Polls from here on are left out, unless 0.
        sources: In words.

    Returns:
        Each pair once, with its sightings (polls) and the most channels each chatter was in at once.
    """
    at = np.asarray(poll_at, dtype=np.int64)
    inside = (at >= from_at) & ((at < until_at) | (until_at == 0))
    keys = np.asarray(channel_keys, dtype=object)[inside]
    people = np.asarray(chatter_keys, dtype=object)[inside]
    _, channel_index = _indexed(keys)
    ids, chatter_index = _indexed(people)
    _, poll_index = np.unique(at[inside], return_inverse=True)
    poll_chatter = poll_index.astype(np.int64) * max(len(ids), 1) + chatter_index
    triple = poll_chatter * (int(channel_index.max(initial=0)) + 1) + channel_index
    once = np.unique(triple, return_index=True)[1]
    poll_chatter = poll_chatter[once]
    together, counts = np.unique(poll_chatter, return_counts=True)
    most = np.zeros(len(ids), dtype=np.int64)
    np.maximum.at(most, together % max(len(ids), 1), counts)
    return presence_from_pairs(
        keys[once],
        people[once],
        channels=channels,
        sightings=np.ones(len(once), dtype=np.int64),
        most_at_once=dict(zip(ids.tolist(), most.tolist(), strict=True)),
        created_days=created_days,
        chatter_logins=chatter_logins,
        seen_as=seen_as,
        from_at=from_at,
        until_at=until_at,
        sources=sources,
    )


def _indexed(keys: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], Ints]:
    """Each key once in order, and the place of every entry there."""
    import pandas as pd

    codes, unique = pd.factorize(keys, sort=True)
    return np.asarray(unique, dtype=object), np.asarray(codes, dtype=np.int64)


def _indexed_channels(keys: npt.NDArray[np.object_], channels: Channels | None) -> tuple[Ints, Channels]:
    unique, index = _indexed(keys)
    if channels is None:
        return index, channels_of(unique.tolist())
    places = {channel_id: place for place, channel_id in enumerate(channels.ids)}
    missing = [key for key in unique.tolist() if key not in places]
    if missing:
        raise ValueError(f"nothing is known of the channel {missing[0]!r}")
    return np.array([places[key] for key in unique.tolist()], dtype=np.int64)[index], channels


def _looked_up(ids: npt.NDArray[np.object_], by_id: Mapping[str, str]) -> npt.NDArray[np.object_]:
    return np.array([by_id.get(key, "") for key in ids.tolist()], dtype=object)


def _days(ids: npt.NDArray[np.object_], by_id: Mapping[str, int] | None) -> Ints | None:
    if by_id is None:
        return None
    return np.array([by_id.get(key, UNKNOWN) for key in ids.tolist()], dtype=np.int64)


def _numbers(values: Sequence[int] | Ints | None, count: int) -> Ints:
    if values is None:
        return np.full(count, UNKNOWN, dtype=np.int64)
    return np.asarray(values, dtype=np.int64)
