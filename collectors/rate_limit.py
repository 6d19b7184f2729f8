"""One rate limit for everybody who calls Twitch with the same token.

Twitch counts calls in a bucket per token (one for the application's token, one for each user's)
and tells its size, what is left and when it is full again with every answer. Nothing of that is
assumed here: before the first answer only a handful of calls goes out.

The state lives in a :class:`BucketStore`. :class:`FileBucketStore` keeps it in a small file under
an ``flock``, so that the collector and the workers on one machine share the bucket;
:class:`MemoryBucketStore` is for a single process. The protocol: number a call and take one off
what is left before it goes out; when it is answered, believe the answer to the newest call, less
the calls still under way.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import orjson
import structlog

from dashboard.events import Instant, now_us
from dashboard.storage.private import make_private_folder

log = structlog.get_logger(__name__)
T = TypeVar("T")

SECOND = 1_000_000
FIRST_CALLS = 10
"""Calls that may be under way while Twitch has not told the bucket's size yet."""
_REFILL_S = 60
"""Twitch's points are per minute; only used until the next answer tells the real reset."""
_SHORTEST_PAUSE_S = 1
"""After a 429, even if its reset is past already: never hammer."""
_LONGEST_WAIT_S = 300
"""A reset further away is a broken clock, not Twitch."""
_LOOK_AGAIN_S = 0.5
_CALL_IS_LOST_AFTER_S = 60


@dataclass(slots=True)
class Bucket:
    """What is known of one token's bucket."""

    limit: int | None = None
    remaining: int = 0
    reset_at: int = 0
    last_call: int = 0
    answered_call: int = 0
    """The newest call whose answer has been believed."""
    in_flight: dict[int, int] = field(default_factory=dict)
    """When each call still under way went out, by its number."""


class BucketStore(Protocol):
    """Keeps a bucket and lets one edit at a time at it."""

    def change(self, edit: Callable[[Bucket], T]) -> T:
        """Applies an edit to the present state, keeps the result and hands on what it returned."""


class MemoryBucketStore:
    """A bucket for a single process."""

    def __init__(self) -> None:
        self._bucket = Bucket()

    def change(self, edit: Callable[[Bucket], T]) -> T:
        """See :class:`BucketStore`."""
        return edit(self._bucket)


