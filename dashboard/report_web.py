"""The daily reports over HTTP, to those who may see the channel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, send_file

from dashboard.access import Access
from dashboard.errors import AccessDenied
from dashboard.storage.report_files import ReportFiles

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MIME = {"html": "text/html; charset=utf-8", "json": "application/json"}


def report_blueprint(data_dir: Path, current_access: Callable[[], Access]) -> Blueprint:
    """``/reports/<channel>/<YYYY-MM-DD>.html`` and ``.json``.

    Args:
        data_dir: The data folder.
        current_access: Who asks.

    Returns:
        A blueprint; it answers 403 to who may not see the channel, whether there is a report or not.
    """
    blueprint = Blueprint("reports", __name__)
    files = ReportFiles(data_dir)

    @blueprint.get("/reports/<channel>/<day>.<ending>")
    def report(channel: str, day: str, ending: str) -> ResponseReturnValue:
        try:
            current_access().require_room(channel)
        except AccessDenied as error:
            return _plain(str(error), 403)
        path = files.path(channel, day, ending)
        if path is None or not path.is_file():
            return _plain("There is no report of that channel and day.", 404)
        response = send_file(path.absolute(), mimetype=_MIME[ending], max_age=0)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return blueprint


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
