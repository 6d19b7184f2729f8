"""EventSub messages for the tests: numbered follows, as the webhook and as a WebSocket bring them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from dashboard.events import Instant, now_us
from dashboard.eventsub_message import EventSubMessage, from_webhook

SUBSCRIPTION = "f1c2a387-161a-49f9-a165-0f21d7a4e1c4"


def content(number: int, *, subscription_id: str = SUBSCRIPTION) -> dict[str, Any]:
    """Subscription and event of the follow with that number."""
    return {
        "subscription": {
            "id": subscription_id,
            "type": "channel.follow",
            "version": "2",
            "status": "enabled",
            "cost": 0,
            "condition": {"broadcaster_user_id": "1337", "moderator_user_id": "1337"},
            "transport": {"method": "webhook", "callback": "https://example.com/eventsub/callback"},
            "created_at": "2023-07-15T18:16:11.17106713Z",
        },
        "event": {
            "user_id": str(100 + number),
            "user_login": f"viewer{number}",
            "user_name": f"Viewer{number}",
            "broadcaster_user_id": "1337",
            "broadcaster_user_login": "alpha",
            "broadcaster_user_name": "Alpha",
            "followed_at": "2023-07-15T18:16:11.17106713Z",
        },
    }


def stamp(at: int | None = None) -> str:
    """An instant (now, when left out) as Twitch writes it."""
    moment = datetime.fromtimestamp((now_us() if at is None else at) / 1e6, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}123Z"


def delivery(number: int, *, at: int | None = None, body: bytes | None = None) -> EventSubMessage:
    """A delivery as the webhook reads it; the same number is the same message."""
    headers = {
        "Twitch-Eventsub-Message-Id": f"message-{number}",
        "Twitch-Eventsub-Message-Type": "notification",
        "Twitch-Eventsub-Message-Timestamp": stamp(at),
        "Twitch-Eventsub-Subscription-Type": "channel.follow",
    }
    received_at = now_us() if at is None else Instant(at + 50_000)
    return from_webhook(headers, orjson.dumps(content(number)) if body is None else body, received_at)


def frame(number: int) -> str:
    """The same follow as a WebSocket brings it."""
    metadata = {
        "message_id": f"message-{number}",
        "message_type": "notification",
        "message_timestamp": stamp(),
        "subscription_type": "channel.follow",
        "subscription_version": "2",
    }
    return orjson.dumps({"metadata": metadata, "payload": content(number)}).decode()
