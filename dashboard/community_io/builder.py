"""Puts together what a file told: one node a channel, one edge a pair, and what had to be mended."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from dashboard.analytics.communities.inputs import UNKNOWN, Channels, EdgeList, Mended

_LOGIN: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
_NUMBER: Final = re.compile(r"-?\d+(\.0+)?")


@dataclass(slots=True)
class RawNode:
    """A channel as a file told it; what it did not tell is empty or UNKNOWN."""

    node_id: str
    label: str = ""
    login: str = ""
    """Where a file tells it beside the label."""
    chatters: int = UNKNOWN
    community: str = ""
    game: str = ""
    language: str = ""
    viewers: int = UNKNOWN
    minutes: int = UNKNOWN
    tags: tuple[str, ...] = ()
    x: float | None = None
    y: float | None = None
    has_row: bool = True

    @property
    def key(self) -> str:
        """Which channel it is: the login in lower case, where one can be told.

        A label that can be a login is one; where labels are display names, an id that can be a login is.
        """
        if self.login:
            return self.login.lower()
        if _LOGIN.fullmatch(self.label) and not (_NUMBER.fullmatch(self.label) and self.id_is_name):
            return self.label.lower()
        if self.id_is_name:
            return self.node_id.lower()
        return (self.label or self.node_id).lower()

    @property
    def id_is_name(self) -> bool:
        """Whether the id could be a login and is no number."""
        return bool(_LOGIN.fullmatch(self.node_id)) and not _NUMBER.fullmatch(self.node_id)


@dataclass(slots=True)
class GraphBuilder:
    """Takes nodes and edges in any order."""

    nodes: dict[str, RawNode] = field(default_factory=dict)
    edges: list[tuple[str, str, float]] = field(default_factory=list)
    bad_weights: int = 0
    has_node_table: bool = False
    _repeats: list[RawNode] = field(default_factory=list)

    def add_node(self, node: RawNode) -> None:
        """Takes a node; the same id again is one more row of the same channel."""
        if node.node_id in self.nodes:
            self._repeats.append(node)
        else:
            self.nodes[node.node_id] = node

    def add_edge(self, source: str, target: str, weight: float | None) -> None:
        """Takes an edge by the ids (or names) of its ends; None is a weight that is no number."""
        if weight is None or weight <= 0:
            self.bad_weights += 1
        else:
            self.edges.append((source, target, weight))

    def build(self, *, is_count: bool, sources: Iterable[str]) -> EdgeList:
        """The map: channels by login, pairs with the greater index last.

        Args:
            is_count: Whether weights can be numbers of people; they are only if all are whole.
            sources: Where it is from, in words.

        Returns:
            The same for the same rows in any order.
        """
        self._set_ambiguous_labels_right()
        keys, missing = self._keys()
        merged = self._merged()
        order = {key: index for index, key in enumerate(sorted(merged))}
        nodes = [merged[key] for key in order]
        best: dict[tuple[int, int], float] = {}
        loops = repeated = 0
        for source, target, weight in self.edges:
            one, two = order[keys[source]], order[keys[target]]
            if one == two:
                loops += 1
                continue
            pair = (one, two) if one < two else (two, one)
            repeated += pair in best
            best[pair] = max(weight, best.get(pair, 0.0))
        pairs = sorted(best)
        weights = np.array([best[pair] for pair in pairs], dtype=np.float64)
        has_counts = is_count and bool(len(weights)) and bool((weights == np.floor(weights)).all())
        total = len(self.nodes) + len(self._repeats)
        return EdgeList(
            channels=_channels(list(order), nodes),
            source=np.array([pair[0] for pair in pairs], dtype=np.int64),
            target=np.array([pair[1] for pair in pairs], dtype=np.int64),
            shared=weights,
            is_count=has_counts and float(weights.max()) > 1,
            mended=Mended(
                case_duplicates=total - len(nodes),
                self_loops=loops,
                repeated_edges=repeated,
                bad_weights=self.bad_weights,
                nodes_without_row=missing if self.has_node_table else 0,
            ),
            sources=tuple(sources),
            x=_positions([node.x for node in nodes]),
            y=_positions([node.y for node in nodes]),
            published=tuple(n.community for n in nodes) if any(n.community for n in nodes) else None,
        )

    def _set_ambiguous_labels_right(self) -> None:
        """Labels that several ids share ("streamer") name nobody: there the ids do."""
        ids: dict[str, set[str]] = {}
        for node in self.nodes.values():
            ids.setdefault(node.label.lower(), set()).add(node.node_id.lower())
        for node in self.nodes.values():
            if node.id_is_name and not node.login and len(ids[node.label.lower()]) > 1:
                node.label = node.node_id

    def _keys(self) -> tuple[dict[str, str], int]:
        """The key of the channel behind each end of an edge; ends without a row become nodes."""
        by_text: dict[str, str] = {}
        for node in self.nodes.values():
            for text in (node.node_id, node.login, node.label):
                if text:
                    by_text.setdefault(text.lower(), node.key)
        keys: dict[str, str] = {}
        missing = set()
        for end in dict.fromkeys(end for edge in self.edges for end in edge[:2]):
            known = self.nodes.get(end)
            whole = end.partition(".")[0] if _NUMBER.fullmatch(end) else end
            key = known.key if known else by_text.get(end.lower(), by_text.get(whole.lower()))
            if key is None:
                key = end.lower()
                missing.add(key)
                self.nodes[end] = RawNode(end, has_row=False)
            keys[end] = key
        return keys, len(missing)

    def _merged(self) -> dict[str, RawNode]:
        groups: dict[str, list[RawNode]] = {}
        for node in (*self.nodes.values(), *self._repeats):
            groups.setdefault(node.key, []).append(node)
        return {key: _merge(group) for key, group in groups.items()}


def _merge(group: list[RawNode]) -> RawNode:
    """One of several spellings: the largest tells what it knows, the others fill what it does not."""
    group = sorted(group, key=lambda node: (-node.chatters, node.label or node.node_id, node.community))
    best = group[0]
    for other in group[1:]:
        for name in ("community", "game", "language", "tags"):
            if not getattr(best, name):
                setattr(best, name, getattr(other, name))
        best.viewers, best.minutes = max(best.viewers, other.viewers), max(best.minutes, other.minutes)
        if best.x is None or best.y is None:
            best.x, best.y = other.x, other.y
    return best


def _channels(keys: list[str], nodes: list[RawNode]) -> Channels:
    return Channels(
        ids=tuple(keys),
        logins=tuple(keys),
        names=tuple(_shown(node) for node in nodes),
        games=tuple(node.game for node in nodes),
        languages=tuple(node.language for node in nodes),
        tags=tuple(node.tags for node in nodes),
        viewers=np.array([node.viewers for node in nodes], dtype=np.int64),
        observed_minutes=np.array([node.minutes for node in nodes], dtype=np.int64),
        chatters=np.array([node.chatters for node in nodes], dtype=np.int64),
    )


def _shown(node: RawNode) -> str:
    return node.label or node.login or node.node_id


def _positions(values: list[float | None]) -> np.ndarray | None:
    if not values or any(value is None for value in values):
        return None
    return np.array(values, dtype=np.float64)
