"""A map in words: what it shows, from what, and how far it is to be believed."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from dashboard.analytics.communities.model import ISOLATE, MapRun

_SEEN_AS = {
    "speakers": "people who wrote",
    "connected": "people connected to the chats",
    "imported": "overlaps that others counted",
}


def statement(run: MapRun) -> str:
    """Who was counted, for how long: the sentence that stands beside every picture of a map."""
    quality = run.quality
    if not quality.has_chatters:
        return "From overlaps that others counted; who was counted and for how long is not known."
    who = f"{quality.n_chatters:,} {_SEEN_AS[quality.seen_as]}"
    if math.isfinite(quality.observed_hours) and quality.observed_hours > 0:
        return f"{who}, seen in {hours(quality.observed_hours)} of chat; not viewers."
    return f"{who}, seen at single moments; not viewers."


def figures(run: MapRun) -> str:
    """Size and quality of a map in one line."""
    told = run.statistics
    parts = [
        f"{len(run.nodes):,} channels",
        f"{len(run.communities):,} communities",
        f"{told.n_edges:,} overlaps",
        f"modularity {number(told.modularity)}",
        f"stability {percent(told.stability)}",
    ]
    return " · ".join(parts)


def when(run: MapRun) -> str:
    """The period, or when it was made where none is known."""
    quality = run.quality
    if quality.until_at:
        first, last = day(quality.from_at or quality.until_at), day(quality.until_at)
        return first if first == last else f"{first} to {last}"
    return f"made {day(run.created_at)}"


def day(at: int) -> str:
    """An instant's day in UTC."""
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d")


def moment(at: int) -> str:
    """An instant in ISO 8601, UTC."""
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def hours(value: float) -> str:
    """A length of time: 12 h, 1.5 h, 40 min."""
    if value >= 10:
        return f"{value:,.0f} h"
    return f"{value:.1f} h" if value >= 1 else f"{value * 60:.0f} min"


def number(value: float) -> str:
    """Two decimals, or a dash where it can't be told."""
    return f"{value:.2f}" if math.isfinite(value) else "–"


def percent(value: float) -> str:
    """A share in percent, or a dash where it can't be told."""
    return f"{value:.0%}" if math.isfinite(value) else "–"


def counted(count: int, name: str) -> str:
    """A number with what it counts: 1 lurker, 12 lurkers, 1 channel with too few chatters."""
    if count == 1:
        name = re.sub(r"(?<=[a-z])s\b", "", name, count=1)
    return f"{count:,} {name}"


def label_of(run: MapRun, node: int) -> str:
    """The label of a channel's community; empty where it belongs to none."""
    community = int(run.nodes.community[node])
    return run.communities[community].label if community != ISOLATE else ""
