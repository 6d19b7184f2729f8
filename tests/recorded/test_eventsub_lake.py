"""The recorded EventSub payloads in the lake: every kind is read back whole."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.eventsub_parse import parse_notification
from dashboard.events import Event, Instant
from dashboard.eventsub_message import from_webhook
from dashboard.storage.ingest import Ingest
from dashboard.storage.store import Store

NOW = Instant(1_800_000_000_000_000)


def test_every_recorded_payload_is_read_back(tmp_path: Path, recorded_dir: Path) -> None:
    told: dict[tuple[str, str], Event] = {}
    for number, file in enumerate(sorted((recorded_dir / "eventsub").glob("*/*.json"))):
        body = file.read_bytes()
        payload = json.loads(body)
        if not isinstance(payload, dict) or "subscription" not in payload:
            continue
        headers = {
            "Twitch-Eventsub-Message-Id": f"m{number}",
            "Twitch-Eventsub-Message-Timestamp": "2024-09-10T03:13:31.634234626Z",
            "Twitch-Eventsub-Message-Type": "notification",
        }
        for event in parse_notification(from_webhook(headers, body, NOW)):
            # The same happening stands in both collections of payloads; the first one is stored.
            told.setdefault((event.kind, event.event_id), event)
    if not told:
        pytest.skip(f"no EventSub payloads in {recorded_dir}")
    with Ingest(tmp_path, "webhook") as ingest:
        ingest.put(list(told.values()))

    store = Store(tmp_path)
    assert len(Counter(kind for kind, _ in told)) > 20
    for kind in {kind for kind, _ in told}:
        table = store.sql(f"select * from {kind}", max_rows=1_000)
        stored = {
            row["event_id"]: row for row in (dict(zip(table.columns, row, strict=True)) for row in table.rows)
        }
        wanted = {event_id: asdict(event) for (its, event_id), event in told.items() if its == kind}  # type: ignore[call-overload]
        assert stored.keys() == wanted.keys()
        for event_id, row in stored.items():
            assert {name: _plain(value) for name, value in row.items()} == wanted[event_id], (kind, event_id)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.replace(microsecond=0).timestamp()) * 1_000_000 + value.microsecond
    return value
