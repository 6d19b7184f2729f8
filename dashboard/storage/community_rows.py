"""A map as rows of the lake, and rows of the lake as a map: nothing gets lost on the way."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd

from dashboard.analytics.communities.inputs import UNKNOWN, Channels, QualityReport
from dashboard.analytics.communities.model import (
    ISOLATE,
    MapChanges,
    MapCommunity,
    MapEdges,
    MapNodes,
    MapRun,
    MapStatistics,
)
from dashboard.analytics.communities.params import params_from_dict
from dashboard.community_io.plain import from_json, from_plain, to_json
from dashboard.events import Event, Instant
from dashboard.events_communities import CommunityEdge, CommunityNode, CommunityRun

_SOURCE = "analysis"


def rows_of(run: MapRun, *, origin: str, preset: str, now: Instant) -> tuple[list[Event], CommunityRun]:
    """The rows of a map, and the one that closes it and is written last."""
    common: Any = {"source": _SOURCE, "room_login": "", "sent_at": run.created_at, "received_at": now}
    return [*_nodes(run, common), *_edges(run, common)], _closing(run, origin, preset, common)


def _closing(run: MapRun, origin: str, preset: str, common: Any) -> CommunityRun:
    statistics, quality = run.statistics, run.quality
    return CommunityRun(
        event_id=f"x-{run.run_id}",
        run_id=run.run_id,
        seed=run.seed,
        origin=origin,
        preset=preset or None,
        channel_count=len(run.nodes),
        edge_count=len(run.edges),
        community_count=len(run.communities),
        isolate_count=statistics.n_isolates,
        chatter_count=quality.n_chatters if quality.has_chatters else None,
        seen_as=quality.seen_as,
        observed_hours=_told(quality.observed_hours),
        from_at=Instant(quality.from_at) if quality.from_at else None,
        until_at=Instant(quality.until_at) if quality.until_at else None,
        modularity=_told(statistics.modularity),
        agreement=_told(statistics.agreement),
        stability=_told(statistics.stability),
        previous_run_id=run.changes.previous_run_id if run.changes else None,
        params=to_json(run.params.as_dict()),
        communities=to_json(run.communities),
        statistics=to_json(statistics),
        quality=to_json(quality),
        changes=to_json(run.changes) if run.changes else None,
        **common,
    )


def _nodes(run: MapRun, common: Any) -> list[Event]:
    nodes, channels = run.nodes, run.nodes.channels
    labels = [(community.key, community.label) for community in run.communities]
    rows: list[Event] = []
    for place, (channel_id, community, torn) in enumerate(
        zip(channels.ids, nodes.community.tolist(), nodes.torn.tolist(), strict=True)
    ):
        key, label = labels[community] if community != ISOLATE else (None, None)
        rows.append(
            CommunityNode(
                event_id=f"x-{run.run_id}-n{place}",
                run_id=run.run_id,
                place=place,
                channel_id=channel_id,
                channel_login=channels.logins[place],
                channel_name=channels.names[place],
                x=float(nodes.x[place]),
                y=float(nodes.y[place]),
                radius=float(nodes.radius[place]),
                community=community if community != ISOLATE else None,
                community_key=key,
                community_label=label,
                stability=_told(nodes.stability[place]),
                torn=torn if torn != ISOLATE else None,
                torn_share=_told(nodes.torn_share[place]),
                game=channels.games[place] or None,
                language=channels.languages[place] or None,
                content=nodes.content[place] or None,
                tags=to_json(channels.tags[place]) if channels.tags[place] else None,
                viewers=_known(channels.viewers[place]),
                observed_minutes=_known(channels.observed_minutes[place]),
                chatters=_known(channels.chatters[place]),
                degree=int(nodes.degree[place]),
                strength=_told(nodes.strength[place]),
                inside_share=_told(nodes.inside_share[place]),
                **common,
            )
        )
    return rows


def _edges(run: MapRun, common: Any) -> list[Event]:
    edges, logins = run.edges, run.nodes.channels.logins
    columns = zip(
        edges.source.tolist(),
        edges.target.tolist(),
        *(
            column.tolist()
            for column in (
                edges.shared,
                edges.jaccard,
                edges.containment_ab,
                edges.containment_ba,
                edges.lift,
                edges.p_value,
                edges.in_backbone,
                edges.is_drawn,
            )
        ),
        strict=True,
    )
    return [
        CommunityEdge(
            event_id=f"x-{run.run_id}-e{place}",
            run_id=run.run_id,
            place=place,
            source_place=source,
            target_place=target,
            source_login=logins[source],
            target_login=logins[target],
            shared=_told(shared),
            jaccard=_told(jaccard),
            containment_ab=_told(ab),
            containment_ba=_told(ba),
            lift=_told(lift),
            p_value=_told(p_value),
            in_backbone=in_backbone,
            is_drawn=is_drawn,
            **common,
        )
        for place, (
            source,
            target,
            shared,
            jaccard,
            ab,
            ba,
            lift,
            p_value,
            in_backbone,
            is_drawn,
        ) in enumerate(columns)
    ]


def run_of(run_id: str, row: Any, nodes: pd.DataFrame, edges: pd.DataFrame) -> MapRun:
    """The map that :func:`rows_of` was given."""
    communities = from_plain(tuple[MapCommunity, ...], json.loads(row.communities))
    return MapRun(
        run_id=run_id,
        created_at=int(row.created_us),
        seed=int(row.seed),
        params=params_from_dict(json.loads(row.params)),
        nodes=_nodes_of(nodes),
        edges=_edges_of(edges),
        communities=communities,
        statistics=from_json(MapStatistics, row.statistics),
        quality=from_json(QualityReport, row.quality),
        changes=from_json(MapChanges, row.changes) if isinstance(row.changes, str) else None,
    )


def _nodes_of(frame: pd.DataFrame) -> MapNodes:
    channels = Channels(
        ids=_words(frame["channel_id"]),
        logins=_words(frame["channel_login"]),
        names=_words(frame["channel_name"]),
        games=_words(frame["game"]),
        languages=_words(frame["language"]),
        tags=tuple(tuple(json.loads(text)) if text else () for text in _words(frame["tags"])),
        viewers=_ints(frame["viewers"], UNKNOWN),
        observed_minutes=_ints(frame["observed_minutes"], UNKNOWN),
        chatters=_ints(frame["chatters"], UNKNOWN),
    )
    return MapNodes(
        channels=channels,
        x=_floats(frame["x"]),
        y=_floats(frame["y"]),
        radius=_floats(frame["radius"]),
        community=_ints(frame["community"], ISOLATE),
        stability=_floats(frame["stability"]),
        torn=_ints(frame["torn"], ISOLATE),
        torn_share=_floats(frame["torn_share"]),
        content=_words(frame["content"]),
        degree=_ints(frame["degree"], 0),
        strength=_floats(frame["strength"]),
        inside_share=_floats(frame["inside_share"]),
    )


def _edges_of(frame: pd.DataFrame) -> MapEdges:
    return MapEdges(
        source=_ints(frame["source_place"], 0),
        target=_ints(frame["target_place"], 0),
        shared=_floats(frame["shared"]),
        jaccard=_floats(frame["jaccard"]),
        containment_ab=_floats(frame["containment_ab"]),
        containment_ba=_floats(frame["containment_ba"]),
        lift=_floats(frame["lift"]),
        p_value=_floats(frame["p_value"]),
        in_backbone=frame["in_backbone"].to_numpy(dtype=bool),
        is_drawn=frame["is_drawn"].to_numpy(dtype=bool),
    )


def _words(column: pd.Series) -> tuple[str, ...]:
    return tuple(column.fillna("").astype(str).tolist())


def _ints(column: pd.Series, missing: int) -> np.ndarray:
    return np.asarray(column.fillna(missing).to_numpy(dtype=np.int64))


def _floats(column: pd.Series) -> np.ndarray:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _told(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _known(value: int) -> int | None:
    return int(value) if value != UNKNOWN else None
