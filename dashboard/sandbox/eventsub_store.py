"""EventSub subscriptions: who asked for what, and how it is brought."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from dashboard.sandbox.eventsub_types import BROADCASTER, CLIENT, USER, SubscriptionType
from dashboard.sandbox.nanos import nanos

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
VERIFICATION_FAILED = "webhook_callback_verification_failed"
FAILURES_EXCEEDED = "notification_failures_exceeded"
AUTHORIZATION_REVOKED = "authorization_revoked"
_SUBJECTS = (BROADCASTER, "to_broadcaster_user_id", "from_broadcaster_user_id", USER, CLIENT)


@dataclass(slots=True, eq=False)
class Transport:
    """How notifications are brought; also a conduit's shard has one."""

    method: str
    callback: str = ""
    secret: str = field(default="", repr=False)
    session_id: str = ""
    conduit_id: str = ""
    connected_s: float = 0.0
    disconnected_s: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """As Helix shows it: never the secret."""
        if self.method == "webhook":
            return {"method": "webhook", "callback": self.callback}
        if self.method == "conduit":
            return {"method": "conduit", "conduit_id": self.conduit_id}
        told: dict[str, object] = {"method": "websocket", "session_id": self.session_id}
        if self.connected_s:
            told["connected_at"] = nanos(self.connected_s, 298)
        if self.disconnected_s:
            told["disconnected_at"] = nanos(self.disconnected_s, 295)
        return told


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscription."""

    kind: SubscriptionType
    condition: dict[str, str]
    transport: Transport
    client_id: str
    owner_login: str
    """Whose token made it; empty for an app's."""
    cost: int
    created_s: float
    status: str = ENABLED
    subscription_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    failure_count: int = 0
    """Notifications in a row that could not be delivered to the webhook."""
    failing_since_s: float = 0.0

    @property
    def subject(self) -> str:
        """Who it is about: the first field of the condition that tells, and its value."""
        return next(f"{name}:{self.condition[name]}" for name in _SUBJECTS if self.condition.get(name))

    def as_dict(self, *, is_brief: bool = False) -> dict[str, object]:
        """As Helix shows it; brief as notifications do (a WebSocket's times are left out)."""
        transport = self.transport.as_dict()
        if is_brief:
            transport.pop("connected_at", None)
            transport.pop("disconnected_at", None)
        return {
            "id": self.subscription_id,
            "status": self.status,
            "type": self.kind.name,
            "version": self.kind.version,
            "condition": dict(self.condition),
            "created_at": nanos(self.created_s, 634),
            "transport": transport,
            "cost": self.cost if self.status in (ENABLED, PENDING) else 0,
        }


class Subscriptions:
    """All subscriptions of all apps and people."""

    def __init__(self) -> None:
        self._by_id: dict[str, Subscription] = {}
        self._enabled: dict[tuple[str, str, str], list[Subscription]] = {}
        self.wanted: dict[str, frozenset[str]] = {}
        """What is subscribed to, by subject (``broadcaster_user_id:12``): names of types."""

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._by_id.values()))

    def get(self, subscription_id: str) -> Subscription | None:
        """The subscription with this id."""
        return self._by_id.get(subscription_id)

    def add(self, subscription: Subscription) -> None:
        """Keeps a new one."""
        self._by_id[subscription.subscription_id] = subscription
        self.changed()

    def remove(self, subscription: Subscription) -> None:
        """Forgets one."""
        self._by_id.pop(subscription.subscription_id, None)
        self.changed()

    def forget_closed(self, before_s: float) -> None:
        """Drops those whose WebSocket was gone by then; Twitch lists them for a while too."""
        self._by_id = {
            key: s
            for key, s in self._by_id.items()
            if not 0 < s.transport.disconnected_s < before_s or s.status == ENABLED
        }

    def set_status(self, subscription: Subscription, status: str) -> None:
        """Enables one, or ends it for a reason."""
        subscription.status = status
        self.changed()

    def changed(self) -> None:
        """Files the enabled ones anew, so that looking up costs nothing."""
        self._enabled = {}
        wanted: dict[str, set[str]] = {}
        for subscription in self._by_id.values():
            if subscription.status == ENABLED:
                kind, subject = subscription.kind, subscription.subject
                self._enabled.setdefault((kind.name, kind.version, subject), []).append(subscription)
                wanted.setdefault(subject, set()).add(kind.name)
        self.wanted = {subject: frozenset(names) for subject, names in wanted.items()}

    def matching(self, name: str, version: str, subject: str) -> list[Subscription]:
        """The enabled ones of a type and subject."""
        return self._enabled.get((name, version, subject), [])

    def of_owner(self, client_id: str, owner_login: str) -> list[Subscription]:
        """An app's own (no login) or a person's, oldest first."""
        return [s for s in self._by_id.values() if s.client_id == client_id and s.owner_login == owner_login]

    def of_session(self, session_id: str) -> list[Subscription]:
        """Those that a WebSocket brings, or brought."""
        return [s for s in self._by_id.values() if s.transport.session_id == session_id]

    @staticmethod
    def cost(subscriptions: list[Subscription]) -> int:
        """What the enabled and pending ones of a list cost together."""
        return sum(s.cost for s in subscriptions if s.status in (ENABLED, PENDING))
