"""Where Twitch delivers EventSub notifications: ``POST /eventsub/callback``.

A delivery is answered with 204 only when it survives a kill. What is not Twitch's, too old or broken is
refused, counted and logged, its body never. Requests come from outside without login, cookies and our
host name, so this one address is exempt from those checks: its signature is its key.

Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import orjson
import structlog
from pydantic import SecretStr
from werkzeug.wrappers import Request, Response

from dashboard.errors import ConfigError, ParseError, StorageError
from dashboard.events_base import Instant, now_us
from dashboard.eventsub_message import (
    CHALLENGE,
    NOTIFICATION,
    REVOCATION,
    EventSubMessage,
    from_webhook,
)
from dashboard.eventsub_types import CALLBACK_PATH
from dashboard.instants import parse_instant

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask

log = structlog.get_logger(__name__)

WINDOW_S = 600
MOST_BYTES = 2**20
_PREFIX = "Twitch-Eventsub-Message-"


class Receiver(Protocol):
    """What stands behind the address."""

    def receive(self, message: EventSubMessage) -> bool:
        """Makes a notification durable; False if it was received before."""

    def revoke(self, message: EventSubMessage) -> bool:
        """Writes down that Twitch ended a subscription; False if that was known."""

    def count(self, result: str) -> None:
        """Counts what became of a delivery."""


class _Refused(Exception):
    def __init__(self, status: int, result: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.result, self.reason = status, result, reason


def answer_deliveries(
    server: Flask, secret: Callable[[], SecretStr], receiver: Receiver, *, now: Callable[[], Instant] = now_us
) -> None:
    """Opens the address that Twitch delivers to.

    It answers 204 to what is durable (also to what was received before), 200 with the challenge to a new
    subscription, 400 to what is broken, 403 to a wrong signature and to anything more than ten minutes off,
    413 above 1 MiB, 503 when it could not be stored (Twitch sends it again).

    Args:
        server: Gets the address, in front of its routes: sessions, cookies and page headers mean nothing
            to a delivery and would cost half as much again as the delivery itself.
        secret: Gives what Twitch signs with; asked with each delivery.
        receiver: Stores what is Twitch's.
        now: The clock.
    """
    behind = server.wsgi_app

    def answer(incoming: Request) -> Response:
        try:
            body = _body(incoming)
            _check_signature(_told(secret), incoming, body)
            message = _message(incoming, body, now())
            result, response = _handled(receiver, message)
        except _Refused as refused:
            # Neither body nor headers: whoever sent them may have put anything there.
            log.warning("EventSub delivery refused", result=refused.result, reason=refused.reason)
            result, response = refused.result, Response(refused.reason, refused.status, mimetype="text/plain")
        receiver.count(result)
        return response

    def door(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == CALLBACK_PATH and environ["REQUEST_METHOD"] == "POST":
            return answer(Request(environ))(environ, start_response)
        return behind(environ, start_response)

    server.wsgi_app = door  # type: ignore[method-assign]


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """What Twitch puts into ``Twitch-Eventsub-Message-Signature``.

    Args:
        secret: Given to Twitch with the subscription.
        message_id: The header.
        timestamp: The header, as it came.
        body: As it came, byte for byte.

    Returns:
        ``sha256=`` and 64 hex digits.
    """
    signed = (message_id + timestamp).encode("utf-8", "surrogateescape") + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _check_signature(secret: str, incoming: Request, body: bytes) -> None:
    """Before anything else is looked at."""
    headers = incoming.headers
    expected = signature(
        secret, headers.get(f"{_PREFIX}Id", ""), headers.get(f"{_PREFIX}Timestamp", ""), body
    )
    given = headers.get(f"{_PREFIX}Signature", "")
    # As bytes: compare_digest refuses text that is not ASCII, and a header may hold any.
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise _Refused(403, "bad_signature", "The signature is not Twitch's.")


def _told(secret: Callable[[], SecretStr]) -> str:
    try:
        return secret().get_secret_value()
    except ConfigError as error:
        log.error("EventSub deliveries can't be checked", error=str(error))
        raise _Refused(503, "not_stored", "Not stored. Send it again.") from None


def _body(incoming: Request) -> bytes:
    if (incoming.content_length or 0) > MOST_BYTES:
        raise _Refused(413, "too_large", "The body is too large.")
    body = incoming.stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise _Refused(413, "too_large", "The body is too large.")
    return body


def _message(incoming: Request, body: bytes, received_at: Instant) -> EventSubMessage:
    sent_at = parse_instant(incoming.headers.get(f"{_PREFIX}Timestamp"))
    if sent_at is None:
        raise _Refused(400, "malformed", "The timestamp is none.")
    if abs(received_at - sent_at) > WINDOW_S * 1_000_000:
        raise _Refused(403, "too_old", "The timestamp is more than ten minutes off.")
    try:
        return from_webhook(dict(incoming.headers), body, received_at)
    except ParseError as error:
        raise _Refused(400, "malformed", f"{error}.") from None


def _handled(receiver: Receiver, message: EventSubMessage) -> tuple[str, Response]:
    nothing = Response(status=204)
    try:
        if message.message_type == NOTIFICATION:
            return ("accepted" if receiver.receive(message) else "repeated"), nothing
        if message.message_type == REVOCATION:
            is_new = receiver.revoke(message)
            return ("revoked" if is_new else "repeated"), nothing
    except StorageError as error:
        log.error("EventSub delivery not stored", error=str(error))
        return "not_stored", Response("Not stored. Send it again.", 503, mimetype="text/plain")
    if message.message_type == CHALLENGE:
        challenge = orjson.loads(message.body).get("challenge")
        if isinstance(challenge, str) and challenge:
            return "verified", Response(challenge, 200, content_type="text/plain")
    raise _Refused(400, "malformed", "The message type is unknown, or its challenge is missing.")
