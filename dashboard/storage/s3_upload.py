"""Uploads: by content hash, confirmed by what S3 says it stored, big files in parts that can be resumed.

Memory is bounded: files are streamed from the disk; of the big ones only one is under way at a time,
some parts of it at once.
"""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from dashboard.errors import RemoteStorageError
from dashboard.storage.s3 import Bucket, MissingObjectError, WrongContentError

PART_BYTES = 16 << 20
LARGEST_PUT_BYTES = 64 << 20
"""One request for a file costs servers less than three; above it, parts can be resumed."""
_MOST_PARTS = 1000
_PARTS_AT_ONCE = 4
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be stored: the first ``byte_count`` bytes of a file, and their hashes."""

    byte_count: int
    sha256: str
    """In hex; the identity of the content."""
    etag: str
    """What S3 calls the object when it stores it unencrypted or with its own keys."""
    part_bytes: int
    part_md5s: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that S3 has confirmed."""

    name: str
    sha256: str
    byte_count: int
    etag: str


class HalfUploads(Protocol):
    """Remembers uploads in parts that are not finished, so that they can be resumed or cleaned up."""

    def half_upload(self, name: str, sha256: str) -> str | None:
        """The upload id of the same content, or None."""

    def remember_half_upload(self, name: str, sha256: str, upload_id: str) -> None:
        """Called before the first part goes up."""

    def forget_half_upload(self, name: str) -> None:
        """Called when it is finished, or aborted."""


