"""What people order of captures: which channels they may capture, ask for one, stop one, watch one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboard.access import Access
from dashboard.errors import AccessDenied, JobBusy, JobError, TwitchError
from dashboard.events import now_us
from dashboard.job_handle import Room
from dashboard.jobs.needs import choose_login
from dashboard.jobs.rooms import known_ids, remember_ids
from dashboard.storage.audit import CAPTURE_ASKED, CAPTURE_CANCELLED
from dashboard.storage.captures import CONNECTED, SOURCES, SPOKE, Capture, Captures, open_captures
from dashboard.storage.job_runs import JobRuns

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.storage.accounts import Accounts
    from dashboard.storage.audit import AuditLog
    from dashboard.storage.state import State
    from dashboard.storage.tokens import TokenVault, UserToken

CAPTURE_JOB: Final = "capture"
CHATTERS_SCOPE: Final = "moderator:read:chatters"
WAITS_FOR_WORKER_S: Final = 60
SHORTEST_WINDOW_S: Final = 60
LONGEST_WINDOW_S: Final = 24 * 3600
_LOOK_EVERY_S: Final = 0.5
_MODERATED_FOR_US: Final = 24 * 3600 * 1_000_000

FindRooms = Callable[[Sequence[str]], list[Room]]
"""Asks Twitch for the channels behind logins."""


@dataclass(frozen=True, slots=True)
class CaptureRoom:
    """One channel, and what a person may capture there."""

    room_id: str
    room_login: str
    role: str
    """``owner``, ``moderator``, ``public``, or ``local``: this machine reads its chat."""
    can_list_connected: bool
    why_not: str | None = None
    """Why the people connected can't be listed, in words."""


