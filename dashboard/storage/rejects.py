"""The reject file: lines nobody could understand are kept with the reason, never dropped in silence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson

_LONGEST_LINE = 20_000
_LARGEST_FILE_BYTES = 64 * 1024 * 1024


class Rejects:
    """Appends broken lines to ``rejects/<day>.jsonl``.

    Args:
        folder: Made when the first line comes.

    Caveats:
        A line is cut after 20,000 characters, and a day's file stops growing at 64 MiB (the
        count goes on): a broken sender must not fill the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.count = 0

    def write(self, line: str, reason: str, source: str) -> None:
        """Keeps one line."""
        self.count += 1
        now = datetime.now(UTC)
        record = {
            "rejected_at": now.isoformat(timespec="milliseconds"),
            "source": source,
            "reason": reason,
            "line": line[:_LONGEST_LINE].encode("utf-8", "replace").decode("utf-8"),
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{now:%Y-%m-%d}.jsonl"
        with path.open("ab") as file:
            if file.tell() < _LARGEST_FILE_BYTES:
                file.write(orjson.dumps(record) + b"\n")