class FileBucketStore:
    """A bucket for every process of this machine that names the same file.

    Args:
        path: The file; made with its folder on first use, readable by the owner only.

    Caveats:
        A file that can't be written (disk full) leaves each process on its own until it can.
        ``flock`` works on local disks; on a network share it depends on the server.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bucket = Bucket()
        self._is_told = False

    def change(self, edit: Callable[[Bucket], T]) -> T:
        """See :class:`BucketStore`; takes well under a millisecond."""
        try:
            make_private_folder(self._path.parent)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._tell(error)
            return edit(self._bucket)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._bucket = _decode(os.pread(handle, 1 << 20, 0))
            result = edit(self._bucket)
            self._write(handle)
            return result
        finally:
            os.close(handle)

    def _write(self, handle: int) -> None:
        content = orjson.dumps(asdict(self._bucket), option=orjson.OPT_NON_STR_KEYS)
        try:
            # In place, not by rename: the lock belongs to this very file.
            os.ftruncate(handle, os.pwrite(handle, content, 0))
            self._is_told = False
        except OSError as error:
            self._tell(error)

    def _tell(self, error: OSError) -> None:
        if not self._is_told:
            log.warning("rate limit is not shared", path=str(self._path), error=error.strerror)
        self._is_told = True


def _decode(content: bytes) -> Bucket:
    try:
        raw = orjson.loads(content)
        in_flight = {int(call): int(at) for call, at in raw.pop("in_flight").items()}
        return Bucket(**raw, in_flight=in_flight)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Bucket()  # new, or cut off by a crash: Twitch tells it all again


def bucket_path(data_dir: Path, client_id: str, token_of: str = "app") -> Path:
    """Where the processes of one installation meet for one token's bucket.

    Args:
        data_dir: The installation's data folder.
        client_id: The application; only a hash of it is in the name.
        token_of: ``app``, or the id of the user whose token it is.

    Returns:
        A file for :class:`FileBucketStore`.
    """
    digest = hashlib.blake2b(client_id.encode(), digest_size=6).hexdigest()
    return data_dir / "state" / f"rate_limit-{digest}-{token_of}.json"


class RateLimiter:
    """Lets calls go out only as fast as Twitch allows; callers queue in order.

    Args:
        store: Where the bucket is kept.
        now: The clock (wall clock: it is compared between processes).
        sleep: Waits for seconds.

    Source: Helix, “Twitch API rate limits”: headers ``Ratelimit-Limit``, ``-Remaining``, ``-Reset``.
    """

    def __init__(
        self,
        store: BucketStore | None = None,
        *,
        now: Callable[[], Instant] = now_us,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store or MemoryBucketStore()
        self._now = now
        self._sleep = sleep
        self._gate: asyncio.Lock | None = None
        self.waiting_until: Instant | None = None
        """When calls go on, while some wait for it."""

    async def take(self) -> int:
        """Waits until a call may go out.

        Returns:
            The call's number, for :meth:`answered`.
        """
        # Made here, not in __init__: it belongs to the running loop.
        self._gate = self._gate or asyncio.Lock()
        # Only the first in the queue looks at the bucket; the others wait behind it.
        async with self._gate:
            try:
                while True:
                    now = self._now()
                    call, reset_at = self._store.change(partial(_try_take, now=now))
                    if call is not None:
                        return call
                    self.waiting_until = Instant(reset_at)
                    # Looks again before the reset: another process may have heard better news.
                    await self._sleep(min(max(reset_at - now, 0) / SECOND + 0.001, _LOOK_AGAIN_S))
            finally:
                self.waiting_until = None

    def answered(self, call: int, status: int | None, headers: Mapping[str, str] | None = None) -> None:
        """Learns from an answer.

        Args:
            call: What :meth:`take` returned.
            status: HTTP status, ``None`` when there was no answer.
            headers: The answer's headers; names in any case when the mapping allows it.
        """
        now = self._now()
        self._store.change(lambda bucket: _learn(bucket, call, status, headers or {}, now))


def _try_take(bucket: Bucket, now: int) -> tuple[int | None, int]:
    """Takes one call off the bucket, or says until when to wait."""
    is_stale = bucket.reset_at - now > _LONGEST_WAIT_S * SECOND
    if now >= bucket.reset_at or is_stale:
        bucket.remaining = FIRST_CALLS if bucket.limit is None else bucket.limit
        bucket.reset_at = now + _REFILL_S * SECOND
    if bucket.remaining <= 0:
        return None, bucket.reset_at
    bucket.remaining -= 1
    bucket.last_call += 1
    oldest = now - _CALL_IS_LOST_AFTER_S * SECOND
    bucket.in_flight = {call: at for call, at in bucket.in_flight.items() if oldest < at <= now}
    bucket.in_flight[bucket.last_call] = now
    return bucket.last_call, bucket.reset_at


def _learn(bucket: Bucket, call: int, status: int | None, headers: Mapping[str, str], now: int) -> None:
    bucket.in_flight.pop(call, None)
    limit, remaining, reset_s = (
        _number(headers.get(f"Ratelimit-{name}")) for name in ("Limit", "Remaining", "Reset")
    )
    if limit:
        bucket.limit = limit
    reset_at = None if reset_s is None else now + _wait_s(reset_s, headers, now) * SECOND
    if remaining is not None:
        left = max(remaining - len(bucket.in_flight), 0)
        if call >= bucket.answered_call:
            bucket.remaining, bucket.answered_call = left, call
            bucket.reset_at = bucket.reset_at if reset_at is None else reset_at
        else:  # answers overtook each other: an older one can only tell of less
            bucket.remaining = min(bucket.remaining, left)
    elif bucket.limit is None and status is not None and call >= bucket.answered_call:
        bucket.remaining += 1  # a server that tells no limit: only the calls under way are bounded
    if status == 429:
        bucket.remaining = 0
        # Answers to calls that were under way already must not open the bucket again.
        bucket.answered_call = bucket.last_call + 1
        bucket.reset_at = max(reset_at or 0, now + _SHORTEST_PAUSE_S * SECOND)


def _wait_s(reset_s: int, headers: Mapping[str, str], now: int) -> int:
    """Seconds until the reset by Twitch's own clock: ours may be wrong by minutes."""
    try:
        server_s = int(parsedate_to_datetime(headers.get("Date", "")).timestamp())
    except ValueError:
        server_s = now // SECOND
    return min(max(reset_s - server_s, 0), _LONGEST_WAIT_S)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdecimal() else None
