"""What the sync does next: pure decisions, from what is here and what is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dashboard.events import Instant
from dashboard.storage.sync_ledger import LiveLake, LiveLakeFile, LocalFile, OtherUpload
from dashboard.storage.sync_manifest import LakeFile, Manifest

HOT_WAIT_S = 10
"""A micro-batch younger than this stays: compaction is about to make one file of sixteen."""
_FASTEST_REPEAT_S = 60
_BYTES_A_S = 500_000
_SLOWEST_REPEAT_S = 3600


@dataclass(frozen=True, slots=True)
class Publication:
    """What the next manifest names."""

    files: tuple[LakeFile, ...]
    is_complete: bool
    """Whether it has every event up to ``through_at``."""
    through_at: Instant


def is_waiting(live: LiveLakeFile, now: Instant, hot_wait_s: float) -> bool:
    """Whether a file is left for a later run."""
    return (
        live.file.level == 0 and not live.file.sha256 and 0 <= now - live.created_at < hot_wait_s * 1_000_000
    )


def files_to_upload(lake: LiveLake, now: Instant, hot_wait_s: float = HOT_WAIT_S) -> list[LakeFile]:
    """Files of the lake that S3 does not have.

    Args:
        lake: The lake now.
        now: The wall clock.
        hot_wait_s: Younger micro-batches stay; 0 takes all.

    Returns:
        Oldest day first, so that whole days are soon complete.
    """
    return [
        live.file for live in lake.files if not live.file.sha256 and not is_waiting(live, now, hot_wait_s)
    ]


def publication(
    lake: LiveLake, previous: Manifest | None, now: Instant, hot_wait_s: float = HOT_WAIT_S
) -> Publication:
    """What can be published now such that a reader sees each event at most once, and none goes away.

    Args:
        lake: The lake at one instant; files on S3 have their hash.
        previous: The manifest that is on S3.
        now: The wall clock.
        hot_wait_s: As for :func:`files_to_upload`.

    Returns:
        For each kind and day all its files when they are on S3; else what the manifest before
        named, which is one complete picture too; else, for a kind and day that is new, those of its
        files that are there.
    """
    before = previous.by_partition() if previous else {}
    groups: dict[tuple[str, str], list[LiveLakeFile]] = {}
    for live in lake.files:
        groups.setdefault(live.file.partition, []).append(live)
    files: list[LakeFile] = []
    is_complete, through_at = True, lake.through_at
    for partition, group in groups.items():
        there = [live.file for live in group if live.file.sha256]
        missing = [live for live in group if not live.file.sha256]
        if all(is_waiting(live, now, hot_wait_s) for live in missing):
            # Micro-batches only ever add events, so without them the picture is an earlier one.
            files += there
            through_at = min([through_at, *(Instant(live.created_at - 1) for live in missing)])
        else:
            is_complete = False
            files += before.get(partition) or there
    return Publication(tuple(files), is_complete, through_at)


def is_due(local: LocalFile, known: OtherUpload | None, now: Instant, wait_share: float = 1.0) -> bool:
    """Whether a file outside the lake goes up in this run.

    Args:
        local: As it is now.
        known: As it was when it went up last.
        now: The wall clock.
        wait_share: 0 lets nothing wait.

    Returns:
        False for an unchanged file, and for one that grows all the time and went up a moment ago: it
        goes up whole, so the larger it is the seldomer.
    """
    if known is None:
        return True
    if (local.byte_count, local.mtime_ns) == (known.seen_bytes, known.seen_mtime_ns):
        return False
    wait_s = min(_SLOWEST_REPEAT_S, _FASTEST_REPEAT_S + local.byte_count / _BYTES_A_S)
    return now - known.uploaded_at >= wait_share * wait_s * 1_000_000


def orphans(found: Collection[tuple[str, Instant]], known: Collection[str], before: Instant) -> list[str]:
    """Objects below ``lake/`` that nobody knows: uploads that a kill cut off from the ledger.

    Args:
        found: Name and time of change of what S3 lists.
        known: Names in the ledger or the manifest.
        before: Younger ones may still be noted.

    Returns:
        Names to delete.
    """
    known = set(known)
    return [name for name, modified_at in found if name not in known and modified_at < before]


def dates_between(files: Sequence[LakeFile], first: str | None, last: str | None) -> list[LakeFile]:
    """Files of the days from first to last, both included; ``None`` is open."""
    return [
        file
        for file in files
        if (first is None or file.date >= first) and (last is None or file.date <= last)
    ]
