"""Files as text: packed or not, in any common encoding, with any line ends, in constant memory."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from dashboard.errors import RecordingError

HEAD_BYTES = 65_536
"""How much of a file is looked at to tell its format."""

MAX_LINE_CHARACTERS = 1_048_576
"""A longer line is cut in pieces (each will be rejected), so that no file can fill the memory."""

_GZIP_MAGIC = b"\x1f\x8b"
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading packed data raises when it is broken."""


class RecordedFile:
    """One file to import: knows its size, its encoding and how far it has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_damaged = False
        """Whether the packed data ended early; what came before it was read."""
        self._raw: BinaryIO | None = None
        self._position = 0
        try:
            self.total_bytes = path.stat().st_size
            with path.open("rb") as raw:
                self._is_packed = raw.read(2) == _GZIP_MAGIC
            self.head = self._read_head()
        except IsADirectoryError:
            raise RecordingError(
                f"{path} is a folder. Name the files in it, for example {path}/*.log."
            ) from None
        except OSError as error:
            raise RecordingError(f"{path} can't be read: {error.strerror or error}.") from None
        if not self.head.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
            raise RecordingError(f"{path} is empty: there is nothing to import. Record or download it again.")
        self.encoding = next((name for bom, name in _ENCODINGS if self.head.startswith(bom)), "utf-8")

    @property
    def position(self) -> int:
        """How many bytes of the file (as it lies on the disk) have been read."""
        if self._raw is not None and not self._raw.closed:
            self._position = self._raw.tell()
        return self._position

    @property
    def head_text(self) -> str:
        """The beginning of the file as text."""
        return self.head.decode(self.encoding, "replace").removeprefix("\ufeff")

    @contextmanager
    def text(self, newline: str | None = None) -> Iterator[TextIO]:
        """Opens the file as text; bytes that are no text become U+FFFD.

        Args:
            newline: As for :func:`open`; the default takes CRLF, LF and CR alike.
        """
        with self._binary() as binary:
            yield io.TextIOWrapper(binary, self.encoding, "replace", newline)

    def lines(self) -> Iterator[str]:
        """The lines without their ends and without byte order marks."""
        with self.text() as text:
            try:
                while line := text.readline(MAX_LINE_CHARACTERS):
                    line = line.removesuffix("\n")
                    # Files put one after the other have their marks in the middle.
                    yield line.removeprefix("\ufeff")
            except DAMAGED:
                self.is_damaged = True

    def read(self) -> bytes:
        """The whole content, for formats that can't be streamed.

        Raises:
            RecordingError: The packed data is damaged.
        """
        with self._binary() as binary:
            try:
                content = binary.read()
            except DAMAGED as error:
                raise RecordingError(f"{self.path} is damaged ({error}). Download it again.") from None
        if self.encoding == "utf-16":
            return content.decode("utf-16", "replace").encode()
        return content.removeprefix(codecs.BOM_UTF8)

    @contextmanager
    def _binary(self) -> Iterator[BinaryIO]:
        with self.path.open("rb") as raw:
            self._raw = raw
            if not self._is_packed:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield unpacked  # type: ignore[misc]

    def _read_head(self) -> bytes:
        with self._binary() as binary:
            try:
                return binary.read(HEAD_BYTES)
            except DAMAGED as error:
                raise RecordingError(
                    f"{self.path} looks like a gzip file but can't be unpacked ({error}). Download it again."
                ) from None
