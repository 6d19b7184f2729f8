"""Everything that can be kept of a map, written to a folder: each file whole or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboard.errors import StorageError

if TYPE_CHECKING:
    from dashboard.analytics.communities.model import MapRun

Content = str | bytes | Iterable[str]

NAMES: Final = (
    "graph_nodes.csv",
    "graph_edges.csv",
    "graph.gexf",
    "graph.graphml",
    "analysis_results.json",
    "map.svg",
    "map.png",
    "map.html",
)
"""The files, in the order they are written; the last one is what people open."""


def content_of(name: str, run: MapRun, *, preset: str = "", title: str = "Communities") -> Content:
    """What stands in one of the files.

    Args:
        name: One of :data:`NAMES`.
        run: The map.
        preset: Name of its settings.
        title: Headline of the pictures and the page.
    """
    if name.endswith((".csv", ".json")):
        from dashboard.community_io import write_tables

        if name == "analysis_results.json":
            return write_tables.results_json(run, preset=preset)
        return write_tables.nodes_csv(run) if name == "graph_nodes.csv" else write_tables.edges_csv(run)
    if name in ("graph.gexf", "graph.graphml"):
        from dashboard.community_io import write_graphs

        return write_graphs.gexf(run) if name == "graph.gexf" else write_graphs.graphml(run)
    if name == "map.svg":
        from dashboard.community_io.write_svg import svg

        return svg(run, title=title)
    if name == "map.png":
        from dashboard.community_io.write_png import png

        return png(run, title=title)
    from dashboard.community_io.write_html import map_html

    return map_html(run, title=title)


def write_outputs(
    run: MapRun,
    folder: Path,
    *,
    preset: str = "",
    title: str = "Communities",
    names: Sequence[str] = NAMES,
    on_file: Callable[[str], None] = lambda name: None,
) -> list[Path]:
    """Writes the files of a map.

    Args:
        run: The map.
        folder: Made if absent; files of the same names are replaced.
        preset: Name of its settings.
        title: Headline of the pictures and the page.
        names: Only these.
        on_file: Is told each file before it is written; may raise to stop.

    Returns:
        The files.

    Raises:
        StorageError: The folder can't be written to, or the disk is full.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            on_file(name)
            written.append(_write(folder / name, content_of(name, run, preset=preset, title=title)))
    except OSError as error:
        raise StorageError(
            f"{error.filename or folder}: can't be written ({error.strerror}). "
            "Choose another folder, or make room."
        ) from None
    return written


def _write(path: Path, content: Content) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            elif isinstance(content, str):
                file.write(content.encode("utf-8", "replace"))
            else:
                for piece in content:
                    file.write(piece.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
