"""EventSub as a whole: takes what happens in the world and brings it to whoever subscribed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dashboard.sandbox.conduits import Conduit, Conduits, Shard
from dashboard.sandbox.eventsub_messages import Message, Payload, Told, frame, notification, revocation
from dashboard.sandbox.eventsub_socket import Session, SocketLimits, SocketServer
from dashboard.sandbox.eventsub_store import (
    AUTHORIZATION_REVOKED,
    ENABLED,
    FAILURES_EXCEEDED,
    PENDING,
    VERIFICATION_FAILED,
    Subscription,
    Subscriptions,
    Transport,
)
from dashboard.sandbox.eventsub_tell import Teller
from dashboard.sandbox.eventsub_types import BROADCASTER, CLIENT, USER
from dashboard.sandbox.eventsub_webhook import WebhookPolicy, WebhookSender
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.feed import Feed
from dashboard.sandbox.oauth import OAuth
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.stage import StageFeed
from dashboard.sandbox.users import User
from dashboard.sandbox.wire import Line
from dashboard.sandbox.world import World

_CATCH_UP_S = 30.0
_LISTED_S = 3600.0


class EventSub:
    """The hub.

    Args:
        world: What happens.
        oauth: Who has allowed what.
        faults: What is broken on order.
        now_s: What time it is in the world.
        ws_url: Where its WebSocket server is found.
        limits: The WebSocket server's limits.
        policy: How patient webhook delivery is.
        speed: How much faster than the clock the world goes.
    """

    def __init__(
        self,
        world: World,
        oauth: OAuth,
        faults: Faults,
        now_s: Callable[[], float],
        ws_url: Callable[[], str],
        limits: SocketLimits,
        policy: WebhookPolicy,
        speed: float = 1.0,
    ) -> None:
        self.subscriptions = Subscriptions()
        self.sockets: SocketServer = SocketServer(faults, now_s, ws_url, limits, self._moved, self._closed)
        self.webhooks = WebhookSender(faults, now_s, policy, self._delivered)
        self.conduits = Conduits(self._shard_disabled)
        self._world, self._faults, self._now_s, self._policy = world, faults, now_s, policy
        self._teller = Teller(world)
        self._catch_up_s = _CATCH_UP_S * max(1.0, speed)
        self._feeds: dict[str, Feed] = {}
        self._stages: dict[str, StageFeed] = {}
        self._told_until = now_s()
        oauth.on_change = self._authorization_changed

    # -- what happens ------------------------------------------------------------------------

    def deliver(self) -> None:
        """Brings what happened since the last time. Costs nothing while nobody is subscribed.

        As with chat, what happened while the machine slept is not told afterwards.
        """
        now, since = self._now_s(), self._told_until
        if now <= since:
            return
        self._told_until = now
        wanted = self.subscriptions.wanted
        if not wanted:
            self._feeds.clear()
            return
        if now - since > self._catch_up_s:
            self._feeds.clear()
            since = now - 1
        rooms = {s.partition(":")[2] for s in wanted if not s.startswith(CLIENT)}
        # Where nobody listened for a while it goes on with the present.
        self._feeds = {k: feed for k, feed in self._feeds.items() if feed.told_until == since}
        self._stages = {k: feed for k, feed in self._stages.items() if feed.told_until == since}
        for channel in filter(None, map(self._world.channel_by_id, sorted(rooms))):
            names = self._names(channel.user_id)
            self.tell(self._of_stage(channel, names, since, now))
            if self._teller.needs_lines(names):
                feed = self._feeds.get(channel.login) or self._feeds.setdefault(
                    channel.login, Feed(self._world, channel.login, since)
                )
                for line in feed.take(now):
                    self.tell(self._teller.of_line(channel, line, names))
            else:
                self._feeds.pop(channel.login, None)

    def _of_stage(self, channel: Channel, names: frozenset[str], since: float, now: float) -> list[Told]:
        feed = self._stages.get(channel.login)
        if feed is None or feed.names != names:
            if not self._teller.stage.needs(names):
                return []
            feed = self._stages[channel.login] = StageFeed(self._teller.stage, channel, since, names)
        return feed.take(now)

    def _names(self, user_id: str) -> frozenset[str]:
        """What is subscribed to about a channel, in whatever role."""
        wanted = self.subscriptions.wanted
        fields = (BROADCASTER, "to_broadcaster_user_id", "from_broadcaster_user_id", USER)
        return frozenset().union(*(wanted.get(f"{field}:{user_id}", frozenset()) for field in fields))

    def said(self, login: str, line: Line) -> None:
        """A client with a token wrote something: it is told as all chat is."""
        channel = self._world.channel(login)
        if channel is not None:
            self.tell(self._teller.of_line(channel, line, self._names(channel.user_id)))

    def tell(self, happenings: Iterable[Told]) -> None:
        """Brings happenings to whoever subscribed to them."""
        for told in happenings:
            for subscription in list(self.subscriptions.matching(told.name, told.version, told.subject)):
                reward_id = subscription.condition.get("reward_id")
                if not reward_id or reward_id == told.reward_id:
                    self.send(notification(subscription, told, self._now_s()))

    # -- bringing ----------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Brings a message by its subscription's transport."""
        transport = message.subscription.transport
        if transport.method != "conduit":
            self._send_by(transport, message)
            return
        conduit = self.conduits.find(transport.conduit_id)
        for shard in conduit.pick(message.message_id) if conduit else []:
            if self._send_by(shard.transport, message):
                return

    def _send_by(self, transport: Transport, message: Message) -> bool:
        if transport.method == "webhook":
            self.webhooks.send(transport, message)
            return True
        session = self.sockets.sessions.get(transport.session_id)
        if session is None:
            return False
        for _ in range(1 + self._faults.eventsub_duplicates):
            session.put(frame(message))
        return True

    def verify(self, subscription: Subscription) -> None:
        """Sends the challenge to a new webhook subscription."""
        self.webhooks.start(self._verify(subscription))

    async def _verify(self, subscription: Subscription) -> None:
        is_right = await self.webhooks.verify(subscription.transport, subscription)
        if subscription.status == PENDING:
            self.subscriptions.set_status(subscription, ENABLED if is_right else VERIFICATION_FAILED)

    def verify_shard(self, shard: Shard, about: Subscription) -> None:
        """Sends the challenge to a shard's new webhook."""

        async def verify() -> None:
            is_right = await self.webhooks.verify(shard.transport, about)
            if shard.status == PENDING:
                shard.status = ENABLED if is_right else VERIFICATION_FAILED

        self.webhooks.start(verify())

    def _delivered(self, message: Message, is_delivered: bool) -> None:
        subscription = message.subscription
        if is_delivered or message.message_type != "notification":
            subscription.failure_count = 0 if is_delivered else subscription.failure_count
            return
        now = self._now_s()
        if not subscription.failure_count:
            subscription.failing_since_s = now
        subscription.failure_count += 1
        if (
            subscription.status == ENABLED
            and subscription.transport.method == "webhook"
            and subscription.failure_count >= self._policy.failures
            and now - subscription.failing_since_s >= self._policy.failing_s
        ):
            self.revoke(subscription, FAILURES_EXCEEDED)

    # -- ends --------------------------------------------------------------------------------

    def revoke(self, subscription: Subscription, status: str) -> None:
        """Ends a subscription and says why."""
        self.subscriptions.set_status(subscription, status)
        self.send(revocation(subscription, self._now_s()))

    def _moved(self, old: Session, new: Session) -> None:
        for subscription in self.subscriptions.of_session(old.session_id):
            subscription.transport.session_id = new.session_id
            subscription.transport.connected_s = new.connected_s
        self.conduits.session_moved(old.session_id, new.session_id)

    def _closed(self, session: Session, status: str) -> None:
        now = self._now_s()
        for subscription in self.subscriptions.of_session(session.session_id):
            subscription.transport.disconnected_s = now
            if subscription.status == ENABLED:
                subscription.status = status
        self.subscriptions.forget_closed(now - _LISTED_S)
        self.subscriptions.changed()
        self.conduits.session_closed(session.session_id, status, now)

    def _shard_disabled(self, conduit: Conduit, shard: Shard) -> None:
        event: Payload = {"conduit_id": conduit.conduit_id} | shard.as_dict()
        event["shard_id"] = event.pop("id")
        key = f"{conduit.conduit_id} {shard.shard_id} {shard.transport.disconnected_s}"
        self.tell(
            [Told(self._now_s(), "conduit.shard.disabled", f"{CLIENT}:{conduit.client_id}", event, key)]
        )

    def _authorization_changed(self, client_id: str, user: User, *, is_granted: bool) -> None:
        """Somebody lets the app in, or throws it out: then all that they allowed ends."""
        event: Payload = {
            "client_id": client_id,
            "user_id": user.user_id,
            "user_login": user.login,
            "user_name": user.display_name,
        }
        name = "user.authorization.grant" if is_granted else "user.authorization.revoke"
        now = self._now_s()
        self.tell([Told(now, name, f"{CLIENT}:{client_id}", event, f"{name} {user.user_id} {now}")])
        if is_granted:
            return
        for subscription in self.subscriptions:
            condition, granter = subscription.condition, subscription.kind.granter
            is_theirs = user.login == subscription.owner_login or (
                condition.get(granter) == user.user_id if granter else False
            )
            if subscription.client_id == client_id and subscription.status == ENABLED and is_theirs:
                self.revoke(subscription, AUTHORIZATION_REVOKED)

    async def stop(self) -> None:
        """Ends everything that is under way."""
        await self.sockets.stop()
        await self.webhooks.stop()
