"""Invented maps of any size, for the map's benchmark and its tests: plausible, and the same each time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dashboard.analytics.communities.inputs import Channels, QualityReport
from dashboard.analytics.communities.model import (
    ISOLATE,
    LabelFact,
    MapCommunity,
    MapEdges,
    MapNodes,
    MapParams,
    MapRun,
    MapStatistics,
)

_LABELS = (
    ("Just Chatting (Spanish)", "Just Chatting", "es"),
    ("League of Legends (German)", "League of Legends", "de"),
    ("Grand Theft Auto V (French)", "Grand Theft Auto V", "fr"),
    ("VALORANT (English)", "VALORANT", "en"),
    ("Minecraft (English)", "Minecraft", "en"),
    ("Speedruns", "Hollow Knight", "en"),
    ("Music (Portuguese)", "Music", "pt"),
    ("Chess", "Chess", "en"),
    ("VTubers (Japanese)", "Just Chatting", "ja"),
    ("Counter-Strike (Russian)", "Counter-Strike", "ru"),
    ("World of Warcraft", "World of Warcraft", "en"),
    ("Art", "Art", "en"),
    ("Just Chatting (Korean)", "Just Chatting", "ko"),
    ("Dead by Daylight (Italian)", "Dead by Daylight", "it"),
    ("Software · tech", "Software and Game Development", "en"),
    ("Apex Legends", "Apex Legends", "en"),
    ("Poker", "Poker", "en"),
    ("Football (Turkish)", "EA Sports FC", "tr"),
    ("Simulators", "Euro Truck Simulator 2", "de"),
    ("Just Chatting (Polish) · IRL", "Just Chatting", "pl"),
)
_FRONT = (
    "moth",
    "quiet",
    "lantern",
    "pixel",
    "dust",
    "ash",
    "fox",
    "river",
    "ember",
    "oak",
    "frost",
    "night",
)
_BACK = ("light", "fish", "herb", "mote", "grove", "wren", "bloom", "stone", "byte", "song", "tide", "lark")
RUN_AT = 1_790_000_000_000_000


def map_run(n_channels: int = 320, n_drawn: int = 1_400, *, n_communities: int = 14, seed: int = 1) -> MapRun:
    """A finished analysis that nobody ran.

    Args:
        n_channels: Channels, a few of them isolates.
        n_drawn: Edges drawn; as many again lie above the threshold and are not.
        n_communities: Communities.
        seed: Of the invention.

    Returns:
        A run as the analysis gives it.
    """
    random = np.random.default_rng(seed)
    chatters = np.sort((40 * (random.pareto(1.15, n_channels) + 1)).astype(np.int64).clip(40, 60_000))[::-1]
    share = random.dirichlet(np.full(n_communities, 2.5))
    community = random.choice(n_communities, n_channels, p=share).astype(np.int64)
    community[: min(n_communities, n_channels)] = np.arange(min(n_communities, n_channels))
    isolates = random.random(n_channels) < 0.02
    isolates[: n_communities * 3] = False
    community[isolates] = ISOLATE
    x, y, radius, places = _placed(chatters, community, n_communities)
    edges = _edges(random, chatters, community, n_drawn)
    torn = np.where(random.random(n_channels) < 0.04, (community + 1) % n_communities, ISOLATE)
    torn[community == ISOLATE] = ISOLATE
    stability = np.where(torn >= 0, random.uniform(0.4, 0.8, n_channels), random.uniform(0.82, 1, n_channels))
    stability[community == ISOLATE] = np.nan
    degree = np.bincount(np.concatenate([edges.source, edges.target]), minlength=n_channels)
    nodes = MapNodes(
        channels=_channels(random, chatters, community),
        x=x,
        y=y,
        radius=radius,
        community=community,
        stability=stability,
        torn=torn,
        torn_share=np.where(torn >= 0, 1 - stability, 0.0),
        content=("gaming",) * n_channels,
        degree=degree.astype(np.int64),
        strength=degree * 0.02,
        inside_share=np.where(community >= 0, random.uniform(0.5, 0.95, n_channels), np.nan),
    )
    communities = tuple(
        _community(number, places[number], nodes, chatters) for number in range(n_communities)
    )
    return MapRun(
        run_id=f"run-{seed}",
        created_at=RUN_AT + seed * 86_400_000_000,
        seed=seed,
        params=MapParams(measure="jaccard", min_shared=3, resolution=1.0, min_community_size=2),
        nodes=nodes,
        edges=edges,
        communities=communities,
        statistics=_statistics(nodes, edges, n_communities),
        quality=_quality(nodes, chatters),
    )


def _placed(
    chatters: np.ndarray, community: np.ndarray, n_communities: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[tuple[float, float, float]]]:
    """Communities on a spiral, channels in sunflowers around their middles, the largest inmost."""
    n = len(chatters)
    unit = 1000 / math.sqrt(n) * 0.62
    radius = np.sqrt(chatters / chatters.mean()) * unit * 0.34
    radius = radius.clip(unit * 0.12, unit * 2.4)
    x, y = np.zeros(n), np.zeros(n)
    extents = [
        math.sqrt(float(((radius[community == number] + unit * 0.25) ** 2).sum()) * 1.5) + unit
        for number in range(n_communities)
    ]
    places: list[tuple[float, float, float]] = []
    for number, extent in enumerate(extents):
        angle, away = 0.0, 0.0
        while any(
            math.hypot(away * math.cos(angle) - px, away * math.sin(angle) - py) < extent + pr + unit
            for px, py, pr in places
        ):
            angle, away = angle + 0.35, away + unit * 0.25
        places.append((away * math.cos(angle), away * math.sin(angle), extent))
        inside = np.flatnonzero(community == number)
        area = np.cumsum((radius[inside] + unit * 0.25) ** 2) * 1.45
        spread = np.sqrt(area) - radius[inside] * 0.6
        turn = np.arange(len(inside)) * 2.399963
        spread[:1] = 0
        x[inside] = places[-1][0] + spread * np.cos(turn)
        y[inside] = places[-1][1] + spread * np.sin(turn)
    outer = max(math.hypot(px, py) + pr for px, py, pr in places)
    alone = np.flatnonzero(community == ISOLATE)
    turn = np.arange(len(alone)) * 2 * math.pi / max(1, len(alone))
    x[alone], y[alone] = (outer + 30) * np.cos(turn), (outer + 30) * np.sin(turn)
    return x, y, radius, places


def _edges(
    random: np.random.Generator, chatters: np.ndarray, community: np.ndarray, n_drawn: int
) -> MapEdges:
    """Mostly inside communities, large channels more often; the first half is the backbone."""
    n, wanted = len(chatters), 2 * n_drawn
    weight = np.sqrt(chatters) * (community >= 0)
    found: dict[tuple[int, int], None] = {}
    members = {number: np.flatnonzero(community == number) for number in range(int(community.max()) + 1)}
    chance = {number: weight[inside] / weight[inside].sum() for number, inside in members.items()}
    for _ in range(12):
        first = random.choice(n, wanted, p=weight / weight.sum())
        second = random.choice(n, wanted, p=weight / weight.sum())
        for number, inside in members.items():
            mine = np.flatnonzero((community[first] == number) & (random.random(wanted) < 0.86))
            second[mine] = random.choice(inside, len(mine), p=chance[number])
        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            if a != b and len(found) < wanted:
                found[min(a, b), max(a, b)] = None
        if len(found) >= wanted:
            break
    pairs = np.array(list(found), dtype=np.int64)
    least = np.minimum(chatters[pairs[:, 0]], chatters[pairs[:, 1]])
    is_inside = community[pairs[:, 0]] == community[pairs[:, 1]]
    share = random.beta(1.4, 9, len(pairs)) * np.where(is_inside, 1, 0.35)
    shared = np.maximum(3, np.round(least * share)).astype(np.float64)
    union = chatters[pairs[:, 0]] + chatters[pairs[:, 1]] - shared
    order = np.argsort(-shared / union, kind="stable")
    pairs, shared, union = pairs[order], shared[order], union[order]
    drawn = np.arange(len(pairs)) < n_drawn
    return MapEdges(
        source=pairs[:, 0],
        target=pairs[:, 1],
        shared=shared,
        jaccard=shared / union,
        containment_ab=shared / chatters[pairs[:, 0]],
        containment_ba=shared / chatters[pairs[:, 1]],
        lift=shared * chatters.sum() / (chatters[pairs[:, 0]] * chatters[pairs[:, 1]]),
        p_value=np.where(drawn, 0.001, 0.4),
        in_backbone=drawn,
        is_drawn=drawn,
    )


def _channels(random: np.random.Generator, chatters: np.ndarray, community: np.ndarray) -> Channels:
    names = []
    for number in range(len(chatters)):
        front, rest = _FRONT[number % 12], number // 12
        more = rest // 12
        names.append(f"{front}{_BACK[(rest + number) % 12]}{more if more else ''}")
    facts = [_LABELS[value % len(_LABELS)] if value >= 0 else ("", "", "") for value in community.tolist()]
    return Channels(
        ids=tuple(str(1000 + number) for number in range(len(names))),
        logins=tuple(names),
        names=tuple(name.capitalize() for name in names),
        games=tuple(fact[1] for fact in facts),
        languages=tuple(fact[2] for fact in facts),
        tags=((),) * len(names),
        viewers=(chatters * random.uniform(2, 6, len(names))).astype(np.int64),
        observed_minutes=np.full(len(names), 60, dtype=np.int64),
        chatters=chatters,
    )


def _community(
    number: int, place: tuple[float, float, float], nodes: MapNodes, chatters: np.ndarray
) -> MapCommunity:
    inside = np.flatnonzero(nodes.community == number)
    base, game, language = _LABELS[number % len(_LABELS)]
    label = base if number < len(_LABELS) else f"{base} {number // len(_LABELS) + 1}"
    return MapCommunity(
        key=f"c{number}",
        label=label,
        own_label=label,
        is_renamed=False,
        evidence=(
            LabelFact("game", game, 0.71, 0.08, 8.9, int(len(inside) * 0.7), True),
            LabelFact("language", language, 0.93, 0.2, 4.6, int(len(inside) * 0.9), "(" in label),
        ),
        size=len(inside),
        chatters=int(chatters[inside].sum()),
        colour=(number * 5) % 12,
        internal_weight=8.0,
        external_weight=2.0,
        coherence=0.8,
        stability=float(np.nanmean(nodes.stability[inside])),
        x=place[0],
        y=place[1],
        radius=place[2],
        top_channels=nodes.channels.logins[:3],
    )


def _statistics(nodes: MapNodes, edges: MapEdges, n_communities: int) -> MapStatistics:
    return MapStatistics(
        modularity=0.71,
        other_algorithm="louvain",
        other_modularity=0.7,
        other_communities=n_communities + 1,
        agreement=0.93,
        seeds=20,
        seed_agreement_mean=0.95,
        seed_agreement_min=0.88,
        stability=float(np.nanmean(nodes.stability)),
        n_channels=len(nodes),
        n_communities=n_communities,
        n_isolates=int((nodes.community == ISOLATE).sum()),
        n_overlaps=4 * len(edges),
        n_edges=len(edges),
        n_backbone=int(edges.in_backbone.sum()),
        n_drawn=int(edges.is_drawn.sum()),
        edges_dropped=0,
        density=2 * len(edges) / (len(nodes) * (len(nodes) - 1)),
        is_enough=True,
    )


def _quality(nodes: MapNodes, chatters: np.ndarray) -> QualityReport:
    return QualityReport(
        seen_as="speakers",
        has_chatters=True,
        n_channels=len(nodes),
        n_chatters=int(chatters.sum() * 0.7),
        n_pairs=int(chatters.sum()),
        observed_hours=float(len(nodes)),
        least_observed_minutes=12.0,
        median_observed_minutes=60.0,
        most_observed_minutes=240.0,
        chatters_average=float(chatters.mean()),
        chatters_median=float(np.median(chatters)),
        chatters_max=int(chatters.max()),
        chatters_min=int(chatters.min()),
        one_channel_share=0.78,
        two_channels_share=0.22,
        three_channels_share=0.08,
        one_off_share=0.55,
        repeat_share=0.45,
        frequent_share=0.2,
        from_at=RUN_AT - 86_400_000_000,
        until_at=RUN_AT,
        sources=(f"survey: {len(nodes)} rooms",),
        left_out=(("services", 9), ("lurkers", 34)),
        channel_minutes=tuple((login, 60) for login in nodes.channels.logins),
    )


def renamed(run: MapRun, number: int, label: str) -> MapRun:
    """The same run with one community under a name given by a person."""
    communities = list(run.communities)
    communities[number] = replace(communities[number], label=label, is_renamed=True)
    return replace(run, communities=tuple(communities))
