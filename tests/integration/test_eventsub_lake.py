"""EventSub in the lake: what two transports tell is stored once."""

from __future__ import annotations

import json
from pathlib import Path

from collectors.eventsub_parse import parse_notification
from dashboard.eventsub_message import from_webhook
from dashboard.storage.ingest import Ingest
from dashboard.storage.store import Store
from tests.chat_both import HEADERS, NOW, Said, emote, eventsub_event, irc_events, words


def message(name: str, event: object) -> bytes:
    return json.dumps({"subscription": {"id": "s1", "type": name, "version": "1"}, "event": event}).encode()


def test_a_message_told_over_irc_and_eventsub_is_one(tmp_path: Path) -> None:
    said = Said(
        parts=[words("hi "), emote("Kappa", "25")],
        irc_tags={"bits": "5"},
        fields={"cheer": {"bits": 5}, "message_type": "text"},
    )
    came = from_webhook(HEADERS, message("channel.chat.message", eventsub_event(said)), NOW)
    with Ingest(tmp_path, "irc") as ingest:
        ingest.put(irc_events(said))
        ingest.put(parse_notification(came))
        ingest.put(parse_notification(came))
    store = Store(tmp_path)
    rows = store.sql("select source, emotes, text from chat_messages").rows
    assert rows == [("irc", "25:3-7", "hi Kappa")]
    assert store.sql("select count(*), sum(bits) from bits").rows == [(1, 5)]
    assert store.sql(
        "select body = ?, transport from notifications".replace("?", _quoted(came.body))
    ).rows == [(True, "webhook")]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