class CaptureOrders:
    """Takes orders for captures, each checked against who gives it.

    Args:
        settings: Who may see what.
        captures: Where captures are kept.
        runs: Where the worker is asked to begin.
        vault: The logins.
        accounts: Who moderates what.
        state: Followed channels, and the ids of channels.
        audit: Where orders are noted.
        find_rooms: Asks Twitch for ids that nobody has asked for yet; without it such channels wait until
            the worker did.
    """

    def __init__(
        self,
        settings: Settings,
        captures: Captures,
        runs: JobRuns,
        vault: TokenVault,
        accounts: Accounts,
        state: State,
        *,
        audit: AuditLog | None = None,
        find_rooms: FindRooms | None = None,
    ) -> None:
        self._public = settings.public_channels
        self._captures = captures
        self._runs = runs
        self._vault = vault
        self._accounts = accounts
        self._state = state
        self._audit = audit
        self._find_rooms = find_rooms

    def rooms(self, access: Access) -> list[CaptureRoom]:
        """The channels that a person may capture, each once: their own, those they moderate, public ones.

        Args:
            access: Who asks. The single user of an installation without login has everybody's logins.

        Returns:
            Owned, moderated and other channels, by login within each; none for who may see nothing.
        """
        tokens = [token for token in self._vault.all() if token.is_usable]
        roles = self._roles(access, tokens)
        ids = self._ids(roles, tokens)
        moderated = self._moderated_ids(ids)
        found = []
        for login, role in roles.items():
            room_id = access.user_id if role == "owner" and not access.is_local else ids.get(login, "")
            if not room_id:
                continue  # Twitch does not know it, or was not asked yet.
            why_not = _why_not(role, room_id, tokens, moderated)
            found.append(CaptureRoom(room_id, login, role, why_not is None, why_not))
        order = {"owner": 0, "moderator": 1}
        return sorted(found, key=lambda room: (order.get(room.role, 2), room.room_login))

    def ask(self, room_id: str, source: str, access: Access, window_s: int | None = None) -> Capture:
        """Asks the worker for a capture; who asks twice gets the one that is under way.

        Args:
            room_id: The channel.
            source: ``connected`` (everybody in the chat) or ``spoke`` (who wrote lately).
            access: Who asks.
            window_s: Of ``spoke``: how far back.

        Returns:
            The capture, to be watched.

        Raises:
            AccessDenied: They may not.
            JobError: It can't be done like this, or one with another window is under way.
        """
        room = next((room for room in self.rooms(access) if room.room_id == room_id), None)
        if room is None:
            raise AccessDenied(
                "You can't capture this channel: only those that you own or moderate, and public ones."
            )
        if source not in SOURCES:
            raise JobError("A capture lists who is connected, or who spoke.")
        if source == CONNECTED and not room.can_list_connected:
            raise JobError(f"{room.room_login}: {room.why_not}")
        if source == SPOKE and not (window_s and SHORTEST_WINDOW_S <= window_s <= LONGEST_WINDOW_S):
            raise JobError(f"Look back {SHORTEST_WINDOW_S // 60} to {LONGEST_WINDOW_S // 60} minutes.")
        window_s = window_s if source == SPOKE else None
        before = now_us()
        capture = self._captures.ask(
            Room(room.room_id, room.room_login), source, by=access.user_id, window_s=window_s
        )
        with contextlib.suppress(JobBusy):  # The one that runs takes what was asked for meanwhile.
            self._runs.request(CAPTURE_JOB, by=access.user_id)
        if capture.asked_at >= before:
            self._note(CAPTURE_ASKED, access, _what(capture))
        return capture

    def cancel(self, capture_id: str, access: Access) -> None:
        """Asks a capture to stop.

        Raises:
            AccessDenied: They may not: it is neither theirs nor of a channel that they own or moderate.
            JobError: There is no such capture any more.
        """
        capture = self.get(capture_id, access)
        is_theirs = access.rooms is None or access.is_admin or capture.asked_by == access.user_id
        if not is_theirs and not _manages(capture, access, self._accounts):
            raise AccessDenied("Somebody else asked for this capture.")
        if self._captures.cancel(capture_id):
            self._note(CAPTURE_CANCELLED, access, _what(capture))

    def get(self, capture_id: str, access: Access) -> Capture:
        """One capture, if it may be seen.

        Raises:
            AccessDenied: It may not.
            JobError: There is no such capture any more.
        """
        capture = self._captures.get(capture_id)
        if capture is None:
            raise JobError("That capture is no longer in the list.")
        if not self.may_see(capture, access):
            raise AccessDenied("You can't see this capture here.")
        return capture

    def may_see(self, capture: Capture, access: Access) -> bool:
        """As :func:`may_see`."""
        return may_see(capture, access, self._accounts)

    def close(self) -> None:
        """Closes what is open."""
        for part in (self._captures, self._runs, self._vault, self._accounts, self._state, self._audit):
            if part is not None:
                part.close()

    def _roles(self, access: Access, tokens: Sequence[UserToken]) -> dict[str, str]:
        """By login of the channel; the weakest first, so that the strongest stands."""
        if access.rooms is not None:
            roles = dict.fromkeys(access.visible(self._public), "public")
            roles |= dict.fromkeys(moderated_by(access, self._accounts), "moderator")
            return roles | ({access.user_login: "owner"} if access.user_id else {})
        roles = dict.fromkeys(self._state.followed(), "local")
        logged_in = {token.user_id for token in tokens}
        for account in self._accounts.all():
            if account.user_id in logged_in:
                roles |= dict.fromkeys(account.moderated_logins, "moderator")
        return roles | {token.user_login: "owner" for token in tokens}

    def _ids(self, logins: Iterable[str], tokens: Sequence[UserToken]) -> dict[str, str]:
        ids = known_ids(self._state)
        ids |= {token.user_login: token.user_id for token in tokens}
        missing = [login for login in logins if login not in ids]
        if not missing or self._find_rooms is None:
            return ids
        try:
            rooms = self._find_rooms(missing)
        except TwitchError:
            return ids  # They are listed as soon as Twitch answers.
        remember_ids(self._state, rooms)
        return ids | {room.room_login: room.room_id for room in rooms}

    def _moderated_ids(self, ids: dict[str, str]) -> dict[str, frozenset[str]]:
        return {
            account.user_id: frozenset(ids[login] for login in account.moderated_logins if login in ids)
            for account in self._accounts.all()
        }

    def _note(self, action: str, access: Access, detail: str) -> None:
        if self._audit is not None:
            self._audit.note(action, access, detail)


def may_see(capture: Capture, access: Access, accounts: Accounts) -> bool:
    """Whether a capture may be shown: who is connected only to those who own or moderate the channel."""
    is_public = capture.source == SPOKE and access.may_see(capture.room_login)
    return access.rooms is None or is_public or _manages(capture, access, accounts)


