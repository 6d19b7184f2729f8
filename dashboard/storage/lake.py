"""The lake: Parquet files, one folder a kind and day, that any engine reads as they are.

``lake/kind=<kind>/date=<YYYY-MM-DD>/<level>-<time>-<random>.parquet``. Level 0 is a micro-batch
as the ingest writes it; higher levels are made by compaction. A file gets its name only when it
is whole and on the disk.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.storage.batch import Batch
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.files import full_disk_said_plainly, make_folder_durably, replace_durably

MOST_ROOMS_LISTED = 200
_MICRO_BATCH = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["source", "room_login", "room_id"],
    "write_statistics": ["sent_at", "room_login"],
}


@dataclass(frozen=True, slots=True)
class LakePaths:
    """Where the parts of a data folder are."""

    data_dir: Path

    @property
    def lake(self) -> Path:
        """Parquet files."""
        return self.data_dir / "lake"

    @property
    def journal(self) -> Path:
        """One folder a writer."""
        return self.data_dir / "journal"

    @property
    def catalog(self) -> Path:
        """The SQLite file that names the live Parquet files."""
        return self.data_dir / "state" / "catalog.sqlite"

    @property
    def rejects(self) -> Path:
        """Lines that could not be understood, by day."""
        return self.data_dir / "rejects"


def new_name(level: int) -> str:
    """A file name that no other process can choose; names of a level sort by age."""
    return f"{level}-{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}.parquet"


class LakeWriter:
    """Writes micro-batches; the catalogue is told by the caller, in one transaction for all of them."""

    def __init__(self, lake: Path) -> None:
        self._lake = lake

    def write(self, batches: Sequence[Batch]) -> list[NewFile]:
        """Writes batches as finished, durable files that nobody sees yet.

        Args:
            batches: Those of the same kind and day end in one file.

        Returns:
            What to give to ``Catalog.add``; empty when there are no events.

        Raises:
            DiskFullError: Files already written by this call are removed.
        """
        groups: defaultdict[tuple[str, str], list[pa.Table]] = defaultdict(list)
        for batch in batches:
            if batch.table.num_rows:
                groups[batch.kind, batch.day].append(batch.table)
        written: list[NewFile] = []
        try:
            for (kind, day), tables in groups.items():
                written.append(self._write_file(Batch(kind, day, pa.concat_tables(tables))))
        except BaseException:
            for file in written:
                (self._lake / file.path).unlink(missing_ok=True)
            raise
        return written

    def _write_file(self, batch: Batch) -> NewFile:
        folder = self._lake / f"kind={batch.kind}" / f"date={batch.day}"
        name = new_name(0)
        temporary, final = folder / f".{name}.tmp", folder / name
        with full_disk_said_plainly("the lake"):
            make_folder_durably(folder)
            try:
                pq.write_table(batch.table, temporary, **_MICRO_BATCH)
                replace_durably(temporary, final)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        rooms = batch.rooms()
        first_at, last_at = batch.span()
        return NewFile(
            path=str(final.relative_to(self._lake)),
            kind=batch.kind,
            date=batch.day,
            level=0,
            row_count=batch.table.num_rows,
            byte_count=final.stat().st_size,
            first_at=first_at,
            last_at=last_at,
            last_received_at=batch.span("received_at")[1],
            rooms=tuple(rooms) if len(rooms) <= MOST_ROOMS_LISTED else None,
            columns=tuple(batch.table.column_names),
        )


def sweep(lake: Path, catalog: Catalog, *, older_than_s: float) -> int:
    """Deletes files that a crash left behind: temporary ones, and finished ones nobody ever listed.

    Args:
        lake: The lake's folder.
        catalog: Knows every file that is or was part of the lake.
        older_than_s: Younger files are left alone: their writer may be about to list them.

    Returns:
        How many were deleted.

    Caveats:
        Finished files from before the catalogue was made stay: a lost catalogue must not take
        the lake with it.
    """
    known = catalog.known_paths()
    limit, first = time.time() - older_than_s, catalog.created_at() / 1e6
    temporary, unlisted = [], []
    for path in lake.glob("kind=*/date=*/*"):
        name = str(path.relative_to(lake))
        if name in known or path.suffix not in (".parquet", ".tmp"):
            continue
        with suppress(FileNotFoundError):
            changed_at = path.stat().st_mtime
            if path.suffix == ".tmp" and changed_at < limit:
                temporary.append(path)
            elif path.suffix == ".parquet" and first <= changed_at < limit:
                unlisted.append(name)
    for path in temporary:
        path.unlink(missing_ok=True)
    return len(temporary) + (catalog.delete_unlisted(unlisted) if unlisted else 0)
