"""One capture from where it stands to its end: people, ages, names, and last the row that closes it.

Whatever ends it in between (a crash, a kill, no answer), the next run goes on: pages are durable as they
come, what was aged is in the lake, and nothing counts without the closing row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dashboard.errors import JobError, TwitchRefused
from dashboard.events import Event, Instant, synthetic_id
from dashboard.events_accounts import Speaker, SpeakerPoll
from dashboard.events_helix import Chatter, ChatterPoll
from dashboard.insights.channel_day import read_observed
from dashboard.job_handle import Room
from dashboard.jobs.capture_ages import Ages, Bounds
from dashboard.jobs.capture_names import Person, read_people
from dashboard.storage.captures import CONNECTED, SPOKE, Capture, Captures

if TYPE_CHECKING:
    from dashboard.jobs.context import JobContext, Twitch
    from dashboard.storage.ingest import Ingest

T = TypeVar("T")

_SOURCES: Final = {CONNECTED: "helix", SPOKE: "irc"}
_MOST_RESTARTS: Final = 2
_LOOK_EVERY_S: Final = 0.5


class CaptureCancelled(Exception):
    """Somebody asked this one capture to stop; the others go on."""


@dataclass(slots=True)
class CaptureRun:
    """Does one capture after the other, with what they share."""

    context: JobContext
    twitch: Twitch
    ingest: Ingest
    captures: Captures
    opt_out: frozenset[str] = frozenset()
    bounds: Bounds | None = None
    rename_count: int = field(default=0, init=False)
    """Names found changed since the start."""

    async def do(self, capture: Capture, user_id: str | None) -> Capture | None:
        """Brings a capture to its end.

        Args:
            capture: It, as :meth:`Captures.start` gave it.
            user_id: Whose login to ask with; None where none is needed.

        Returns:
            It as it ended; None when somebody cancelled it.

        Raises:
            TwitchError: Twitch did not give what is needed; it can go on from here.
            JobError: It can't be done.
            JobCancelled: The whole run is to stop; it can go on from here.
        """
        try:
            await self._while_wanted(capture, self._do(capture, user_id))
        except CaptureCancelled:
            self.captures.cancelled(capture.capture_id)
            self.context.handle.log(f"{capture.room_login}: cancelled")
            return None
        return self.captures.get(capture.capture_id)

    async def _do(self, capture: Capture, user_id: str | None) -> None:
        if capture.source == CONNECTED:
            await self._list_connected(capture, user_id)
            query = "capture_people"
        else:
            self._list_speakers(capture)
            query = "capture_speakers"
        self.ingest.flush()
        people = read_people(self.context.store, query, capture.capture_id, _start(capture))
        known_count = await self._learn(capture, people, user_id)
        self._close(capture, len(people), known_count)

    # -- people --------------------------------------------------------------------------------

    async def _list_connected(self, capture: Capture, user_id: str | None) -> None:
        if capture.page_count and not capture.cursor:
            return  # The last page was stored before.
        if user_id is None:
            raise JobError("No login of its owner or a moderator allows it.")
        seen: set[str] = set()
        if capture.page_count:
            self.ingest.flush()
            stored = read_people(self.context.store, "capture_people", capture.capture_id, _start(capture))
            seen.update(person.user_id for person in stored)
            self.context.handle.log(f"{capture.room_login}: goes on after {len(seen):,} people")
        for _ in range(_MOST_RESTARTS):
            try:
                await self._list_pages(capture, user_id, seen)
                return
            except TwitchRefused:
                now = self.captures.get(capture.capture_id)
                if now is None or not now.cursor:
                    raise
                self.context.handle.log(f"{capture.room_login}: Twitch forgot the place; listed again")
                self.captures.restart(capture.capture_id)
                capture = replace(capture, cursor="", page_count=0)
        await self._list_pages(capture, user_id, seen)

    async def _list_pages(self, capture: Capture, user_id: str, seen: set[str]) -> None:
        room = Room(capture.room_id, capture.room_login)
        page_count, told = capture.page_count, capture.told_count
        pages = self.twitch.chatter_pages(
            user_id, room, capture.capture_id, at=_start(capture), cursor=capture.cursor
        )
        async for page in pages:
            # Pages shift while they are read: somebody can stand on two of them.
            fresh = [event for event in page.events if self._is_new(event, seen)]
            page_count += 1
            told = page.total if page.total is not None else told
            self.ingest.put(fresh)
            self.ingest.sync()
            is_open = self.captures.listed(
                capture.capture_id,
                cursor=page.cursor,
                page_count=page_count,
                listed_count=len(seen),
                told_count=told,
            )
            if not is_open:
                raise CaptureCancelled
            self.context.handle.progress(
                len(seen), told, f"{room.room_login}: {len(seen):,} of {_told(told)} people listed"
            )

    def _is_new(self, event: Event, seen: set[str]) -> bool:
        if not isinstance(event, Chatter) or event.user_id in seen:
            return False
        if event.user_id in self.opt_out or (event.user_login or "") in self.opt_out:
            return False
        seen.add(event.user_id)
        return True

    def _list_speakers(self, capture: Capture) -> None:
        if capture.page_count:
            return
        end_at = _start(capture)
        start_at = Instant(end_at - (capture.window_s or 0) * 1_000_000)
        frame = self.context.store.query(
            "capture_spoke",
            window=(start_at, end_at),
            room=capture.room_login,
            start_at=start_at,
            end_at=end_at,
        )
        rows = frame.to_dict("records")
        if not rows and not self._observed_s(capture):
            raise JobError(
                f"The chat of {capture.room_login} was not collected in that time, so nobody can be listed. "
                "Start collecting it, then capture again."
            )
        now = self.context.now()
        events = [_speaker(row, capture, now) for row in rows]
        events = [e for e in events if e.user_id not in self.opt_out and e.user_login not in self.opt_out]
        self.ingest.put(events)
        self.ingest.sync()
        count = len(events)
        self.captures.listed(
            capture.capture_id, cursor="", page_count=1, listed_count=count, told_count=count
        )

    def _observed_s(self, capture: Capture) -> float:
        end_at = _start(capture)
        observed = read_observed(
            self.context.store,
            self.context.state,
            capture.room_login,
            until=end_at,
            now=self.context.now(),
        )
        return observed.seconds(end_at - (capture.window_s or 0) * 1_000_000, end_at)

    # -- ages ----------------------------------------------------------------------------------

    async def _learn(self, capture: Capture, people: Sequence[Person], user_id: str | None) -> int:
        source = _SOURCES[capture.source]
        ages = Ages(
            self.context, self.twitch, self.ingest, capture.capture_id, _start(capture), source, user_id
        )
        try:
            return await ages.learn(
                people, self.bounds, lambda known: self._tell_ages(capture, known, len(people))
            )
        finally:
            self.rename_count += ages.rename_count

    def _tell_ages(self, capture: Capture, known_count: int, count: int) -> None:
        is_open = self.captures.aged(
            capture.capture_id, known_count=known_count, unknown_count=count - known_count
        )
        if not is_open:
            raise CaptureCancelled
        text = f"{capture.room_login}: ages of {known_count:,} of {count:,} people known"
        self.context.handle.progress(known_count, count, text)

    # -- the end -------------------------------------------------------------------------------

    def _close(self, capture: Capture, count: int, known_count: int) -> None:
        now = self.captures.get(capture.capture_id) or capture
        self.ingest.put([self._closing_row(now, count, known_count)])
        # Only what is visible is called complete.
        self.ingest.flush()
        self.captures.complete(
            capture.capture_id,
            listed_count=count,
            known_count=known_count,
            unknown_count=count - known_count,
        )
        what = "connected" if capture.source == CONNECTED else "spoke"
        unknown = f", of {count - known_count:,} the age is not known" if count > known_count else ""
        self.context.handle.log(f"{capture.room_login}: {count:,} {what}{unknown}")

    def _closing_row(self, capture: Capture, count: int, known_count: int) -> Event:
        now, start_at = self.context.now(), _start(capture)
        duration_s = max(0.0, (now - start_at) / 1e6)
        if capture.source == CONNECTED:
            return ChatterPoll(
                event_id=synthetic_id(ChatterPoll.kind, capture.capture_id),
                source="helix",
                room_login=capture.room_login,
                room_id=capture.room_id,
                sent_at=start_at,
                received_at=now,
                capture_id=capture.capture_id,
                chatter_count=count,
                page_count=capture.page_count,
                told_count=capture.told_count,
                duration_s=duration_s,
                known_count=known_count,
            )
        return SpeakerPoll(
            event_id=synthetic_id(SpeakerPoll.kind, capture.capture_id),
            source="irc",
            room_login=capture.room_login,
            room_id=capture.room_id,
            sent_at=start_at,
            received_at=now,
            capture_id=capture.capture_id,
            speaker_count=count,
            message_count=self._message_count(capture),
            start_at=Instant(start_at - (capture.window_s or 0) * 1_000_000),
            end_at=start_at,
            observed_s=self._observed_s(capture),
            known_count=known_count,
            duration_s=duration_s,
        )

    def _message_count(self, capture: Capture) -> int:
        start_at = _start(capture)
        frame = self.context.store.query(
            "capture_speakers",
            window=(start_at, Instant(start_at + 1)),
            capture=capture.capture_id,
            started_at=start_at,
        )
        return int(frame["message_count"].sum())

    # -- the watch -----------------------------------------------------------------------------

    async def _while_wanted(self, capture: Capture, work: Coroutine[Any, Any, T]) -> T:
        """Does the work; stops it within a second when it is not wanted any more."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait([task], timeout=_LOOK_EVERY_S)
                if task.done():
                    break
                self.context.handle.check()
                if self.captures.is_cancel_wanted(capture.capture_id):
                    raise CaptureCancelled
                self._tell_waiting(capture)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _tell_waiting(self, capture: Capture) -> None:
        until = self.twitch.waits_until()
        if until is not None and until > self.context.now():
            at = datetime.fromtimestamp(until // 1_000_000, UTC)
            words = f"Twitch's rate limit is used up; goes on at {at:%H:%M:%S} UTC"
            self.captures.waits(capture.capture_id, words)
            self.context.handle.tell(f"{capture.room_login}: {words}")


def _speaker(row: Mapping[Any, Any], capture: Capture, now: Instant) -> Speaker:
    login, display_name = row["user_login"], row["user_display_name"]
    return Speaker(
        event_id=synthetic_id(Speaker.kind, capture.capture_id, row["user_id"]),
        source="irc",
        room_login=capture.room_login,
        room_id=capture.room_id,
        sent_at=_start(capture),
        received_at=now,
        capture_id=capture.capture_id,
        user_id=row["user_id"],
        user_login=login if isinstance(login, str) else None,
        user_display_name=display_name if isinstance(display_name, str) else None,
        message_count=int(row["message_count"]),
        first_at=Instant(int(row["first_at"])),
        last_at=Instant(int(row["last_at"])),
    )


def _start(capture: Capture) -> Instant:
    """The one time that all rows of a capture bear."""
    return capture.started_at or capture.asked_at


def _told(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
