"""EventSub to webhooks: the challenge, signed notifications, retries.

Kept as on Twitch: delivery is at least once, with the same message id at each attempt and growing
waits in between; any 2xx within a few seconds is an acknowledgement; a callback that fails for
long loses its subscription.

Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from dashboard.sandbox.eventsub_messages import Message
from dashboard.sandbox.eventsub_store import Subscription, Transport
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.nanos import nanos

_PENDING_MOST = 50_000
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    """How patient the sender is. Twitch publishes no figures; these are what is observed, about."""

    answer_within_s: float = 5.0
    waits_s: tuple[float, ...] = (1.0, 5.0, 20.0, 60.0)
    """Before the second, third … attempt."""
    failures: int = 20
    """So many notifications in a row that failed for good, …"""
    failing_s: float = 600.0
    """… over at least this time, end the subscription."""


def is_near(callback: str) -> bool:
    """Whether an address is on this machine or its own network: nothing is sent anywhere else.

    Args:
        callback: ``http(s)://…``
    """
    parts = urlsplit(callback)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name without a dot is a container next door; anything else could be on the internet.
        return "." not in host or host.endswith(".localhost")
    return address.is_loopback or address.is_private


class WebhookSender:
    """Sends to callbacks.

    Args:
        faults: What is broken on order.
        now_s: What time it is in the world.
        policy: How patient it is.
        on_result: Called with a subscription and whether a notification arrived in the end.
    """

    def __init__(
        self,
        faults: Faults,
        now_s: Callable[[], float],
        policy: WebhookPolicy,
        on_result: Callable[[Message, bool], None],
    ) -> None:
        self._faults, self._now_s, self._policy, self._on_result = faults, now_s, policy, on_result
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._held: list[tuple[Transport, Message]] = []
        self.sent_count = 0
        self.dropped_count = 0

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs something on the side, until the server ends."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, transport: Transport, message: Message) -> None:
        """Delivers a message in its own time, with the faults that were ordered.

        Args:
            transport: The subscription's own, or a shard's.
            message: What to bring.
        """
        if len(self._tasks) >= _PENDING_MOST:
            self.dropped_count += 1
            return
        if self._faults.webhook_out_of_order and message.message_type == "notification":
            # Kept back until the next one has gone.
            self._held.append((transport, message))
            if len(self._held) < 2:
                return
            self._held.reverse()
            ready, self._held = self._held, []
        else:
            ready, self._held = [*self._held, (transport, message)], []
        for where, what in ready:
            for _ in range(1 + self._faults.webhook_duplicates):
                self.start(self._deliver(where, what))

    async def _deliver(self, transport: Transport, message: Message) -> None:
        if self._faults.webhook_delay_s:
            await asyncio.sleep(self._faults.webhook_delay_s)
        body = orjson.dumps(message.payload)
        for attempt, wait_s in enumerate((0.0, *self._policy.waits_s)):
            await asyncio.sleep(wait_s)
            if await self._post(transport, message, body, attempt) is not None:
                self._on_result(message, True)
                return
        self._on_result(message, False)

    async def _post(self, transport: Transport, message: Message, body: bytes, attempt: int) -> str | None:
        """One attempt; the text of a 2xx answer, else ``None``."""
        kind = message.subscription.kind
        headers = {
            "Content-Type": "application/json",
            "Twitch-Eventsub-Message-Id": message.message_id,
            "Twitch-Eventsub-Message-Retry": str(attempt),
            "Twitch-Eventsub-Message-Type": message.message_type,
            "Twitch-Eventsub-Message-Signature": signature(
                transport.secret, message.message_id, message.timestamp, body
            ),
            "Twitch-Eventsub-Message-Timestamp": message.timestamp,
            "Twitch-Eventsub-Subscription-Type": kind.name,
            "Twitch-Eventsub-Subscription-Version": kind.version,
        }
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._policy.answer_within_s)
            self._session = aiohttp.ClientSession(
                timeout=timeout, connector=aiohttp.TCPConnector(limit=0), trust_env=False
            )
        gate = self._gates.setdefault(transport.callback, asyncio.Semaphore(_AT_ONCE))
        try:
            async with (
                gate,
                self._session.post(
                    transport.callback, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                text = await answer.text(errors="replace")
                self.sent_count += 1
                return text if 200 <= answer.status < 300 else None
        except (TimeoutError, aiohttp.ClientError, OSError):
            return None

    async def verify(self, transport: Transport, subscription: Subscription) -> bool:
        """Sends the challenge; whether the callback answered with it, raw and with a 2xx.

        Args:
            transport: The callback and its secret.
            subscription: What is told beside the challenge.
        """
        challenge = secrets.token_urlsafe(24)
        payload: Mapping[str, Any] = {
            "challenge": challenge,
            "subscription": subscription.as_dict(is_brief=True),
        }
        message_id, timestamp = secrets.token_hex(16), nanos(self._now_s(), 7)
        kind = "webhook_callback_verification"
        message = Message(message_id, kind, timestamp, subscription, payload)
        return await self._post(transport, message, orjson.dumps(payload), 0) == challenge

    async def stop(self) -> None:
        """Gives up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """What the header ``Twitch-Eventsub-Message-Signature`` says."""
    text = message_id.encode() + timestamp.encode() + body
    return "sha256=" + hmac.new(secret.encode(), text, "sha256").hexdigest()
