"""EventSub messages: something that happened, and the envelopes in which it is brought."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dashboard.sandbox.eventsub_store import Subscription
from dashboard.sandbox.nanos import nanos

Payload = dict[str, Any]


@dataclass(slots=True)
class Told:
    """One happening as EventSub tells it, before anybody is known who wants it."""

    at_s: float
    name: str
    subject: str
    """Field and value of the condition that it fits: ``broadcaster_user_id:12``."""
    event: Payload
    key: str
    """The same for the same happening however often it is told: message ids are made of it."""
    version: str = "1"
    reward_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one subscription; told again with the same id."""

    message_id: str
    message_type: str
    timestamp: str
    subscription: Subscription
    payload: Mapping[str, Any]


def notification(subscription: Subscription, told: Told, now_s: float) -> Message:
    """A happening for a subscription.

    Args:
        subscription: Who gets it.
        told: What happened.
        now_s: When it is sent (Unix time).
    """
    name = f"{subscription.subscription_id} {told.key}"
    message_id = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    payload = {"subscription": subscription.as_dict(is_brief=True), "event": told.event}
    return Message(message_id, "notification", nanos(now_s, zlib.crc32(name.encode())), subscription, payload)


def revocation(subscription: Subscription, now_s: float) -> Message:
    """That a subscription has ended; the reason is its status."""
    payload = {"subscription": subscription.as_dict(is_brief=True)}
    return Message(str(uuid.uuid4()), "revocation", nanos(now_s, 1), subscription, payload)


def frame(message: Message) -> str:
    """A notification or revocation for a WebSocket."""
    kind = message.subscription.kind
    metadata = {
        "message_id": message.message_id,
        "message_type": message.message_type,
        "message_timestamp": message.timestamp,
        "subscription_type": kind.name,
        "subscription_version": kind.version,
    }
    return orjson.dumps({"metadata": metadata, "payload": message.payload}).decode()


def session_frame(message_type: str, now_s: float, payload: Mapping[str, Any]) -> str:
    """A message about the WebSocket itself: welcome, keepalive, reconnect."""
    metadata = {
        "message_id": str(uuid.uuid4()),
        "message_type": message_type,
        "message_timestamp": nanos(now_s, 792),
    }
    return orjson.dumps({"metadata": metadata, "payload": payload}).decode()
