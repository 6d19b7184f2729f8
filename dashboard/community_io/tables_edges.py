"""Edge lists and node lists as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dashboard.analytics.communities.inputs import EdgeList
from dashboard.community_io import names
from dashboard.community_io.builder import GraphBuilder, RawNode
from dashboard.community_io.numbers import parse_count, parse_number
from dashboard.community_io.tables import Table, read_table
from dashboard.community_io.texts import short_name
from dashboard.errors import RecordingError

_NODE_NAMES: Final = frozenset(alias for aliases in names.NODE_FIELDS.values() for alias in aliases)


@dataclass(frozen=True, slots=True)
class ReadEdges:
    """A map from files."""

    edges: EdgeList
    notes: tuple[str, ...]
    """What was merged and left out, in sentences."""


def read_edges(edge_paths: Sequence[Path], node_paths: Sequence[Path] = ()) -> ReadEdges:
    """Reads a map from an edge list and, where there is one, a node list.

    Args:
        edge_paths: Two columns of channels (ids or names) and perhaps a weight; several are one map.
        node_paths: Ids with labels, sizes, games, languages, communities, positions.

    Returns:
        The map and what had to be mended.

    Raises:
        RecordingError: A file is no such table; names the file, the line and the cure.
    """
    builder = GraphBuilder(has_node_table=bool(node_paths))
    notes: list[str] = []
    for path in node_paths:
        notes += _add_nodes(builder, path)
    is_count = True
    for path in edge_paths:
        can_count, said = _add_edges(builder, path)
        is_count = is_count and can_count
        notes += said
    listed = [*edge_paths, *node_paths]
    edges = builder.build(is_count=is_count, sources=[f"file {short_name(path)}" for path in listed])
    if not len(edges.source):
        raise RecordingError(
            f"{short_name(edge_paths[0])}: no edge between two channels is left. "
            "Each line needs two different channels and a weight above 0."
        )
    return ReadEdges(edges, (*notes, *mended_words(edges)))


def mended_words(edges: EdgeList) -> list[str]:
    """What the reading had to mend, in sentences."""
    mended, found = edges.mended, []
    for count, one, many in (
        (
            mended.case_duplicates,
            "1 channel differed from another in upper and lower case only and was merged with it.",
            "{} channels differed from others in upper and lower case only and were merged with them.",
        ),
        (
            mended.self_loops,
            "1 edge of a channel with itself was left out.",
            "{} edges of channels with themselves were left out.",
        ),
        (
            mended.repeated_edges,
            "1 edge stood there again; the greater weight counts.",
            "{} edges stood there again; the greatest weight counts.",
        ),
        (
            mended.bad_weights,
            "1 edge without a weight above 0 was left out.",
            "{} edges without a weight above 0 were left out.",
        ),
        (
            mended.nodes_without_row,
            "1 channel is named by edges only; nothing else is known of it.",
            "{} channels are named by edges only; nothing else is known of them.",
        ),
    ):
        if count:
            found.append(one if count == 1 else many.format(f"{count:,}"))
    if not edges.is_count:
        found.append("The weights are no numbers of people: Jaccard, containment and lift are unknown.")
    return found


def _add_edges(builder: GraphBuilder, path: Path) -> tuple[bool, list[str]]:
    table = read_table(path, lambda found: names.find_ends(found) is not None)
    if table.width < 2:
        raise RecordingError(
            f"{path}, line 1: an edge list needs two columns of channels, this has one. "
            "Write Source,Target,Weight."
        )
    source, target, weight, notes = _edge_columns(table)
    first_bad = 0
    bad = 0
    for line, row in table.rows:
        if len(row) <= max(source, target) or not row[source] or not row[target]:
            first_bad, bad = first_bad or line, bad + 1
            continue
        if weight is None:
            builder.add_edge(row[source], row[target], 1.0)
        else:
            builder.add_edge(
                row[source], row[target], parse_number(row[weight]) if weight < len(row) else None
            )
    if bad > len(table.rows) / 2:
        raise RecordingError(
            f"{path}, line {first_bad}: no two channels there, as in {bad:,} of {len(table.rows):,} lines. "
            "An edge list has a line “source,target,weight” for each pair."
        )
    if bad:
        notes.append(
            f"{short_name(path)}: {bad:,} lines without two channels were left out "
            f"(the first is line {first_bad})."
        )
    title = table.names[weight] if weight is not None and weight < len(table.names) else ""
    return weight is not None and names.can_be_count(title), notes


def _edge_columns(table: Table) -> tuple[int, int, int | None, list[str]]:
    """Which columns are the two ends and the weight; None where there is no weight."""
    ends = names.find_ends(table.names) if table.has_header else None
    notes = []
    if ends is None:
        texts = [index for index in range(table.width) if not _is_numeric(table, index)]
        numbers = [index for index in range(table.width) if index not in texts]
        ends = (texts[0], texts[1]) if len(texts) > 1 else (0, 1)
        weight = next((index for index in numbers if index not in ends), None)
        what = "unknown names" if table.has_header else "no names"
        notes.append(
            f"{short_name(table.path)}: its columns have {what}; columns {ends[0] + 1} and {ends[1] + 1} "
            f"were taken for the two channels"
            + (f", column {weight + 1} for the weight." if weight is not None else ".")
        )
    else:
        weight = names.find_weight(table.names, ends)
        if weight is None:
            others = [i for i in range(table.width) if i not in ends and _is_numeric(table, i)]
            others = [i for i in others if i < len(table.names) and table.names[i] not in ("id", "")]
            weight = others[0] if len(others) == 1 else None
    if weight is None:
        notes.append(f"{short_name(table.path)}: no column of weights, so every edge counts 1.")
    return ends[0], ends[1], weight, notes


def _is_numeric(table: Table, index: int) -> bool:
    cells = [row[index] for _, row in table.rows[:50] if index < len(row) and row[index]]
    return bool(cells) and sum(parse_number(cell) is not None for cell in cells) > len(cells) * 0.8


def _add_nodes(builder: GraphBuilder, path: Path) -> list[str]:
    table = read_table(path, lambda found: bool(set(found) & _NODE_NAMES))
    places, notes = _node_columns(table)
    if "id" not in places:
        raise RecordingError(
            f"{path}, line 1: no column of ids or names there. Write Id,Label and perhaps a size."
        )
    first_bad = bad = 0
    for line, row in table.rows:
        cells = {name: row[index] for name, index in places.items() if index < len(row)}
        if not cells.get("id"):
            first_bad, bad = first_bad or line, bad + 1
            continue
        builder.add_node(node_of(cells["id"], cells))
    if bad:
        notes.append(
            f"{short_name(path)}: {bad:,} lines without an id were left out (the first is line {first_bad})."
        )
    return notes


def node_of(node_id: str, told: dict[str, str]) -> RawNode:
    """A node from what is told of it in text, by our own names of the fields."""
    return RawNode(
        node_id,
        told.get("label", "") or "",
        told.get("login", ""),
        chatters=parse_count(told.get("chatters")),
        community=_whole(told.get("community", "")),
        game=told.get("game", ""),
        language=told.get("language", "").lower(),
        viewers=parse_count(told.get("viewers")),
        minutes=parse_count(told.get("minutes")),
        tags=tuple(part.strip().lower() for part in told.get("tags", "").split("|") if part.strip()),
        x=parse_number(told.get("x")),
        y=parse_number(told.get("y")),
    )


def _whole(text: str) -> str:
    """“12.0” is how some programs write the community 12."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _node_columns(table: Table) -> tuple[dict[str, int], list[str]]:
    places: dict[str, int] = {}
    if table.has_header:
        for field in names.NODE_FIELDS:
            index = names.find(field, table.names, places.values())
            if index is not None:
                places[field] = index
        if "id" not in places and (named := places.get("login", places.get("label"))) is not None:
            places["id"] = named
        return places, []
    numbers = [index for index in range(table.width) if _is_numeric(table, index)]
    texts = [index for index in range(table.width) if index not in numbers]
    places = {"id": 0}
    label = next((index for index in texts if index), None)
    size = next((index for index in numbers if index), None)
    if label is not None:
        places["label"] = label
    if size is not None:
        places["chatters"] = size
    return places, [f"{short_name(table.path)}: its columns have no names; the first was taken for the ids."]
