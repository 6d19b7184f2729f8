"""Conduits: subscriptions of an app that are brought by several connections.

Source: https://dev.twitch.tv/docs/eventsub/handling-conduit-events/
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from dashboard.sandbox.eventsub_store import ENABLED, Transport

MOST_CONDUITS = 5
MOST_SHARDS = 20_000


@dataclass(slots=True, eq=False)
class Shard:
    """One connection of a conduit."""

    shard_id: int
    transport: Transport
    status: str

    def as_dict(self) -> dict[str, object]:
        """As Helix shows it."""
        return {"id": str(self.shard_id), "status": self.status, "transport": self.transport.as_dict()}


@dataclass(slots=True, eq=False)
class Conduit:
    """One conduit. A shard that was never given a transport is not in ``shards``."""

    client_id: str
    shard_count: int
    conduit_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    shards: dict[int, Shard] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """As Helix shows it."""
        return {"id": self.conduit_id, "shard_count": self.shard_count}

    def pick(self, message_id: str) -> list[Shard]:
        """The shard that brings a message, and another one in case that it can't.

        Args:
            message_id: The same message always goes the same way while the shards are the same.
        """
        ready = [shard for _, shard in sorted(self.shards.items()) if shard.status == ENABLED]
        if not ready:
            return []
        first = zlib.crc32(message_id.encode()) % len(ready)
        return [ready[first], *ready[first + 1 :], *ready[:first]][:2]


class Conduits:
    """All conduits.

    Args:
        on_disabled: Called with a conduit and a shard that can't be reached any more.
    """

    def __init__(self, on_disabled: Callable[[Conduit, Shard], None]) -> None:
        self._by_id: dict[str, Conduit] = {}
        self._on_disabled = on_disabled

    def of_client(self, client_id: str) -> list[Conduit]:
        """An app's conduits, oldest first."""
        return [conduit for conduit in self._by_id.values() if conduit.client_id == client_id]

    def get(self, client_id: str, conduit_id: str) -> Conduit | None:
        """An app's conduit with this id."""
        conduit = self._by_id.get(conduit_id)
        return conduit if conduit and conduit.client_id == client_id else None

    def find(self, conduit_id: str) -> Conduit | None:
        """Anybody's conduit with this id."""
        return self._by_id.get(conduit_id)

    def add(self, client_id: str, shard_count: int) -> Conduit:
        """Makes one."""
        conduit = Conduit(client_id, shard_count)
        self._by_id[conduit.conduit_id] = conduit
        return conduit

    def remove(self, conduit: Conduit) -> None:
        """Ends one."""
        self._by_id.pop(conduit.conduit_id, None)

    def resize(self, conduit: Conduit, shard_count: int) -> None:
        """Gives one more or fewer shards; those above the new count are gone."""
        conduit.shard_count = shard_count
        conduit.shards = {k: shard for k, shard in conduit.shards.items() if k < shard_count}

    def disable(self, conduit: Conduit, shard: Shard, status: str) -> None:
        """A shard can't be reached any more."""
        if shard.status == ENABLED:
            shard.status = status
            self._on_disabled(conduit, shard)

    def session_moved(self, old_id: str, new_id: str) -> None:
        """A reconnect takes the shards of the old session over."""
        for _, shard in self._of_session(old_id):
            shard.transport.session_id = new_id

    def session_closed(self, session_id: str, status: str, at_s: float) -> None:
        """A session's shards are disabled with it."""
        for conduit, shard in self._of_session(session_id):
            shard.transport.disconnected_s = at_s
            self.disable(conduit, shard, status)

    def _of_session(self, session_id: str) -> list[tuple[Conduit, Shard]]:
        return [
            (conduit, shard)
            for conduit in self._by_id.values()
            for shard in conduit.shards.values()
            if shard.transport.session_id == session_id
        ]
