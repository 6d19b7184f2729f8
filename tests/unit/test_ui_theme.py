from __future__ import annotations

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
