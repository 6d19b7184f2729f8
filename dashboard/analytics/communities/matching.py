"""Which community of this run is which of the run before: kept, born, split, merged, and who moved."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.communities.inputs import Floats, Ints
from dashboard.analytics.communities.model import Fate, MapChanges, MapRun, Migration

SAME: Final = 0.25
"""Two communities can be the same when this share of the members of both together is common."""
PART: Final = 0.5
"""A community comes out of another when at least half its known members do."""
PIECE: Final = 0.2
"""… and is a piece of it when it holds at least a fifth of it, and two channels."""


@dataclass(frozen=True, slots=True)
class Match:
    """How this run's communities come out of those before."""

    keys: tuple[str, ...]
    fates: tuple[Fate, ...]
    before: tuple[int, ...]
    """For each community the index of the one it is in the run before, -1 where it is a new one."""
    splits: tuple[tuple[int, tuple[int, ...]], ...]
    """One before → several now."""
    merges: tuple[tuple[tuple[int, ...], int], ...]
    """Several before → one now."""


def match_communities(
    previous: MapRun | None, channel_ids: Sequence[str], membership: Ints, *, run_id: str
) -> Match:
    """Finds the communities of the run before again, by their members.

    Args:
        previous: The run before; ``None`` makes all communities new.
        channel_ids: The channels now.
        membership: Their communities now.
        run_id: Of this run: keys of communities that are born are made from it.
    """
    count = int(membership.max(initial=-1)) + 1
    own = tuple(_new_key(run_id, place) for place in range(count))
    if previous is None:
        fresh: list[Fate] = ["new" for _ in own]
        return Match(own, tuple(fresh), (-1,) * count, (), ())
    common = common_members(previous, channel_ids, membership)
    before = _assigned(common)
    splits, merges = _splits(common), _merges(common)
    keys = tuple(
        previous.communities[old].key if old >= 0 else own[place] for place, old in enumerate(before)
    )
    piece_of = {now for _, pieces in splits for now in pieces}
    merged = {now for _, now in merges}
    fates = tuple(_fate(place, old, merged, piece_of) for place, old in enumerate(before))
    return Match(keys, fates, before, splits, merges)


def common_members(previous: MapRun, channel_ids: Sequence[str], membership: Ints) -> Ints:
    """How many channels each community before (rows) and now (columns) have in common.

    The last row and column are the channels without a community or not on the map.
    """
    count = int(membership.max(initial=-1)) + 1
    old_count = len(previous.communities)
    old = dict(zip(previous.nodes.channels.ids, previous.nodes.community.tolist(), strict=True))
    common = np.zeros((old_count + 1, count + 1), dtype=np.int64)
    for channel, now in zip(channel_ids, membership.tolist(), strict=True):
        common[old.pop(channel, -1), now] += 1
    for gone in old.values():
        common[gone, -1] += 1
    return common


def changes_between(
    previous: MapRun, match: Match, labels: Sequence[str], ids: Sequence[str], logins: Sequence[str],
    membership: Ints,
) -> MapChanges:  # fmt: skip
    """What is different from the run before.

    Caveats:
        A channel that went along with its community into a split or a merge did not migrate.
    """
    found = {old for old in match.before if old >= 0}
    absorbed = {old for olds, _ in match.merges for old in olds}
    deaths = [
        (community.key, community.label)
        for place, community in enumerate(previous.communities)
        if place not in found and place not in absorbed
    ]
    before = set(previous.nodes.channels.ids)
    now = set(ids)
    left = zip(previous.nodes.channels.ids, previous.nodes.channels.logins, strict=True)
    return MapChanges(
        previous_run_id=previous.run_id,
        kept=tuple(k for k, old in zip(match.keys, match.before, strict=True) if old >= 0),
        births=tuple(k for k, fate in zip(match.keys, match.fates, strict=True) if fate == "born"),
        deaths=tuple(deaths),
        splits=tuple(
            (previous.communities[old].key, tuple(match.keys[piece] for piece in pieces))
            for old, pieces in match.splits
        ),
        merges=tuple(
            (tuple(previous.communities[old].key for old in olds), match.keys[one])
            for olds, one in match.merges
        ),
        migrations=_migrations(previous, match, labels, ids, logins, membership),
        channels_entered=tuple(login for key, login in zip(ids, logins, strict=True) if key not in before),
        channels_left=tuple(login for key, login in left if key not in now),
    )


def _migrations(
    previous: MapRun, match: Match, labels: Sequence[str], ids: Sequence[str], logins: Sequence[str],
    membership: Ints,
) -> tuple[Migration, ...]:  # fmt: skip
    went_along = {(old, piece) for old, pieces in match.splits for piece in pieces}
    went_along |= {(old, one) for olds, one in match.merges for old in olds}
    old_of = dict(zip(previous.nodes.channels.ids, previous.nodes.community.tolist(), strict=True))
    moved = []
    for key, login, now in zip(ids, logins, membership.tolist(), strict=True):
        old = old_of.get(key, -1)
        if old < 0 or now < 0 or match.before[now] == old or (old, now) in went_along:
            continue
        was = previous.communities[old]
        moved.append(Migration(key, login, was.key, was.label, match.keys[now], labels[now]))
    return tuple(moved)


def _assigned(common: Ints) -> tuple[int, ...]:
    """For each community now the one before that it is, one to one, by the members they have in common."""
    from scipy.optimize import linear_sum_assignment

    inner = common[:-1, :-1].astype(np.float64)
    if not inner.size:
        return (-1,) * inner.shape[1]
    union = common[:-1].sum(axis=1)[:, None] + common[:, :-1].sum(axis=0)[None, :] - inner
    likeness: Floats = inner / np.maximum(union, 1)
    rows, columns = linear_sum_assignment(-likeness)
    before = [-1] * inner.shape[1]
    for old, now in zip(rows.tolist(), columns.tolist(), strict=True):
        if likeness[old, now] >= SAME or _is_mostly(common, old, now):
            before[now] = old
    return tuple(before)


def _is_mostly(common: Ints, old: int, now: int) -> bool:
    """Each is most of the other, as far as both runs know the channels."""
    known_old, known_now = common[old, :-1].sum(), common[:-1, now].sum()
    return bool(common[old, now] > PART * known_old and common[old, now] > PART * known_now)


def _splits(common: Ints) -> tuple[tuple[int, tuple[int, ...]], ...]:
    found = []
    for old in range(common.shape[0] - 1):
        total = common[old, :-1].sum()
        pieces = [
            now
            for now in range(common.shape[1] - 1)
            if common[old, now] >= max(2, PIECE * total) and common[old, now] >= PART * common[:-1, now].sum()
        ]
        if len(pieces) > 1:
            found.append((old, tuple(pieces)))
    return tuple(found)


def _merges(common: Ints) -> tuple[tuple[tuple[int, ...], int], ...]:
    turned = common.T
    return tuple((olds, now) for now, olds in _splits(turned))


def _fate(place: int, old: int, merged: set[int], piece_of: set[int]) -> Fate:
    if place in merged:
        return "merged"
    if place in piece_of:
        return "split"
    return "kept" if old >= 0 else "born"


def _new_key(run_id: str, place: int) -> str:
    return "c" + hashlib.sha256(f"{run_id}/{place}".encode()).hexdigest()[:11]
