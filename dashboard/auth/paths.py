"""Which addresses are open to everybody, and which may be gone to after a login."""

from __future__ import annotations

from urllib.parse import urlsplit

STATIC = ("/assets/", "/vendor/", "/_dash-component-suites/")
_ICONS = frozenset({"/_favicon.ico", "/favicon.ico"})
_OPEN_EXACTLY = frozenset(
    {"/login", "/logout", "/auth/twitch", "/auth/twitch/callback", "/healthz", "/api", "/eventsub/callback"}
)
_NEVER_NEXT = ("/login", "/logout", "/auth/", "/_", "/api", "/eventsub/", "/assets/", "/healthz")


def is_static(path: str) -> bool:
    """Whether an address gives the same to everybody: style sheets, scripts, icons."""
    return path.startswith(STATIC) or path in _ICONS


def is_open(path: str) -> bool:
    """Whether an address can be asked for without a login; the API and webhooks check for themselves."""
    return is_static(path) or path in _OPEN_EXACTLY or path.startswith("/api/")


def local_path(address: str | None, fallback: str = "/live") -> str:
    """An address to go on to, if it is a page of this server; nobody is sent anywhere else.

    Args:
        address: As it came in a link.
        fallback: Where to go if it is none.

    Returns:
        A path with its query.
    """
    text = address or ""
    # Browsers read a backslash as a slash, and drop tabs and new lines.
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return fallback
    try:
        url = urlsplit(text)
    except ValueError:
        return fallback
    if url.scheme or url.netloc or len(text) > 500 or url.path.startswith(_NEVER_NEXT):
        return fallback
    return url.path + (f"?{url.query}" if url.query else "")
