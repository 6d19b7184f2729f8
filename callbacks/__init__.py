"""Binds every page's callbacks to the app."""

from __future__ import annotations

from dash import Dash

from callbacks import (
    account,
    api,
    api_keys,
    chatters,
    community,
    community_orders,
    eventsub,
    jobs,
    live,
    shell,
    storage,
)
from dashboard.services import Services


def register_all(app: Dash, services: Services) -> None:
    """Binds the frame's and every page's callbacks.

    Args:
        app: The app, its pages registered.
        services: What the callbacks ask.
    """
    shell.register(app)
    live.register(app, services)
    chatters.register(app, services)
    community.register(app, services)
    community_orders.register(app, services)
    account.register(app, services)
    api_keys.register(app, services)
    api.register(app)
    jobs.register(app, services)
    storage.register(app, services)
    eventsub.register(app, services)
