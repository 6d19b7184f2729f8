"""What the Community page shows, as values, and what it asks of the runs' storage."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from dashboard.access import Access
from dashboard.analytics.communities.inputs import QualityReport
from dashboard.analytics.communities.intersections import Intersection
from dashboard.analytics.communities.model import (
    MapCommunity,
    MapParams,
    MapRun,
    MapStatistics,
    to_map_payload,
)
from dashboard.analytics.communities.params import MEASURES
from dashboard.events import Instant

YOUNG_DAYS: Final = (0, 7, 30, 90, 365)
SHARED_STEPS: Final = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500)
LEAST_RESOLUTION: Final = 0.2
MOST_RESOLUTION: Final = 4.0
MOST_SIZE: Final = 100


class RunLine(Protocol):
    """One analysis in the list of those that are kept."""

    @property
    def run_id(self) -> str:
        """Its id."""

    @property
    def created_at(self) -> Instant:
        """When it was made."""

    @property
    def preset(self) -> str:
        """The name of its settings."""

    @property
    def n_channels(self) -> int:
        """Channels on the map."""

    @property
    def n_communities(self) -> int:
        """Communities on it."""


class Past(Protocol):
    """One channel in one analysis."""

    @property
    def run_id(self) -> str:
        """Of the analysis."""

    @property
    def created_at(self) -> Instant:
        """Of the analysis."""

    @property
    def chatters(self) -> int | None:
        """None when unknown."""

    @property
    def community_label(self) -> str:
        """Empty where it belonged to none."""


class Runs(Protocol):
    """The kept analyses."""

    def watermark(self) -> int:
        """Changes when there is a new one."""

    def listed(self) -> Sequence[RunLine]:
        """All of them, the newest first."""

    def load(self, run_id: str) -> MapRun | None:
        """One of them, complete; None when it is not there (any more)."""

    def past_of(self, channel_id: str, *, names: Mapping[str, str] | None = None) -> Sequence[Past]:
        """A channel in every analysis that has it, the oldest first."""


class Names(Protocol):
    """The names that people gave to communities."""

    def names(self) -> Mapping[str, str]:
        """By the community's key."""

    def rename(self, community_key: str, name: str, by: str) -> str:
        """Gives a name that the next runs keep; an empty one takes it back."""


class LiveNow(Protocol):
    """A room in the list of rooms."""

    @property
    def room_login(self) -> str:
        """Of the room."""

    @property
    def is_live(self) -> bool:
        """Whether it is."""

    @property
    def viewer_count(self) -> int | None:
        """As told last."""

    @property
    def game_name(self) -> str | None:
        """As told last."""


class Orders(Protocol):
    """Takes orders for jobs."""

    def start(self, name: str, access: Access) -> str:
        """Asks the worker; gives the id of the run."""

    def cancel(self, run_id: str, access: Access) -> None:
        """Asks a run to stop."""


class OpenRun(Protocol):
    """A run of a job."""

    @property
    def run_id(self) -> str:
        """Its id."""

    @property
    def is_open(self) -> bool:
        """Whether it is asked for or running."""


class JobRecord(Protocol):
    """The part of the jobs' record that is needed here."""

    def last(self, name: str) -> OpenRun | None:
        """The newest run of a job."""


@dataclass(frozen=True, slots=True)
class CommunityQuery:
    """Which run, and how it is cut. ``None`` keeps what the run was made with."""

    run_id: str = ""
    """Empty: the newest."""
    measure: str | None = None
    min_shared: int | None = None
    resolution: float | None = None
    min_size: int | None = None
    young_days: int = 0

    @property
    def is_as_made(self) -> bool:
        """Whether nothing is changed against the run."""
        return (self.measure, self.min_shared, self.resolution, self.min_size, self.young_days) == (
            None,
            None,
            None,
            None,
            0,
        )


def query_of(values: Mapping[str, Any] | None) -> CommunityQuery:
    """A query from what a browser or an address says; what makes no sense is left out."""
    told = values or {}
    measure = str(told.get("measure") or "")
    young = _whole(told.get("young"), 0, 36_500) or 0
    return CommunityQuery(
        run_id=str(told.get("run") or "")[:80],
        measure=measure if measure in MEASURES else None,
        min_shared=_whole(told.get("shared"), 1, 1_000_000),
        resolution=_number(told.get("res"), LEAST_RESOLUTION, MOST_RESOLUTION),
        min_size=_whole(told.get("min"), 2, MOST_SIZE),
        young_days=young,
    )


