"""The rate limiter: believes Twitch's headers, waits for the reset, is shared between processes."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.rate_limit import (
    FIRST_CALLS,
    SECOND,
    Bucket,
    FileBucketStore,
    MemoryBucketStore,
    RateLimiter,
    bucket_path,
)
from dashboard.events import Instant

NOON_S = 1_700_000_000


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, at_s: float = NOON_S) -> None:
        self.at_s = at_s
        self.sleeps: list[float] = []

    def now(self) -> Instant:
        return Instant(round(self.at_s * SECOND))

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at_s += seconds
        await asyncio.sleep(0)


def headers(limit: int, remaining: int, reset_s: float) -> dict[str, str]:
    return {
        "Ratelimit-Limit": str(limit),
        "Ratelimit-Remaining": str(remaining),
        "Ratelimit-Reset": str(int(reset_s)),
    }


def limiter(clock: Clock, store: MemoryBucketStore | FileBucketStore | None = None) -> RateLimiter:
    return RateLimiter(store, now=clock.now, sleep=clock.sleep)


async def test_before_the_first_answer_only_a_handful_goes_out() -> None:
    clock = Clock()
    rate = limiter(clock)
    for _ in range(FIRST_CALLS):
        await rate.take()
    assert clock.sleeps == []
    await rate.take()
    assert clock.at_s >= NOON_S + 60


async def test_the_first_answer_opens_the_bucket() -> None:
    clock = Clock()
    rate = limiter(clock)
    calls = [await rate.take() for _ in range(FIRST_CALLS)]
    rate.answered(calls[-1], 200, headers(800, 790, NOON_S + 1))
    for _ in range(790 - 9):  # nine of the first ten are still under way
        await rate.take()
    assert clock.sleeps == []
    assert rate.waiting_until is None


async def test_it_waits_for_the_reset_when_nothing_is_left() -> None:
    clock = Clock()
    rate = limiter(clock)
    rate.answered(await rate.take(), 200, headers(30, 0, NOON_S + 7))
    await rate.take()
    assert NOON_S + 7 <= clock.at_s < NOON_S + 8
    for _ in range(29):
        await rate.take()
    assert clock.at_s < NOON_S + 8, "the whole bucket is back after the reset"


async def test_it_tells_until_when_it_waits() -> None:
    clock = Clock()
    rate = limiter(clock)
    rate.answered(await rate.take(), 200, headers(30, 0, NOON_S + 7))
    waiting = asyncio.create_task(rate.take())
    await asyncio.sleep(0)
    assert rate.waiting_until == (NOON_S + 7) * SECOND
    await waiting
    assert rate.waiting_until is None


async def test_parallel_callers_wait_together_and_in_order() -> None:
    clock = Clock()
    rate = limiter(clock)
    rate.answered(await rate.take(), 429, headers(5, 0, NOON_S + 10))
    done: list[int] = []

    async def call(number: int) -> None:
        await rate.take()
        done.append(number)
        assert clock.at_s >= NOON_S + 10

    await asyncio.gather(*(call(number) for number in range(5)))
    assert done == [0, 1, 2, 3, 4]
    # One of them looked at the bucket twice a second; five would have slept five times as long.
    assert len(clock.sleeps) == 20


async def test_a_429_whose_reset_is_past_still_pauses() -> None:
    clock = Clock()
    rate = limiter(clock)
    rate.answered(await rate.take(), 429, headers(800, 0, NOON_S - 5))
    await rate.take()
    assert clock.at_s >= NOON_S + 1


async def test_answers_under_way_do_not_lift_a_429() -> None:
    clock = Clock()
    rate = limiter(clock)
    first, second = [await rate.take() for _ in range(2)]
    rate.answered(first, 429, headers(800, 0, NOON_S + 5))
    rate.answered(second, 200, headers(800, 700, NOON_S + 1))
    await rate.take()
    assert NOON_S + 5 <= clock.at_s < NOON_S + 6


async def test_a_429_without_headers_pauses() -> None:
    clock = Clock()
    rate = limiter(clock)
    rate.answered(await rate.take(), 429)
    await rate.take()
    assert clock.at_s >= NOON_S + 1


async def test_the_reset_is_read_by_twitchs_clock() -> None:
    clock = Clock(at_s=NOON_S + 3600)  # ours is an hour fast
    rate = limiter(clock)
    answer = headers(800, 0, NOON_S + 4) | {"Date": "Tue, 14 Nov 2023 22:13:20 GMT"}  # NOON_S
    rate.answered(await rate.take(), 429, answer)
    await rate.take()
    assert NOON_S + 3604 <= clock.at_s < NOON_S + 3605


async def test_a_reset_hours_away_does_not_stop_us_for_hours() -> None:
    clock = Clock()
    rate = limiter(clock)
    rate.answered(await rate.take(), 200, headers(800, 0, NOON_S + 86_400))
    await rate.take()
    assert clock.at_s <= NOON_S + 301


async def test_our_clock_jumping_back_does_not_stop_us() -> None:
    clock = Clock()
    rate = limiter(clock)
    rate.answered(await rate.take(), 200, headers(800, 0, NOON_S + 30))
    clock.at_s -= 7200
    await rate.take()
    assert clock.sleeps == []


async def test_calls_under_way_are_taken_off_what_is_left() -> None:
    store = MemoryBucketStore()
    rate = limiter(Clock(), store)
    first, _second, _third = [await rate.take() for _ in range(3)]
    rate.answered(first, 200, headers(100, 99, NOON_S + 1))
    assert store.change(lambda bucket: bucket.remaining) == 97


async def test_an_answer_that_was_overtaken_only_lowers() -> None:
    store = MemoryBucketStore()
    rate = limiter(Clock(), store)
    first, second = [await rate.take() for _ in range(2)]
    rate.answered(second, 200, headers(100, 50, NOON_S + 1))
    assert store.change(lambda bucket: bucket.remaining) == 49
    rate.answered(first, 200, headers(100, 99, NOON_S + 1))
    assert store.change(lambda bucket: bucket.remaining) == 49


async def test_a_call_without_an_answer_is_forgotten_after_a_minute() -> None:
    clock = Clock()
    store = MemoryBucketStore()
    rate = limiter(clock, store)
    await rate.take()
    clock.at_s += 61
    await rate.take()
    assert store.change(lambda bucket: list(bucket.in_flight)) == [2]


async def test_nonsense_in_the_headers_is_ignored() -> None:
    store = MemoryBucketStore()
    rate = limiter(Clock(), store)
    call = await rate.take()
    rate.answered(call, 200, {"Ratelimit-Limit": "many", "Ratelimit-Remaining": "-1", "Date": "today"})
    assert store.change(lambda bucket: (bucket.limit, bucket.remaining)) == (None, FIRST_CALLS)


async def test_a_server_that_tells_no_limit_is_not_throttled() -> None:
    clock = Clock()
    rate = limiter(clock)
    for _ in range(100):
        rate.answered(await rate.take(), 200, {})
    assert clock.sleeps == []


class TestFile:
    async def test_two_limiters_share_the_bucket(self, tmp_path: Path) -> None:
        clock = Clock()
        path = tmp_path / "state" / "bucket.json"
        one, two = (limiter(clock, FileBucketStore(path)) for _ in range(2))
        one.answered(await one.take(), 200, headers(3, 2, NOON_S + 9))
        await one.take()
        await two.take()
        assert clock.sleeps == []
        await two.take()
        assert clock.at_s >= NOON_S + 9

    async def test_the_file_is_for_the_owner_only_and_names_no_client(self, tmp_path: Path) -> None:
        path = bucket_path(tmp_path, "my-client-id")
        await limiter(Clock(), FileBucketStore(path)).take()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.parent == tmp_path / "state"
        assert "my-client-id" not in path.name
        assert path != bucket_path(tmp_path, "my-client-id", "12345")

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"limit": 3}', b"\xff"])
    async def test_a_broken_file_starts_afresh(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "bucket.json"
        path.write_bytes(content)
        assert await limiter(Clock(), FileBucketStore(path)).take() == 1

    async def test_a_shorter_state_leaves_nothing_of_a_longer_one(self, tmp_path: Path) -> None:
        path = tmp_path / "bucket.json"
        rate = limiter(Clock(), FileBucketStore(path))
        for call in [await rate.take() for _ in range(5)]:
            rate.answered(call, 200, headers(800, 700, NOON_S + 1))
        expected = Bucket(
            limit=800, remaining=700, reset_at=(NOON_S + 1) * SECOND, last_call=5, answered_call=5
        )
        assert FileBucketStore(path).change(lambda bucket: bucket) == expected

    async def test_a_folder_that_can_not_be_made_leaves_the_process_on_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        rate = limiter(Clock(), FileBucketStore(tmp_path / "file" / "bucket.json"))
        assert [await rate.take(), await rate.take()] == [1, 2]

    def test_processes_at_once_never_take_the_same_call(self, tmp_path: Path) -> None:
        path = tmp_path / "bucket.json"
        FileBucketStore(path).change(_fill)
        script = (
            "import asyncio, sys; from pathlib import Path\n"
            "from collectors.rate_limit import FileBucketStore, RateLimiter\n"
            "async def main():\n"
            "    rate = RateLimiter(FileBucketStore(Path(sys.argv[1])))\n"
            "    for _ in range(100): print(await rate.take())\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-c", script, str(path)]
        root = str(Path(__file__).parents[2])
        running = [
            subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": root})
            for _ in range(3)
        ]
        calls = [int(line) for process in running for line in process.communicate(timeout=60)[0].split()]
        assert sorted(calls) == list(range(1, 301))
        assert FileBucketStore(path).change(lambda bucket: bucket.remaining) == 700


def _fill(bucket: Bucket) -> None:
    from dashboard.events import now_us

    bucket.limit, bucket.remaining, bucket.reset_at = 1000, 1000, now_us() + 200 * SECOND
