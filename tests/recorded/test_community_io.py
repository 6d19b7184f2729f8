"""Published maps and a recorded poll, read as they are; nobody on the project made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.community_io.gexf import read_gexf
from dashboard.community_io.polls import read_polls
from dashboard.community_io.tables_edges import ReadEdges, read_edges


@pytest.fixture(scope="module")
def overlap(recorded_dir: Path) -> Path:
    folder = recorded_dir / "overlap"
    if not folder.is_dir():
        pytest.skip(f"no published maps in {folder}")
    return folder


def atlas(overlap: Path, nodes: str) -> ReadEdges:
    folder = overlap / "twitchatlas_2021-02"
    return read_edges([folder / "02.27.2021.15.11.23EDGELIST.csv"], [folder / nodes])


def test_the_poll(overlap: Path) -> None:
    found = read_polls([overlap / "raw_polls" / "2022-04-14_10-48.json"])
    presence = found.presence
    assert (len(presence.channels), presence.n_pairs, presence.n_chatters) == (1085, 29_298, 15_172)
    assert presence.most_at_once is not None
    assert int((presence.most_at_once >= 20).sum()) == 106
    where = presence.channels.logins.index("moonryde")
    assert presence.channels.chatters[where] == 1667
    assert presence.channels.games[where] == "Call of Duty: Warzone"
    assert presence.channels.viewers[where] == 2140


def test_the_atlas_of_february(overlap: Path) -> None:
    found = atlas(overlap, "ActiveLabels.csv")
    edges = found.edges
    # 67,939 lines: 5 of them between two spellings of one channel, 187 the same pair again.
    assert len(edges.source) == 67_939 - 5 - 187
    assert edges.mended.case_duplicates == 6
    assert (edges.mended.self_loops, edges.mended.repeated_edges) == (5, 187)
    assert edges.is_count
    assert edges.published is not None
    assert edges.channels.chatters.max() == 932_473
    joined = {int(end) for end in (*edges.source, *edges.target)}
    assert len(joined) == 1_809  # 1,814 spellings


@pytest.mark.parametrize("nodes", ["02.27.2021.15.11.23LABELS.csv", "ActiveNodesFebruary.csv"])
def test_the_other_lists_of_its_channels(overlap: Path, nodes: str) -> None:
    edges = atlas(overlap, nodes).edges
    assert edges.channels.chatters[edges.channels.logins.index("xqcow")] == 932_473
    assert edges.mended.nodes_without_row == (330 if nodes.startswith("Active") else 0)


def test_other_published_maps(overlap: Path) -> None:
    folder = overlap / "roki_2021-12"
    edges = read_edges([folder / "2021-12-edges.csv"], [folder / "2021-12-nodes.csv"]).edges
    assert (len(edges.channels), len(edges.source), edges.is_count) == (1162, 8585, True)
    folder = overlap / "twitchatlas_2021-02"
    edges = read_edges([folder / "Dec12Edges.csv"], [folder / "Dec12Labels.csv"]).edges
    assert (len(edges.channels), len(edges.source), edges.is_count) == (1123, 20_003, True)
    folder = overlap / "italy"
    edges = read_edges([folder / "Streamer-Streamer_dataset.csv"], [folder / "Streamer_dataset.csv"]).edges
    # Percentages are no people; three streamers are listed under two numbers.
    assert (len(edges.channels), len(edges.source), edges.is_count) == (2974, 47_199, False)


def test_the_gexf_of_july(overlap: Path) -> None:
    edges = read_gexf(overlap / "twitch-graph_17-31_july.gexf").edges
    assert (len(edges.channels), len(edges.source), edges.is_count) == (566, 2454, True)
    where = edges.channels.logins.index("lapamy_")
    assert edges.channels.chatters[where] == 306
    assert edges.published is not None
    assert edges.x is not None
    assert edges.x[where] == pytest.approx(-75.91899)
    assert edges.shared.max() == edges.shared.max().round()
