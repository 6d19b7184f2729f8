"""Which EventSub subscriptions are wanted, with whose token, and which can't be had and why.

Pure: who is logged in and what is followed go in, a plan comes out.

Source: https://dev.twitch.tv/docs/eventsub/manage-subscriptions/#subscription-limits
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dashboard.eventsub_types import ANYONE, CHATTER, MODERATOR, OWNER, TYPES, EventSubType

WEBSOCKET, WEBHOOK, CONDUIT = "websocket", "webhook", "conduit"
MOST_COST = {WEBSOCKET: 10, WEBHOOK: 10_000, CONDUIT: 10_000}
"""``max_total_cost``: of a user token, and of the application."""
CONNECTIONS_PER_TOKEN = 3
SUBSCRIPTIONS_PER_CONNECTION = 300
_BOT = "user:bot"


@dataclass(frozen=True, slots=True)
class Room:
    """A channel to hear about; without an id Twitch knows no such login."""

    login: str
    room_id: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person's token allows."""

    user_id: str
    user_login: str
    scopes: frozenset[str]
    moderates: frozenset[str] = frozenset()
    """Ids of the channels that they moderate."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One subscription to be there."""

    eventsub_type: str
    version: str
    room_login: str
    room_id: str
    transport: str
    condition: Mapping[str, str] = field(hash=False)
    user_id: str | None
    """Whose token makes it; None: the application's."""
    cost: int
    """What it should cost: 0 where the person behind the condition has logged in."""

    @property
    def key(self) -> str:
        """The same for the same subscription, however often it is made."""
        parts = ",".join(f"{name}={value}" for name, value in sorted(self.condition.items()))
        return f"{self.transport}:{self.eventsub_type}:{self.version}:{parts}:{self.user_id or ''}"[:160]


@dataclass(frozen=True, slots=True)
class Impossible:
    """One type of one room that can't be had."""

    eventsub_type: str
    version: str
    room_login: str
    room_id: str
    reason: str
    needs_scope: str | None = None
    is_stopped: bool = False
    """Somebody deleted it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to have, and what can't be had; both in the order of worth, then of rooms."""

    wanted: tuple[Wanted, ...] = ()
    impossible: tuple[Impossible, ...] = ()


@dataclass(slots=True)
class _Budget:
    transport: str
    cost: Counter[str] = field(default_factory=Counter)
    count: Counter[str] = field(default_factory=Counter)

    def takes(self, user_id: str | None, cost: int) -> bool:
        key = user_id or ""
        most = CONNECTIONS_PER_TOKEN * SUBSCRIPTIONS_PER_CONNECTION
        if self.transport == WEBSOCKET and self.count[key] >= most:
            return False
        if self.cost[key] + cost > MOST_COST[self.transport]:
            return False
        self.cost[key] += cost
        self.count[key] += 1
        return True


def plan(
    rooms: Iterable[Room],
    grants: Collection[Grant],
    *,
    transport: str,
    with_chat: bool = False,
    choices: Mapping[tuple[str, str], bool] | None = None,
) -> Plan:
    """Decides what to subscribe to.

    Args:
        rooms: Followed channels, most wanted first.
        grants: Whose tokens work.
        transport: ``websocket``, ``webhook`` or ``conduit``.
        with_chat: Also chat, which comes over IRC anyway.
        choices: By type and room: asked for by hand (True) or deleted by hand (False).

    Returns:
        The plan. Each type of a room is either wanted (raids twice: in and out) or impossible.

    Caveats:
        Costs are foreseen; what Twitch says in its answers counts.
    """
    chosen = choices or {}
    people = sorted(grants, key=lambda grant: grant.user_id)
    budget = _Budget(transport)
    wanted: list[Wanted] = []
    impossible: list[Impossible] = []
    listed = list(rooms)
    for kind in TYPES.values():
        for room in listed:
            choice = chosen.get((kind.name, room.login))
            if kind.is_chat and not with_chat and not choice:
                continue
            found = _decide(kind, room, people, budget, is_stopped=choice is False)
            if isinstance(found, Impossible):
                impossible.append(found)
            else:
                wanted += found
    return Plan(tuple(wanted), tuple(impossible))


def _decide(
    kind: EventSubType, room: Room, people: list[Grant], budget: _Budget, *, is_stopped: bool
) -> list[Wanted] | Impossible:
    def cannot(reason: str, scope: str | None = None) -> Impossible:
        return Impossible(
            kind.name, kind.version, room.login, room.room_id or "", reason, scope, is_stopped=is_stopped
        )

    if is_stopped:
        return cannot("Deleted here. Create it to have it again.")
    if room.room_id is None:
        return cannot("Twitch knows no channel of this login.")
    candidates = list(_candidates(kind, room.room_id, people, budget.transport))
    able = [grant for grant, missing in candidates if missing is None]
    if not able and (kind.who != ANYONE or budget.transport == WEBSOCKET):
        scope = next((missing for _, missing in candidates if missing), _first_scope(kind))
        return cannot(_reason(kind, room, budget.transport, scope), scope)
    is_authorised = any(grant.user_id == room.room_id for grant in people)
    readers: list[Grant | None] = [*able] or [None]
    for grant in readers:
        maker = grant.user_id if grant and budget.transport == WEBSOCKET else None
        cost = 1 if kind.who == ANYONE and not is_authorised else 0
        # Both directions or none: half a type would look like a whole one.
        if budget.takes(maker, cost * len(kind.conditions)):
            return [
                Wanted(
                    kind.name,
                    kind.version,
                    room.login,
                    room.room_id,
                    budget.transport,
                    _condition(kind, name, room.room_id, grant),
                    maker,
                    cost,
                )
                for name in kind.conditions
            ]
    return cannot(
        f"All {MOST_COST[budget.transport]} points that a login has on this transport are used. "
        f"It costs nothing once {room.login} logs in."
    )


def _candidates(
    kind: EventSubType, room_id: str, people: list[Grant], transport: str
) -> Iterator[tuple[Grant, str | None]]:
    """Who could read it, the channel's owner first, each with the scope that is missing."""
    owners = [grant for grant in people if grant.user_id == room_id]
    moderators = [grant for grant in people if room_id in grant.moderates and grant not in owners]
    others = [grant for grant in people if grant not in owners and grant not in moderators]
    eligible = {
        OWNER: owners,
        MODERATOR: owners + moderators,
        CHATTER: owners + moderators + others,
        ANYONE: owners + moderators + others,
    }[kind.who]
    for grant in eligible:
        missing = kind.missing_scope(grant.scopes)
        if missing is None and kind.is_chat and transport != WEBSOCKET and _BOT not in grant.scopes:
            missing = _BOT  # An application token reads chat only in the name of a bot.
        yield grant, missing


def _condition(kind: EventSubType, name: str, room_id: str, grant: Grant | None) -> dict[str, str]:
    condition = {name: room_id}
    if kind.who == MODERATOR and grant:
        condition["moderator_user_id"] = grant.user_id
    elif kind.who == CHATTER and grant:
        condition["user_id"] = grant.user_id
    return condition


def _first_scope(kind: EventSubType) -> str | None:
    return kind.scopes[0][0] if kind.scopes else None


def _reason(kind: EventSubType, room: Room, transport: str, scope: str | None) -> str:
    if kind.who == OWNER:
        return f"{room.login} has to log in and grant {scope}."
    if kind.who == MODERATOR:
        return f"{room.login} or one of its moderators has to log in and grant {scope}."
    if kind.who == CHATTER:
        return f"Somebody has to log in and grant {scope}."
    return "A WebSocket needs somebody who is logged in; any account will do."
