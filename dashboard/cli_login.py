"""The command line's part about accounts: log in with a code, take a grant back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli_commands import checked_settings
from dashboard.cli_output import errors_said_plainly, say
from dashboard.errors import ConfigError, StreamLensError
from dashboard.scopes import ALL_SCOPES, PURPOSES, scopes_for

if TYPE_CHECKING:
    from dashboard.config import Settings

EXIT_INTERRUPTED = 130
LogIn = Callable[["Settings", frozenset[str], Callable[[Any], None]], Any]
LogOut = Callable[["Settings", str], tuple[str, bool] | None]


def login_commands(log_in: LogIn, log_out: LogOut) -> list[click.Command]:
    """``login`` and ``logout``.

    Args:
        log_in: Shows a code and waits until somebody has agreed.
        log_out: Takes a grant back.
    """

    @click.command()
    @click.option(
        "--scopes",
        default=",".join(PURPOSES),
        show_default=True,
        help="What to ask for: purposes, or Twitch's own names, with commas between.",
    )
    @click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
    def login(scopes: str, as_json: bool) -> None:
        """Log in with Twitch without a browser here: type a code in on any device.

        The token is stored encrypted and shared with the collector and the worker.
        """
        with errors_said_plainly(as_json):
            settings, wanted = checked_settings(), wanted_scopes(scopes)
            if not settings.client_id:
                raise ConfigError(
                    "TWITCH_CLIENT_ID: logging in needs an application of your own. Set TWITCH_CLIENT_ID and "
                    "TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps)."
                )
            try:
                token = log_in(settings, wanted, _show)
            except KeyboardInterrupt:
                click.echo("Stopped; nobody was logged in.", err=True)
                sys.exit(EXIT_INTERRUPTED)
            summary = {
                "ok": True,
                "user_id": token.user_id,
                "user_login": token.user_login,
                "scopes": sorted(token.scopes),
            }
            say(summary, as_json, f"Logged in as {token.user_login} (id {token.user_id}).")

    @click.command()
    @click.argument("login")
    @click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
    def logout(login: str, as_json: bool) -> None:
        """Take the grant of LOGIN (or a user id) back at Twitch and forget it here."""
        with errors_said_plainly(as_json):
            done = log_out(checked_settings(), login)
            if done is None:
                raise StreamLensError(f"There is no token of {login}. Nothing was changed.")
            user_id, is_told = done
            words = (
                f"Logged {login} out."
                if is_told
                else (f"Logged {login} out here. Twitch did not answer: its token ends by itself in hours.")
            )
            say({"ok": True, "user_id": user_id, "is_revoked": is_told}, as_json, words)

    return [login, logout]


def wanted_scopes(text: str) -> frozenset[str]:
    """The permissions behind what was typed.

    Args:
        text: Purposes or scopes, with commas or spaces between; ``all`` is every one.

    Raises:
        click.UsageError: One is neither.
    """
    words = [word for word in text.replace(",", " ").split() if word]
    if "all" in words:
        return ALL_SCOPES
    strange = [word for word in words if word not in PURPOSES and word not in ALL_SCOPES]
    if strange:
        raise click.UsageError(
            f"--scopes {strange[0]}: there are {', '.join(PURPOSES)}, all, and Twitch's own names."
        )
    return scopes_for(words) | (ALL_SCOPES & set(words))


def _show(code: Any) -> None:
    # To stderr: what goes to stdout is for programs.
    click.echo(f"Open {code.address}", err=True)
    click.echo(f"and check that it shows {code.user_code}, within {code.life_s // 60} minutes.", err=True)
    click.echo("Waiting … Ctrl-C stops.", err=True)
