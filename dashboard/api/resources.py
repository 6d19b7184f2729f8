"""What the API serves: one table. Routes, parameters, checks and the OpenAPI document come from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import pyarrow as pa

from dashboard.events import KINDS
from dashboard.insights.record_rights import MANAGED_KINDS, ROOMLESS_KINDS
from dashboard.insights.records import USERS_DAYS, USERS_ROOM_DAYS, room_schema
from dashboard.storage.batch import schema_of

Form = Literal["events", "rooms", "users", "health"]
"""How a resource is read: rows of a kind, one of the two lists, or the state of the installation."""

MODE_COLUMNS = (
    "is_emote_only",
    "followers_only_min",
    "is_unique_chat",
    "slow_s",
    "is_subs_only",
    "language",
    "has_rituals",
)


@dataclass(frozen=True, slots=True)
class Filter:
    """A parameter that compares a column."""

    column: str
    pattern: str
    """What a value must look like, whole."""
    description: str
    is_login: bool = False
    """Compared in lower case, without ``@`` or ``#`` in front."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that can be asked for."""

    name: str
    title: str
    """One line: one row per what."""
    form: Form = "events"
    kind: str = ""
    aliases: tuple[str, ...] = ()
    description: str = ""
    filters: dict[str, Filter] = field(default_factory=dict)
    """Further parameters by name."""
    has_text_search: bool = False
    has_current_state: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it answers under, the main one first."""
        return (self.name, *self.aliases)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that it takes."""
        if self.form == "health":
            return ("format",)
        rooms = () if self.kind in ROOMLESS_KINDS else ("room-name", "room-id")
        names = [*rooms, *self.filters, "start-date", "end-date"]
        if self.has_text_search:
            names.append("q")
        if self.has_current_state:
            names.append("state")
        if self.form == "events":
            names.append("order")
        return (*names, "limit", "cursor", "format")


_LOGIN = r"[@#]?[A-Za-z0-9_]{1,25}"
_ID = r"[0-9]{1,20}"


def user_filters(id_column: str | None, login_column: str | None, who: str) -> dict[str, Filter]:
    """``user-id`` and ``user-name`` for the columns that tell them."""
    filters = {}
    if id_column:
        filters["user-id"] = Filter(id_column, _ID, f"Twitch id of {who}.")
    if login_column:
        about = f"Login of {who}, as it was at that time; case does not matter."
        filters["user-name"] = Filter(login_column, _LOGIN, about, is_login=True)
    return filters


def _one_of(column: str, values: str, description: str) -> Filter:
    return Filter(column, values, description)


_WHO = user_filters("user_id", "user_login", "who wrote or did it")
_RECIPIENT = {
    "recipient-id": Filter("recipient_id", _ID, "Twitch id of who got the gift."),
    "recipient-name": Filter("recipient_login", _LOGIN, "Login of who got the gift.", is_login=True),
}
_SAMPLED = "A count of Twitch's, at each look at a stream that is live."

