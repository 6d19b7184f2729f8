"""The finished map: nodes, edges, communities, what changed, and the form the browser draws from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from dashboard.analytics.communities.inputs import (
    UNKNOWN,
    Bools,
    Channels,
    EdgeList,
    Floats,
    Ints,
    Mended,
    Presence,
    QualityReport,
    SeenAs,
)
from dashboard.analytics.communities.params import (
    ALGORITHMS,
    BACKBONES,
    MEASURES,
    Algorithm,
    Backbone,
    MapParams,
    Measure,
    params_from_dict,
)

ISOLATE: Final = -1
"""In place of a community's index: the channel belongs to none."""

STEPS: Final = ("aggregate", "overlap", "communities", "labels", "layout", "compare")
"""The six steps of an analysis, in order; the names a progress callback is given."""

COLOURS: Final = 12
"""Colour indices run from 0 to here; neighbours on the map never share one while that can be had."""

FactKind = Literal["game", "language", "content", "tag", "largest"]
Fate = Literal["new", "kept", "born", "split", "merged"]
"""Of a community against the run before; "new" when there was none."""


@dataclass(frozen=True, slots=True)
class LabelFact:
    """One reason for a label: how frequent something is inside against on the whole map."""

    kind: FactKind
    value: str
    share: float
    """Of the community's channels that tell it."""
    platform_share: float
    """The same over all channels of the map."""
    lift: float
    """The one through the other; NaN for largest channels."""
    n_channels: int
    is_in_label: bool


@dataclass(frozen=True, slots=True)
class MapCommunity:
    """One community of channels. Its place in ``MapRun.communities`` is its index."""

    key: str
    """The same in every run in which it is found again; names given by people hang on it."""
    label: str
    """What is shown: the given name, else ``own_label``. Unique on the map."""
    own_label: str
    """What its games and languages call it."""
    is_renamed: bool
    evidence: tuple[LabelFact, ...]
    size: int
    """Channels."""
    chatters: int
    """Sum over its channels: somebody in two channels counts twice."""
    colour: int
    """0 … ``COLOURS`` - 1; kept while the community is found again."""
    internal_weight: float
    external_weight: float
    coherence: float
    """Internal through internal + external weight, 0 … 1."""
    stability: float
    """Mean of its channels'."""
    x: float
    y: float
    """Where its name stands."""
    radius: float
    fate: Fate = "new"
    top_channels: tuple[str, ...] = ()
    """Logins of the largest, largest first, at most five."""


@dataclass(frozen=True, slots=True)
class MapNodes:
    """The channels of the map, one entry each in every column; largest first."""

    channels: Channels
    x: Floats
    y: Floats
    """About -1000 … 1000 for a whole map; no two discs overlap."""
    radius: Floats
    """In the same unit; its area grows with the chatters."""
    community: Ints
    """Index into the communities, or ``ISOLATE``."""
    stability: Floats
    """Share of the seeds that agree with the community shown, 0 … 1; NaN for isolates."""
    torn: Ints
    """The community most often found instead, ``ISOLATE`` where there is none worth telling."""
    torn_share: Floats
    """How often it was found instead, 0 … 1; 0 where there is none."""
    content: tuple[str, ...]
    """Content type of its category: "gaming", "just chatting", "music", …; "" when unknown."""
    degree: Ints
    """Overlaps above the threshold, not only those drawn."""
    strength: Floats
    """Their sum in the chosen measure."""
    inside_share: Floats
    """Of that sum, what stays within its community; NaN for isolates."""

    def __len__(self) -> int:
        return len(self.channels)


@dataclass(frozen=True, slots=True)
class MapEdges:
    """Overlaps above the threshold, each two channels once; indices into the nodes, strongest first."""

    source: Ints
    target: Ints
    shared: Floats
    jaccard: Floats
    containment_ab: Floats
    """Share of the source's chatters also seen at the target."""
    containment_ba: Floats
    """Share of the target's chatters also seen at the source."""
    lift: Floats
    """Shared chatters through what chance gives; all three NaN where a source cannot tell."""
    p_value: Floats
    """How often chance gives such an edge, by the chosen backbone; NaN for a plain threshold."""
    in_backbone: Bools
    is_drawn: Bools
    """In the backbone and among the strongest of one of its two channels."""

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True)
class Migration:
    """A channel that changed its community since the run before."""

    channel_id: str
    login: str
    from_key: str
    from_label: str
    to_key: str
    to_label: str


@dataclass(frozen=True, slots=True)
class MapChanges:
    """What is different from the run before. Communities by key."""

    previous_run_id: str
    kept: tuple[str, ...]
    births: tuple[str, ...]
    deaths: tuple[tuple[str, str], ...]
    """Key and label of those no more found."""
    splits: tuple[tuple[str, tuple[str, ...]], ...]
    """One of the run before → those it fell into."""
    merges: tuple[tuple[tuple[str, ...], str], ...]
    """Several of the run before → the one they became."""
    migrations: tuple[Migration, ...]
    channels_entered: tuple[str, ...]
    """Logins."""
    channels_left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MapStatistics:
    """The figures beside the title: how far the map is to be believed."""

    modularity: float
    other_algorithm: Algorithm
    other_modularity: float
    other_communities: int
    agreement: float
    """Adjusted Rand index between the two algorithms: 1 the same, 0 as by chance; NaN when too small."""
    seeds: int
    seed_agreement_mean: float
    seed_agreement_min: float
    """Adjusted Rand index between each seed's communities and the consensus."""
    stability: float
    """Mean over the channels that have a community."""
    n_channels: int
    n_communities: int
    n_isolates: int
    n_overlaps: int
    """Pairs of channels with anybody in common, before any threshold."""
    n_edges: int
    n_backbone: int
    n_drawn: int
    edges_dropped: int
    """Above the threshold but not kept with the run (``max_edges_kept``)."""
    density: float
    is_enough: bool
    """False below three channels with an edge: there is no map to speak of."""
    seconds: tuple[tuple[str, float], ...] = ()
    """How long each step took."""


