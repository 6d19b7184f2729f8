"""StreamLens: ``python app.py`` runs everything, ``python app.py COMMAND`` does the rest.

Wiring only: this is the one place that knows the dashboard, the pages, the callbacks and the
collectors at once. ``gunicorn 'app:create_server()'`` serves the pages without the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask

    from collectors.audience import TwitchAccess
    from collectors.helix_models import Stream
    from dashboard.config import Settings
    from dashboard.insights.chatters_live import LiveRoom
    from dashboard.job_handle import Room
    from dashboard.sandbox import World
    from dashboard.services import Services
    from dashboard.storage.tokens import TokenVault

ROOT = Path(__file__).resolve().parent
HISTORY_S = 2 * 3600


def create_services(settings: Settings) -> Services:
    """Opens what the pages ask; nothing is read or written before the first question.

    Args:
        settings: Checked settings.

    Returns:
        The bundle that the callbacks get.
    """
    from dashboard.auth.current import current_access
    from dashboard.events import now_us
    from dashboard.insights.account import AccountInsights
    from dashboard.insights.chatters import open_chatters
    from dashboard.insights.community_open import open_community
    from dashboard.insights.eventsub import EventSubInsights
    from dashboard.insights.jobs import JobsInsights
    from dashboard.insights.live import LiveInsights
    from dashboard.insights.storage import StorageInsights
    from dashboard.jobs.capture_orders import open_capture_orders
    from dashboard.services import Services
    from dashboard.storage.accounts import open_accounts
    from dashboard.storage.api_keys import open_api_keys
    from dashboard.storage.audit import open_audit
    from dashboard.storage.eventsub_state import EventSubState
    from dashboard.storage.job_runs import JobRuns
    from dashboard.storage.state import State
    from dashboard.storage.store import Store
    from dashboard.storage.tokens import open_vault

    store = Store(
        settings.data_dir,
        threads=settings.query_threads,
        memory_mb=settings.query_memory_mb,
        timeout_s=settings.query_timeout_s,
    )
    state = State(settings.data_dir, settings.database_url.get_secret_value())
    captures = open_capture_orders(settings, partial(find_rooms, settings))
    live = LiveInsights(store, state)
    runs = JobRuns(settings.data_dir, settings.database_url.get_secret_value())
    jobs = JobsInsights(settings, runs, state, open_vault(settings))
    return Services(
        settings=settings,
        store=store,
        state=state,
        live=live,
        account=AccountInsights(
            settings, open_vault(settings), open_accounts(settings), open_audit(settings)
        ),
        jobs=jobs,
        storage=StorageInsights(settings, state, runs),
        api_keys=open_api_keys(settings),
        eventsub=EventSubInsights(
            state,
            EventSubState(settings.data_dir, settings.database_url.get_secret_value()),
            public_url=settings.public_url,
        ),
        chatters=open_chatters(settings, store, state, captures, find_live=partial(find_live, settings)),
        captures=captures,
        community=open_community(settings, store, jobs.orders, runs, lambda: live.rooms(now=now_us())),
        current_access=current_access,
    )


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
    from collectors.login_calls import LoginCalls
    from dashboard.api.install import open_api
    from dashboard.auth.install import install_auth, open_auth
    from dashboard.chatters_web import chatters_blueprint
    from dashboard.community_web import community_blueprint
    from dashboard.docs_web import docs_blueprint
    from dashboard.report_web import report_blueprint
    from dashboard.storage.audit import open_audit
    from dashboard.ui import shell
    from dashboard.web import health_blueprint, refuse_foreign_hosts

    app = Dash(
        "streamlens",
        use_pages=True,
        pages_folder=str(ROOT / "pages"),
        assets_folder=str(ROOT / "assets"),
        title="StreamLens",
        update_title="",
        index_string=shell.INDEX,
        include_pages_meta=False,
        background_callback_manager=manager(settings.data_dir, services.current_access),
        serve_locally=True,
        use_async=False,
        enable_mcp=False,
    )
    app.server.register_blueprint(shell.shell_blueprint())
    app.server.register_blueprint(health_blueprint(services.state))
    app.server.register_blueprint(docs_blueprint())
    app.server.register_blueprint(community_blueprint(services, services.current_access))
    app.server.register_blueprint(report_blueprint(settings.data_dir, services.current_access))
    if services.chatters is not None:
        app.server.register_blueprint(
            chatters_blueprint(services.chatters, open_audit(settings), services.current_access)
        )
    app.server.register_blueprint(open_api(services))
    receive_eventsub(app.server, settings)
    refuse_foreign_hosts(
        app.server, settings.host, public_url=settings.public_url, needs_login=settings.needs_login
    )
    install_auth(app, open_auth(settings, LoginCalls))
    # A function, so that every page load gets a nonce of its own.
    app.layout = lambda: shell.app_layout(settings.is_sandbox, services.current_access())
    register_all(app, services)
    return app


def receive_eventsub(server: Flask, settings: Settings) -> None:
    """Takes Twitch's deliveries at ``/eventsub/callback``; nothing is opened before the first.

    Args:
        server: Gets the address; the receiver is its extension ``eventsub``.
        settings: Secret and data folder.
    """
    from functools import cache

    from dashboard.events import Event
    from dashboard.eventsub_message import EventSubMessage
    from dashboard.eventsub_web import answer_deliveries
    from dashboard.storage.eventsub_receiver import EventSubReceiver
    from dashboard.storage.eventsub_secret import eventsub_secret
    from dashboard.storage.recovery import read_opt_out

    memory: list[Any] = []

    def parse(message: EventSubMessage) -> Sequence[Event]:
        from collectors.eventsub_parse import StreamMemory, parse_notification

        if not memory:
            memory.append(StreamMemory())
        return parse_notification(message, memory[0])

    receiver = EventSubReceiver(
        settings.data_dir,
        parse,
        database_url=settings.database_url.get_secret_value(),
        opt_out=read_opt_out(settings.opt_out_file) if settings.opt_out_file else (),
    )
    server.extensions["eventsub"] = receiver
    answer_deliveries(server, cache(lambda: eventsub_secret(settings)), receiver)


def create_server(settings: Settings | None = None) -> Flask:
    """The WSGI application, for waitress here and for gunicorn elsewhere.

    Args:
        settings: Checked settings; read from the environment when left out.

    Returns:
        A Flask application.
    """
    from dashboard.config import load_settings

    settings = settings or load_settings()
    server = create_dash_app(settings, create_services(settings)).server
    server.extensions["eventsub"].open_soon(is_expected=bool(settings.public_url))
    return server


def serve_web(settings: Settings) -> None:
    """Serves the pages until it is stopped."""
    from dashboard.web import serve

    serve(create_server(settings), settings)


def run_collector(settings: Settings, channels: Sequence[str]) -> None:
    """Runs the collector until it is stopped."""
    from collectors.service import run_collector

    run_collector(settings, channels)


def open_twitch(settings: Settings, vault: TokenVault) -> TwitchAccess:
    """Gives a job its access to Twitch; in the sandbox its streamer logs in when nobody has."""
    from collectors.audience import TwitchAccess

    login = ""
    if settings.is_sandbox and not vault.all():
        from dashboard.sandbox import World

        login = World(settings.sandbox_seed, settings.sandbox_channel_count).home[0].login
    return TwitchAccess(settings, vault, sandbox_login=login)


def find_rooms(settings: Settings, logins: Sequence[str]) -> list[Room]:
    """Asks Twitch for the channels behind logins."""
    from collectors.login_calls import find_rooms

    return find_rooms(settings, logins)


def find_live(settings: Settings, logins: Sequence[str]) -> list[LiveRoom]:
    """Asks Twitch which of these channels are live."""
    from collectors.login_calls import find_live
    from dashboard.insights.chatters_live import LiveRoom

    return [LiveRoom(s.user_login, s.viewer_count, s.game_name) for s in find_live(settings, logins)]


def log_in(*args: Any) -> Any:
    """Logs somebody in by a code that they type in at Twitch."""
    from collectors.device_login import log_in

    return log_in(*args)


def log_out(*args: Any) -> Any:
    """Takes a grant back."""
    from collectors.device_login import log_out

    return log_out(*args)


def import_files(*args: Any, **options: Any) -> Any:
    """Imports recordings."""
    from collectors.recorded.importer import import_files

    return import_files(*args, **options)


def import_history(settings: Settings) -> int:
    """Brings the last hours of the sandbox's home channels in, so that the first look is not empty."""
    import time

    from collectors.history import import_history
    from dashboard.sandbox import World
    from dashboard.storage.ingest import Ingest

    world = World(settings.sandbox_seed, settings.sandbox_channel_count)
    logins = [channel.login for channel in world.home]
    end_s = int(time.time())
    with Ingest(settings.data_dir, "history", dedupe_against_lake=True) as ingest:
        return import_history(
            logins,
            start_s=end_s - HISTORY_S,
            end_s=end_s,
            lines=world.raw_lines,
            streams=lambda at_s: _streams(world, at_s, logins),
            ingest=ingest,
        )


