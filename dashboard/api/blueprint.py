"""The REST API: one view for every resource of the table, under ``/api/v1/<name>`` and ``/api/<name>``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from flask import Blueprint, Response, redirect, request

from dashboard.access import NOBODY, Access
from dashboard.api import answers, formats, limits
from dashboard.api.cursors import make_cursor
from dashboard.api.identity import Caller, who_asks
from dashboard.api.openapi import openapi_document
from dashboard.api.parameters import MOST_ROWS, Asked, parse
from dashboard.api.reading import Answer, read_answer, read_stream
from dashboard.api.resources import Resource, all_resources, by_name, columns_of
from dashboard.errors import AccessDenied, ParseError
from dashboard.insights.records import Records
from dashboard.storage.api_keys import ApiKeys

if TYPE_CHECKING:
    from dashboard.config import Settings

DOCS_PATH = "/api-docs"
"""The page of the app that lists and tries everything."""
_STREAMS = 3
_BUSY_RETRY_S = 5
_EVERY_METHOD = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the API works with; tests put fakes in their places."""

    settings: Settings
    records: Records
    keys: ApiKeys
    current_access: Callable[[], Access]
    """Who the browser's session is."""
    access_of_user: Callable[[str], Access]
    """What the owner of a key may see now; NOBODY for who is not let in any more."""
    health: Callable[[Access], dict[str, Any]]


def api_blueprint(parts: ApiParts) -> Blueprint:
    """Everything under ``/api``.

    Args:
        parts: What it works with.

    Returns:
        A blueprint; it decides itself who may ask, so no gate has to stand before it.
    """
    blueprint = Blueprint("api", __name__)
    limiter = limits.RateLimiter(parts.settings.api_requests_per_min)
    slots = limits.Slots(_STREAMS)

    def serve(rest: str = "") -> Response:
        response = _serve(parts, limiter, slots, rest)
        return answers.add_common(response, request, parts.settings.cors_origins)

    for rule in ("/api", "/api/", "/api/<path:rest>"):
        blueprint.add_url_rule(rule, "serve", serve, methods=_EVERY_METHOD, provide_automatic_options=False)
    return blueprint


def _serve(parts: ApiParts, limiter: limits.RateLimiter, slots: limits.Slots, rest: str) -> Response:
    name = rest.removeprefix("v1/").strip("/") if rest != "v1" else ""
    if request.method == "OPTIONS":
        return Response(status=204, headers={"Allow": answers.ALLOW})
    if name == "docs":
        return redirect(DOCS_PATH, 302)  # type: ignore[return-value]
    try:
        caller = who_asks(parts.keys, parts.current_access, parts.access_of_user)
        allowance = limiter.take(caller.counted_as)
        response = _checked(parts, slots, caller, allowance, name)
    except Exception as error:
        return answers.failed(error)
    answers.add_allowance(response, allowance)
    return response


def _checked(
    parts: ApiParts, slots: limits.Slots, caller: Caller, allowance: limits.Allowance, name: str
) -> Response:
    if not allowance.is_granted:
        return answers.refused(
            429, f"{allowance.limit} requests a minute are allowed; try again in {allowance.retry_after_s} s."
        )
    if request.method not in ("GET", "HEAD"):
        response = answers.refused(405, f"{request.method} is not possible here, only {answers.ALLOW}.")
        response.headers["Allow"] = answers.ALLOW
        return response
    if name in ("", "openapi.json"):
        body = openapi_document() if name else _index()
        return _conditional(answers.as_json(body))
    if caller.access == NOBODY:
        response = answers.refused(401, caller.problem)
        response.headers["WWW-Authenticate"] = 'Bearer realm="StreamLens"'
        return response
    resource = by_name().get(name)
    if resource is None:
        names = ", ".join(resource.name for resource in all_resources())
        return answers.refused(404, f"There is no such resource. There are: {names}.")
    if "read" not in caller.scopes:
        raise AccessDenied("This key lacks the scope “read”.")
    try:
        return _answered(parts, slots, caller, resource)
    except Exception as error:
        # Answered here, so that the allowance is told with it.
        return answers.failed(error)