NAMED = (
    Resource(
        "messages",
        "One row per chat message",
        kind="chat_messages",
        filters=_WHO,
        has_text_search=True,
        description="With `q` only messages that hold all its words.",
    ),
    Resource(
        "users",
        "One row per person who wrote in chat",
        form="users",
        filters={
            "user-id": Filter("user_id", _ID, "Twitch id of the person."),
            "user-name": Filter(
                "user_login", _LOGIN, "A login that the person has or ever had.", is_login=True
            ),
        },
        description=(
            "Ordered by user id. Without dates, people of a room are told who wrote in the last "
            f"{USERS_ROOM_DAYS} days, and without a room those of the last {USERS_DAYS * 24} hours; one "
            "person (`user-id`, `user-name`) is looked for over all time. `logins` are all the names "
            "they wrote under in that stretch of time; `meta.window` tells which it was."
        ),
    ),
    Resource(
        "rooms",
        "One row per channel that was watched or written in",
        form="rooms",
        description="Ordered by login. With dates, only what was seen between them counts.",
    ),
    Resource(
        "subscriptions",
        "One row per sub or resub shown in chat",
        kind="subscriptions",
        aliases=("subs",),
        filters=_WHO,
    ),
    Resource("subgifts", "One row per sub given to one person", kind="sub_gifts", filters=_WHO | _RECIPIENT),
    Resource(
        "mysterygifts",
        "One row per bomb of gifts to the community",
        kind="mystery_gifts",
        aliases=("gifts",),
        filters=_WHO,
        description="The single gifts out of it are in `subgifts`.",
    ),
    Resource("payforwards", "One row per gift passed on", kind="pay_forwards", filters=_WHO | _RECIPIENT),
    Resource(
        "paidupgrades",
        "One row per gifted or Prime sub that its owner goes on paying for",
        kind="paid_upgrades",
        filters=_WHO,
    ),
    Resource("onetapgifts", "One row per one-tap gift redeemed", kind="one_tap_gifts", filters=_WHO),
    Resource("bits", "One row per cheer in chat", kind="bits", filters=_WHO),
    Resource(
        "bitsbadgetiers", "One row per new bits badge shown in chat", kind="bits_badge_tiers", filters=_WHO
    ),
    Resource(
        "raids",
        "One row per raid that arrived",
        kind="raids",
        filters=_WHO,
        description="The user is the raider; the room is the one raided.",
    ),
    Resource("announcements", "One row per announcement", kind="announcements", filters=_WHO),
    Resource("milestones", "One row per viewer milestone shared", kind="milestones", filters=_WHO),
    Resource(
        "roomstates",
        "One row per change of a chat's modes",
        kind="room_states",
        has_current_state=True,
        description=(
            "A mode that is null did not change. With `state=current` one row a room instead, by login: "
            "all changes up to `end-date` put together."
        ),
    ),
    Resource(
        "userlist",
        "One row per JOIN, PART or name in a list of names",
        kind="user_list",
        filters=user_filters(None, "user_login", "who came or went")
        | {"action": _one_of("action", "join|part|names|mod|unmod", "What happened.")},
        description="Twitch tells no ids here, batches these, and keeps them back in large rooms.",
    ),
    Resource(
        "moderation",
        "One row per act of moderation seen in chat",
        kind="moderation",
        filters=user_filters("target_user_id", "target_user_login", "who it was done to")
        | {"action": _one_of("action", "ban|timeout|delete_message|clear_chat", "What was done.")},
    ),
    Resource("viewers", "One row per look at a live stream", kind="viewer_samples", description=_SAMPLED),
    Resource(
        "streams",
        "One row per start or end of a stream",
        kind="streams",
        filters={"action": _one_of("action", "start|end", "Which of the two.")},
    ),
    Resource(
        "clips",
        "One row per clip and day it was looked at",
        kind="clips",
        filters=user_filters("creator_id", None, "who made the clip"),
    ),
    Resource(
        "health",
        "What is alive, and how fresh the data is",
        form="health",
        description="JSON only. The state of the processes, the age of each kind's newest event, versions.",
    ),
)


@cache
def all_resources() -> tuple[Resource, ...]:
    """The named resources, and every other kind under its own name."""
    named = [r for r in NAMED if r.form != "events" or r.kind in KINDS]
    taken = {name for resource in named for name in resource.names}
    covered = {resource.kind for resource in named}
    others = [
        Resource(kind, _first_line(kind), kind=kind, description=_for_whom(kind), filters=_filters_of(kind))
        for kind in KINDS
        if kind not in covered and kind not in taken
    ]
    return (*(_checked(resource) for resource in named), *others)


@cache
def by_name() -> dict[str, Resource]:
    """Resources by each of their names."""
    return {name: resource for resource in all_resources() for name in resource.names}


def columns_of(resource: Resource, *, is_current: bool = False) -> pa.Schema:
    """The columns that a resource tells, in their order.

    Args:
        resource: Any but health.
        is_current: Those of ``state=current``.
    """
    instant = pa.timestamp("us", tz="UTC")
    if resource.form == "rooms":
        return room_schema()
    if resource.form == "users":
        texts = [(name, pa.string()) for name in ("user_id", "user_login", "user_display_name")]
        numbers = [("message_count", pa.int64()), ("room_count", pa.int64())]
        seen = [("first_seen_at", instant), ("last_seen_at", instant)]
        return pa.schema([*texts, *seen, *numbers, ("logins", pa.list_(pa.string()))])
    schema = schema_of(resource.kind)
    if not is_current:
        return schema
    head = [("room_login", pa.string()), ("room_id", pa.string()), ("changed_at", instant)]
    return pa.schema([*head, *((name, schema.field(name).type) for name in MODE_COLUMNS)])


def _checked(resource: Resource) -> Resource:
    if resource.form != "events":
        return resource
    columns = set(schema_of(resource.kind).names)
    fit = {name: f for name, f in resource.filters.items() if f.column in columns}
    return Resource(
        resource.name,
        resource.title,
        kind=resource.kind,
        aliases=resource.aliases,
        description=resource.description,
        filters=fit,
        has_text_search=resource.has_text_search,
        has_current_state=resource.has_current_state,
    )


def _filters_of(kind: str) -> dict[str, Filter]:
    names = schema_of(kind).names
    id_column = next((name for name in ("user_id", "target_user_id", "creator_id") if name in names), None)
    login = "user_login" if "user_login" in names else None
    return user_filters(id_column, login, "the person it is about")


def _for_whom(kind: str) -> str:
    if kind in ROOMLESS_KINDS:
        return "It belongs to no channel; with login only for who manages the installation."
    return "Only of channels that you own or moderate." if kind in MANAGED_KINDS else ""


def _first_line(kind: str) -> str:
    return (KINDS[kind].__doc__ or kind).strip().splitlines()[0].split(":")[0].rstrip(".")
