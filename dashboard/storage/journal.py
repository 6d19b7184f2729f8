"""The journal: an event is durable here before it counts as received.

Append-only segments of frames. A frame is one group commit: magic, payload length, CRC-32,
then lines of JSON, one a kind and day, ``{"kind": …, "columns": {…}}``. A frame that was cut off by a
crash fails its length or CRC and ends the segment: it was never acknowledged.

Segments whose events are in the lake are deleted; how far that is stands in the catalogue, in
the same transaction that made the Parquet files visible, so a replay adds nothing twice.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashboard.storage.batch import Batch, batch_from_json
from dashboard.storage.files import fsync_folder, full_disk_said_plainly

_HEADER = struct.Struct("<4sII")
_MAGIC = b"SLJ1"
_SUFFIX = ".journal"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the journal: everything before it is meant."""

    segment: int
    offset: int


class Journal:
    """One writer's journal. Not thread-safe: it belongs to the ingest's writer thread.

    Args:
        folder: Where the segments are; made if absent.
        segment_bytes: A new segment starts once this is passed.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = 32 * 1024 * 1024) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._segment = max(self._segments(), default=0)
        self._fd: int | None = None
        self._offset = 0

    @property
    def position(self) -> Position:
        """The end of what is durable."""
        return Position(self._segment, self._offset)

    def append(self, payload: bytes) -> Position:
        """Makes events durable: when it returns they survive a kill and a power cut.

        Args:
            payload: Lines as :func:`dashboard.storage.batch.batches_of` gives them.

        Returns:
            The position after them.

        Raises:
            DiskFullError: Nothing of this call was kept; earlier frames are intact.
        """
        frame = _HEADER.pack(_MAGIC, len(payload), zlib.crc32(payload)) + payload
        with full_disk_said_plainly("the journal"):
            fd = self._writable_segment()
            try:
                _write_all(fd, frame)
                os.fdatasync(fd)
            except OSError:
                # A half frame would hide the good ones that come after it.
                os.ftruncate(fd, self._offset)
                raise
        self._offset += len(frame)
        return self.position

    def replay(self, after: Position) -> Iterator[tuple[Position, list[Batch]]]:
        """Reads back what is durable, oldest first.

        Args:
            after: Where to start, as the catalogue has it.

        Yields:
            The position after a frame, and what it holds. Stops a segment at the first frame
            that is cut off or damaged.
        """
        for segment in sorted(self._segments()):
            if segment < after.segment:
                continue
            start = after.offset if segment == after.segment else 0
            yield from _read_segment(self._path(segment), segment, start)

    def start_segment(self) -> None:
        """Closes the current segment, so that what follows is in a new one."""
        self.close()
        self._segment += 1
        self._offset = 0

    def forget(self, upto: Position) -> None:
        """Deletes segments that lie wholly before a position that the lake has."""
        for segment in self._segments():
            if segment < upto.segment:
                self._path(segment).unlink(missing_ok=True)

    def size_bytes(self) -> int:
        """Bytes on disk, all segments together."""
        return sum(self._path(s).stat().st_size for s in self._segments())

    def close(self) -> None:
        """Closes the segment's file; what was appended is durable already."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _segments(self) -> list[int]:
        return [int(p.stem) for p in self._folder.glob(f"*{_SUFFIX}") if p.stem.isdigit()]

    def _path(self, segment: int) -> Path:
        return self._folder / f"{segment:012d}{_SUFFIX}"

    def _writable_segment(self) -> int:
        if self._fd is not None and self._offset >= self._segment_bytes:
            self.start_segment()
        if self._fd is None:
            # Never appended to after a restart: its end may be a torn frame.
            while self._path(self._segment).exists():
                self._segment += 1
            self._fd = os.open(
                self._path(self._segment), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644
            )
            self._offset = 0
            fsync_folder(self._folder)
        return self._fd


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _read_segment(path: Path, segment: int, start: int) -> Iterator[tuple[Position, list[Batch]]]:
    with path.open("rb") as file:
        file.seek(start)
        offset = start
        while len(header := file.read(_HEADER.size)) == _HEADER.size:
            magic, length, checksum = _HEADER.unpack(header)
            payload = file.read(length) if magic == _MAGIC else b""
            if len(payload) != length or zlib.crc32(payload) != checksum:
                return
            offset += _HEADER.size + length
            yield Position(segment, offset), _decode(payload)


def _decode(payload: bytes) -> list[Batch]:
    return [batch for line in payload.split(b"\n") if (batch := batch_from_json(line)) is not None]