def _number(value: Any, least: float, most: float) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return min(most, max(least, number)) if number == number else None


def _whole(value: Any, least: int, most: int) -> int | None:
    number = _number(value, least, most)
    return None if number is None else round(number)


@dataclass(frozen=True, slots=True)
class MapView:
    """The map as one person sees it."""

    run: MapRun
    """Restricted to what they may see, cut as they asked."""
    runs: tuple[RunLine, ...]
    query: CommunityQuery
    made: MapParams
    """The settings that the run was made with."""
    digest: str
    """The same map, the same text: the browser keeps what it has."""
    hidden_count: int = 0
    """Channels of the run that this person may not see."""
    vanished: tuple[tuple[int, int], ...] = ()
    """Drawn edges that go without the young accounts, by nodes."""
    has_ages: bool = False
    """Whether the run knows when accounts were made."""

    def payload(self) -> dict[str, Any]:
        """What the browser draws from."""
        payload: dict[str, Any] = dict(to_map_payload(self.run))
        if self.vanished:
            payload["vanished"] = {
                "s": [pair[0] for pair in self.vanished],
                "t": [pair[1] for pair in self.vanished],
            }
        return payload


@dataclass(frozen=True, slots=True)
class Overlap:
    """One channel's overlap with another; the measures NaN where a source cannot tell."""

    channel_id: str
    login: str
    name: str
    community: str
    shared: float
    jaccard: float
    containment: float
    """Share of this channel's chatters also seen at the other."""
    containment_back: float
    """Share of the other's chatters also seen at this one."""
    lift: float
    is_drawn: bool


@dataclass(frozen=True, slots=True)
class ChannelDetail:
    """Everything that the drawer tells about a channel."""

    channel_id: str
    login: str
    name: str
    chatters: int
    viewers: int
    game: str
    language: str
    observed_minutes: int
    community: MapCommunity | None
    stability: float
    torn: MapCommunity | None
    torn_share: float
    inside_share: float
    degree: int
    overlaps: tuple[Overlap, ...]
    """Strongest first in the run's measure."""
    overlap_count: int
    growth: tuple[Past, ...]
    """Oldest first."""
    measure: str
    seeds: int
    """Runs behind the stability."""
    is_live: bool
    live_viewers: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two to four channels side by side."""

    channels: tuple[tuple[str, str, int], ...]
    """Id, name, chatters."""
    n_chatters: int
    intersections: tuple[Intersection, ...]
    """Largest first; empty when the run does not keep who was seen."""
    pairs: tuple[tuple[str, str, Overlap], ...]
    """The two names, and the first one's overlap with the second."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A channel to raid or to play with."""

    channel_id: str
    name: str
    community: str
    game: str
    chatters: int
    shared: int
    lift: float
    new_people: float
    """Chatters there that were not seen here; NaN when unknown."""
    size_ratio: float
    """Its chatters through this channel's."""
    is_live: bool
    live_viewers: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Partners:
    """Whom a channel could raid or play with, best first."""

    name: str
    chatters: int
    partners: tuple[Partner, ...]
    considered: int
    live_known: int
    """Of those considered, how many are known to be live now."""


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """One run among the others."""

    line: RunLine
    statistics: MapStatistics
    kept: int
    births: tuple[str, ...]
    deaths: tuple[str, ...]
    splits: tuple[tuple[str, tuple[str, ...]], ...]
    merges: tuple[tuple[tuple[str, ...], str], ...]
    migrations: tuple[tuple[str, str, str], ...]
    """Login, from, to."""
    entered: int
    left: int
    has_previous: bool


@dataclass(frozen=True, slots=True)
class QualityPanel:
    """How good the data is."""

    report: QualityReport
    statistics: MapStatistics
    params: MapParams
    created_at: Instant
    hidden_count: int


@dataclass(frozen=True, slots=True)
class TableColumns:
    """A table by rows of plain values, ready for the grid and for CSV."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0


PublicRooms = Collection[str]
