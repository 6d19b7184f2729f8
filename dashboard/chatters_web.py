"""What is taken out of the Chatters page over HTTP, to those who may see the captures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import flask
from flask import Blueprint, Response

from dashboard.access import Access
from dashboard.errors import AccessDenied, JobError, StreamLensError
from dashboard.events import Instant, now_us
from dashboard.insights.chatters_bundle import bundle_html
from dashboard.insights.chatters_export import accounts_csv, accounts_json, aggregates_csv, aggregates_json
from dashboard.insights.chatters_model import ChattersAnalysis, Selection
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
    """``/chatters/export/<what>?ask=<selection as JSON>``.

    ``accounts.csv``, ``accounts.json``, ``aggregates.csv``, ``aggregates.json`` and ``evidence.html``. Every
    one that is given out is in the audit log.

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
        if what not in _PARTS:
            return _plain("There is no such export.", 404)
        selection = _selection(flask.request.args.get("ask", ""))
        if selection is None:
            return _plain("ask: this is no selection of the page.", 400)
        access = current_access()
        try:
            analysis = insights.analysis(selection, access)
            count, parts = _PARTS[what](insights, analysis, access, now())
            rooms = ", ".join(dict.fromkeys(line.room_login for line in analysis.captures))
            address = flask.request.remote_addr or ""
            audit.note(
                EXPORTED, access, f"{what} of {rooms or 'nothing'}, {count:,} accounts", address=address
            )
        except AccessDenied as error:
            return _plain(str(error), 403)
        except JobError as error:
            return _plain(str(error), 409)
        except StreamLensError as error:
            return _plain(str(error), 503)
        return _download(parts, what, _name(analysis, what))

    return blueprint


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


def _selection(text: str) -> Selection | None:
    try:
        payload = json.loads(text) if len(text) <= _LONGEST_ASK else None
    except (ValueError, RecursionError):
        return None
    return Selection.from_payload(payload) if isinstance(payload, dict) else None


def _name(analysis: ChattersAnalysis, what: str) -> str:
    rooms = "-".join(dict.fromkeys(line.room_login for line in analysis.captures))[:60]
    at = datetime.fromtimestamp(analysis.as_of / 1e6, UTC) if analysis.as_of is not None else None
    day = f"-{at:%Y-%m-%d-%H%M}" if at else ""
    return f"chatters-{rooms or 'none'}{day}-{what}"


def _download(parts: Iterable[bytes], what: str, name: str) -> Response:
    response = Response(parts, mimetype=None, content_type=_MIME[what.rpartition(".")[2]])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
