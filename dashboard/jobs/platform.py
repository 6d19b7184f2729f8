"""Jobs about the platform: clips, the survey of large channels, the logins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dashboard.errors import TwitchError
from dashboard.events import Event, Instant
from dashboard.jobs.context import JobContext
from dashboard.jobs.rooms import own_rooms, remember_ids, rooms_followed, unique

if TYPE_CHECKING:
    from dashboard.storage.ingest import Ingest

CLIP_DAYS = 30
_DAY_US = 86_400 * 1_000_000
_MODERATED_SCOPE = "user:read:moderated_channels"


async def clips(context: JobContext) -> str:
    """Stores the clips of every followed or own channel with their views."""
    now = context.now()
    end_at = Instant(now - now % 1_000_000 + 1_000_000)
    start_at = Instant(end_at - CLIP_DAYS * _DAY_US)
    clip_count = done_count = 0
    async with context.twitch() as twitch:
        rooms = unique([*own_rooms(context.vault.all()), *await rooms_followed(context, twitch)])
        with context.ingest() as ingest:
            for number, room in enumerate(rooms):
                context.handle.check()
                context.handle.progress(number, len(rooms), f"Clips of {room.room_login}")
                own_count = 0
                try:
                    async for page in twitch.clip_pages(room, start_at, end_at):
                        ingest.put(page.events)
                        own_count += len(page.events)
                        context.handle.check()
                except TwitchError as error:
                    context.failed(room.room_login, error)
                    continue
                finally:
                    clip_count += own_count
                done_count += 1
                context.handle.log(f"{room.room_login}: {own_count:,} clips of the last {CLIP_DAYS} days")
    return f"{clip_count:,} clips of {done_count} of {len(rooms)} channels"


async def survey(context: JobContext) -> str:
    """Reads the chat of the platform's largest live channels that were not read today."""
    now = context.now()
    midnight = Instant(now - now % _DAY_US)
    frame = context.store.query(
        "survey_done", window=(midnight, Instant(midnight + _DAY_US)), start_at=midnight
    )
    done_today = {str(room_id) for room_id in frame["room_id"]}
    async with context.twitch() as twitch:
        with context.ingest() as ingest:
            count = await twitch.survey(
                context.settings.survey_channel_count,
                context.settings.survey_minutes,
                done_today,
                kept_whole(ingest),
                context.handle,
            )
    return f"{count} channels read, {len(done_today)} were read before today"


def kept_whole(ingest: Ingest) -> Callable[[Sequence[Event]], None]:
    """Stores a channel's people, and the row that closes the capture only once they are durable.

    Args:
        ingest: The way in.
    """

    def keep(events: Sequence[Event]) -> None:
        ingest.put(events[:-1])
        ingest.flush()
        ingest.put(events[-1:])
        ingest.sync()

    return keep


async def logins(context: JobContext) -> str:
    """Validates every login and asks anew which channels each person moderates."""
    async with context.twitch() as twitch:
        words = await twitch.check_logins(context.handle)
        context.handle.log(words)
        for token in context.vault.all():
            if not token.is_usable:
                context.handle.log(f"{token.user_login}: {token.error}")
                continue
            if context.accounts.get(token.user_id) is None:
                context.accounts.note_login(token.user_id, token.user_login, token.user_display_name)
            if _MODERATED_SCOPE not in token.scopes:
                continue
            context.handle.check()
            try:
                rooms = await twitch.moderated_rooms(token.user_id)
            except TwitchError as error:
                context.failed(f"Channels that {token.user_login} moderates", error)
                continue
            context.accounts.set_moderated(token.user_id, [room.room_login for room in rooms])
            remember_ids(context.state, rooms)
            context.handle.log(f"{token.user_login} moderates {len(rooms)} channels")
    return words
