"""Runs the benchmarks and keeps what they measured as JSON in ``bench/results``.

``make bench`` runs all; ``python -m bench ingest live`` some; ``--quick`` smaller sizes, for a look.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "bench" / "results"
_NAMES = (
    "parse",
    "ingest",
    "live",
    "latency",
    "api",
    "webhook",
    "sync",
    "capture",
    "chatters",
    "accounts",
    "communities",
    "map",
)


def main() -> None:
    """Runs what was asked for, prints it and keeps it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(_NAMES)}; all when none is given")
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    options = parser.parse_args()
    _RESULTS.mkdir(parents=True, exist_ok=True)
    for name in options.names or _NAMES:
        module = importlib.import_module(f"bench.bench_{name}")
        started_s = time.monotonic()
        result = module.run(**(module.QUICK if options.quick else {}))
        record = {
            "benchmark": name,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "took_s": round(time.monotonic() - started_s, 1),
            "machine": _machine(),
            "result": result,
        }
        (_RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(record, indent=1), flush=True)


def _machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}


if __name__ == "__main__":
    main()
