"""A map as shapes on a sheet: what both pictures (SVG and PNG) draw, with labels that never overlap."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from dashboard.analytics.communities.model import ISOLATE, MapRun
from dashboard.community_io.palette import hue
from dashboard.community_io.words import figures, statement, when

WIDTH: Final = 2400
HEIGHT: Final = 2000
_MARGIN: Final = 90
_HEAD: Final = 96
_FOOT: Final = 84
_MOST_NAMES: Final = 160
_REGION_SIZES: Final = (40, 36, 32, 28, 24, 21)
_GAP: Final = 6
LINE: Final = 1.12
"""From line to line, in sizes of the letters."""
_SHORT: Final = 16
"""Longer names of communities are broken in two lines."""


@dataclass(frozen=True, slots=True)
class Disc:
    """A channel."""

    x: float
    y: float
    r: float
    colour: str
    is_isolate: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An overlap, bent a little; ``strength`` 0 … 1 among those drawn."""

    x0: float
    y0: float
    cx: float
    cy: float
    x1: float
    y1: float
    colour: str
    strength: float
    is_inside: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A text of one or two lines around its middle; ``box`` is left, top, right, bottom."""

    x: float
    y: float
    size: float
    text: str
    colour: str
    is_region: bool
    plain: str = ""
    """For those who can't draw all letters of ``text``."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Room that it takes."""
        half = max(text_width(line, self.size, is_bold=self.is_region) for line in self.lines) / 2
        tall = self.size * (0.62 + LINE * (len(self.lines) - 1) / 2)
        return self.x - half, self.y - tall, self.x + half, self.y + tall

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")


@dataclass(slots=True)
class Scene:
    """Everything to draw, the lowest first in each list."""

    title: str
    subtitle: str
    footer: str
    lines: list[Line] = field(default_factory=list)
    discs: list[Disc] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def build_scene(run: MapRun, *, title: str = "Communities") -> Scene:
    """Places a map on a sheet.

    Args:
        run: With positions.
        title: Stands at the top.

    Returns:
        The same for the same map.
    """
    scene = Scene(title, f"{when(run)} · {figures(run)}", statement(run))
    if not len(run.nodes):
        return scene
    x, y, scale = _placed(run)
    radius = np.maximum(run.nodes.radius * scale, 1.6)
    colours = [hue(run.communities[c].colour if c != ISOLATE else -1) for c in run.nodes.community.tolist()]
    scene.lines = list(_lines(run, x, y, colours))
    order = np.argsort(-radius, kind="stable")
    scene.discs = [
        Disc(float(x[i]), float(y[i]), float(radius[i]), colours[i], int(run.nodes.community[i]) == ISOLATE)
        for i in order.tolist()
    ]
    scene.labels = _labels(run, x, y, radius, colours)
    return scene


def opacity_of(line: Line) -> float:
    """How clearly a line is seen: between communities hardly, the strong ones most."""
    return 0.18 + 0.36 * line.strength if line.is_inside else 0.07 + 0.16 * line.strength


def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """About how wide a text is; rather too wide than too narrow."""
    units = sum(1.02 if unicodedata.east_asian_width(letter) in "WF" else 0.6 for letter in text)
    return units * size * (1.1 if is_bold else 1.0)


def _placed(run: MapRun) -> tuple[np.ndarray, np.ndarray, float]:
    nodes = run.nodes
    left, right = float((nodes.x - nodes.radius).min()), float((nodes.x + nodes.radius).max())
    top, bottom = float((nodes.y - nodes.radius).min()), float((nodes.y + nodes.radius).max())
    room_x, room_y = WIDTH - 2 * _MARGIN, HEIGHT - _HEAD - _FOOT - _MARGIN
    scale = min(room_x / max(right - left, 1e-6), room_y / max(bottom - top, 1e-6))
    # A handful of channels need not fill the sheet.
    scale = min(scale, 60 / max(float(nodes.radius.max()), 1e-6))
    x = WIDTH / 2 + (nodes.x - (left + right) / 2) * scale
    y = _HEAD + (HEIGHT - _HEAD - _FOOT) / 2 + (nodes.y - (top + bottom) / 2) * scale
    return x, y, scale


def _lines(run: MapRun, x: np.ndarray, y: np.ndarray, colours: list[str]) -> Iterator[Line]:
    drawn = np.flatnonzero(run.edges.is_drawn)[::-1]  # The strongest come last, on top.
    most = max(len(drawn) - 1, 1)
    for rank, place in enumerate(drawn.tolist()):
        a, b = int(run.edges.source[place]), int(run.edges.target[place])
        x0, y0, x1, y1 = float(x[a]), float(y[a]), float(x[b]), float(y[b])
        is_inside = run.nodes.community[a] == run.nodes.community[b]
        bend = 0.12
        yield Line(
            x0,
            y0,
            (x0 + x1) / 2 - (y1 - y0) * bend,
            (y0 + y1) / 2 + (x1 - x0) * bend,
            x1,
            y1,
            colours[a],
            rank / most,
            bool(is_inside),
        )


