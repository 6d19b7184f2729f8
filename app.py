"""StreamLens: ``python app.py`` runs everything, ``python app.py COMMAND`` does the rest.

Wiring only: this is the one place that knows the dashboard, the pages, the callbacks and the
collectors at once. ``gunicorn 'app:create_server()'`` serves the pages without the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask

    from dashboard.config import Settings
    from dashboard.services import Services

ROOT = Path(__file__).resolve().parent


def create_services(settings: Settings) -> Services:
    """Opens what the pages ask; nothing is read or written before the first question.

    Args:
        settings: Checked settings.

    Returns:
        The bundle that the callbacks get.
    """
    from dashboard.insights.live import LiveInsights

    from dashboard.services import Services
    from dashboard.storage.state import State
    from dashboard.storage.store import Store

    store = Store(
        settings.data_dir,
        threads=settings.query_threads,
        memory_mb=settings.query_memory_mb,
        timeout_s=settings.query_timeout_s,
    )
    state = State(settings.data_dir, settings.database_url.get_secret_value())
    return Services(settings=settings, store=store, state=state, live=LiveInsights(store, state))


def create_dash_app(settings: Settings, services: Services) -> Dash:
    """Builds the web application.

    Args:
        settings: Checked settings.
        services: What the callbacks ask.

    Returns:
        The Dash app; its ``server`` is the WSGI application.
    """
    from dash import Dash

    from callbacks import register_all
    from callbacks.background import manager
    from dashboard.ui import shell
    from dashboard.web import health_blueprint

    app = Dash(
        "streamlens",
        use_pages=True,
        pages_folder=str(ROOT / "pages"),
        assets_folder=str(ROOT / "assets"),
        title="StreamLens",
        update_title="",
        index_string=shell.INDEX,
        include_pages_meta=False,
        background_callback_manager=manager(settings.data_dir),
        serve_locally=True,
        use_async=False,
        enable_mcp=False,
    )
    app.server.register_blueprint(shell.shell_blueprint())
    app.server.register_blueprint(health_blueprint(services.state))
    # A function, so that every page load gets a nonce of its own.
    app.layout = lambda: shell.app_layout(settings.is_sandbox)
    register_all(app, services)
    return app


def create_server(settings: Settings | None = None) -> Flask:
    """The WSGI application, for waitress here and for gunicorn elsewhere.

    Args:
        settings: Checked settings; read from the environment when left out.

    Returns:
        A Flask application.
    """
    from dashboard.config import load_settings

    settings = settings or load_settings()
    return create_dash_app(settings, create_services(settings)).server


def serve_web(settings: Settings) -> None:
    """Serves the pages until it is stopped."""
    from dashboard.web import serve

    serve(create_server(settings), settings)


def run_collector(settings: Settings, channels: Sequence[str]) -> None:
    """Runs the collector until it is stopped."""
    from collectors.service import run_collector

    run_collector(settings, channels)


def import_files(*args: Any, **options: Any) -> Any:
    """Imports recordings."""
    from collectors.recorded.importer import import_files

    return import_files(*args, **options)


def main() -> None:
    """Runs the command line."""
    from dashboard.cli import Parts, build_cli

    parts = Parts(Path(__file__).resolve(), serve_web, run_collector, import_files)
    build_cli(parts)(prog_name="python app.py")


if __name__ == "__main__":
    main()
