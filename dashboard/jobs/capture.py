"""The two jobs that capture who is in chat: what people asked for, and the look by the clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dashboard.errors import JobCancelled, JobError, LockedError, TwitchError, TwitchUnavailable
from dashboard.job_handle import Room
from dashboard.jobs.audience import CHATTERS_SCOPE, Patience
from dashboard.jobs.capture_ages import Bounds
from dashboard.jobs.capture_queue import BY_CLOCK
from dashboard.jobs.capture_run import CaptureRun
from dashboard.jobs.context import JobContext
from dashboard.jobs.needs import choose_login
from dashboard.jobs.rooms import Moderated, moderated_rooms, own_rooms, unique
from dashboard.storage.audit import CAPTURE_FINISHED, RENAMES_DETECTED, open_audit
from dashboard.storage.captures import CONNECTED, Capture, Captures, open_captures
from dashboard.storage.files import FolderLock, is_locked
from dashboard.storage.recovery import read_opt_out
from dashboard.storage.tokens import UserToken

GIVES_UP_AFTER_US: Final = 3_600 * 1_000_000
"""A capture that Twitch leaves without an answer for so long has failed."""
_CLOCK_BOUNDS: Final = 20_000, 200.0
"""Ages that one run by the clock asks for at most, and for how many seconds."""
_STALE_US: Final = 120 * 1_000_000
"""A list by the clock that was left for longer is begun anew: it would mix two crowds."""
_LOOK_EVERY_S: Final = 0.5


async def capture(context: JobContext) -> str:
    """Does every capture that waits, also those asked for meanwhile, one after the other."""
    done_count = people_count = 0
    with contextlib.closing(open_captures(context.settings)) as captures:
        async with context.twitch() as twitch:
            with context.ingest() as ingest:
                run = CaptureRun(context, twitch, ingest, captures, _opt_out(context))
                tried: set[str] = set()
                while waiting := [c for c in _free(context, captures) if c.capture_id not in tried]:
                    context.handle.check()
                    tried.add(waiting[0].capture_id)
                    ended = await _try(run, waiting[0])
                    if ended is not None and ended.is_complete:
                        done_count += 1
                        people_count += ended.listed_count
        _note_renames(context, run.rename_count)
    return f"{_count(done_count, 'capture')}, {people_count:,} people{_renamed(run.rename_count)}"


async def chatters(context: JobContext) -> str:
    """Lists who is connected to the chats that the logged-in people own or moderate."""
    tokens = context.vault.all()
    patience, found, done = Patience(context), 0, 0
    account_count, most_s = _CLOCK_BOUNDS
    with contextlib.closing(open_captures(context.settings)) as captures:
        async with context.twitch() as twitch:
            moderated = await moderated_rooms(context, twitch, tokens)
            rooms = unique([*own_rooms(tokens), *moderated.rooms])
            with context.ingest() as ingest:
                run = CaptureRun(context, twitch, ingest, captures, _opt_out(context))
                run.bounds = Bounds(account_count, time.monotonic() + most_s)
                for number, room in enumerate(rooms):
                    context.handle.check()
                    choice = choose_login(room.room_id, CHATTERS_SCOPE, tokens, moderated.ids_by_user)
                    if choice.user_id is None:
                        context.handle.log(f"{room.room_login}: left out, {choice.reason}")
                        continue
                    context.handle.progress(number, len(rooms), f"Chatters of {room.room_login}")
                    try:
                        ended = await _by_clock(run, room, choice.user_id)
                    except TwitchError as error:
                        patience.failed(room, error)
                        continue
                    patience.answered()
                    if ended is not None and ended.is_complete:
                        found += ended.listed_count
                        done += 1
        _note_renames(context, run.rename_count)
    return f"{_count(found, 'chatter')} in {_count(done, 'chat')}{_renamed(run.rename_count)}"


def _free(context: JobContext, captures: Captures) -> list[Capture]:
    """What waits, without what the look by the clock is at: nobody has to wait for that."""
    return [
        capture
        for capture in captures.waiting()
        if capture.asked_by != BY_CLOCK or not is_locked(_lock_folder(context, capture))
    ]


async def _by_clock(run: CaptureRun, room: Room, user_id: str) -> Capture | None:
    """One look by the clock; a failed one is not gone on with, the next look is a new one."""
    captures = run.captures
    for left in captures.of_room(room.room_id, source=CONNECTED, states=("listing",)):
        is_ours = left.asked_by == BY_CLOCK
        if is_ours and run.context.now() - (left.started_at or left.asked_at) > _STALE_US:
            captures.fail(left.capture_id, "It was left in the middle for too long; a new one was begun.")
    wanted = captures.ask(room, CONNECTED, by=BY_CLOCK)
    if wanted.asked_by != BY_CLOCK:
        run.context.handle.log(f"{room.room_login}: somebody captures it already")
        return None
    with _alone(run.context, wanted) as is_mine:
        started = captures.start(wanted.capture_id) if is_mine else None
        if started is None:
            return None
        try:
            return await run.do(started, user_id)
        except (TwitchError, JobError) as error:
            if not isinstance(error, JobCancelled):
                captures.fail(wanted.capture_id, str(error))
            raise


async def _try(run: CaptureRun, waiting: Capture) -> Capture | None:
    """One capture that waits; what goes wrong with it is told, and the others go on."""
    context, captures = run.context, run.captures
    await _until_free(context, waiting, captures)
    with _alone(context, waiting) as is_mine:
        started = captures.start(waiting.capture_id) if is_mine else None
        if started is None:
            return captures.get(waiting.capture_id)  # Done by somebody else, or cancelled.
        try:
            user_id = await _login_for(run, started)
            ended = await run.do(started, user_id)
        except JobCancelled:
            raise
        except TwitchUnavailable as error:
            context.failed(waiting.room_login, error)
            if context.now() - waiting.asked_at > GIVES_UP_AFTER_US:
                captures.fail(waiting.capture_id, f"Twitch did not answer for an hour. {error}")
            else:
                captures.waits(waiting.capture_id, f"{error}. It is tried again in a minute.")
        except (TwitchError, JobError) as error:
            context.failed(waiting.room_login, error)
            captures.fail(waiting.capture_id, str(error))
        else:
            _note(context, ended or started)
            return ended
    _note(context, captures.get(waiting.capture_id))
    return None


async def _login_for(run: CaptureRun, capture: Capture) -> str | None:
    """Whose login to ask with: theirs who asked, if it will do."""
    if capture.source != CONNECTED:
        return None
    tokens = run.context.vault.all()
    moderated = await moderated_rooms(run.context, run.twitch, tokens)
    if _may_list(capture, tokens, moderated):
        return capture.asked_by
    choice = choose_login(capture.room_id, CHATTERS_SCOPE, tokens, moderated.ids_by_user)
    if choice.user_id is None:
        raise JobError(f"{capture.room_login}: {choice.reason}.")
    return choice.user_id


def _may_list(capture: Capture, tokens: Sequence[UserToken], moderated: Moderated) -> bool:
    is_able = any(
        token.user_id == capture.asked_by and token.is_usable and CHATTERS_SCOPE in token.scopes
        for token in tokens
    )
    rooms = moderated.ids_by_user.get(capture.asked_by, frozenset()) | {capture.asked_by}
    return is_able and capture.room_id in rooms


@contextlib.contextmanager
def _alone(context: JobContext, capture: Capture) -> Iterator[bool]:
    """Whether this capture is ours; the look by the clock and the worker's queue can meet."""
    lock = FolderLock(_lock_folder(context, capture), "capture")
    try:
        lock.acquire()
    except LockedError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


