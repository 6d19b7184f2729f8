"""Orders for trouble, as they come over HTTP: checked before anything is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dashboard.sandbox.server import SandboxServer

_STATUSES = (401, 429, 500, 502, 503, 504)


class OrderError(Exception):
    """An order that makes no sense; the message says what is expected."""


def number(told: Mapping[str, Any], name: str, default: float | None = None, *, most: float = 1e12) -> float:
    """A number of an order.

    Raises:
        OrderError: It is missing, no number, negative or too large.
    """
    value = told.get(name, default)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise OrderError(f"{name} has to be a number")
    if not 0 <= value <= most:
        raise OrderError(f"{name} has to be between 0 and {most:g}")
    return float(value)


def text(told: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text of an order."""
    value = told.get(name, default)
    if not isinstance(value, str):
        raise OrderError(f"{name} has to be a text")
    return value


def _flag(told: Mapping[str, Any], name: str) -> bool:
    value = told.get(name)
    if not isinstance(value, bool):
        raise OrderError(f"{name} has to be true or false")
    return value


def _mapping(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = told.get(name)
    if not isinstance(value, dict):
        raise OrderError(f"{name} has to be an object")
    return value


def _http(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
    told = _mapping(order, "http")
    status, count = int(number(told, "status")), int(number(told, "count", 1, most=100_000))
    if status not in _STATUSES:
        raise OrderError(f"status has to be one of {', '.join(map(str, _STATUSES))}")
    path = text(told, "path", "/helix")
    return lambda: server.faults.fail_http(status, count, path)


def _down(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
    told = _mapping(order, "down")
    seconds, status = number(told, "seconds", most=86_400), int(number(told, "status", 503))
    if status not in (0, *_STATUSES):
        raise OrderError(f"status has to be 0 (hang) or one of {', '.join(map(str, _STATUSES))}")
    path = text(told, "path", "/helix")
    return lambda: server.faults.go_down(seconds, status, path)


_Prepare = Callable[["SandboxServer", Mapping[str, Any]], Callable[[], object]]


def _set(attribute: str, read: Callable[[Mapping[str, Any], str], object], name: str) -> _Prepare:
    """A fault that stays as it is ordered."""

    def prepare(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
        value = read(order, name)
        return lambda: setattr(server.faults, attribute, value)

    return prepare


def _once(act: Callable[[SandboxServer], object], name: str) -> _Prepare:
    """Something that is done when the flag is true."""

    def prepare(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
        is_wanted = _flag(order, name)
        return lambda: act(server) if is_wanted else None

    return prepare


def _lines(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
    lines = order["lines"]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise OrderError("lines has to be a list of texts")

    def inject() -> None:
        for line in lines:
            server.inject(line)

    return inject


def _long_line(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
    size = int(number(order, "long_line_bytes", most=10_000_000))
    room = server.world.channels[0].login
    return lambda: server.inject(f":a!a@a.tmi.twitch.tv PRIVMSG #{room} :" + "x" * size)


def _close(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
    code = int(number(order, "eventsub_close"))
    if not 4000 <= code <= 4007:
        raise OrderError("eventsub_close has to be a close code between 4000 and 4007")
    return lambda: server.eventsub.sockets.close(code)


def _revoke(server: SandboxServer, order: Mapping[str, Any]) -> Callable[[], object]:
    login = text(order, "revoke").lower()
    if server.world.population.by_login(login) is None:
        raise OrderError(f"nobody here is called {login}")
    return lambda: server.oauth.revoke_user(login)


def _whole(order: Mapping[str, Any], name: str) -> int:
    return int(number(order, name, most=100))


_ORDERS: dict[str, _Prepare] = {
    "http": _http,
    "down": _down,
    "lines": _lines,
    "long_line_bytes": _long_line,
    "latency_s": _set("latency_s", number, "latency_s"),
    "half_open": _set("is_half_open", _flag, "half_open"),
    "refuse": _set("refuses_connections", _flag, "refuse"),
    "eventsub_silent": _set("is_eventsub_silent", _flag, "eventsub_silent"),
    "eventsub_duplicates": _set("eventsub_duplicates", _whole, "eventsub_duplicates"),
    "webhook_delay_s": _set("webhook_delay_s", number, "webhook_delay_s"),
    "webhook_duplicates": _set("webhook_duplicates", _whole, "webhook_duplicates"),
    "webhook_out_of_order": _set("webhook_out_of_order", _flag, "webhook_out_of_order"),
    "clip_pending_s": _set("clip_pending_s", number, "clip_pending_s"),
    "clips_fail": _set("clips_fail", _flag, "clips_fail"),
    "reconnect": _once(lambda server: server.send_reconnect(), "reconnect"),
    "drop": _once(lambda server: server.drop_connections(), "drop"),
    "eventsub_reconnect": _once(lambda s: s.eventsub.sockets.send_reconnect(), "eventsub_reconnect"),
    "eventsub_kill": _once(lambda server: server.eventsub.sockets.kill(), "eventsub_kill"),
    "eventsub_close": _close,
    "expire_tokens": _once(lambda server: server.oauth.expire_all(), "expire_tokens"),
    "revoke": _revoke,
}


def carry_out(server: SandboxServer, order: object) -> None:
    """Does what was ordered: all of it, or nothing.

    Args:
        server: The sandbox.
        order: What came; the keys are those of the package's description.

    Raises:
        OrderError: Something in it makes no sense; nothing was done then.
    """
    if not isinstance(order, dict):
        raise OrderError("The order has to be a JSON object")
    unknown = sorted(set(order) - set(_ORDERS))
    if unknown:
        raise OrderError(f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(_ORDERS))}")
    for act in [_ORDERS[name](server, order) for name in order]:
        act()
