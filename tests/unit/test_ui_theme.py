from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from dashboard.ui import theme

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def test_contrast_of_black_on_white_is_21() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize("surface", theme.SURFACES)
@pytest.mark.parametrize("text", theme.TEXT_COLORS)
def test_every_text_colour_reads_on_every_surface(name: theme.Theme, surface: str, text: str) -> None:
    colors = theme.COLORS[name]
    assert theme.contrast(colors[text], colors[surface]) >= 4.5


@pytest.mark.parametrize("name", theme.THEMES)
def test_filled_badges_and_outlines_read(name: theme.Theme) -> None:
    colors = theme.COLORS[name]
    assert theme.contrast(colors["on-accent"], colors["accent"]) >= 4.5
    assert theme.contrast(colors["on-bad"], colors["bad"]) >= 4.5
    assert theme.contrast(colors["bg"], colors["info"]) >= 4.5
    assert all(theme.contrast(colors["edge"], colors[surface]) >= 3 for surface in theme.SURFACES)


def test_both_themes_have_the_same_tokens() -> None:
    assert theme.COLORS["dark"].keys() == theme.COLORS["light"].keys()


def test_style_sheet_is_made_from_the_tokens() -> None:
    assert (ASSETS / "10-tokens.css").read_text() == theme.tokens_css()


def test_colours_are_written_nowhere_else() -> None:
    for path in sorted(ASSETS.glob("*.css")):
        if path.name != "10-tokens.css":
            assert "#" not in "".join(
                line.split("{", 1)[1] for line in path.read_text().splitlines() if "{" in line
            ), path.name


def test_template_takes_its_colours_from_the_theme() -> None:
    layout = theme.template("light").layout
    assert layout.font.color == "#17171f"
    assert layout.yaxis.gridcolor == "#dcdce6"
    assert layout.colorway[:2] == ("#6a45e0", "#0b68b8")


def test_alpha_is_written_as_css() -> None:
    assert theme.alpha("#a78bfa", 0.14) == "rgba(167,139,250,0.14)"


@pytest.mark.parametrize("name", theme.THEMES)
def test_communities_stand_out_from_the_map_s_ground(name: theme.Theme) -> None:
    colors = theme.COLORS[name]
    assert all(theme.contrast(colors[color], colors["bg"]) >= 3 for color in theme.MAP_COLORS)


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize(
    ("eyes", "least"), [("normal", 0.09), ("deutan", 0.06), ("protan", 0.06), ("tritan", 0.045)]
)
def test_communities_differ_for_every_kind_of_eye(name: theme.Theme, eyes: str, least: float) -> None:
    seen = [_oklab(_seen_by(theme.COLORS[name][color], eyes)) for color in theme.MAP_COLORS]
    gaps = [math.dist(one, other) for one, other in itertools.combinations(seen, 2)]
    assert min(gaps) >= least


# Machado, Oliveira and Fernandes 2009, severity 1, on linear light.
EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
OKLAB_FIRST = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
OKLAB_SECOND = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def _times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _seen_by(color: str, eyes: str) -> list[float]:
    """The linear light that stands for what such eyes see."""
    values = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return [min(1.0, max(0.0, v)) for v in _times(EYES[eyes], linear)]


def _oklab(linear: Sequence[float]) -> list[float]:
    return _times(OKLAB_SECOND, [v ** (1 / 3) for v in _times(OKLAB_FIRST, linear)])
