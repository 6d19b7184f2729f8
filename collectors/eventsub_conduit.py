"""The conduit: one set of subscriptions that several machines share, each with a shard of it.

Source: https://dev.twitch.tv/docs/eventsub/handling-conduit-events/
"""

from __future__ import annotations

from typing import Any

import structlog

from collectors.eventsub_book import Helix
from dashboard.errors import TwitchRefused

log = structlog.get_logger(__name__)

_CONDUITS = "/eventsub/conduits"
_SHARDS = "/eventsub/conduits/shards"
MOST_SHARDS = 20_000
_BIND_TRIES = 5
_HELD = ("enabled", "webhook_callback_verification_pending")


class Conduit:
    """The application's conduit, and this machine's shard of it.

    Args:
        helix: Asks as the application.

    Raises (all calls):
        TwitchError: Twitch did not do it.
    """

    def __init__(self, helix: Helix) -> None:
        self._helix = helix
        self.conduit_id = ""
        self.shard_id = ""
        self.shard_count = 0
        self._session_id = ""

    async def find(self) -> str:
        """Takes the application's conduit, or makes one with one shard.

        Returns:
            Its id. Of several the first, so that all machines take the same.
        """
        found = _elements(await self._helix.request("GET", _CONDUITS))
        if not found:
            found = _elements(await self._helix.request("POST", _CONDUITS, json={"shard_count": 1}))
        if not found:
            raise TwitchRefused("POST /eventsub/conduits: the answer names no conduit")
        first = min(found, key=lambda conduit: str(conduit.get("id")))
        self.conduit_id, self.shard_count = str(first.get("id")), int(first.get("shard_count") or 0)
        return self.conduit_id

    async def bind(self, session_id: str) -> str:
        """Binds a WebSocket session to a shard, within 10 s of its welcome.

        The shard of the last session is taken again; else the first that nobody holds, else a new one.
        Two machines may reach for the same at once: whoever does not find itself in it tries another.

        Args:
            session_id: From the welcome.

        Returns:
            The shard's id.
        """
        if not self.conduit_id:
            await self.find()
        for _ in range(_BIND_TRIES):
            shard_id = await self._choose()
            await self._put(shard_id, session_id)
            if await self._holder(shard_id) == session_id:
                self.shard_id, self._session_id = shard_id, session_id
                return shard_id
        raise TwitchRefused("PATCH /eventsub/conduits/shards: others were faster every time")

    async def _choose(self) -> str:
        shards = await self._shards()
        # Ours may look held for a while: Twitch has not missed the last connection yet.
        if self.shard_id in shards and _session_of(shards[self.shard_id]) == self._session_id:
            return self.shard_id
        free = [shard_id for shard_id, shard in shards.items() if shard.get("status") not in _HELD]
        if self.shard_id in free:
            return self.shard_id
        # Shards that never had a transport are not listed.
        free += [str(number) for number in range(self.shard_count) if str(number) not in shards]
        if free:
            return min(free, key=int)
        if self.shard_count >= MOST_SHARDS:
            raise TwitchRefused(f"The conduit has {MOST_SHARDS} shards already")
        await self._grow()
        return str(self.shard_count - 1)

    async def _grow(self) -> None:
        body = {"id": self.conduit_id, "shard_count": self.shard_count + 1}
        answer = _elements(await self._helix.request("PATCH", _CONDUITS, json=body))
        self.shard_count = int(answer[0].get("shard_count") or 0) if answer else self.shard_count + 1

    async def _put(self, shard_id: str, session_id: str) -> None:
        shard = {"id": shard_id, "transport": {"method": "websocket", "session_id": session_id}}
        answer = await self._helix.request(
            "PATCH", _SHARDS, json={"conduit_id": self.conduit_id, "shards": [shard]}
        )
        for error in answer.get("errors") or []:
            if isinstance(error, dict):
                raise TwitchRefused(f"PATCH {_SHARDS}: {error.get('message') or error.get('code')}")

    async def _holder(self, shard_id: str) -> str:
        return _session_of((await self._shards()).get(shard_id, {}))

    async def _shards(self) -> dict[str, dict[str, Any]]:
        shards: dict[str, dict[str, Any]] = {}
        cursor = ""
        seen = {cursor}
        while True:
            params = [("conduit_id", self.conduit_id)] + ([("after", cursor)] if cursor else [])
            page = await self._helix.request("GET", _SHARDS, params)
            shards |= {str(shard.get("id")): shard for shard in _elements(page)}
            pagination = page.get("pagination")
            cursor = str(pagination.get("cursor") or "") if isinstance(pagination, dict) else ""
            if cursor in seen:
                return shards
            seen.add(cursor)


def _session_of(shard: dict[str, Any]) -> str:
    transport = shard.get("transport")
    return str(transport.get("session_id") or "") if isinstance(transport, dict) else ""


def _elements(page: dict[str, Any]) -> list[dict[str, Any]]:
    data = page.get("data")
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
