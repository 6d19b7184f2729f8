"""The picture of a map as PNG, drawn by matplotlib (imported only here)."""

from __future__ import annotations

import io
import warnings
from functools import cache
from typing import Any

import numpy as np

from dashboard.analytics.communities.model import MapRun
from dashboard.community_io.palette import colours, rgb
from dashboard.community_io.scene import HEIGHT, LINE, WIDTH, Label, Scene, build_scene, opacity_of

_DPI = 100


def png(run: MapRun, *, title: str = "Communities") -> bytes:
    """The picture; the same bytes for the same map and the same matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scene, told = build_scene(run, title=title), colours("dark")
    figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=told["bg"])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(HEIGHT, 0)
    axes.axis("off")
    _halos(axes, scene)
    _lines(axes, scene)
    _discs(axes, scene, told["bg"])
    for label in scene.labels:
        _text(axes, label, told)
    words: tuple[tuple[float, float, float, str, str, str], ...] = (
        (60, 52, 34, scene.title, "text", "left"),
        (60, 88, 20, scene.subtitle, "muted", "left"),
        (60, HEIGHT - 40, 20, scene.footer, "muted", "left"),
        (WIDTH - 60, HEIGHT - 40, 20, "StreamLens", "muted", "right"),
    )
    for x, y, size, text, colour, side in words:
        axes.text(
            x, y, _drawable(text), fontsize=_points(size), color=told[colour], ha=side, va="center",
            weight="bold" if colour == "text" else "normal", parse_math=False,
        )  # fmt: skip
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(out, format="png", facecolor=told["bg"], metadata={"Software": "StreamLens"})
    return out.getvalue()


def _halos(axes: Any, scene: Scene) -> None:
    """A soft land of its colour around each community."""
    from scipy.ndimage import gaussian_filter

    step = 8
    height, width = HEIGHT // step, WIDTH // step
    lands: dict[str, np.ndarray] = {}
    rows, columns = np.ogrid[:height, :width]
    for disc in scene.discs:
        if disc.is_isolate:
            continue
        land = lands.setdefault(disc.colour, np.zeros((height, width)))
        reach = (disc.r + 22) / step
        land[(rows - disc.y / step) ** 2 + (columns - disc.x / step) ** 2 <= reach**2] = 1.0
    picture = np.zeros((height, width, 4))
    for colour, land in sorted(lands.items()):
        soft = gaussian_filter(land, 26 / step)
        is_ours = soft > picture[..., 3]
        picture[is_ours, :3] = np.array(rgb(colour)) / 255
        picture[..., 3] = np.maximum(picture[..., 3], soft)
    picture[..., 3] *= 0.2
    axes.imshow(picture, extent=(0, WIDTH, HEIGHT, 0), interpolation="bicubic", aspect="auto", zorder=0)


def _lines(axes: Any, scene: Scene) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    codes = [Path.MOVETO, Path.CURVE3, Path.CURVE3]
    paths = [
        Path([(line.x0, line.y0), (line.cx, line.cy), (line.x1, line.y1)], codes) for line in scene.lines
    ]
    edge = [
        (
            *(part / 255 for part in rgb(line.colour)),
            opacity_of(line),
        )
        for line in scene.lines
    ]
    widths = [(0.6 + 1.8 * line.strength) * 72 / _DPI for line in scene.lines]
    axes.add_collection(
        PathCollection(paths, facecolors="none", edgecolors=edge, linewidths=widths, zorder=1)
    )


def _discs(axes: Any, scene: Scene, background: str) -> None:
    from matplotlib.collections import EllipseCollection

    if not scene.discs:
        return
    diameters = [2 * disc.r for disc in scene.discs]
    axes.add_collection(
        EllipseCollection(
            diameters,
            diameters,
            np.zeros(len(diameters)),
            units="xy",
            offsets=[(disc.x, disc.y) for disc in scene.discs],
            transOffset=axes.transData,
            facecolors=[
                (*(part / 255 for part in rgb(disc.colour)), 0.45 if disc.is_isolate else 1.0)
                for disc in scene.discs
            ],
            edgecolors=background,
            linewidths=[min(1.5, disc.r / 5) * 72 / _DPI for disc in scene.discs],
            zorder=2,
        )
    )


def _text(axes: Any, label: Label, told: dict[str, str]) -> None:
    from matplotlib.patheffects import withStroke

    axes.text(
        label.x,
        label.y,
        _drawable(label.text, label.plain),
        fontsize=_points(label.size),
        color=label.colour if label.is_region else told["text"],
        weight="bold" if label.is_region else "normal",
        ha="center",
        va="center",
        linespacing=LINE,
        zorder=4 if label.is_region else 3,
        path_effects=[withStroke(linewidth=label.size * 0.2, foreground=told["bg"])],
        parse_math=False,
    )


def _points(pixels: float) -> float:
    # The letters of matplotlib's own font are wide: a little smaller they take the room planned for them.
    return pixels * 72 / _DPI * 0.92


def _drawable(text: str, plain: str = "") -> str:
    """The text; what stands in for it, or what is left of it, where matplotlib's font lacks letters."""
    known = _letters()
    if all(ord(letter) in known or letter == "\n" for letter in text):
        return text
    return plain or "".join(letter for letter in text if ord(letter) in known).strip() or "…"


@cache
def _letters() -> frozenset[int]:
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap())
