"""The OpenAPI 3.1 document, made from the table of resources."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa

from dashboard.api.answers import ERRORS
from dashboard.api.field_docs import field_docs
from dashboard.api.formats import MIME
from dashboard.api.health import API_VERSION
from dashboard.api.parameters import DEFAULT_LIMIT, LONGEST_Q, MOST_EXPORTED_ROWS, MOST_ROWS, MOST_WORDS
from dashboard.api.resources import Resource, all_resources, columns_of

_YEAR = r"(19[7-9]\d|[2-9]\d{3})"
_MONTHS = (
    (r"(0[13578]|1[02])", r"(0[1-9]|[12]\d|3[01])"),
    (r"(0[469]|11)", r"(0[1-9]|[12]\d|30)"),
    (r"02", r"(0[1-9]|1\d|2[0-8])"),
)
"""Months with the days they always have."""
_DAY_FORMS = ("{y}-{m}-{d}", "{y}{m}{d}", r"{d}\.{m}\.{y}", "{d}/{m}/{y}", "{m}-{d}-{y}")
_CLOCK = r"T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-3]):[0-5]\d)?"
_LIMIT_HEADERS = {
    "RateLimit-Limit": "Requests a minute.",
    "RateLimit-Remaining": "What is left of them.",
    "RateLimit-Reset": "Seconds until all are there again.",
}
_INTRODUCTION = f"""\
What StreamLens collected, one resource a kind of event.

**Who may ask.** On this machine alone without login: everybody. Else a browser that is logged in, or a
key (account page) as `Authorization: Bearer sl_…`. Either sees the channels that its owner sees;
another channel gives 403. What Twitch tells only a channel's owner and moderators (who is connected,
follows or subscribes, suspicious accounts, raw notifications), only they get, also of a public channel.
What belongs to no channel (accounts, renames, community maps) is for admins.

**Dates.** `start-date` and `end-date` are both included. ISO 8601 (without an offset it is UTC), or a
day as YYYY-MM-DD, DD.MM.YYYY, DD/MM/YYYY or MM-DD-YYYY; a day is the whole day in UTC.

**Pages.** `pagination.cursor` (also in the headers `Link` and `X-Next-Cursor`) continues the same
question; it is null at the end. A page may be shorter than `limit` and still have a cursor. Events that
arrive meanwhile neither repeat nor hide any other.

**Formats.** JSON, CSV, NDJSON or Parquet, by `Accept` or `format`. Events come as CSV, NDJSON and
Parquet at any length: with a `limit` above {MOST_ROWS} they are streamed, which needs the scope
`export`. In CSV a text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a
new line) has an apostrophe in front.

**Full text.** `q` finds messages that hold all its words, in any order, also inside other words; case
and accents do not matter. Words in double quotes have to stand together as written. Up to {MOST_WORDS}
words.

