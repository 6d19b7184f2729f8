"""The bucket: boto3 behind a handful of calls, each retried with growing waits, each failure in words.

Names are keys below the settings' prefix. Uploading is in :mod:`dashboard.storage.s3_upload`.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dashboard.errors import JobCancelled, RemoteStorageError
from dashboard.events import Instant
from dashboard.storage.s3_errors import Trouble, trouble_of

if TYPE_CHECKING:
    from dashboard.config import Settings

T = TypeVar("T")

CONNECTIONS = 16
_TRIES = 5
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 20.0
_CHUNK_BYTES = 1 << 20
_DELETED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """What S3 says of one object."""

    name: str
    """Key below the prefix."""
    byte_count: int
    etag: str
    modified_at: Instant
    metadata: dict[str, str]
    """Only from :meth:`Bucket.head`; a listing does not tell it."""


class WrongContentError(RemoteStorageError):
    """What came from S3 is not what was uploaded."""


class MissingObjectError(RemoteStorageError):
    """There is no such object."""


class DeniedError(RemoteStorageError):
    """These rights don't reach, or there is no such object."""


def open_client(
    settings: Settings, *, connect_timeout_s: float | None = None, read_timeout_s: float | None = None
) -> Any:
    """Makes a boto3 client from the settings, or from the machine's own AWS profile or role.

    Args:
        settings: Endpoint, region, keys, timeouts.
        connect_timeout_s: Instead of the settings'.
        read_timeout_s: Instead of the settings'.

    Returns:
        A client that never retries by itself; safe to share between threads.

    Raises:
        BotoCoreError: A profile of the machine is wrong.
    """
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id=settings.aws_access_key_id or None,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value() or None,
        aws_session_token=settings.aws_session_token.get_secret_value() or None,
        region_name=settings.s3_region or None,
    )
    # Signing the body lets every server that checks signatures check it byte for byte.
    s3: Any = {"payload_signing_enabled": True}
    if settings.s3_endpoint_url:
        # Servers other than AWS seldom have a host name a bucket, nor the newest checksums.
        s3["addressing_style"] = "path"
    return session.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url or None,
        config=Config(
            connect_timeout=connect_timeout_s or settings.s3_connect_timeout_s,
            read_timeout=read_timeout_s or settings.s3_read_timeout_s,
            retries={"total_max_attempts": 1},
            max_pool_connections=CONNECTIONS,
            s3=s3,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class Bucket:
    """What lies below the prefix; safe to share between threads.

    Args:
        settings: With ``s3_bucket``.
        is_cancelled: Asked before each try and while waiting.
        tries: How often a call that may pass is made.
        first_wait_s: Before the second try; the next waits double, with jitter.

    Raises (all calls):
        RemoteStorageError: In words, with the cure; nothing local is lost.
        JobCancelled: Somebody asked to stop.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        is_cancelled: Callable[[], bool] | None = None,
        tries: int = _TRIES,
        first_wait_s: float = _FIRST_WAIT_S,
    ) -> None:
        self.settings = settings
        self.name = settings.s3_bucket
        self._is_cancelled = is_cancelled or (lambda: False)
        self._tries = tries
        self._first_wait_s = first_wait_s
        self._waiting = threading.Event()
        try:
            self.client = open_client(settings)
        except Exception as error:
            raise _in_words(trouble_of(error, settings)) from None

    def key(self, name: str) -> str:
        """The whole key of a name."""
        return f"{self.settings.s3_prefix}/{name}" if self.settings.s3_prefix else name

    def call(self, action: Callable[[], T]) -> T:
        """Makes a call, and makes it again while its failure may pass.

        Args:
            action: Uses :attr:`client`; whole again each time it is called.

        Returns:
            What it returned.

        Raises:
            MissingObjectError: There is no such object.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        for attempt in range(self._tries):
            self.stop_if_cancelled()
            try:
                return action()
            except (BotoCoreError, ClientError, OSError) as error:
                if isinstance(error, OSError) and error.filename is not None:
                    raise  # A file of ours, not the network.
                trouble = trouble_of(error, self.settings)
                if not trouble.is_passing or attempt == self._tries - 1:
                    raise _in_words(trouble) from None
            except WrongContentError:
                if attempt == self._tries - 1:
                    raise
            self._wait(attempt)
        raise AssertionError("the last try returns or raises")

    def _call_about(self, name: str, action: Callable[[], T]) -> T:
        try:
            return self.call(action)
        except DeniedError:
            # Rights to list that hold for the prefix only make S3 say 403 where it means 404.
            asked = {"Bucket": self.name, "Prefix": self.key(name), "MaxKeys": 1}
            try:
                page = self.call(partial(self.client.list_objects_v2, **asked))
            except RemoteStorageError:
                page = {"Contents": [{"Key": self.key(name)}]}
            if any(found["Key"] == self.key(name) for found in page.get("Contents", ())):
                raise
            raise MissingObjectError(f"S3: there is no {self.key(name)}.") from None

    def stop_if_cancelled(self) -> None:
        """Ends the work under way here when somebody asked for it."""
        if self._is_cancelled():
            raise JobCancelled("Stopped. What is on S3 already stays and is not sent again.")

    def head(self, name: str) -> RemoteObject | None:
        """What S3 says of an object; None if it is not there."""
        from botocore.exceptions import ClientError

        target = {"Bucket": self.name, "Key": self.key(name)}

        def look() -> Any:
            try:
                return self.client.head_object(**target)
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("400", "403"):
                    raise
                # Why it is refused stands only in a body, which a HEAD does not have.
                self.client.get_object(**target)["Body"].close()
                raise

        try:
            told = self._call_about(name, look)
        except MissingObjectError:
            return None
        return RemoteObject(
            name,
            int(told["ContentLength"]),
            told.get("ETag", "").strip('"'),
            Instant(int(told["LastModified"].timestamp() * 1e6)),
            {key.lower(): value for key, value in told.get("Metadata", {}).items()},
        )

    def get(self, name: str) -> bytes | None:
        """A small object whole; None if it is not there."""

        def read() -> bytes:
            answer = self.client.get_object(Bucket=self.name, Key=self.key(name))
            return bytes(answer["Body"].read())

        try:
            return self._call_about(name, read)
        except MissingObjectError:
            return None

    def download(
        self, name: str, to: Path, *, sha256: str = "", on_bytes: Callable[[int], None] | None = None
    ) -> None:
        """Writes an object to a file, in chunks, and checks its hash.

        Args:
            name: Of the object.
            to: Overwritten; removed when the download fails.
            sha256: Of the content, in hex; not told: what it was uploaded with.
            on_bytes: Is told the size of each chunk.

        Raises:
            MissingObjectError: It is not there.
            WrongContentError: It is damaged on S3; asking again gave the same.
        """

        def read() -> None:
            digest = hashlib.sha256()
            answer = self.client.get_object(Bucket=self.name, Key=self.key(name))
            with closing(answer["Body"]) as body, to.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    self.stop_if_cancelled()
                    file.write(chunk)
                    digest.update(chunk)
                    if on_bytes is not None:
                        on_bytes(len(chunk))
            told = {key.lower(): value for key, value in answer.get("Metadata", {}).items()}
            if digest.hexdigest() != (sha256 or told.get("sha256")):
                raise WrongContentError(
                    f"S3: {self.key(name)} is damaged: its content does not have the hash it was "
                    "uploaded with. An older version of the object, if the bucket keeps them, helps."
                )

        try:
            self._call_about(name, read)
        except BaseException:
            to.unlink(missing_ok=True)
            raise

    def list(self, under: str) -> Iterator[RemoteObject]:
        """Every object whose name starts so, by name."""
        asked: dict[str, str] = {"Bucket": self.name, "Prefix": self.key(under)}
        while True:
            page = self.call(partial(self.client.list_objects_v2, **asked))
            for found in page.get("Contents", ()):
                yield RemoteObject(
                    found["Key"][len(self.key("")) :],
                    int(found["Size"]),
                    found.get("ETag", "").strip('"'),
                    Instant(int(found["LastModified"].timestamp() * 1e6)),
                    {},
                )
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, names: Sequence[str]) -> None:
        """Removes objects; those that are gone already are no error."""
        for first in range(0, len(names), _DELETED_AT_ONCE):
            keys = [{"Key": self.key(name)} for name in names[first : first + _DELETED_AT_ONCE]]
            asked = {"Bucket": self.name, "Delete": {"Objects": keys, "Quiet": True}}
            answer = self.call(partial(self.client.delete_objects, **asked))
            if failed := answer.get("Errors"):
                raise RemoteStorageError(
                    f"S3: {len(failed)} old files were not deleted ({failed[0].get('Code', 'unknown')}). "
                    "Allow s3:DeleteObject for these keys. Nothing local is lost."
                )

    def _wait(self, attempt: int) -> None:
        longest = min(_LONGEST_WAIT_S, self._first_wait_s * 2**attempt)
        # Jitter: many that failed together must not come back together.
        left_s = longest * random.uniform(0.5, 1.0)
        while left_s > 0:
            self.stop_if_cancelled()
            self._waiting.wait(min(left_s, 0.5))
            left_s -= 0.5


def _in_words(trouble: Trouble) -> RemoteStorageError:
    kind = RemoteStorageError
    if trouble.is_missing or trouble.is_denied:
        kind = MissingObjectError if trouble.is_missing else DeniedError
    return kind(f"S3: {trouble.detail}. {trouble.cure} Nothing local is lost.")
