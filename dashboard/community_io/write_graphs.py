"""A map as GEXF and GraphML, with positions, colours and communities, for Gephi and networkx."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from dashboard.analytics.communities.inputs import UNKNOWN
from dashboard.analytics.communities.model import ISOLATE, MapRun
from dashboard.community_io.palette import hue, rgb
from dashboard.community_io.texts import allowed
from dashboard.community_io.words import day, figures, label_of, statement
from dashboard.community_io.write_tables import edge_weights

# Name, type in GEXF, type in GraphML.
_NODE: Final = (
    ("login", "string", "string"),
    ("size", "integer", "long"),
    ("community", "string", "string"),
    ("community_key", "string", "string"),
    ("modularity_class", "integer", "long"),
    ("stability", "double", "double"),
    ("game", "string", "string"),
    ("language", "string", "string"),
    ("content", "string", "string"),
    ("viewer_count", "integer", "long"),
    ("observed_minutes", "integer", "long"),
)
_EDGE: Final = (
    ("shared", "double", "double"),
    ("jaccard", "double", "double"),
    ("containment_ab", "double", "double"),
    ("containment_ba", "double", "double"),
    ("lift", "double", "double"),
    ("in_backbone", "boolean", "boolean"),
)


def gexf(run: MapRun) -> Iterator[str]:
    """GEXF 1.2 in pieces: what Gephi draws as it is and networkx reads."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gexf xmlns="http://www.gexf.net/1.2draft" xmlns:viz="http://www.gexf.net/1.2draft/viz" '
        'version="1.2">\n'
        f'<meta lastmodifieddate="{day(run.created_at)}"><creator>StreamLens</creator>'
        f"<description>{_text(figures(run) + '. ' + statement(run))}</description></meta>\n"
        '<graph defaultedgetype="undirected" mode="static">\n'
    )
    for kind, columns in (("node", _NODE), ("edge", _EDGE)):
        yield f'<attributes class="{kind}" mode="static">\n'
        for number, (name, form, _) in enumerate(columns):
            yield f'<attribute id="{number}" title="{name}" type="{form}"/>\n'
        yield "</attributes>\n"
    yield "<nodes>\n"
    for place, (channel_id, values) in enumerate(_nodes(run)):
        red, green, blue = rgb(_colour(run, place))
        yield (
            f"<node id={_quoted(channel_id)} label={_quoted(run.nodes.channels.names[place])}>"
            f"{_attvalues(values)}"
            f'<viz:position x="{_number(run.nodes.x[place])}" y="{_number(run.nodes.y[place])}" z="0.0"/>'
            f'<viz:color r="{red}" g="{green}" b="{blue}" a="1.0"/>'
            f'<viz:size value="{_number(2 * run.nodes.radius[place])}"/></node>\n'
        )
    yield "</nodes>\n<edges>\n"
    for number, (source, target, weight, values) in enumerate(_edges(run)):
        yield (
            f'<edge id="{number}" source={_quoted(source)} target={_quoted(target)} '
            f'weight="{_number(weight)}">{_attvalues(values)}</edge>\n'
        )
    yield "</edges>\n</graph>\n</gexf>\n"


def graphml(run: MapRun) -> Iterator[str]:
    """GraphML in pieces; positions, colours and sizes are attributes x, y, color, diameter."""
    more = (
        ("label", "string"),
        ("x", "double"),
        ("y", "double"),
        ("diameter", "double"),
        ("color", "string"),
    )
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns '
        'http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
    )
    for name, form in (*more, *((name, form) for name, _, form in _NODE)):
        yield f'<key id="n_{name}" for="node" attr.name="{name}" attr.type="{form}"/>\n'
    for name, form in (("weight", "double"), *((name, form) for name, _, form in _EDGE)):
        yield f'<key id="e_{name}" for="edge" attr.name="{name}" attr.type="{form}"/>\n'
    yield '<graph edgedefault="undirected">\n'
    for place, (channel_id, values) in enumerate(_nodes(run)):
        nodes = run.nodes
        values |= {
            "label": nodes.channels.names[place],
            "x": nodes.x[place],
            "y": nodes.y[place],
            "diameter": 2 * nodes.radius[place],
            "color": _colour(run, place),
        }
        yield f"<node id={_quoted(channel_id)}>{_data('n', values)}</node>\n"
    for source, target, weight, values in _edges(run):
        yield (
            f"<edge source={_quoted(source)} target={_quoted(target)}>"
            f"{_data('e', {'weight': weight} | values)}</edge>\n"
        )
    yield "</graph>\n</graphml>\n"


def _nodes(run: MapRun) -> Iterator[tuple[str, dict[str, Any]]]:
    nodes, channels = run.nodes, run.nodes.channels
    for place, channel_id in enumerate(channels.ids):
        community = int(nodes.community[place])
        yield (
            channel_id,
            {
                "login": channels.logins[place],
                "size": _known(channels.chatters[place]),
                "community": label_of(run, place) or None,
                "community_key": run.communities[community].key if community != ISOLATE else None,
                "modularity_class": community,
                "stability": nodes.stability[place],
                "game": channels.games[place] or None,
                "language": channels.languages[place] or None,
                "content": nodes.content[place] or None,
                "viewer_count": _known(channels.viewers[place]),
                "observed_minutes": _known(channels.observed_minutes[place]),
            },
        )


def _edges(run: MapRun) -> Iterator[tuple[str, str, float, dict[str, Any]]]:
    edges, ids = run.edges, run.nodes.channels.ids
    weights = edge_weights(run)
    for place, (source, target) in enumerate(zip(edges.source.tolist(), edges.target.tolist(), strict=True)):
        yield (
            ids[source],
            ids[target],
            weights[place],
            {
                "shared": edges.shared[place],
                "jaccard": edges.jaccard[place],
                "containment_ab": edges.containment_ab[place],
                "containment_ba": edges.containment_ba[place],
                "lift": edges.lift[place],
                "in_backbone": bool(edges.in_backbone[place]),
            },
        )


def _attvalues(values: dict[str, Any]) -> str:
    told = "".join(
        f'<attvalue for="{number}" value={_quoted(text)}/>'
        for number, value in enumerate(values.values())
        if (text := _told(value)) is not None
    )
    return f"<attvalues>{told}</attvalues>"


def _data(kind: str, values: dict[str, Any]) -> str:
    return "".join(
        f'<data key="{kind}_{name}">{_text(text)}</data>'
        for name, value in values.items()
        if (text := _told(value)) is not None
    )


def _told(value: Any) -> str | None:
    """A value as text; None for what is not known."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    return _number(value) if math.isfinite(value) else None


def _number(value: float) -> str:
    plain = float(value)
    return str(int(plain)) if plain == int(plain) and abs(plain) < 1e15 else repr(plain)


def _known(value: int) -> int | None:
    return None if value == UNKNOWN else int(value)


def _colour(run: MapRun, place: int) -> str:
    community = int(run.nodes.community[place])
    return hue(run.communities[community].colour if community != ISOLATE else -1)


def _quoted(text: str) -> str:
    return quoteattr(allowed(text))


def _text(text: str) -> str:
    return escape(allowed(text))
