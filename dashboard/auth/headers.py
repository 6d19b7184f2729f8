"""Security headers: what a page of ours may load, and who may show it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import flask

from dashboard.auth.cookies import is_https
from dashboard.config import Settings

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def inline_hashes(html: str) -> list[str]:
    """The Content-Security-Policy sources of the scripts that stand in a page itself."""
    digests = [hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(html)]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def first_script(html: str) -> str:
    """The first script that stands in a page itself, with its tags; empty without one."""
    found = _INLINE.search(html)
    return found.group(0) if found else ""


def content_policy(script_hashes: Iterable[str], auth_url: str) -> str:
    """The Content-Security-Policy of every page.

    Args:
        script_hashes: Of scripts that stand in the page itself; no others run.
        auth_url: Where the login form leads (browsers follow redirects when they check that).

    Returns:
        The header's value.
    """
    login = urlsplit(auth_url)
    parts = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *script_hashes]),
        # Plotly and Dash set styles of elements; scripts can't come in that way.
        "style-src": "'self' 'unsafe-inline'",
        # Plotly draws its picture for download through both.
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": f"'self' {login.scheme}://{login.netloc}",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def set_headers(response: flask.Response, policy: str, settings: Settings) -> None:
    """Adds the headers to an answer; what a route set itself stays."""
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
    if is_https(settings):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    for name, value in headers.items():
        response.headers.setdefault(name, value)
