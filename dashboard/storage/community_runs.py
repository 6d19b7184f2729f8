"""The analyses of the community map that are kept: written whole, listed, and loaded as they were."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import pandas as pd

from dashboard.analytics.communities.model import MapRun
from dashboard.events import Instant, now_us
from dashboard.storage.community_rows import rows_of, run_of
from dashboard.storage.ingest import Ingest
from dashboard.storage.store import Store

Origin = Literal["lake", "import"]
KINDS: Final = ("community_runs", "community_nodes", "community_edges")
"""Whose watermark changes when there is a new run."""
_MOST_LISTED: Final = 500
_CHUNK: Final = 20_000


@dataclass(frozen=True, slots=True)
class RunCommunity:
    """A community of a run, as far as a list of runs tells it."""

    key: str
    label: str
    """With the name that somebody gave it."""
    size: int
    chatters: int
    colour: int
    fate: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """One analysis in a list, newest first."""

    run_id: str
    created_at: Instant
    origin: Origin
    preset: str
    seed: int
    n_channels: int
    n_edges: int
    n_communities: int
    n_isolates: int
    n_chatters: int | None
    """None where only overlaps were imported."""
    seen_as: str
    observed_hours: float | None
    from_at: Instant | None
    until_at: Instant | None
    modularity: float | None
    agreement: float | None
    stability: float | None
    previous_run_id: str
    sources: tuple[str, ...]
    communities: tuple[RunCommunity, ...]


@dataclass(frozen=True, slots=True)
class ChannelPast:
    """One channel in one analysis."""

    run_id: str
    created_at: Instant
    chatters: int | None
    community_key: str
    """Empty where it belonged to none."""
    community_label: str
    stability: float | None
    degree: int


class CommunityRuns:
    """Reads the kept analyses.

    Args:
        store: The lake.

    Raises (all calls):
        QueryError: The lake could not answer.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def watermark(self) -> int:
        """Changes when there is a new run: a key for caches."""
        return self._store.watermark(KINDS)

    def listed(
        self,
        origin: Origin | None = None,
        *,
        names: Mapping[str, str] | None = None,
        most: int = _MOST_LISTED,
    ) -> list[RunLine]:
        """The analyses, the newest first.

        Args:
            origin: Only from the lake, or only imported ones.
            names: Given names of communities by key, put in place of their own labels.
            most: At most so many.
        """
        frame = self._store.query("community_runs_listed", origin=origin or "", most=most)
        return [_line(row, names or {}) for row in frame.itertuples()]

    def newest(self, origin: Origin | None = None) -> RunLine | None:
        """The newest analysis; None when there is none."""
        found = self.listed(origin, most=1)
        return found[0] if found else None

    def load(self, run_id: str, *, names: Mapping[str, str] | None = None) -> MapRun | None:
        """An analysis as it was, under the names that people gave its communities since.

        Args:
            run_id: Which.
            names: Given names by the key of a community.

        Returns:
            The same values that were written; None when there is no such run, or when retention has
            taken its channels.
        """
        frame = self._store.query("community_run", run_id=run_id)
        if frame.empty:
            return None
        row: Any = next(frame.itertuples())
        at = Instant(int(row.created_us))
        window = (at, Instant(at + 1))
        nodes = self._store.query("community_run_nodes", window=window, run_id=run_id, created_at=at)
        edges = self._store.query("community_run_edges", window=window, run_id=run_id, created_at=at)
        if len(nodes) != row.channel_count or len(edges) != row.edge_count:
            return None
        return with_names(run_of(run_id, row, nodes, edges), names or {})

    def past_of(self, channel_id: str, *, names: Mapping[str, str] | None = None) -> list[ChannelPast]:
        """A channel in every analysis that has it, the oldest first."""
        rows: Any = self._store.query("community_channel_history", channel_id=channel_id).itertuples()
        return [
            ChannelPast(
                row.run_id,
                Instant(int(row.created_us)),
                _int(row.chatters),
                _word(row.community_key),
                (names or {}).get(_word(row.community_key), _word(row.community_label)),
                _float(row.stability),
                _int(row.degree) or 0,
            )
            for row in rows
        ]


def write_run(ingest: Ingest, run: MapRun, *, origin: Origin, preset: str = "") -> None:
    """Keeps an analysis: channels and overlaps first, and only when they are durable the row that closes it.

    Args:
        ingest: The way in.
        run: The analysis.
        origin: What it was made from.
        preset: The name of its settings.

    Raises:
        StorageError: The disk is full; a run that is not closed counts as none.
    """
    rows, closing = rows_of(run, origin=origin, preset=preset, now=now_us())
    for start in range(0, len(rows), _CHUNK):
        ingest.put(rows[start : start + _CHUNK])
    ingest.flush()
    ingest.put([closing])
    ingest.flush()


def with_names(run: MapRun, names: Mapping[str, str]) -> MapRun:
    """The same map with given names in place of the labels that games and languages made.

    Caveats:
        Labels stay unique: a label of its own that equals a given name gets its largest channel behind it.
    """
    if not names:
        return run
    given = {c.key: names[c.key] for c in run.communities if names.get(c.key)}
    taken = {name.lower() for name in given.values()}
    communities = []
    for community in run.communities:
        name = given.get(community.key)
        own = community.own_label
        if name is None and own.lower() in taken:
            own = f"{own} · {community.top_channels[0] if community.top_channels else community.key}"
        communities.append(replace(community, label=name or own, is_renamed=name is not None))
    return replace(run, communities=tuple(communities))


def _line(row: Any, names: Mapping[str, str]) -> RunLine:
    communities = tuple(
        RunCommunity(
            told["key"],
            names.get(told["key"]) or told["label"],
            told["size"],
            told["chatters"],
            told["colour"],
            told["fate"],
        )
        for told in json.loads(row.communities or "[]")
    )
    return RunLine(
        run_id=row.run_id,
        created_at=Instant(int(row.created_us)),
        origin=row.origin,
        preset=_word(row.preset),
        seed=int(row.seed),
        n_channels=int(row.channel_count),
        n_edges=int(row.edge_count),
        n_communities=int(row.community_count),
        n_isolates=_int(row.isolate_count) or 0,
        n_chatters=_int(row.chatter_count),
        seen_as=_word(row.seen_as),
        observed_hours=_float(row.observed_hours),
        from_at=_instant(row.from_us),
        until_at=_instant(row.until_us),
        modularity=_float(row.modularity),
        agreement=_float(row.agreement),
        stability=_float(row.stability),
        previous_run_id=_word(row.previous_run_id),
        sources=tuple(json.loads(row.sources)) if isinstance(row.sources, str) else (),
        communities=communities,
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _float(value: Any) -> float | None:
    return None if pd.isna(value) or not math.isfinite(value) else float(value)


def _int(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _instant(value: Any) -> Instant | None:
    return None if pd.isna(value) else Instant(int(value))
