"""An EventSub message as it arrived, whichever transport brought it, before anything is read out of it.

The webhook gives headers and a body (:func:`from_webhook`), WebSocket and conduit a frame
(:func:`from_frame`); what comes out is the same. ``collectors.eventsub_parse`` turns it into events.

Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#list-of-request-headers and
https://dev.twitch.tv/docs/eventsub/handling-websocket-events/#notification-message
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dashboard.errors import ParseError
from dashboard.events_base import Instant
from dashboard.instants import parse_instant

NOTIFICATION = "notification"
REVOCATION = "revocation"
CHALLENGE = "webhook_callback_verification"


@dataclass(frozen=True, slots=True)
class EventSubMessage:
    """One message of Twitch's, with the content taken out of its envelope and the envelope kept whole."""

    message_id: str
    """Twitch's id of the message; the same when Twitch sends it again."""
    sent_at: Instant
    """When Twitch sent it first; nanoseconds are cut off to µs."""
    received_at: Instant
    eventsub_type: str
    """``channel.follow``…; for session messages of a WebSocket empty."""
    version: str | None
    subscription: dict[str, Any]
    """The subscription that it answers: id, status, condition, transport, cost, created_at."""
    event: dict[str, Any] | list[Any]
    """What happened; a list where Twitch sends several at once (drops). Empty when there is none."""
    body: str
    """What came, verbatim: of a webhook the body of the request, of a WebSocket the whole frame."""
    transport: str
    """``webhook``, ``websocket`` or ``conduit``."""
    message_type: str = NOTIFICATION
    """Twitch's word for it: also ``revocation``, ``webhook_callback_verification``, ``session_welcome``…"""


def from_webhook(headers: Mapping[str, str], body: bytes, received_at: Instant) -> EventSubMessage:
    """Reads a request to the webhook; its signature must have been checked before.

    Args:
        headers: Of the request; upper and lower case are the same.
        body: As it came.
        received_at: When it came.

    Returns:
        The message. Of a challenge the body holds the word to answer with.

    Raises:
        ParseError: A header that every message has is missing or no possible value, or the body is
            not a JSON object in UTF-8; says which, and nothing of the content.

    Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#list-of-request-headers
    """
    told = {
        name.lower().removeprefix("twitch-eventsub-"): value
        for name, value in headers.items()
        if name.lower().startswith("twitch-eventsub-")
    }
    return _message(
        {
            "message_id": told.get("message-id"),
            "message_type": told.get("message-type"),
            "message_timestamp": told.get("message-timestamp"),
            "subscription_type": told.get("subscription-type"),
            "subscription_version": told.get("subscription-version"),
        },
        _object(body),
        _text(body),
        received_at,
        "webhook",
    )


def from_frame(frame: str | bytes, received_at: Instant, *, transport: str = "websocket") -> EventSubMessage:
    """Reads a frame of an EventSub WebSocket (also of a conduit's shard).

    Args:
        frame: As it came: ``{"metadata": {…}, "payload": {…}}``.
        received_at: When it came.
        transport: ``websocket`` or ``conduit``.

    Returns:
        The message; of session messages (welcome, keepalive, reconnect) with an empty
        ``eventsub_type`` and the session in the body only.

    Raises:
        ParseError: It is no such frame; says what is missing, and nothing of the content.

    Source: https://dev.twitch.tv/docs/eventsub/websocket-reference/
    """
    content = _object(frame)
    metadata, payload = content.get("metadata"), content.get("payload")
    if not isinstance(metadata, dict):
        raise ParseError("the EventSub frame has no metadata")
    told = payload if isinstance(payload, dict) else {}
    return _message(metadata, told, _text(frame), received_at, transport)


def from_metadata(
    metadata: Mapping[str, Any],
    payload: Mapping[str, Any],
    received_at: Instant,
    *,
    transport: str = "websocket",
) -> EventSubMessage:
    """The same for a frame that somebody has decoded already.

    Args:
        metadata: The frame's ``metadata``.
        payload: The frame's ``payload``.
        received_at: When it came.
        transport: ``websocket`` or ``conduit``.

    Returns:
        The message; its body is the frame written again, with the same content.

    Raises:
        ParseError: The metadata lack what every message has.
    """
    frame = {"metadata": dict(metadata), "payload": dict(payload)}
    try:
        body = orjson.dumps(frame).decode()
    except TypeError:  # what orjson refuses, such as lone surrogates or numbers beyond 64 bits
        body = json.dumps(frame)
    return _message(metadata, payload, body, received_at, transport)


def _message(
    metadata: Mapping[str, Any],
    payload: Mapping[str, Any],
    body: str,
    received_at: Instant,
    transport: str,
) -> EventSubMessage:
    message_id, sent_at = metadata.get("message_id"), parse_instant(metadata.get("message_timestamp"))
    message_type = metadata.get("message_type")
    if not isinstance(message_id, str) or not message_id:
        raise ParseError("the EventSub message has no id")
    if sent_at is None:
        raise ParseError("the EventSub message has no timestamp (RFC 3339)")
    if not isinstance(message_type, str) or not message_type:
        raise ParseError("the EventSub message has no message type")
    subscription = payload.get("subscription")
    if not isinstance(subscription, dict):
        subscription = {}
    if message_type in (NOTIFICATION, REVOCATION, CHALLENGE) and not subscription:
        raise ParseError(f"the EventSub {message_type} names no subscription")
    event = payload.get("event", payload.get("events"))
    version = subscription.get("version") or metadata.get("subscription_version")
    return EventSubMessage(
        message_id=message_id,
        sent_at=sent_at,
        received_at=received_at,
        eventsub_type=str(subscription.get("type") or metadata.get("subscription_type") or ""),
        version=str(version) if version else None,
        subscription=subscription,
        event=event if isinstance(event, dict | list) else {},
        body=body,
        transport=transport,
        message_type=message_type,
    )


def _object(content: str | bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ParseError("the EventSub message is not JSON") from None
    if not isinstance(found, dict):
        raise ParseError("the EventSub message is not a JSON object")
    return found


def _text(content: str | bytes) -> str:
    # JSON that could be read is UTF-8 without a fault.
    return content if isinstance(content, str) else content.decode()