def moderated_by(access: Access, accounts: Accounts) -> frozenset[str]:
    """Logins of the channels that a person moderates, by Twitch's word of the last day."""
    account = accounts.get(access.user_id) if access.user_id else None
    if account is None or account.moderated_at is None:
        return frozenset()
    is_fresh = now_us() - account.moderated_at < _MODERATED_FOR_US
    return frozenset(account.moderated_logins) if is_fresh else frozenset()


def _manages(capture: Capture, access: Access, accounts: Accounts) -> bool:
    is_owner = access.user_id != "" and capture.room_id == access.user_id
    return is_owner or capture.room_login in moderated_by(access, accounts)


def _why_not(
    role: str, room_id: str, tokens: Sequence[UserToken], moderated: dict[str, frozenset[str]]
) -> str | None:
    if role == "public":
        return "Only its owner and its moderators may list who is connected."
    if choose_login(room_id, CHATTERS_SCOPE, tokens, moderated).user_id is not None:
        return None
    if role == "local":
        return "Nobody who owns or moderates it has logged in."
    return f"The login does not allow {CHATTERS_SCOPE}. Grant it on the Account page."


def _what(capture: Capture) -> str:
    if capture.source == CONNECTED:
        return f"{capture.room_login}, connected"
    return f"{capture.room_login}, spoke in the last {(capture.window_s or 0) // 60} min"


def open_capture_orders(settings: Settings, find_rooms: FindRooms | None = None) -> CaptureOrders:
    """The orders of an installation; nothing is read or written before the first call.

    Args:
        settings: Checked settings.
        find_rooms: See :class:`CaptureOrders`.
    """
    from dashboard.storage.accounts import open_accounts
    from dashboard.storage.audit import open_audit
    from dashboard.storage.state import State
    from dashboard.storage.tokens import open_vault

    url = settings.database_url.get_secret_value()
    return CaptureOrders(
        settings,
        open_captures(settings),
        JobRuns(settings.data_dir, url),
        open_vault(settings),
        open_accounts(settings),
        State(settings.data_dir, url),
        audit=open_audit(settings),
        find_rooms=find_rooms,
    )


def watch(
    data_dir: str,
    database_url: str,
    capture_id: str,
    access: Access,
    *,
    sleep: Callable[[float], None] = time.sleep,
    waits_s: float = WAITS_FOR_WORKER_S,
) -> Iterator[Capture]:
    """Follows a capture from another process, until it is over.

    Args:
        data_dir: The data folder.
        database_url: The state's address; empty for SQLite.
        capture_id: Which capture.
        access: Who watches.
        sleep: Waits between two looks.
        waits_s: Gives up watching (not the order) when no worker has begun after so long.

    Yields:
        The capture as it is, each time something changed; the last one is how it ended.

    Raises:
        AccessDenied: They may not see it.
        JobError: There is no such capture, or no worker takes it.
    """
    from dashboard.storage.accounts import Accounts
    from dashboard.storage.state_db import StateDatabase

    captures, runs = Captures(Path(data_dir), database_url), JobRuns(Path(data_dir), database_url)
    accounts = Accounts(StateDatabase(Path(data_dir), database_url))
    before: Capture | None = None
    try:
        while True:
            capture = captures.get(capture_id)
            if capture is None:
                raise JobError("That capture is no longer in the list.")
            if before is None and not may_see(capture, access, accounts):
                raise AccessDenied("You can't see this capture here.")
            if capture != before:
                yield capture
            if not capture.is_open:
                return
            if capture.state == "asked" and now_us() - capture.asked_at > waits_s * 1e6:
                _require_worker(runs)
            before = capture
            sleep(_LOOK_EVERY_S)
    finally:
        for part in (captures, runs, accounts):
            part.close()


def _require_worker(runs: JobRuns) -> None:
    """Captures wait for each other; a worker that does another one is no reason to give up."""
    if not any(runs.recent(1, name=name, states=["running"]) for name in (CAPTURE_JOB, "chatters")):
        raise JobError("No worker has taken it. Is one running? It is done as soon as one starts.")


def plain(capture: Capture) -> dict[str, Any]:
    """A capture as plain values, for the way to the browser."""
    return {name: getattr(capture, name) for name in Capture.__slots__}
