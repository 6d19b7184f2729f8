"""Answers the Community page: the map of a run, cut as asked, restricted to what somebody may see."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from dashboard.access import Access
from dashboard.analytics.communities.content import language_name
from dashboard.analytics.communities.inputs import Presence
from dashboard.analytics.communities.model import MapParams, MapRun
from dashboard.analytics.communities.recut import vanished_edges
from dashboard.errors import JobError, StorageError
from dashboard.insights import community_channel as channel_parts
from dashboard.insights.community_access import names_of, visible_run
from dashboard.insights.community_cut import cut_run, has_ages, warm_up
from dashboard.insights.community_kept import Kept
from dashboard.insights.community_labels import open_past
from dashboard.insights.community_model import (
    ChannelDetail,
    CommunityQuery,
    Comparison,
    JobRecord,
    LiveNow,
    MapView,
    Names,
    Orders,
    Partners,
    QualityPanel,
    RunLine,
    Runs,
    TableColumns,
    TimelinePoint,
)
from dashboard.insights.community_tables import table_of, timeline_point

JOB: Final = "communities"
STEPS: Final = (
    ("aggregate", "Who was seen where"),
    ("overlap", "Overlaps"),
    ("communities", "Communities"),
    ("labels", "Names"),
    ("layout", "Map"),
    ("compare", "Changes"),
)
"""The six steps of an analysis, with what the page calls them."""
_LOADED, _CUTS, _PRESENCES, _PAYLOADS = 10, 16, 2, 6
_DRAWER_OVERLAPS: Final = 12
_MOST_NAME: Final = 60
_PUBLIC_FOR_S: Final = 60.0


def _none() -> tuple[()]:
    return ()


class CommunityInsights:
    """Answers the Community page.

    Args:
        runs: The kept analyses.
        names: What people called communities.
        presence_of: Who is behind a run, after its filters; None where that is not kept.
        orders: Takes the order for a new one.
        jobs: Knows whether one is under way.
        live_rooms: The rooms as they are now.
        public_rooms: Logins of the channels that the survey has read.
    """

    def __init__(
        self,
        runs: Runs,
        names: Names,
        presence_of: Callable[[MapRun], Presence | None],
        orders: Orders,
        jobs: JobRecord,
        live_rooms: Callable[[], Sequence[LiveNow]] = _none,
        public_rooms: Callable[[], Collection[str]] = _none,
    ) -> None:
        self._runs = runs
        self._names = names
        self._presence_of = presence_of
        self._lines: tuple[int, tuple[RunLine, ...]] | None = None
        self._orders = orders
        self._jobs = jobs
        self._live_rooms = live_rooms
        self._public_rooms = public_rooms
        self._loaded: Kept[MapRun | None] = Kept(_LOADED)
        self._presences: Kept[Presence | None] = Kept(_PRESENCES)
        self._cuts: Kept[MapRun] = Kept(_CUTS)
        self._payloads: Kept[dict[str, Any]] = Kept(_PAYLOADS)
        self._lock = threading.Lock()
        self._is_warm = False
        self._public: tuple[float, frozenset[str]] | None = None

    def runs(self) -> tuple[RunLine, ...]:
        """The kept runs, the newest first."""
        mark = self._runs.watermark()
        if self._lines is None or self._lines[0] != mark:
            self._lines = (mark, tuple(self._runs.listed()))
        return self._lines[1]

    def view(self, access: Access, query: CommunityQuery) -> MapView | None:
        """The map as somebody sees it.

        Args:
            access: Who looks.
            query: Which run, and how it is cut.

        Returns:
            The map; None when there is no run yet.

        Raises:
            JobError: That run is not there (any more).
        """
        self._warm()
        found = self._visible(access, query)
        if found is None:
            return None
        run, hidden_count = found
        as_made = self._load(run.run_id) or run
        return MapView(
            run=run,
            made=as_made.params,
            runs=self.runs(),
            query=query,
            digest=_digest(run, query),
            hidden_count=hidden_count,
            vanished=self._vanished(access, query, run) if query.young_days else (),
            has_ages=bool(query.young_days) and has_ages(self._presence(as_made)),
        )

    def payload(self, view: MapView) -> dict[str, Any]:
        """What the browser draws a map from."""
        return self._payloads.get(view.digest, view.payload)

    def channel(self, access: Access, query: CommunityQuery, channel_id: str) -> ChannelDetail | None:
        """Everything about one channel; None when it is not on the map for whoever asks."""
        found = self._visible(access, query)
        node = channel_parts.node_of(found[0], channel_id) if found else -1
        if found is None or node < 0:
            return None
        run, channels = found[0], found[0].nodes.channels
        overlaps = channel_parts.overlaps_of(run, node)
        room = self._live().get(channels.logins[node].lower())
        past = self._runs.past_of(channel_id, names=self._names.names())[-60:]
        return ChannelDetail(
            channel_id=channel_id,
            login=channels.logins[node],
            name=channels.names[node] or channels.logins[node],
            chatters=int(channels.chatters[node]),
            viewers=int(channels.viewers[node]),
            game=channels.games[node],
            language=language_name(channels.languages[node]),
            observed_minutes=int(channels.observed_minutes[node]),
            community=channel_parts.community_of(run, int(run.nodes.community[node])),
            stability=float(run.nodes.stability[node]),
            torn=channel_parts.community_of(run, int(run.nodes.torn[node])),
            torn_share=float(run.nodes.torn_share[node]),
            inside_share=float(run.nodes.inside_share[node]),
            degree=len(overlaps),
            overlaps=tuple(overlaps[:_DRAWER_OVERLAPS]),
            overlap_count=len(overlaps),
            growth=tuple(past) if access.rooms is None else open_past(past, names_of(run.nodes)),
            measure=run.params.measure,
            seeds=run.statistics.seeds,
            is_live=bool(room and room.is_live),
            live_viewers=room.viewer_count if room and room.is_live else None,
        )

    def links(
        self, access: Access, query: CommunityQuery, channel_id: str
    ) -> tuple[list[str], list[float]] | None:
        """All of a channel's overlaps for the map to draw: the other channels, and how strong."""
        found = self._visible(access, query)
        node = channel_parts.node_of(found[0], channel_id) if found else -1
        if found is None or node < 0:
            return None
        overlaps = channel_parts.overlaps_of(found[0], node)[:400]
        strengths = [channel_parts.strength(overlap, found[0].params.measure) for overlap in overlaps]
        return [overlap.channel_id for overlap in overlaps], strengths

    def compare(self, access: Access, query: CommunityQuery, channel_ids: Sequence[str]) -> Comparison | None:
        """Two to four channels side by side; None without a run."""
        found = self._visible(access, query)
        if found is None:
            return None
        run = found[0]
        return channel_parts.compare(run, self._presence(self._load(run.run_id) or run), channel_ids)

    def partners(self, access: Access, query: CommunityQuery, channel_id: str) -> Partners | None:
        """Whom a channel could raid or play with; None when it is not on the map."""
        found = self._visible(access, query)
        node = channel_parts.node_of(found[0], channel_id) if found else -1
        if found is None or node < 0:
            return None
        return channel_parts.partners(found[0], node, self._live())

    def quality(self, access: Access, query: CommunityQuery) -> QualityPanel | None:
        """How good the data behind the map is; None without a run."""
        found = self._visible(access, query)
        if found is None:
            return None
        run, hidden_count = found
        return QualityPanel(run.quality, run.statistics, run.params, run.created_at, hidden_count)  # type: ignore[arg-type]

    def timeline(self, access: Access, limit: int = 12) -> list[TimelinePoint]:
        """The newest runs with what changed in each, the newest first."""
        points = []
        for line in self.runs()[:limit]:
            run = self._load(line.run_id)
            if run is not None:
                points.append(
                    timeline_point(line, visible_run(self._named(run), access, self._open_rooms())[0])
                )
        return points

    def table(self, access: Access, query: CommunityQuery, what: str) -> TableColumns:
        """The map as a table.

        Args:
            access: Who looks.
            query: Which run, and how it is cut.
            what: ``channels`` or ``overlaps``.

        Returns:
            Rows of plain values, the largest or strongest first.
        """
        found = self._visible(access, query)
        if found is None:
            return TableColumns()
        run = found[0]
        return table_of(run, what)

    def file(self, access: Access, query: CommunityQuery, name: str) -> str | bytes | Iterable[str]:
        """The map as one of the files that can be taken away, with what somebody may see.

        Args:
            access: Who asks.
            query: Which run, and how it is cut.
            name: Of the file.

        Raises:
            JobError: There is no such file, or no run.
        """
        from dashboard.community_io.outputs import NAMES, content_of

        found = self._visible(access, query)
        if found is None or name not in NAMES:
            raise JobError("There is no such file of this map.")
        return content_of(name, found[0])

    def rename(self, access: Access, key: str, label: str) -> str:
        """Gives a community a name that this and the next runs show; an empty one takes it back.

        Returns:
            What was done, in words.

        Raises:
            AccessDenied: They don't manage the installation.
            JobError: The name is too long.
        """
        access.require_admin()
        name = " ".join(label.split())
        if len(name) > _MOST_NAME:
            raise JobError(f"A name may have {_MOST_NAME} characters; this one has {len(name)}.")
        self._names.rename(key, name, access.user_id)
        return f"It is called {name} from now on." if name else "It has its own name again."

    def start(self, access: Access) -> str:
        """Orders an analysis of what is collected; gives the run of the job.

        Raises:
            AccessDenied: They don't manage the installation.
            JobError: Something stands in its way, or it is under way.
        """
        return self._orders.start(JOB, access)

    def cancel(self, access: Access, job_run_id: str) -> None:
        """Asks an analysis to stop.

        Raises:
            AccessDenied: They don't manage the installation.
        """
        self._orders.cancel(job_run_id, access)

    def under_way(self) -> str:
        """The run of the job that is asked for or running; empty when there is none."""
        try:
            last = self._jobs.last(JOB)
        except StorageError:
            return ""
        return last.run_id if last is not None and last.is_open else ""

    def _warm(self) -> None:
        """Whoever looks will pull a slider: its libraries load beside the first picture."""
        with self._lock:
            is_first, self._is_warm = not self._is_warm, True
        if is_first:
            threading.Thread(target=warm_up, name="community-warm-up", daemon=True).start()

    def _visible(self, access: Access, query: CommunityQuery) -> tuple[MapRun, int] | None:
        run = self._chosen(query)
        if run is None:
            return None
        return visible_run(self._named(self._cut(run, query)), access, self._open_rooms())

    def _chosen(self, query: CommunityQuery) -> MapRun | None:
        run_id = query.run_id
        if not run_id:
            lines = self.runs()
            if not lines:
                return None
            run_id = lines[0].run_id
        run = self._load(run_id)
        if run is None:
            raise JobError("That analysis is not kept any more. Choose another one.")
        return run

    def _load(self, run_id: str) -> MapRun | None:
        return self._loaded.get(run_id, lambda: self._runs.load(run_id))

    def _presence(self, run: MapRun) -> Presence | None:
        return self._presences.get(run.run_id, lambda: self._presence_of(run))

    def _cut(self, run: MapRun, query: CommunityQuery) -> MapRun:
        params = params_of(run.params, query)
        if params == run.params:
            return run
        # Who may be seen in it does not matter here: it is restricted afterwards, for each person anew.
        key = (run.run_id, params)
        # Who is behind a run is read from the lake, and only where that is needed.
        presence = self._presence(run) if params.young_days != run.params.young_days else None
        return self._cuts.get(key, lambda: cut_run(run, params, presence))

    def _named(self, run: MapRun) -> MapRun:
        names = self._names.names()
        if not any(community.key in names or community.is_renamed for community in run.communities):
            return run
        communities = tuple(
            replace(
                community,
                label=names.get(community.key) or community.own_label,
                is_renamed=community.key in names,
            )
            for community in run.communities
        )
        return replace(run, communities=communities)

    def _vanished(self, access: Access, query: CommunityQuery, run: MapRun) -> tuple[tuple[int, int], ...]:
        """The edges drawn with all accounts that are not there without the young ones, by node."""
        whole = self._visible(access, replace(query, young_days=0))
        if whole is None:
            return ()
        ids = whole[0].nodes.channels.ids
        place = {channel_id: node for node, channel_id in enumerate(run.nodes.channels.ids)}
        gone = (
            (place.get(ids[edge.source]), place.get(ids[edge.target]))
            for edge in vanished_edges(whole[0], run)
            if edge.was_drawn
        )
        return tuple((one, other) for one, other in gone if one is not None and other is not None)

    def _live(self) -> Mapping[str, LiveNow]:
        try:
            return {room.room_login.lower(): room for room in self._live_rooms()}
        except StorageError:
            return {}

    def _open_rooms(self) -> frozenset[str]:
        now = time.monotonic()
        if self._public is None or now - self._public[0] > _PUBLIC_FOR_S:
            self._public = (now, frozenset(login.lower() for login in self._public_rooms()))
        return self._public[1]


def params_of(params: MapParams, query: CommunityQuery) -> MapParams:
    """The run's settings with what the query changes."""
    wanted: dict[str, Any] = {
        "measure": query.measure,
        "min_shared": query.min_shared,
        "resolution": query.resolution,
        "min_community_size": query.min_size,
        "young_days": query.young_days or None,
    }
    return replace(params, **{name: value for name, value in wanted.items() if value is not None})


def _digest(run: MapRun, query: CommunityQuery) -> str:
    """Of all that the picture is made from: run, cut, names, and the channels that are left."""
    shown = (
        run.run_id,
        run.params,
        query.young_days,
        [(community.key, community.label) for community in run.communities],
        run.nodes.channels.ids,
    )
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
