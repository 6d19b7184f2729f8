"""What is taken out of the Chatters page over HTTP, to those who may see the captures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

import flask
from flask import Blueprint, Response

from dashboard.access import Access
from dashboard.errors import AccessDenied, JobError, StreamLensError
from dashboard.events import Instant, now_us
from dashboard.insights.chatters_bundle import bundle_html
from dashboard.insights.chatters_compare_export import comparison_csv, comparison_json, side_json
from dashboard.insights.chatters_export import accounts_csv, accounts_json, aggregates_csv, aggregates_json
from dashboard.insights.chatters_model import CaptureLine, ChattersAnalysis, Selection
from dashboard.insights.chatters_people_model import Comparison, Side
from dashboard.storage.audit import EXPORTED, AuditLog

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from dashboard.insights.chatters import ChattersInsights

_MIME: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_LONGEST_ASK: Final = 20_000


def chatters_blueprint(
    insights: ChattersInsights,
    audit: AuditLog,
    current_access: Callable[[], Access],
    *,
    now: Callable[[], Instant] = now_us,
) -> Blueprint:
    """``/chatters/export/<what>?ask=<selection as JSON>`` and ``/chatters/compare/<what>?first=…&second=…``.

    ``accounts.csv``, ``accounts.json``, ``aggregates.csv``, ``aggregates.json`` and ``evidence.html``; of two
    captures ``comparison.csv``, ``comparison.json`` and, with ``&side=came``, ``left`` or ``stayed``, the
    accounts. Every one that is given out is in the audit log.

    Args:
        insights: What is asked, as whoever asks.
        audit: Where it is noted.
        current_access: Who asks.
        now: The wall clock.

    Returns:
        A blueprint; it answers 403 to who may not see a capture, whether there is one of that id or not.
    """
    blueprint = Blueprint("chatters_export", __name__)

    @blueprint.get("/chatters/export/<what>")
    def export(what: str) -> ResponseReturnValue:
        selection = _selection(flask.request.args.get("ask", ""))
        if what not in _PARTS:
            return _plain("There is no such export.", 404)
        if selection is None:
            return _plain("ask: this is no selection of the page.", 400)

        def make(access: Access) -> _Export:
            analysis = insights.analysis(selection, access)
            return _Export(
                analysis.captures, analysis.as_of, *_PARTS[what](insights, analysis, access, now())
            )

        return give(what, make)

    @blueprint.get("/chatters/compare/<what>")
    def compared(what: str) -> ResponseReturnValue:
        told = flask.request.args
        first, second, side = (told.get(name, "") for name in ("first", "second", "side"))
        if what not in _COMPARED or side not in _SIDES:
            return _plain("There is no such export.", 404)

        def make(access: Access) -> _Export:
            found = insights.compare(first, second, access)
            name = f"compared-{what}" if what in _WHOLE else f"{side or 'came'}-{what}"
            people = None
            if what not in _WHOLE:
                people = insights.compared_people(first, second, cast(Side, side or "came"), access)
            parts = _COMPARED[what](found, people, cast(Side, side or "came"), now())
            count = people.row_count if people else found.came_count + found.left_count + found.stayed_count
            return _Export((found.before, found.after), found.after.finished_at, count, parts, name)

        return give(what, make)

    def give(what: str, make: Callable[[Access], _Export]) -> ResponseReturnValue:
        access = current_access()
        try:
            made = make(access)
            rooms = ", ".join(dict.fromkeys(line.room_login for line in made.captures))
            words = f"{made.name or what} of {rooms or 'nothing'}, {made.count:,} accounts"
            audit.note(EXPORTED, access, words, address=flask.request.remote_addr or "")
        except AccessDenied as error:
            return _plain(str(error), 403)
        except JobError as error:
            return _plain(str(error), 409)
        except StreamLensError as error:
            return _plain(str(error), 503)
        return _download(made.parts, what, _name(made, what))

    return blueprint


@dataclass(frozen=True, slots=True)
class _Export:
    """What is given out: of which captures and when, how many accounts, its bytes and its name."""

    captures: Sequence[CaptureLine]
    as_of: Instant | None
    count: int
    parts: Iterable[bytes]
    name: str = ""


_Made = tuple[int, Iterable[bytes]]


def _accounts_csv(insights: ChattersInsights, found: ChattersAnalysis, access: Access, _: Instant) -> _Made:
    table = insights.accounts(found.selection, access)
    return table.row_count, accounts_csv(table)


def _accounts_json(insights: ChattersInsights, found: ChattersAnalysis, access: Access, at: Instant) -> _Made:
    table = insights.accounts(found.selection, access)
    return table.row_count, accounts_json(table, found, at)


def _aggregates_csv(_: ChattersInsights, found: ChattersAnalysis, __: Access, ___: Instant) -> _Made:
    return found.shown_count, aggregates_csv(found)


def _aggregates_json(_: ChattersInsights, found: ChattersAnalysis, __: Access, at: Instant) -> _Made:
    return found.shown_count, aggregates_json(found, at)


def _evidence(insights: ChattersInsights, found: ChattersAnalysis, access: Access, at: Instant) -> _Made:
    table = insights.accounts(found.selection, access)
    return table.row_count, [bundle_html(found, table, at).encode()]


_PARTS: Final[dict[str, Callable[[Any, ChattersAnalysis, Access, Instant], _Made]]] = {
    "accounts.csv": _accounts_csv,
    "accounts.json": _accounts_json,
    "aggregates.csv": _aggregates_csv,
    "aggregates.json": _aggregates_json,
    "evidence.html": _evidence,
}


_WHOLE: Final = ("comparison.csv", "comparison.json")
_SIDES: Final = ("", "came", "left", "stayed")
_COMPARED: Final[dict[str, Callable[[Comparison, Any, Side, Instant], Iterable[bytes]]]] = {
    "comparison.csv": lambda found, _, __, ___: comparison_csv(found),
    "comparison.json": lambda found, _, __, at: comparison_json(found, at),
    "accounts.csv": lambda _, people, __, ___: accounts_csv(people),
    "accounts.json": lambda found, people, side, at: side_json(people, found, side, at),
}


def _selection(text: str) -> Selection | None:
    try:
        payload = json.loads(text) if len(text) <= _LONGEST_ASK else None
    except (ValueError, RecursionError):
        return None
    return Selection.from_payload(payload) if isinstance(payload, dict) else None


def _name(made: _Export, what: str) -> str:
    rooms = "-".join(dict.fromkeys(line.room_login for line in made.captures))[:60]
    at = datetime.fromtimestamp(made.as_of / 1e6, UTC) if made.as_of is not None else None
    day = f"-{at:%Y-%m-%d-%H%M}" if at else ""
    return f"chatters-{rooms or 'none'}{day}-{made.name or what}"


def _download(parts: Iterable[bytes], what: str, name: str) -> Response:
    response = Response(parts, mimetype=None, content_type=_MIME[what.rpartition(".")[2]])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
