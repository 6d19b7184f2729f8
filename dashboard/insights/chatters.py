"""The questions of the Chatters page: is this crowd unusual, who is in it, and what shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from dashboard.access import Access
from dashboard.analytics.sessions import SAMPLE_HOLD_S
from dashboard.analytics.timebins import DAY_US, SECOND_US
from dashboard.errors import JobError
from dashboard.events import Instant, now_us
from dashboard.insights.chatters_accounts import account_detail, table_of
from dashboard.insights.chatters_analysis import analysis_of, nothing, shown
from dashboard.insights.chatters_cache import Marks
from dashboard.insights.chatters_compare import Pair, compare, require_alike
from dashboard.insights.chatters_crowd import Closed
from dashboard.insights.chatters_live import FindLive, LiveLook, LiveRoom
from dashboard.insights.chatters_model import CaptureLine, ChattersAnalysis, Grain, RoomChoice, Selection
from dashboard.insights.chatters_people_model import AccountDetail, AccountTable, Comparison, Side
from dashboard.insights.chatters_reading import ChattersReader, Known
from dashboard.insights.chatters_rights import Rights
from dashboard.insights.chatters_services import ServiceAccounts
from dashboard.insights.chatters_sessions import ChattersSessions, capture_line, capture_lines
from dashboard.insights.live_sources import Ledger, records, whole, words
from dashboard.jobs.capture_orders import CaptureRoom
from dashboard.storage.captures import CONNECTED, Capture, Captures

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.storage.accounts import Accounts
    from dashboard.storage.analysis_sessions import AnalysisSessions
    from dashboard.storage.audit import AuditLog

MOST_CAPTURES: Final = 100
"""In one analysis."""
_SIDE_WORDS: Final[dict[Side, str]] = {
    "came": "accounts that came",
    "left": "accounts that left",
    "stayed": "accounts that stayed",
}


class Orders(Protocol):
    """Knows which channels somebody may capture."""

    def rooms(self, access: Access) -> list[CaptureRoom]:
        """Their own, those they moderate, public ones."""


class ChattersInsights:
    """Answers what the page, the exports and the evidence ask; safe to share between threads.

    Args:
        settings: The own list of service accounts.
        lake: The store.
        state: What the collectors and jobs said of themselves.
        captures: The captures and their state.
        sessions: Everybody's analysis sessions.
        accounts: Who moderates what.
        orders: Who may capture what.
        audit: Where sessions are noted.
        find_live: Asks Twitch which channels are live; without it only the collector's samples tell.
        now: The wall clock.

    Raises (all calls):
        AccessDenied: Something that was asked for is not theirs, or there is no such thing.
        StorageError: The lake or the database does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        lake: Marks,
        state: Ledger,
        captures: Captures,
        sessions: AnalysisSessions,
        accounts: Accounts,
        orders: Orders,
        audit: AuditLog | None = None,
        *,
        find_live: FindLive | None = None,
        now: Callable[[], Instant] = now_us,
    ) -> None:
        self._settings = settings
        self._lake = lake
        self._state = state
        self._captures = captures
        self._orders = orders
        self._now = now
        self._look = LiveLook(find_live)
        self._services = ServiceAccounts(settings.service_accounts_file)
        self._rights = Rights(accounts)
        self._reader = ChattersReader(lake, state, self._services, now=now)
        self._parts = [part for part in (captures, sessions, accounts, audit) if part is not None]
        self.sessions: Final = ChattersSessions(sessions, captures, self._rights, audit)

    def rooms(self, access: Access) -> tuple[RoomChoice, ...]:
        """The channels that somebody may capture: live ones first, then by role and login."""
        choices = self._orders.rooms(access)
        followed = set(self._state.followed())
        live = self._sampled()
        # The collector looks at the channels that are followed, each minute.
        live |= self._look.live(c.room_login for c in choices if c.room_login not in followed)
        newest = self._newest(access, [choice.room_id for choice in choices])
        rooms = [
            RoomChoice(
                room_id=choice.room_id,
                room_login=choice.room_login,
                role=choice.role,
                is_live=choice.room_login in live,
                viewer_count=live[choice.room_login].viewer_count if choice.room_login in live else None,
                game_name=live[choice.room_login].game_name if choice.room_login in live else None,
                can_list_connected=choice.can_list_connected,
                why_not=choice.why_not,
                can_list_spoke=choice.room_login in followed,
                why_not_spoke=None if choice.room_login in followed else "Its chat is not collected.",
                last_capture=newest.get(choice.room_id),
            )
            for choice in choices
        ]
        return tuple(sorted(rooms, key=lambda room: (not room.is_live, -(room.viewer_count or 0))))

    def captures(self, access: Access, room_id: str = "", limit: int = 50) -> tuple[CaptureLine, ...]:
        """The captures that somebody may use, newest first.

        Args:
            access: Who asks.
            room_id: Only of this channel.
            limit: At most so many.
        """
        room_ids: Sequence[str] | None = [room_id] if room_id else None
        if room_ids is None and access.rooms is not None:
            room_ids = [room.room_id for room in self._orders.rooms(access)]
        found = self._captures.recent(limit, room_ids=room_ids)
        return capture_lines(self._rights.usable(access, found), access)

    def capture(self, capture_id: str, access: Access) -> CaptureLine:
        """One capture as it stands."""
        (found,) = self._require(access, [capture_id])
        return capture_line(found, access)

    def analysis(self, selection: Selection, access: Access) -> ChattersAnalysis:
        """What there is to say of a selection."""
        chosen, notes = self._chosen(selection, access)
        lines = capture_lines(chosen, access)
        closed = self._closed(chosen, notes)
        if not closed:
            return nothing(selection, lines, _why_nothing(lines), self._now())
        known = self._reader.test(closed, selection.traits)
        read = {capture.capture_id for capture in closed}
        read_lines = [line for line in lines if line.capture_id in read]
        return analysis_of(known.tested, known.cohorts, known.verdict, selection, read_lines, notes)

    def accounts(self, selection: Selection, access: Access) -> AccountTable:
        """The accounts of a selection, newest first; those of unknown age at the end."""
        known = self._known(selection, access)
        if known is None:
            return AccountTable(0, [], [], [], [], [], [], [], [], [], [], [], [], words="0 accounts")
        return table_of(known.tested, shown(known.tested, selection), _title(selection))

    def account(self, user_id: str, access: Access, selection: Selection | None = None) -> AccountDetail:
        """One account, in the channels that somebody may see.

        Args:
            user_id: Who.
            access: Who asks.
            selection: What is looked at: tells the account's cohort.
        """
        known = self._known(selection, access) if selection else None
        cohort = None
        if known is not None and user_id in known.tested.crowd.user_id:
            number = int(known.tested.cohort[known.tested.crowd.user_id.index(user_id)])
            cohort = known.cohorts[number - 1] if number else None
        rooms, managed = self._visible(access)
        return account_detail(
            self._lake,
            user_id,
            rooms=rooms,
            managed=managed,
            services=self._services,
            cohort=cohort,
            kept_days=self._settings.retention_days.get("chat_messages", 0),
            now=self._now(),
        )

    def compare(
        self, first_id: str, second_id: str, access: Access, grain: Grain | None = None
    ) -> Comparison:
        """Two captures of one channel and one source, whichever comes first.

        Raises:
            JobError: They can't be compared, or one is not complete.
        """
        before, after, pair = self._pair(first_id, second_id, access)
        return compare(self._lake, self._reader.came(pair), before, after, grain, now=self._now())

    def compared_people(self, first_id: str, second_id: str, side: Side, access: Access) -> AccountTable:
        """Who came, left or stayed between two captures."""
        _, _, pair = self._pair(first_id, second_id, access)
        tested, those = pair.flags(side)
        return table_of(tested, those, _SIDE_WORDS[side])

    def close(self) -> None:
        """Closes the databases that were opened for it."""
        for part in self._parts:
            part.close()

    def _known(self, selection: Selection, access: Access) -> Known | None:
        chosen, notes = self._chosen(selection, access)
        closed = self._closed(chosen, notes)
        return self._reader.test(closed, selection.traits) if closed else None

    def _chosen(self, selection: Selection, access: Access) -> tuple[list[Capture], list[str]]:
        """The captures that are meant, each checked, and what has to be said of those left out."""
        if selection.session_id and not selection.capture_ids:
            wanted: Iterable[str] = self.sessions.get(selection.session_id, access).capture_ids
        else:
            wanted = selection.capture_ids
        found = self._require(access, list(dict.fromkeys(wanted))[:MOST_CAPTURES])
        if selection.rooms:
            found = [capture for capture in found if capture.room_login in selection.rooms]
        complete = [capture for capture in found if capture.is_complete]
        if not complete:
            return found, []
        newest = max(complete, key=lambda capture: (capture.finished_at or 0, capture.asked_at))
        alike = [capture for capture in complete if capture.source == newest.source]
        notes = []
        if len(alike) < len(complete):
            left = len(complete) - len(alike)
            other = "spoke" if newest.source == CONNECTED else "connected to chat"
            notes.append(f"{_captures(left)} of the other source (“{other}”) left out: they are never mixed.")
        if len(complete) < len(found):
            notes.append(f"{_captures(len(found) - len(complete))} not complete and left out.")
        return alike, notes

    def _closed(self, chosen: Sequence[Capture], notes: list[str]) -> list[Closed]:
        complete = [capture.capture_id for capture in chosen if capture.is_complete]
        closed = self._reader.closed(complete)
        if len(closed) < len(complete):
            notes.append(f"{_captures(len(complete) - len(closed))} no longer kept: the lists are over age.")
        return closed

    def _pair(self, first_id: str, second_id: str, access: Access) -> tuple[CaptureLine, CaptureLine, Pair]:
        first, second = (
            self._require(access, [first_id, second_id]) if first_id != second_id else (None, None)
        )
        if first is None or second is None:
            raise JobError("Choose two captures: this is one and the same.")
        require_alike(capture_line(first, access), capture_line(second, access))
        closed = self._reader.closed([c.capture_id for c in (first, second) if c.is_complete])
        if len(closed) < 2:
            raise JobError("Both captures have to be complete and still kept.")
        lines = {capture.capture_id: capture_line(capture, access) for capture in (first, second)}
        # By the lake's own times: the list that was begun first.
        before, after = sorted(closed, key=lambda capture: (capture.started_at, capture.closed_at))
        pair = Pair(self._reader.test([before]).tested, self._reader.test([after]).tested)
        return lines[before.capture_id], lines[after.capture_id], pair

    def _require(self, access: Access, capture_ids: Sequence[str]) -> list[Capture]:
        return self._rights.require(access, self._captures.some(capture_ids), capture_ids)

    def _visible(self, access: Access) -> tuple[list[str], list[str]]:
        """Channels whose chat somebody may read, and those whose lists."""
        if access.rooms is not None:
            return sorted(access.rooms), sorted(self._rights.managed(access))
        known = {capture.room_login for capture in self._captures.recent(1_000)}
        every = sorted(known | set(self._state.followed()))
        return every, every

    def _sampled(self) -> dict[str, LiveRoom]:
        """The channels that are live by the collector's newest word."""
        now = self._now()
        start, end = Instant(now - SAMPLE_HOLD_S * SECOND_US), Instant(now + DAY_US)
        frame = self._lake.query("live_rooms_streams", window=(start, end), start_at=start, end_at=end)
        return {
            row["room_login"]: LiveRoom(
                row["room_login"], whole(row["viewer_count"]), words(row["game_name"])
            )
            for row in records(frame)
            if row["action"] != "end" and row["source"] != "import"
        }

    def _newest(self, access: Access, room_ids: Sequence[str]) -> dict[str, CaptureLine]:
        found: dict[str, CaptureLine] = {}
        for capture in self._rights.usable(access, self._captures.recent(500, room_ids=room_ids)):
            found.setdefault(capture.room_id, capture_line(capture, access))
        return found


def _captures(count: int) -> str:
    return "1 capture is" if count == 1 else f"{count:,} captures are"


def _why_nothing(lines: Sequence[CaptureLine]) -> str:
    if not lines:
        return "No capture is chosen."
    if any(line.is_running for line in lines):
        return "The capture is being made."
    if any(line.state == "complete" for line in lines):
        return "The lists of this capture are no longer kept."
    return "This capture was not completed: there is no whole list to look at."


def _title(selection: Selection) -> str:
    if selection.cohort is not None:
        return f"accounts of cohort {selection.cohort}"
    return "accounts"


def open_chatters(
    settings: Settings, lake: Marks, state: Ledger, orders: Orders, *, find_live: FindLive | None = None
) -> ChattersInsights:
    """The insights of an installation; nothing is read or written before the first question."""
    from dashboard.storage.accounts import open_accounts
    from dashboard.storage.analysis_sessions import open_sessions
    from dashboard.storage.audit import open_audit
    from dashboard.storage.captures import open_captures

    return ChattersInsights(
        settings,
        lake,
        state,
        open_captures(settings),
        open_sessions(settings),
        open_accounts(settings),
        orders,
        open_audit(settings),
        find_live=find_live,
    )
