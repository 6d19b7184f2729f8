"""What every answer of the API has: its errors, its limits in headers, what other sites may read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import orjson
import structlog
from flask import Request, Response

from dashboard.api.limits import Allowance
from dashboard.errors import AccessDenied, ParseError, QueryError, QueryTimeout, StreamLensError

log = structlog.get_logger(__name__)

ERRORS = {
    400: ("bad_request", "A parameter is unknown or not what it should be; the message names it."),
    401: ("unauthorized", "Nobody is logged in and there is no key that works."),
    403: ("forbidden", "The channel may not be seen, or the key lacks a scope."),
    404: ("not_found", "There is no such resource."),
    405: ("method_not_allowed", "Only GET, HEAD and OPTIONS."),
    406: ("not_acceptable", "None of the formats in Accept can be given."),
    429: ("too_many_requests", "The allowance is used up, or too many large answers are under way."),
    500: ("internal", "Our mistake; the reference in the message finds it in the log."),
    503: ("unavailable", "Not answered: stopped by the time limit (`timeout`), or the storage is busy."),
}
"""Status, its ``error`` and what it means."""

ALLOW = "GET, HEAD, OPTIONS"
_EXPOSED = "ETag, Link, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Next-Cursor"
_VARY = "Accept, Authorization, Cookie"


def as_json(body: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, mimetype="application/json")


def refused(status: int, message: str, *, error: str = "") -> Response:
    """An error as ``{"error", "message"}``."""
    return as_json({"error": error or ERRORS[status][0], "message": message}, status)


def failed(error: Exception) -> Response:
    """What to answer after an exception: ours in their own words, any other as a reference."""
    if isinstance(error, ParseError):
        return refused(400, str(error))
    if isinstance(error, AccessDenied):
        return refused(403, str(error))
    if isinstance(error, QueryTimeout):
        return refused(503, f"{error} A room, a person or later dates make it faster.", error="timeout")
    if isinstance(error, StreamLensError) and not isinstance(error, QueryError):
        return refused(503, str(error))
    reference = uuid.uuid4().hex[:8]
    log.error("API request failed", reference=reference, exc_info=error)
    return refused(500, f"This could not be answered. Reference {reference} finds it in the server's log.")


def add_allowance(response: Response, allowance: Allowance) -> None:
    """Tells the caller what is left of the minute."""
    response.headers["RateLimit-Limit"] = str(allowance.limit)
    response.headers["RateLimit-Remaining"] = str(allowance.remaining)
    response.headers["RateLimit-Reset"] = str(allowance.reset_s)
    if not allowance.is_granted:
        response.headers["Retry-After"] = str(allowance.retry_after_s)


def add_common(response: Response, request: Request, cors_origins: Sequence[str]) -> Response:
    """Headers of every answer: caching for the caller alone, and CORS where it is configured."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Vary"] = _VARY + (", Origin" if cors_origins else "")
    origin = request.headers.get("Origin")
    if origin is None or origin not in cors_origins:
        return response
    # Never with credentials: another site gets in with a key, not with the visitor's session.
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ALLOW
        response.headers["Access-Control-Allow-Headers"] = "Authorization, If-None-Match"
        response.headers["Access-Control-Max-Age"] = "600"
    return response
