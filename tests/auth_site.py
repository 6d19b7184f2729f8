"""The web application with a login, the sandbox behind it, and people who go through the whole flow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.auth.bundle import Auth
from dashboard.config import Settings
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from dashboard.services import Services

PORT = 5000
BASE = f"http://localhost:{PORT}"


class SandboxThread:
    """The sandbox on a free port, in a thread of its own."""

    def __init__(self) -> None:
        self.world = World(7, 12)
        self._ready, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> SandboxThread:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    async def _serve(self) -> None:
        async with SandboxServer(self.world, http_port=0) as self.server:
            self.port = int(urlsplit(self.server.urls["helix"]).port or 0)
            self._ready.set()
            while not self._over.is_set():
                await asyncio.sleep(0.05)

    def person(self, index: int) -> tuple[str, str]:
        """Id and login of a channel's owner."""
        channel = self.world.channels[index]
        return channel.user_id, channel.login


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def agree(authorize_url: str, login: str) -> str:
    """What the person's browser brings back from the login service.

    Returns:
        Path and query of the callback.
    """
    from urllib.error import HTTPError

    try:
        build_opener(_NoRedirect).open(f"{authorize_url}&{urlencode({'login': login})}")
    except HTTPError as answer:
        url = urlsplit(answer.headers["Location"])
        answer.close()
        return f"{url.path}?{url.query}"
    raise AssertionError("the sandbox did not send anybody back")


@dataclass
class Site:
    """The app under test."""

    app: Any
    auth: Auth
    settings: Settings
    services: Services
    sandbox: SandboxThread
    clients: list[FlaskClient] = field(default_factory=list)

    def client(self) -> FlaskClient:
        """A browser without cookies."""
        made: FlaskClient = self.app.server.test_client()
        self.clients.append(made)
        return made

    def log_in(self, client: FlaskClient, login: str, query: str = "") -> TestResponse:
        """The whole way through the login; the callback's answer."""
        started = client.get(f"/auth/twitch{query}", base_url=BASE)
        assert started.status_code == 303, started.data
        return client.get(agree(started.headers["Location"], login), base_url=BASE)

    def person(self, login: str, query: str = "") -> FlaskClient:
        """A browser that is logged in."""
        client = self.client()
        answer = self.log_in(client, login, query)
        assert answer.status_code == 303, answer.data
        return client


def csrf_of(client: FlaskClient) -> str:
    """The token that this browser's scripts would send."""
    cookie = client.get_cookie("_csrf_token", "localhost")
    return cookie.value if cookie else ""


@contextmanager
def open_site(sandbox: SandboxThread, data_dir: Path, **values: Any) -> Iterator[Site]:
    """Builds the application.

    Args:
        sandbox: Who is asked instead of Twitch.
        data_dir: Data folder.
        **values: Further settings, or ``live`` and ``state`` in place of the real ones.
    """
    from app import create_dash_app, create_services

    fakes = {name: values.pop(name) for name in ("live", "state") if name in values}
    settings = Settings(
        **(
            {"_env_file": None, "data_dir": data_dir, "sandbox": True, "sandbox_port": sandbox.port}
            | {"port": PORT}
            | values
        )
    )
    services = create_services(settings)
    for name, fake in fakes.items():
        object.__setattr__(services, name, fake)
    app = create_dash_app(settings, services)
    yield Site(app, app.server.extensions["auth"], settings, services, sandbox)
