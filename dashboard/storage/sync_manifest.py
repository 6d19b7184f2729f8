"""The manifest: one object that names every live file on S3, so that a copy can be read or brought back.

``<prefix>/manifest.json.gz`` is replaced in one stroke after everything it names is there. A reader
that takes the files it names sees each event exactly once, whatever the sync does meanwhile.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from dashboard.errors import RemoteStorageError
from dashboard.events import Instant
from dashboard.storage.catalog import NewFile

MANIFEST = "manifest.json.gz"
FORMAT = "streamlens-manifest-1"
_PATH = re.compile(r"kind=([a-z][a-z0-9_]*)/date=(\d{1,5}-\d\d-\d\d)/[A-Za-z0-9][A-Za-z0-9._-]*\.parquet")
_NAME = re.compile(r"(raw|rejects|reports|exports|state)(/[^/\x00-\x1f]+)+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A Parquet file of the lake, with all that the catalogue has to know of it."""

    path: str
    """Below ``lake/``, here and on S3."""
    kind: str
    date: str
    level: int
    row_count: int
    byte_count: int
    first_at: Instant
    last_at: Instant
    last_received_at: Instant
    rooms: tuple[str, ...] | None
    columns: tuple[str, ...]
    sha256: str

    @staticmethod
    def of_row(row: Sequence[Any]) -> LakeFile:
        """From the catalogue's columns, in the order of the fields."""
        path, kind, date, level, rows, size, first_at, last_at, received_at, rooms, columns, sha256 = row
        logins = None if rooms is None else _logins(rooms)
        return LakeFile(
            path,
            kind,
            date,
            level,
            rows,
            size,
            first_at,
            last_at,
            received_at,
            logins,
            _names(columns),
            sha256,
        )

    @property
    def name(self) -> str:
        """Its key below the prefix."""
        return f"lake/{self.path}"

    @property
    def partition(self) -> tuple[str, str]:
        """Its kind and day; an event is always in the same one."""
        return self.kind, self.date

    def as_new(self, path: str | None = None) -> NewFile:
        """As the catalogue takes it."""
        return NewFile(
            path=path or self.path,
            kind=self.kind,
            date=self.date,
            level=self.level,
            row_count=self.row_count,
            byte_count=self.byte_count,
            first_at=self.first_at,
            last_at=self.last_at,
            last_received_at=self.last_received_at,
            rooms=self.rooms,
            columns=self.columns,
        )


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file outside the lake: raw notifications, rejects, reports, exports, the state's copy."""

    name: str
    """Below the prefix, and (but for the state) below the data folder."""
    byte_count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One complete picture of the copy on S3."""

    lake_id: str
    """The same for all manifests of one lake."""
    sequence: int
    written_at: Instant
    files: tuple[LakeFile, ...]
    others: tuple[OtherFile, ...] = ()

    @property
    def row_count(self) -> int:
        """Events in it."""
        return sum(file.row_count for file in self.files)

    def by_partition(self) -> dict[tuple[str, str], list[LakeFile]]:
        """Files by kind and day."""
        groups: dict[tuple[str, str], list[LakeFile]] = {}
        for file in self.files:
            groups.setdefault(file.partition, []).append(file)
        return groups


# A year of files has some hundred different lists: kept, they are not parsed ten thousand times a run.
@lru_cache(maxsize=4096)
def _logins(rooms: str) -> tuple[str, ...]:
    return tuple(json.loads(rooms))


@lru_cache(maxsize=1024)
def _names(columns: str) -> tuple[str, ...]:
    return tuple(columns.split(","))


def to_bytes(manifest: Manifest) -> bytes:
    """The manifest as it stands on S3: gzipped JSON, the same bytes for the same manifest."""
    lists: dict[tuple[str, ...], int] = {}
    files = [
        {
            "path": f"lake/{file.path}",
            "kind": file.kind,
            "date": file.date,
            "level": file.level,
            "rows": file.row_count,
            "bytes": file.byte_count,
            "sha256": file.sha256,
            "first_us": file.first_at,
            "last_us": file.last_at,
            "last_received_us": file.last_received_at,
            "columns": lists.setdefault(file.columns, len(lists)),
            "rooms": file.rooms,
        }
        for file in manifest.files
    ]
    others = [{"path": o.name, "bytes": o.byte_count, "sha256": o.sha256} for o in manifest.others]
    record = {
        "format": FORMAT,
        "lake_id": manifest.lake_id,
        "sequence": manifest.sequence,
        "written_us": manifest.written_at,
        "columns": [list(columns) for columns in lists],
        "files": files,
        "others": others,
    }
    return gzip.compress(orjson.dumps(record), compresslevel=6, mtime=0)


def from_bytes(body: bytes) -> Manifest:
    """Reads a manifest.

    Raises:
        RemoteStorageError: It is damaged, of a newer version, or names what no manifest may name.
    """
    try:
        record = orjson.loads(gzip.decompress(body))
        if record["format"] != FORMAT:
            raise RemoteStorageError(
                f"S3: the manifest has the format {record['format']!s:.40}, this version reads {FORMAT}. "
                "Use the version of StreamLens that wrote it."
            )
        columns = [tuple(names) for names in record["columns"]]
        files = tuple(_lake_file(entry, columns) for entry in record["files"])
        others = tuple(_other_file(entry) for entry in record["others"])
        return Manifest(
            str(record["lake_id"]), int(record["sequence"]), Instant(int(record["written_us"])), files, others
        )
    except (ValueError, KeyError, TypeError, IndexError, EOFError, OSError) as error:
        raise RemoteStorageError(
            f"S3: the manifest can't be read ({type(error).__name__}). Bring an older version of "
            f"{MANIFEST} back, if the bucket keeps them, or run sync on a machine that has the data."
        ) from None


def is_plain(name: str) -> bool:
    """Whether a manifest may name a file outside the lake so: it becomes a path where it is restored."""
    return bool(_NAME.fullmatch(name)) and not any(part in (".", "..") for part in name.split("/"))


def _lake_file(entry: dict[str, Any], columns: list[tuple[str, ...]]) -> LakeFile:
    path = str(entry["path"]).removeprefix("lake/")
    # What is read here becomes a path on this machine.
    match = _PATH.fullmatch(path)
    if match is None or match.groups() != (entry["kind"], entry["date"]) or ".." in path:
        raise ValueError("not a path of a lake")
    rooms = entry["rooms"]
    return LakeFile(
        path=path,
        kind=str(entry["kind"]),
        date=str(entry["date"]),
        level=int(entry["level"]),
        row_count=int(entry["rows"]),
        byte_count=int(entry["bytes"]),
        first_at=Instant(int(entry["first_us"])),
        last_at=Instant(int(entry["last_us"])),
        last_received_at=Instant(int(entry["last_received_us"])),
        rooms=None if rooms is None else tuple(map(str, rooms)),
        columns=columns[int(entry["columns"])],
        sha256=_sha256(entry),
    )


def _other_file(entry: dict[str, Any]) -> OtherFile:
    name = str(entry["path"])
    if not is_plain(name):
        raise ValueError("not a path of a data folder")
    return OtherFile(name, int(entry["bytes"]), _sha256(entry))


def _sha256(entry: dict[str, Any]) -> str:
    if not _SHA256.fullmatch(str(entry["sha256"])):
        raise ValueError("not a hash")
    return str(entry["sha256"])
