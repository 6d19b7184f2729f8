"""The manuals that pages point to, as plain text: an installation without internet has them too."""

from __future__ import annotations

from pathlib import Path

import flask

_FOLDER = Path(__file__).resolve().parent.parent / "docs"
_MANUALS = ("s3.md",)


def docs_blueprint() -> flask.Blueprint:
    """Serves ``/docs/s3.md``; nothing else of the folder."""
    blueprint = flask.Blueprint("docs", __name__)

    @blueprint.get("/docs/<name>")
    def manual(name: str) -> flask.Response:
        if name not in _MANUALS:
            flask.abort(404)
        return flask.send_from_directory(_FOLDER, name, mimetype="text/plain; charset=utf-8")

    return blueprint
