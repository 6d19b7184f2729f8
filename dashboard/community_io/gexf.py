"""Maps from GEXF files."""

from __future__ import annotations

from pathlib import Path

from dashboard.community_io import names
from dashboard.community_io.builder import GraphBuilder
from dashboard.community_io.gexf_parse import Element, Gexf, parse_gexf
from dashboard.community_io.numbers import parse_number
from dashboard.community_io.tables_edges import ReadEdges, mended_words, node_of
from dashboard.community_io.texts import short_name
from dashboard.errors import RecordingError


def read_gexf(path: Path) -> ReadEdges:
    """Reads a map from a GEXF file of any version.

    Args:
        path: Also gzipped.

    Returns:
        The map with sizes, positions and communities where the file has them. The strength of an edge is
        the number of shared people where an attribute tells it, else the weight, else 1.

    Raises:
        RecordingError: It is no GEXF or has no edges; names the line and the cure.
    """
    told = parse_gexf(path)
    name = short_name(path)
    notes = []
    if told.mended:
        notes.append(f"{name}: {told.mended:,} characters that XML does not allow were put right.")
    if not told.edges:
        raise RecordingError(f"{path}: no <edge> in it. Export the map with its edges.")
    builder = GraphBuilder(has_node_table=bool(told.nodes))
    nameless = _add_nodes(builder, told)
    if nameless:
        notes.append(f"{name}: {nameless:,} nodes without id and label were left out.")
    title = _weight_title(told)
    endless = _add_edges(builder, told, title)
    if endless:
        notes.append(f"{name}: {endless:,} edges without source or target were left out.")
    if title is None and not any("weight" in edge.plain for edge in told.edges):
        notes.append(f"{name}: no weights, so every edge counts 1.")
    elif title is not None and any("weight" in edge.plain for edge in told.edges):
        notes.append(
            f"{name}: “{title}” tells how many people two channels share, so it counts, not the weight."
        )
    edges = builder.build(
        is_count=names.can_be_count(names.plain(title or "weight")), sources=[f"file {name}"]
    )
    if not len(edges.source):
        raise RecordingError(
            f"{path}, line {told.edges[0].line}: no edge joins two different channels with a weight above 0."
        )
    return ReadEdges(edges, (*notes, *mended_words(edges)))


def _add_nodes(builder: GraphBuilder, told: Gexf) -> int:
    titles = list(dict.fromkeys(title for (kind, _), title in told.titles.items() if kind == "node"))
    # Attributes that are used and never declared count, too.
    titles = list(dict.fromkeys([*titles, *(title for node in told.nodes for title in node.values)]))
    places: dict[str, str] = {}
    plain = [names.plain(title) for title in titles]
    for field in names.NODE_FIELDS:
        taken = [titles.index(title) for title in places.values()]
        index = names.find(field, plain, taken) if field not in ("id", "label") else None
        if index is not None:
            places[field] = titles[index]
    nameless = 0
    for node in told.nodes:
        label = node.plain.get("label", "")
        node_id = node.plain.get("id", "") or label
        if not node_id:
            nameless += 1
            continue
        values = told.told(node, "node")
        cells = {field: values.get(title, "") for field, title in places.items()}
        cells |= {axis: node.viz[axis] for axis in ("x", "y") if axis in node.viz}
        builder.add_node(node_of(node_id, cells | {"label": label}))
    return nameless


def _weight_title(told: Gexf) -> str | None:
    """The attribute of edges that counts people; or any weight, where edges have no weight of their own."""
    titles = [title for (kind, _), title in told.titles.items() if kind == "edge"]
    titles = list(dict.fromkeys([*titles, *(title for edge in told.edges[:100] for title in edge.values)]))
    by_name = {names.plain(title): title for title in titles if _is_numeric(told, title)}
    for alias in names.COUNTS:
        if alias in by_name:
            return by_name[alias]
    if any(parse_number(edge.plain.get("weight")) is not None for edge in told.edges):
        return None
    index = names.find_weight(list(by_name))
    return None if index is None else list(by_name.values())[index]


def _is_numeric(told: Gexf, title: str) -> bool:
    cells = [value for edge in told.edges[:200] if (value := edge.values.get(title))]
    return bool(cells) and all(parse_number(cell) is not None for cell in cells)


def _add_edges(builder: GraphBuilder, told: Gexf, title: str | None) -> int:
    endless = 0
    for edge in told.edges:
        source, target = edge.plain.get("source", ""), edge.plain.get("target", "")
        if not source or not target:
            endless += 1
            continue
        builder.add_edge(source, target, _weight(told, edge, title))
    return endless


def _weight(told: Gexf, edge: Element, title: str | None) -> float | None:
    text = told.told(edge, "edge").get(title) if title is not None else edge.plain.get("weight")
    # The format's own rule: an edge that says nothing weighs 1.
    return 1.0 if not text else parse_number(text)
