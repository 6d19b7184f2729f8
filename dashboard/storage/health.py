"""How the data folder is doing, for ``check`` and the health page: what is live, what waits in journals."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from dashboard.storage.catalog import Catalog
from dashboard.storage.files import is_locked
from dashboard.storage.journal import unread_bytes
from dashboard.storage.lake import LakePaths


@dataclass(frozen=True, slots=True)
class KindTotals:
    """What readers see of a kind."""

    kind: str
    file_count: int
    row_count: int
    byte_count: int


@dataclass(frozen=True, slots=True)
class JournalState:
    """What a writer has made durable and not yet visible."""

    writer: str
    is_running: bool
    """Somebody holds it; if nobody does and bytes wait, a writer died: ``recover_orphans``."""
    segment_count: int
    byte_count: int
    damaged_count: int
    """Segments set aside because something in them can't be read."""


@dataclass(frozen=True, slots=True)
class StorageHealth:
    """One look at a data folder."""

    kinds: list[KindTotals]
    journals: list[JournalState]
    superseded_count: int
    """Files that compaction replaced and the grace period still keeps."""
    free_bytes: int

    @property
    def orphans(self) -> list[str]:
        """Writers that died with something in their journal."""
        return [j.writer for j in self.journals if j.byte_count and not j.is_running]


def storage_health(data_dir: Path) -> StorageHealth:
    """Looks at a data folder without changing what is in it.

    Args:
        data_dir: The data folder; one that is empty yet is fine.

    Returns:
        Live files by kind, journals by writer, free space.
    """
    paths = LakePaths(data_dir)
    catalog = Catalog(paths.catalog, paths.lake)
    try:
        return StorageHealth(
            kinds=[KindTotals(*row) for row in catalog.totals()],
            journals=[_journal(folder, catalog) for folder in sorted(paths.journal.glob("*/"))],
            superseded_count=catalog.superseded_count(),
            free_bytes=shutil.disk_usage(data_dir).free,
        )
    finally:
        catalog.close()


def _journal(folder: Path, catalog: Catalog) -> JournalState:
    segments, size = unread_bytes(folder, catalog.position(folder.name))
    damaged = sum(1 for _ in folder.glob("*.damaged"))
    return JournalState(folder.name, is_locked(folder), segments, size, damaged)
