"""Helix: create, list and delete EventSub subscriptions, with the checks that Twitch makes.

Source: https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription
"""

from __future__ import annotations

from dashboard.sandbox.eventsub import EventSub
from dashboard.sandbox.eventsub_store import ENABLED, PENDING, Subscription, Subscriptions, Transport
from dashboard.sandbox.eventsub_types import BROADCASTER, MODERATOR, TYPES, USER, SubscriptionType
from dashboard.sandbox.eventsub_webhook import is_near
from dashboard.sandbox.helix_call import Answer, Call, Handler, HelixError
from dashboard.sandbox.oauth import OAuth
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import User
from dashboard.sandbox.world import World

MOST_SESSIONS = 3
MOST_PER_SESSION = 300
MOST_COST = {"websocket": 10, "app": 10_000}
MOST_ALIKE = 3
_PAGE = 100
_UNAUTHORIZED = "subscription missing proper authorization"


class EventSubHelix:
    """``/helix/eventsub/subscriptions``."""

    def __init__(self, world: World, oauth: OAuth, eventsub: EventSub) -> None:
        self._world, self._oauth, self._eventsub = world, oauth, eventsub
        self._store: Subscriptions = eventsub.subscriptions

    def handlers(self) -> dict[str, Handler]:
        """By method and path."""
        return {
            "POST eventsub/subscriptions": self._create,
            "GET eventsub/subscriptions": self._list,
            "DELETE eventsub/subscriptions": self._delete,
        }

    # -- create ------------------------------------------------------------------------------

    async def _create(self, call: Call) -> Answer:
        body = await call.body()
        kind = TYPES.get((str(body.get("type")), str(body.get("version"))))
        if not body.get("type") or not body.get("version"):
            raise HelixError(400, "The type and version fields are required")
        if kind is None:
            raise HelixError(400, "invalid subscription type and version")
        condition = self._condition(kind, body.get("condition"))
        transport = self._transport(call, kind, body.get("transport"))
        self._check_authorization(call, kind, condition, transport.method)
        cost = 0 if self._is_authorized_by_subject(call, condition) else 1
        subscription = Subscription(
            kind=kind,
            condition=condition,
            transport=transport,
            client_id=call.token.client_id,
            owner_login=call.user.login if call.user else "",
            cost=cost,
            created_s=call.now_s,
            status=PENDING if transport.method == "webhook" else ENABLED,
        )
        self._check_limits(subscription)
        self._store.add(subscription)
        if transport.method == "webhook":
            self._eventsub.verify(subscription)
        elif transport.method == "websocket":
            session = self._eventsub.sockets.sessions[transport.session_id]
            session.is_used = True
            session.owner = subscription.client_id, subscription.owner_login
        told: dict[str, object] = {"data": [subscription.as_dict()]}
        return Answer(202, told | self._totals(subscription.client_id, subscription.owner_login))

    def _totals(self, client_id: str, owner_login: str) -> dict[str, object]:
        own = self._store.of_owner(client_id, owner_login)
        most = MOST_COST["websocket" if owner_login else "app"]
        return {"total": len(own), "total_cost": self._store.cost(own), "max_total_cost": most}

    def _condition(self, kind: SubscriptionType, told: object) -> dict[str, str]:
        if not isinstance(told, dict):
            raise HelixError(400, "missing or unparseable subscription condition")
        found = {}
        for name in (*kind.required, *kind.optional):
            value = told.get(name)
            if value not in (None, ""):
                if not isinstance(value, str):
                    raise HelixError(400, f"The condition's {name} has to be a string")
                found[name] = value
        missing = [name for name in kind.required if name not in found]
        if missing:
            raise HelixError(400, f"missing or unparseable subscription condition: {', '.join(missing)}")
        if kind.is_one_of and len(found) != 1:
            raise HelixError(400, f"The condition needs exactly one of {' and '.join(kind.optional)}")
        for name in found:
            if name.endswith("user_id") and self._world.population.by_id(found[name]) is None:
                raise HelixError(400, f"The condition's {name} is not the ID of a user")
        return found

    def _transport(self, call: Call, kind: SubscriptionType, told: object) -> Transport:
        if not isinstance(told, dict) or told.get("method") not in ("webhook", "websocket", "conduit"):
            raise HelixError(400, "The transport's method has to be webhook, websocket or conduit")
        method = str(told["method"])
        if (method == "websocket") != (call.user is not None):
            # Webhooks and conduits belong to an app, WebSockets to a person.
            raise HelixError(400, "invalid transport and auth combination")
        if method not in kind.methods:
            raise HelixError(400, f"The type {kind.name} can't be brought by {method}")
        if method == "webhook":
            return webhook(told)
        if method == "conduit":
            conduit_id = str(told.get("conduit_id", ""))
            if self._eventsub.conduits.get(call.token.client_id, conduit_id) is None:
                raise HelixError(404, "conduit does not exist")
            return Transport("conduit", conduit_id=conduit_id)
        session = self._eventsub.sockets.sessions.get(str(told.get("session_id", "")))
        if session is None or session.close_code or session.is_moved:
            raise HelixError(400, "websocket transport session does not exist or has already disconnected")
        owner = call.token.client_id, call.user.login if call.user else ""
        if session.owner not in (None, owner):
            raise HelixError(400, "websocket transport session belongs to another user")
        return Transport("websocket", session_id=session.session_id, connected_s=session.connected_s)

    # -- may they ----------------------------------------------------------------------------

    def _check_authorization(
        self, call: Call, kind: SubscriptionType, condition: dict[str, str], method: str
    ) -> None:
        client_id = call.token.client_id
        if condition.get("client_id", client_id) != client_id:
            raise HelixError(403, _UNAUTHORIZED)
        granter = self._person(condition.get(kind.granter, ""))
        if granter is None:
            return
        channel = self._world.channel_by_id(condition.get(BROADCASTER, ""))
        if method == "websocket" and kind.granter in (USER, MODERATOR) and granter != call.user:
            raise HelixError(403, _UNAUTHORIZED)
        granted = self._oauth.granted(client_id, granter.login)
        if granter == call.user:
            granted = frozenset(call.token.scopes)
        if any(not group & granted for group in kind.scopes):
            raise HelixError(403, _UNAUTHORIZED)
        if kind.granter == MODERATOR and channel and not self._moderates(granter, channel, call.now_s):
            raise HelixError(403, _UNAUTHORIZED)
        if kind.is_chat and method != "websocket":
            self._check_bot(client_id, granter, granted, channel, call.now_s)

    def _check_bot(
        self, client_id: str, bot: User, granted: frozenset[str], channel: Channel | None, now_s: float
    ) -> None:
        """An app reads chat as somebody only if they and the channel let it."""
        is_let_in = channel is not None and (
            self._moderates(bot, channel, now_s)
            or "channel:bot" in self._oauth.granted(client_id, channel.login)
        )
        if "user:bot" not in granted or not is_let_in:
            raise HelixError(403, _UNAUTHORIZED)

    def _is_authorized_by_subject(self, call: Call, condition: dict[str, str]) -> bool:
        """What somebody is told about who lets the app in costs nothing."""
        for name, value in condition.items():
            person = self._person(value) if name.endswith("user_id") else None
            if person and self._oauth.has_authorized(call.token.client_id, person.login):
                return True
        return False

    def _person(self, user_id: str) -> User | None:
        return self._world.population.by_id(user_id) if user_id else None

    def _moderates(self, user: User, channel: Channel, now_s: float) -> bool:
        return user.user_id == channel.user_id or self._world.standings.of(user, channel, now_s).is_mod

    # -- limits ------------------------------------------------------------------------------

    def _check_limits(self, new: Subscription) -> None:
        own = [
            s for s in self._store.of_owner(new.client_id, new.owner_login) if s.status in (ENABLED, PENDING)
        ]
        alike = [s for s in own if s.kind == new.kind and s.condition == new.condition]
        there = _place(new.transport)
        if any(_place(s.transport) == there for s in alike):
            raise HelixError(409, "subscription already exists")
        if len(alike) >= MOST_ALIKE:
            raise HelixError(429, "too many subscriptions with the same type and condition")
        if self._store.cost(own) + new.cost > MOST_COST["websocket" if new.owner_login else "app"]:
            raise HelixError(429, "cost exceeded")
        if new.transport.method != "websocket":
            return
        sessions = {s.transport.session_id for s in own}
        if len(sessions | {new.transport.session_id}) > MOST_SESSIONS:
            raise HelixError(429, "number of websocket transports limit exceeded")
        if sum(_place(s.transport) == there for s in own) >= MOST_PER_SESSION:
            raise HelixError(429, "number of subscriptions per websocket transport limit exceeded")

    # -- list and delete ---------------------------------------------------------------------

    async def _list(self, call: Call) -> dict[str, object]:
        filters = {
            name: call.request.query[name]
            for name in ("status", "type", "user_id", "subscription_id")
            if name in call.request.query
        }
        if len(filters) > 1:
            raise HelixError(400, f"The filters {', '.join(filters)} may not be used together")
        login = call.user.login if call.user else ""
        own = self._store.of_owner(call.token.client_id, login)
        found = own
        for name, value in filters.items():
            found = [s for s in own if _fits(s, name, value)]
        page, pagination = call.page([s.as_dict() for s in found], _PAGE)
        totals = self._totals(call.token.client_id, login) | {"total": len(found)}
        return {"data": page, "pagination": pagination} | totals

    async def _delete(self, call: Call) -> Answer:
        found = self._store.get(call.one("id"))
        login = call.user.login if call.user else ""
        if found is None or (found.client_id, found.owner_login) != (call.token.client_id, login):
            raise HelixError(404, "The subscription was not found.")
        self._store.remove(found)
        return Answer(204)


def webhook(told: dict[str, object]) -> Transport:
    """A webhook transport as somebody asks for it, checked.

    Raises:
        HelixError: The callback or the secret is not allowed.
    """
    callback, secret = str(told.get("callback", "")), str(told.get("secret", ""))
    if not is_near(callback):
        # Twitch takes https on port 443 only. Here it is the other way around: nothing leaves this machine.
        raise HelixError(
            400, "The callback has to be on this machine or its network: the sandbox calls nobody else"
        )
    if not secret.isascii() or not 10 <= len(secret) <= 100:
        raise HelixError(400, "The secret has to be 10 to 100 ASCII characters")
    return Transport("webhook", callback=callback, secret=secret)


def _place(transport: Transport) -> str:
    return transport.callback or transport.session_id or transport.conduit_id


def _fits(subscription: Subscription, name: str, value: str) -> bool:
    if name == "status":
        return subscription.status == value
    if name == "type":
        return subscription.kind.name == value
    if name == "subscription_id":
        return subscription.subscription_id == value
    return any(v == value for k, v in subscription.condition.items() if k.endswith("user_id"))
