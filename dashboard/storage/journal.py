"""The journal: an event is durable here before it counts as received.

Append-only segments of frames. A frame is one group commit: magic, payload length, CRC-32,
then lines of JSON, one a kind and day, ``{"kind": …, "columns": {…}}``. A frame that was cut off by a
crash fails its length or CRC and ends the segment: it was never acknowledged.

Segments whose events are in the lake are deleted; how far that is stands in the catalogue, in
the same transaction that made the Parquet files visible, so a replay adds nothing twice. A segment
in which something acknowledged can't be read any more is set aside as ``*.damaged``, never deleted.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from dashboard.storage.batch import Batch, batch_from_json
from dashboard.storage.files import fsync_folder, full_disk_said_plainly, make_folder_durably

log = structlog.get_logger(__name__)

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
        make_folder_durably(folder)
        self._segment = max(self._segments(), default=0)
        self._fd: int | None = None
        self._offset = 0
        self._damaged: set[int] = set()

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
        header = _HEADER.pack(_MAGIC, len(payload), zlib.crc32(payload))
        with full_disk_said_plainly("the journal"):
            fd = self._writable_segment()
            try:
                _write_all(fd, header + payload)
                os.fdatasync(fd)
            except BaseException:
                self._take_back(fd)
                raise
        self._offset += len(header) + len(payload)
        return self.position

    def replay(self, after: Position) -> Iterator[tuple[Position, list[Batch]]]:
        """Reads back what is durable, oldest first.

        Args:
            after: Where to start, as the catalogue has it.

        Yields:
            The position after a frame, and what it holds. A frame that was cut off ends its
            segment; a damaged one with good ones after it is passed over, and its segment kept.
        """
        for segment in sorted(self._segments()):
            if segment < after.segment:
                continue
            start = after.offset if segment == after.segment else 0
            yield from self._read_segment(segment, start)

    def start_segment(self) -> None:
        """Closes the current segment, so that what follows is in a new one."""
        self.close()
        self._segment += 1
        self._offset = 0

    def forget(self, upto: Position) -> None:
        """Deletes segments that lie wholly before a position that the lake has."""
        for segment in self._segments():
            if segment >= upto.segment:
                continue
            path = self._path(segment)
            if segment in self._damaged:
                path.replace(path.with_name(f"{path.stem}-{time.time_ns()}.damaged"))
            else:
                path.unlink(missing_ok=True)

    def size_bytes(self) -> int:
        """Bytes on disk, all segments together."""
        return unread_bytes(self._folder, Position(0, 0))[1]

    def close(self) -> None:
        """Closes the segment's file; what was appended is durable already."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _segments(self) -> list[int]:
        return _segments_in(self._folder)

    def _path(self, segment: int) -> Path:
        return self._folder / f"{segment:012d}{_SUFFIX}"

    def _writable_segment(self) -> int:
        if self._fd is not None and self._offset >= self._segment_bytes:
            self.start_segment()
        if self._fd is None:
            # Never appended to after a restart: its end may be a torn frame.
            while self._path(self._segment).exists():
                self._segment += 1
            self._offset = 0
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            fd = os.open(self._path(self._segment), flags, 0o644)
            try:
                fsync_folder(self._folder)
            except BaseException:
                os.close(fd)
                raise
            self._fd = fd
        return self._fd

    def _take_back(self, fd: int) -> None:
        try:
            os.ftruncate(fd, self._offset)
        except OSError:
            # A half frame would hide the good ones that come after it: go on in another file.
            with suppress(OSError):
                self.close()
            self._fd = None

    def _read_segment(self, segment: int, start: int) -> Iterator[tuple[Position, list[Batch]]]:
        data = memoryview(self._path(segment).read_bytes())
        offset = start
        while offset < len(data):
            payload = _frame_at(data, offset)
            if payload is None:
                following = _next_frame(data, offset + 1)
                log.warning("journal frame unreadable", segment=segment, offset=offset, goes_on_at=following)
                if following is None:
                    return
                self._damaged.add(segment)
                offset = following
                continue
            offset += _HEADER.size + len(payload)
            yield Position(segment, offset), self._decode(segment, payload)

    def _decode(self, segment: int, payload: memoryview) -> list[Batch]:
        batches = []
        for line in bytes(payload).split(b"\n"):
            try:
                batch = batch_from_json(line)
            except Exception as error:
                # Whole on the disk, yet not what this version writes; starting must go on without it.
                log.error("journal line not understood", segment=segment, error=str(error))
                batch = None
            if batch is None:
                self._damaged.add(segment)
            else:
                batches.append(batch)
        return batches


def unread_bytes(folder: Path, after: Position) -> tuple[int, int]:
    """What a journal holds beyond a position.

    Returns:
        Segments and bytes; safe to ask while its writer works.
    """
    count = total = 0
    for segment in _segments_in(folder):
        if segment < after.segment:
            continue
        try:
            size = (folder / f"{segment:012d}{_SUFFIX}").stat().st_size
        except FileNotFoundError:
            continue
        beyond = size - after.offset if segment == after.segment else size
        if beyond > 0:
            count, total = count + 1, total + beyond
    return count, total


def _segments_in(folder: Path) -> list[int]:
    return [int(p.stem) for p in folder.glob(f"*{_SUFFIX}") if p.stem.isdigit()]


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _frame_at(data: memoryview, offset: int) -> memoryview | None:
    start = offset + _HEADER.size
    if start > len(data):
        return None
    magic, length, checksum = _HEADER.unpack_from(data, offset)
    if magic != _MAGIC or start + length > len(data):
        return None
    payload = data[start : start + length]
    return payload if zlib.crc32(payload) == checksum else None


def _next_frame(data: memoryview, offset: int) -> int | None:
    # Payloads can't imitate a frame: JSON escapes the control characters a small length consists of.
    text = bytes(data)
    while (offset := text.find(_MAGIC, offset)) >= 0:
        if _frame_at(data, offset) is not None:
            return offset
        offset += 1
    return None
