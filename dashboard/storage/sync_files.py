"""Files outside the lake that go to S3: raw notifications, rejects, reports, exports, the state's copy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dashboard.storage.files import full_disk_said_plainly
from dashboard.storage.sync_ledger import LocalFile
from dashboard.storage.sync_manifest import is_plain

TREES = ("raw", "rejects", "reports", "exports")
"""Folders of the data folder that are copied as they are. Nothing else is: no key, no cache, no journal."""
FOLLOWING = ("exports",)
"""Of these also deletions are copied: they can be made again, and must not outlive their events."""
STATE = "state/state.sqlite"
_LOOK_BACK_BYTES = 1 << 20


def local_files(data_dir: Path) -> Iterator[LocalFile]:
    """Every file of the copied folders; temporary ones (``.name``), links and odd names are left out."""
    for tree in TREES:
        for folder, folders, names in os.walk(data_dir / tree):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder) / name
                if name.startswith(".") or path.is_symlink():
                    continue
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                told = path.relative_to(data_dir).as_posix()
                if is_plain(told):
                    yield LocalFile(told, stat.st_size, stat.st_mtime_ns)


def whole_lines(path: Path, byte_count: int) -> int:
    """How much of an appended file ends with a whole line.

    Args:
        path: A ``.jsonl`` file; any other is taken whole.
        byte_count: What it had when it was looked at.

    Returns:
        At most ``byte_count``.
    """
    if path.suffix != ".jsonl" or not byte_count:
        return byte_count
    with path.open("rb") as file:
        first = max(0, byte_count - _LOOK_BACK_BYTES)
        file.seek(first)
        end = file.read(byte_count - first).rfind(b"\n")
    return first + end + 1 if end >= 0 else byte_count


def copy_state(data_dir: Path, to: Path) -> bool:
    """Makes a consistent copy of the state database while it is being used.

    Args:
        data_dir: The data folder.
        to: Overwritten.

    Returns:
        False when there is no SQLite file (the state is elsewhere, or nothing was kept yet).
    """
    source = data_dir / "state" / "state.sqlite"
    if not source.exists():
        return False
    to.parent.mkdir(parents=True, exist_ok=True)
    to.unlink(missing_ok=True)
    with (
        full_disk_said_plainly("a copy of the state"),
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as here,
        closing(sqlite3.connect(to)) as there,
    ):
        here.backup(there)
        # One file without a log beside it, that opens anywhere.
        there.execute("pragma journal_mode = delete")
    to.chmod(0o600)
    return True
