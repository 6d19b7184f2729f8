"""The web server under the pages."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, request

from dashboard.config import Settings
from dashboard.errors import ConfigError, StreamLensError
from dashboard.events import now_us
from dashboard.eventsub_types import CALLBACK_PATH
from dashboard.storage.state import State

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

_THREADS = 32
"""Most of them wait: EventSub's deliveries for the disk, many together for one fsync."""
_MOST_BODY_BYTES = 16 * 2**20
"""waitress takes a body whole before anybody may refuse it."""
SERVER_OPTIONS: Final[dict[str, Any]] = {
    # waitress would take X-Forwarded-* away: then neither ProxyFix could count TRUSTED_PROXY_COUNT proxies,
    # nor the gate see that somebody comes through one where there is no login. Nobody else reads them.
    "clear_untrusted_proxy_headers": False,
    # waitress has room for 100: whoever opens so many and says nothing keeps everybody else out.
    "connection_limit": 500,
    "channel_timeout": 30,
    "cleanup_interval": 5,
    # select() fails from the 1024th open file on.
    "asyncore_use_poll": True,
}
_COLLECTOR_SILENT_S = 10
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}


def health_blueprint(state: State) -> Blueprint:
    """``/healthz`` for load balancers and containers: 200 while the server can do its work.

    Args:
        state: The last sign of life of the collector is read from it.

    Returns:
        A blueprint; its answer tells nothing but the ages of the parts.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> ResponseReturnValue:
        try:
            status = state.read_status("collector")
        except StreamLensError as error:
            return jsonify({"ok": False, "error": str(error)}), 503
        return jsonify({"ok": True, "collector": _collector(status)})

    return blueprint


def refuse_foreign_hosts(
    server: Flask, host: str, *, public_url: str = "", needs_login: bool = False
) -> None:
    """Answers only under this machine's own names while it listens to this machine alone.

    Without it a page on the internet could point its own name at 127.0.0.1 (DNS rebinding) and read
    everything here, or start collections, through the visitor's browser.

    Args:
        server: Gets the check before every request.
        host: What it listens on; any other than a loopback address is reached by names that only its
            owner knows, and there is no check.
        public_url: How a proxy or tunnel in front is reached; its name is answered too if there is a
            login.
        needs_login: Whether nobody sees anything without one.
    """
    if host not in _LOOPBACK:
        return
    public_host = urlsplit(public_url).hostname

    @server.before_request
    def check_host() -> ResponseReturnValue | None:
        if request.path == CALLBACK_PATH:  # Twitch knows us by our public name, and signs what it sends.
            return None
        name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
        if name.lower() in _LOOPBACK:
            return None
        if needs_login and name.lower() == public_host:
            return None
        return jsonify({"error": "forbidden", "message": "Open this page as http://localhost."}), 403


def _collector(status: Any) -> dict[str, Any]:
    if status is None:
        return {"is_alive": False, "age_s": None}
    age_s = round((now_us() - status.updated_at) / 1e6, 1)
    is_alive = age_s <= _COLLECTOR_SILENT_S and not status.payload.get("stopped_at")
    return {"is_alive": is_alive, "age_s": age_s}


def serve(server: Flask, settings: Settings) -> None:
    """Serves until the process is stopped.

    Raises:
        ConfigError: The port is taken, or the address is not this machine's.
    """
    import waitress

    from dashboard.web_task import tune

    tune()
    try:
        waitress.serve(
            server,
            host=settings.host,
            port=settings.port,
            threads=_THREADS,
            ident=None,
            **SERVER_OPTIONS,
            max_request_body_size=_MOST_BODY_BYTES,
            _quiet=True,
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"PORT: {settings.port} is in use by another program. Stop it, or set PORT to a free one."
            ) from None
        raise ConfigError(
            f"HOST: {settings.host} can't be listened on ({error.strerror}). "
            f"Use 127.0.0.1 for this machine only, 0.0.0.0 for the whole network."
        ) from None
