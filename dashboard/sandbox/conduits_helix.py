"""Helix: make conduits, and give their shards something to bring notifications with.

Source: https://dev.twitch.tv/docs/api/reference/#create-conduits and the ones after it
"""

from __future__ import annotations

from dashboard.sandbox.conduits import MOST_CONDUITS, MOST_SHARDS, Conduit, Shard
from dashboard.sandbox.eventsub import EventSub
from dashboard.sandbox.eventsub_helix import webhook
from dashboard.sandbox.eventsub_store import ENABLED, PENDING, Subscription, Transport
from dashboard.sandbox.eventsub_types import TYPES
from dashboard.sandbox.helix_call import Answer, Call, Handler, HelixError

_PAGE = 100


class ConduitsHelix:
    """``/helix/eventsub/conduits`` and ``/helix/eventsub/conduits/shards``."""

    def __init__(self, eventsub: EventSub) -> None:
        self._eventsub = eventsub
        self._conduits = eventsub.conduits

    def handlers(self) -> dict[str, Handler]:
        """By method and path."""
        return {
            "GET eventsub/conduits": self._list,
            "POST eventsub/conduits": self._create,
            "PATCH eventsub/conduits": self._resize,
            "DELETE eventsub/conduits": self._delete,
            "GET eventsub/conduits/shards": self._list_shards,
            "PATCH eventsub/conduits/shards": self._assign,
        }

    @staticmethod
    def _client(call: Call) -> str:
        if call.user is not None:
            raise HelixError(401, "The request needs an app access token")
        return call.token.client_id

    def _conduit(self, call: Call, conduit_id: object) -> Conduit:
        found = self._conduits.get(self._client(call), str(conduit_id or ""))
        if found is None:
            raise HelixError(404, "Conduit not found")
        return found

    @staticmethod
    async def _fields(call: Call) -> dict[str, object]:
        """What was sent in the body or, as clients of long standing do, in the address."""
        fields: dict[str, object] = dict(call.request.query)
        if str(fields.get("shard_count", "")).isdigit():
            fields["shard_count"] = int(str(fields["shard_count"]))
        if call.request.can_read_body:
            fields |= await call.body()
        return fields

    @staticmethod
    def _shard_count(told: object) -> int:
        if isinstance(told, bool) or not isinstance(told, int) or not 1 <= told <= MOST_SHARDS:
            raise HelixError(400, f"The shard_count has to be between 1 and {MOST_SHARDS}")
        return told

    async def _list(self, call: Call) -> dict[str, object]:
        return {"data": [conduit.as_dict() for conduit in self._conduits.of_client(self._client(call))]}

    async def _create(self, call: Call) -> dict[str, object]:
        client_id = self._client(call)
        count = self._shard_count((await self._fields(call)).get("shard_count"))
        if len(self._conduits.of_client(client_id)) >= MOST_CONDUITS:
            raise HelixError(429, "Conduit limit reached.")
        return {"data": [self._conduits.add(client_id, count).as_dict()]}

    async def _resize(self, call: Call) -> dict[str, object]:
        body = await self._fields(call)
        conduit = self._conduit(call, body.get("id"))
        self._conduits.resize(conduit, self._shard_count(body.get("shard_count")))
        return {"data": [conduit.as_dict()]}

    async def _delete(self, call: Call) -> Answer:
        conduit = self._conduit(call, call.one("id"))
        self._conduits.remove(conduit)
        store = self._eventsub.subscriptions
        for subscription in store:
            if subscription.transport.conduit_id == conduit.conduit_id:
                store.set_status(subscription, "conduit_deleted")
        return Answer(204)

    async def _list_shards(self, call: Call) -> dict[str, object]:
        conduit = self._conduit(call, call.one("conduit_id"))
        wanted = call.request.query.get("status")
        shards = [shard.as_dict() for _, shard in sorted(conduit.shards.items())]
        page, pagination = call.page([s for s in shards if wanted in (None, s["status"])], _PAGE)
        return {"data": page, "pagination": pagination}

    async def _assign(self, call: Call) -> Answer:
        body = await self._fields(call)
        conduit = self._conduit(call, body.get("conduit_id"))
        told = body.get("shards")
        if not isinstance(told, list) or not told:
            raise HelixError(400, "The shards field is required")
        data: list[dict[str, object]] = []
        errors: list[dict[str, object]] = []
        for item in told:
            shard_id = str(item.get("id", "")) if isinstance(item, dict) else ""
            try:
                data.append(self._assign_one(call, conduit, shard_id, item).as_dict())
            except HelixError as error:
                errors.append({"id": shard_id, "message": error.message, "code": "invalid_parameter"})
        return Answer(202, {"data": data, "errors": errors})

    def _assign_one(self, call: Call, conduit: Conduit, shard_id: str, item: object) -> Shard:
        if not shard_id.isdigit() or int(shard_id) >= conduit.shard_count:
            raise HelixError(400, "The shard id is outside the conduit's range")
        told = item.get("transport") if isinstance(item, dict) else None
        if not isinstance(told, dict) or told.get("method") not in ("webhook", "websocket"):
            raise HelixError(400, "The transport's method has to be webhook or websocket")
        if told["method"] == "webhook":
            shard = Shard(int(shard_id), webhook(told), PENDING)
            conduit.shards[shard.shard_id] = shard
            # The challenge speaks of a subscription; a shard stands for its conduit's.
            kind, condition = TYPES["conduit.shard.disabled", "1"], {"client_id": conduit.client_id}
            about = Subscription(
                kind, condition, shard.transport, conduit.client_id, "", 0, call.now_s, PENDING
            )
            self._eventsub.verify_shard(shard, about)
            return shard
        session = self._eventsub.sockets.sessions.get(str(told.get("session_id", "")))
        if session is None or session.close_code or session.is_moved:
            raise HelixError(400, "websocket transport session does not exist or has already disconnected")
        session.is_used = True
        transport = Transport("websocket", session_id=session.session_id, connected_s=session.connected_s)
        shard = conduit.shards[int(shard_id)] = Shard(int(shard_id), transport, ENABLED)
        return shard