@dataclass(frozen=True, slots=True)
class MapRun:
    """One analysis, complete: stored as it is, drawn as it is, compared with the next."""

    run_id: str
    created_at: int
    """Instant."""
    seed: int
    params: MapParams
    nodes: MapNodes
    edges: MapEdges
    communities: tuple[MapCommunity, ...]
    statistics: MapStatistics
    quality: QualityReport
    changes: MapChanges | None = None


def to_map_payload(run: MapRun) -> dict[str, object]:
    """The map as the browser gets it: plain lists by column, only the edges that are drawn.

    Returns:
        ``nodes``, ``edges`` and ``communities`` by column, ``games``, ``languages`` and ``contents`` as the
        words their codes stand for (-1: unknown), ``run`` with identity and figures. NaN becomes ``None``.
    """
    nodes, channels = run.nodes, run.nodes.channels
    games, game_codes = _coded(channels.games)
    languages, language_codes = _coded(channels.languages)
    contents, content_codes = _coded(nodes.content)
    return {
        "version": 1,
        "run": _run_payload(run),
        "games": games,
        "languages": languages,
        "contents": contents,
        "nodes": {
            "id": list(channels.ids),
            "login": list(channels.logins),
            "name": list(channels.names),
            "x": _rounded(nodes.x, 2),
            "y": _rounded(nodes.y, 2),
            "r": _rounded(nodes.radius, 2),
            "chatters": channels.chatters.tolist(),
            "viewers": channels.viewers.tolist(),
            "community": nodes.community.tolist(),
            "stability": _rounded(nodes.stability, 3),
            "torn": nodes.torn.tolist(),
            "torn_share": _rounded(nodes.torn_share, 3),
            "game": game_codes,
            "language": language_codes,
            "content": content_codes,
            "degree": nodes.degree.tolist(),
        },
        "edges": _edge_payload(run.edges, run.edges.is_drawn),
        "communities": _community_payload(run.communities),
    }


def _run_payload(run: MapRun) -> dict[str, object]:
    statistics, quality = run.statistics, run.quality
    return {
        "id": run.run_id,
        "created_at": run.created_at,
        "seen_as": quality.seen_as,
        "observed_hours": _number(quality.observed_hours),
        "from_at": quality.from_at,
        "until_at": quality.until_at,
        "sources": list(quality.sources),
        "measure": run.params.measure,
        "algorithm": run.params.algorithm,
        "modularity": _number(statistics.modularity),
        "agreement": _number(statistics.agreement),
        "stability": _number(statistics.stability),
        "n_channels": statistics.n_channels,
        "n_communities": statistics.n_communities,
        "n_isolates": statistics.n_isolates,
        "n_edges": statistics.n_edges,
        "n_drawn": statistics.n_drawn,
        "n_chatters": quality.n_chatters,
        "is_enough": statistics.is_enough,
    }


def _edge_payload(edges: MapEdges, chosen: Bools) -> dict[str, object]:
    return {
        "s": edges.source[chosen].tolist(),
        "t": edges.target[chosen].tolist(),
        "shared": _rounded(edges.shared[chosen], 2),
        "jaccard": _rounded(edges.jaccard[chosen], 5),
        "ab": _rounded(edges.containment_ab[chosen], 5),
        "ba": _rounded(edges.containment_ba[chosen], 5),
        "lift": _rounded(edges.lift[chosen], 3),
    }


def _community_payload(communities: tuple[MapCommunity, ...]) -> dict[str, object]:
    return {
        "key": [community.key for community in communities],
        "label": [community.label for community in communities],
        "size": [community.size for community in communities],
        "chatters": [community.chatters for community in communities],
        "colour": [community.colour for community in communities],
        "coherence": [_number(community.coherence) for community in communities],
        "stability": [_number(community.stability) for community in communities],
        "x": [_number(community.x) for community in communities],
        "y": [_number(community.y) for community in communities],
        "r": [_number(community.radius) for community in communities],
        "fate": [community.fate for community in communities],
        "top": [list(community.top_channels) for community in communities],
    }


def _coded(words: tuple[str, ...]) -> tuple[list[str], list[int]]:
    """Words by frequency, and for each entry the place of its word there; -1 for the empty one."""
    counts: dict[str, int] = {}
    for word in words:
        if word:
            counts[word] = counts.get(word, 0) + 1
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    places = {word: place for place, word in enumerate(ordered)}
    return ordered, [places.get(word, UNKNOWN) for word in words]


def _rounded(values: Floats, digits: int) -> list[float | None]:
    rounded = np.round(np.asarray(values, dtype=np.float64), digits)
    return [None if value != value else value for value in rounded.tolist()]


def _number(value: float) -> float | None:
    return None if value != value else round(float(value), 4)


__all__ = [
    "ALGORITHMS",
    "BACKBONES",
    "COLOURS",
    "ISOLATE",
    "MEASURES",
    "STEPS",
    "UNKNOWN",
    "Algorithm",
    "Backbone",
    "Channels",
    "EdgeList",
    "LabelFact",
    "MapChanges",
    "MapCommunity",
    "MapEdges",
    "MapNodes",
    "MapParams",
    "MapRun",
    "MapStatistics",
    "Measure",
    "Mended",
    "Migration",
    "Presence",
    "QualityReport",
    "SeenAs",
    "params_from_dict",
    "to_map_payload",
]
