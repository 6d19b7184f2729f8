"""Edge lists, node lists and GEXF as programs write them, broken ones too."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dashboard.analytics.communities.inputs import EdgeList
from dashboard.community_io.gexf import read_gexf
from dashboard.community_io.numbers import parse_number
from dashboard.community_io.tables_edges import ReadEdges, read_edges
from dashboard.errors import RecordingError


def edges_of(found: EdgeList) -> dict[tuple[str, str], float]:
    logins = found.channels.logins
    return {
        (logins[one], logins[two]): weight
        for one, two, weight in zip(found.source, found.target, found.shared.tolist(), strict=True)
    }


def read(folder: Path, edges: str, nodes: str = "") -> ReadEdges:
    (folder / "e.csv").write_text(edges, encoding="utf-8")
    (folder / "n.csv").write_text(nodes, encoding="utf-8")
    return read_edges([folder / "e.csv"], [folder / "n.csv"] if nodes else [])


@pytest.mark.parametrize(
    "text",
    [
        "Source,Target,Weight\nxqc,Forsen,120\nforsen,lirik,30\n",
        "source;target;weight\nxqc;Forsen;120\n\nforsen;lirik;30\n",
        "TARGET\tSOURCE\tWEIGHT\nForsen\txqc\t120\n\nlirik\tforsen\t30\n",
        "xqc,Forsen,120\nforsen,lirik,30\n",
        "xqc Forsen 120\nforsen lirik 30\n",
        "a,b,weight\nxqc,Forsen,120\nforsen,lirik,30\n",
        "# made by hand\nxqc,Forsen,120\nforsen,lirik,30\n",
        "\ufeffstreamer_i,streamer_j,shared_viewers\nxqc,Forsen,120\nforsen,lirik,30\n",
        "Source,Target,Type,Id,Label,timeset,Weight\nxqc,Forsen,Undirected,0,,,120\nforsen,lirik,Undirected,1,,,30.0\n",
        "id,channel1,channel2,common\n7,xqc,Forsen,120\n8,forsen,lirik,30\n",
        ",from,to,count\n0,xqc,Forsen,120\n1,forsen,lirik,30\n",
        "kanal,anderer,zuschauer\nxqc,Forsen,120\nforsen,lirik,30\n",
        '"Source","Target","Weight"\n"xqc","Forsen","120"\n"forsen","lirik","30"\n',
        "source,target,jaccard,shared\nxqc,Forsen,0.5,120\nforsen,lirik,0.1,30\n",
    ],
)
def test_every_form_of_an_edge_list(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text).edges
    assert edges_of(found) == {("forsen", "xqc"): 120, ("forsen", "lirik"): 30}
    assert found.is_count
    assert found.channels.names[0] in ("Forsen", "forsen")


def test_the_same_rows_in_another_order_are_the_same_map(tmp_path: Path) -> None:
    rows = ["b,a,3", "c,a,2", "A,c,9", "d,b,1"]
    first = read(tmp_path, "source,target,weight\n" + "\n".join(rows)).edges
    second = read(tmp_path, "source,target,weight\n" + "\n".join(rows[::-1])).edges
    assert edges_of(first) == edges_of(second)
    assert first.channels.logins == second.channels.logins == ("a", "b", "c", "d")


def test_what_is_mended_is_counted_and_said(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "Source,Target,Weight\nFoo,foo,5\nFoo,bar,10\nbar,FOO,12\nbar,baz,0\nbar,baz,many\n"
        "bar,qux,2\nonly one\n",
        "Id,Label,Count\nFoo,Foo,100\nfoo,foo,80\nFOO,FOO,1\nbar,bar,50\n",
    )
    assert edges_of(found.edges) == {("bar", "foo"): 12, ("bar", "qux"): 2}
    mended = found.edges.mended
    assert (mended.case_duplicates, mended.self_loops, mended.repeated_edges) == (2, 1, 1)
    assert (mended.bad_weights, mended.nodes_without_row) == (2, 1)
    assert found.edges.channels.names == ("bar", "Foo", "qux")
    assert found.edges.channels.chatters.tolist() == [50, 100, -1]
    assert any("the first is line 8" in note for note in found.notes)
    assert any("2 channels differed from others in upper and lower case" in note for note in found.notes)


def test_ids_with_labels(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "ID_streamer_i,ID_streamer_j,overlap_percentage\n0,1,15.5\n1.0,2,20.0\n",
        "idStreamer,streamer,minutesLive,viewerMean,spectTot,game,language,Modularity Class,x,y\n"
        '0,LyonWGFLive,1155,14011,58801,Chess,IT,1.0,0.5,1\n1,Tumblurr,2925,13683,"148,019",,,2,1,1\n'
        "2,Nobody,,,,,,,2,2\n",
    ).edges
    assert edges_of(found) == {("lyonwgflive", "tumblurr"): 15.5, ("nobody", "tumblurr"): 20.0}
    assert not found.is_count
    channels = found.channels
    assert channels.names == ("LyonWGFLive", "Nobody", "Tumblurr")
    assert channels.chatters.tolist() == [58801, -1, 148019]
    assert channels.viewers.tolist() == [14011, -1, 13683]
    assert channels.observed_minutes.tolist() == [1155, -1, 2925]
    assert (channels.games[0], channels.languages[0]) == ("Chess", "it")
    assert found.published == ("1", "", "2")
    assert found.x is not None
    assert found.x.tolist() == [0.5, 2.0, 1.0]


def test_labels_that_name_nobody(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "source,target,weight\nxqc,forsen,2\n",
        "id,label\nxqc,streamer\nforsen,streamer\n",
    ).edges
    assert found.channels.logins == ("forsen", "xqc")
    found = read(tmp_path, "source,target,weight\nmonn,n2,2\n", "id,label\nmonn,철면수심\nn2,Nana\n").edges
    assert found.channels.logins == ("monn", "nana")
    assert found.channels.names == ("철면수심", "Nana")


def test_edges_by_label_where_nodes_have_numbers(tmp_path: Path) -> None:
    found = read(
        tmp_path, "source,target,weight\nXqc,forsen,2\n", "id,label,size\n1,xqc,10\n2,Forsen,20\n"
    ).edges
    assert edges_of(found) == {("forsen", "xqc"): 2}
    assert found.mended.nodes_without_row == 0


def test_no_weights(tmp_path: Path) -> None:
    found = read(tmp_path, "source,target\na,b\nb,c\n")
    assert not found.edges.is_count
    assert any("every edge counts 1" in note for note in found.notes)


def test_packed_and_in_windows_letters(tmp_path: Path) -> None:
    path = tmp_path / "e.csv.gz"
    path.write_bytes(gzip.compress("source,target,weight\r\nJosé,b,2\r\n".encode("cp1252")))
    assert read_edges([path]).edges.channels.names == ("b", "José")
    path.write_bytes("Source\tTarget\tWeight\na\tb\t2\n".encode("utf-16"))
    assert edges_of(read_edges([path]).edges) == {("a", "b"): 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("channel\nxqc\nforsen\n", "e.csv, line 1: an edge list needs two columns"),
        ("source,target,weight\n", "no edge between two channels is left"),
        ("source,target,weight\na,a,3\n", "no edge between two channels is left"),
        ('{"a": 1}', "e.csv, line 1: this is JSON, not a table"),
        ("<gexf/>", "e.csv, line 1: this is XML, not a table"),
        ("source,target,weight\na\nb\nc,d,1\n", "e.csv, line 2: no two channels there, as in 2 of 3 lines"),
    ],
)
def test_what_is_no_edge_list(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("1,234", 1234), ("0.5", 0.5), ("0,5", 0.5), ("12%", 12), ("1.234,5", 1234.5), ("1e3", 1e3),
     ("", None), ("many", None), ("nan", None), ("1,234.5", 1234.5), (True, None), (7, 7)],
)  # fmt: skip
def test_numbers_as_people_write_them(text: object, value: float | None) -> None:
    assert parse_number(text) == value


# -- GEXF ------------------------------------------------------------------------------------------

NODES = '<node id="1" label="xQc"/><node id="2" label="Forsen"/><node id="3" label="forsen"/>'
EDGES = '<edge source="1" target="2" weight="4.0"/><edge id="1" source="3" target="2"/>'


def gexf(folder: Path, text: str, encoding: str = "utf-8") -> ReadEdges:
    path = folder / "map.gexf"
    path.write_bytes(text.encode(encoding))
    return read_gexf(path)


@pytest.mark.parametrize(
    "head",
    [
        '<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="http://www.gexf.net/1.1draft" version="1.1">',
        '<gexf xmlns="http://www.gexf.net/1.2draft" xmlns:viz="http://gexf.net/viz" version="1.2">',
        '<gexf xmlns="http://gexf.net/1.3" version="1.3">',
        '<gexf xmlns="http://gexf.net/1.4" version="9.9">',
        "<gexf>",
        '\n\n<g:gexf xmlns:g="http://gexf.net/1.3">',
        '<!DOCTYPE gexf SYSTEM "http://gexf.net/gexf.dtd">\n<gexf>',
    ],
)
def test_every_version(tmp_path: Path, head: str) -> None:
    end = "</g:gexf>" if "<g:" in head else "</gexf>"
    found = gexf(tmp_path, f"{head}<graph><nodes>{NODES}</nodes><edges>{EDGES}</edges></graph>{end}").edges
    assert edges_of(found) == {("forsen", "xqc"): 4}
    assert (found.mended.case_duplicates, found.mended.self_loops) == (1, 1)


def test_attributes_positions_and_mixed_types(tmp_path: Path) -> None:
    found = gexf(
        tmp_path,
        """<?xml version='1.0' encoding='UTF-8'?>
        <gexf version="1.3"><graph defaultedgetype="undirected">
        <attributes class="node"><attribute id="0" title="Unique Viewers" type="long"/>
        <attribute id="1" title="Modularity Class" type="integer"><default>7</default></attribute>
        <attribute id="2" title="game" type="liststring"/></attributes>
        <attributes class="edge"><attribute id="0" title="Shared Viewers" type="string"/></attributes>
        <nodes>
          <node id="a.1" label="Ann"><attvalues><attvalue for="0" value="1200.0"/>
            <attvalue id="1" value="3.0"/>
            <attvalue for="undeclared" value="x"/></attvalues>
            <viz:position x="1,5" y="-2.5" z="0"/><viz:color hex="#ff0000"/><viz:size value="3"/></node>
          <node id="b 2" label="Bob"><attvalues><attvalue for="2" value="Chess"/></attvalues>
            <position x="0" y="0"/>
            <nodes><node id="c" label="Cid"><viz:position x="1" y="1"/></node></nodes></node>
        </nodes>
        <edges><edge id="0" source="a.1" target="b 2" weight="0.25">
            <attvalues><attvalue for="0" value="300"/></attvalues></edge>
          <edge id="0" source="c" target="nowhere" weight="0.5" type="directed">
            <attvalues><attvalue for="0" value="7"/></attvalues></edge>
          <edge id="2" target="c"/></edges></graph></gexf>""",
    )
    edges = found.edges
    assert edges_of(edges) == {("ann", "bob"): 300, ("cid", "nowhere"): 7}
    assert edges.is_count
    assert edges.channels.chatters.tolist() == [1200, -1, -1, -1]
    assert edges.published == ("3", "7", "7", "")
    assert edges.channels.games == ("", "Chess", "", "")
    assert edges.mended.nodes_without_row == 1
    assert edges.x is None  # Nobody knows where “nowhere” is.
    assert any("1 edges without source or target" in note for note in found.notes)


def test_positions_where_all_have_one(tmp_path: Path) -> None:
    nodes = "".join(f'<node id="{n}"><viz:position x="{i}" y="{-i}"/></node>' for i, n in enumerate("ab"))
    found = gexf(
        tmp_path,
        f'<gexf><graph><nodes>{nodes}</nodes><edges><edge source="a" target="b"/></edges></graph></gexf>',
    )
    assert found.edges.x is not None
    assert found.edges.x.tolist() == [0, 1]
    assert not found.edges.is_count


def test_characters_that_xml_does_not_allow(tmp_path: Path) -> None:
    text = '<gexf><graph><nodes><node id="a" label="Tom & Jerry\x0b &eacute;"/></nodes>'
    found = gexf(tmp_path, text + '<edges><edge source="a" target="b" weight="2"/></edges></graph></gexf>')
    assert found.edges.channels.names == ("Tom & Jerry é", "b")
    assert "3 characters that XML does not allow were put right" in found.notes[0]
    found = gexf(
        tmp_path,
        '<?xml version="1.0" encoding="UTF-8"?><gexf><graph><nodes><node id="a" label="José"/></nodes>'
        '<edges><edge source="a" target="b" weight="2"/></edges></graph></gexf>',
        "latin-1",
    )
    assert found.edges.channels.names == ("José", "b")


BOMB = """<?xml version="1.0"?>
<!DOCTYPE gexf [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<gexf><graph><nodes><node id="1" label="&b;"/></nodes></graph></gexf>"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "line 2: declares an entity of its own (“a”)"),
        ("<gexf><graph><nodes>\n<node id='1'/>\n<edges>", "line 3: no element found. The file is cut off"),
        ("<gexf><graph>\n<nodes></graph></gexf>", "line 2: mismatched tag. Put that line right"),
        ("<graphml><graph/></graphml>", "the first element is <graphml>, not <gexf>"),
        ("Source,Target\na,b\n", "line 1: this is not XML"),
        ("<gexf><graph><nodes/></graph></gexf>", "no <edge> in it"),
        (
            '<gexf><graph><edges>\n<edge source="a" target="A"/></edges></graph></gexf>',
            "line 2: no edge joins",
        ),
    ],
)
def test_what_is_no_gexf(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RecordingError) as caught:
        gexf(tmp_path, text)
    assert words in str(caught.value)
    assert "map.gexf" in str(caught.value)


def test_numbers_beyond_all_counts_are_unknown(tmp_path: Path) -> None:
    found = read(tmp_path, "source,target,weight\na,b,2\n", f"id,size\na,{10**22}\nb,-3\n").edges
    assert found.channels.chatters.tolist() == [-1, -1]
    assert edges_of(read(tmp_path, "a,b\nb,c,7\n").edges)
