"""The frame around every page: navigation, theme, keys, and what outlives a page switch."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import dash
import dash_bootstrap_components as dbc
import flask
from dash import dcc, html

from dashboard.access import NOBODY, Access
from dashboard.ui import components, ids

SYSTEM = "system"
"""``rail_group`` of the pages that are about the installation and not about a channel."""

VENDOR_PREFIX = "/vendor/bootstrap"
"""Bootstrap and its icons, served from the installed package: no request leaves the machine."""

# The script runs before anything is painted, so the page never flashes in the other theme.
INDEX = """<!DOCTYPE html>
<html lang="en" data-theme="dark" data-bs-theme="dark">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="dark light">
<title>{%title%}</title>
<link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
<script>
(function () {
  var saved = null;
  try { saved = localStorage.getItem("streamlens-theme"); } catch (e) {}
  var theme = saved || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.bsTheme = theme;
})();
</script>
<link rel="stylesheet" href="VENDOR/css/bootstrap.min.css">
<link rel="stylesheet" href="VENDOR/css/font/bootstrap-icons.min.css">
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>""".replace("VENDOR", VENDOR_PREFIX)

KEYS = (
    ("/", "Find a channel; among the chatters, an account"),
    ("1 2 3", "Range of the chart: 30 minutes, 1 hour, stream"),
    ("p", "Pause the activity, or go on"),
    ("t", "Dark or light"),
    ("?", "This list"),
    ("Esc", "Close"),
)


def shell_blueprint() -> flask.Blueprint:
    """Serves Bootstrap's style sheets and icons out of the installed package, and sends ``/`` to Live."""
    import flask_bootstrap

    folder = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
    blueprint = flask.Blueprint("shell", __name__)

    @blueprint.get(f"{VENDOR_PREFIX}/<path:name>")
    def bootstrap_file(name: str) -> flask.Response:
        return flask.send_from_directory(folder, name, max_age=86_400)

    @blueprint.before_app_request
    def home() -> Any:
        # Dash owns the route "/", so a redirect registered with the page would collide with it.
        return flask.redirect("/live") if flask.request.path == "/" else None

    return blueprint


def app_layout(is_sandbox: bool, access: Access = NOBODY) -> html.Div:
    """The frame, made anew for every page load.

    Args:
        is_sandbox: Whether the data comes from the sandbox; the frame says so on every page.
        access: Who looks at it; the rail's foot says so.

    Returns:
        The whole layout with Dash's page container in it.
    """
    return html.Div(
        [
            html.A("Skip to content", href=f"#{ids.SHELL_MAIN}", className="skip-link"),
            _stores(),
            html.Header(
                [
                    dcc.Link(["Stream", html.B("Lens")], href="/live", className="logo"),
                    _navigation(),
                    html.Div(
                        [
                            _sandbox_pill() if is_sandbox else None,
                            _person(access),
                            _theme_toggle(),
                            _keys_button(),
                        ],
                        className="rail-foot",
                    ),
                ],
                className="rail",
            ),
            html.Main(
                [
                    html.Div(_sandbox_pill(), className="sandbox-top") if is_sandbox else None,
                    html.Div(id=ids.SHELL_TOAST, className="toasts"),
                    dash.page_container,
                ],
                id=ids.SHELL_MAIN,
                tabIndex="-1",
            ),
            _keys_dialog(),
        ],
        className="shell",
    )


def _stores() -> html.Div:
    return html.Div(
        [
            dcc.Location(id=ids.SHELL_LOCATION, refresh="callback-nav"),
            dcc.Store(id=ids.SHELL_NONCE, data=uuid.uuid4().hex),
            dcc.Store(id=ids.SHELL_THEME),
            dcc.Store(id=ids.SHELL_WAKE),
            # Orders for background jobs live here: Dash starts a job whenever a page brings its input anew.
            dcc.Store(id=ids.SHELL_COLLECT_ORDER),
            *(dcc.Store(id=store) for store in ids.SHELL_JOBS_STORES),
            *(dcc.Store(id=store) for store in ids.SHELL_COMMUNITY_STORES),
            *(dcc.Store(id=store) for store in ids.SHELL_CHATTERS_STORES),
        ]
    )


def pages_in_rail() -> list[dict[str, Any]]:
    """The pages that exist and want a place in the navigation, in their order."""
    return [page for page in dash.page_registry.values() if page.get("rail_icon")]


def _navigation() -> html.Nav:
    pages = pages_in_rail()
    goals = [_link(page) for page in pages if page.get("rail_group") != SYSTEM]
    system = [page for page in pages if page.get("rail_group") == SYSTEM]
    if not system:
        return html.Nav(goals, className="rail-nav", **components.aria(label="Pages"))
    # Twice: a list under a heading where there is room, a sheet behind one button on a phone.
    heading = html.Div("System", className="rail-heading")
    sheet = html.Details(
        [
            html.Summary([components.icon("three-dots"), html.Span("System")], className="rail-link"),
            html.Div([_link(page) for page in system], className="rail-sheet"),
        ],
        className="rail-more",
    )
    listed = html.Div([heading, *(_link(page) for page in system)], className="rail-system")
    return html.Nav([*goals, listed, sheet], className="rail-nav", **components.aria(label="Pages"))


def _link(page: dict[str, Any]) -> dbc.NavLink:
    return dbc.NavLink(
        [components.icon(page["rail_icon"]), html.Span(page["name"])],
        href=page["relative_path"],
        active="partial",
        class_name="rail-link",
    )


def _sandbox_pill() -> html.Span:
    return html.Span(
        "Sandbox data",
        className="pill pill-warn",
        title="Made up by the sandbox on this machine. Set TWITCH_CHANNELS to read real chat.",
    )


def _person(access: Access) -> dcc.Link | None:
    """Who is logged in; nobody is named where there is no login."""
    if access.is_local or not access.user_id:
        return None
    name = access.user_display_name or access.user_login
    return dcc.Link(
        [components.icon("person-circle"), html.Span(name, className="rail-word rail-name")],
        href="/account",
        className="rail-button rail-person",
        title=f"Logged in as {name}",
    )


def _theme_toggle() -> html.Button:
    return html.Button(
        [components.icon("circle-half"), html.Span("Theme", className="rail-word")],
        id=ids.SHELL_THEME_TOGGLE,
        className="rail-button",
        type="button",
        **components.aria(label="Switch between dark and light"),
    )


def _keys_button() -> html.Button:
    return html.Button(
        [components.icon("keyboard"), html.Span("Keys", className="rail-word")],
        id=ids.SHELL_KEYS_OPEN,
        className="rail-button",
        type="button",
        **components.aria(label="List the keys"),
    )


def _keys_dialog() -> html.Dialog:
    rows = [html.Div([html.Dt([html.Kbd(k) for k in key.split()]), html.Dd(what)]) for key, what in KEYS]
    return html.Dialog(
        [
            html.H2("Keys", id=f"{ids.SHELL_KEYS}-title"),
            html.Dl(rows),
            html.Form(html.Button("Close", className="button"), method="dialog"),
        ],
        id=ids.SHELL_KEYS,
        className="keys",
        **components.aria(labelledby=f"{ids.SHELL_KEYS}-title"),
    )