def _answered(parts: ApiParts, slots: limits.Slots, caller: Caller, resource: Resource) -> Response:
    asked = parse(resource, request.args.to_dict(flat=False))
    if resource.form == "health":
        if asked.form not in (None, "json"):
            raise ParseError("format: health is told as json only")
        return answers.as_json(parts.health(caller.access))
    form = asked.form or formats.negotiate(request.accept_mimetypes)
    if form is None:
        return answers.refused(406, f"Formats are {', '.join(formats.MIME.values())}; or set format=.")
    visible = parts.records.visible(
        caller.access, kind=resource.kind, room_name=asked.room_name, room_id=asked.room_id
    )
    is_large = asked.limit > MOST_ROWS
    if not is_large:
        return _page(read_answer(parts.records, asked, visible), asked, form)
    if form == "json" or resource.form != "events" or asked.is_current:
        raise ParseError(
            f"limit: at most {MOST_ROWS} here; go on with the cursor. "
            "Events as csv, ndjson and parquet come at any length."
        )
    if "export" not in caller.scopes:
        raise AccessDenied(f"More than {MOST_ROWS} rows at once need a key with the scope “export”.")
    give_back = slots.take()
    if give_back is None:
        response = answers.refused(429, f"{_STREAMS} large answers are under way already; try again soon.")
        response.headers["Retry-After"] = str(_BUSY_RETRY_S)
        return response
    try:
        return _stream(read_stream(parts.records, asked, visible), columns_of(resource), form, give_back)
    except BaseException:
        give_back()
        raise


def _page(answer: Answer, asked: Asked, form: str) -> Response:
    cursor = make_cursor(asked.question, answer.place) if answer.place is not None else None
    if form == "json":
        body = {
            "data": formats.rows_of(formats.told(answer.table)),
            "pagination": {"cursor": cursor, "limit": asked.limit},
            "meta": answer.meta,
        }
        response = answers.as_json(body)
    else:
        blocks = _encoded(iter([answer.table]), columns_of(asked.resource, is_current=asked.is_current), form)
        response = _file(b"".join(blocks), asked.resource, form)
    if cursor is not None:
        response.headers["X-Next-Cursor"] = cursor
        pairs = [(name, value) for name, value in request.args.items() if name != "cursor"]
        response.headers["Link"] = f'<{_address([*pairs, ("cursor", cursor)])}>; rel="next"'
    return _conditional(response)


def _stream(
    tables: Iterator[pa.Table], schema: pa.Schema, form: str, give_back: Callable[[], None]
) -> Response:
    # The first table is read before the status goes out, so that a slow question still gets its 503.
    first = next(tables, None)
    blocks = _encoded(itertools.chain([] if first is None else [first], tables), schema, form)
    response = Response(blocks, mimetype=formats.MIME[form])
    response.headers["Cache-Control"] = "private, no-store"
    # Also when the caller goes away before the end: the server closes what it did not finish.
    response.call_on_close(give_back)
    return response


def _encoded(tables: Iterator[pa.Table], schema: pa.Schema, form: str) -> Iterator[bytes]:
    if form == "csv":
        return formats.csv(tables, schema)
    return formats.parquet(tables, schema) if form == "parquet" else formats.ndjson(tables)


def _file(body: bytes, resource: Resource, form: str) -> Response:
    response = Response(body, mimetype=formats.MIME[form])
    if form == "parquet":
        response.headers["Content-Disposition"] = f'attachment; filename="{resource.name}.parquet"'
    return response


def _conditional(response: Response) -> Response:
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]


def _address(pairs: list[tuple[str, str]]) -> str:
    from urllib.parse import urlencode

    return f"{request.path}?{urlencode(pairs)}"


def _index() -> dict[str, Any]:
    return {
        "resources": {
            resource.name: {"title": resource.title, "parameters": resource.parameters}
            for resource in all_resources()
        },
        "description": "/api/v1/openapi.json",
        "docs": DOCS_PATH,
    }
