"""How fast the lake goes to S3 and back, beside one plain PUT after the other, and in how much memory.

Against OpenStack Swift on this machine (a real S3 server that checks signatures and hashes), so the
figures are bounded by it and by the disk; the ratio to the plain way is what counts. Run it with
``python -m bench.bench_sync [MEGABYTES]``.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard.events import Instant, now_us
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.lake import LakePaths
from dashboard.storage.restore import restore
from dashboard.storage.sync import sync_once
from tests.s3_servers import BUCKET, S3Server, running_swift

QUICK: dict[str, Any] = {"megabytes": 200, "small_files": 200}
"""For a look; the published figures take the defaults of :func:`run`."""

_LARGE_BYTES = 40 << 20
_SMALL_BYTES = 20 << 10
_BASELINE_SHARE = 4
"""The plain way is measured on so small a part of the files: it is slow enough."""


def run(megabytes: int = 600, small_files: int = 1500) -> dict[str, Any]:
    """Measures large files and small ones apart, a run that finds nothing new, and the way back.

    Args:
        megabytes: Of large files, as compaction leaves them.
        small_files: Of 20 kB, as they are while a day is young.

    Returns:
        Megabytes (or files) a second, their ratios to plain PUTs in the same run, and memory.
    """
    with running_swift() as server, tempfile.TemporaryDirectory(prefix="streamlens-bench-") as folder:
        large = Path(folder) / "large"
        count = max(2, megabytes * 1_000_000 // _LARGE_BYTES)
        _fill(large, count, _LARGE_BYTES)
        plain_mb_s = _plain(server, large, count // _BASELINE_SHARE or 1)["mb_per_s"]
        sync_once(server.settings(Path(folder) / "warm", s3_prefix="warm"))  # boto3 itself is not the sync's
        memory = _Memory()
        sent = _timed(lambda: sync_once(server.settings(large, s3_prefix="large"), everything=True))
        grown_mb = memory.stop()
        idle = _timed(lambda: sync_once(server.settings(large, s3_prefix="large")))
        back = _timed(lambda: restore(server.settings(large, s3_prefix="large"), to=Path(folder) / "back"))

        small = Path(folder) / "small"
        _fill(small, small_files, _SMALL_BYTES)
        plain_files_s = _plain(server, small, small_files // _BASELINE_SHARE or 1)["files_per_s"]
        small_s = _timed(lambda: sync_once(server.settings(small, s3_prefix="small"), everything=True))
    total_mb = count * _LARGE_BYTES / 1e6
    return {
        "large_mb": round(total_mb),
        "large_mb_per_s": round(total_mb / sent),
        "plain_put_mb_per_s": round(plain_mb_s),
        "large_ratio_to_plain_put": round(total_mb / sent / plain_mb_s, 2),
        "restore_mb_per_s": round(total_mb / back),
        "memory_grew_mb": round(grown_mb),
        "small_files": small_files,
        "small_files_per_s": round(small_files / small_s),
        "plain_put_files_per_s": round(plain_files_s),
        "small_ratio_to_plain_put": round(small_files / small_s / plain_files_s, 2),
        "nothing_new_ms": round(idle * 1000),
    }


def _fill(data_dir: Path, count: int, size: int) -> None:
    """Files of noise that the catalogue takes for the lake; the sync does not look inside."""
    paths = LakePaths(data_dir)
    folder = paths.lake / "kind=chat_messages" / "date=2026-01-01"
    folder.mkdir(parents=True)
    at, files = Instant(now_us()), []
    for number in range(count):
        path = folder / f"9-{number:013d}-00000000.parquet"
        path.write_bytes(os.urandom(size))
        name = str(path.relative_to(paths.lake))
        files.append(
            NewFile(name, "chat_messages", "2026-01-01", 9, 1, size, at, at, at, ("a",), ("event_id",))
        )
    catalog = Catalog(paths.catalog, paths.lake)
    catalog.add(files)
    catalog.close()


def _plain(server: S3Server, data_dir: Path, count: int) -> dict[str, float]:
    """The usual way: one PUT after the other, each file whole."""
    client = server.client()
    files = sorted((data_dir / "lake").rglob("*.parquet"))[:count]
    started_s, size = time.perf_counter(), 0
    for path in files:
        with path.open("rb") as body:
            client.put_object(Bucket=BUCKET, Key=f"plain/{path.name}", Body=body)
        size += path.stat().st_size
    took_s = time.perf_counter() - started_s
    return {"mb_per_s": size / 1e6 / took_s, "files_per_s": len(files) / took_s}


def _timed(action: Callable[[], Any]) -> float:
    started_s = time.perf_counter()
    action()
    return time.perf_counter() - started_s


class _Memory:
    """Watches how much this process grows."""

    def __init__(self) -> None:
        self._first_mb = self._highest_mb = _rss_mb()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Megabytes over the start at the highest."""
        self._over.set()
        self._thread.join()
        return self._highest_mb - self._first_mb

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self._highest_mb = max(self._highest_mb, _rss_mb())


def _rss_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return highest / (2**20 if sys.platform == "darwin" else 2**10)
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    """Prints the figures as JSON."""
    megabytes = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else 600
    print(json.dumps(run(megabytes), indent=1))


if __name__ == "__main__":
    main()
