"""The design tokens, and what is made from them: the style sheet and the chart templates.

The tokens are written here only; ``assets/10-tokens.css`` is :func:`tokens_css`, and a test
holds the two together. All text pairs reach WCAG AA (4.5 to 1) on every surface.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import plotly.graph_objects as go

Theme = Literal["dark", "light"]
THEMES: Final[tuple[Theme, ...]] = ("dark", "light")

FONT: Final = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif'

SIZES: Final = {
    "space": "4px",
    "radius": "12px",
    "radius-s": "8px",
    "font": FONT,
    "mono": 'ui-monospace, "SF Mono", Menlo, Consolas, monospace',
    "fs-xs": "12px",
    "fs-s": "13px",
    "fs-m": "15px",
    "fs-l": "18px",
    "fs-xl": "22px",
    "fs-num": "28px",
    "rail": "208px",
    "ease": "150ms ease-out",
}

COLORS: Final[dict[Theme, dict[str, str]]] = {
    "dark": {
        "bg": "#0f0f15",
        "surface": "#17171f",
        "raised": "#20202b",
        "line": "#2b2b39",
        "edge": "#6f6f85",
        "text": "#ececf3",
        "muted": "#a3a3b6",
        "accent": "#a78bfa",
        "info": "#5ab8ff",
        "good": "#43d397",
        "warn": "#f6bd45",
        "bad": "#ff7a7a",
        "pink": "#ee86bd",
        "orange": "#ff9868",
        "teal": "#7fd6de",
        "on-accent": "#140b2e",
        "on-bad": "#190505",
        "map-0": "#a78bfa",
        "map-1": "#43d397",
        "map-2": "#f7ad09",
        "map-3": "#55d7ff",
        "map-4": "#f96a48",
        "map-5": "#dd76a4",
        "map-6": "#a7f4ec",
        "map-7": "#b8591d",
        "map-8": "#2c74b2",
        "map-9": "#ece114",
        "map-10": "#dc2c74",
        "map-11": "#8447f5",
    },
    "light": {
        "bg": "#f6f6fa",
        "surface": "#ffffff",
        "raised": "#f0f0f6",
        "line": "#dcdce6",
        "edge": "#858596",
        "text": "#17171f",
        "muted": "#5b5b6d",
        "accent": "#6a45e0",
        "info": "#0b68b8",
        "good": "#08764c",
        "warn": "#875800",
        "bad": "#c22f2f",
        "pink": "#b02a75",
        "orange": "#ae4410",
        "teal": "#0b6f79",
        "on-accent": "#ffffff",
        "on-bad": "#ffffff",
        "map-0": "#6a45e0",
        "map-1": "#08764c",
        "map-2": "#638b63",
        "map-3": "#5975c3",
        "map-4": "#f34c83",
        "map-5": "#a51b86",
        "map-6": "#0098b2",
        "map-7": "#3f492a",
        "map-8": "#3319be",
        "map-9": "#af8800",
        "map-10": "#ae4800",
        "map-11": "#9977f4",
    },
}
"""``line`` is a hairline between surfaces; ``edge`` outlines what can be operated (3 to 1). ``map-…`` are the
communities' colours on the map: told apart also by colour-blind eyes, and 3 to 1 on the map's ground."""

TEXT_COLORS: Final = ("text", "muted", "accent", "info", "good", "warn", "bad", "pink", "orange", "teal")
SURFACES: Final = ("bg", "surface", "raised")
SERIES: Final = ("accent", "info", "good", "warn", "orange", "pink", "teal")
"""Order in which charts take colours."""
MAP_COLORS: Final = tuple(f"map-{number}" for number in range(12))
"""By a community's colour index."""

CATEGORY_COLORS: Final = {
    "raid": "pink",
    "sub": "good",
    "gift": "good",
    "bits": "info",
    "game": "teal",
    "stream": "accent",
    "announcement": "orange",
    "milestone": "teal",
    "moderation": "warn",
    "gap": "muted",
}
"""Colour token of each category of happening, the same in the feed and in the charts."""


def contrast(first: str, second: str) -> float:
    """How well one colour reads on the other, as WCAG 2 counts it.

    Args:
        first: A colour as ``#rrggbb``.
        second: The other one.

    Returns:
        A ratio from 1 (the same) to 21 (black on white).
    """
    bright, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def alpha(color: str, share: float) -> str:
    """The colour with that share of opacity, as CSS and plotly take it."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def tokens_css() -> str:
    """The style sheet of the tokens: sizes once, colours for each theme."""
    blocks = [("/* Made by dashboard.ui.theme.tokens_css(); change the tokens there. */\n:root", SIZES)]
    blocks += [(f"[data-theme={theme}]", COLORS[theme]) for theme in THEMES]
    return "\n".join(
        selector + " {\n" + "".join(f"  --{name}: {value};\n" for name, value in values.items()) + "}\n"
        for selector, values in blocks
    )


def template(theme: Theme) -> go.layout.Template:
    """The look of every chart in one theme.

    Args:
        theme: ``dark`` or ``light``.

    Returns:
        A plotly template; figures take nothing else for their looks.
    """
    color = COLORS[theme]
    axis: dict[str, Any] = {
        "gridcolor": color["line"],
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "tickfont": {"size": 11, "color": color["muted"]},
        "automargin": False,
        "fixedrange": False,
    }
    return go.layout.Template(
        layout={
            # Not clear: plotly lays the hover's line on a band of this colour, white if there is none.
            "paper_bgcolor": color["surface"],
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [color[name] for name in SERIES],
            "font": {"family": FONT, "size": 12, "color": color["text"]},
            "xaxis": axis
            | {
                "showgrid": False,
                "spikecolor": color["muted"],
                "spikethickness": 1,
                "spikedash": "solid",
            },
            "yaxis": axis,
            "margin": {"l": 40, "r": 48, "t": 8, "b": 24},
            "showlegend": False,
            "hovermode": "x unified",
            "hoverlabel": {
                "bgcolor": color["raised"],
                "bordercolor": color["edge"],
                "font": {"family": FONT, "size": 12, "color": color["text"]},
                "align": "left",
            },
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": color["muted"],
                "activecolor": color["accent"],
            },
            "transition": {"duration": 0},
        }
    )
