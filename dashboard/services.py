"""What the callbacks work with: one bundle, made once by the entry point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.access import LOCAL, Access

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.insights.account import AccountInsights
    from dashboard.insights.chatters import ChattersInsights
    from dashboard.insights.community import CommunityInsights
    from dashboard.insights.eventsub import EventSubInsights
    from dashboard.insights.jobs import JobsInsights
    from dashboard.insights.live import LiveInsights
    from dashboard.insights.storage import StorageInsights
    from dashboard.jobs.capture_orders import CaptureOrders
    from dashboard.storage.api_keys import ApiKeys
    from dashboard.storage.state import State
    from dashboard.storage.store import Store


def _local() -> Access:
    """Who asks where there is no login."""
    return LOCAL


@dataclass(frozen=True, slots=True)
class Services:
    """The running parts that a page may ask; tests put fakes in their places."""

    settings: Settings
    store: Store
    state: State
    live: LiveInsights
    account: AccountInsights | None = None
    jobs: JobsInsights | None = None
    storage: StorageInsights | None = None
    api_keys: ApiKeys | None = None
    eventsub: EventSubInsights | None = None
    chatters: ChattersInsights | None = None
    captures: CaptureOrders | None = None
    community: CommunityInsights | None = None
    current_access: Callable[[], Access] = _local
    """Who asks, inside a request."""