**Limits.** Requests are counted by key, person or address; a question that takes too long is stopped
with 503. Null always means “not told”."""


@cache
def openapi_document() -> dict[str, Any]:
    """The document as plain data, not to be changed.

    Returns:
        OpenAPI 3.1; two servers, of which the second are the old addresses.
    """
    resources = all_resources()
    return {
        "openapi": "3.1.0",
        "info": {"title": "StreamLens API", "version": API_VERSION, "description": _INTRODUCTION},
        "servers": [
            {"url": "/api/v1", "description": "This version"},
            {"url": "/api", "description": "The old addresses; they answer the same"},
        ],
        "security": [{}, {"key": []}, {"session": []}],
        "tags": [{"name": "Named"}, {"name": "Other kinds", "description": "One resource a kind of event."}],
        "paths": {
            f"/{name}": {"get": _operation(resource, name)}
            for resource in resources
            for name in resource.names
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of the account page."},
                "session": {"type": "apiKey", "in": "cookie", "name": "streamlens_session"},
            },
            "schemas": _schemas(resources),
            "responses": {str(status): _error(status) for status in ERRORS},
        },
    }


def _operation(resource: Resource, name: str) -> dict[str, Any]:
    is_other = resource.name == resource.kind and not resource.aliases and resource.form == "events"
    operation: dict[str, Any] = {
        "operationId": f"get_{name}",
        "summary": f"{resource.title}.",
        "tags": ["Other kinds" if is_other and "_" in resource.name else "Named"],
        "parameters": [_parameter(resource, parameter) for parameter in resource.parameters],
        "responses": {
            "200": _ok(resource),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in ERRORS},
        },
    }
    if resource.description:
        operation["description"] = resource.description
    if name != resource.name:
        operation["description"] = f"The same as `{resource.name}`."
    return operation


def _parameter(resource: Resource, name: str) -> dict[str, Any]:
    if name in resource.filters:
        rule = resource.filters[name]
        schema: dict[str, Any] = {"type": "string", "pattern": f"^({rule.pattern})$"}
        if "|" in rule.pattern:
            schema = {"type": "string", "enum": rule.pattern.split("|")}
        return _query(name, rule.description, schema)
    description, schema = _common_parameters()[name]
    if name == "format" and resource.form == "health":
        schema = {"type": "string", "enum": ["json"]}
    return _query(name, description, schema)


def _common_parameters() -> dict[str, tuple[str, dict[str, Any]]]:
    login = {"type": "string", "pattern": "^[@#]?[A-Za-z0-9_]{1,25}$"}
    date = {"type": "string", "pattern": _date_pattern()}
    return {
        "room-name": ("Login of the channel; case does not matter.", login),
        "room-id": ("Twitch id of the channel.", {"type": "string", "pattern": "^[0-9]{1,20}$"}),
        "start-date": ("From then on, included. A day begins at midnight UTC.", date),
        "end-date": ("Until then, included. A day ends at midnight UTC.", date),
        "q": (
            'All these words, case and accents aside; "words in quotes" stand together.',
            {"type": "string", "minLength": 1, "maxLength": LONGEST_Q},
        ),
        "state": (
            "`current` puts all changes together, one row a room.",
            {"type": "string", "enum": ["changes", "current"], "default": "changes"},
        ),
        "order": (
            "The newest or the oldest first.",
            {"type": "string", "enum": ["desc", "asc"], "default": "desc"},
        ),
        "limit": (
            f"At most so many rows: up to {MOST_ROWS}, and more for events as csv, ndjson and parquet.",
            {"type": "integer", "minimum": 1, "maximum": MOST_EXPORTED_ROWS, "default": DEFAULT_LIMIT},
        ),
        "cursor": (
            "Where the page before ended; of the same question.",
            {"type": "string", "minLength": 10, "pattern": "^[A-Za-z0-9_-]+$"},
        ),
        "format": ("Goes before `Accept`.", {"type": "string", "enum": list(MIME)}),
    }


def _date_pattern() -> str:
    days = [form.format(y=_YEAR, m=m, d=d) for form in _DAY_FORMS for m, d in _MONTHS]
    instants = [_DAY_FORMS[0].format(y=_YEAR, m=m, d=d) + _CLOCK for m, d in _MONTHS]
    return f"^({'|'.join(days + instants)})$"


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _ok(resource: Resource) -> dict[str, Any]:
    headers = {
        name: {"description": words, "schema": {"type": "integer", "minimum": 0}}
        for name, words in _LIMIT_HEADERS.items()
    }
    text = {"schema": {"type": "string"}}
    content: dict[str, Any] = {
        "application/json": {"schema": {"$ref": f"#/components/schemas/{resource.name}_answer"}}
    }
    if resource.form != "health":
        content |= {MIME["csv"]: text, MIME["ndjson"]: text, MIME["parquet"]: {}}
        for name in ("Link", "X-Next-Cursor"):
            headers[name] = {"description": "The next page, if there is one.", "schema": {"type": "string"}}
    return {"description": "The answer.", "headers": headers, "content": content}


def _error(status: int) -> dict[str, Any]:
    error: dict[str, Any] = {
        "description": ERRORS[status][1],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status == 429:
        seconds = {"type": "integer", "minimum": 1}
        error["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": seconds}}
    return error


def _schemas(resources: tuple[Resource, ...]) -> dict[str, Any]:
    schemas: dict[str, Any] = {
        "Error": _object({"error": {"type": "string"}, "message": {"type": "string"}}),
        "Pagination": _object(
            {"cursor": {"type": ["string", "null"]}, "limit": {"type": "integer", "minimum": 1}}
        ),
        "Meta": _object(
            {
                "resource": {"type": "string"},
                "window": _object({"start": _INSTANT_OR_NULL, "end": _INSTANT_OR_NULL}),
                "row_count": {"type": "integer", "minimum": 0},
                "fresh_at": _INSTANT_OR_NULL
                | {"description": "When StreamLens learnt of the newest event of this kind, in any channel."},
            }
        ),
    }
    for resource in resources:
        if resource.form == "health":
            schemas["health_answer"] = _health()
            continue
        schemas[resource.name] = _row(resource)
        rows: dict[str, Any] = {"$ref": f"#/components/schemas/{resource.name}"}
        if resource.has_current_state:
            schemas[f"{resource.name}_current"] = _row(resource, is_current=True)
            rows = {"anyOf": [rows, {"$ref": f"#/components/schemas/{resource.name}_current"}]}
        schemas[f"{resource.name}_answer"] = _object(
            {
                "data": {"type": "array", "items": rows},
                "pagination": {"$ref": "#/components/schemas/Pagination"},
                "meta": {"$ref": "#/components/schemas/Meta"},
            }
        )
    return schemas


_INSTANT_OR_NULL: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}


def _row(resource: Resource, *, is_current: bool = False) -> dict[str, Any]:
    docs = field_docs(resource.kind) if resource.kind else {}
    properties = {}
    for column in columns_of(resource, is_current=is_current):
        schema = dict(_type(column.type))
        if words := docs.get(column.name):
            schema["description"] = words
        properties[column.name] = schema
    return _object(properties)


def _type(column: pa.DataType) -> dict[str, Any]:
    if pa.types.is_timestamp(column):
        return _INSTANT_OR_NULL
    if pa.types.is_list(column):
        return {"type": ["array", "null"], "items": {"type": ["string", "null"]}}
    name = {"int64": "integer", "bool": "boolean", "double": "number"}.get(str(column), "string")
    return {"type": [name, "null"]}


def _health() -> dict[str, Any]:
    anything = {"type": "object", "additionalProperties": {"type": "object"}}
    return _object(
        {
            "status": {"type": "string", "enum": ["ok"]},
            "at": {"type": "string", "format": "date-time"},
            "parts": anything,
            "freshness": anything,
            "versions": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
