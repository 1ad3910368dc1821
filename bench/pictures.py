"""The pictures of `docs/`: small SVG files, readable on a light and on a dark page."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from bench.calibration import Band

WIDTH, HEIGHT = 560, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 532, 24, 316
"""The edges of the plot, in pixels."""
_COLOURS = 4

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333 }
.grid { stroke: #8884 } .diagonal { stroke: #888; stroke-dasharray: 5 4 }
.bar { fill: #8885 }
.c0 { --c: #1f5fbf } .c1 { --c: #a14a00 } .c2 { --c: #2a7d3f } .c3 { --c: #8a2f8f }
.line { fill: none; stroke: var(--c); stroke-width: 2 } .point { fill: var(--c) }
text.name { fill: var(--c) }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd }
  .c0 { --c: #7fb0ff } .c1 { --c: #ffb070 } .c2 { --c: #7fd494 } .c3 { --c: #e09be6 }
}
"""


def calibration(bands: Sequence[Band]) -> str:
    """Return the reliability diagram: how many in each band (bars), how often right (points)."""
    most = max((band.count for band in bands), default=0) or 1
    width = (RIGHT - LEFT) / len(bands)
    drawn = list(_axes("confiance annoncée", "part de réponses justes"))
    for band in bands:
        left, height = _x(band.low), (BOTTOM - TOP) * band.count / most
        drawn.append(
            f'<rect class="bar" x="{left + 3:.1f}" y="{BOTTOM - height:.1f}" '
            f'width="{width - 6:.1f}" height="{height:.1f}"/>'
        )
        if band.count:
            drawn.append(_text(left + width / 2, BOTTOM - 5, str(band.count), "middle"))
    drawn.append(
        f'<line class="diagonal" x1="{LEFT}" y1="{BOTTOM}" x2="{RIGHT}" y2="{TOP}"/>',
    )
    points = [(_x(b.low) + width / 2, _y(b.share)) for b in bands if b.share is not None]
    drawn += _line(points, 0)
    told = "; ".join(
        f"de {b.low:.1f} à {b.low + 0.1:.1f}, {b.count} réponses, {100 * b.share:.0f} % justes"
        for b in bands
        if b.share is not None
    )
    description = (
        "Barres : nombre de réponses par tranche de confiance. Points : part de réponses justes. "
        f"Diagonale : confiance et justesse égales. {told.replace('.', ',')}."
    )
    return _svg("Confiance annoncée et réponses justes", description, drawn)


def learning_curve(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return a line a name: the share that is right (0 to 1) by the part of the examples."""
    drawn = list(_axes("part des exemples appris", "part de réponses justes"))
    told = []
    for index, (name, curve) in enumerate(curves.items()):
        drawn += _line([(_x(part), _y(share)) for part, share in curve], index)
        # The names stand in the empty corner: no curve of ours is that low.
        place = BOTTOM - 12 - 18 * (len(curves) - 1 - index)
        drawn.append(_text(RIGHT - 8, place, name, "end", f"name c{index % _COLOURS}"))
        shares = ", ".join(f"{100 * share:.0f} % à {100 * part:.0f} %" for part, share in curve)
        told.append(f"{name} : {shares}")
    description = f"Part de réponses justes selon la part des exemples appris. {'; '.join(told)}."
    return _svg("Courbe d'apprentissage", description, drawn)


def _svg(title: str, description: str, drawn: Iterable[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(description)}</desc>',
            f"<style>{_STYLE}</style>",
            *drawn,
            "</svg>\n",
        ]
    )


def _axes(across: str, up: str) -> Iterable[str]:
    """Return the grid from 0 to 100 %, its figures and the words of both axes."""
    for step in range(0, 101, 20):
        x, y = _x(step / 100), _y(step / 100)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}"/>'
        yield _text(LEFT - 6, y + 4, f"{step} %", "end")
        yield _text(x, BOTTOM + 20, f"{step} %", "middle")
    yield _text((LEFT + RIGHT) / 2, BOTTOM + 44, across, "middle")
    yield _text(LEFT, TOP - 9, up, "start")


def _line(points: Sequence[tuple[float, float]], colour: int) -> Iterable[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<g class="c{colour % _COLOURS}"><polyline class="line" points="{path}"/>'
    yield from (f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in points)
    yield "</g>"


def _text(x: float, y: float, words: str, anchor: str, style: str = "") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _x(part: float) -> float:
    return LEFT + (RIGHT - LEFT) * part


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share