class _Room:
    """Which boxes are taken; cells keep the questions few."""

    _CELL = 64.0

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[float, float, float, float]]] = {}

    def is_free(self, box: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = box
        if left < 12 or right > WIDTH - 12 or top < _HEAD - 8 or bottom > HEIGHT - _FOOT + 8:
            return False
        return not any(
            left < other[2] + _GAP
            and other[0] - _GAP < right
            and top < other[3] + 2
            and other[1] - 2 < bottom
            for cell in self._cells_of(box)
            for other in self._cells.get(cell, ())
        )

    def take(self, box: tuple[float, float, float, float]) -> None:
        for cell in self._cells_of(box):
            self._cells.setdefault(cell, []).append(box)

    def _cells_of(self, box: tuple[float, float, float, float]) -> Iterator[tuple[int, int]]:
        left, top, right, bottom = (int(value // self._CELL) for value in box)
        for column in range(left - 1, right + 2):
            for row in range(top - 1, bottom + 2):
                yield column, row


def _labels(run: MapRun, x: np.ndarray, y: np.ndarray, radius: np.ndarray, colours: list[str]) -> list[Label]:
    room = _Room()
    found = list(_region_labels(run, x, y, radius, room))
    found += _names(run, x, y, radius, colours, room)
    return found


def _region_labels(
    run: MapRun, x: np.ndarray, y: np.ndarray, radius: np.ndarray, room: _Room
) -> Iterator[Label]:
    order = sorted(range(len(run.communities)), key=lambda c: (-run.communities[c].chatters, c))
    for index in order:
        members = np.flatnonzero(run.nodes.community == index)
        if not len(members):
            continue
        # A few that stand far away do not move the name of the others.
        cx, cy = float(np.median(x[members])), float(np.median(y[members]))
        away = np.hypot(x[members] - cx, y[members] - cy) + radius[members]
        reach = float(np.quantile(away, 0.85))
        first = next(
            (n for n, size in enumerate(_REGION_SIZES) if size <= reach / 2.6), len(_REGION_SIZES) - 1
        )
        text = broken(run.communities[index].label)
        colour = hue(run.communities[index].colour)
        label = _first_free(text, cx, cy, reach, _REGION_SIZES[first:], colour, room)
        if label is not None:
            yield label


def broken(text: str) -> str:
    """A long name in two lines: before its bracket, else at the blank nearest to its middle."""
    blanks = [place for place, letter in enumerate(text) if letter == " "]
    if len(text) <= _SHORT or not blanks:
        return text
    brackets = [place for place in blanks if text[place + 1 : place + 2] == "("]
    place = min(brackets or blanks, key=lambda at: (abs(at - len(text) / 2), at))
    return f"{text[:place]}\n{text[place + 1 :]}"


def _first_free(
    text: str, x: float, y: float, reach: float, sizes: tuple[int, ...], colour: str, room: _Room
) -> Label | None:
    """Above its community, below it, or as near as there is room, as large as it can be there."""
    for size in sizes:
        label = Label(x, y, size, text, colour, True)
        half = (label.box[3] - label.box[1]) / 2
        near = [(x, y - reach - half), (x, y + reach + half), (x, y)]
        spiral = (
            (x + 1.6 * size * 0.42 * math.sqrt(n) * math.cos(n * 2.399963),
             y + size * 0.42 * math.sqrt(n) * math.sin(n * 2.399963))
            for n in range(160)
        )  # fmt: skip
        for place in (*near, *spiral):
            label = Label(*place, size, text, colour, True)
            is_near = math.hypot(label.x - x, label.y - y) <= reach + 110
            if is_near and room.is_free(label.box):
                room.take(label.box)
                return label
    return None


def _names(
    run: MapRun, x: np.ndarray, y: np.ndarray, radius: np.ndarray, colours: list[str], room: _Room
) -> Iterator[Label]:
    count = 0
    for i in np.argsort(-radius, kind="stable")[: 4 * _MOST_NAMES].tolist():
        size = float(min(19, max(11, radius[i] * 0.62)))
        text = run.nodes.channels.names[i]
        login = run.nodes.channels.logins[i]
        half = text_width(text, size) / 2
        r = float(radius[i])
        for dx, dy in ((0, r + size * 0.75), (0, -r - size * 0.75), (r + half + 5, 0), (-r - half - 5, 0)):
            label = Label(float(x[i]) + dx, float(y[i]) + dy, size, text, colours[i], False, login)
            if room.is_free(label.box):
                room.take(label.box)
                count += 1
                yield label
                break
        if count >= _MOST_NAMES:
            return
