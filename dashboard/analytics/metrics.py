"""What each number means: the one place where metrics are defined in words.

The pages show these sentences as tooltips; the code that computes a metric stands in the module
of the same name and is held to them by its tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dashboard.analytics.engagement import ACTIVE_WINDOW_S
from dashboard.analytics.velocity import BURST_WINDOW_S, VELOCITY_WINDOW_S

_SPEAKERS_ONLY: Final = "Only people who are logged in and write can be counted."


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """The definition of one metric."""

    name: str
    """As it stands over a tile."""
    key: str
    unit: str
    """Of the value; a ``share`` runs from 0 to 1."""
    definition: str
    """One plain sentence."""
    grain: str
    """What one point of its series stands for."""
    window_s: int | None
    minimum_sample: str
    """Below it there is no value."""
    source: str
    caveat: str
    """What it cannot tell."""

    @property
    def tooltip(self) -> str:
        """The definition with its caveat."""
        return f"{self.definition} {self.caveat}".strip()


_SPECS: Final = (
    MetricSpec(
        name="Viewers",
        key="viewers",
        unit="viewers",
        definition="Twitch's own count of people with the stream open, sampled about once a minute.",
        grain="one sample",
        window_s=None,
        minimum_sample="one sample within the last 5 minutes",
        source="viewer_samples",
        caveat="It includes people without an account; Twitch does not tell how it counts.",
    ),
    MetricSpec(
        name="Chat velocity",
        key="velocity",
        unit="messages/min",
        definition="Messages written in the last 60 seconds, per minute of the time that was observed.",
        grain="10 seconds (one minute for spans over an hour)",
        window_s=VELOCITY_WINDOW_S,
        minimum_sample="6 of the 60 seconds observed",
        source="chat_messages, gaps",
        caveat="Messages mirrored from a shared chat count in the room they were written in.",
    ),
    MetricSpec(
        name="Burst",
        key="burst",
        unit="messages/min",
        definition="Chat velocity over the last 10 seconds only, to catch a moment as it happens.",
        grain="10 seconds",
        window_s=BURST_WINDOW_S,
        minimum_sample="1 of the 10 seconds observed",
        source="chat_messages, gaps",
        caveat="A small sample: expect it to jump. The newest second may still be on its way.",
    ),
    MetricSpec(
        name="Unique chatters",
        key="unique_chatters",
        unit="chatters",
        definition="Different people who wrote at least one message in the last 5 minutes.",
        grain="5 minutes, each minute",
        window_s=ACTIVE_WINDOW_S,
        minimum_sample="any of the 300 seconds observed; with a gap in them it is a lower bound",
        source="chat_messages",
        caveat=_SPEAKERS_ONLY,
    ),
    MetricSpec(
        name="Engagement",
        key="engagement",
        unit="ratio",
        definition="People who wrote in the last 5 minutes, divided by the mean viewers of the same time.",
        grain="5 minutes, each minute",
        window_s=ACTIVE_WINDOW_S,
        minimum_sample="one viewer sample within the 5 minutes",
        source="chat_messages, viewer_samples",
        caveat=f"{_SPEAKERS_ONLY} Viewers include people without an account: it is not one crowd.",
    ),
    MetricSpec(
        name="Retention",
        key="retention",
        unit="share",
        definition="Viewers now as a share of the most viewers seen so far in this stream.",
        grain="one sample",
        window_s=None,
        minimum_sample="one sample within the last 5 minutes",
        source="viewer_samples",
        caveat="A proxy: Twitch does not tell who stays, and people who leave may be replaced by others.",
    ),
    MetricSpec(
        name="Uptime",
        key="uptime",
        unit="s",
        definition="Time since the stream began, as Twitch tells it; the line is its viewers so far.",
        grain="the stream",
        window_s=None,
        minimum_sample="a told start, or one message",
        source="viewer_samples, streams, chat_messages",
        caveat="Where Twitch was not asked, it counts from the first message after 30 minutes of silence.",
    ),
    MetricSpec(
        name="Game",
        key="game",
        unit="min",
        definition="The category the stream is in, and for how long as far as the samples show; "
        "the line is the viewers since then.",
        grain="one sample",
        window_s=None,
        minimum_sample="one sample with a category",
        source="viewer_samples, streams",
        caveat="A change is seen at the next sample, up to a minute late.",
    ),
)

METRICS: Final = MappingProxyType({spec.key: spec for spec in _SPECS})
"""Every metric of the Live page by key."""
