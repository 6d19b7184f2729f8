"""Who was seen in which channel over a stretch of time: the lake's answer for the community map."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd

from dashboard.analytics.communities.build import channels_of, presence_from_indices
from dashboard.analytics.communities.inputs import UNKNOWN, Presence, SeenAs
from dashboard.analytics.communities.model import MapRun
from dashboard.analytics.observation import StateChange, observed_time
from dashboard.events import Instant
from dashboard.storage.catalog import Catalog
from dashboard.storage.store import Store
from dashboard.storage.views import create_views

KINDS: Final = (
    "survey_captures", "survey_presence", "chat_messages", "viewer_samples", "observations", "accounts",
)  # fmt: skip
_SURVEY: Final = "survey: "
_CHAT: Final = "chat of "
_TIMEOUT_S: Final = 600
_QUERIES: Final = Path(__file__).parent / "queries"


@dataclass(frozen=True, slots=True)
class PresenceQuery:
    """Which presence is asked for."""

    from_at: Instant
    until_at: Instant
    speakers_only: bool = False
    with_survey: bool = True
    with_chat: bool = True

    @property
    def params(self) -> dict[str, Any]:
        """For SQL."""
        return {
            "from_at": int(self.from_at),
            "until_at": int(self.until_at),
            "with_survey": self.with_survey,
            "with_chat": self.with_chat,
        }


def read_presence(store: Store, query: PresenceQuery) -> Presence | None:
    """Who was seen where.

    Args:
        store: The lake.
        query: Which stretch of time, whom, from what.

    Returns:
        Each pair once: messages, and on how many occasions (captures, or days of chat) it was seen; of
        each person the most channels within ten minutes of the survey, and when the account was made where
        that is known. None when nobody was seen.

    Raises:
        QueryError: The lake could not answer within ten minutes.
    """
    return store.read(lambda cursor, catalog, lake: _read(cursor, catalog, lake, query), timeout_s=_TIMEOUT_S)


def presence_behind(store: Store, run: MapRun, service_logins: Collection[str] = ()) -> Presence | None:
    """Who is behind a map, after its filters.

    Args:
        store: The lake.
        run: A map that was made from it.
        service_logins: Known service accounts, as the run was told them.

    Returns:
        The presence; None for imported maps, and where retention has taken what a map was made from.

    Caveats:
        What came in late, or is gone since, makes it differ from what the run saw.
    """
    from dashboard.analytics.communities.filters import filtered

    quality = run.quality
    if not quality.has_chatters or not quality.from_at or not any(map(is_from_lake, quality.sources)):
        return None
    query = PresenceQuery(
        Instant(quality.from_at),
        Instant(quality.until_at),
        speakers_only=quality.seen_as == "speakers",
        with_survey=any(source.startswith(_SURVEY) for source in quality.sources),
        with_chat=any(source.startswith(_CHAT) for source in quality.sources),
    )
    found = read_presence(store, query)
    return None if found is None else filtered(found, run.params, service_logins=service_logins)[0]


def is_from_lake(source: str) -> bool:
    """Whether a source of a map is the lake's own, by its words."""
    return source.startswith((_SURVEY, _CHAT))


def _read(
    cursor: duckdb.DuckDBPyConnection, catalog: Catalog, lake: Path, query: PresenceQuery
) -> Presence | None:
    window = (query.from_at, query.until_at)
    create_views(cursor, [kind for kind in KINDS if kind != "accounts"], catalog, lake, window)
    create_views(cursor, ["accounts"], catalog, lake)
    asked = query.params
    cursor.execute(
        f"create temp table seen as {_text('community_seen')}", asked | {"speakers_only": query.speakers_only}
    )
    pairs = cursor.sql(
        "select channel_id, person, sum(messages)::bigint as messages, count(distinct occasion) as sightings "
        "from seen group by all order by all"
    ).to_arrow_table()
    if not pairs.num_rows:
        return None
    channels, channel_index = _codes(pairs["channel_id"])
    people, person_index = _codes(pairs["person"])
    known = cursor.sql(_text("community_channels"), params=asked).df().set_index("room_id")
    presence = presence_from_indices(
        _channels(channels, known, _minutes(cursor, known, query)),
        channel_index,
        person_index,
        people,
        message_counts=pairs["messages"].to_numpy(),
        sightings=pairs["sightings"].to_numpy(),
    )
    return _with_people(cursor, presence, query, _sources(cursor))


