"""One Helix request: its parameters, its scopes, its pages, its errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web

from dashboard.sandbox.oauth_tokens import Token
from dashboard.sandbox.users import User

T = TypeVar("T")


class HelixError(Exception):
    """An answer in Twitch's error form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is not a plain 200."""

    status: int
    body: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who asks, when, with which parameters."""

    request: web.Request
    token: Token
    user: User | None
    now_s: float = 0.0

    def all(self, name: str, limit: int = 100) -> list[str]:
        """All values of a parameter that may be given several times."""
        values = list(self.request.query.getall(name, []))
        if len(values) > limit:
            raise HelixError(400, f'The parameter "{name}" was malformed: at most {limit} values are allowed')
        return values

    def one(self, name: str) -> str:
        """A parameter that has to be there."""
        value: str | None = self.request.query.get(name)
        if not value:
            raise HelixError(400, f'The parameter "{name}" is missing')
        return value

    def first(self, default: int, most: int) -> int:
        """The page size."""
        text = self.request.query.get("first", str(default))
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise HelixError(
                400, f'The parameter "first" was malformed: the value must be between 1 and {most}'
            )
        return int(text)

    def need(self, *scopes: str) -> User:
        """Only for a person's token with one of these scopes."""
        if self.user is None:
            raise HelixError(401, "Missing User OAUTH Token")
        if scopes and not set(scopes) & set(self.token.scopes):
            raise HelixError(401, f"Missing scope: {' or '.join(scopes)}")
        return self.user

    async def body(self) -> dict[str, Any]:
        """The JSON object that was sent."""
        try:
            found = await self.request.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise HelixError(400, "The body is not a JSON object")
        return found

    def page(self, items: Sequence[T], size: int) -> tuple[list[T], dict[str, str]]:
        """A page and its cursor. Cursors hold a place in the list, as Twitch's do: pages of a list
        that moves meanwhile can repeat or miss an item."""
        offset = 0
        for name, sign in (("after", 1), ("before", -1)):
            if cursor := self.request.query.get(name):
                try:
                    offset = int(json.loads(base64.urlsafe_b64decode(cursor))["a"]["Offset"])
                except (ValueError, KeyError, TypeError):
                    raise HelixError(400, f"Invalid {name} cursor") from None
                offset = offset if sign > 0 else max(0, offset - 2 * size)
        page = list(items[offset : offset + size])
        if offset + size >= len(items):
            return page, {}
        place = json.dumps({"b": None, "a": {"Offset": offset + size}}).encode()
        return page, {"cursor": base64.urlsafe_b64encode(place).decode()}


def rfc3339(seconds: float) -> str:
    """A time as Helix writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Handler = Callable[[Call], Awaitable[dict[str, object] | Answer]]
"""Answers one call; a plain mapping is a 200."""
