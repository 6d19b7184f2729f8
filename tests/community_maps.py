"""A small finished map with everything that can be unknown, for the tests of storage and files."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from dashboard.analytics.communities.inputs import Channels, Mended, QualityReport
from dashboard.analytics.communities.model import (
    LabelFact,
    MapChanges,
    MapCommunity,
    MapEdges,
    MapNodes,
    MapRun,
    MapStatistics,
    Migration,
)
from dashboard.analytics.communities.params import MapParams

NAN = float("nan")
AT = 1_800_000_000_000_000


def small_map(run_id: str = "run1", *, at: int = AT, changes: MapChanges | None = None) -> MapRun:
    """Five channels in two communities and an isolate; five overlaps, one of them not drawn."""
    channels = Channels(
        ids=("11", "12", "13", "14", "15"),
        logins=("alpha", "beta", "gamma", "delta", "lone"),
        names=("Alpha", "Бета & <Co>", "감마", 'De"lta', "Lone"),
        games=("Chess", "Chess", "Just Chatting", "", "Art"),
        languages=("en", "en", "de", "de", ""),
        tags=(("chill", "a|b"), (), ("deutsch",), (), ()),
        viewers=np.array([500, 400, 300, -1, 2]),
        observed_minutes=np.array([600, 600, 480, 60, -1]),
        chatters=np.array([900, 800, 700, 600, 5]),
    )
    nodes = MapNodes(
        channels=channels,
        x=np.array([-10.5, -20.25, 30.0, 40.125, 0.1 + 0.2]),
        y=np.array([1.0, 2.0, -3.0, -4.0, 1e-9]),
        radius=np.array([9.0, 8.0, 7.0, 6.0, 1.0]),
        community=np.array([0, 0, 1, 1, -1]),
        stability=np.array([1.0, 0.95, 0.9, 0.55, NAN]),
        torn=np.array([-1, -1, -1, 0, -1]),
        torn_share=np.array([0.0, 0.0, 0.0, 0.45, 0.0]),
        content=("gaming", "gaming", "just chatting", "", "creative"),
        degree=np.array([3, 2, 2, 2, 0]),
        strength=np.array([0.5, 0.4, 0.3, 1 / 3, 0.0]),
        inside_share=np.array([0.9, 1.0, 0.8, 0.7, NAN]),
    )
    edges = MapEdges(
        source=np.array([0, 2, 0, 0, 1]),
        target=np.array([1, 3, 2, 3, 3]),
        shared=np.array([300.0, 200.0, 40.0, 12.0, 4.0]),
        jaccard=np.array([0.2142857142857143, 0.18, 0.025, 0.008, NAN]),
        containment_ab=np.array([1 / 3, 0.28, 0.04, 0.01, NAN]),
        containment_ba=np.array([0.375, 0.33, 0.05, 0.02, NAN]),
        lift=np.array([4.5, 5.25, 0.5, 0.25, NAN]),
        p_value=np.array([1e-12, 0.001, 0.2, NAN, NAN]),
        in_backbone=np.array([True, True, True, False, False]),
        is_drawn=np.array([True, True, True, True, False]),
    )
    facts = (
        LabelFact("game", "Chess", 1.0, 0.5, 2.0, 2, True),
        LabelFact("largest", "alpha", 0.5, 0.3, NAN, 1, False),
    )
    communities = (
        MapCommunity(
            "k1", "Chess", "Chess", False, facts, 2, 1700, 0, 0.5, 0.1, 0.83, 0.975, -15.0, 1.5, 12.0,
            "kept", ("alpha", "beta"),
        ),
        MapCommunity(
            "k2", "Just Chatting (German)", "Just Chatting (German)", False, (), 2, 1300, 5, 0.4, 0.1, 0.8,
            0.725, 35.0, -3.5, 11.0, "born", ("gamma", "delta"),
        ),
    )  # fmt: skip
    return MapRun(
        run_id=run_id,
        created_at=at,
        seed=3,
        params=MapParams(measure="jaccard", games=("Chess", "Art"), min_shared=4, resolution=1.5),
        nodes=nodes,
        edges=edges,
        communities=communities,
        statistics=_statistics(),
        quality=_quality(at),
        changes=changes,
    )


def changes_from(previous: str) -> MapChanges:
    """What is different from a run before."""
    return MapChanges(
        previous, ("k1",), ("k2",), (("k0", "Old"),), (("k9", ("k1", "k2")),), ((("k7", "k8"), "k1"),),
        (Migration("14", "delta", "k1", "Chess", "k2", "Just Chatting (German)"),), ("lone",),
        ("gone", "left"),
    )  # fmt: skip


def _statistics() -> MapStatistics:
    told: dict[str, Any] = {
        "modularity": 0.41,
        "other_algorithm": "louvain",
        "other_modularity": 0.4,
        "other_communities": 2,
        "agreement": 1.0,
        "seeds": 20,
        "seed_agreement_mean": 0.98,
        "seed_agreement_min": 0.9,
        "stability": 0.85,
        "n_channels": 5,
        "n_communities": 2,
        "n_isolates": 1,
        "n_overlaps": 7,
        "n_edges": 5,
        "n_backbone": 3,
        "n_drawn": 4,
        "edges_dropped": 0,
        "density": 0.5,
        "is_enough": True,
        "seconds": (("aggregate", 0.1), ("layout", 0.2)),
    }
    return MapStatistics(**told)


def _quality(at: int) -> QualityReport:
    return QualityReport(
        seen_as="speakers",
        has_chatters=True,
        n_channels=5,
        n_chatters=2400,
        n_pairs=3005,
        observed_hours=29.0,
        least_observed_minutes=60,
        median_observed_minutes=540,
        most_observed_minutes=600,
        chatters_average=601.0,
        chatters_median=700.0,
        chatters_max=900,
        chatters_min=5,
        one_channel_share=0.8,
        two_channels_share=0.2,
        three_channels_share=0.05,
        one_off_share=NAN,
        repeat_share=NAN,
        frequent_share=NAN,
        from_at=at - 86_400_000_000,
        until_at=at,
        sources=("survey: 5 channels",),
        left_out=(("services", 3), ("lurkers", 12)),
        mended=Mended(case_duplicates=2),
        channel_minutes=(("alpha", 600), ("lone", -1)),
    )


def same(one: Any, two: Any) -> bool:
    """Whether two values are equal through and through, NaN beside NaN too."""
    if isinstance(one, np.ndarray):
        return (
            isinstance(two, np.ndarray)
            and one.dtype.kind == two.dtype.kind
            and bool(np.array_equal(one, two, equal_nan=one.dtype.kind == "f"))
        )
    if is_dataclass(one):
        return type(one) is type(two) and all(
            same(getattr(one, field.name), getattr(two, field.name)) for field in fields(one)
        )
    if isinstance(one, tuple):
        return isinstance(two, tuple) and len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, float) and one != one:
        return isinstance(two, float) and two != two
    return bool(one == two)
