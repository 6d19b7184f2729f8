"""What the connections of one chat collector share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from collectors.irc_limits import IrcLimits, WindowLimiter
from collectors.irc_stats import Meter
from collectors.sink import EventSink
from dashboard.events import Instant


@dataclass(slots=True)
class Shared:
    """Where to connect and as whom, the limits that count for all, and the common counters."""

    url: str
    sink: EventSink
    login: str
    token: SecretStr | None
    now: Callable[[], Instant]
    limits: IrcLimits
    joins: WindowLimiter
    auths: WindowLimiter
    meter: Meter
    login_error: str | None = None
    login_refusals: int = 0
    login_allowed_s: float = 0.0
    """On the monotonic clock: no login before, so that a wrong token does not hammer Twitch."""