def content_of(path: Path, byte_count: int | None = None) -> Content:
    """Reads a file once and says what it holds.

    Args:
        path: The file.
        byte_count: Only so many bytes from its start: what an appended file had at some instant.

    Returns:
        Its hashes.

    Raises:
        FileNotFoundError: It is gone.
        OSError: It is shorter than told, or can't be read.
    """
    left = path.stat().st_size if byte_count is None else byte_count
    total = left
    part_bytes = max(PART_BYTES, -(-total // _MOST_PARTS)) if total > LARGEST_PUT_BYTES else max(total, 1)
    sha256 = hashlib.sha256()
    parts: list[bytes] = []
    with path.open("rb") as file:
        while left > 0 or not parts:
            md5, in_part = hashlib.md5(usedforsecurity=False), min(part_bytes, left)
            while in_part:
                chunk = file.read(min(_CHUNK_BYTES, in_part))
                if not chunk:
                    raise OSError(f"{path.name} became shorter while it was read")
                sha256.update(chunk)
                md5.update(chunk)
                in_part, left = in_part - len(chunk), left - len(chunk)
            parts.append(md5.digest())
    if total <= LARGEST_PUT_BYTES:
        etag = parts[0].hex()
    else:
        etag = f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
    return Content(total, sha256.hexdigest(), etag, part_bytes, tuple(parts))


class Uploader:
    """Uploads files to a bucket; safe to share between threads.

    Args:
        bucket: Where to.
        halves: Remembers uploads in parts.
        on_bytes: Is told the size of each piece that S3 has taken.
        on_stored: Called for each object that is whole on S3.
    """

    def __init__(
        self,
        bucket: Bucket,
        halves: HalfUploads,
        on_bytes: Callable[[int], None] = lambda _: None,
        on_stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._bucket = bucket
        self._halves = halves
        self._on_bytes = on_bytes
        self._on_stored = on_stored
        self._one_big_file = threading.Lock()

    def put(self, name: str, path: Path, content: Content | None = None) -> Stored:
        """Stores a file and makes sure that S3 has it as it is here.

        Args:
            name: Key below the prefix.
            path: The file.
            content: What of it, if that is known; else all.

        Returns:
            What is stored now.

        Raises:
            FileNotFoundError: The file is gone; nothing was stored under the name.
            RemoteStorageError: S3 did not take it.
        """
        content = content or content_of(path)
        if content.byte_count > LARGEST_PUT_BYTES:
            with self._one_big_file:
                self._put_in_parts(name, path, content)
            self._on_stored()
            return Stored(name, content.sha256, content.byte_count, content.etag)
        with path.open("rb", buffering=0) as file:
            self._put_whole(name, lambda: _Start(file, content.byte_count), content, {})
        return Stored(name, content.sha256, content.byte_count, content.etag)

    def put_bytes(self, name: str, body: bytes, metadata: dict[str, str] | None = None) -> Stored:
        """Stores a small object; it replaces an older one in one stroke."""
        md5 = hashlib.md5(body, usedforsecurity=False)
        sha256 = hashlib.sha256(body).hexdigest()
        content = Content(len(body), sha256, md5.hexdigest(), max(len(body), 1), (md5.digest(),))
        self._put_whole(name, lambda: body, content, metadata or {})
        return Stored(name, sha256, len(body), content.etag)

    def _put_whole(
        self, name: str, body: Callable[[], Any], content: Content, metadata: dict[str, str]
    ) -> None:
        sha256 = _base64(bytes.fromhex(content.sha256))

        def send() -> None:
            told = self._bucket.client.put_object(
                Bucket=self._bucket.name,
                Key=self._bucket.key(name),
                Body=body(),
                ContentLength=content.byte_count,
                ContentMD5=_base64(content.part_md5s[0]),
                ChecksumSHA256=sha256,
                Metadata={"sha256": content.sha256, **metadata},
            )
            if told.get("ChecksumSHA256") != sha256 and _etag(told) != content.etag:
                self._look(name, content.byte_count, content.sha256)

        self._bucket.call(send)
        self._on_bytes(content.byte_count)
        self._on_stored()

    def _put_in_parts(self, name: str, path: Path, content: Content) -> None:
        target = {"Bucket": self._bucket.name, "Key": self._bucket.key(name)}
        upload_id, done = self._resumed(name, content, target)
        if upload_id is None:
            begun = self._bucket.call(
                lambda: self._bucket.client.create_multipart_upload(
                    **target, Metadata={"sha256": content.sha256}
                )
            )
            upload_id = str(begun["UploadId"])
            self._halves.remember_half_upload(name, content.sha256, upload_id)
        target["UploadId"] = upload_id
        try:
            missing = [number for number in range(1, len(content.part_md5s) + 1) if number not in done]
            with ThreadPoolExecutor(_PARTS_AT_ONCE, "s3-part") as pool:
                sent = {
                    number: pool.submit(self._put_part, path, content, number, target) for number in missing
                }
                try:
                    done |= {number: future.result() for number, future in sent.items()}
                except BaseException:
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
            self._complete(name, content, target, done)
        except FileNotFoundError:
            self.abort(name, upload_id)
            raise
        self._halves.forget_half_upload(name)

    def _resumed(
        self, name: str, content: Content, target: dict[str, str]
    ) -> tuple[str | None, dict[int, str]]:
        upload_id = self._halves.half_upload(name, content.sha256)
        if upload_id is None:
            return None, {}
        done: dict[int, str] = {}
        asked: dict[str, Any] = {**target, "UploadId": upload_id}
        while True:
            try:
                page = self._bucket.call(partial(self._bucket.client.list_parts, **asked))
            except RemoteStorageError:
                # Its owner or a lifecycle rule ended it; what is not there can't be resumed.
                self._halves.forget_half_upload(name)
                return None, {}
            for part in page.get("Parts", ()):
                number = int(part["PartNumber"])
                if number <= len(content.part_md5s) and _etag(part) == content.part_md5s[number - 1].hex():
                    done[number] = _etag(part)
            if not page.get("IsTruncated"):
                return upload_id, done
            asked["PartNumberMarker"] = int(page["NextPartNumberMarker"])

    def _put_part(self, path: Path, content: Content, number: int, target: dict[str, str]) -> str:
        first = (number - 1) * content.part_bytes
        with path.open("rb") as file:
            file.seek(first)
            body = file.read(min(content.part_bytes, content.byte_count - first))
        md5 = content.part_md5s[number - 1]
        told = self._bucket.call(
            lambda: self._bucket.client.upload_part(
                **target,
                PartNumber=number,
                Body=body,
                ContentLength=len(body),
                ContentMD5=_base64(md5),
            )
        )
        self._on_bytes(len(body))
        return _etag(told)

    def _complete(self, name: str, content: Content, target: dict[str, str], etags: dict[int, str]) -> None:
        parts = [{"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in sorted(etags.items())]
        try:
            told = self._bucket.call(
                lambda: self._bucket.client.complete_multipart_upload(
                    **target, MultipartUpload={"Parts": parts}
                )
            )
        except MissingObjectError:
            # It was finished, and only the answer was lost on its way.
            told = {}
        if _etag(told) != content.etag:
            self._look(name, content.byte_count, content.sha256)

    def _look(self, name: str, byte_count: int, sha256: str) -> None:
        # With a key of one's own (SSE-KMS, SSE-C) the ETag says nothing about the content.
        found = self._bucket.head(name)
        if found is None or found.byte_count != byte_count or found.metadata.get("sha256") != sha256:
            raise WrongContentError(
                f"S3: {name} was stored otherwise than it was sent ({byte_count:,} bytes here, "
                f"{found.byte_count if found else 0:,} there). It is sent again by itself. "
                "Nothing local is lost."
            )

    def abort(self, name: str, upload_id: str) -> None:
        """Throws the parts of an unfinished upload away."""
        with suppress(MissingObjectError):
            self._bucket.call(
                lambda: self._bucket.client.abort_multipart_upload(
                    Bucket=self._bucket.name, Key=self._bucket.key(name), UploadId=upload_id
                )
            )
        self._halves.forget_half_upload(name)

    def abort_strangers(self, under: str, known: set[str], begun_before: float) -> int:
        """Throws away unfinished uploads that nobody will resume.

        Args:
            under: Names that start so.
            known: Upload ids that are kept.
            begun_before: Seconds since 1970; younger ones may be somebody's who is just at it.

        Returns:
            How many.
        """
        count = 0
        asked: dict[str, Any] = {"Bucket": self._bucket.name, "Prefix": self._bucket.key(under)}
        while True:
            page = self._bucket.call(partial(self._bucket.client.list_multipart_uploads, **asked))
            for upload in page.get("Uploads", ()):
                if upload["UploadId"] in known or upload["Initiated"].timestamp() >= begun_before:
                    continue
                self.abort(upload["Key"][len(self._bucket.key("")) :], upload["UploadId"])
                count += 1
            if not page.get("IsTruncated"):
                return count
            asked |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _etag(told: Any) -> str:
    return str(told.get("ETag", "")).strip('"')


class _Start(io.RawIOBase):
    """The first bytes of an open file as a file of its own: it may be growing."""

    def __init__(self, file: io.RawIOBase, byte_count: int) -> None:
        self._file = file
        self._byte_count = byte_count
        file.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            offset, whence = self._byte_count + offset, io.SEEK_SET
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        left = max(0, self._byte_count - self._file.tell())
        return self._file.readinto(memoryview(buffer)[:left]) or 0
