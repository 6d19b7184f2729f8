"""Files as text, packed or not, in any common encoding; and text as files may hold it."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from pathlib import Path
from typing import Final

from dashboard.errors import RecordingError

LARGEST_BYTES: Final = 2_000_000_000
"""Unpacked. A larger table is no map of channels, and a packed bomb must not fill the memory."""
_GZIP = b"\x1f\x8b"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def read_bytes(path: Path) -> bytes:
    """A file's content, unpacked where it is gzipped.

    Raises:
        RecordingError: It can't be read, is empty, damaged or far too large.
    """
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise RecordingError(f"{path} is a folder. Name the files in it.") from None
    except OSError as error:
        raise RecordingError(f"{path} can't be read: {error.strerror or error}.") from None
    if data.startswith(_GZIP):
        data = _unpack(path, data)
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise RecordingError(f"{path} is empty. Download or export it again.")
    return data


def _unpack(path: Path, data: bytes) -> bytes:
    import io

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            plain = packed.read(LARGEST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise RecordingError(f"{path}: the packed data is damaged. Download or pack it again.") from None
    if len(plain) > LARGEST_BYTES:
        raise RecordingError(f"{path}: more than {LARGEST_BYTES / 1e9:g} GB when unpacked. Cut it in parts.")
    return plain


def read_text(path: Path) -> str:
    """A file as text: by its byte order mark or its XML declaration, else UTF-8, else Windows' own.

    Raises:
        RecordingError: As for :func:`read_bytes`.
    """
    data = read_bytes(path)
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data.decode(name, "replace")
    declared = _DECLARED.match(data[:200])
    for name in (*((declared[1].decode("ascii"),) if declared else ()), "utf-8"):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", "replace")


def short_name(path: Path) -> str:
    """What a message calls a file."""
    return path.name or str(path)


def allowed(text: str) -> str:
    """A text without what XML can't hold."""
    return "".join(
        letter
        for letter in text
        if letter in "\t\n\r"
        or "\x20" <= letter <= "\ud7ff"
        or "\ue000" <= letter <= "\ufffd"
        or letter > "\uffff"
    )
