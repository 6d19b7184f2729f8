"""What the API tells about the installation: who is alive, how fresh the data is, which versions run."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from typing import Any

from dashboard.access import Access
from dashboard.api.reading import rfc3339
from dashboard.events import KINDS, Instant, now_us
from dashboard.insights.records import Records
from dashboard.storage.state import State

API_VERSION = "1.0.0"
_SILENT_S = 30.0
_PROCESSES = ("collector", "worker", "eventsub", "eventsub-webhook", "s3")
_PACKAGES = ("duckdb", "pyarrow", "flask")


def health_report(
    state: State, records: Records, *, now: Callable[[], Instant] = now_us
) -> Callable[[Access], dict[str, Any]]:
    """Makes the report that the resource ``health`` gives.

    Args:
        state: What the processes said of themselves; only ages are told of it.
        records: How fresh each kind is.
        now: The wall clock.

    Returns:
        A function from who asks to the report; nothing in it depends on the channels one may see.
    """

    def report(_: Access) -> dict[str, Any]:
        at = now()
        parts = {name: part for name in _PROCESSES if (part := _part(state, name, at)) is not None}
        fresh = records.freshness(KINDS)
        return {
            "status": "ok",
            "at": rfc3339(at),
            "parts": parts,
            "freshness": {
                kind: {"newest_received_at": rfc3339(newest), "age_s": max(0.0, (at - newest) / 1e6)}
                for kind, newest in fresh.items()
            },
            "versions": {
                "api": API_VERSION,
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in _PACKAGES},
            },
        }

    return report


def _part(state: State, name: str, now: Instant) -> dict[str, Any] | None:
    status = state.read_status(name)
    if status is None:
        return None
    age_s = round((now - status.updated_at) / 1e6, 1)
    return {"is_alive": age_s <= _SILENT_S and not status.payload.get("stopped_at"), "age_s": age_s}
