"""The reject file: lines nobody could understand are kept with the reason, never dropped in silence."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog

log = structlog.get_logger(__name__)

_LONGEST_LINE = 20_000
_LARGEST_FILE_BYTES = 64 * 1024 * 1024


class Rejects:
    """Appends broken lines to ``rejects/<day>.jsonl``; safe to share between threads.

    Args:
        folder: Made when the first line comes.

    Caveats:
        A line is cut after 20,000 characters, and a day's file stops growing at 64 MiB (the
        count goes on): a broken sender must not fill the disk. A line that the disk has no room
        for is counted only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self.count = 0

    def write(self, line: str, reason: str, source: str) -> None:
        """Keeps one line."""
        now = datetime.now(UTC)
        record = {
            "rejected_at": now.isoformat(timespec="milliseconds"),
            "source": source,
            "reason": reason,
            "line": line[:_LONGEST_LINE],
        }
        record = {name: text.encode("utf-8", "replace").decode("utf-8") for name, text in record.items()}
        with self._lock:
            self.count += 1
            try:
                self._append(self._folder / f"{now:%Y-%m-%d}.jsonl", orjson.dumps(record) + b"\n")
            except OSError as error:
                # A broken line is no reason to end the stream it came from.
                log.warning("reject file not written", error=str(error))

    def _append(self, path: Path, line: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            if file.tell() < _LARGEST_FILE_BYTES:
                file.write(line)