async def _until_free(context: JobContext, capture: Capture, captures: Captures) -> None:
    """Waits while somebody else does this very capture."""
    while is_locked(_lock_folder(context, capture)):
        context.handle.check()
        found = captures.get(capture.capture_id)
        if found is None or not found.is_open:
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def _lock_folder(context: JobContext, capture: Capture) -> Path:
    # At most one capture of a room and source is open.
    return context.settings.data_dir / "state" / "captures" / f"{capture.room_id}-{capture.source}"


def _opt_out(context: JobContext) -> frozenset[str]:
    path = context.settings.opt_out_file
    return read_opt_out(path) if path else frozenset()


def _note(context: JobContext, capture: Capture | None) -> None:
    """Tells the audit log how a capture that somebody asked for ended."""
    if capture is None or capture.is_open or capture.asked_by == BY_CLOCK:
        return
    detail = f"{capture.room_login}, {capture.source}: {capture.state}, {capture.listed_count:,} people"
    with contextlib.closing(open_audit(context.settings)) as audit:
        audit.write(CAPTURE_FINISHED, user_id=capture.asked_by, detail=detail)


def _note_renames(context: JobContext, count: int) -> None:
    if count:
        with contextlib.closing(open_audit(context.settings)) as audit:
            audit.write(RENAMES_DETECTED, detail=f"{count:,} by the job {context.name}")


def _renamed(count: int) -> str:
    return f", {_count(count, 'rename')}" if count else ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
