"""Which channels jobs are about: followed, owned, moderated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dashboard.events import now_us
from dashboard.job_handle import Room
from dashboard.storage.tokens import UserToken

if TYPE_CHECKING:
    from dashboard.jobs.context import JobContext, Twitch
    from dashboard.storage.state import State

_ROOM_IDS_STATUS: Final = "room_ids"
_ASK_AGAIN_US: Final = 86_400 * 1_000_000
"""Logins can be given up and taken by somebody else."""


@dataclass(frozen=True, slots=True)
class Moderated:
    """Who moderates what."""

    rooms: tuple[Room, ...]
    """Every channel that somebody who is logged in moderates, each once."""
    ids_by_user: dict[str, frozenset[str]]


def own_rooms(tokens: Iterable[UserToken]) -> list[Room]:
    """The channels of the people who have logged in."""
    return [Room(token.user_id, token.user_login) for token in tokens if token.is_usable]


def unique(rooms: Iterable[Room]) -> list[Room]:
    """Each channel once, in the order of the first mention."""
    return list({room.room_id: room for room in reversed(list(rooms))}.values())[::-1]


async def moderated_rooms(context: JobContext, twitch: Twitch, tokens: Sequence[UserToken]) -> Moderated:
    """What the people who are still logged in moderate, by Twitch's word of the last hour."""
    usable = {token.user_id for token in tokens if token.is_usable}
    accounts = [account for account in context.accounts.all() if account.user_id in usable]
    logins = [login for account in accounts for login in account.moderated_logins]
    rooms = await rooms_of(context, twitch, logins)
    ids = {room.room_login: room.room_id for room in rooms}
    return Moderated(
        tuple(rooms),
        {
            account.user_id: frozenset(ids[login] for login in account.moderated_logins if login in ids)
            for account in accounts
        },
    )


async def rooms_followed(context: JobContext, twitch: Twitch) -> list[Room]:
    """The followed channels with their ids."""
    return await rooms_of(context, twitch, context.state.followed())


def known_ids(state: State) -> dict[str, str]:
    """Ids of channels by login, as far as Twitch was asked in the last day."""
    row = state.read_status(_ROOM_IDS_STATUS)
    told: dict[str, Any] = (row.payload.get("ids") or {}) if row else {}
    now = now_us()
    return {
        login: str(room_id) for login, (room_id, at) in told.items() if room_id and now - at < _ASK_AGAIN_US
    }


def remember_ids(state: State, rooms: Iterable[Room]) -> None:
    """Keeps what Twitch just told, for a day."""
    found = {room.room_login: [room.room_id, now_us()] for room in rooms}
    row = state.read_status(_ROOM_IDS_STATUS)
    told: dict[str, Any] = (row.payload.get("ids") or {}) if row else {}
    if found:
        state.write_status(_ROOM_IDS_STATUS, {"ids": told | found})


async def rooms_of(context: JobContext, twitch: Twitch, logins: Iterable[str]) -> list[Room]:
    """The channels behind logins; Twitch is asked once a day and its answer remembered.

    Returns:
        Each channel once, in the order given; logins that Twitch does not know are missing.
    """
    logins = list(dict.fromkeys(logins))
    now = context.now()
    row = context.state.read_status(_ROOM_IDS_STATUS)
    told: dict[str, Any] = (row.payload.get("ids") or {}) if row else {}
    known = {login: told[login] for login in told if now - told[login][1] < _ASK_AGAIN_US}
    missing = [login for login in logins if login not in known]
    if missing:
        found = {room.room_login: room.room_id for room in await twitch.find_rooms(missing)}
        known |= {login: [found.get(login, ""), now] for login in missing}
        context.state.write_status(_ROOM_IDS_STATUS, {"ids": known})
    return [Room(str(known[login][0]), login) for login in logins if known[login][0]]
