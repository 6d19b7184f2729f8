"""Who follows, who subscribes: lists of people, stored whole or not counted."""

from __future__ import annotations

from typing import Final

from dashboard.analytics.timebins import DAY_US
from dashboard.errors import JobError, TwitchError, TwitchUnavailable
from dashboard.events import Event, Instant, synthetic_id
from dashboard.events_eventsub import Follow
from dashboard.events_helix import AudienceCount, Follower
from dashboard.job_handle import Room
from dashboard.jobs.context import JobContext, Twitch
from dashboard.jobs.needs import choose_login
from dashboard.jobs.rooms import moderated_rooms, own_rooms, rooms_followed, unique
from dashboard.storage.ingest import Ingest

SUBSCRIBERS_SCOPE: Final = "channel:read:subscriptions"
FOLLOWERS_SCOPE: Final = "moderator:read:followers"
CHATTERS_SCOPE: Final = "moderator:read:chatters"
RECENT_DAYS: Final = 7
"""What the first look finds and is no older than this counts as a follow that happened."""
_SOURCE: Final = "helix"
_PAGE: Final = 100
_SILENCES: Final = 3
"""After so many channels in a row without an answer, Twitch is left alone until the next time."""


class Patience:
    """Notes failures of single channels; gives up when it is Twitch that fails."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._silences = 0

    def answered(self) -> None:
        """Twitch is there."""
        self._silences = 0

    def failed(self, room: Room, error: TwitchError) -> None:
        """Notes a failure.

        Raises:
            JobError: Several channels in a row got no answer.
        """
        self._context.failed(room.room_login, error)
        self._silences = self._silences + 1 if isinstance(error, TwitchUnavailable) else 0
        if self._silences >= _SILENCES:
            raise JobError(f"Twitch does not answer. {error}. It is tried again; what was stored is whole.")


async def subscribers(context: JobContext) -> str:
    """Lists the subscribers of every own channel."""
    rooms = [token for token in context.vault.all() if token.is_usable and SUBSCRIBERS_SCOPE in token.scopes]
    patience, found = Patience(context), 0
    async with context.twitch() as twitch:
        with context.ingest() as ingest:
            for number, token in enumerate(rooms):
                room = Room(token.user_id, token.user_login)
                context.handle.check()
                context.handle.progress(number, len(rooms), f"Subscribers of {room.room_login}")
                try:
                    found += await _subscribers_of(context, twitch, ingest, room)
                    patience.answered()
                except TwitchError as error:
                    patience.failed(room, error)
    return f"{_count(found, 'subscriber')} of {_count(len(rooms), 'channel')}"


async def _subscribers_of(context: JobContext, twitch: Twitch, ingest: Ingest, room: Room) -> int:
    events: list[Event] = []
    total = points = None
    async for page in twitch.subscriber_pages(room.room_id, room):
        events += page.events
        total = page.total if page.total is not None else total
        points = page.points if page.points is not None else points
        context.handle.check()
    count = _audience_count(room, context.now(), "subscribers")
    count.subscriber_count, count.subscriber_points = total, points
    ingest.put([*events, count])
    context.handle.log(
        f"{room.room_login}: {len(events):,} listed, total {_told(total)}, points {_told(points)}"
    )
    return len(events)


async def followers(context: JobContext) -> str:
    """Lists the new followers of each channel where a login allows it; else only counts them."""
    tokens = context.vault.all()
    patience, found, totals_only = Patience(context), 0, 0
    async with context.twitch() as twitch:
        rooms = unique([*own_rooms(tokens), *await rooms_followed(context, twitch)])
        moderated = (await moderated_rooms(context, twitch, tokens)).ids_by_user
        with context.ingest() as ingest:
            for number, room in enumerate(rooms):
                context.handle.check()
                context.handle.progress(number, len(rooms), f"Followers of {room.room_login}")
                choice = choose_login(room.room_id, FOLLOWERS_SCOPE, tokens, moderated)
                totals_only += choice.user_id is None
                try:
                    found += await _followers_of(context, twitch, ingest, room, choice.user_id)
                    patience.answered()
                except TwitchError as error:
                    patience.failed(room, error)
    words = f"{_count(found, 'follow')} not known before, in {_count(len(rooms) - totals_only, 'channel')}"
    if not totals_only:
        return words
    only = f"{_count(totals_only, 'channel')} whose followers no login may list"
    return f"{words}; of {only}, the total" if totals_only < len(rooms) else f"Only the total of {only}"


async def _followers_of(
    context: JobContext, twitch: Twitch, ingest: Ingest, room: Room, user_id: str | None
) -> int:
    """Reads from the newest back to what the last complete reading knew.

    Where a reading was cut short that mark stays, so the next one reads over the hole: a page that is
    known is no proof that all behind it is.
    """
    known_to, first_at = _known_to(context, room)
    newest_at = known_to
    new_count, total = 0, None
    async for page in twitch.follower_pages(user_id, room):
        context.handle.check()
        total = page.total if total is None else total
        # The known second itself is put again: several people can follow in the same one.
        fresh = [event for event in page.events if known_to is None or event.sent_at >= known_to]
        ingest.put([_follow_or_follower(event, first_at) for event in fresh])
        new_count += sum(known_to is None or event.sent_at > known_to for event in page.events)
        if new_count > _PAGE:
            context.handle.tell(f"Followers of {room.room_login}: {new_count:,} of {_told(total)} read")
        newest_at = max([newest_at or 0, *(event.sent_at for event in page.events)]) or None
        if known_to is not None and any(event.sent_at < known_to for event in page.events):
            break  # The newest come first: what follows is older still.
    count = _audience_count(room, context.now(), "followers")
    count.follower_count = total
    ingest.put([count])
    ingest.sync()
    if newest_at is not None and user_id is not None:
        _know_to(context, room, newest_at, first_at)
    if new_count or user_id is None:
        context.handle.log(f"{room.room_login}: {new_count:,} not known before, total {_told(total)}")
    return new_count


def _known_to(context: JobContext, room: Room) -> tuple[int | None, int]:
    """The newest follow of the last reading that came to its end, and the day of the first one begun.

    That day is written down before the first row is: a reading that was cut short and is done again
    gives the same rows.
    """
    row = context.state.read_status(f"followers:{room.room_id}")
    told = row.payload if row else {}
    known_to, first_at = told.get("known_to_at"), told.get("first_at")
    if not isinstance(first_at, int):
        now = context.now()
        first_at = now - now % DAY_US
        _know_to(context, room, known_to if isinstance(known_to, int) else None, first_at)
    return (known_to if isinstance(known_to, int) else None), first_at


def _know_to(context: JobContext, room: Room, at: int | None, first_at: int) -> None:
    told = {"known_to_at": at, "first_at": first_at}
    context.state.write_status(f"followers:{room.room_id}", told)


def _follow_or_follower(event: Event, first_at: int) -> Event:
    """A follow; one from long before the first look becomes a line of the stock."""
    if not isinstance(event, Follow) or event.sent_at >= first_at - RECENT_DAYS * DAY_US:
        return event
    return Follower(
        event_id=event.event_id,
        source=event.source,
        room_login=event.room_login,
        room_id=event.room_id,
        sent_at=Instant(first_at),
        received_at=event.received_at,
        user_id=event.user_id or "",
        user_login=event.user_login,
        user_display_name=event.user_display_name,
        followed_at=event.followed_at,
    )


def _audience_count(room: Room, at: Instant, what: str) -> AudienceCount:
    return AudienceCount(
        event_id=synthetic_id(AudienceCount.kind, room.room_id, what, at),
        source=_SOURCE,
        room_login=room.room_login,
        room_id=room.room_id,
        sent_at=at,
        received_at=at,
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _told(number: int | None) -> str:
    return "not told" if number is None else f"{number:,}"
