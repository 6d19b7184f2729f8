"""The picture of a map as SVG: dark, sharp at any size, one file."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape as escape_marks

from dashboard.analytics.communities.model import MapRun
from dashboard.community_io.palette import colours
from dashboard.community_io.scene import (
    HEIGHT,
    LINE,
    WIDTH,
    Disc,
    Label,
    Line,
    Scene,
    build_scene,
    opacity_of,
)
from dashboard.community_io.texts import allowed

_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif"


def svg(run: MapRun, *, title: str = "Communities") -> str:
    """The picture as text; the same for the same map."""
    return "".join(_pieces(build_scene(run, title=title)))


def _pieces(scene: Scene) -> Iterator[str]:
    told = colours("dark")
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(scene.title)}" '
        f'font-family="{_FONT}">\n<title>{escape(scene.title)}</title><desc>{escape(scene.subtitle)}. '
        f"{escape(scene.footer)}</desc>\n"
        '<defs><filter id="soft" x="-5%" y="-5%" width="110%" height="110%">'
        '<feGaussianBlur stdDeviation="26"/></filter></defs>\n'
        f'<rect width="100%" height="100%" fill="{told["bg"]}"/>\n<g filter="url(#soft)" opacity=".2">\n'
    )
    for disc in scene.discs:
        if not disc.is_isolate:
            where = f'cx="{disc.x:.1f}" cy="{disc.y:.1f}" r="{disc.r + 22:.1f}"'
            yield f'<circle {where} fill="{disc.colour}"/>\n'
    yield '</g>\n<g fill="none" stroke-linecap="round">\n'
    yield from (_line(line) for line in scene.lines)
    yield f'</g>\n<g stroke="{told["bg"]}">\n'
    yield from (_disc(disc) for disc in scene.discs)
    yield '</g>\n<g text-anchor="middle" paint-order="stroke" stroke-linejoin="round" '
    yield f'stroke="{told["bg"]}">\n'
    yield from (_label(label, told["text"]) for label in scene.labels)
    muted = f'font-size="20" fill="{told["muted"]}"'
    low = HEIGHT - 34
    yield (
        f'</g>\n<text x="60" y="62" font-size="34" font-weight="700" fill="{told["text"]}">'
        f"{escape(scene.title)}</text>\n"
        f'<text x="60" y="94" {muted}>{escape(scene.subtitle)}</text>\n'
        f'<text x="60" y="{low}" {muted}>{escape(scene.footer)}</text>\n'
        f'<text x="{WIDTH - 60}" y="{low}" {muted} text-anchor="end">StreamLens</text>\n</svg>\n'
    )


def escape(text: str) -> str:
    """A text as SVG can hold it, also between quotes."""
    return escape_marks(allowed(text), {'"': "&quot;"})


def _line(line: Line) -> str:
    return (
        f'<path d="M{line.x0:.1f} {line.y0:.1f}Q{line.cx:.1f} {line.cy:.1f} {line.x1:.1f} {line.y1:.1f}" '
        f'stroke="{line.colour}" stroke-opacity="{opacity_of(line):.2f}" '
        f'stroke-width="{0.6 + 1.8 * line.strength:.1f}"/>\n'
    )


def _disc(disc: Disc) -> str:
    opacity = ' fill-opacity=".45"' if disc.is_isolate else ""
    return (
        f'<circle cx="{disc.x:.1f}" cy="{disc.y:.1f}" r="{disc.r:.1f}" fill="{disc.colour}"{opacity} '
        f'stroke-width="{min(1.5, disc.r / 5):.2f}"/>\n'
    )


def _label(label: Label, text: str) -> str:
    weight = ' font-weight="700"' if label.is_region else ""
    fill = label.colour if label.is_region else text
    first = label.y + label.size * (0.35 - LINE * (len(label.lines) - 1) / 2)
    style = f'font-size="{label.size:.0f}" stroke-width="{label.size * 0.22:.1f}" fill="{fill}"{weight}'
    if len(label.lines) == 1:
        return f'<text x="{label.x:.1f}" y="{first:.1f}" {style}>{escape(label.text)}</text>\n'
    lines = [
        f'<tspan x="{label.x:.1f}" y="{first + number * LINE * label.size:.1f}">{escape(line)}</tspan>'
        for number, line in enumerate(label.lines)
    ]
    return f"<text {style}>{' '.join(lines)}</text>\n"
