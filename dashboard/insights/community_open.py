"""Opens what the Community page asks, out of the storage's parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from dashboard.analytics.communities.inputs import Presence
from dashboard.analytics.communities.model import MapRun
from dashboard.insights.community import CommunityInsights
from dashboard.insights.community_model import JobRecord, LiveNow, Orders

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.storage.store import Store


def open_community(
    settings: Settings,
    store: Store,
    orders: Orders,
    jobs: JobRecord,
    live_rooms: Callable[[], Sequence[LiveNow]],
) -> CommunityInsights:
    """The answers of the Community page; nothing is read before the first question.

    Args:
        settings: Where the names are kept.
        store: The lake.
        orders: Takes the order for an analysis.
        jobs: Knows whether one is under way.
        live_rooms: The rooms as they are now.
    """
    # Whole before there are threads: plotly looks into modules that another thread has half loaded.
    import PIL.Image  # noqa: F401

    from dashboard.insights.chatters_services import ServiceAccounts
    from dashboard.storage.community_names import open_names
    from dashboard.storage.community_presence import presence_behind
    from dashboard.storage.community_runs import CommunityRuns

    def public_rooms() -> Collection[str]:
        return store.query("community_public_rooms")["room_login"].tolist()

    def presence_of(run: MapRun) -> Presence | None:
        services = frozenset(ServiceAccounts(settings.service_accounts_file).both())
        return presence_behind(store, run, services)

    return CommunityInsights(
        CommunityRuns(store),
        open_names(settings),
        presence_of,
        orders,
        jobs,
        live_rooms,
        public_rooms,
    )