def _codes(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Each value once in order, and the place of every entry there."""
    encoded = column.combine_chunks().dictionary_encode()
    values = np.asarray(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(values.astype(str), kind="stable")
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(values))
    return values[order], place[np.asarray(encoded.indices)]


def _channels(ids: np.ndarray, known: pd.DataFrame, minutes: dict[str, float]) -> Any:
    told = known.reindex(ids.tolist())
    logins = [login if isinstance(login, str) else key for login, key in zip(told["login"], ids, strict=True)]
    return channels_of(
        ids.tolist(),
        logins=logins,
        names=[
            name if isinstance(name, str) else login for name, login in zip(told["name"], logins, strict=True)
        ],
        games=_words(told["game"]),
        languages=_words(told["language"]),
        tags=[json.loads(text) if text else () for text in _words(told["tags"])],
        viewers=[UNKNOWN if math.isnan(value) else round(value) for value in told["viewers"].astype(float)],
        observed_minutes=[_whole(minutes.get(key)) for key in ids.tolist()],
    )


def _words(column: pd.Series) -> list[str]:
    return [value if isinstance(value, str) else "" for value in column]


def _whole(minutes: float | None) -> int:
    return UNKNOWN if minutes is None else max(1, round(minutes))


def _minutes(
    cursor: duckdb.DuckDBPyConnection, known: pd.DataFrame, query: PresenceQuery
) -> dict[str, float]:
    """How long each channel's chat was read, by id."""
    found: defaultdict[str, float] = defaultdict(float)
    for key, value in known["captured_minutes"].items():
        if pd.notna(value):
            found[str(key)] += float(value)
    newest = cursor.sql("select epoch_us(max(sent_at)) from chat_messages").fetchall()[0][0]
    if not query.with_chat or newest is None:
        return dict(found)
    ledger = cursor.sql(_text("community_ledger")).df()
    changes: defaultdict[str, list[StateChange]] = defaultdict(list)
    for row in ledger.itertuples():
        changes[str(row.room_login)].append(StateChange(str(row.collector), str(row.state), int(row.at_us)))
    # A collector that died without a word saw nothing after the last message of all rooms.
    until = min(int(query.until_at), int(newest) + 1)
    for key, login in known["login"].items():
        if own := changes.get(str(login)):
            found[str(key)] += observed_time(own, until=until).seconds(int(query.from_at), until) / 60
    return dict(found)


def _with_people(
    cursor: duckdb.DuckDBPyConnection, presence: Presence, query: PresenceQuery, sources: tuple[str, ...]
) -> Presence:
    from dataclasses import replace

    people = presence.chatter_ids.tolist()
    told = cursor.sql(
        "select person, max(login) as login, max(at_once) as at_once from ("
        "select person, max(login) as login, "
        "case when moment is null then 1 else count(distinct channel_id) end as at_once "
        "from seen group by person, moment) group by person"
    ).df().set_index("person").reindex(people)  # fmt: skip
    born = cursor.sql(
        "select user_id, min(epoch_us(account_created_at)) // 86400000000 as day from accounts "
        "where account_created_at is not null and user_id in (select person from seen) group by user_id"
    ).df().set_index("user_id")["day"]  # fmt: skip
    days = born.reindex(people).fillna(UNKNOWN).to_numpy(dtype=np.int64)
    silent = bool((presence.message_counts == 0).any()) if presence.message_counts is not None else False
    seen_as: SeenAs = "connected" if silent else "speakers"
    return replace(
        presence,
        chatter_logins=np.array(_words(told["login"]), dtype=object),
        most_at_once=told["at_once"].fillna(1).to_numpy(dtype=np.int64),
        created_days=days if (days != UNKNOWN).any() else None,
        seen_as=seen_as,
        from_at=int(query.from_at),
        until_at=int(query.until_at),
        sources=sources,
    )


def _sources(cursor: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    rows = cursor.sql(
        "select moment is not null as is_survey, count(distinct channel_id) as channels, "
        "count(distinct (channel_id, occasion)) as occasions from seen group by all order by is_survey desc"
    ).fetchall()
    return tuple(
        f"{_SURVEY}{occasions:,} captures of {channels:,} channels"
        if is_survey
        else f"{_CHAT}{channels:,} followed channels on {occasions:,} days together"
        for is_survey, channels, occasions in rows
    )


def _text(name: str) -> str:
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
