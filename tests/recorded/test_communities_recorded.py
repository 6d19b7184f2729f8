"""Communities of published maps are found again, and a real poll's lurkers are told from its people."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dashboard.analytics.communities.analyse import analyse
from dashboard.analytics.communities.build import channels_of, presence_from_pairs
from dashboard.analytics.communities.edge_tables import edges_from_table
from dashboard.analytics.communities.filters import filtered
from dashboard.analytics.communities.inputs import EdgeList
from dashboard.analytics.communities.lurkers import channel_counts, lurkers
from dashboard.analytics.communities.model import MapRun
from dashboard.analytics.communities.params import MapParams
from dashboard.analytics.communities.recut import recut
from dashboard.analytics.communities.scores import adjusted_rand, normalised_mutual_information

QUICK = MapParams(with_layout=False)


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        pytest.skip(f"no recording {path.name}")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def agreement(run: MapRun, published: dict[str, str]) -> float:
    """NMI with the published communities, of the channels both know; isolates are communities of one."""
    told = [place for place, key in enumerate(run.nodes.channels.ids) if key in published]
    words = np.array([published[run.nodes.channels.ids[place]] for place in told])
    own = run.nodes.community[told]
    alone = np.where(own < 0, -1 - np.arange(len(own)), own)
    return normalised_mutual_information(np.unique(words, return_inverse=True)[1], alone)


@pytest.fixture(scope="module")
def atlas_dir(recorded_dir: Path) -> Path:
    return recorded_dir / "overlap" / "twitchatlas_2021-02"


@pytest.fixture(scope="module")
def atlas(atlas_dir: Path) -> EdgeList:
    labels = list(rows_of(atlas_dir / "02.27.2021.15.11.23LABELS.csv"))
    edges = list(rows_of(atlas_dir / "02.27.2021.15.11.23EDGELIST.csv"))
    return edges_from_table(
        [row["Source"] for row in edges],
        [row["Target"] for row in edges],
        [float(row["Weight"]) for row in edges],
        nodes=channels_of([row["ID"] for row in labels], chatters=[int(row["Count"]) for row in labels]),
    )


@pytest.fixture(scope="module")
def map_of_2021(atlas: EdgeList) -> MapRun:
    return analyse(atlas, QUICK, run_id="atlas", created_at=0)


@pytest.fixture(scope="module")
def cuts_of_2021(map_of_2021: MapRun) -> list[MapRun]:
    return [recut(map_of_2021, MapParams(resolution=resolution)) for resolution in (1.0, 2.5)]


def test_the_table_of_2021_is_put_in_order(atlas: EdgeList) -> None:
    mended = atlas.mended
    assert (mended.case_duplicates, mended.self_loops, mended.repeated_edges) == (6, 5, 187)
    assert len(atlas.source) == 67_747


@pytest.mark.parametrize(
    ("name", "key", "group"),
    [
        ("ActiveLabels.csv", "Id", "modularity_class"),
        ("ActiveNodesFebruary.csv", "Streamer", "Community ID"),
    ],
)
def test_the_communities_of_2021(
    map_of_2021: MapRun, cuts_of_2021: list[MapRun], atlas_dir: Path, name: str, key: str, group: str
) -> None:
    """At our own default settings, and at those the sliders give."""
    published = {row[key].lower(): row[group] for row in rows_of(atlas_dir / name)}

    assert agreement(map_of_2021, published) >= 0.75
    for cut in cuts_of_2021:
        assert agreement(cut, published) >= 0.75


def test_other_seeds_find_the_same_in_2021(map_of_2021: MapRun) -> None:
    cut = recut(map_of_2021, map_of_2021.params, seed=5)

    assert adjusted_rand(map_of_2021.nodes.community, cut.nodes.community) >= 0.9
    assert map_of_2021.statistics.agreement >= 0.7


def test_an_italian_map_of_2022(recorded_dir: Path) -> None:
    """A small map by other people: the same defaults find its authors' communities too."""
    path = recorded_dir / "overlap" / "twitch-graph_17-31_july.gexf"
    if not path.is_file():
        pytest.skip(f"no recording {path.name}")
    root = ET.parse(path).getroot()
    told = {
        node.get("id", ""): {
            value.get("for"): value.get("value") for value in node.iterfind(".//{*}attvalue")
        }
        for node in root.iterfind(".//{*}node")
    }
    edges = [
        (
            edge.get("source", ""),
            edge.get("target", ""),
            float(next(edge.iterfind(".//{*}attvalue")).get("value", "0")),
        )
        for edge in root.iterfind(".//{*}edge")
    ]
    table = edges_from_table(
        *map(list, zip(*edges, strict=True)),  # type: ignore[arg-type]
        nodes=channels_of(list(told), chatters=[int(row["unique viewers"] or 0) for row in told.values()]),
    )
    published = {key: row.get("modularity_class") or "0" for key, row in told.items()}

    run = analyse(table, QUICK, run_id="july", created_at=0)

    assert agreement(run, published) >= 0.85


def test_lurkers_of_a_poll_of_2022(recorded_dir: Path) -> None:
    path = recorded_dir / "overlap" / "raw_polls" / "2022-04-14_10-48.json"
    if not path.is_file():
        pytest.skip(f"no recording {path.name}")
    poll = json.loads(path.read_text(encoding="utf-8"))
    presence = presence_from_pairs(
        [channel for channel, told in poll.items() for _ in told["spect"]],
        [person for told in poll.values() for person in told["spect"]],
        seen_as="connected",
    )
    counts = channel_counts(presence)
    assert (presence.n_pairs, presence.n_chatters) == (29_298, 15_172)

    by_rule = lurkers(presence, rule=20, with_statistics=False)
    found = lurkers(presence, rule=20, with_statistics=True)

    assert np.array_equal(by_rule, counts >= 20)
    assert found[counts >= 20].all()
    assert (~found[counts < 20]).mean() >= 0.99
    assert lurkers(presence, rule=0, with_statistics=True)[
        counts >= 20
    ].all()  # the statistics alone see them
    left, told = filtered(presence, MapParams())
    assert dict(told)["lurkers"] == int(found.sum())
    assert channel_counts(left).max() < 20
