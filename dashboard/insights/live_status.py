"""What the collector said last about itself, as far as the numbers depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from dashboard.analytics.timebins import SECOND_US
from dashboard.insights.live_sources import Ledger

SILENT_AFTER_S: Final = 30
"""A collector speaks every second or two; after so long without a word it is taken for dead."""
POLL_VALID_S: Final = 300


@dataclass(frozen=True, slots=True)
class CollectorWord:
    """The collector's last word.

    Without any word (tests, a lake that came from elsewhere) the ledger of observations is trusted.
    """

    updated_at: int | None = None
    polled_at: int | None = None
    """When Twitch was last asked, successfully, who is live."""

    def silent_since(self, now: int) -> int | None:
        """The last sign of life of a collector that has gone silent; ``None`` when it is well."""
        if self.updated_at is None or now - self.updated_at <= SILENT_AFTER_S * SECOND_US:
            return None
        return self.updated_at

    def has_polled(self, now: int) -> bool:
        """Whether what Twitch said about who is live is still fresh."""
        return self.polled_at is not None and now - self.polled_at <= POLL_VALID_S * SECOND_US


def collector_word(ledger: Ledger) -> CollectorWord:
    """Reads the collector's status."""
    status = ledger.read_status("collector")
    if status is None:
        return CollectorWord()
    helix: Any = status.payload.get("helix")
    polled_at = helix.get("last_poll_at") if isinstance(helix, dict) else None
    return CollectorWord(
        updated_at=int(status.updated_at),
        polled_at=int(polled_at) if isinstance(polled_at, (int, float)) and polled_at > 0 else None,
    )
