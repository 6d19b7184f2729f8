"""What is kept of a map: the same bytes each time, whole, and readable by those it is meant for."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dashboard.analytics.communities.model import MapRun
from dashboard.community_io.gexf import read_gexf
from dashboard.community_io.outputs import NAMES, write_outputs
from dashboard.community_io.palette import hue
from dashboard.community_io.scene import build_scene
from dashboard.community_io.tables_edges import read_edges
from dashboard.community_io.write_html import map_html
from dashboard.errors import StorageError
from tests.community_maps import small_map


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("map")
    write_outputs(small_map(), folder, preset="rigorous")
    return folder


def test_every_file_is_there_and_nothing_else(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)


def test_the_same_map_is_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_outputs(small_map(), tmp_path, preset="rigorous")
    for name in NAMES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_tables(folder: Path) -> None:
    with (folder / "graph_nodes.csv").open(encoding="utf-8", newline="") as file:
        nodes = list(csv.DictReader(file))
    assert [row["login"] for row in nodes] == ["alpha", "beta", "gamma", "delta", "lone"]
    assert nodes[1]["label"] == "Бета & <Co>"
    assert (nodes[3]["torn_between"], nodes[3]["torn_share"], nodes[3]["viewers"]) == ("Chess", "0.45", "")
    assert (nodes[4]["community"], nodes[4]["stability"]) == ("", "")
    assert float(nodes[4]["x"]) == 0.1 + 0.2
    with (folder / "graph_edges.csv").open(encoding="utf-8", newline="") as file:
        edges = list(csv.DictReader(file))
    assert [(row["source"], row["target"], row["shared"]) for row in edges[:2]] == [
        ("11", "12", "300"),
        ("13", "14", "200"),
    ]
    assert float(edges[0]["weight"]) == float(edges[0]["jaccard"]) == 0.2142857142857143
    # Where the measure is not known, what the source gave counts.
    assert (edges[4]["weight"], edges[4]["jaccard"]) == ("4", "")


def test_a_name_can_be_no_formula(tmp_path: Path) -> None:
    run = small_map()
    names = ("=HYPERLINK(1)", "@x", "b", "c", "d")
    run = replace(run, nodes=replace(run.nodes, channels=replace(run.nodes.channels, names=names)))
    write_outputs(run, tmp_path, names=("graph_nodes.csv",))
    with (tmp_path / "graph_nodes.csv").open(encoding="utf-8", newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)][:3] == ["'=HYPERLINK(1)", "'@x", "b"]


def test_results(folder: Path) -> None:
    told = json.loads((folder / "analysis_results.json").read_text(encoding="utf-8"))
    assert told["timestamp"] == "2027-01-15T08:00:00Z"
    assert told["config"]["preset"] == "rigorous"
    assert (told["config"]["min_shared"], told["config"]["games"]) == (4, ["Chess", "Art"])
    assert told["partition"] == {"alpha": "k1", "beta": "k1", "delta": "k2", "gamma": "k2", "lone": None}
    assert told["labels"] == {"k1": "Chess", "k2": "Just Chatting (German)"}
    assert told["statistics"]["modularity"] == 0.41
    assert told["communities"][0]["evidence"][1]["lift"] is None
    assert told["statement"] == "2,400 people who wrote, seen in 29 h of chat; not viewers."


def test_networkx_reads_both_graphs(folder: Path) -> None:
    import networkx as nx

    run = small_map()
    gexf, graphml = nx.read_gexf(folder / "graph.gexf"), nx.read_graphml(folder / "graph.graphml")
    for graph in (gexf, graphml):
        assert (len(graph), graph.number_of_edges()) == (5, 5)
        assert graph.nodes["13"]["community"] == "Just Chatting (German)"
        assert graph.nodes["12"]["label"] == "Бета & <Co>"
        assert graph.edges["11", "12"]["shared"] == 300
        assert graph.edges["11", "12"]["weight"] == 0.2142857142857143
        assert "jaccard" not in graph.edges["12", "14"]
    look = gexf.nodes["13"]["viz"]
    assert (look["position"]["x"], look["position"]["y"]) == (30.0, -3.0)
    assert "#{r:02x}{g:02x}{b:02x}".format(**look["color"]) == hue(run.communities[1].colour)
    assert (graphml.nodes["13"]["x"], graphml.nodes["13"]["y"]) == (30.0, -3.0)
    assert graphml.nodes["13"]["color"] == hue(run.communities[1].colour)


def test_our_own_files_come_in_again(folder: Path) -> None:
    run = small_map()
    for found in (
        read_gexf(folder / "graph.gexf").edges,
        read_edges([folder / "graph_edges.csv"], [folder / "graph_nodes.csv"]).edges,
    ):
        logins = found.channels.logins
        assert set(logins) == set(run.nodes.channels.logins)
        assert found.is_count
        shared = {
            frozenset((logins[a], logins[b])): weight
            for a, b, weight in zip(found.source, found.target, found.shared.tolist(), strict=True)
        }
        assert shared[frozenset(("alpha", "beta"))] == 300
        assert found.channels.chatters[logins.index("gamma")] == 700
        assert found.published is not None
        assert found.published[logins.index("delta")] == "Just Chatting (German)"


def test_pictures(folder: Path) -> None:
    drawing = ElementTree.parse(folder / "map.svg")
    texts = ["".join(element.itertext()) for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Chess", "Just Chatting (German)", "Бета & <Co>", 'De"lta'} <= set(texts)
    assert "href" not in (folder / "map.svg").read_text(encoding="utf-8")
    data = (folder / "map.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (2400, 2000)


def crowded() -> MapRun:
    """Two hundred channels in sixteen communities, close together, with long names."""
    from dashboard.analytics.communities.inputs import Channels
    from dashboard.analytics.communities.model import MapEdges, MapNodes

    run, count = small_map(), 200
    at = np.arange(count)
    none = np.full(count, -1)
    channels = Channels(
        ids=tuple(str(i) for i in at),
        logins=tuple(f"channel_with_a_long_name_{i}" for i in at),
        names=tuple(f"Channel_With_A_Long_Name_{i}" for i in at),
        games=("",) * count,
        languages=("",) * count,
        tags=((),) * count,
        viewers=none,
        observed_minutes=none,
        chatters=1000 - at,
    )
    angle = at * 2.4
    nodes = MapNodes(
        channels, 20 * np.sqrt(at) * np.cos(angle), 20 * np.sqrt(at) * np.sin(angle), np.full(count, 6.0),
        (angle % (2 * np.pi) / (2 * np.pi) * 16).astype(int), np.ones(count), none, np.zeros(count),
        ("",) * count, at, np.ones(count), np.ones(count),
    )  # fmt: skip
    empty = np.zeros(0)
    edges = MapEdges(
        empty.astype(int), empty.astype(int), empty, empty, empty, empty, empty, empty, empty.astype(bool),
        empty.astype(bool),
    )  # fmt: skip
    communities = tuple(
        replace(run.communities[0], key=f"k{i}", label=f"A rather long label of community {i} (Portuguese)")
        for i in range(16)
    )
    return replace(run, nodes=nodes, edges=edges, communities=communities)


def test_no_two_labels_overlap() -> None:
    scene = build_scene(crowded())
    assert sum(label.is_region for label in scene.labels) >= 12
    assert sum(not label.is_region for label in scene.labels) >= 10
    boxes = [label.box for label in scene.labels]
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= 2400
        for other in boxes[number + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_an_empty_map_is_drawn_too(tmp_path: Path) -> None:
    run = crowded()
    nodes = run.nodes
    told = nodes.channels
    channels = replace(told, **{field.name: getattr(told, field.name)[:0] for field in fields(told)})
    columns = ("x", "y", "radius", "community", "stability", "torn", "torn_share", "content", "degree",
               "strength", "inside_share")  # fmt: skip
    nothing = replace(nodes, channels=channels, **{name: getattr(nodes, name)[:0] for name in columns})
    assert len(write_outputs(replace(run, nodes=nothing, communities=()), tmp_path)) == len(NAMES)


class Links(HTMLParser):
    """Everything in a page that could make a request."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_the_page_asks_nothing_of_anybody(folder: Path) -> None:
    page = (folder / "map.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.found == ["data:,"]
    assert not re.search(r"url\((?!data:)|@import|fetch\(|XMLHttpRequest|https?://(?!www\.w3\.org)", page)
    assert "default-src 'none'" in page
    assert "StreamLensMap.mount = " in page
    assert "dash_clientside" not in page


def test_no_name_can_leave_its_element() -> None:
    run = small_map()
    evil = "</script><script>alert(1)</script>"
    names = (evil, "a", "b", "c", "d")
    run = replace(run, nodes=replace(run.nodes, channels=replace(run.nodes.channels, names=names)))
    page = map_html(run, title=evil)
    links = Links()
    links.feed(page)
    assert links.tags.count("script") == 3
    payload = re.search(r'id="payload">(.*?)</script>', page, re.DOTALL)
    assert payload is not None
    assert json.loads(payload[1])["nodes"]["name"][0] == evil


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be written"):
        write_outputs(small_map(), tmp_path / "file" / "out", names=("map.svg",))


def test_what_is_not_known_is_no_number() -> None:
    from dashboard.community_io.words import figures

    run = small_map()
    statistics = replace(run.statistics, modularity=math.nan, stability=math.nan)
    assert "modularity – · stability –" in figures(replace(run, statistics=statistics))


def test_a_report_says_what_is_not_in_its_files() -> None:
    from bench.map_runs import map_run
    from dashboard.community_io.words import counted, figures
    from dashboard.jobs.communities import lines_of

    whole = map_run(20, 40, n_communities=3, seed=1)
    cut = replace(
        whole, statistics=replace(whole.statistics, n_edges=len(whole.edges) + 1_200, edges_dropped=1_200)
    )

    told = "\n".join(lines_of(cut))
    assert "1,200 weaker ones above the threshold are not" in told
    assert "weaker" not in "\n".join(lines_of(whole))
    assert f"{len(whole.edges) + 1_200:,} overlaps" in figures(cut)
    assert counted(1, "channels with too few chatters") == "1 channel with too few chatters"
    assert counted(2, "lurkers") == "2 lurkers"
