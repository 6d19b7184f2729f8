"""Restoring into a folder that has events of its own: what is here stays, what is missing is added."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from dashboard.events import Instant
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.files import full_disk_said_plainly, replace_durably
from dashboard.storage.lake import new_name
from dashboard.storage.sync_manifest import LakeFile
from dashboard.storage.views import select_files

_CHUNK_BYTES = 1 << 20


def without_known_events(file: LakeFile, catalog: Catalog, lake: Path) -> tuple[NewFile | None, int]:
    """Leaves out of a restored file the events that the lake has already.

    Args:
        file: On the disk, not listed yet.
        catalog: Says which files can hold the same events.
        lake: The lake's folder.

    Returns:
        What to list: the file itself, a new one with the rest of its events (the file is then
        removed), or None when there is nothing new in it; and how many events were known.
    """
    path = lake / file.path
    around = catalog.live(file.kind, (file.first_at, file.last_at), date=file.date)
    if not around:
        return file.as_new(), 0
    with (
        full_disk_said_plainly("a restored file"),
        duckdb.connect(":memory:", config={"threads": 1}) as con,
    ):
        con.execute("set enable_progress_bar = false")
        con.execute("set TimeZone = 'UTC'")
        known = select_files(file.kind, around, catalog, lake)
        con.execute(
            f"create temp table known as select distinct room_login, event_id from ({known}) "
            "where sent_at between make_timestamptz($first) and make_timestamptz($last)",
            {"first": file.first_at, "last": file.last_at},
        )
        restored = (
            "read_parquet('" + str(path.absolute()).replace("'", "''") + "', hive_partitioning = false)"
        )
        kept = (
            f"from {restored} r anti join known k on k.room_login = r.room_login and k.event_id = r.event_id"
        )
        (count,) = con.execute(f"select count(*) {kept}").fetchone() or (0,)
        if count == file.row_count:
            return file.as_new(), 0
        if not count:
            path.unlink()
            return None, file.row_count
        final = path.with_name(new_name(file.level))
        temporary = final.with_name(f".{final.name}.tmp")
        quoted = str(temporary).replace("'", "''")
        con.execute(
            f"copy (select r.* {kept} order by room_login, sent_at, event_id) to '{quoted}' "
            "(format parquet, compression zstd, parquet_version v2)"
        )
        replace_durably(temporary, final)
        first_at, last_at, received_at = con.execute(
            "select epoch_us(min(sent_at)), epoch_us(max(sent_at)), epoch_us(max(received_at)) "
            "from read_parquet($path, hive_partitioning = false)",
            {"path": str(final)},
        ).fetchone() or (0, 0, 0)
    path.unlink()
    new = replace(
        file.as_new(str(final.relative_to(lake))),
        row_count=count,
        byte_count=final.stat().st_size,
        first_at=Instant(first_at),
        last_at=Instant(last_at),
        last_received_at=Instant(received_at),
        columns=tuple(pq.read_schema(final).names),
    )
    return new, file.row_count - count


def merge_other(restored: Path, local: Path) -> bool | None:
    """Puts a restored file outside the lake in its place, unless that would lose something local.

    Args:
        restored: Checked; gone afterwards.
        local: Where it belongs.

    Returns:
        True when it is in its place or, because both sides have what the other lacks, beside it as
        ``<name>.restored``; None when the local one has all of it.
    """
    if not local.exists() or _begins_with(restored, local):
        replace_durably(restored, local)
        return True
    if _begins_with(local, restored):
        restored.unlink()
        return None
    replace_durably(restored, local.with_name(f"{local.name}.restored"))
    return True


def _begins_with(whole: Path, start: Path) -> bool:
    left = start.stat().st_size
    if left > whole.stat().st_size:
        return False
    with whole.open("rb") as one, start.open("rb") as other:
        while left:
            size = min(_CHUNK_BYTES, left)
            if one.read(size) != other.read(size):
                return False
            left -= size
    return True
