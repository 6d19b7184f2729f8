"""The community map as files over HTTP, each person's with what they may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from dashboard.access import Access
from dashboard.errors import StreamLensError
from dashboard.insights.community_model import query_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from dashboard.services import Services

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "gexf": "application/xml",
    "graphml": "application/xml",
    "svg": "image/svg+xml",
    "png": "image/png",
    "html": "text/html; charset=utf-8",
}


def community_blueprint(services: Services, current_access: Callable[[], Access]) -> Blueprint:
    """``/community/files/<name>`` with the page's own settings behind the question mark.

    Args:
        services: The page's answers.
        current_access: Who asks.

    Returns:
        A blueprint; files always come as downloads, so that none of them runs here.
    """
    blueprint = Blueprint("community_files", __name__)

    @blueprint.get("/community/files/<name>")
    def community_file(name: str) -> ResponseReturnValue:
        if services.community is None:
            return _plain("There is no map here.", 404)
        try:
            content = services.community.file(current_access(), query_of(request.args), name)
        except StreamLensError as error:
            return _plain(str(error), 404)
        answer = Response(content, mimetype=None, content_type=_TYPES[name.rsplit(".", 1)[-1]])
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    return blueprint


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
