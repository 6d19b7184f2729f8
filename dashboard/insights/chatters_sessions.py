"""A person's analysis sessions: started with the first capture, kept for a day or saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dashboard.access import Access
from dashboard.errors import AccessDenied
from dashboard.insights.chatters_model import CaptureLine, SessionLine
from dashboard.insights.chatters_rights import Rights
from dashboard.storage.analysis_sessions import AnalysisSession, AnalysisSessions
from dashboard.storage.audit import AuditLog
from dashboard.storage.captures import Capture, Captures

_GONE: Final = "There is no such session: it is over, deleted, or not yours."


class ChattersSessions:
    """What somebody does with their sessions; somebody else's does not exist.

    Args:
        sessions: Where they are kept.
        captures: What they hold.
        rights: Who may use which capture.
        audit: Where it is noted what happened.

    Raises (all calls):
        AccessDenied: Nobody is logged in, or there is no such session among theirs.
        StorageError: The database does not answer, or a limit is reached.
    """

    def __init__(
        self, sessions: AnalysisSessions, captures: Captures, rights: Rights, audit: AuditLog | None
    ) -> None:
        self._sessions = sessions
        self._captures = captures
        self._rights = rights
        self._audit = audit

    @property
    def most_saved(self) -> int:
        """How many sessions one person may save."""
        return self._sessions.most_saved

    def all(self, access: Access) -> tuple[SessionLine, ...]:
        """Their sessions, the one used last first."""
        return tuple(self._line(session, access) for session in self._sessions.of_owner(_owner(access)))

    def get(self, session_id: str, access: Access) -> SessionLine:
        """One session, which counts as using it."""
        return self._line(self._mine(self._sessions.get(session_id, _owner(access))), access)

    def load(self, session_id: str, access: Access, address: str = "") -> SessionLine:
        """Opens a session again, and notes it."""
        line = self.get(session_id, access)
        self._note("session loaded", access, line.session_id, line.name, address)
        return line

    def create(
        self, access: Access, capture_ids: Iterable[str] = (), name: str = "", address: str = ""
    ) -> SessionLine:
        """Starts a session with captures that they may use."""
        wanted = self._usable(access, capture_ids)
        session = self._sessions.create(_owner(access), name, wanted)
        self._note("session created", access, session.session_id, session.name, address)
        return self._line(session, access)

    def add(self, session_id: str, access: Access, capture_ids: Iterable[str]) -> SessionLine:
        """Puts captures that they may use into a session."""
        wanted = self._usable(access, capture_ids)
        return self._line(self._mine(self._sessions.add_captures(session_id, _owner(access), wanted)), access)

    def remove(self, session_id: str, access: Access, capture_ids: Iterable[str]) -> SessionLine:
        """Takes captures out of a session."""
        session = self._sessions.remove_captures(session_id, _owner(access), capture_ids)
        return self._line(self._mine(session), access)

    def save(self, session_id: str, access: Access, name: str = "", address: str = "") -> SessionLine:
        """Keeps a session until it is deleted."""
        session = self._mine(self._sessions.save(session_id, _owner(access), name))
        self._note("session saved", access, session.session_id, session.name, address)
        return self._line(session, access)

    def rename(self, session_id: str, access: Access, name: str, address: str = "") -> SessionLine:
        """Gives a session another name."""
        session = self._mine(self._sessions.rename(session_id, _owner(access), name))
        self._note("session renamed", access, session.session_id, session.name, address)
        return self._line(session, access)

    def delete(self, session_id: str, access: Access, address: str = "") -> None:
        """Deletes a session; the captures in it stay."""
        if not self._sessions.delete(session_id, _owner(access)):
            raise AccessDenied(_GONE)
        self._note("session deleted", access, session_id, "", address)

    def _usable(self, access: Access, capture_ids: Iterable[str]) -> list[str]:
        wanted = list(dict.fromkeys(capture_ids))
        found = self._rights.require(access, self._captures.some(wanted), wanted) if wanted else []
        return [capture.capture_id for capture in found]

    @staticmethod
    def _mine(session: AnalysisSession | None) -> AnalysisSession:
        if session is None:
            raise AccessDenied(_GONE)
        return session

    def _line(self, session: AnalysisSession, access: Access) -> SessionLine:
        # Who no longer moderates a channel keeps the session, without its captures.
        found = self._rights.usable(access, self._captures.some(session.capture_ids))
        lines = sorted((capture_line(capture, access) for capture in found), key=lambda line: line.at)
        return SessionLine(
            session_id=session.session_id,
            name=session.name,
            is_saved=session.is_saved,
            created_at=session.created_at,
            used_at=session.used_at,
            expires_at=session.expires_at,
            capture_ids=tuple(line.capture_id for line in lines),
            captures=tuple(lines),
            rooms=tuple(sorted({line.room_login for line in lines})),
        )

    def _note(self, action: str, access: Access, session_id: str, name: str, address: str) -> None:
        if self._audit is not None:
            detail = f"{session_id} {name}".strip()
            self._audit.write(
                action, user_id=access.user_id, user_login=access.user_login, address=address, detail=detail
            )


def _owner(access: Access) -> str:
    if not access.user_id:
        raise AccessDenied("Log in first.")
    return access.user_id


def capture_lines(captures: Sequence[Capture], access: Access) -> tuple[CaptureLine, ...]:
    """Captures as the page shows them."""
    return tuple(capture_line(capture, access) for capture in captures)


def capture_line(capture: Capture, access: Access) -> CaptureLine:
    """A capture as the page shows it."""
    return CaptureLine(
        capture_id=capture.capture_id,
        room_id=capture.room_id,
        room_login=capture.room_login,
        source=capture.source,
        window_s=capture.window_s,
        state=capture.state,
        asked_by=_by(capture.asked_by, access),
        asked_at=capture.asked_at,
        started_at=capture.started_at,
        finished_at=capture.finished_at,
        listed_count=capture.listed_count,
        told_count=capture.told_count,
        known_count=capture.known_count,
        unknown_count=capture.unknown_count,
        error=capture.error or None,
        is_cancel_wanted=capture.is_cancel_wanted,
    )


def _by(asked_by: str, access: Access) -> str:
    if asked_by == "clock":
        return "the clock"
    return "you" if asked_by == access.user_id else "another moderator"
