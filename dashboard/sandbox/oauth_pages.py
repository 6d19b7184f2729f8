"""The pages of the login service that a person sees."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from dashboard.sandbox.cast import Role

_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem}"
    "label{display:block;padding:.15rem 0}button,input[type=text]{font:inherit;padding:.4rem .8rem}"
    "small{opacity:.7}code{font-size:.9em}"
)


def login_page(
    action: str, hidden: Mapping[str, str], note: str, scopes: Iterable[str], roles: list[Role]
) -> str:
    """The page on which somebody chooses who to be, and lets an app in or not.

    Args:
        action: Where the form goes.
        hidden: Fields that go along with it.
        note: What is asked, as plain text.
        scopes: What the app wants to be allowed.
        roles: Whom to offer.

    Returns:
        HTML.
    """
    fields = "".join(
        f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
        for key, value in hidden.items()
    )
    people = "".join(
        f'<label><input type="radio" name="login" value="{role.user.login}"{" checked" * (n == 0)}> '
        f"{html.escape(role.user.display_name)} <small>{html.escape(role.what)}</small></label>"
        for n, role in enumerate(roles)
    )
    wanted = "".join(f"<li><code>{html.escape(scope)}</code>" for scope in scopes)
    asked = f"<p>It asks for:</p><ul>{wanted}</ul>" if wanted else "<p>It asks for nothing special.</p>"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Sandbox login</title><style>{_STYLE}</style>"
        "<h1>Log in to the sandbox</h1><p>This is not Twitch: it is StreamLens' local stand-in for it. "
        f"Nobody here is real.</p><p>{html.escape(note)}</p>{asked}"
        f"<form method=post action={action}>{fields}<fieldset><legend>Who are you?</legend>{people}"
        '<label>Somebody else: <input type="text" name="other" aria-label="Login of somebody else"></label>'
        "</fieldset><p><button name=action value=allow>Authorize</button> "
        "<button name=action value=deny>Cancel</button></p></form></html>"
    )
