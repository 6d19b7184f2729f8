"""What lies in a data folder, for the Storage page: kinds, journals, rejects, the copy on S3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dashboard.events import Instant
from dashboard.storage.catalog import Catalog
from dashboard.storage.health import JournalState, storage_health
from dashboard.storage.lake import LakePaths
from dashboard.storage.sync_ledger import SyncLedger, SyncState


@dataclass(frozen=True, slots=True)
class KindOnDisk:
    """One kind as readers see it."""

    kind: str
    row_count: int
    file_count: int
    byte_count: int
    first_at: Instant
    last_at: Instant


@dataclass(frozen=True, slots=True)
class Folder:
    """Plain files of the data folder."""

    file_count: int
    byte_count: int
    newest: str
    """Name of the newest file; empty without one."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """One look at a data folder."""

    kinds: list[KindOnDisk]
    """By name."""
    journals: list[JournalState]
    rejects: Folder
    exports: Folder
    superseded_count: int
    free_bytes: int
    copy: SyncState
    """What is known here of the copy on S3."""


def inventory(data_dir: Path) -> Inventory:
    """Looks at a data folder without changing what is in it.

    Args:
        data_dir: The data folder; one that is empty yet is fine.

    Returns:
        Kinds, journals, rejects, exports, free space, and how the copy on S3 is doing.
    """
    paths = LakePaths(data_dir)
    health = storage_health(data_dir)
    catalog, ledger = Catalog(paths.catalog, paths.lake), SyncLedger(paths.catalog)
    try:
        spans, copy = catalog.spans(), ledger.state()
    finally:
        catalog.close()
        ledger.close()
    kinds = [
        KindOnDisk(item.kind, item.row_count, item.file_count, item.byte_count, *spans[item.kind])
        for item in health.kinds
        if item.kind in spans
    ]
    return Inventory(
        kinds=kinds,
        journals=health.journals,
        rejects=_folder(paths.rejects, "*.jsonl"),
        exports=_folder(data_dir / "exports", "*/*/*.*"),
        superseded_count=health.superseded_count,
        free_bytes=health.free_bytes,
        copy=copy,
    )


def _folder(folder: Path, pattern: str) -> Folder:
    count = size = 0
    newest = ""
    for path in folder.glob(pattern):
        if path.name.startswith("."):
            continue
        count, size, newest = count + 1, size + path.stat().st_size, max(newest, path.name)
    return Folder(count, size, newest)
