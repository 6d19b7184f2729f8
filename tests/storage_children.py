"""Processes that the fault tests start, kill and starve."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from pathlib import Path

from dashboard.storage.compaction import Compactor
from dashboard.storage.ingest import Ingest
from tests.storage_events import message

BLOCK = 1_000_000
"""Numbers of one child; what it acknowledged is told by the last number."""


def flood(data_dir: Path, child: int, pipe: Connection) -> None:
    """Puts numbered events as fast as it can and tells after each sync how far they are durable."""
    number = child * BLOCK
    with Ingest(data_dir, flush_interval_s=0.05) as ingest:
        pipe.send(number)
        while True:
            for _ in range(5):
                events = [message(number + step + 1, room=f"room{step % 7}") for step in range(40)]
                number += 40
                # As Twitch does after a reconnect: the last ones come again.
                ingest.put([*events, *events[-5:]])
            ingest.sync()
            pipe.send(number)


def compact_for_ever(data_dir: Path) -> None:
    """Compacts without a pause, every other time everything there is."""
    rounds = 0
    while True:
        rounds += 1
        Compactor(data_dir).run(everything=rounds % 2 == 0, grace_s=0.5)
        time.sleep(0.02)


def fill_disk(data_dir: Path, count: int, limit_bytes: int | None, pipe: Connection) -> None:
    """Puts ``count`` events under a file-size limit and tells its trouble until all are visible."""
    import resource

    if limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    with Ingest(data_dir, flush_interval_s=0.05, queue_events=1_000_000) as ingest:
        for first in range(0, count, 100):
            ingest.put([message(number, text="x" * 200) for number in range(first + 1, first + 101)])
            ingest.sync(0.05)
        while not ingest.flush(0.1):
            stats = ingest.stats()
            pipe.send((stats.trouble, stats.acknowledged_count))
        stats = ingest.stats()
        pipe.send((stats.trouble, stats.acknowledged_count))
    pipe.send(None)
