"""What a community map is made from: who was seen in which channel, or edges that others counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SeenAs = Literal["speakers", "connected", "imported"]
"""People who wrote, people connected to the chat, or a table of others that says neither."""

UNKNOWN: Final = -1
"""In place of a count or a day that nobody told."""


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of a map, one entry a channel in every column.

    Caveats:
        A column of strings holds "" and a column of numbers ``UNKNOWN`` where nothing is known.
    """

    ids: tuple[str, ...]
    """The identity; the lower-case login where a source knows no ids."""
    logins: tuple[str, ...]
    names: tuple[str, ...]
    games: tuple[str, ...]
    """The category shown most of the time."""
    languages: tuple[str, ...]
    """ISO 639-1 code, as Twitch tells it."""
    tags: tuple[tuple[str, ...], ...]
    """The streamer's own tags, lower-case."""
    viewers: Ints
    """Mean of the samples in the period; of now where only now is known."""
    observed_minutes: Ints
    chatters: Ints
    """Distinct people; counted from the presence, or told by the source of the edges."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Presence:
    """Who was seen in which channel: each pair once.

    Caveats:
        ``channel_index`` and ``chatter_index`` are the two columns of the pairs, sorted by channel, then by
        chatter. The optional columns are ``None`` where a source does not know them.
    """

    channels: Channels
    channel_index: Ints
    chatter_index: Ints
    chatter_ids: npt.NDArray[np.object_]
    """The identity of each chatter: the user id, or the lower-case login where a source knows no ids."""
    chatter_logins: npt.NDArray[np.object_] | None = None
    """Where the identity is an id; service accounts are known by login."""
    message_counts: Ints | None = None
    """Of a pair."""
    sightings: Ints | None = None
    """Of a pair: in how many polls (or observed windows) the chatter was seen there."""
    most_at_once: Ints | None = None
    """Of a chatter: the most channels in a single poll."""
    created_days: Ints | None = None
    """Of a chatter: the day the account was made, days since 1970-01-01 (UTC), ``UNKNOWN`` where unknown."""
    seen_as: SeenAs = "speakers"
    from_at: int = 0
    until_at: int = 0
    """Instants of the period that was looked at; 0 where unknown."""
    sources: tuple[str, ...] = ()
    """In words, for the quality report: "lake: 12 rooms", "poll 2022-04-14_10-48.json"."""

    @property
    def n_pairs(self) -> int:
        return len(self.channel_index)

    @property
    def n_chatters(self) -> int:
        return len(self.chatter_ids)


@dataclass(frozen=True, slots=True)
class Mended:
    """What had to be put right in an imported table, for the report."""

    case_duplicates: int = 0
    """Channels that differed from another in upper and lower case only, merged into it."""
    self_loops: int = 0
    repeated_edges: int = 0
    """The same two channels again (also the other way round): the greatest weight counts."""
    bad_weights: int = 0
    """Not a number, zero or less: left out."""
    nodes_without_row: int = 0
    """Named by an edge only."""


@dataclass(frozen=True, slots=True)
class EdgeList:
    """A map's edges as somebody else counted them; each two channels once, no self-loops.

    Caveats:
        ``shared`` is a number of people only where ``is_count``; else it is what the source gave (a
        percentage, a score), and Jaccard, containment and lift are unknown (NaN).
    """

    channels: Channels
    source: Ints
    target: Ints
    shared: Floats
    is_count: bool = True
    mended: Mended = Mended()
    from_at: int = 0
    until_at: int = 0
    sources: tuple[str, ...] = ()
    x: Floats | None = None
    y: Floats | None = None
    """Positions of the nodes, where the source had them; the map makes its own."""
    published: tuple[str, ...] | None = None
    """The community each node had in the source, as a word; kept for comparison only."""


@dataclass(frozen=True, slots=True)
class QualityReport:
    """How good the data behind a map is. Shown beside it, always.

    Caveats:
        Fields about chatters are 0 and ``has_chatters`` is false when only edges were imported.
    """

    seen_as: SeenAs
    has_chatters: bool
    n_channels: int
    n_chatters: int
    n_pairs: int
    observed_hours: float
    """Sum over the channels; NaN when unknown."""
    least_observed_minutes: float
    median_observed_minutes: float
    most_observed_minutes: float
    chatters_average: float
    """Per channel."""
    chatters_median: float
    chatters_max: int
    chatters_min: int
    one_channel_share: float
    """Chatters seen in a single channel: they tie nothing together."""
    two_channels_share: float
    """Seen in two channels or more (2+)."""
    three_channels_share: float
    """Seen in three channels or more (3+)."""
    one_off_share: float
    """Of the pairs: seen there once only; NaN where the source keeps no sightings."""
    repeat_share: float
    """Of the pairs: seen there twice or more (2+)."""
    frequent_share: float
    """Of the pairs: seen there three times or more (3+)."""
    from_at: int = 0
    until_at: int = 0
    sources: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    """What the filters took away, by name of the filter, in the order they ran: ("lurkers", 12)."""
    mended: Mended = Mended()
    channel_minutes: tuple[tuple[str, int], ...] = ()
    """Observed minutes of each channel by login, largest channel first; ``UNKNOWN`` where unknown."""
    is_count: bool = True
    """Whether what two channels share is a number of people; false for imported percentages and scores."""