def import_surveys(settings: Settings) -> int:
    """Brings the sandbox's surveys of the last three weeks in, so that there is a map to look at."""
    import time

    from collectors.survey_history import past_surveys, survey_moments
    from dashboard.events import Event
    from dashboard.jobs.communities import SANDBOX_STATUS
    from dashboard.sandbox import World
    from dashboard.sandbox.met import met
    from dashboard.storage.ingest import Ingest
    from dashboard.storage.state import State

    world = World(settings.sandbox_seed, settings.sandbox_channel_count)
    every_login = [channel.login for channel in world.channels]
    state = State(settings.data_dir, settings.database_url.get_secret_value())
    events: list[Event] = []
    try:
        count = past_surveys(
            survey_moments(int(time.time())),
            streams=lambda at_s: _streams(world, at_s, every_login),
            met=lambda login, start_s, until_s: met(world, login, start_s, until_s),
            keep=events.extend,
        )
        with Ingest(settings.data_dir, "history", dedupe_against_lake=True) as ingest:
            ingest.put(events)
    finally:
        state.write_status(SANDBOX_STATUS, {"is_done": True})
        state.close()
    return count


def _streams(world: World, at_s: float, logins: Sequence[str]) -> list[Stream]:
    """The invented platform's answer of Get Streams at a time."""
    from collectors.helix_models import Stream
    from dashboard.events import Instant

    states = [state for login in logins if (state := world.stream_at(login, at_s)) is not None]
    return [
        Stream(
            stream_id=state.stream_id,
            user_id=state.channel.user_id,
            user_login=state.channel.login,
            user_display_name=state.channel.display_name,
            viewer_count=state.viewer_count,
            game_id=state.game.game_id,
            game_name=state.game.name,
            title=state.title,
            language=state.language,
            started_at=Instant(state.started_s * 1_000_000),
        )
        for state in states
    ]


def main() -> None:
    """Runs the command line."""
    from dashboard.cli import Parts, build_cli

    parts = Parts(
        Path(__file__).resolve(),
        serve_web,
        run_collector,
        import_files,
        import_history,
        open_twitch,
        log_in,
        log_out,
        find_rooms,
        import_surveys,
    )
    build_cli(parts)(prog_name="python app.py")


if __name__ == "__main__":
    main()
